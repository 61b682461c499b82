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

# What the kernel remembers of a dead mount it tells: that is no living server.
start
is "$(for i in 1 2 3; do test -d "$M" && mountpoint -q "$M" && echo there; done | sort -u)" there "the kernel has seen the mount point"
kill -9 "$server"
wait "$server" 2>/dev/null
start
ok "and the next server takes it away all the same" test -e "$M/ctl"
stop

# Unmounted while it is used, in every way: who holds on to it goes on, or gets an error at once.
busy() { # WHAT ENDS COMMAND...: readers that wait, an open file, and somebody who stands in it
	local what=$1 ends=$2 began
	shift 2
	start
	R set k v >/dev/null
	exec 3<"$M/string/k"
	cat "$M/queue/q" >"$T/queue" 2>"$T/queue.err" &
	local reader=$!
	cat "$M/pubsub/c" >"$T/channel" 2>"$T/channel.err" &
	local listener=$!
	(cd "$M/string" && exec sleep 60) &
	local stander=$!
	until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 2 ]; do :; done
	began=$(date +%s%N)
	"$@" >"$T/said" 2>&1
	if [ "$ends" = ends ]; then
		wait "$reader" "$listener"
		is "$((($(date +%s%N) - began) / 1000000000))$([ -s "$T/queue.err" ] && [ -s "$T/channel.err" ] && echo errors)" 0errors "$what: who waits gets an error within a second"
		error "Transport endpoint is not connected" "$what: who holds a file, too" cat <&3
	else
		R rpush q x >/dev/null
		R publish c y >/dev/null
		until [ -s "$T/queue" ] && [ -s "$T/channel" ]; do :; done
		is "$(cat <&3)$(cat "$T/queue" "$T/channel" | tr '\n' ,)" vx,y, "$what: who holds on to it goes on"
		kill "$reader" "$listener"
	fi
	kill "$stander"
	wait "$reader" "$listener" "$stander" 2>/dev/null
	exec 3<&-
	[ ! -e "$T/sock" ] || stop
	server=
	ok "$what: nothing is left mounted" not mountpoint -q "$M"
}
signal() { kill "-$1" "$server" && wait "$server"; }
if [ "$(id -u)" = 0 ]; then
	busy "umount -l" goes-on umount -l "$M"
	busy "umount -f" ends umount -f "$M"
fi
busy "fusermount3 -uz" goes-on fusermount3 -uz "$M"
busy "SIGTERM" ends signal TERM
busy "SIGINT" ends signal INT
busy "SHUTDOWN" ends R shutdown nosave

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

# somebody else than root, with fusermount3; needs a /dev/fuse of his own where this machine's is root's alone
U=$T/u
mkdir "$U" && install -m 755 "$INODIS" "$U/inodis" && mkdir "$U/m" "$U/d" && chown -R 65534:65534 "$U" && chmod 755 "$T"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && mknod -m 666 "$U/fuse" c 10 229 2>/dev/null && unshare -m mount --bind "$U/fuse" /dev/fuse 2>/dev/null; then
	cat >"$U/try" <<-'SH'
		mount --bind "$1/fuse" /dev/fuse
		setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '
			cd "$1"
			up() {
				./inodis --port 0 --unixsocket "$1/s" --dir "$1/d" --save "" --mount "$1/m" >>log 2>&1 &
				p=$!
				until redis-cli -s s ping >/dev/null 2>&1 && [ -e m/ctl ]; do kill -0 $p || exit 1; done
			}
			up "$1"
			echo v >m/string/k
			echo "$(redis-cli -s s get k) $(stat -c %u m/string/k)"
			kill -9 $p; wait $p 2>/dev/null
			up "$1"
			echo w >m/string/k
			redis-cli -s s get k
			kill $p; wait $p
			grep -c "$1/m " /proc/self/mounts
		' bash "$1"
	SH
	is "$(unshare -m bash "$U/try" "$U" 2>"$T/said" | tr '\n' ,)" "v 65534,w,0," "an ordinary user mounts, after a killed server too, and nothing is left"
fi
finish
