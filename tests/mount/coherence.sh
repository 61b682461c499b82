#!/bin/bash
# The kernel answers names and attributes from its own memory, and never a stale one; what a shell wrote, clients get. With one mount, and with three
# of one server, which have a memory each. For longer runs by hand: TEST_SECONDS=N (all of it), COHERENCE_SECONDS and COHERENCE_CHECKS, CROWD_SECONDS
# (the crowd that must not hang), REVERSED_CHECKS.
TEST_SECONDS=${TEST_SECONDS:-180}
. "$(dirname "$0")/lib.sh"

mkdir "$T/two" "$T/three"
trap 'umount -l "$T/two" "$T/three" 2>/dev/null; cleanup' EXIT
figure() { sed -n "s/^$1://p" "$2/server/stats"; }
looks() { /usr/bin/python3 "$here/coherence.py" "$1" "$T/sock" "${COHERENCE_SECONDS:-15}" ${COHERENCE_SEED:-} || failures=$((failures + 1)); }
asked_once() { # MOUNT
	R set held xy >/dev/null
	stat "$1/string/held" >/dev/null
	before=$(figure mount_requests "$1")
	for _ in 1 2 3 4 5 6 7 8 9 10; do stat "$1/string/held"; done >/dev/null
	after=$(figure mount_requests "$1")
	if [ "$(figure mount_withdrawn_names "$1")" -gt 0 ]; then
		is "$((after - before < 12))" 1 "a name that nobody changes is asked for once"
	fi
}

start
looks "$M"
/usr/bin/python3 "$here/reversed.py" "$M" "$T/sock" "${REVERSED_CHECKS:-4000}" ${COHERENCE_SEED:-} || failures=$((failures + 1))
R flushall >/dev/null
asked_once "$M"
stop
start --mount "$T/two" --mount "$T/three" -o nocache
looks "$M,$T/two,$T/three"
R flushall >/dev/null
asked_once "$M"
asked_once "$T/two"
stop
umount -l "$T/two" "$T/three" 2>/dev/null
MOUNT_OPTIONS=pagecache=0 start
COHERENCE_SECONDS=${COHERENCE_SECONDS:-10} KEPT=1 looks "$M"
is "$(figure mount_opens_redirected "$M" | grep -vc '^0$')" 1 "with files that are read from the kernel's pages"
finish
