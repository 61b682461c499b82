#!/bin/bash
# System calls as every file system answers them, on tmpfs and on the tree: the cases stand in portable.py. The words say what is different
# in a directory, and why stands in inodis-mount(5).
. "$(dirname "$0")/lib.sh"
open=
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T"
	open=open
fi
start --mount-options allow_other
mkdir "$M/raw/hash.d/k" "$M/raw/string/.s"

cases() { # DIR WORD...
	local dir=$1
	shift
	timeout 60 python3 "$here/portable.py" "$dir" "$@" | sed "s#\$# (${dir#"$M"/})#"
	[ "${PIPESTATUS[0]}" = 0 ] || failures=1
}
if [ -w /dev/shm ]; then
	mkdir -m 755 "/dev/shm/inodis-portable.$$"
	cases "/dev/shm/inodis-portable.$$/d"
	rm -r "/dev/shm/inodis-portable.$$"
fi
for dir in raw/string raw/hash.d/k string; do cases "$M/$dir" nodirs nolinks nomodes $open; done
cases "$M/raw/string/.s" nolinks nomodes $open
cases "$M/raw/hash.d" nofiles nolinks nomodes
is "$(R dbsize)$(sed -n 's/^mount_scratch_files://p' "$M/server/stats")" 01 "nothing is left of it but the scratch directory"
finish
