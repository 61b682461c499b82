#!/bin/bash
# System calls on the tree and the errno of each: the cases stand in posix.py.
. "$(dirname "$0")/lib.sh"
start
python3 "$here/posix.py" "$M" || failures=1
finish
