#!/bin/bash
# Names with a dot in front: files and whole trees in the mount's own memory, never a key.
. "$(dirname "$0")/lib.sh"
start

cd "$M/string" || exit 1
mkdir .d .d/sub .d/sub/deeper
echo one >.d/one
echo two >.d/sub/two
is "$(ls .d | tr '\n' ,)$(ls .d/sub | tr '\n' ,)" one,sub,deeper,two, "a scratch directory holds names of any kind"
is "$(cat .d/one .d/sub/two | tr '\n' ,)" one,two, "files in it are read"
is "$(R dbsize)" 0 "and are no keys"
is "$(ls -A)" .d "they are listed where they are"
error "Directory not empty" "rmdir of a full one" rmdir .d
error "File exists" "mkdir of one that is there" mkdir .d
error "Is a directory" "rm of a directory" unlink .d
error "Not a directory" "a file is none" ls .d/one/x
mv .d/one .d/sub/three
is "$(cat .d/sub/three)" one "mv from one to another"
mv .d/sub .d/moved
is "$(cat .d/moved/two)$(ls .d | tr '\n' ,)" twomoved, "mv of a directory takes what is in it along"
error "Invalid argument" "but not into itself" python3 -c "import os, sys
try: os.rename('.d', '.d/moved/x')
except OSError as e: sys.exit(e.strerror)"
mkdir .d/empty
mv -T .d/moved .d/empty
is "$(ls .d | tr '\n' ,)" empty, "mv onto an empty directory"
mv .d/empty/two key
is "$(R get key)" two "mv makes a key of a scratch file"
mv key .d/key
is "$(R exists key)$(cat .d/key)" 0two "and the other way"
mkdir "$M/hash.d/h"
mkdir "$M/hash.d/h/.t"
echo x >"$M/hash.d/h/.t/f"
is "$(cat "$M/hash.d/h/.t/f")$(R exists h)" x0 "below a key's directory, too"
rm -r "$M/hash.d/h/.t"
rmdir "$M/hash.d/h"
exec 3<>.d/open
echo still >&3
rm .d/open
is "$(stat -L -c %s /dev/fd/3)" 6 "an open file outlives its name"
exec 3<&-
cp -r "$here" .copy
ok "cp -r" diff -r "$here" .copy
rm -r .copy
before=$(stat -c %Y .d/key)
is "$([ $(($(date +%s) - before)) -lt 60 ] && echo now)" now "times are those of the clock"
rm -r .d
is "$(ls -A "$M/string")" "" "rm -r"
is "$(sed -n 's/^mount_scratch_\(files\|bytes\)://p' "$M/server/stats" | tr '\n' ,)" 0,0, "leaves nothing"

if command -v git >/dev/null; then
	export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
	mkdir .repo
	ok "git init" git -C .repo init -q -b main
	printf 'first\n' >.repo/file
	mkdir .repo/dir
	printf 'second\n' >.repo/dir/file
	ok "git add" git -C .repo add .
	ok "git commit" git -C .repo commit -q -m one
	printf 'changed\n' >>.repo/file
	is "$(git -C .repo diff --stat | tail -n1)" " 1 file changed, 1 insertion(+)" "git diff"
	git -C .repo commit -q -a -m two
	git -C .repo checkout -q -b other HEAD~1
	is "$(cat .repo/file)" first "git checkout"
	git -C .repo checkout -q main
	is "$(git -C .repo log --format=%s | tr '\n' ,)$(git -C .repo status --porcelain)" two,one, "git log, git status"
	ok "git gc" git -C .repo gc -q
	ok "git fsck" git -C .repo fsck --strict
	ok "git clone into another" git clone -q .repo .clone
	is "$(cat .clone/file | tr '\n' ,)" first,changed, "which is the same"
	is "$(R dbsize)" 0 "and no key was made"
	rm -rf .repo .clone
fi

# bounds
python3 - <<'PY' && pass "bounded in number and size" || fail "bounded in number and size"
import errno, os
try:
    for i in range(5000):
        os.mkdir(".n%d" % i)
    raise SystemExit("no end")
except OSError as e:
    assert e.errno == errno.ENOSPC, e
for n in os.listdir("."):
    os.rmdir(n)
try:
    with open(".big", "wb") as f:
        for i in range(70):
            f.write(b"x" * (1 << 20))
            f.flush()
    raise SystemExit("no end")
except OSError as e:
    assert e.errno == errno.ENOSPC, e
os.unlink(".big")
deep = "."
try:
    for i in range(100):
        deep += "/." + "n" * 100
        os.mkdir(deep)
    raise SystemExit("no end")
except OSError as e:
    assert e.errno == errno.ENAMETOOLONG, e
os.system("rm -r ." + "n" * 100)
assert os.listdir(".") == []
PY
cd "$here" || exit 1
finish
