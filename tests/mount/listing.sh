#!/bin/bash
# Large directories: complete, nothing twice, while tables grow and shrink; and nobody waits for them.
TEST_SECONDS=${TEST_SECONDS:-300}
. "$(dirname "$0")/lib.sh"
start --enable-debug-command yes

ok "listings match the model" /usr/bin/python3 "$here/listing.py" "$M" "$T/sock" "${LISTING_SCALE:-0.2}"
cat "$T/said"

# A type with few keys is found at once among many others. The figure is for people: a busy machine says nothing.
R flushall >/dev/null
R debug populate 300000 other 10 >/dev/null
for i in 1 2 3; do R xadd s$i '*' a b >/dev/null; done
is "$(R dbsize)" 300003 "three streams among many strings"
is "$(ls "$M/stream" | tr '\n' ,)" s1,s2,s3, "are listed"
is "$(ls "$M/list" | wc -l)" 0 "and no list"
R set soon v px 50 >/dev/null
is "$(ls "$M/stream" | wc -l)" 3 "with a key that expires, too"

# mkdir's directories are listed once, before and after they are keys.
for i in $(seq 50); do mkdir "$M/hash.d/d$i"; done
is "$(ls "$M/hash.d" | sort -u | wc -l)/$(ls "$M/hash.d" | wc -l)" 50/50 "empty directories"
for i in $(seq 25); do R hset d$i f v >/dev/null; done
is "$(ls "$M/hash.d" | sort -u | wc -l)/$(ls "$M/hash.d" | wc -l)" 50/50 "of which half became keys"

R -n 5 debug populate 30000 many 10 >/dev/null

# Offsets: a directory read again from its start, and from the middle.
ok "rewinddir and seekdir" /usr/bin/python3 - "$M/hash.d" "$M/db/5/string" <<'PY'
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
class Dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("len", ctypes.c_uint16), ("type", ctypes.c_uint8), ("name", ctypes.c_char * 256)]
libc.opendir.restype = ctypes.c_void_p
libc.readdir.restype = ctypes.POINTER(Dirent)
for f in (libc.readdir, libc.rewinddir, libc.closedir, libc.telldir):
    f.argtypes = [ctypes.c_void_p]
libc.telldir.restype = ctypes.c_long
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
def rest(d):
    out = []
    while e := libc.readdir(d):
        out.append(e.contents.name)
    return out
for path, n in zip(sys.argv[1:], (20, 9000)):
    d = libc.opendir(path.encode())
    first = [libc.readdir(d).contents.name for _ in range(n)]
    at = libc.telldir(d)
    more = rest(d)
    libc.seekdir(d, at)
    assert rest(d) == more, "from the middle"
    libc.rewinddir(d)
    assert rest(d) == first + more, "from the start"
PY
finish
