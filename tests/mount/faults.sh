#!/bin/bash
# What goes wrong around the mount: the server dies, the memory is full, another user comes, many files are open.
. "$(dirname "$0")/lib.sh"
start

# SIGKILL with open files, readers that wait, and a copy under way: all end with an error, soon
head -c 50000000 /dev/zero >"$T/big"
R set k v >/dev/null
exec 3<"$M/string/k" 4<>"$M/ctl"
echo 'BLPOP never 0' >&4
(while cp "$T/big" "$M/string/big"; do :; done) 2>"$T/cp" &
pids=$!
for i in 1 2 3 4 5; do
	cat "$M/queue/q$i" >/dev/null 2>"$T/cat$i" &
	pids="$pids $!"
done
cat "$M/pubsub/c" >/dev/null 2>"$T/cat6" &
pids="$pids $!"
cat <&4 >/dev/null 2>"$T/cat7" &
pids="$pids $!"
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 7 ]; do :; done
began=$(date +%s%N)
stop KILL
wait $pids
took=$((($(date +%s%N) - began) / 1000000))
is "$([ "$took" -lt 1000 ] && echo soon)" soon "the server's death ends all that wait (in $took ms)"
is "$(for f in "$T"/cat?; do [ ! -s "$f" ] || echo; done | wc -l)" 7 "each with an error"
error "Transport endpoint is not connected" "what is opened anew" cat "$M/string/k"
ok "an open file fails, too" sh -c '! cat <&3' 2>/dev/null
exec 3<&- 4<&-
start
pass "and the next one mounts"
stop

# unmounted while busy
start
R set k v >/dev/null
exec 3<"$M/string/k"
cat "$M/queue/q" >"$T/got" 2>/dev/null &
reader=$!
until [ "$(R info clients | tr -d '\r' | sed -n 's/blocked_clients://p')" = 1 ]; do :; done
[ "$(id -u)" != 0 ] || error "busy" "umount of a mount in use is refused" umount "$M"
is "$(cat "$M/string/k")" v "and it goes on"
R rpush q still >/dev/null
until [ -s "$T/got" ]; do :; done
is "$(cat "$T/got")" still "for those who wait, too"
kill "$reader"
wait "$reader" 2>/dev/null
exec 3<&-

# full
R config set maxmemory "$(($(R info memory | tr -d '\r' | sed -n 's/^used_memory://p') + 2000000))" >/dev/null
error "No space left" "no memory: cp says so" cp "$T/big" "$M/string/big"
error "No space left" "and an element" sh -c "head -c 5000000 /dev/zero | tr '\\0' x | { cat; echo; } >>'$M/list/l'; R=\$?; cat '$T/big' >'$M/raw/queue/q'; exit \$R"
ok "what is there can be read" cat "$M/string/k"
ok "and removed" rm "$M/string/k"
echo 0 >"$M/server/config/maxmemory"
ok "and the limit can be raised by a file" cp "$T/big" "$M/string/big"
same "$T/big" "$M/string/big" "then it fits"
R flushall >/dev/null

# ten thousand open files
python3 - "$M" <<'PY' && pass "ten thousand open files" || fail "ten thousand open files"
import os, resource, sys
m = sys.argv[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (12000, 12000))
fds = []
for i in range(5000):
    with open(f"{m}/string/k{i}", "w") as f:
        f.write(str(i))
    fds.append(os.open(f"{m}/string/k{i}", os.O_RDONLY))
    fds.append(os.open(f"{m}/queue/q{i}", os.O_RDONLY | os.O_NONBLOCK))
assert all(os.read(fds[2 * i], 10) == b"%d" % i for i in range(5000))
for fd in fds:
    os.close(fd)
PY
R flushall >/dev/null
stop

# another user
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$T"
	start --mount-options umask=077
	R set k v >/dev/null
	error "ermission denied" "without allow_other another user sees nothing" setpriv --reuid 12345 --regid 12345 --clear-groups ls "$M"
	stop
	start --mount-options allow_other,umask=027
	R set k v >/dev/null
	R rpush q 1 >/dev/null
	error "ermission denied" "by the modes, somebody else is refused" setpriv --reuid 12345 --regid 12345 --clear-groups cat "$M/string/k"
	error "ermission denied" "queues as well" setpriv --reuid 12345 --regid 12345 --clear-groups cat "$M/queue/q"
	ok "one of the group reads" setpriv --reuid 12345 --regid 0 --clear-groups cat "$M/string/k"
	error "ermission denied" "and does not write" setpriv --reuid 12345 --regid 0 --clear-groups sh -c "echo x >'$M/string/k'"
	is "$(R get k)$(R llen q)" v1 "nothing changed"
fi
finish
