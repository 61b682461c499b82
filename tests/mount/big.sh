#!/bin/bash
# Values of many megabytes: in pieces, in place, with holes, and the memory that they take.
. "$(dirname "$0")/lib.sh"
start

# A build with sanitizers keeps what was freed: its memory says nothing.
[ "$(R info memory | tr -d '\r' | sed -n 's/^mem_allocator://p')" != libc ] && exact=1
# peak MIB WHAT COMMAND...: the command succeeds, and the server's memory is never more than so many MiB above what it was
peak() {
	local most=$1 what=$2 was
	shift 2
	was=$(awk '/VmRSS/{print $2}' "/proc/$server/status")
	echo 5 >"/proc/$server/clear_refs"
	ok "$what" "$@"
	local is=$(awk '/VmHWM/{print $2}' "/proc/$server/status")
	[ -z "$exact" ] || [ $((is - was)) -lt $((most * 1024)) ] || fail "$what: took $(((is - was) / 1024)) MiB"
}

for seed in ${BIG_SEEDS:-1 2 3}; do
	python3 "$here/big.py" "$M" "$seed" "${BIG_ROUNDS:-250}" || failures=$((failures + 1))
done
rm -f "$M"/string/*

head -c 50M /dev/urandom >"$T/some"
cat "$T/some" "$T/some" >"$T/big"
peak 116 "cp takes the value once" cp "$T/big" "$M/string/a"
peak 8 "and nothing on the way out" cp "$M/string/a" "$T/back"
same "$T/big" "$T/back" "of what went in"
peak 8 "a copy shares it" cp "$M/string/a" "$M/string/b"
same "$T/big" "$M/string/b" "and reads the same"
rm "$M/string/b"

cat >"$T/place.py" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
for i in range(200):
    at = i * 260000 % 100000000
    os.pwrite(fd, bytes([i]) * 4096, at)
    assert os.pread(fd, 4096, at) == bytes([i]) * 4096
    assert len(os.pread(fd, 131072, 1000)) == 131072
PY
peak 16 "who reads and writes in place copies nothing" python3 "$T/place.py" "$M/string/a"
peak 64 "writes that are synced one by one copy nothing" dd if="$T/some" of="$M/string/synced" bs=1M oflag=sync status=none
same "$T/some" "$M/string/synced" "and are all there"
rm "$M/string/synced"
exec 3<"$M/string/a"
cat <&3 >/dev/null
more() { for i in 1 2 3 4 5; do R append a "more $i" && cat <&3 >>"$T/more"; done; }
peak 24 "a value is appended to under who reads it to its end" more
is "$(cat "$T/more")" "more 1more 2more 3more 4more 5" "who sees all of it"
{ head -c 104857600 "$T/big" | tr 'a-z' 'A-Z'; echo; echo; head -c 1000 "$T/big"; } | R -x set a >/dev/null
is "$(head -c 100 <&3 | wc -c)" 0 "another value is no continuation"
exec 3<&-
rm "$M/string/a"

cp "$T/big" "$M/string/a"
peak 110 "a cut takes what stays" truncate -s 90M "$M/string/a"
peak 16 "zeros take nothing" truncate -s 400M "$M/string/a"
is "$(R strlen a)" 419430400 "that many"
truncate -s 90M "$T/big"
truncate -s 400M "$T/big"
same "$T/big" "$M/string/a" "in the right place"
rm "$M/string/a"
: >"$M/string/empty"
peak 16 "half a gigabyte of nothing" truncate -s 512M "$M/string/empty"
is "$(R strlen empty)" 536870912 "is half a gigabyte"
peak 16 "a write far behind the end" dd if="$T/some" of="$M/string/far" bs=4k count=1 seek=100000 status=none
peak 16 "and without a cut" dd if="$T/some" of="$M/string/far" bs=4k count=1 seek=110000 conv=notrunc status=none
is "$(R strlen far)" $((110001 * 4096)) "are where they should be"
peak 16 "fallocate" fallocate -l 300M "$M/string/room"
is "$(R strlen room)" 314572800 "makes it longer"
fallocate -l 1M "$M/string/room"
is "$(R strlen room)" 314572800 "and never shorter"
ok "fallocate -n" fallocate -n -l 600M "$M/string/room"
is "$(R strlen room)" 314572800 "changes nothing"
error unsupported "holes are not punched" fallocate -p -o 0 -l 4096 "$M/string/far"
is "$(head -c 4096 "$M/string/far" | tr -d '\0' | wc -c)" 0 "the hole is zeros"
truncate -s 20M "$T/some"
cat "$T/some" "$T/big" | head -c 60M >"$T/holes"
ok "cp --sparse" cp --sparse=always "$T/holes" "$M/string/h"
same "$T/holes" "$M/string/h" "in"
ok "and" cp --sparse=always "$M/string/h" "$T/h"
same "$T/holes" "$T/h" "out"
ok "dd with direct reads" dd if="$M/string/h" of="$T/h" bs=1M iflag=direct status=none
same "$T/holes" "$T/h" "reads it"
is "$(python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
print(os.lseek(fd, 5, os.SEEK_DATA), os.lseek(fd, 5, os.SEEK_HOLE))' "$M/string/h")" "5 62914560" "all of a file is data"
printf 'one line\n' >"$M/string/line"
truncate -s 20 "$M/string/line"
is "$(od -An -c "$M/string/line" | tr -d ' \n')" 'oneline\n\0\0\0\0\0\0\0\0\0\0\0' "a line that was made longer keeps its newline"
finish
