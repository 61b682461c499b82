# tests/mount/lib.sh - a private server with a private mount, and words to say what is true of them. Sourced by every script here.
#
# The script runs itself again under `timeout`, since a file system that does not answer cannot be interrupted: the server, which is in
# the same group, ends with it, and then everything that waits gets an error. Nothing stays mounted. No script sleeps: the server's log is
# waited for.
[ -n "$INODIS_TEST_TIMED" ] || INODIS_TEST_TIMED=1 exec timeout -k 5 "${TEST_SECONDS:-120}" bash "$0" "$@"

export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
INODIS=${INODIS:-$here/../../build/inodis}
case $INODIS in /*) ;; *) INODIS=$PWD/$INODIS ;; esac

skip() { echo "skipped: $*"; exit 77; }
[ -x "$INODIS" ] || { echo "no server at $INODIS"; exit 1; }
[ -r /dev/fuse ] && [ -w /dev/fuse ] || skip "no /dev/fuse"
command -v redis-cli >/dev/null || skip "no redis-cli"

T=$(mktemp -d)
M=$T/m
mkdir "$M" "$T/d"
failures=0
server=

cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	umount -l "$M" 2>/dev/null || fusermount3 -uzq "$M" 2>/dev/null
	rm -rf --one-file-system "$T"
}
trap cleanup EXIT
trap 'exit 1' TERM INT

# start [option ...]: a server on a unix socket with the mount at $M, which has the options of $MOUNT_OPTIONS; returns when it is ready.
start() { try_start "$@" || { cat "$T/log"; echo "not ok the server starts"; exit 1; }; }

# The same, answering the server's exit status when it does not come up.
try_start() {
	rm -f "$T/out"
	mkfifo "$T/out"
	"$INODIS" --port 0 --unixsocket "$T/sock" --dir "$T/d" --save "" --mount "$M" ${MOUNT_OPTIONS:+-o "$MOUNT_OPTIONS"} "$@" >"$T/out" 2>&1 &
	server=$!
	exec 9<"$T/out"
	while read -r line <&9; do
		echo "$line" >>"$T/log"
		case $line in *"Ready to accept connections"*) cat <&9 >>"$T/log" & copier=$!; return 0 ;; esac
	done
	wait "$server"
	status=$?
	server=
	return "$status"
}

# stop [SIGNAL]: end the server and wait for it.
stop() {
	kill "-${1:-TERM}" "$server"
	wait "$server" 2>/dev/null
	server=
	exec 9<&-
	wait "$copier"
}

R() { redis-cli -s "$T/sock" "$@"; }

pass() { echo "ok $*"; }
fail() {
	echo "not ok $*"
	failures=$((failures + 1))
}
# is GOT WANT WHAT
is() {
	if [ "$1" = "$2" ]; then pass "$3"; else fail "$3: got '$1', want '$2'"; fi
}
# same FILE FILE WHAT: byte for byte
same() {
	if cmp "$1" "$2"; then pass "$3"; else fail "$3"; fi
}
# ok WHAT COMMAND...
ok() {
	local what=$1
	shift
	if "$@" >"$T/said" 2>&1; then pass "$what"; else fail "$what: $* failed: $(cat "$T/said")"; fi
}
# error TEXT WHAT COMMAND...: the command fails and says TEXT
error() {
	local text=$1 what=$2
	shift 2
	if "$@" >"$T/said" 2>&1; then
		fail "$what: $* succeeded"
	elif grep -qF -- "$text" "$T/said"; then
		pass "$what"
	else
		fail "$what: $* said '$(cat "$T/said")', not '$text'"
	fi
}
# a shell line with the mount as its directory
here() { (cd "$M" && eval "$1"); }

# Ends the server first: a build with sanitizers then says what it found.
finish() {
	[ -z "$server" ] || stop
	! grep -E 'Sanitizer|runtime error|ASSERT' "$T/log" || fail "the server's log is clean"
	[ "$failures" = 0 ] || { tail -${TEST_LOG_LINES:-20} "$T/log"; exit 1; }
	exit 0
}
