#!/bin/bash
# --rdb FILE --mount DIR: a dump is looked into with ls and grep; no port is opened, nothing is written.
. "$(dirname "$0")/lib.sh"

start --enable-debug-command yes
R -n 0 mset user:1 ada user:2 grace n 5 >/dev/null
R rpush jobs a b c >/dev/null
R hset user:h name edsger town Nuenen >/dev/null
R -n 3 set third db >/dev/null
R set gone x px 1 >/dev/null
until [ "$(R exists gone)" = 0 ]; do :; done
R set gone-later x ex 1000 >/dev/null
R debug populate 200000 bulk >/dev/null 2>&1
R save >/dev/null
stop
mv "$T/d/dump.rdb" "$T/d/old.rdb"
before=$(sha256sum "$T/d/old.rdb"; ls -A "$T/d"; stat -c '%Y %Z %i' "$T/d/old.rdb")

# look [OPTION...]: as start, without a port to wait for; answers the exit status when it does not come up
look() {
	rm -f "$T/out" "$T/log"
	mkfifo "$T/out"
	(cd "$T/d" && exec "$INODIS" "$@") >"$T/out" 2>&1 &
	server=$!
	exec 9<"$T/out"
	while read -r line <&9; do
		echo "$line" >>"$T/log"
		case $line in *"Ready to "*) cat <&9 >>"$T/log" & copier=$!; return 0 ;; esac
	done
	wait "$server"
	status=$?
	server=
	return "$status"
}

look --rdb old.rdb --mount "$M" -o ro --unixsocket "$T/sock" --appendonly yes --save 1 1 --port 7 --shutdown-on-sigterm save || cat "$T/log"
is "$(cd "$M/string" && grep -l a user:*)" "user:1
user:2" "grep finds"
is "$(cat "$M/list/jobs" "$M/hash.d/user:h/town" "$M/db/3/string/third" | tr '\n' ' ')" "a b c Nuenendb" "every type and database is there"
is "$(ls "$M/key" | wc -l)" 200006 "and every key"
is "$(cat "$M/server/info/keyspace" | grep -c ^db)" 2 "INFO, too"
error "Read-only" "nothing is written" bash -c "echo x >'$M/string/n'"
error "Read-only" "nothing is made" touch "$M/string/new"
error "Read-only" "nothing is removed" rm "$M/list/jobs"
error "Read-only" "no command is given" bash -c "echo SAVE >'$M/ctl'"
error "Read-only" "no snapshot is asked for" bash -c "echo 1 >'$M/server/save'"
error "Read-only" "nothing is configured" bash -c "echo 6390 >'$M/server/config/port'"
mount -o remount,rw "$M" 2>/dev/null
error "Read-only" "not after a remount, either" bash -c "echo x >'$M/string/n'"
error "Read-only" "nor by ctl" bash -c "echo SAVE >'$M/ctl'"
sockets=$(ls -l "/proc/$server/fd" | grep -c 'socket:')
is "$sockets$(ls "$T/sock" 2>/dev/null)" 0 "no port and no socket is open"
stop
is "$(sha256sum "$T/d/old.rdb"; ls -A "$T/d"; stat -c '%Y %Z %i' "$T/d/old.rdb")" "$before" "the file and its directory are as they were"
ok "it is unmounted" bash -c "! mountpoint -q '$M'"

look --rdb old.rdb --mount "$M"
umount "$M"
ok "umount ends it" wait "$server"
server=

refused() { # WHAT TEXT OPTION...
	local what=$1 text=$2
	shift 2
	if look "$@"; then
		fail "$what: it started"
		stop
	elif grep -qF -- "$text" "$T/log"; then
		pass "$what: is said"
	else
		fail "$what: $(cat "$T/log")"
	fi
	ok "$what: nothing is mounted" bash -c "! mountpoint -q '$M'"
}
refused "without a mount" "must say where" --rdb old.rdb
refused "a file that is not there" "No such file or directory" --rdb none.rdb --mount "$M"
head -c 3000 "$T/d/old.rdb" >"$T/d/cut.rdb"
refused "a file that ends early" "Internal error in RDB" --rdb cut.rdb --mount "$M"
cp "$T/d/old.rdb" "$T/d/bad.rdb"
printf 'XXXX' | dd of="$T/d/bad.rdb" bs=1 seek=2000 conv=notrunc status=none
refused "a damaged file" "Internal error in RDB" --rdb bad.rdb --mount "$M"
echo "no dump" >"$T/d/text.rdb"
refused "another sort of file" "Internal error in RDB" --rdb text.rdb --mount "$M"
refused "a directory" "Is a directory" --rdb . --mount "$M"
finish
