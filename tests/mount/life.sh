#!/bin/bash
# Mounting and unmounting: signals, a killed server, options, paths that must not be inside.
. "$(dirname "$0")/lib.sh"

not() { ! "$@"; }

start
ok "it is mounted" mountpoint -q "$M"
R set k v >/dev/null
exec 3<"$M/string/k"
stop TERM
ok "SIGTERM unmounts, though a file is open" not mountpoint -q "$M"
exec 3<&-
start
stop INT
ok "SIGINT, too" not mountpoint -q "$M"

start
kill -9 "$server"
wait "$server" 2>/dev/null
server=
error "Transport endpoint is not connected" "a killed server leaves a dead mount" ls "$M"
start
ok "that the next one takes away" test -e "$M/ctl"
is "$(grep -c "$M " /proc/self/mounts)" 1 "so there is one mount"
R shutdown nosave 2>/dev/null
wait "$server" 2>/dev/null
server=
ok "SHUTDOWN unmounts" not mountpoint -q "$M"

start
umount "$M"
R set still here >/dev/null
is "$(R get still)" here "when the mount is taken away clients are served"
is "$(R ping)" PONG "and go on being"
stop

refused() { # WHAT TEXT OPTION...
	local what=$1 text=$2
	shift 2
	: >"$T/log"
	if try_start "$@"; then
		fail "$what: it started"
		stop
	elif cat "$T/log" "$M/inner/log" 2>/dev/null | grep -qF -- "$text"; then
		pass "$what"
	else
		fail "$what: $(cat "$T/log")"
	fi
	! mountpoint -q "$M" || fail "$what: something is mounted"
}
mkdir "$M/inner"
refused "a mount point that is not there" "No such file or directory" --mount "$T/none"
refused "dir inside the mount" "is inside it" --dir "$M/inner"
refused "a log inside the mount" "is inside it" --logfile "$M/inner/log"
refused "a socket inside the mount" "is inside it" --unixsocket "$M/inner/s"
refused "a pid file inside the mount" "is inside it" --pidfile "$M/pid"
refused "a bad option" "not known" --mount-options "uid=1,bogus"
refused "a database that is not there" "no database" --mount-options db=99
rm -rf "$M/inner"
start
mkdir "$T/d2"
if timeout 10 "$INODIS" --port 0 --unixsocket "$T/sock2" --dir "$T/d2" --save "" --mount "$M" >"$T/second" 2>&1; then
	fail "a second server on the mount point"
else
	is "$(grep -o 'another server' "$T/second" || cat "$T/second")" "another server" "a second server on the mount point is refused"
fi
stop

start --mount-options "defaults,noatime,nosuid,nodev,relatime,ro,uid=12,gid=34,umask=027,db=3"
R -n 3 set k v >/dev/null
is "$(cat "$M/string/k")" v "-o db=3"
is "$(stat -c %u:%g:%a "$M/string/k")" 12:34:640 "-o uid, gid, umask"
error "Read-only" "-o ro" bash -c "echo x >'$M/string/k'"
stop
start --mount-options raw
echo x >"$M/string/k"
is "$(R strlen k)" 2 "-o raw"
stop
finish
