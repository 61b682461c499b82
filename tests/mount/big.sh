#!/bin/bash
# Values of many megabytes: in pieces, in place, with holes, and what they take.
. "$(dirname "$0")/lib.sh"
start

for seed in ${BIG_SEEDS:-1 2 3}; do
	python3 "$here/big.py" "$M" "$seed" "${BIG_ROUNDS:-250}" || failures=$((failures + 1))
done
finish
