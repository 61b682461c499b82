#!/bin/bash
# The kernel answers names and attributes from its own memory, and never a stale one; what a shell wrote, clients get. For longer runs by
# hand: TEST_SECONDS=N (all of it), COHERENCE_SECONDS and COHERENCE_CHECKS, CROWD_SECONDS (the crowd that must not hang), REVERSED_CHECKS.
TEST_SECONDS=${TEST_SECONDS:-180}
. "$(dirname "$0")/lib.sh"

start
/usr/bin/python3 "$here/coherence.py" "$M" "$T/sock" "${COHERENCE_SECONDS:-20}" ${COHERENCE_SEED:-} || failures=$((failures + 1))
/usr/bin/python3 "$here/reversed.py" "$M" "$T/sock" "${REVERSED_CHECKS:-4000}" ${COHERENCE_SEED:-} || failures=$((failures + 1))
R flushall >/dev/null
figure() { sed -n "s/^$1://p" "$M/server/stats"; }
R set held xy >/dev/null
stat "$M/string/held" >/dev/null
before=$(figure mount_requests)
for _ in 1 2 3 4 5 6 7 8 9 10; do stat "$M/string/held"; done >/dev/null
after=$(figure mount_requests)
if [ "$(figure mount_withdrawn_names)" -gt 0 ]; then
	is "$((after - before < 12))" 1 "a name that nobody changes is asked for once"
fi
finish
