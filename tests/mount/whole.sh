#!/bin/bash
# Who reads while a value changes gets a value, whole: the old one or the new one, whatever they are long.
. "$(dirname "$0")/lib.sh"

start
/usr/bin/python3 "$here/whole.py" "$M" "$T/sock" "${WHOLE_SECONDS:-8}" ${WHOLE_SEED:-} || failures=$((failures + 1))
finish
