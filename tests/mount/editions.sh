#!/bin/bash
# Reads from the kernel's pages (-o pagecache): the cases stand in editions.py. STRESS_SECONDS=N: so long readers beside writers.
. "$(dirname "$0")/lib.sh"
figure() { sed -n "s/^$1://p" "$M/server/stats"; }
run() { /usr/bin/python3 "$here/editions.py" "$M" "$T/sock" "$@" || failures=$((failures + 1)); }

# which files
try_start -o pagecache,nocache
is "$?/$(grep -c "exclude each other" "$T/log")" 1/1 "without the kernel's memory of names there is none of values"
start -o pagecache
if grep -q "does nothing" "$T/log"; then skip "a kernel without epochs"; fi
R set k v >/dev/null
times() { for ((i = 0; i < $1; i++)); do read -r _ <"$M/string/k"; done; }
times 15
sleep 0.3
is "$(figure mount_editions)" 0 "a file that is not opened often is read as ever"
times 1
is "$(figure mount_editions)/$(figure mount_editions_opened)" 0/0 "nor is it at the time at which it is"
times 2
is "$(figure mount_editions)/$(figure mount_editions_opened)/$(cat "$M/string/k")" 1/2/v "one that is, and quiet, is read from pages"
for ((n = 0; n < 5; n++)); do
	R set k "$n" >/dev/null
	times 10
	sleep 0.1
done
is "$(figure mount_editions_made)" 1 "one that changes all the time is not"
stop

start -o pagecache=0
run
R flushall >/dev/null
run stress "${STRESS_SECONDS:-8}"
is "$(R ping)" PONG "the server lives"

# nobody hangs when it is killed
R flushall >/dev/null
R set k v >/dev/null
exec 3<"$M/string/k" 4<"$M/string/k"
is "$(head -c 1 <&3)$(figure mount_editions)" v1 "a value is read from pages"
stop KILL
error "Transport endpoint is not connected" "a killed server: what is opened fails" cat "$M/string/k"
timeout 5 cat <&4 >/dev/null 2>&1
is "$(($? < 2))" 1 "what is open ends soon, with what the kernel has of it or an error"
exec 3<&- 4<&-
start -o pagecache=0
R set k v >/dev/null
exec 3<"$M/string/k"
[ "$(id -u)" != 0 ] || error "busy" "unmounting while it is read is refused" umount "$M"
umount -l "$M"
is "$(cat <&3)" v "and lazily it goes on to be read"
exec 3<&-
finish
