#!/bin/bash
# hash/ and hash.d/: fields that expire.
. "$(dirname "$0")/lib.sh"
start --enable-debug-command yes

# gone PATH: wait until it is not there any more
gone() { while [ -e "$1" ]; do read -r -t 0.01 <>"$T/nobody"; done; }
mkfifo "$T/nobody"
# about SECONDS: a thousand, of which a busy machine took a few
about() { [ "$1" -gt 900 ] && [ "$1" -le 1000 ] && echo 1000 || echo "$1"; }

R hset h stays 1 goes 2 >/dev/null
R hpexpire h 1500 fields 1 goes >/dev/null
is "$(ls "$M/hash.d/h" | tr '\n' ,)" goes,stays, "a field is there until its time comes"
is "$(cat "$M/hash.d/h/goes")" 2 "and is read"
gone "$M/hash.d/h/goes"
is "$(ls "$M/hash.d/h")" stays "then it is not listed"
error "No such file" "nor opened" cat "$M/hash.d/h/goes"
is "$(cat "$M/hash/h")" "stays	1" "nor a row of the hash"

R debug set-active-expire 0 >/dev/null
R hset l stays 1 goes 2 only 3 >/dev/null
R hpexpire l 1 fields 2 goes only >/dev/null
gone "$M/hash.d/l/goes"
is "$(R hlen l)" 2 "what was looked at is removed, what was not is still there"
is "$(ls "$M/hash.d/l")$(cat "$M/hash/l")" "staysstays	1" "but not shown"
echo new >"$M/hash.d/l/only"
is "$(R httl l fields 1 only)" -1 "a field written anew does not expire"

R hset w a 1 b 2 >/dev/null
R hexpire w 1000 fields 2 a b >/dev/null
echo 3 >"$M/hash.d/w/a"
is "$(R httl w fields 1 a)" -1 "writing a field's file is HSET, which drops the expiry"
is "$(R hpexpiretime w fields 1 b | wc -c)" 14 "of that field alone"
mv "$M/hash.d/w/b" "$M/hash.d/w/c"
is "$(R hget w c)$(R hexists w b)$(about "$(R httl w fields 1 c)")" 201000 "mv takes the expiry along"
mv "$M/hash.d/w/a" "$M/hash.d/w/d"
is "$(R hget w d)$(R httl w fields 1 d)" 3-1 "where there is one"
mv "$M/hash.d/w/c" "$M/hash.d/w/b"
cp "$M/hash.d/w/b" "$T/b"
is "$(about "$(R httl w fields 1 b)")" 1000 "reading drops nothing"
R hset last only 1 >/dev/null
R hpexpire last 1 fields 1 only >/dev/null
gone "$M/hash.d/last/only"
error "No such file" "the key goes with its last field" ls "$M/hash.d/last"
finish
