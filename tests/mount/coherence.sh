#!/bin/bash
# The kernel answers names and attributes from its own memory, and never a stale one. COHERENCE_SECONDS and COHERENCE_CHECKS for longer runs.
TEST_SECONDS=${TEST_SECONDS:-180}
. "$(dirname "$0")/lib.sh"

start
/usr/bin/python3 "$here/coherence.py" "$M" "$T/sock" "${COHERENCE_SECONDS:-20}" ${COHERENCE_SEED:-} || failures=$((failures + 1))
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
