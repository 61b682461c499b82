#!/bin/bash
# list/, set/, zset/, hash/: a line an element.
. "$(dirname "$0")/lib.sh"
start

R lpush tasks task1 >/dev/null
echo task2 >>"$M/list/tasks"
is "$(R lrange tasks 0 -1)" "task1
task2" ">> is RPUSH"
is "$(cat "$M/list/tasks")" "task1
task2" "a line an element"
is "$(stat -c %s "$M/list/tasks")" 12 "the size is true"
printf 'a\nb\nc\n' >"$M/list/tasks"
is "$(R lrange tasks 0 -1 | tr '\n' ,)" a,b,c, "> replaces"
printf 'no end' >>"$M/list/tasks"
is "$(R lindex tasks -1)" "no end" "a last line without newline counts"
R rpush odd "a
b" "" "\$'x'" "tab	in" >/dev/null
is "$(cat "$M/list/odd")" "\$'a\\nb'

\$'\$\\'x\\''
tab	in" "what a line cannot hold is quoted"
cp "$M/list/odd" "$M/list/odd2"
is "$(R --raw lrange odd2 0 -1 | od -c)" "$(R --raw lrange odd 0 -1 | od -c)" "cp loses nothing"
cat "$M/list/odd" >"$M/list/odd3"
is "$(R --raw lrange odd3 0 -1 | od -c)" "$(R --raw lrange odd 0 -1 | od -c)" "nor does cat"
: >"$M/list/odd3"
is "$(R exists odd3)" 0 "an empty list is no key"
seq 100000 >"$M/list/long"
is "$(R llen long)/$(R lindex long 99999)" 100000/100000 "a hundred thousand lines"
is "$(wc -l <"$M/list/long")" 100000 "read back"
seq 100000 | cmp - "$M/list/long" && pass "in order" || fail "in order"
(printf a; /bin/printf b; printf 'c\nd') >>"$M/list/parts"
is "$(R lrange parts 0 -1 | tr '\n' ,)" abc,d, "a line may come in parts"
R rpush place one two three >/dev/null
printf 'TWO' | dd of="$M/list/place" bs=1 seek=4 conv=notrunc status=none
is "$(R lrange place 0 -1 | tr '\n' ,)" one,TWO,three, "in place"
truncate -s 8 "$M/list/place"
is "$(R lrange place 0 -1 | tr '\n' ,)" one,TWO, "truncate"
sed -i 's/one/ONE/' "$M/list/place"
is "$(R lrange place 0 -1 | tr '\n' ,)" ONE,TWO, "sed -i"

printf 'x\ny\nx\n' >"$M/set/s"
is "$(R scard s)" 2 "a set"
echo z >>"$M/set/s"
is "$(sort "$M/set/s" | tr '\n' ,)" x,y,z, "SADD and back"

printf '2\tb\n1\ta\n' >"$M/zset/z"
is "$(R zrange z 0 -1 withscores | tr '\n' ,)" a,1,b,2, "a sorted set"
printf '1.5\tm id\n' >>"$M/zset/z"
is "$(cat "$M/zset/z")" "1	a
1.5	m id
2	b" "in order, score first"
error "Invalid argument" "a score that is no number is refused" bash -c "printf 'x\ty\n' >>'$M/zset/z'"
error "Invalid argument" "when replacing, too" bash -c "printf '1\ta\nnan\ty\n' >'$M/zset/z'"
is "$(R zcard z)" 3 "and nothing of it is applied"

printf 'name\tSuyeon\ncity\tSeoul\n' >"$M/hash/h"
is "$(R hgetall h | tr '\n' ,)" name,Suyeon,city,Seoul, "a hash"
printf 'age\t30\n' >>"$M/hash/h"
is "$(cat "$M/hash/h")" "name	Suyeon
city	Seoul
age	30" "rows of two columns"
error "Invalid argument" "a row without TAB is refused" bash -c "echo nothing >>'$M/hash/h'"
is "$(R hlen h)" 3 "and nothing of it is applied"
R hset tabs "a	b" "c	d
e" >/dev/null
is "$(cat "$M/hash/tabs")" "\$'a\\tb'	\$'c\\td\\ne'" "TABs in columns are quoted"
cat "$M/hash/tabs" >"$M/hash/tabs2"
is "$(R --raw hget tabs2 "a	b")" "c	d
e" "and read"

R set other v >/dev/null
error "File exists" "another type cannot be made" bash -c "echo x >'$M/list/other'"
error "No such file" "and is not there" cat "$M/list/other"
is "$(R get other)" v "and is untouched"
mv "$M/list/tasks" "$M/list/moved"
is "$(R type moved)$(R exists tasks)" list0 "mv"
rm "$M/list/moved"
is "$(R exists moved)" 0 "rm"
R rpush src a b >/dev/null
mv "$M/list/src" "$M/set/src2"
is "$(R type src2)$(R exists src)" set0 "mv to another type copies"
R config set proto-max-bulk-len 1mb >/dev/null
R hset wide f "$(printf 'x%.0s' {1..9})" >/dev/null
truncate -s 900000 "$M/hash.d/wide/f"
error "File too large" "a view longer than a value may be is not patched" bash -c "echo 'f	v' 1<>'$M/hash/wide'"
is "$(R hstrlen wide f)" 900000 "and the field is untouched"
finish
