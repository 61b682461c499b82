#!/bin/bash
# More names than the server wants to know: the kernel is told to forget the oldest, and nothing that is in use suffers.
TEST_SECONDS=${TEST_SECONDS:-300}
. "$(dirname "$0")/lib.sh"

[ "$(printf '6.18\n%s\n' "$(uname -r)" | sort -V | head -1)" = 6.18 ] || skip "this kernel cannot be told to forget"

known() { sed -n 's/^mount_known_names://p' "$M/server/stats" | tr -d '\r'; }

start --enable-debug-command yes
R debug populate 270000 key 10 >/dev/null
R set kept "first value" >/dev/null
R hset dir field inside >/dev/null

# An open file, one that is only known by its path, a working directory: from the start of the listing to its end.
ok "names in use stay while others are pruned" /usr/bin/python3 - "$M" "$T/sock" <<'PY'
import os, subprocess, sys
mount, sock = sys.argv[1:]
def r(*words):
    return subprocess.run(["redis-cli", "-s", sock, *words], capture_output=True, text=True, check=True).stdout.strip()
opened = os.open(mount + "/string/kept", os.O_RDONLY)
path = os.open(mount + "/string/key:1", os.O_PATH)
os.chdir(mount + "/hash.d/dir")
os.stat("field")
found = subprocess.run(["find", mount + "/string", "-size", "+100k"], capture_output=True, text=True)
assert found.returncode == 0 and found.stdout == "" and found.stderr == "", found
r("set", "kept", "a value that is longer")
r("set", "key:1", "123")
assert os.fstat(opened).st_size == len("a value that is longer"), os.fstat(opened)
assert os.pread(opened, 100, 0) == b"a value that is longer"
assert os.fstat(path).st_size == 3, os.fstat(path)
assert open(f"/proc/self/fd/{path}").read().strip() == "123"
assert open("field").read().strip() == "inside" and os.listdir(".") == ["field"]
r("del", "key:2", "key:3")
for n in range(1, 269000, 997):
    there = os.path.exists(f"{mount}/string/key:{n}")
    assert there == (n not in (2, 3)), n
assert len(os.listdir(mount + "/string")) == 269999
PY
n=$(known)
if [ "$n" -le 252100 ]; then pass "no more names are known than are wanted, and those of a turn"; else fail "$n names are known"; fi
R flushall >/dev/null
is "$(ls "$M/string" | wc -l)" 0 "after FLUSHALL there is none"
stop

start --enable-debug-command yes --mount-options nocache
R debug populate 255000 key 10 >/dev/null
find "$M/string" -size +100k
n=$(known)
if [ "$n" -le 252100 ]; then pass "nor without the kernel's caches, which remembers them all the same"; else fail "$n names are known with nocache"; fi
finish
