#!/bin/bash
# Exercisers that were not written for this: stress-ng's file classes on scratch names, fio with verify on keys below raw/.
. "$(dirname "$0")/lib.sh"
command -v stress-ng >/dev/null || skip "no stress-ng"
command -v fio >/dev/null || skip "no fio"
start

mkdir "$M/raw/string/.s"
cd "$M/raw/string/.s" || exit 1
# Not here: utime (times are the mount's), copy-file (wants more than scratch files may take).
classes="dentry dir dirdeep dirmany fallocate fiemap file-ioctl filename flock fpunch fstat getdent hdd inode-flags io iomix lockf locka
	mmap open readahead rename seek sendfile splice sync-file touch"
for class in $classes; do
	timeout 60 stress-ng --temp-path . "--$class" 2 --timeout "${STRESS_SECONDS:-1}" --hdd-bytes 2m --seek-size 1m --fallocate-bytes 2m \
		--iomix-bytes 2m --readahead-bytes 2m --sync-file-bytes 2m --verify >"$T/said" 2>&1
	status=$?
	case $status in
	0 | 3 | 4) pass "stress-ng $class" ;; # 3, 4: it could not do what it wanted to, or not here
	*) fail "stress-ng $class: $status: $(grep fail "$T/said" | head -n3)" ;;
	esac
done
cd "$here" || exit 1
rmdir "$M/raw/string/.s"
is "$(R dbsize)/$(sed -n 's/^mount_scratch_files://p' "$M/server/stats")" 0/0 "nothing is left"

for direct in 0 1; do
	for how in write randwrite randrw; do
		ok "fio $how, direct=$direct" timeout 60 fio --aux-path="$T" --name=v --filename="$M/raw/string/fio" --rw=$how --bs=4k --size=4m \
			--verify=crc32c --ioengine=psync --direct=$direct --fsync=64
	done
done
ok "fio, several files at once, asynchronous" timeout 60 fio --aux-path="$T" --name=v --directory="$M/raw/string" --rw=randwrite --bs=3k --size=1m \
	--numjobs=3 --verify=md5 --ioengine=libaio --iodepth=8
ok "fio on fields" sh -c "mkdir '$M/raw/hash.d/f' && timeout 60 fio --aux-path="$T" --name=v --filename='$M/raw/hash.d/f/x' --rw=randrw --bs=1k --size=100k --verify=crc32c --ioengine=psync"
is "$(R hstrlen f x)" 102400 "which are fields"
rm "$M/raw/string/"* "$M/raw/hash.d/f/x"
is "$(R dbsize)" 0 "and all of it is removed"
finish
