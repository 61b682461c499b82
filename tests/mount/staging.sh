#!/bin/bash
# When a write happens: the old value or the new one, never a part; and what programs do to files.
. "$(dirname "$0")/lib.sh"
start

R set v old >/dev/null
exec 3>"$M/string/v"
is "$(R get v)" old "> alone changes nothing yet"
is "$(cat "$M/string/v")" old "for readers of the file, too"
printf 'new ' >&3
is "$(R get v)" "new " "a builtin's end is a flush"
exec 3>&-
python3 - "$M" "$T/sock" <<'PY'
import os, socket, sys
mnt = sys.argv[1]
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[2]); f = s.makefile("rwb")
def cmd(*a):
    a = [x.encode() if isinstance(x, str) else x for x in a]
    f.write(b"*%d\r\n" % len(a) + b"".join(b"$%d\r\n%s\r\n" % (len(x), x) for x in a)); f.flush()
    def reply():
        h = f.readline()
        if h[:1] == b"$":
            n = int(h[1:]); return None if n < 0 else f.read(n + 2)[:-2]
        if h[:1] == b"*":
            return [reply() for _ in range(int(h[1:]))]
        return int(h[1:]) if h[:1] == b":" else h[1:-2]
    return reply()
failed = 0
def is_(got, want, what):
    global failed
    if got == want: print("ok", what)
    else: print(f"not ok {what}: got {got!r}, want {want!r}"); failed = 1
p = mnt + "/string/p"
def op(flags): return os.open(p, flags, 0o644)

cmd("SET", "p", "old")
fd = op(os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"one ")
is_(cmd("GET", "p"), b"old", "after a write the old value is there")
os.write(fd, b"two")
os.fsync(fd)
is_(cmd("GET", "p"), b"one two", "fsync commits")
os.write(fd, b" three")
is_(cmd("GET", "p"), b"one two", "what follows is staged again")
os.close(fd)
is_(cmd("GET", "p"), b"one two three", "close commits")

fd = op(os.O_RDWR)
os.ftruncate(fd, 0)
is_(cmd("GET", "p"), b"one two three", "ftruncate to 0 stages, as vim does it")
os.write(fd, b"rewritten\n")
os.close(fd)
is_(cmd("GET", "p"), b"rewritten", "and is one change")

fd = op(os.O_RDWR | os.O_TRUNC)
os.write(fd, b"abc"); os.lseek(fd, 0, 0)
is_(os.read(fd, 10), b"abc", "a writer reads what it staged")
os.close(fd)
fd = op(os.O_RDWR)
os.pwrite(fd, b"X", 1)
is_(cmd("GET", "p"), b"aXc", "without truncation a write is there at once")
os.ftruncate(fd, 2)
is_(cmd("GET", "p"), b"aX", "a truncation too")
os.close(fd)
for mode, want in (("r+", b"QX"), ("w", b"Q"), ("a", b"QQ"), ("w+", b"Q"), ("a+", b"QQ")):
    with open(p, mode) as g: g.write("Q")
    is_(cmd("GET", "p"), want, f"python's open mode {mode}")
try:
    open(p, "x"); is_(0, 1, "mode x of what is there")
except FileExistsError: print("ok mode x of what is there")
with open(mnt + "/string/px", "x") as g:
    is_(cmd("GET", "px"), b"", "O_EXCL is SETNX: it is there at once")
    g.write("v")
is_(cmd("GET", "px"), b"v", "then written")
fd = os.open(mnt + "/list/new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(fd, b"a\nb")
is_(cmd("EXISTS", "new"), 0, "a list is staged")
is_(os.fstat(fd).st_size, 3, "and its file has a size")
os.write(fd, b"b\n"); os.close(fd)
is_(cmd("LRANGE", "new", "0", "-1"), [b"a", b"bb"], "then there whole")
cmd("SET", "gone", "v")
fd = os.open(mnt + "/string/gone", os.O_WRONLY | os.O_APPEND)
os.unlink(mnt + "/string/gone"); os.write(fd, b"x"); os.close(fd)
is_(cmd("EXISTS", "gone"), 0, "what is written to a removed file goes with it")
cmd("SET", "tail", "a\nb\n")
fd = os.open(mnt + "/string/tail", os.O_RDONLY)
is_(os.read(fd, 100), b"a\nb\n", "a reader")
is_(os.read(fd, 100), b"", "comes to the end")
cmd("APPEND", "tail", "c\n")
is_(os.read(fd, 100), b"c\n", "and sees what is appended: tail -f")
os.close(fd)

def errno_of(fn):
    try: fn(); return 0
    except OSError as e: return e.errno
import errno
big = lambda: os.truncate(p, 1 << 40)
is_(errno_of(big), errno.EFBIG, "too big is EFBIG")
fd = op(os.O_WRONLY)
is_(errno_of(lambda: os.pwrite(fd, b"x", (512 << 20))), errno.EFBIG, "past 512 MiB too")
os.close(fd)
fd = op(os.O_WRONLY | os.O_TRUNC)
is_(errno_of(lambda: os.pwrite(fd, b"x", (512 << 20))), errno.EFBIG, "and in a stage")
os.close(fd)
cmd("SET", "str", "v")
is_(errno_of(lambda: open(mnt + "/list/str", "w")), errno.EEXIST, "another type is EEXIST")
is_(errno_of(lambda: open(mnt + "/list/str")), errno.ENOENT, "and absent here")
is_(errno_of(lambda: os.rename(mnt + "/string/str", mnt + "/list/str2")), errno.EXDEV, "across types is EXDEV")
is_(errno_of(lambda: open(mnt + "/string/" + "n" * 5000, "w")), errno.ENAMETOOLONG, "a name too long")
cmd("RPUSH", "l", "a")
is_(errno_of(lambda: os.rename(mnt + "/string/str", mnt + "/string/l")), errno.EEXIST, "mv over another type")
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def rename2(a, b, flags):
    return 0 if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) == 0 else ctypes.get_errno()
cmd("MSET", "r1", "1", "r2", "2")
is_(rename2(mnt + "/string/r1", mnt + "/string/r2", 1), errno.EEXIST, "RENAME_NOREPLACE")
is_(rename2(mnt + "/string/r1", mnt + "/string/r2", 2), errno.EINVAL, "RENAME_EXCHANGE")
is_(cmd("CONFIG", "SET", "maxmemory", "1"), b"OK", "no memory")
is_(errno_of(lambda: open(p, "w")), errno.ENOSPC, "is ENOSPC at open")
is_(errno_of(lambda: open(mnt + "/string/fresh", "w")), errno.ENOSPC, "and at create")
is_(errno_of(lambda: os.unlink(p)), 0, "rm works")
cmd("CONFIG", "SET", "maxmemory", "0")
fd = os.open(p, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(fd, b"x" * 100000)
cmd("CONFIG", "SET", "maxmemory", "1")
is_(errno_of(lambda: os.write(fd, b"x" * 1000000)), errno.ENOSPC, "and at write")
cmd("CONFIG", "SET", "maxmemory", "0")
os.close(fd)
is_(cmd("EXISTS", "p"), 0, "and then nothing is stored")
sys.exit(failed)
PY
[ $? = 0 ] || failures=$((failures + 1))

# no reader ever sees a part
a=$(head -c 300000 /dev/zero | tr '\0' a) b=$(head -c 200000 /dev/zero | tr '\0' b)
printf %s "$a" >"$M/string/whole"
(for i in $(seq 40); do printf %s "$b" >"$M/string/whole"; printf %s "$a" >"$M/string/whole"; done) &
writer=$!
bad=0
while kill -0 $writer 2>/dev/null; do
	case $(R strlen whole) in 300000 | 200000) ;; *) bad=1 ;; esac
done
wait $writer
is "$bad" 0 "RESP sees the old value or the new one"

# scratch names
echo swap >"$M/string/.x.swp"
is "$(cat "$M/string/.x.swp")" swap "a name with a dot is a file"
is "$(R keys '*x.swp*')" "" "and no key"
is "$(ls -A "$M/string" | grep -c swp)$(ls "$M/string" | grep -c swp)" 10 "listed as hidden"
mv "$M/string/.x.swp" "$M/string/x"
is "$(R get x)" swap "mv makes it a key"
is "$(cat "$M/string/x")" swap "that is read"
error "No such file" "and the scratch file is gone" cat "$M/string/.x.swp"
mv "$M/string/x" "$M/string/.x"
is "$(R exists x)$(cat "$M/string/.x")" 0swap "and back"
mv "$M/string/.x" "$M/string/.y"
rm "$M/string/.y"
printf 'b\nc\n' >"$M/list/.tmp"
mv "$M/list/.tmp" "$M/list/lt"
is "$(R lrange lt 0 -1 | tr '\n' ,)" b,c, "lines of a scratch file become elements"
is "$(head -c 70000000 /dev/zero 2>/dev/null >"$M/string/.huge" && echo fits)" "" "scratch memory is bounded"
rm "$M/string/.huge"

mkdir "$T/in" && echo one >"$T/in/one" && printf 'two\nlines\n' >"$T/in/two" && head -c 300000 /dev/urandom >"$T/in/bin"
tar -C "$T/in" -cf - . | tar -C "$M/raw/string" --no-same-owner -xf - 2>"$T/said"
for f in one two bin; do same "$T/in/$f" "$M/raw/string/$f" "tar in: $f"; done
mkdir "$T/out.d"
(cd "$M/raw/string" && tar -cf - one two bin) | tar -C "$T/out.d" -xf -
for f in one two bin; do same "$T/in/$f" "$T/out.d/$f" "tar out: $f"; done
if command -v rsync >/dev/null; then
	R flushall >/dev/null
	ok "rsync -a" rsync -a "$T/in/" "$M/raw/string/"
	for f in one two bin; do same "$T/in/$f" "$M/raw/string/$f" "rsync: $f"; done
	is "$(R dbsize)" 3 "and no temporary names are left"
fi
if command -v vim >/dev/null; then
	R set edit "some text" >/dev/null
	vim -es -u NONE -N -c 's/some/other/' -c 'wq' "$M/string/edit" </dev/null >/dev/null 2>&1
	is "$(R get edit)" "other text" "vim edits a value"
	is "$(ls -A "$M/string" | grep -c edit)" 1 "and leaves nothing behind"
fi
finish
