#!/bin/bash
# stream/ and stream.d/: a line an entry, a file an entry.
. "$(dirname "$0")/lib.sh"
start

tab=$'\t'
R xadd s 1-1 name Suyeon city Seoul >/dev/null
R xadd s 2-0 k v >/dev/null
is "$(cat "$M/stream/s")" "1-1${tab}name${tab}Suyeon${tab}city${tab}Seoul
2-0${tab}k${tab}v" "an entry is a line: id, field, value, ..."
is "$(stat -c %s "$M/stream/s")" "$(cat "$M/stream/s" | wc -c)" "its size is true"
is "$(ls "$M/stream")" s "ls"
printf 'temp\t21.5\tunit\tC\n' >>"$M/stream/s"
is "$(R xlen s)" 3 ">> is XADD"
is "$(R xrevrange s + - count 1 | tail -n4 | tr '\n' ,)" temp,21.5,unit,C, "with an id of its own"
printf 'a\t1\nb\t2\n' >>"$M/stream/new"
is "$(R xlen new)" 2 "a new stream, two entries"
printf '9999999999999-5\tx\ty\n' >>"$M/stream/s"
is "$(R xrevrange s + - count 1 | head -n1)" 9999999999999-5 "a row may say its id"
error "Invalid argument" "if it is above the last" bash -c "printf '5-5\tx\ty\n' >>'$M/stream/s'"
error "Invalid argument" "a field without a value is no entry" bash -c "echo alone >>'$M/stream/s'"
printf 'good\t1\nbad\n' >"$T/bad"
error "Invalid argument" "a bad line" bash -c "cat '$T/bad' >>'$M/stream/t'"
is "$(R exists t)" 0 "nothing of a bad write is applied"
R xadd bin 1-1 f "$(printf 'two\nlines\ttab')" >/dev/null
is "$(cat "$M/stream/bin")" "1-1${tab}f${tab}\$'two\\nlines\\ttab'" "what a line cannot hold is quoted"
cp "$M/stream/bin" "$T/bin"
cat "$T/bin" >"$M/stream/bin2"
is "$(R xrange bin2 - +)" "$(R xrange bin - +)" "and read back: a copy has the same entries and ids"
cp "$M/stream/s" "$M/stream/s2"
is "$(R xrange s2 - +)" "$(R xrange s - +)" "cp"
printf 'only\tone\n' >"$M/stream/s2"
is "$(R xlen s2)" 1 "> replaces"
mv "$M/stream/s2" "$M/stream/s3"
is "$(R exists s2)$(R xlen s3)" 01 "mv"
rm "$M/stream/s3"
is "$(R exists s3)" 0 "rm"
R set str v >/dev/null
error "No such file" "another type" cat "$M/stream/str"
error "File exists" "is not replaced" bash -c "printf 'a\tb\n' >'$M/stream/str'"
R xadd empty 1-1 a b >/dev/null
R xdel empty 1-1 >/dev/null
is "$(cat "$M/stream/empty")$(stat -c %s "$M/stream/empty")" 0 "a stream without entries is an empty file"

# entries as files
is "$(ls "$M/stream.d/s" | sort -n | head -n2 | tr '\n' ,)" 1-1,2-0, "stream.d/KEY lists the ids"
is "$(cat "$M/stream.d/s/1-1")" "name${tab}Suyeon
city${tab}Seoul" "an entry, a line a field"
is "$(stat -c %s "$M/stream.d/s/1-1")" "$(cat "$M/stream.d/s/1-1" | wc -c)" "its size"
error "not permitted" "an entry keeps its id" mv "$M/stream.d/s/1-1" "$M/stream.d/s/9-9"
rm "$M/stream.d/s/1-1"
is "$(R xrange s - 2-0 | head -n1)" 2-0 "rm is XDEL"
error "No such file" "an id has one form" cat "$M/stream.d/s/2"
error "No such file" "- is none" cat "$M/stream.d/s/-"
error "No such file" "nor is one that is gone" cat "$M/stream.d/s/1-1"
error "ermi" "an entry is never changed" bash -c "echo x >'$M/stream.d/s/2-0'"
python3 - "$T/sock" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
out = b"".join(b"XADD many %d-1 n %d\r\n" % (i, i) for i in range(1, 1001))
s.sendall(out)
f = s.makefile("rb")
for _ in range(2000):
    f.readline()
PY
is "$(ls "$M/stream.d/many" | sort -u | wc -l)/$(ls "$M/stream.d/many" | wc -l)" 1000/1000 "a thousand entries, each once"
is "$(cat "$M/stream.d/many/"* | wc -l)" 1000 "each can be read"
is "$(wc -l <"$M/stream/many")" 1000 "as can all at once"

# following
tail -n0 -s 0.05 -f "$M/stream/many" >"$T/tail" &
reader=$!
until [ -n "$(ls -l /proc/$reader/fd 2>/dev/null | grep stream/many)" ]; do :; done
# It stands at the end by now.
until grep -qs '^pos:[[:space:]]*[1-9]' $(find "/proc/$reader/fd" -lname '*/stream/many' 2>/dev/null | sed 's,/fd/,/fdinfo/,'); do :; done
R xadd many 2000-1 followed yes >/dev/null
until [ -s "$T/tail" ]; do :; done
is "$(cat "$T/tail")" "2000-1${tab}followed${tab}yes" "tail -f follows XADD"
printf 'by\tfile\n' >>"$M/stream/many"
until [ "$(wc -l <"$T/tail")" = 2 ]; do :; done
is "$(tail -n1 "$T/tail" | cut -f2,3)" "by${tab}file" "and a file's append"
kill "$reader"
wait "$reader" 2>/dev/null

python3 - "$M" "$T/sock" <<'PY' && pass "poll tells of a new entry" || fail "poll tells of a new entry"
import os, select, subprocess, sys, threading
m, sock = sys.argv[1:]
def R(*a):
    return subprocess.run(["redis-cli", "-s", sock, *a], stdout=subprocess.DEVNULL)
R("xadd", "p", "1-1", "a", "b")
f = open(m + "/stream/p", "rb", buffering=0)
p = select.poll()
p.register(f, select.POLLIN)
assert p.poll(0), "not read yet"
assert f.read() == b"1-1\ta\tb\n"
assert p.poll(0) == [], "all read"
t = threading.Timer(0.2, R, ("xadd", "p", "2-1", "c", "d"))
t.start()
assert p.poll(10000), "a new entry"
t.join()
assert f.read() == b"2-1\tc\td\n"
assert p.poll(0) == []
PY

# list.d
R rpush l zero one two >/dev/null
is "$(ls "$M/list.d/l" | sort | tr '\n' ,)" 0,1,2, "list.d/KEY lists the positions"
is "$(cat "$M/list.d/l/1")" one "an element"
is "$(cat "$M/list.d/l/-1")" two "counted from the end"
echo ONE >"$M/list.d/l/1"
is "$(R lindex l 1)" ONE "write is LSET"
is "$(cat "$M/list.d/l/1" | od -An -c | tr -d ' ')" 'ONE\n' "and reads back with its newline"
echo three >"$M/list.d/l/3"
is "$(R lrange l 0 -1 | tr '\n' ,)" zero,ONE,two,three, "the position behind the last one is new"
error "Invalid argument" "further ones are not" bash -c "echo x >'$M/list.d/l/9'"
rm "$M/list.d/l/1"
is "$(R lrange l 0 -1 | tr '\n' ,)" zero,two,three, "rm removes it"
rm "$M/list.d/l/-1"
is "$(R lrange l 0 -1 | tr '\n' ,)" zero,two, "from the end, too"
R rpush twins a b a >/dev/null
rm "$M/list.d/twins/2"
is "$(R lrange twins 0 -1 | tr '\n' ,)" a,b, "rm takes the one that is named"
printf '\0\377\n\n' >"$M/list.d/l/0"
is "$(R lindex l 0 | head -c 4 | od -An -tx1 | tr -d ' ')" 00ff0a0a "any bytes"
mv "$M/list.d/twins/0" "$M/list.d/twins/1"
is "$(R lrange twins 0 -1 | tr '\n' ,)" a, "mv replaces"
error "No such file" "an index has one form" cat "$M/list.d/l/00"
mkdir "$M/list.d/fresh"
echo first >"$M/list.d/fresh/0"
is "$(R lrange fresh 0 -1)" first "mkdir, then the first element"
R del m >/dev/null
R rpush m $(seq 500) >/dev/null
cp -r "$M/list.d/m" "$M/list.d/copy"
is "$(R lrange copy 0 -1 | cksum)" "$(R lrange m 0 -1 | cksum)" "cp -r of a list keeps its order"
is "$(ls -i "$M/list.d/m" | sort -n | head -n3 | tr -s ' ' | sed 's/.* //' | tr '\n' ,)$(stat -c %i "$M/list.d/m/7")" "0,1,2,$(ls -i "$M/list.d/m" | sed -n 's/^ *\([0-9]*\) 7$/\1/p')" "since positions are numbered as they stand"
R del copy >/dev/null
is "$(ls "$M/list.d/m" | wc -l)" 500 "all of a longer list"
rm -r "$M/list.d/m"
is "$(R exists m)" 0 "rm -r"

# who follows a long one is given what came, and all of it when something went
/usr/bin/python3 - "$here" "$M" "$T/sock" "$RANDOM" <<'PY' && pass "a stream that grows and shrinks reads as it is" || fail "a stream that grows and shrinks reads as it is"
import os, random, sys
sys.path.insert(0, sys.argv[1])
from coherence import Resp
mount, r, seed = sys.argv[2], Resp(sys.argv[3]), int(sys.argv[4])
rng, path = random.Random(seed), f"{mount}/stream/long"

def filled():
    for i in range(70):
        r("XADD", "long", f"1-{i + 1}", "f", "x" * rng.randrange(20))

def text():
    return b"".join(b"\t".join([id, *fields]) + b"\n" for id, fields in r("XRANGE", "long", "-", "+"))

def some():
    entries = r("XRANGE", "long", "-", "+")
    return rng.choice(entries)[0] if entries else "1-1"

filled()
fd = os.open(path, os.O_RDONLY)
at = 0
for step in range(600):
    rng.choices([
        lambda: r("XADD", "long", "*", "f", "new", "n", step),
        lambda: [r("XADD", "long", "*", "f", "y" * rng.randrange(50)) for _ in range(9)],
        lambda: r("XDEL", "long", some()),
        lambda: (r("XDEL", "long", some()), r("XADD", "long", "*", "f", "z")),
        lambda: r("XTRIM", "long", "MAXLEN", rng.randrange(60, 120)),
        lambda: r("XADD", "long", "MAXLEN", 90, "*", "f", "bounded"),
        lambda: (r("DEL", "long"), filled()),
    ], [20, 8, 1, 1, 1, 1, 1])[0]()
    want = text()
    was = f"seed {seed}, step {step}"
    if rng.random() < 0.7:
        assert os.stat(path).st_size == len(want) == os.fstat(fd).st_size, (was, os.stat(path).st_size, len(want))
    if rng.random() < 0.5:
        got = os.pread(fd, 1 << 20, at)  # the rest, as tail does
        at += len(got)
        if rng.random() < 0.3:
            assert os.pread(fd, 1 << 20, 0) == want, was
            at = len(want)
PY
finish
