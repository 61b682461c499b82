#!/usr/bin/python3
"""System calls as any file system answers them: portable.py DIR [WORD ...]. Prints a line "ok ..." or "not ok ..." for each case.

The cases are tried on tmpfs too, so that what they want is what Linux does. The words say what DIR has not: "nodirs" names in it are
files only, "nofiles" directories only, "nolinks" no links and special files, "nomodes" owner and mode are the mount's. What stands
behind `instead` is what such a directory answers.
"""
import ctypes
import errno
import fcntl
import os
import stat
import sys
import time

D = sys.argv[1]
HAS_NOT = set(sys.argv[2:])
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2
RW, CR, RO = os.O_RDWR, os.O_CREAT | os.O_RDWR, os.O_RDONLY
failed = 0


def at(*names):
    return os.path.join(D, *names)


def tell(good, what):
    global failed
    failed += not good
    print(("ok " if good else "not ok ") + what, flush=True)


def outcome(call, *args, **words):
    try:
        got = call(*args, **words)
    except OSError as e:
        return errno.errorcode[e.errno]
    if call is os.open:
        os.close(got)
    return None


def case(what, want, call, *args, instead=None, **words):
    """@want: the errno's name, several with "|" between, or None for success; @instead: {word: errno} for directories without it."""
    for word, other in (instead or {}).items():
        if word in HAS_NOT:
            want = other
    got = outcome(call, *args, **words)
    good = str(got) in str(want).split("|")
    tell(good, f"{what}: {got or 'done'}" + ("" if good else f", want {want or 'done'}"))


def true(what, value, got=None):
    tell(bool(value), what + ("" if value or got is None else f": {got}"))


def raw(name, *args):
    """A call with an address that is none: ctypes passes numbers as they are."""
    if getattr(LIBC, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)


def renameat2(a, b, flags):
    raw("renameat2", AT_FDCWD, a.encode(), AT_FDCWD, b.encode(), flags)


def make(path, data=b"x"):
    with open(path, "wb") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def tick():
    """Until the file system's clock has gone on: times are those of the kernel's last tick."""
    time.sleep(0.02)


def times(path):
    st = os.stat(path, follow_symlinks=False)
    return st.st_mtime_ns, st.st_ctime_ns


def grows(what, path, call, *args, **words):
    """@call makes mtime and ctime of @path later."""
    before = times(path)
    tick()
    call(*args, **words)
    after = times(path)
    true(what, after[0] > before[0] and after[1] > before[1], (before, after))


def stays(what, path, call, *args):
    before = times(path)
    tick()
    outcome(call, *args)
    true(what, times(path) == before, (before, times(path)))


def as_other(call, *args):
    """The errno's name that @call has for somebody with no rights."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.write(w, (outcome(call, *args) or "done").encode())
        os._exit(0)
    os.close(w)
    got = os.read(r, 100).decode()
    os.close(r)
    os.waitpid(pid, 0)
    return got


def fresh(name, data=b"hello"):
    make(at(name), data)
    return at(name)


os.makedirs(D, exist_ok=True)
NAME_MAX = os.pathconf(D, "PC_NAME_MAX")
BAD = ctypes.c_void_p(1)


def opening():
    f = fresh("f")
    case("open what is absent", "ENOENT", os.open, at("no"), RW)
    case("open with a component that is absent", "ENOENT|ENOTDIR", os.open, at("no", "x"), CR, instead={"nodirs": "ENOENT"})
    case("with a component that is a file", "ENOTDIR", os.open, at("f", "x"), CR)
    case("O_EXCL of what is there", "EEXIST", os.open, f, CR | os.O_EXCL)
    case("O_DIRECTORY of a file", "ENOTDIR", os.open, f, os.O_DIRECTORY)
    case("O_CREAT | O_DIRECTORY", "EINVAL", os.open, at("cd"), CR | os.O_DIRECTORY)
    case("the directory itself for writing", "EISDIR", os.open, D, RW)
    case("the directory itself with O_CREAT", "EISDIR", os.open, D, CR)
    case("the directory itself with O_TRUNC", "EISDIR", os.open, D, os.O_WRONLY | os.O_TRUNC)
    case("a file with a slash behind it", "ENOTDIR", os.open, f + "/", RO)
    case("a new file with a slash behind it", "EISDIR", os.open, at("new/"), CR)
    case("an address that is none", "EFAULT", raw, "open", BAD, 0)
    case("a path that is too long", "ENAMETOOLONG", os.open, at("x/" * 2100), RO)
    case("O_NOFOLLOW of a file", None, os.open, f, os.O_NOFOLLOW)
    case("O_SYNC", None, os.open, f, RW | os.O_SYNC)
    case("O_PATH", None, os.open, f, os.O_PATH)
    case("both O_WRONLY and O_RDWR", "EINVAL|None", os.open, f, os.O_WRONLY | os.O_RDWR)
    os.close(os.open(f, os.O_RDONLY | os.O_TRUNC))
    true("O_RDONLY | O_TRUNC empties", os.stat(f).st_size == 0, os.stat(f).st_size)
    fd = os.open(at("m"), CR, 0o666)
    st = os.fstat(fd)
    true("a new file is a regular one, empty, with one link", stat.S_ISREG(st.st_mode) and (st.st_size, st.st_nlink) == (0, 1))
    true("and is there before it is closed", os.path.exists(at("m")) and "m" in os.listdir(D))
    case("reading what is open for writing only", "EBADF", reads_write_only, f)
    case("writing what is open for reading", "EBADF", writes_read_only, f)
    os.close(fd)
    case("read of a directory", "EISDIR", read_directory)
    grows("O_CREAT changes the directory's times", D, lambda: os.close(os.open(at("new"), CR)))
    grows("O_TRUNC changes the file's", f, lambda: make(f, b"y"))
    stays("O_CREAT of what is there changes nothing of the directory", D, lambda: os.close(os.open(f, CR)))
    stays("opening and reading changes no mtime", f, lambda: read(f))
    for n in ("m", "new", "f"):
        os.unlink(at(n))


def reads_write_only(path):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.read(fd, 1)
    finally:
        os.close(fd)


def writes_read_only(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.write(fd, b"x")
    finally:
        os.close(fd)


def read_directory():
    fd = os.open(D, os.O_RDONLY)
    try:
        os.read(fd, 10)
    finally:
        os.close(fd)


def long_names():
    longest, more = "n" * NAME_MAX, "n" * (NAME_MAX + 1)
    if len(D) + NAME_MAX < 4000:
        case(f"a name as long as pathconf says ({NAME_MAX})", None, os.open, at(longest), CR)
        case("is found", None, os.stat, at(longest))
        true("is listed", longest in os.listdir(D))
        case("is renamed", None, os.rename, at(longest), at("o" + longest[1:]))
        case("and removed", None, os.unlink, at("o" + longest[1:]))
    for what, call, *args in (
            ("open", os.open, at(more), CR), ("open of nothing", os.open, at(more), RO), ("unlink", os.unlink, at(more)), ("truncate", os.truncate, at(more), 1),
            ("rmdir", os.rmdir, at(more)), ("mkdir", os.mkdir, at(more)), ("stat", os.stat, at(more)), ("rename from", os.rename, at(more), at("x")),
            ("chmod", os.chmod, at(more), 0o600), ("chown", os.chown, at(more), 0, 0), ("utime", os.utime, at(more)),
            ("symlink", os.symlink, "x", at(more)), ("mkfifo", os.mkfifo, at(more))):
        case(f"{what} with one byte more", "ENAMETOOLONG", call, *args)
    f = fresh("f")
    case("rename to one byte more", "ENAMETOOLONG", os.rename, f, at(more))
    case("link to one byte more", "ENAMETOOLONG", os.link, f, at(more))
    os.unlink(f)


def removing():
    f = fresh("f")
    case("unlink what is absent", "ENOENT", os.unlink, at("no"))
    case("unlink below a file", "ENOTDIR", os.unlink, at("f", "x"))
    case("unlink with a slash behind it", "ENOTDIR", os.unlink, f + "/")
    case("unlink of an address that is none", "EFAULT", raw, "unlink", BAD)
    case("unlink of the directory", "EISDIR", os.unlink, D)
    case("unlink of .", "EISDIR|EINVAL", os.unlink, at("."))
    fd = os.open(f, RW)
    grows("unlink changes the directory's times", D, os.unlink, f)
    true("what is open has no link", os.fstat(fd).st_nlink == 0)
    true("keeps its size and content", os.fstat(fd).st_size == 5 and os.pread(fd, 10, 0) == b"hello")
    os.pwrite(fd, b"J", 0)
    os.ftruncate(fd, 3)
    true("is written and cut", os.pread(fd, 10, 0) == b"Jel" and os.fstat(fd).st_size == 3)
    os.fsync(fd)
    case("its name is gone", "ENOENT", os.stat, f)
    case("and may be taken again", None, os.open, f, CR | os.O_EXCL)
    true("by another file", os.fstat(fd).st_ino != os.stat(f).st_ino)
    os.close(fd)
    grows("unlink of one of two", D, os.unlink, f)
    case("rmdir of a file", "ENOTDIR", os.rmdir, fresh("f"))
    case("rmdir of what is absent", "ENOENT", os.rmdir, at("no"))
    case("rmdir below a file", "ENOTDIR", os.rmdir, at("f", "x"))
    case("rmdir of .", "EINVAL", os.rmdir, at("."))
    case("rmdir of ..", "ENOTEMPTY", os.rmdir, at(".."))
    case("rmdir of an address that is none", "EFAULT", raw, "rmdir", BAD)
    os.unlink(at("f"))


def renaming():
    f, g = fresh("f"), fresh("g", b"other")
    case("rename of what is absent", "ENOENT", os.rename, at("no"), at("x"))
    case("to where there is no directory", "ENOENT", os.rename, f, at("no", "x"), instead={"nodirs": "ENOENT|ENOTDIR"})
    case("from below a file", "ENOTDIR", os.rename, at("f", "x"), at("y"))
    case("to below a file", "ENOTDIR", os.rename, f, at("g", "x"))
    case("with a slash behind it", "ENOTDIR", os.rename, f + "/", at("x"))
    case("to a name with a slash behind it", "ENOTDIR", os.rename, f, at("x/"))
    case("of an address that is none", "EFAULT", raw, "rename", BAD, b"x")
    case("to an address that is none", "EFAULT", raw, "rename", f.encode(), BAD)
    case("of .", "EINVAL|EBUSY", os.rename, at("."), at("x"))
    case("to ..", "EINVAL|EBUSY|EEXIST|ENOTEMPTY", os.rename, f, at(".."))
    case("a file over the directory", "EISDIR|EINVAL|EBUSY|EEXIST|ENOTEMPTY", os.rename, f, D)
    stays("to its own name changes nothing", f, os.rename, f, f)
    true("and it is still there", read(f) == b"hello")
    case("RENAME_NOREPLACE onto a file", "EEXIST", renameat2, f, g, RENAME_NOREPLACE)
    case("RENAME_NOREPLACE to itself", "EEXIST", renameat2, f, f, RENAME_NOREPLACE)
    case("RENAME_NOREPLACE to a new name", None, renameat2, f, at("f2"), RENAME_NOREPLACE)
    case("and back", None, os.rename, at("f2"), f)
    case("flags that are none", "EINVAL", renameat2, f, g, 1 << 20)
    fd, ino = os.open(g, RO), os.stat(f).st_ino
    grows("rename changes the directory's times", D, os.rename, f, g)
    true("the old name is gone, the content moved", not os.path.exists(f) and read(g) == b"hello")
    true("with its inode number", os.stat(g).st_ino == ino and os.fstat(fd).st_ino != ino)
    fresh("f", b"new")
    true("a new file of the old name has another one", os.stat(f).st_ino != os.stat(g).st_ino)
    true("listed as well", {e.name: e.inode() for e in os.scandir(D)} == {n: os.stat(at(n)).st_ino for n in os.listdir(D)})
    os.unlink(f)
    true("what stood there has no link and keeps its content", os.fstat(fd).st_nlink == 0 and os.pread(fd, 10, 0) == b"other")
    os.close(fd)
    fd = os.open(g, RW)
    os.rename(g, at("h"))
    os.pwrite(fd, b"J", 0)
    true("an open file goes along", os.fstat(fd).st_nlink == 1 and read(at("h")) == b"Jello")
    os.close(fd)
    os.unlink(at("h"))


def cutting():
    f = fresh("f")
    case("truncate of what is absent", "ENOENT", os.truncate, at("no"), 0)
    case("below a file", "ENOTDIR", os.truncate, at("f", "x"), 0)
    case("of the directory", "EISDIR", os.truncate, D, 0)
    case("to a negative size", "EINVAL", os.truncate, f, -1)
    case("of an address that is none", "EFAULT", raw, "truncate", BAD, ctypes.c_long(0))
    case("to more than any file may have", "EFBIG|EINVAL|ENOSPC|None|ENOMEM", os.truncate, f, 999_999_999_999_999)
    os.truncate(f, 0)
    make(f, b"hello")
    grows("truncate changes the file's times", f, os.truncate, f, 3)
    grows("longer, too", f, os.truncate, f, 1000)
    true("what is new is zeros", read(f) == b"hel" + bytes(997))
    stays("one that fails changes nothing", f, os.truncate, f, -1)
    fd = os.open(f, RW)
    grows("ftruncate changes the file's times", f, os.ftruncate, fd, 10)
    true("and its size for all", os.stat(f).st_size == os.fstat(fd).st_size == os.lseek(fd, 0, os.SEEK_END) == 10)
    true("the offset stays where it is", offset_stays(fd))
    os.close(fd)
    fd = os.open(f, RO)
    case("ftruncate of a reader", "EINVAL", os.ftruncate, fd, 0)
    os.close(fd)
    case("ftruncate of a closed file", "EBADF", os.ftruncate, fd, 0)
    os.unlink(f)


def offset_stays(fd):
    os.lseek(fd, 8, os.SEEK_SET)
    os.ftruncate(fd, 2)
    return os.lseek(fd, 0, os.SEEK_CUR) == 8 and os.write(fd, b"x") == 1 and os.pread(fd, 20, 0)[2:] == bytes(6) + b"x"


def reading_and_writing():
    f = at("f")
    fd = os.open(f, CR)
    case("pread at a negative offset", "EINVAL", os.pread, fd, 1, -1)
    case("pwrite at a negative offset", "EINVAL", os.pwrite, fd, b"x", -1)
    case("lseek before the start", "EINVAL", os.lseek, fd, -1, os.SEEK_SET)
    case("SEEK_DATA past the end", "ENXIO", os.lseek, fd, 10, os.SEEK_DATA)
    case("read to an address that is none", "EFAULT|None", raw, "read", fd, BAD, ctypes.c_size_t(10))
    case("write from an address that is none", "EFAULT", raw, "write", fd, BAD, ctypes.c_size_t(10))
    true("nothing was written", os.fstat(fd).st_size == 0)
    os.pwrite(fd, b"end", 10000)
    true("a hole reads as zeros", os.pread(fd, 20000, 0) == bytes(10000) + b"end")
    true("reading at the end is nothing", os.pread(fd, 10, 10003) == b"" == os.pread(fd, 10, 1 << 40))
    true("a write over the end makes it longer", os.pwrite(fd, b"ENDLESS", 10000) == 7 and os.fstat(fd).st_size == 10007)
    grows("a write changes the file's times", f, os.pwrite, fd, b"x", 5)
    more = os.open(f, os.O_WRONLY | os.O_APPEND)
    os.lseek(more, 0, os.SEEK_SET)
    os.write(more, b"!")
    true("O_APPEND writes at the end, wherever it stands", os.pread(fd, 10, 10000) == b"ENDLESS!" and os.lseek(more, 0, os.SEEK_CUR) == 10008)
    os.pwrite(fd, b"?", 10008)
    os.write(more, b"!")
    true("also when another has written there", os.pread(fd, 10, 10007) == b"!?!")
    true("the other sees it in the size", os.fstat(fd).st_size == 10010)
    fcntl.fcntl(more, fcntl.F_SETFL, 0)
    os.pwrite(more, b"*", 10000)
    true("O_APPEND taken away by fcntl is gone", os.pread(fd, 20, 10000) == b"*NDLESS!?!")
    fcntl.fcntl(more, fcntl.F_SETFL, os.O_APPEND)
    os.pwrite(more, b"+", 10000)
    true("and given by it holds", os.pread(fd, 20, 10000) == b"*NDLESS!?!+")
    case("fallocate of nothing", "EINVAL", os.posix_fallocate, fd, 0, 0)
    case("fallocate", "None|EOPNOTSUPP", os.posix_fallocate, fd, 0, 11000)
    case("fdatasync", None, os.fdatasync, fd)
    os.close(more)
    os.close(fd)
    case("lock", None, locks, f)
    os.unlink(f)


def locks(path):
    with open(path, "r+") as f:
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(f, fcntl.LOCK_UN)
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)


def directories():
    no = {"nodirs": "EPERM"}
    f = fresh("f") if "nofiles" not in HAS_NOT else None
    if f:
        case("mkdir over a file", "EEXIST", os.mkdir, f)
        case("mkdir below a file", "ENOTDIR", os.mkdir, at("f", "x"))
    case("mkdir of an address that is none", "EFAULT", raw, "mkdir", BAD, 0o755)
    case("mkdir of .", "EEXIST", os.mkdir, at("."))
    case("mkdir", None, os.mkdir, at("d"), instead=no)
    if "nodirs" in HAS_NOT:
        os.unlink(f)
        return
    st = os.stat(at("d"))
    true("is a directory with two links", stat.S_ISDIR(st.st_mode) and st.st_nlink in (1, 2))
    true("is empty", os.listdir(at("d")) == [])
    case("mkdir of what is there", "EEXIST", os.mkdir, at("d"))
    case("mkdir with a slash behind it", None, os.mkdir, at("e/"))
    case("rmdir with a slash behind it", None, os.rmdir, at("e/"))
    case("mkdir where there is no directory", "ENOENT", os.mkdir, at("no", "x"))
    grows("mkdir changes the directory's times", D, os.mkdir, at("e"))
    grows("rmdir, too", D, os.rmdir, at("e"))
    case("a directory for writing", "EISDIR", os.open, at("d"), RW)
    case("O_CREAT on a directory", "EISDIR", os.open, at("d"), CR)
    case("O_CREAT | O_EXCL on a directory", "EEXIST", os.open, at("d"), CR | os.O_EXCL)
    case("unlink of a directory", "EISDIR", os.unlink, at("d"))
    case("truncate of a directory", "EISDIR", os.truncate, at("d"), 0)
    make(at("d", "in"))
    case("rmdir of what is not empty", "ENOTEMPTY|EEXIST", os.rmdir, at("d"))
    grows("a file in it changes its times", at("d"), make, at("d", "in2"))
    grows("and its removal", at("d"), os.unlink, at("d", "in2"))
    os.mkdir(at("e"))
    case("rename of a directory over one that is not empty", "ENOTEMPTY|EEXIST", os.rename, at("e"), at("d"))
    numbers = os.stat(at("d")).st_ino, os.stat(at("d", "in")).st_ino
    case("over an empty one", None, os.rename, at("d"), at("e"))
    true("with what is in it", os.listdir(at("e")) == ["in"] and not os.path.exists(at("d")))
    true("and their inode numbers", (os.stat(at("e")).st_ino, os.stat(at("e", "in")).st_ino) == numbers)
    case("into itself", "EINVAL", os.rename, at("e"), at("e", "x"))
    if f:
        case("a directory over a file", "ENOTDIR", os.rename, at("e"), f)
        case("a file over a directory", "EISDIR|EEXIST", os.rename, f, at("e"))
        os.unlink(f)
    case("RENAME_NOREPLACE onto a directory", "EEXIST", renameat2, at("e"), at("e"), RENAME_NOREPLACE)
    os.unlink(at("e", "in"))
    fd = os.open(at("e"), os.O_DIRECTORY)
    os.rmdir(at("e"))
    true("an open directory that was removed has nothing in it", os.listdir(fd) == [])
    case("and nothing can be made in it", "ENOENT", os.open, "x", CR, dir_fd=fd)
    os.close(fd)


def refused():
    no = {"nolinks": "EPERM"}
    f = fresh("f")
    case("link", None, os.link, f, at("l"), instead=no)
    case("symlink", None, os.symlink, "f", at("s"), instead=no)
    case("mkfifo", None, os.mkfifo, at("p"), instead=no)
    case("mknod of a socket", None, os.mknod, at("k"), stat.S_IFSOCK | 0o600, instead=no)
    case("link to what is there", "EEXIST", os.link, f, f)
    case("link of what is absent", "ENOENT", os.link, at("no"), at("l2"))
    case("symlink to what is there", "EEXIST", os.symlink, "x", f)
    case("mkfifo of what is there", "EEXIST", os.mkfifo, f)
    case("mknod of a regular file", None, os.mknod, at("r"), stat.S_IFREG | 0o600)
    for n in ("f", "l", "s", "p", "k", "r"):
        outcome(os.unlink, at(n))
    true("nothing of it is left", os.listdir(D) == [], os.listdir(D))


def attributes():
    f = fresh("f")
    case("chmod of what is absent", "ENOENT", os.chmod, at("no"), 0o600)
    case("chmod below a file", "ENOTDIR", os.chmod, at("f", "x"), 0o600)
    case("chown of what is absent", "ENOENT", os.chown, at("no"), 0, 0)
    case("utime of what is absent", "ENOENT", os.utime, at("no"))
    case("chmod", None, os.chmod, f, 0o640)
    case("chown", None, os.chown, f, os.getuid(), os.getgid())
    case("utime to now", None, os.utime, f)
    true("a file may be read and written, and is no program", os.access(f, os.R_OK | os.W_OK) and not os.access(f, os.X_OK) and os.access(D, os.X_OK))
    if "nomodes" not in HAS_NOT:
        true("mode and owner are what they were set to", stat.S_IMODE(os.stat(f).st_mode) == 0o640)
    if os.getuid() == 0 and "open" in HAS_NOT:
        os.chmod(f, 0o600)
        for what, call, *args in (("open", os.open, f, RW), ("truncate", os.truncate, f, 0), ("unlink", os.unlink, f), ("mkdir", os.mkdir, at("d")),
                                  ("rename", os.rename, f, at("g")), ("open of a new file", os.open, at("new"), CR)):
            got = as_other(call, *args)
            true(f"{what} by somebody without rights: EACCES", got in ("EACCES", "EPERM"), got)
        got = as_other(os.chmod, f, 0o777)
        true("chmod by somebody else: EPERM", got in ("EPERM", "EACCES"), got)
        true("nothing changed", read(f) == b"hello")
    os.unlink(f)


os.umask(0o022)
if "nofiles" in HAS_NOT:
    case("a file where names are directories", "EPERM", os.open, at("f"), CR)
    directories()
else:
    for part in (opening, long_names, removing, renaming, cutting, reading_and_writing, directories, refused, attributes):
        try:
            part()
        except Exception as e:
            import traceback
            traceback.print_exc(file=sys.stdout)
            tell(False, f"{part.__name__}: {type(e).__name__}: {e}")
        for n in os.listdir(D):
            (os.rmdir if os.path.isdir(at(n)) else os.unlink)(at(n))
sys.exit(failed > 0)
