#!/bin/bash
# ctl: a transcript, one session for each open file, the replies as redis-cli prints them into a pipe.
. "$(dirname "$0")/lib.sh"
start

exec 3<>"$M/ctl"
echo 'INCR hits' >&3
read -r n <&3
is "$n" 1 "a line and its reply"
echo 'INCR hits' >&3
read -r n <&3
is "$n" 2 "and another"
printf 'SET a "x y"\nGET a\nRPUSH l 1 2 3\nLRANGE l 0 -1\n' >"$T/script"
cat "$T/script" >&3
is "$(cat <&3)" "OK
x y
3
1
2
3" "several lines, several replies; EOF behind them"
echo 'GET nothing' >&3
is "$(cat <&3 | od -An -c | tr -d ' ')" '\n' "nil is an empty line"
echo 'LPUSH a x' >&3
is "$(cat <&3)" "WRONGTYPE Operation against a key holding the wrong kind of value" "an error is its text"
echo 'PING' >&3
echo 'ECHO "second"' >&3
is "$(cat <&3)" second "an unread reply gives way"
printf 'ECHO ' >&3
printf '"in parts"\n' >&3
is "$(cat <&3)" "in parts" "a line in parts"
echo 'ECHO "no end' >&3
is "$(cat <&3)" "Invalid argument(s)" "quotes that do not end"
echo "SET bin \"\\x00\\xff\\n\"" >&3
cat <&3 >/dev/null
is "$(R strlen bin)" 3 "escapes as in redis-cli"
printf 'SET n 1\nMULTI\nINCR n\nINCR n\nEXEC\nEXEC\n' >"$T/script"
cat "$T/script" >&3
is "$(cat <&3)" "OK
OK
QUEUED
QUEUED
2
3
ERR EXEC without MULTI" "a transaction"
echo 'WATCH n' >&3
R set n 9 >/dev/null
printf 'MULTI\nINCR n\nEXEC\n' >"$T/script"
cat "$T/script" >&3
is "$(cat <&3; R get n)" "OK
QUEUED

9" "a watched key that changed"
echo 'SELECT 4' >&3
cat <&3 >/dev/null
echo 'SET four 4' >&3
cat <&3 >/dev/null
is "$(R -n 4 get four)" 4 "SELECT works"
exec 4<>"$M/ctl"
echo 'EXISTS four' >&4
is "$(cat <&4)" 0 "another file is another session"
exec 5<>"$M/db/4/ctl"
echo 'EXISTS four' >&5
is "$(cat <&5)" 1 "db/4/ctl begins there"
exec 5<&-
is "$(R client list | grep -c 'name=ctl')" 2 "they are clients"
exec 4<&-
echo 'PING' >&3
is "$(cat <&3)" PONG "one goes on when the other ends"
echo QUIT >&3
is "$(cat <&3)" OK "QUIT"
error "Input/output error" "ends the session" bash -c 'echo PING >&3'
exec 3<&-
is "$(R client list | grep -c 'name=ctl')" 0 "closed files are gone"
printf 'SET last 1' >"$M/ctl"
is "$(R get last)" 1 "a last line without newline runs at the end"
is "$(echo "SET once 1" >"$M/ctl"; R get once)" 1 "echo > ctl"
is "$(cat "$M/ctl")" "" "an unwritten file is empty"

R set watched 1 >/dev/null
R client kill id "$(R client list | sed -n 's/id=\([0-9]*\) .*name=mount .*/\1/p')" >/dev/null
is "$(cat "$M/string/watched")" 1 "CLIENT KILL does not take the mount away"
is "$(R client list | grep -c name=mount)" 1 "nor off the list"

# the same bytes as redis-cli
R rpush deep a b >/dev/null
R hset hh f v g w >/dev/null
while read -r cmd; do
	exec 3<>"$M/ctl"
	echo "$cmd" >&3
	is "$(cat <&3 | od -c)" "$(echo "$cmd" | R | od -c)" "as redis-cli: $cmd"
	exec 3<&-
done <<'CMDS'
PING
GET nothing
SET k v
INCR k
LRANGE deep 0 -1
LRANGE none 0 -1
HGETALL hh
NOSUCH command
SCAN 0 COUNT 1000 MATCH deep
MGET k none k
CMDS
finish
