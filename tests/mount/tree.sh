#!/bin/bash
# The tree itself: names, links, expiries, databases, what is fixed.
. "$(dirname "$0")/lib.sh"
start

is "$(ls "$M" | tr '\n' ' ')" "ctl db hash hash.d key list list.d pubsub queue raw server set set.d stream stream.d string ttl zset zset.d " "the root"
is "$(ls "$M/raw" | tr '\n' ' ')" "ctl db hash hash.d key list list.d pubsub queue server set set.d stream stream.d string ttl zset zset.d " "raw/"
is "$(ls "$M/db" | wc -l)" 16 "sixteen databases"
R mset a 1 b 2 >/dev/null
R rpush l x >/dev/null
is "$(ls "$M/string" | tr '\n' ,)" a,b, "a directory lists its type only"
is "$(ls "$M/key" | sort | tr '\n' ,)" a,b,l, "key/ lists all"
is "$(readlink "$M/key/l")" ../list/l "as links"
is "$(cat "$M/key/a")$(cat "$M/key/l")" 1x "that lead there"
rm "$M/key/l"
is "$(R exists l)" 0 "rm key/KEY deletes"
mv "$M/key/b" "$M/key/c"
is "$(R get c)" 2 "mv key/KEY renames"

is "$(cat "$M/ttl/a")" -1 "no expiry"
echo 100 >"$M/ttl/a"
is "$(cat "$M/ttl/a")/$([ "$(R ttl a)" -ge 99 ] && echo set)" "100/set" "EXPIRE"
echo -1 >"$M/ttl/a"
is "$(R ttl a)" -1 "PERSIST"
error "Invalid argument" "no number" bash -c "echo soon >'$M/ttl/a'"
error "No such file" "of a key that is not there" bash -c "echo 5 >'$M/ttl/none'"

R -n 3 set in3 v >/dev/null
is "$(cat "$M/db/3/string/in3")" v "db/N"
echo w >"$M/db/3/string/out3"
is "$(R -n 3 get out3)$(R exists out3)" w0 "writes there"
echo line >"$M/raw/string/exact"
is "$(R strlen exact)" 5 "raw/ stores newlines"
R set exact2 v >/dev/null
echo v >"$M/string/ruled"
is "$(cat "$M/raw/string/ruled")/$(stat -c %s "$M/raw/string/ruled")" v/1 "and shows what is stored"
echo line >"$M/raw/db/2/string/x"
is "$(R -n 2 strlen x)" 5 "raw/db/N"

for f in string list ctl db db/3 raw key; do
	error "Operation not permitted" "$f stays" mv "$M/$f" "$M/other"
done
error "Operation not permitted" "nothing is made at the top" touch "$M/x"
error "Operation not permitted" "no directory" mkdir "$M/x"
error "Operation not permitted" "rm ctl" rm "$M/ctl"
error "Operation not permitted" "rmdir string" rmdir "$M/string"
error "Operation not permitted" "ln" ln "$M/string/a" "$M/string/hard"
error "Operation not permitted" "ln -s" ln -s a "$M/string/soft"
error "Operation not permitted" "mkdir string/x" mkdir "$M/string/x"
ok "chmod does nothing, and well" chmod 600 "$M/string/a"
is "$(stat -c %a "$M/string/a")" 644 "really nothing"
ok "chown too" chown 1:1 "$M/string/a"
is "$(stat -c %o "$M/string/a")" 131072 "blocks of 128 KiB"
R setrange big 1048575 x >/dev/null
is "$(stat -c %o "$M/string/big")" 524288 "of 512 KiB from 1 MiB on"
is "$(stat -c %o - 4>&1 0>"$M/string/written")" 524288 "and of what is being written"
rm "$M/string/big" "$M/string/written"

ino=$(stat -c %i "$M/string/a")
R set a 2 >/dev/null
is "$(stat -c %i "$M/string/a")" "$ino" "an inode number is stable"
before=$(stat -c %Y "$M/string/a")
is "$([ "$before" -ge $(($(date +%s) - 100)) ] && echo recent)" recent "mtime is the last change"
is "$(R config set maxmemory 1gb)" OK "with maxmemory"
is "$(df --output=size -B1 "$M" | tail -1 | tr -d ' ')" 1073741824 "df shows it"

# every byte value in a name
python3 - "$M" "$T/sock" <<'PY' && pass "every byte value in a name" || fail "every byte value in a name"
import os, socket, sys
mnt, sock = os.fsencode(sys.argv[1]), sys.argv[2]
s = socket.socket(socket.AF_UNIX)
s.connect(sock)
f = s.makefile("rwb")
def cmd(*a):
    f.write(b"*%d\r\n" % len(a) + b"".join(b"$%d\r\n%s\r\n" % (len(x), x) for x in a))
    f.flush()
    head = f.readline()
    if head[:1] == b"$":
        n = int(head[1:])
        return None if n < 0 else f.read(n + 2)[:-2]
    return head[1:-2]
def name(key):
    if not key:
        return b"%"
    out = b""
    for i, c in enumerate(key):
        out += b"%%%02X" % c if c < 32 or c in (127, 47, 37) or (c == 46 and i == 0) else bytes([c])
    return out
cmd(b"SELECT", b"5")
keys = [b""] + [bytes([c]) for c in range(256)] + [b"x" + bytes([c]) + b"y" for c in range(256)]
for k in keys:
    assert cmd(b"SET", k, b"v" + k) == b"OK"
d = mnt + b"/raw/db/5/string/"
assert sorted(os.listdir(d)) == sorted(map(name, keys)), "listing"
for k in keys:
    with open(d + name(k), "rb") as g:
        assert g.read() == b"v" + k, k
    with open(d + name(k), "wb") as g:
        g.write(b"w" + k)
    assert cmd(b"GET", k) == b"w" + k, k
    os.unlink(d + name(k))
assert cmd(b"DBSIZE") == b"0"
for wrong in (b"%41", b"a%2f", b"%2", b"50%", b"a%2E"):
    try:
        os.stat(d + wrong)
        raise AssertionError(wrong)
    except FileNotFoundError:
        pass
    try:
        open(d + wrong, "wb")
        raise AssertionError(wrong)
    except OSError as e:
        assert e.errno == 22, (wrong, e)
long = b"k" * 900
cmd(b"SET", long, b"v")
assert os.listdir(d) == [long]
assert open(d + long, "rb").read() == b"v"
cmd(b"SET", b"k" * 5000, b"v")
assert os.listdir(d) == [long], "a name too long for the kernel is left out"
cmd(b"SET", b"m" * 3000, b"v")
if len(os.listdir(d)) == 2:  # Linux 6.14 and later
    fd = os.open(b"m" * 3000, os.O_RDONLY, dir_fd=os.open(d, os.O_RDONLY))
    assert os.read(fd, 10) == b"v"
PY

python3 - "$T/sock" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
out = b"*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"
for i in range(10000):
    k = b"key:%05d" % i
    out += b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$1\r\nv\r\n" % (len(k), k)
s.sendall(out)
got = 0
while got < 5 * 10001:
    got += len(s.recv(65536))
PY
is "$(ls "$M/db/7/string" | sort -u | wc -l)" 10000 "ten thousand files are listed"
is "$(ls "$M/db/7/string" | wc -l)" 10000 "each once"
is "$(find "$M/db/7/string" -type f -name 'key:0*' | wc -l)" 10000 "find walks them"
is "$(find "$M/db/7/string" -size -2c | wc -l)" 10001 "and stats them"
rm -r "$M"/db/7/string/* && is "$(R -n 7 dbsize)" 0 "rm takes them all"
finish
