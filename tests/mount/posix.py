#!/usr/bin/python3
"""System calls and the errno of each: posix.py MOUNT. Prints a line "ok ..." or "not ok ..." for each case."""
import errno
import os
import stat
import sys

M = sys.argv[1]
S, H = f"{M}/raw/string", f"{M}/raw/hash.d"
failed = False


def case(what, want, call, *args, **words):
    """@want: the errno's name, or None for success."""
    global failed
    try:
        result, got = call(*args, **words), None
        if isinstance(result, int) and call in (os.open,):
            os.close(result)
    except OSError as e:
        got = errno.errorcode[e.errno]
    failed |= got != want
    print(f"ok {what}: {want or 'done'}" if got == want else f"not ok {what}: {got or 'done'}, want {want or 'done'}", flush=True)


def make(path, data=b"x"):
    with open(path, "wb") as f:
        f.write(data)


def true(what, value):
    global failed
    failed |= not value
    print("ok" if value else "not ok", what, flush=True)


make(f"{S}/f", b"hello")
os.mkdir(f"{H}/d")
make(f"{H}/d/f", b"1")
os.mkdir(f"{H}/e")
RW, CR = os.O_RDWR, os.O_CREAT | os.O_RDWR

# open
case("open what is absent", "ENOENT", os.open, f"{S}/no", RW)
case("O_EXCL of what is there", "EEXIST", os.open, f"{S}/f", CR | os.O_EXCL)
case("O_DIRECTORY of a file", "ENOTDIR", os.open, f"{S}/f", os.O_DIRECTORY)
case("O_DIRECTORY of a directory", None, os.open, f"{H}/d", os.O_DIRECTORY)
case("a directory for writing", "EISDIR", os.open, f"{H}/d", RW)
case("O_CREAT on a directory", "EISDIR", os.open, f"{H}/d", CR)
case("O_NOFOLLOW of a link", "ELOOP", os.open, f"{M}/key/f", os.O_NOFOLLOW)
case("and of a file", None, os.open, f"{S}/f", os.O_NOFOLLOW)
case("a link is followed", None, os.open, f"{M}/key/f", RW)
case("a file as a directory", "ENOTDIR", os.open, f"{S}/f/x", os.O_RDONLY)
case("a name that is too long", "ENAMETOOLONG", os.open, f"{S}/" + "n" * 5000, CR)
case("a new name at the top", "EPERM", os.open, f"{M}/new", CR)

# names
case("unlink what is absent", "ENOENT", os.unlink, f"{S}/no")
case("unlink a directory", "EISDIR", os.unlink, f"{H}/d")
case("unlink below a file", "ENOTDIR", os.unlink, f"{S}/f/x")
case("unlink a name of the tree", "EPERM", os.unlink, f"{M}/ctl")
case("rmdir of a file", "ENOTDIR", os.rmdir, f"{S}/f")
case("rmdir of what is absent", "ENOENT", os.rmdir, f"{H}/no")
case("rmdir of what is not empty", "ENOTEMPTY", os.rmdir, f"{H}/d")
case("rmdir of a name of the tree", "EPERM", os.rmdir, f"{M}/string")
case("rmdir of .", "EINVAL", os.rmdir, f"{H}/d/.")
case("rmdir of ..", "ENOTEMPTY", os.rmdir, f"{H}/d/..")
case("mkdir of what is there", "EEXIST", os.mkdir, f"{H}/d")
case("mkdir over a file", "EEXIST", os.mkdir, f"{S}/f")
case("mkdir where names are files", "EPERM", os.mkdir, f"{S}/dir")
case("mkdir in a hash", "EPERM", os.mkdir, f"{H}/d/dir")
case("mkdir below a file", "ENOTDIR", os.mkdir, f"{S}/f/dir")
case("link", "EPERM", os.link, f"{S}/f", f"{S}/g")
case("symlink", "EPERM", os.symlink, "f", f"{S}/g")
case("mkfifo", "EPERM", os.mkfifo, f"{S}/g")
case("mknod of a socket", "EPERM", os.mknod, f"{S}/g", stat.S_IFSOCK | 0o600)

# rename
case("rename of what is absent", "ENOENT", os.rename, f"{S}/no", f"{S}/g")
case("to its own name", None, os.rename, f"{S}/f", f"{S}/f")
case("across types", "EXDEV", os.rename, f"{S}/f", f"{M}/raw/list/f")
case("across databases", "EXDEV", os.rename, f"{M}/string/f", f"{M}/db/1/string/f")
case("of a name of the tree", "EPERM", os.rename, f"{M}/string", f"{M}/strings")
case("a directory onto one that is not empty", "ENOTEMPTY", os.rename, f"{H}/e", f"{H}/d")
case("a directory to a new name", None, os.rename, f"{H}/e", f"{H}/g")
case("a directory into itself", "EINVAL", os.rename, f"{H}/g", f"{H}/g/x")
case("with a file in the path", "ENOTDIR", os.rename, f"{S}/f", f"{S}/f/x")
case("a file with a slash behind it", "ENOTDIR", os.rename, f"{S}/f/", f"{S}/g")

# sizes and attributes
case("truncate of what is absent", "ENOENT", os.truncate, f"{S}/no", 0)
case("truncate of a directory", "EISDIR", os.truncate, f"{H}/d", 0)
case("truncate to a negative size", "EINVAL", os.truncate, f"{S}/f", -1)
case("truncate past the longest value", "EFBIG", os.truncate, f"{S}/f", 1 << 30)
fd = os.open(f"{S}/f", os.O_RDONLY)
case("ftruncate of a reader", "EINVAL", os.ftruncate, fd, 0)
case("write of a reader", "EBADF", os.write, fd, b"x")
os.close(fd)
fd = os.open(f"{S}/f", RW)
case("a write past the longest value", "EFBIG", os.pwrite, fd, b"x", 1 << 30)
case("a write at its end", "EFBIG", os.pwrite, fd, b"xx", (512 << 20) - 1)
case("nothing, written anywhere", None, os.pwrite, fd, b"", 1 << 30)
case("reading past the end", None, os.pread, fd, 10, 1 << 30)
os.close(fd)
true("a file may be read and written, and is no program", os.access(f"{S}/f", os.R_OK | os.W_OK) and not os.access(f"{S}/f", os.X_OK))
true("directories may be entered", os.access(H, os.X_OK) and os.access(f"{H}/d", os.R_OK | os.W_OK | os.X_OK))
case("chmod", None, os.chmod, f"{S}/f", 0o600)
case("chown", None, os.chown, f"{S}/f", os.getuid(), os.getgid())
case("utime", None, os.utime, f"{S}/f", (1, 1))
st = os.stat(f"{S}/f")
true("a key is one link, and what was refused changed nothing", (st.st_nlink, st.st_size) == (1, 5))
true("mtime is ctime", st.st_mtime_ns == st.st_ctime_ns)
os.truncate(f"{S}/f", 7)
true("and goes up with a change", os.stat(f"{S}/f").st_mtime_ns >= st.st_mtime_ns)

# after the name is gone
fd = os.open(f"{S}/o", CR)
os.write(fd, b"Hello, World!")
os.unlink(f"{S}/o")
true("what is removed while open is read", os.pread(fd, 13, 0) == b"Hello, World!")
true("has no link", os.fstat(fd).st_nlink == 0)
true("and is written", os.pwrite(fd, b"J", 0) == 1 and os.pread(fd, 5, 0) == b"Jello")
make(f"{S}/o", b"new")
true("a new file of the name is another", os.pread(fd, 5, 0) == b"Jello" and os.stat(f"{S}/o").st_size == 3)
os.close(fd)
true("which stays", open(f"{S}/o", "rb").read() == b"new")
fd = os.open(f"{H}/d/f", RW)
os.rename(f"{H}/d", f"{H}/moved")
os.pwrite(fd, b"2", 0)
os.close(fd)
true("an open file of a directory that is renamed goes along", open(f"{H}/moved/f", "rb").read() == b"2" and not os.path.exists(f"{H}/d"))
sys.exit(failed)
