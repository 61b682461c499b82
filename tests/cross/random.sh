#!/bin/bash
# Random changes through either door against a model; random_doors.py does the work.
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import redis' 2>/dev/null || skip "no python3-redis"
start
/usr/bin/python3 "$here/../cross/random_doors.py" "$M" "$T/sock" "$@" || failures=1
finish
