#!/bin/bash
# Views with many lines are read a piece at a time: whole and true all the same, while clients are served.
. "$(dirname "$0")/lib.sh"
start

python3 "$here/long.py" "$M" "$T/sock" "${LONG_ELEMENTS:-100000}" "${LONG_ROUNDS:-8}" || failures=$((failures + 1))

# One who may run the commands that tell all, and not those that tell a piece.
R flushall >/dev/null
R eval "for i = 1, 3000 do redis.call('hset', 'h', i, 'v') redis.call('sadd', 's', i) end" 0 >/dev/null
R acl setuser default -hscan -sscan >/dev/null
is "$(wc -l <"$M/hash/h") $(stat -c %s "$M/set/s")" "3000 $(seq 3000 | wc -c)" "without the right to scan they are read in one piece"
R acl setuser default -hgetall >/dev/null
R hset h more v >/dev/null
error "Permission denied" "without the right to read they are not" cat "$M/hash/h"
R acl setuser default +@all >/dev/null

# The server goes while they are read.
R eval "for i = 1, 200000 do redis.call('rpush', 'l', 'element ' .. i) end" 0 >/dev/null
for i in 1 2 3; do
	cat "$M/list/l" >/dev/null 2>&1 &
	readers="$readers $!"
	stat "$M/list/l" >/dev/null 2>&1 &
	readers="$readers $!"
done
stop
wait $readers
pass "all who read get an answer when the server goes"
finish
