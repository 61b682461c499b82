#!/bin/bash
# Random reads, writes, truncates, mappings, copies, renames and removals against a model in memory: model.py says what is compared.
# Then one file through one descriptor, as the exercisers of other file systems do it: onefile.py.
# MODEL_SEED=N begins with that seed, MODEL_STEPS=N goes that far.
. "$(dirname "$0")/lib.sh"
start
mkdir "$M/raw/hash.d/f" "$M/hash.d/f"
seed=${MODEL_SEED:-$((RANDOM * 32768 + RANDOM))}
steps=${MODEL_STEPS:-500}
case $MOUNT_OPTIONS in *pagecache*) pages=pagecache ;; esac

for dir in raw/string raw/hash.d/f string hash.d/f db/3/string; do
	mkdir -p "$M/hash.d/f"
	for i in 1 2 3; do
		seed=$((seed + 1))
		if python3 "$here/model.py" "$M" "$dir/a" "$dir/b" "$seed" "$steps" direct $pages; then
			pass "a file of $dir, seed $seed"
		else
			fail "a file of $dir, seed $seed"
		fi
		rm -f "$M/$dir/a" "$M/$dir/b"
	done
done
for dir in raw/string raw/hash.d/f; do
	for words in reader "direct notrunc" "nomap notrunc" "direct nomap"; do
		mkdir -p "$M/hash.d/f" "$M/raw/hash.d/f"
		seed=$((seed + 1))
		ok "one file of $dir${words:+, $words}, seed $seed" python3 "$here/onefile.py" "$M/$dir/one" "$seed" "$steps" $words
		rm -f "$M/$dir/one"
	done
done
if [ -w /dev/shm ]; then
	mkdir "/dev/shm/inodis-model.$$"
	ok "the model itself, on tmpfs, seed $seed" python3 "$here/model.py" "/dev/shm/inodis-model.$$" a b "$seed" "$steps" direct disk
	ok "one file, on tmpfs, seed $seed" python3 "$here/onefile.py" "/dev/shm/inodis-model.$$/one" "$seed" "$steps" reader
	rm -r "/dev/shm/inodis-model.$$"
fi
is "$(sed -n 's/^mount_scratch_files://p' "$M/server/stats")" 0 "nothing is left of what was removed while open"
finish
