#!/bin/bash
# Everyday tools on the mount, each with its expected result, and no stray key left behind.
. "$(dirname "$0")/lib.sh"
start

# keys WANT WHAT: these and no others, of all types
keys() { is "$(R --scan | sort | tr '\n' ,)" "$1" "$2"; }
clean() { R flushall >/dev/null; }
have() { command -v "$1" >/dev/null && return 0; echo "ok # SKIP no $1"; return 1; }
mkdir "$T/src" "$T/dst"
printf 'one\ntwo\nthree\n' >"$T/src/lines"
head -c 300000 /dev/urandom >"$T/src/blob"
echo short >"$T/src/word"
: >"$T/src/empty"

# cp, mv, rm
cp -a "$T/src/." "$M/string/"
keys blob,empty,lines,word, "cp -a in"
for f in blob lines word empty; do same "$T/src/$f" "$M/string/$f" "cp -a: $f"; done
cp -a "$M/string/." "$T/dst/"
ok "cp -a out" diff -r "$T/src" "$T/dst"
mkdir "$M/hash.d/h"
cp -a "$T/src/." "$M/hash.d/h/"
ok "cp -a to fields" diff -r "$T/src" "$M/hash.d/h"
cp -a "$M/hash.d/h" "$M/hash.d/h2"
ok "cp -a of a hash" diff -r "$T/src" "$M/hash.d/h2"
mv "$M/string/word" "$M/string/word2"
mv "$M/string/word2" "$M/hash.d/h/"
is "$(R hget h word2)" short "mv to a field copies"
mv "$M/hash.d/h/word2" "$T/dst/"
is "$(cat "$T/dst/word2")$(R hexists h word2)" short0 "mv out of the mount"
rm -r "$M/hash.d/h" "$M/hash.d/h2"
rm "$M/string/"*
keys "" "rm -r and rm"

# times: kept until the key changes
old=$(date -d '2001-02-03 04:05:06' +%s)
year() { stat -c %y "$1" | cut -c1-4; }
touch -d @"$old" "$T/src/word"
cp -p "$T/src/word" "$M/string/"
is "$(stat -c %Y "$M/string/word" "$M/raw/string/word" "$M/db/0/string/word" | sort -u)" "$old" "cp -p keeps the time, and every name of the key shows it"
cp -a "$M/string/word" "$M/string/copied"
mv "$M/string/copied" "$M/string/moved"
is "$(stat -c %Y "$M/string/moved")" "$old" "cp -a within the mount, and mv"
tar -C "$M/string" -cf - word | tar -C "$T/dst" -xf - && is "$(stat -c %Y "$T/dst/word")" "$old" "tar takes it out"
tar -C "$T/dst" -cf - word | tar -C "$M/raw/string" -xf - && is "$(stat -c %Y "$M/raw/string/word")" "$old" "and in"
R append word x >/dev/null
is "$(year "$M/string/word")" "$(date +%Y)" "a client's change ends it"
touch -d 2002-01-01 "$M/string/word"
is "$(year "$M/string/word")" 2002 "touch -d"
touch "$M/string/word"
is "$(year "$M/string/word")$(R strlen word)" "$(date +%Y)7" "touch is now, and never changes a value"
touch -d 1969-12-31T23:59:58.5Z "$M/string/word"
is "$(TZ=UTC stat -c %y "$M/string/word" | cut -c1-21)" "1969-12-31 23:59:58.5" "before the epoch, in parts of a second"
touch -d @99999999999 "$M/string/word"
is "$(year "$M/string/word")" 2262 "no later than there are nanoseconds for"
touch -d @-99999999999 "$M/string/word"
is "$(year "$M/string/word")" 1677 "nor earlier"
R set word new >/dev/null
is "$(year "$M/string/word")" "$(date +%Y)" "SET ends it"
touch -d 2002-01-01 "$M/string/word" && R flushall >/dev/null && R set word x >/dev/null
is "$(year "$M/string/word")" "$(date +%Y)" "and FLUSHALL"
clean
touch "$T/src/word"

# tar, both ways
tar -C "$T/src" -cf - . | tar -C "$M/string" -xf - 2>"$T/err"
for f in blob lines word empty; do same "$T/src/$f" "$M/string/$f" "tar in: $f"; done
rm -rf "$T/dst" && mkdir "$T/dst"
tar -C "$M" -cf "$T/t.tar" string && tar -C "$T/dst" -xf "$T/t.tar"
ok "tar out" diff -r "$T/src" "$T/dst/string"
R rpush l a b >/dev/null
R zadd z 1 a 2 b >/dev/null
R xadd x 1-1 f v >/dev/null
tar -C "$M" -cf "$T/t.tar" list zset stream hash set
R del l z x >/dev/null
tar -C "$M" -xf "$T/t.tar" 2>"$T/err"
is "$(R lrange l 0 -1 | tr '\n' ,)$(R zrange z 0 -1 | tr '\n' ,)$(R xrange x - + | head -n1)" a,b,a,b,1-1 "tar of lists, sorted sets and streams, and back"
clean

# rsync
if have rsync; then
	rsync -a "$T/src/" "$M/raw/string/"
	for f in blob lines word empty; do same "$T/src/$f" "$M/raw/string/$f" "rsync in: $f"; done
	keys blob,empty,lines,word, "rsync leaves no temporary name"
	rsync -a "$M/raw/string/" "$T/rs/"
	ok "rsync out" diff -r "$T/src" "$T/rs"
	is "$(rsync -a --out-format=%n "$T/src/" "$M/raw/string/" | grep -v '/$')" "" "a second rsync copies nothing"
	is "$(rsync -a --checksum --out-format=%n "$T/src/" "$M/raw/string/" | grep -v '/$')" "" "nor one that reads it all"
	R append word x >/dev/null
	is "$(rsync -a --out-format=%n "$T/src/" "$M/raw/string/" | grep -v '/$')" word "but what a client changed"
	is "$(R get word)" short "is as it was"
	clean
fi

# find, grep, sed, sort, tee, dd, split, diff, head
cp "$T/src/"* "$M/string/"
is "$(find "$M/string" -type f -size +100k -printf '%f\n')" blob "find by size"
is "$(find "$M/string" -name 'w*' -exec cat {} +)" short "find -exec"
is "$(grep -rl two "$M/string" | xargs -n1 basename)" lines "grep -r"
sed -i 's/two/TWO/' "$M/string/lines"
is "$(tr '\n' , <"$M/string/lines")" one,TWO,three, "sed -i"
sort -o "$M/string/lines" "$M/string/lines"
is "$(tr '\n' , <"$M/string/lines")" TWO,one,three, "sort -o onto itself"
is "$(echo teed | tee "$M/string/t1" "$M/string/t2")$(R get t1)$(R get t2)" teedteedteed "tee"
echo more | tee -a "$M/string/t1" >/dev/null
is "$(cat "$M/string/t1" | tr '\n' ,)" teed,more, "tee -a"
dd if="$T/src/blob" of="$M/string/dd" bs=4096 2>/dev/null
same "$T/src/blob" "$M/string/dd" "dd"
dd if=/dev/zero of="$M/string/dd" bs=1 seek=100 count=5 conv=notrunc 2>/dev/null
is "$(R getrange dd 100 104 | od -An -tx1 | tr -d ' ')" 00000000000a "dd conv=notrunc writes in place"
dd if=/dev/zero of="$M/string/sparse" bs=1 seek=1000 count=1 2>/dev/null
is "$(R strlen sparse)" 1001 "dd seek makes zeros"
(cd "$M/string" && split -b 100000 blob part.)
is "$(cat "$M/string/part."* | cmp - "$T/src/blob" && ls "$M/string" | grep -c part.)" 3 "split"
ok "diff of equal keys" diff "$M/string/blob" "$T/src/blob"
is "$(diff "$M/string/lines" "$T/src/lines" | grep -c "^[<>]")" 2 "diff of others"
is "$(head -n2 "$M/string/lines" | tr '\n' ,)$(head -c3 "$M/string/word")$(tail -n1 "$M/string/lines")" TWO,one,shothree "head and tail"
is "$(wc -l <"$M/string/lines")$(md5sum <"$M/string/blob" | cut -c1-32)" "3$(md5sum <"$T/src/blob" | cut -c1-32)" "wc, md5sum"
is "$(ls "$M/string" | xargs -I{} sh -c 'test -e "$0/string/{}" && echo y' "$M" | sort -u)" y "xargs"
is "$(awk '{ n += length($0) } END { print n }' "$M/string/lines")" 11 "awk"
install -m 600 "$T/src/word" "$M/string/installed"
is "$(R get installed)" short "install"
gzip -c "$M/string/lines" >"$M/string/lines.gz" && is "$(zcat "$M/string/lines.gz" | tr '\n' ,)" TWO,one,three, "gzip and zcat"
truncate -s 3 "$M/string/word"
is "$(R get word)" sho "truncate"
keys blob,dd,empty,installed,lines,lines.gz,part.aa,part.ab,part.ac,sparse,t1,t2,word, "and nothing else was left"
clean

# following
R rpush log a >/dev/null
tail -n +1 -s 0.05 -f "$M/list/log" >"$T/tail" &
reader=$!
until [ -s "$T/tail" ]; do :; done
R rpush log b >/dev/null
until [ "$(wc -l <"$T/tail")" = 2 ]; do :; done
echo c >>"$M/list/log"
until [ "$(wc -l <"$T/tail")" = 3 ]; do :; done
is "$(tr '\n' , <"$T/tail")" a,b,c, "tail -f"
kill "$reader"
wait "$reader" 2>/dev/null
L=$M/raw/string/rotated
echo a >"$L"
: >"$T/tail"
tail -n +1 -s 0.05 --max-unchanged-stats=1 -F "$L" >"$T/tail" 2>/dev/null &
reader=$!
until [ "$(wc -l <"$T/tail")" = 1 ]; do :; done
mv "$L" "$L.1"
echo b >"$L"
until [ "$(wc -l <"$T/tail")" = 2 ]; do :; done
echo c >"$L.2"
mv "$L.2" "$L"
until [ "$(wc -l <"$T/tail")" = 3 ]; do :; done
is "$(tr '\n' , <"$T/tail")" a,b,c, "tail -F of a log that is rotated and replaced"
kill "$reader"
wait "$reader" 2>/dev/null
if have less && have script && [ -z "$MOUNT_OPTIONS" ]; then # from pages it follows nothing
	echo first >"$M/string/follow"
	(sleep 0.3; R append follow "
second
" >/dev/null; sleep 2) | TERM=xterm timeout 20 script -qec "timeout --foreground 4 less +F '$M/string/follow'" /dev/null >"$T/less" 2>&1
	ok "less +F" grep -q second "$T/less"
fi
clean

if have jq; then
	echo '{"a": {"b": [1, 2]}}' >"$M/string/j"
	is "$(jq -c .a.b "$M/string/j")" "[1,2]" "jq reads"
	jq -c '.a.b += [3]' "$M/string/j" >"$T/j" && cp "$T/j" "$M/string/j"
	is "$(R get j)" '{"a":{"b":[1,2,3]}}' "and its output is stored as a line"
	clean
fi

# editors
if have vim; then
	printf 'one\ntwo\n' >"$M/string/edit"
	vim -es -u NONE -c 'set nocompatible backup writebackup' -c '%s/two/2/' -c 'wq' "$M/string/edit" </dev/null >/dev/null 2>&1
	is "$(cat "$M/string/edit" | tr '\n' ,)" one,2, "vim"
	vim -es -u NONE -c 'call setline(1, "new")' -c 'wq' "$M/string/made" </dev/null >/dev/null 2>&1
	is "$(R get made)" new "vim, a new file"
	R --scan | grep -v '^edit~$' | sort | tr '\n' , >"$T/k"
	is "$(cat "$T/k")" edit,made, "no swap file became a key"
	clean
fi
if have nano && have script; then
	echo line >"$M/string/n"
	(sleep 0.5; printf 'X'; sleep 0.2; printf '\017'; sleep 0.2; printf '\r'; sleep 0.2; printf '\030') |
		TERM=xterm timeout 20 script -qec "nano -I '$M/string/n'" /dev/null >/dev/null 2>&1
	is "$(R get n)" Xline "nano"
	keys n, "and no more"
	clean
fi

# languages
/usr/bin/python3 - "$M/string" <<'PY' && pass "Python's file modules" || fail "Python's file modules"
import json, mmap, os, pathlib, pickle, shutil, sys, tempfile
d = pathlib.Path(sys.argv[1])
(d / "p").write_text("text\nof lines\n")
assert (d / "p").read_text() == "text\nof lines\n"
with open(d / "p", "r+") as f:
    assert f.readline() == "text\n"
    f.seek(0)
    f.write("TEXT")
assert (d / "p").read_text() == "TEXT\nof lines\n"
with open(d / "p", "a") as f:
    f.write("more\n")
assert (d / "p").read_text().splitlines() == ["TEXT", "of lines", "more"]
json.dump({"a": [1, 2]}, open(d / "j", "w"))
assert json.load(open(d / "j")) == {"a": [1, 2]}
pickle.dump(list(range(100000)), open(d / "pk", "wb"))
assert pickle.load(open(d / "pk", "rb")) == list(range(100000))
shutil.copyfile(d / "pk", d / "pk2")
shutil.copy2(d / "p", d / "p2")
shutil.move(d / "p2", d / "p3")
assert (d / "pk").read_bytes() == (d / "pk2").read_bytes()
assert sorted(os.listdir(d)) == ["j", "p", "p3", "pk", "pk2"]
assert sorted(e.name for e in os.scandir(d) if e.is_file()) == ["j", "p", "p3", "pk", "pk2"]
os.replace(d / "p3", d / "p4")
os.rename(d / "p4", d / "p5")
with tempfile.NamedTemporaryFile(dir=d, prefix=".tmp", delete=False) as f:
    f.write(b"atomic\n")
os.replace(f.name, d / "atomic")
assert (d / "atomic").read_text() == "atomic\n"
with open(d / "p", "rb") as f, mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as m:
    assert m[:4] == b"TEXT"
fd = os.open(d / "ex", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
os.close(fd)
try:
    os.open(d / "ex", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    raise AssertionError
except FileExistsError:
    pass
os.truncate(d / "p", 4)
assert (d / "p").read_bytes() == b"TEXT"
fd = os.open(d / "p", os.O_RDWR)
assert os.pread(fd, 2, 1) == b"EX"
os.pwrite(fd, b"ee", 1)
os.fsync(fd)
os.close(fd)
assert (d / "p").read_bytes() == b"TeeT"
for p in d.iterdir():
    p.unlink()
assert os.listdir(d) == []
PY
keys "" "Python leaves nothing"
if have node; then
	node - "$M/string" <<'JS' && pass "Node's file module" || fail "Node's file module"
const fs = require("fs"), path = require("path"), assert = require("assert");
const d = process.argv[2];
const at = (n) => path.join(d, n);
fs.writeFileSync(at("n"), "hello\n");
assert.strictEqual(fs.readFileSync(at("n"), "utf8"), "hello\n");
fs.appendFileSync(at("n"), "world\n");
assert.strictEqual(fs.readFileSync(at("n"), "utf8"), "hello\nworld\n");
fs.copyFileSync(at("n"), at("n2"));
fs.renameSync(at("n2"), at("n3"));
assert.deepStrictEqual(fs.readdirSync(d).sort(), ["n", "n3"]);
assert.strictEqual(fs.statSync(at("n3")).size, 12);
fs.truncateSync(at("n3"), 5);
assert.strictEqual(fs.readFileSync(at("n3"), "utf8"), "hello");
assert.throws(() => fs.writeFileSync(at("n"), "x", { flag: "wx" }), { code: "EEXIST" });
const big = Buffer.alloc(1 << 20, 7);
fs.writeFileSync(at("big"), big);
assert.ok(fs.readFileSync(at("big")).equals(big));
const s = fs.createWriteStream(at("stream"));
s.write("a"); s.end("b");
s.on("close", () => { // what was opened with "w" is published when it is closed
	assert.strictEqual(fs.readFileSync(at("stream"), "utf8"), "ab");
	for (const n of fs.readdirSync(d)) fs.unlinkSync(at(n));
});
JS
	keys "" "Node leaves nothing"
fi

if have sqlite3; then
	db=$M/raw/string/app.db
	sqlite3 "$db" 'CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, "one"), (2, "two");' 2>"$T/err"
	is "$(sqlite3 "$db" 'SELECT b FROM t ORDER BY a' | tr '\n' ,)" one,two, "sqlite3 on a key"
	sqlite3 "$db" 'WITH RECURSIVE c(x) AS (SELECT 3 UNION ALL SELECT x + 1 FROM c WHERE x < 5000) INSERT INTO t SELECT x, hex(randomblob(20)) FROM c; DELETE FROM t WHERE a % 3 = 0; VACUUM;' 2>>"$T/err"
	is "$(sqlite3 "$db" 'SELECT count(*) FROM t; PRAGMA integrity_check' | tr '\n' ,)" 3334,ok, "writes, vacuums and stays whole"
	printf 'BEGIN;\nDELETE FROM t;\nROLLBACK;\nSELECT count(*) FROM t;\n' | sqlite3 "$db" >"$T/count"
	is "$(cat "$T/count")" 3334 "rolls back"
	cp "$db" "$T/app.db"
	is "$(sqlite3 "$T/app.db" 'PRAGMA integrity_check')" ok "and is a database elsewhere"
	keys app.db, "without a journal left behind"
	clean
fi
finish
