#!/bin/bash
# The server is killed while everything goes on at its mount: each process gets an error within a second, and the next start mounts.
. "$(dirname "$0")/lib.sh"
head -c 3000000 /dev/urandom >"$T/big"

for round in 1 2 3; do
	start
	R eval 'for i = 1, 20000 do redis.call("SET", "key:" .. i, i) end' 0 >/dev/null
	R set k v >/dev/null
	cp "$T/big" "$M/raw/string/big"
	cp "$T/big" "$M/raw/string/shared"
	/usr/bin/python3 "$here/deaths.py" "$M" "$T/sock" "$server" || failures=1
	wait "$server" 2>"$T/killed"
	server=
	exec 9<&-
	wait "$copier"
done
start
is "$(cat "$M/server/info/server" | grep -c redis_version)" 1 "and the next one mounts"
is "$(grep -c "$M " /proc/self/mounts)" 1 "once"
finish
