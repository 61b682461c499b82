#!/bin/bash
# string/: what is written is what is read, through either door.
. "$(dirname "$0")/lib.sh"
start

R set name Suyeon >/dev/null
is "$(cat "$M/string/name")" Suyeon "a value set over RESP is read"
R set name Suyeon >/dev/null
is "$(cat "$M/string/name" | od -c | head -1)" "0000000   S   u   y   e   o   n" "and has no newline"
is "$(stat -c %s "$M/string/name")" 6 "its size is its length"

echo completed >"$M/string/status"
is "$(R get status)" completed "echo's newline is not stored"
is "$(R strlen status)" 9 "strlen is without the newline"
is "$(od -An -c "$M/string/status" | tr -d ' ')" 'completed\n' "but the file has it"
is "$(stat -c %s "$M/string/status")" 10 "and its size counts it"
R set status x >/dev/null
is "$(stat -c %s "$M/string/status")" 1 "SET drops it"
is "$(R append status y; cat "$M/string/status")" "2
xy" "APPEND is seen"

echo 5 >"$M/string/n"
is "$(R incr n)" 6 "a number written by echo is a number"
is "$(cat "$M/string/n")" 6 "and is read after INCR"
printf '5' >"$M/string/n"
is "$(stat -c %s "$M/string/n")" 1 "printf without newline has none"
printf 'a\nb\n' >"$M/string/lines"
is "$(R strlen lines)" 4 "two lines are stored exactly"
printf 'a\tb\n' >"$M/string/tab"
is "$(R strlen tab)" 4 "a control character makes it exact"
printf '\n' >"$M/string/nl"
is "$(R strlen nl)/$(stat -c %s "$M/string/nl")" 0/1 "an empty line"
echo caf$'\xc3\xa9' >"$M/string/utf"
is "$(R strlen utf)" 5 "UTF-8 is text"
printf 'caf\xe9\n' >"$M/string/latin"
is "$(R strlen latin)" 5 "latin-1 is not"

echo one >"$M/string/log"
echo two >>"$M/string/log"
is "$(cat "$M/string/log")" "one
two" ">> appends"
is "$(R --raw get log)" "one
two" "to what the file held, newlines and all"
is "$(R strlen log)" 8 "exactly"
printf abc >"$M/string/join"
echo def >>"$M/string/join"
is "$(R get join)/$(cat "$M/string/join")" abcdef/abcdef "a line completed by >> is a line"
R set ttl v EX 100 >/dev/null
echo more >>"$M/string/ttl"
is "$([ "$(R ttl ttl)" -gt 90 ] && echo kept)" kept ">> keeps the expiry"
echo new >"$M/string/ttl"
is "$(R ttl ttl)" -1 "> drops it, as SET does"
echo first >>"$M/string/fresh"
is "$(R get fresh)" first ">> makes a key"

: >"$M/string/empty"
is "$(R exists empty)/$(R strlen empty)" 1/0 "an empty file is an empty string"
touch "$M/string/touched"
is "$(R exists touched)" 1 "touch makes an empty string"
R set touched v >/dev/null
touch "$M/string/touched"
is "$(R get touched)" v "and never changes a value"

R set trunc 0123456789 >/dev/null
truncate -s 4 "$M/string/trunc"
is "$(R get trunc)" 0123 "truncate cuts"
R set empty "" >/dev/null
R hset sized f 1234 e "" >/dev/null
before=$(R info persistence | grep changes_since)
for f in string/trunc string/empty hash.d/sized/f hash.d/sized/e; do
	python3 -c 'import os, sys; os.truncate(sys.argv[1], os.stat(sys.argv[1]).st_size)' "$M/$f"
done
is "$(R info persistence | grep changes_since)" "$before" "truncating to the size that is there changes nothing"
R del empty sized >/dev/null
truncate -s 6 "$M/string/trunc"
is "$(R strlen trunc)" 6 "and extends"
R set dd 0123456789 >/dev/null
printf XY | dd of="$M/string/dd" bs=1 seek=3 conv=notrunc status=none
is "$(R get dd)" 012XY56789 "dd writes in place"
echo 12345 >"$M/string/line"
printf 9 | dd of="$M/string/line" bs=1 seek=0 conv=notrunc status=none
is "$(R get line)/$(stat -c %s "$M/string/line")" 92345/6 "in place of a line keeps it a line"

rm "$M/string/name"
is "$(R exists name)" 0 "rm deletes"
error "No such file" "what is absent is absent" cat "$M/string/name"
R set src v >/dev/null
mv "$M/string/src" "$M/string/dst"
is "$(R exists src)/$(R get dst)" 0/v "mv renames"
R mset a 1 b 2 >/dev/null
mv -n "$M/string/a" "$M/string/b"
is "$(R get a)/$(R get b)" 1/2 "mv -n does not replace"
mv "$M/string/a" "$M/string/b"
is "$(R exists a)/$(R get b)" 0/1 "mv does"
R set cp v EX 100 >/dev/null
cp "$M/string/cp" "$M/string/cp2"
is "$(R get cp2)$([ "$(R ttl cp2)" -gt 90 ] && echo kept)" vkept "cp is COPY, with the expiry"
cp "$M/string/cp" "$M/string/b"
is "$(R get b)" v "over another key, too"
echo x | tee "$M/string/t1" >"$M/string/t2"
is "$(R get t1)$(R get t2)" xx "tee"
echo "hello world" >"$M/string/sed"
sed -i s/world/there/ "$M/string/sed"
is "$(R get sed)" "hello there" "sed -i"
is "$(here 'cd string; echo *sed*')" sed "which leaves nothing behind"

head -c 5000000 /dev/urandom >"$T/big"
cp "$T/big" "$M/string/big"
is "$(R strlen big)" 5000000 "five million bytes arrive"
same "$T/big" "$M/string/big" "and come back"
cp "$M/string/big" "$T/big2"
same "$T/big" "$T/big2" "also by cp"
dd if=/dev/zero of="$M/string/big" bs=1000 count=1 seek=2000 conv=notrunc status=none
dd if=/dev/zero of="$T/big" bs=1000 count=1 seek=2000 conv=notrunc status=none
same "$T/big" "$M/string/big" "in place in the middle"
cat "$T/big" >>"$M/string/big"
is "$(R strlen big)" 10000000 "and behind it"

exec 3<"$M/string/big"
head -c 1000 <&3 >/dev/null
R set big small >/dev/null
cat <&3 >"$T/rest"
cat "$T/big" "$T/big" | tail -c 9000000 >"$T/want"
is "$(tail -c 9000000 "$T/rest" | cmp - "$T/want" && echo whole)" whole "a reader keeps the value it began with"
exec 3<&-

R set word running >/dev/null
exec 3<"$M/string/word"
is "$(dd bs=100 count=1 status=none <&3)" running "a value is read to its end"
R set word completed >/dev/null
is "$(dd bs=100 count=1 status=none <&3)" "" "a longer one that took its place is no continuation"
R append word -and-more >/dev/null
[ -n "$MOUNT_OPTIONS" ] || is "$(dd bs=100 count=2 status=none <&3)" ed-and-more "what was appended then is"
exec 3<&-
finish
