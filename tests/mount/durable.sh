#!/bin/bash
# What a file operation was told is on the disk is there after a kill; a disk without room is ENOSPC, and is found again.
. "$(dirname "$0")/lib.sh"

die() {
	kill -9 "$server"
	wait "$server" 2>/dev/null
	server=
	wait "$copier"
	umount "$M"
}

log="--appendonly yes --dir $T/d"

start $log --appendfsync always
printf one >"$M/string/a"
printf '%s\n' x y z >"$M/list/l"
mkdir "$M/hash.d/h"
printf v >"$M/hash.d/h/f"
printf '2\ttwo\n' >>"$M/zset/z"
mv "$M/string/a" "$M/string/b"
echo 100 >"$M/ttl/b"
die
start $log --appendfsync always
is "$(cat "$M/string/b")" one "always: a file that was closed and renamed is there after a kill"
is "$(cat "$M/list/l")" "$(printf 'x\ny\nz')" "and a list"
is "$(cat "$M/hash.d/h/f")" v "and a field"
is "$(cat "$M/zset/z")" "2	two" "and a line that was appended"
is "$(test "$(cat "$M/ttl/b")" -gt 0 && echo yes)" yes "and a time to live"
stop

for policy in everysec no; do
	start $log --appendfsync $policy
	for i in 1 2 3 4 5; do
		printf 'value %s' "$i" >"$M/string/$policy"
		ok "$policy: fsync number $i" sync "$M/string/$policy"
	done
	before=$(R info persistence | tr -d '\r' | sed -n 's/^aof_pending_bio_fsync://p')
	is "$before" 0 "fsync waited for the log's"
	die
	start $log --appendfsync $policy
	is "$(cat "$M/string/$policy")" "value 5" "$policy: what fsync was answered for is there after a kill"
	stop
done

start $log --appendfsync everysec
printf first >"$M/string/room"
sync "$M/string/room"
size=$(stat -c %s "$T"/d/appendonlydir/*.incr.aof)
prlimit --fsize=$((size + 1000)): --pid "$server"
head -c 5000 /dev/zero | tr '\0' x >"$T/big"
cp "$T/big" "$M/string/fills" 2>/dev/null
error "No space left on device" "fsync says that the log has no room" sync "$M/string/room"
error "No space left on device" "a write is refused" bash -c "echo more >'$M/string/more'"
error "No space left on device" "and an append" bash -c "echo more >>'$M/list/l'"
is "$(cat "$M/string/room")" first "reads go on"
prlimit --fsize=unlimited: --pid "$server"
for _ in $(seq 100); do
	R info persistence | grep -q aof_last_write_status:ok && break
	sleep 0.05
done
ok "with room again a write succeeds" bash -c "echo more >'$M/string/more'"
ok "and fsync" sync "$M/string/more"
die
start $log
is "$(cat "$M/string/more")" more "which is there after a kill"
finish
