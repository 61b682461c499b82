#!/bin/bash
# hash.d/, set.d/, zset.d/: a file a member.
. "$(dirname "$0")/lib.sh"
start

mkdir "$M/hash.d/user"
is "$(R exists user)" 0 "mkdir makes no key yet"
ok "but a directory" test -d "$M/hash.d/user"
is "$(ls "$M/hash.d")" user "that is listed"
echo Suyeon >"$M/hash.d/user/name"
is "$(R hget user name)" Suyeon "the first field makes the key"
is "$(od -An -c "$M/hash.d/user/name" | tr -d ' ')" 'Suyeon\n' "and is read back with its newline"
is "$(stat -c %s "$M/hash.d/user/name")" 7 "which the size counts"
R hset user name Jane >/dev/null
is "$(stat -c %s "$M/hash.d/user/name")/$(cat "$M/hash.d/user/name")" 4/Jane "a field set over RESP is exact"
echo 30 >>"$M/hash.d/user/age"
is "$(R hincrby user age 1)" 31 "a number is a number"
is "$(ls "$M/hash.d/user" | sort | tr '\n' ,)" age,name, "ls lists the fields"
error "not empty" "rmdir of a key is refused" rmdir "$M/hash.d/user"
mv "$M/hash.d/user/age" "$M/hash.d/user/years"
is "$(R hget user years)$(R hexists user age)" 310 "mv renames a field"
echo "with newline" >"$M/hash.d/user/n1"
mv "$M/hash.d/user/n1" "$M/hash.d/user/n2"
is "$(stat -c %s "$M/hash.d/user/n2")" 13 "and keeps its newline"
rm "$M/hash.d/user/n2"
printf 'exact\n' | R -x hset user e1 >/dev/null
mv "$M/hash.d/user/e1" "$M/hash.d/user/e2"
is "$(R hstrlen user e2)" 6 "a value goes as it is"
rm "$M/hash.d/user/e2"
R hset from f v >/dev/null
mkdir "$M/hash.d/into"
mv "$M/hash.d/from/f" "$M/hash.d/into/f"
is "$(R hget into f)$(R exists from)" v0 "mv to another key"
rmdir "$M/hash.d/from"
error "exists" "mv -n of a member does not replace" python3 -c "
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
os.close(os.open('$M/hash.d/into/g', os.O_CREAT | os.O_WRONLY))
if libc.renameat2(-100, b'$M/hash.d/into/f', -100, b'$M/hash.d/into/g', 1): sys.exit(os.strerror(ctypes.get_errno()))"
rm "$M/hash.d/user/years"
is "$(R hlen user)" 1 "rm is HDEL"
rm -r "$M/hash.d/user"
is "$(R exists user)" 0 "rm -r"
error "No such file" "leaves nothing" ls "$M/hash.d/user"
mkdir "$M/hash.d/e" && rmdir "$M/hash.d/e"
error "No such file" "mkdir and rmdir" ls "$M/hash.d/e"
R hset k f v >/dev/null
error "File exists" "mkdir of a key" mkdir "$M/hash.d/k"
R set str v >/dev/null
error "File exists" "mkdir of another type" mkdir "$M/hash.d/str"
mv "$M/hash.d/k" "$M/hash.d/k2"
is "$(R hget k2 f)$(R exists k)" v0 "mv of the directory is RENAME"
mkdir "$T/copy" && cp -r "$M/hash.d/k2" "$T/copy/"
is "$(cat "$T/copy/k2/f")" v "cp -r out"
echo v2 >"$T/copy/k2/g"
cp -r "$T/copy/k2" "$M/hash.d/back"
is "$(R hget back f)$(R hget back g)" vv2 "and in"

R sadd s a >/dev/null
touch "$M/set.d/s/b"
is "$(R sismember s b)" 1 "touch is SADD"
ok "test -e is SISMEMBER" test -e "$M/set.d/s/b"
ok "test ! -e, too" test ! -e "$M/set.d/s/c"
is "$(ls "$M/set.d/s" | sort | tr '\n' ,)" a,b, "ls lists members"
rm "$M/set.d/s/a"
is "$(R smembers s)" b "rm is SREM"
error "Invalid argument" "a member holds nothing" bash -c "echo x >'$M/set.d/s/b'"
mv "$M/set.d/s/b" "$M/set.d/s/d"
is "$(R smembers s)" d "mv"
R zadd zm 2.5 a >/dev/null
mv "$M/zset.d/zm/a" "$M/zset.d/zm/b"
is "$(R zrange zm 0 -1 withscores | tr '\n' ,)" b,2.5, "mv keeps the score"

R zadd z 1.5 a >/dev/null
is "$(cat "$M/zset.d/z/a")" 1.5 "the score"
echo 7 >"$M/zset.d/z/b"
is "$(R zscore z b)" 7 "is written"
error "Invalid argument" "if it is one" bash -c "echo seven >'$M/zset.d/z/c'"
is "$(R zscore z c)" "" "else nothing is"
rm "$M/zset.d/z/a"
is "$(R zrange z 0 -1)" b "rm is ZREM"
is "$(stat -c %s "$M/zset.d/z/b")" 2 "size"
finish
