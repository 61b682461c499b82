#!/bin/bash
# Several mounts of one server, each with its own options.
. "$(dirname "$0")/lib.sh"

mkdir "$T/two" "$T/three" "$T/with space"
trap 'umount -l "$T/two" "$T/three" "$T/with space" 2>/dev/null; cleanup' EXIT

start --user files off '~app:*' +@all --enable-protected-configs yes --mount-options umask=077,uid=7 --mount "$T/two" -o ro,db=1,umask=022 --mount "$T/three" -o raw,user=files \
	--mount "$T/with space"

is "$(grep -c "^inodis $T" /proc/self/mounts)" 4 "four directories, four mounts"
is "$(stat -c %u:%a "$M/string")" 7:700 "mount-options is for all"
is "$(stat -c %u:%a "$T/two/string")" 7:755 "and -o comes behind it"

R set k v >/dev/null
R -n 1 set k other >/dev/null
is "$(cat "$M/string/k") $(cat "$T/two/string/k")" "v other" "each has its database"
error "Read-only" "one is read-only" bash -c "echo x >'$T/two/string/k'"
echo 5 >"$M/string/app:n"
is "$(R get app:n)" 5 "the other is not"
is "$(cat "$T/three/string/app:n")" 5 "what one wrote, another reads at once"
echo 5 >"$T/three/string/app:n"
is "$(R strlen app:n)" 2 "one is raw"
error "Permission denied" "and another user" cat "$T/three/string/k"
is "$(cat "$T/with space/string/k")" v "a directory's name may hold blanks"
cp "$M/string/k" "$T/with space/string/copy"
is "$(R get copy)" v "cp goes from one to another"

is "$(R client list | grep -o 'addr=mount laddr=[^ ]*' | sort | tr '\n' ,)" \
	"addr=mount laddr=$M,addr=mount laddr=$T/three,addr=mount laddr=$T/two,addr=mount laddr=$T/with,"  "CLIENT LIST has each"
is "$(R client list | grep "$T/three" | grep -o ' user=[^ ]*')" " user=files" "with its user"
is "$(sed -n 's/^mount_point://p' "$T/with space/server/stats")" "$T/with space" "server/stats is its own"
is "$(R config get mount | tail -n1)" "$M $T/two -o ro,db=1,umask=022 $T/three -o raw,user=files $T/with space" "CONFIG GET shows them"
is "$(R config set dir "$T/three/string")" "ERR CONFIG SET failed (possibly related to argument 'dir') - the directory is inside the mount" "dir may not go into any"

umount "$T/two"
is "$(cat "$M/string/k")" v "when one is taken away the others go on"
(read -r got <"$T/with space/queue/q"; echo "got $got" >"$T/got") & reader=$!
until R client list | grep -q 'cmd=blpop'; do :; done
echo job >"$M/queue/q"
wait $reader
is "$(cat "$T/got")" "got job" "a reader of one gets what another wrote"
stop
is "$(grep -c "^inodis $T" /proc/self/mounts)" 0 "they go with the server"

# what they may not be
refused() { # WHAT TEXT OPTION...
	local what=$1 text=$2
	shift 2
	: >"$T/log"
	if try_start "$@"; then
		fail "$what: it started"
		stop
	elif grep -qF -- "$text" "$T/log"; then
		pass "$what"
	else
		fail "$what: $(cat "$T/log")"
	fi
	is "$(grep -c "^inodis $T" /proc/self/mounts)" 0 "$what: nothing is mounted"
}
mkdir "$M/below" "$T/three/d"
refused "one inside another" "overlaps the mount" --mount "$M/below"
refused "or around it" "overlaps the mount" --mount "$T/three/d" --mount "$T/three"
refused "the same by another name" "overlaps the mount" --mount "$T/../$(basename "$T")/m"
refused "dir in the second" "is inside it" --mount "$T/three" --dir "$T/three/d"
refused "a bad option of the second" "not known" --mount "$T/three" -o ro,bogus
refused "a user that is not there" "no user 'nobody'" --mount "$T/three" -o user=nobody
refused "-o without options" "DIR [-o OPTIONS]" --mount "$T/three" -o
rmdir "$M/below" "$T/three/d"

# lines of a file
cat >"$T/conf" <<-CONF
	mount $T/two -o ro
	mount "$T/with space" -o "umask=027"
	mount $T/two -o umask=077
CONF
rm -f "$T/out"; mkfifo "$T/out"
: >"$T/log"
"$INODIS" "$T/conf" --port 0 --unixsocket "$T/sock" --dir "$T/d" --save "" >"$T/out" 2>&1 & server=$!
exec 9<"$T/out"
while read -r line <&9; do case $line in *"Ready to accept"*) break ;; esac; done
cat <&9 >>"$T/log" & copier=$!
is "$(stat -c %a "$T/two/string") $(stat -c %a "$T/with space/string")" "700 750" "a directory that is named again has the later options"
R config rewrite >/dev/null
is "$(grep ^mount "$T/conf")" "mount \"$T/two\" -o \"umask=077\"
mount \"$T/with space\" -o \"umask=027\"" "CONFIG REWRITE keeps them"
stop
finish
