#!/bin/bash
# What knows a file and nothing of keys, on a mount where whatever may be is read from the kernel's pages: the same scripts, the same results.
TEST_SECONDS=${TEST_SECONDS:-180}
. "$(dirname "$0")/lib.sh"
export MOUNT_OPTIONS=pagecache=0
start
! grep -q "does nothing" "$T/log" || skip "a kernel without epochs"
stop
for script in posix portable strings fields members lines tools model; do
	"$here/$script.sh" || failures=$((failures + 1))
done
finish
