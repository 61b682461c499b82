#!/bin/bash
# Every type: written through one door, read through the other, both ways.
. "$(dirname "$0")/lib.sh"
start

# string
R set s "from resp" >/dev/null
is "$(cat "$M/string/s")" "from resp" "string: RESP to file"
echo "from file" >"$M/string/s"
is "$(R get s)" "from file" "string: file to RESP"
is "$(R object encoding s)" embstr "as SET would have stored it"
echo 12 >"$M/string/i"
is "$(R object encoding i)" int "a number is one"
R append s "!" >/dev/null
is "$(cat "$M/string/s")" "from file!" "APPEND"
R setrange s 0 FROM >/dev/null
is "$(cat "$M/string/s")" "FROM file!" "SETRANGE"
R getdel s >/dev/null
ok "GETDEL" test ! -e "$M/string/s"
R set e v px 1 >/dev/null
until [ "$(R exists e)" = 0 ]; do :; done
ok "expiry" test ! -e "$M/string/e"
R set big "$(head -c 100000 /dev/zero | tr '\0' x)" >/dev/null
is "$(stat -c %s "$M/string/big")" 100000 "a big one"
head -c 100000 "$M/string/big" | tr x y >"$M/string/big2"
is "$(R getrange big2 99990 -1)" yyyyyyyyyy "and back"

# list
R rpush l a b >/dev/null
is "$(cat "$M/list/l" | tr '\n' ,)" a,b, "list: RESP to file"
printf 'c\nd\n' >>"$M/list/l"
is "$(R lrange l 0 -1 | tr '\n' ,)" a,b,c,d, "list: file to RESP"
R lpop l >/dev/null
is "$(stat -c %s "$M/list/l")" 6 "LPOP changes the size"
R del l >/dev/null
ok "DEL" test ! -e "$M/list/l"

# set
R sadd t a b >/dev/null
is "$(sort "$M/set/t" | tr '\n' ,)" a,b, "set: RESP to file"
is "$(ls "$M/set.d/t" | sort | tr '\n' ,)" a,b, "set.d, too"
echo c >>"$M/set/t"
touch "$M/set.d/t/d"
is "$(R smembers t | sort | tr '\n' ,)" a,b,c,d, "set: file to RESP"
R srem t a >/dev/null
ok "SREM" test ! -e "$M/set.d/t/a"

# sorted set
R zadd z 1 a 2.5 b >/dev/null
is "$(cat "$M/zset/z" | tr '\n' ,)" "1	a,2.5	b," "zset: RESP to file"
is "$(cat "$M/zset.d/z/b")" 2.5 "zset.d, too"
printf '%s\tc\n' -1 >>"$M/zset/z"
echo 9 >"$M/zset.d/z/a"
is "$(R zrange z 0 -1 | tr '\n' ,)" c,b,a, "zset: file to RESP"
R zincrby z 1 a >/dev/null
is "$(cat "$M/zset.d/z/a")" 10 "ZINCRBY"

# hash
R hset h f v g w >/dev/null
is "$(cat "$M/hash/h" | tr '\n' ,)" "f	v,g	w," "hash: RESP to file"
is "$(cat "$M/hash.d/h/g")" w "hash.d, too"
printf 'x\ty\n' >>"$M/hash/h"
echo V >"$M/hash.d/h/f"
is "$(R hmget h f g x | tr '\n' ,)" V,w,y, "hash: file to RESP"
R hdel h g >/dev/null
ok "HDEL" test ! -e "$M/hash.d/h/g"

# stream
R xadd x 1-1 f v >/dev/null
is "$(cat "$M/stream/x")" "1-1	f	v" "stream: RESP to file"
is "$(cat "$M/stream.d/x/1-1")" "f	v" "stream.d, too"
printf 'g\tw\n' >>"$M/stream/x"
is "$(R xrevrange x + - count 1 | tail -n2 | tr '\n' ,)" g,w, "stream: file to RESP"
R xtrim x maxlen 1 >/dev/null
ok "XTRIM" test ! -e "$M/stream.d/x/1-1"
is "$(stat -c %s "$M/stream/x")" "$(cat "$M/stream/x" | wc -c)" "and the size"
R rpush ld a b >/dev/null
R linsert ld before b x >/dev/null
is "$(cat "$M/list.d/ld/1")" x "list.d: RESP to file"
echo y >"$M/list.d/ld/1"
is "$(R lrange ld 0 -1 | tr '\n' ,)" a,y,b, "list.d: file to RESP"

# a queue has two doors
R rpush qq 1 2 >/dev/null
is "$(head -n1 "$M/queue/qq")$(R lpop qq)" 12 "queue: RESP to file"
echo 3 >"$M/queue/qq"
is "$(R blpop qq 1 | tail -n1)" 3 "queue: file to RESP"

# keys
R rename h h2 >/dev/null
is "$(ls "$M/hash" | tr '\n' ,)$(readlink "$M/key/h2")" h2,../hash/h2 "RENAME"
R set h2 now-a-string >/dev/null
ok "another type: gone here" test ! -e "$M/hash/h2"
is "$(cat "$M/key/h2")" now-a-string "there now"
R expire z 100 >/dev/null
is "$([ "$(cat "$M/ttl/z")" -gt 90 ] && echo set)" set "EXPIRE"
echo 50 >"$M/ttl/t"
is "$([ "$(R ttl t)" -gt 40 ] && echo set)" set "and by file"
R move z 1 >/dev/null
is "$(cat "$M/db/1/zset.d/z/a")" 10 "MOVE"
R swapdb 0 1 >/dev/null
is "$(cat "$M/zset.d/z/a")" 10 "SWAPDB"
R flushall >/dev/null
is "$(find "$M/string" "$M/list" "$M/set" "$M/zset" "$M/hash" "$M/key" -mindepth 1 | wc -l)" 0 "FLUSHALL empties all"

# a change is seen at once, every time
bad=0
for i in $(seq 200); do
	R set n "$i" >/dev/null
	[ "$(cat "$M/string/n")" = "$i" ] || bad=$((bad + 1))
done
is "$bad" 0 "every cat after +OK shows the new value"

# MONITOR shows a file's write
redis-cli -s "$T/sock" monitor >"$T/mon" 2>&1 &
monitor=$!
until grep -q OK "$T/mon"; do :; done
echo seen >"$M/string/watched"
until grep -q -i '"set" "watched"' "$T/mon"; do :; done
pass "MONITOR shows a write of a file"
kill $monitor
wait $monitor 2>/dev/null
is "$(R client list | grep -c 'name=mount')" 1 "the mount is a client"
finish
