#!/bin/bash
# Who reads while a value changes gets a value, whole: the old one or the new one, whatever they are long. Also from the kernel's pages, when
# each open may get an edition and when only what is opened often does; an open file shows what it was opened with then.
. "$(dirname "$0")/lib.sh"

whole() { # SECONDS
	/usr/bin/python3 "$here/whole.py" "$M" "$T/sock" "${WHOLE_SECONDS:-$1}" ${WHOLE_SEED:-} || failures=$((failures + 1))
}
opens() { sed -n 's/^mount_editions_opened://p' "$M/server/stats"; }

start
whole 8
is "$(opens)" 0 "no edition was opened"
stop
export KEPT=1
for o in pagecache=0 pagecache=4; do
	MOUNT_OPTIONS=$o start
	whole 6
	if [ "$(R info server | grep -c redis_version)" = 1 ] && grep -q "does nothing" "$T/log"; then
		echo "ok # SKIP no epochs"
	else
		is "$(($(opens) > 1000))" 1 "editions were opened with $o ($(opens))"
	fi
	stop
done
finish
