#!/bin/bash
# What the kernel keeps of names and attributes: ends that change, descriptors and working directories, more than it is left, rights.
. "$(dirname "$0")/lib.sh"

start
/usr/bin/python3 "$here/cached.py" "$M" "$T/sock" || failures=$((failures + 1))

# df is asked for each time
R config set maxmemory 100mb >/dev/null
is "$(df -B1 --output=size "$M" | tail -1 | tr -d ' ')" 104857600 "df shows maxmemory"
R config set maxmemory 200mb >/dev/null
is "$(df -B1 --output=size "$M" | tail -1 | tr -d ' ')" 209715200 "and the new one at once"
is "$(cat "$M/server/config/maxmemory")" 209715200 "as does the configuration's file"
R config set maxmemory 0 >/dev/null
is "$(cat "$M/server/config/maxmemory"; stat -c %s "$M/server/config/maxmemory")" "0
2" "with its size"
finish
