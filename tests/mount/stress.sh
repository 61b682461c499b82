#!/bin/bash
# Everything at once, by several processes, while RESP changes the same keys; stress.py does the work.
. "$(dirname "$0")/lib.sh"
start
(while R --raw <<<"set k1 v
append k2 x
del k1
rpush k3 a b
lpop k3
del k2
hset k1 f v
del k3
del k1" >/dev/null 2>&1 && [ -e "$T/go" ]; do :; done) &
changer=$!
touch "$T/go"
SEED=${SEED:-$RANDOM}
export SEED
ok "everything at once (seed $SEED)" python3 "$here/stress.py" "$M" 4 "${STEPS:-3000}"
rm "$T/go"
wait "$changer"
is "$(R ping)" PONG "the server lives"
R flushall >/dev/null
is "$(find "$M/string" "$M/list" "$M/hash" -mindepth 1 -not -name '.*' | wc -l)" 0 "and FLUSHALL empties the mount"
finish
