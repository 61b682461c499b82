#!/usr/bin/python3
"""Values that are read from the kernel's pages (-o pagecache=0: the first who opens one).    editions.py MOUNT SOCKET [stress SECONDS]

What is open keeps the value that it was opened with, whatever changes it and from which side; what is opened after the change has the new
one. stress: readers and writers of the same few files, of whom nobody ever may hear of a stale handle. Prints ok and not ok lines.
"""
import errno
import fcntl
import mmap
import multiprocessing
import os
import random
import select
import sys
import time

from cases import end, is_
from coherence import Resp

mount, r = sys.argv[1], Resp(sys.argv[2])


def at(path):
    return os.path.join(mount, path)


def figure(name):
    with open(at("server/stats")) as f:
        return int(next(line for line in f if line.startswith(name + ":")).split(":")[1])


def content(path):
    """By a new open; None where there is no such file."""
    try:
        fd = os.open(at(path), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return b"".join(iter(lambda: os.read(fd, 4096), b""))
    finally:
        os.close(fd)


def size(path):
    try:
        return os.stat(at(path)).st_size
    except FileNotFoundError:
        return None


def opened(path, flags=os.O_RDONLY):
    """(fd, whether it is of an edition)"""
    before = figure("mount_editions_opened")
    fd = os.open(at(path), flags)
    return fd, figure("mount_editions_opened") > before


def held(path, key="k", value="first"):
    r("SET", key, value)
    fd, paged = opened(path)
    if not paged:
        is_(False, True, f"{path} is of an edition")
    return fd


def all_of(fd):
    return os.pread(fd, 1 << 20, 0)


def raises(call, *args):
    try:
        call(*args)
        return None
    except OSError as e:
        return errno.errorcode[e.errno]


P = "raw/string/k"


def keeps():
    fd = held(P)
    ino = os.fstat(fd).st_ino
    r("SET", "k", "the second, a longer one")
    is_((all_of(fd), os.fstat(fd).st_size), (b"first", 5), "what is open keeps its value and its size")
    is_((content(P), size(P)), (b"the second, a longer one", 24), "what is opened then has the new one")
    is_(os.stat(at(P)).st_ino, ino, "and is the same file to those who compare numbers")
    is_((os.pread(fd, 10, 5), os.pread(fd, 10, 100)), (b"", b""), "nothing of the new one stands behind the old one's end")
    is_([os.lseek(fd, *a) for a in ((0, os.SEEK_END), (1, os.SEEK_DATA), (1, os.SEEK_HOLE))], [5, 1, 5], "lseek knows that end")
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    before = figure("mount_requests")
    got = all_of(fd)
    is_((got, figure("mount_requests") > before), (b"first", True), "pages that the kernel gave up are asked for, and hold the same")
    for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
        with mmap.mmap(fd, 5, flags, mmap.PROT_READ) as m:
            is_(m[:], b"first", "a mapping shows the same")
    two = os.open(at(P), os.O_RDONLY)
    r("SET", "k", "third")
    with mmap.mmap(two, 24, mmap.MAP_SHARED, mmap.PROT_READ) as m:
        is_((m[:], all_of(fd), content(P)), (b"the second, a longer one", b"first", b"third"), "three values of one file side by side")
        r("DEL", "k")
        is_((m[:6], all_of(two)[:6], content(P)), (b"the se", b"the se", None), "also after the key is gone")
    os.close(two)
    os.close(fd)


def shared():
    fd = held(P, value="0123456789")
    if os.fork() == 0:
        os._exit(os.read(fd, 4) != b"0123")
    is_((os.wait()[1], os.read(fd, 3)), (0, b"456"), "who forked shares the place where it is read")
    two = os.dup(fd)
    is_((os.read(two, 2), os.read(fd, 9)), (b"78", b"9"), "as does a dup")
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    is_(len(poll.poll(0)), 1, "poll: it is ready")
    fcntl.flock(fd, fcntl.LOCK_SH)
    three = os.open(at(P), os.O_RDONLY)
    is_(raises(fcntl.flock, three, fcntl.LOCK_EX | fcntl.LOCK_NB), "EAGAIN", "a lock holds among those who have the same value open")
    for f in (fd, two, three):
        os.close(f)


def written():
    """Everything that writes by a path, while somebody reads."""
    def through(flags, call):
        def work():
            f = os.open(at(P), flags)
            try:
                call(f)
            finally:
                os.close(f)
        return work

    for what, work, want in (
        ("O_TRUNC", through(os.O_WRONLY | os.O_TRUNC, lambda f: os.write(f, b"new")), b"new"),
        ("O_RDONLY | O_TRUNC", through(os.O_RDONLY | os.O_TRUNC, lambda f: None), b""),
        ("O_APPEND", through(os.O_WRONLY | os.O_APPEND, lambda f: os.write(f, b"!")), b"first!"),
        ("pwrite", through(os.O_RDWR, lambda f: os.pwrite(f, b"LONG", 3)), b"firLONG"),
        ("ftruncate", through(os.O_RDWR, lambda f: os.ftruncate(f, 2)), b"fi"),
        ("a mapping", through(os.O_RDWR, lambda f: mmap.mmap(f, 5).__setitem__(0, 70)), b"First"),
        ("truncate", lambda: os.truncate(at(P), 8), b"first\0\0\0"),
        ("truncate to nothing", lambda: os.truncate(at(P), 0), b""),
        ("rename", lambda: os.rename(at("raw/string/other"), at(P)), b"something else"),
        ("rename away", lambda: os.rename(at(P), at("raw/string/other")), None),
        ("unlink", lambda: os.unlink(at(P)), None),
    ):
        r("SET", "other", "something else")
        fd = held(P)
        os.stat(at(P))
        got = raises(work)
        is_((got, content(P), size(P)), (None, want, want if want is None else len(want)), f"{what} of a file that is read from pages is seen at once")
        is_((all_of(fd), os.fstat(fd).st_size), (b"first", 5), f"{what}: who has it open keeps what it was")
        os.close(fd)
    fd = held(P)
    os.utime(at(P), (1, 1000000000))
    is_((os.stat(at(P)).st_mtime, content(P)), (1000000000, b"first"), "utimes of the file")
    os.utime(fd, (1, 900000000))
    os.fchmod(fd, 0o644)
    is_((os.stat(at(P)).st_mtime, os.fstat(fd).st_mtime, all_of(fd)), (900000000, 900000000, b"first"), "and of the open file")
    is_([raises(os.write, fd, b"x"), raises(os.ftruncate, fd, 1)], ["EBADF", "EINVAL"], "it is open to be read only")
    os.unlink(at(P))
    is_((os.fstat(fd).st_nlink, all_of(fd)), (0, b"first"), "an open file that lost its name")
    os.close(fd)
    r("SET", "k", "first")
    w = os.open(at(P), os.O_WRONLY)
    fd, paged = opened(P)
    is_(paged, False, "what is open to be written gets no edition")
    os.write(w, b"F")
    is_(all_of(fd), b"First", "so that all see what is written")
    os.close(fd)
    os.close(w)


def by_number():
    """/proc/self/fd/N, which walks no path."""
    fd = held(P)
    link = f"/proc/self/fd/{fd}"
    two = os.open(link, os.O_RDONLY)
    is_(all_of(two), b"first", "what is open is opened again by its number")
    os.close(two)
    r("SET", "k", "second")
    two = os.open(link, os.O_RDONLY)
    is_((all_of(two), content(P)), (b"first", b"second"), "which gives what it was opened with")
    os.close(two)
    is_(raises(os.open, link, os.O_RDWR), "ESTALE", "but it cannot be written so")
    os.close(fd)
    r("RPUSH", "l", "a")
    r("SET", "k", "v" * 100000)
    fd, paged = opened(P)  # too large
    r("SET", "k", "small")
    two = [os.open(f"/proc/self/fd/{fd}", os.O_RDONLY) for _ in range(5)]
    is_((paged, {all_of(f) for f in two}), (False, {b"small"}), "an open file that is no edition's, too, and is told of a stale handle never")
    three = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    os.pwrite(three, b"S", 0)
    is_(content(P), b"Small", "which can be written")
    for f in [fd, three, *two]:
        os.close(f)


def kinds():
    r("FLUSHALL")
    for words in (("SET", "string", "v"), ("SADD", "set", "a"), ("ZADD", "zset", "1", "a"), ("HSET", "hash", "f", "v"), ("RPUSH", "list", "a"),
                  ("XADD", "stream", "*", "f", "v"), ("SET", "empty", ""), ("SET", "big", "v" * 65537), ("SET", "least", "v" * 65536)):
        r(*words)
    with open(at("string/.scratch"), "w") as f:
        f.write("x")
    for path in ("string/string", "raw/string/string", "db/0/string/string", "set/set", "zset/zset", "hash/hash", "raw/hash/hash", "hash.d/hash/f", "raw/hash.d/hash/f",
                 "zset.d/zset/a", "string/least"):
        os.close(os.open(at(path), os.O_RDONLY))
        fd, paged = opened(path)
        with open(at(path), "rb") as f:
            is_((paged, os.fstat(fd).st_size, all_of(fd)), (True, os.stat(at(path)).st_size, f.read()), f"{path} is read from pages")
        os.close(fd)
    for path in ("list/list", "list.d/list/0", "stream/stream", "set.d/set/a", "ttl/string", "server/clients", "server/info/server", "server/config/port", "ctl",
                 "string/.scratch", "string/empty", "string/big"):
        os.close(os.open(at(path), os.O_RDONLY))
        fd, paged = opened(path)
        os.close(fd)
        is_(paged, False, f"{path} is not")
    os.unlink(at("string/.scratch"))


def changed():
    """By RESP, in every way."""
    script = "redis.call('SET', KEYS[1], 'scripted') return 1"
    for words in (["SET", "k", "x"], ["SET", "k", "FIRST"], ["APPEND", "k", "x"], ["SETRANGE", "k", "0", "F"], ["GETSET", "k", "x"], ["DEL", "k"], ["UNLINK", "k"],
                  ["GETDEL", "k"], ["RENAME", "k", "gone"], ["RENAME", "other", "k"], ["COPY", "other", "k", "REPLACE"], ["MOVE", "k", "1"], ["FLUSHDB"],
                  ["FLUSHALL"], ["SWAPDB", "0", "1"], ["EVAL", script, "1", "k"], ["PEXPIRE", "k", "1"], ["PEXPIREAT", "k", "1"], ["SETBIT", "k", "7", "0"], ["MULTI"]):
        r("FLUSHALL")
        r("SET", "other", "something else")
        fd = held(P)
        if words == ["MULTI"]:
            for w in (words, ["SET", "k", "in between"], ["INCR", "n"], ["EXEC"]):
                r(*w)
        else:
            r(*words)
        if words[0] == "PEXPIRE":
            time.sleep(0.03)
        want = r("GET", "k")
        is_((content(P), size(P), all_of(fd)), (want, want if want is None else len(want), b"first"), f"{' '.join(words)[:30]}: the new value for who opens it, the old one for who has it open")
        os.close(fd)
    r("FLUSHALL")
    for path, make, words, ask in (
        ("raw/hash.d/h/f", ["HSET", "h", "f", "1"], ["HINCRBY", "h", "f", "10"], ["HGET", "h", "f"]),
        ("raw/hash.d/h/f", ["HSET", "h", "f", "1"], ["HDEL", "h", "f"], ["HGET", "h", "f"]),
        ("raw/zset.d/z/m", ["ZADD", "z", "1", "m"], ["ZINCRBY", "z", "10", "m"], ["ZSCORE", "z", "m"]),
        ("raw/hash.d/h/f", ["HSET", "h", "f", "1"], ["DEL", "h"], ["HGET", "h", "f"]),
    ):
        r(*make)
        fd, paged = opened(path)
        old = all_of(fd)
        r(*words)
        want = r(*ask)
        is_((paged, content(path), all_of(fd)), (True, want and want + b"\n" * (path[4] == "z"), old), f"{' '.join(words)}: the same of a member")
        os.close(fd)
    fd = held(P)
    r("EXPIRE", "k", 100)
    is_((content(P), all_of(fd)), (b"first", b"first"), "an expiry alone changes nothing of it")
    os.close(fd)
    r("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    fd = held(P)
    r("CONFIG", "SET", "maxmemory", "1")
    r("SET", "more", "x")
    is_((r("EXISTS", "k"), content(P), all_of(fd)), (0, None, b"first"), "one that was evicted")
    r("CONFIG", "SET", "maxmemory", "0")
    os.close(fd)


def copied():
    fd = held(P)
    os.unlink(at("raw/string/copy")) if size("raw/string/copy") is not None else None

    def copy():
        out = os.open(at("raw/string/copy"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        while os.copy_file_range(fd, out, 1000):
            pass
        os.close(out)
        os.lseek(fd, 0, os.SEEK_SET)
        return r("GET", "copy")

    r("PEXPIRE", "k", 100000)
    os.close(fd)
    fd = opened(P)[0]
    is_((copy(), r("TTL", "copy") > 0), (b"first", True), "copy_file_range copies the key")
    r("SET", "k", "second")
    is_(copy(), b"first", "and what is open, when the key is another one by now")
    os.close(fd)


def bounded():
    r("FLUSHALL")
    for i in range(5000):
        r("SET", f"n{i}", f"value {i}")
    good = sum(content(f"raw/string/n{i}") == b"value %d" % i for i in range(5000))
    is_((good, 4000 < figure("mount_editions") <= 4096), (5000, True), "5000 files: no more than 4096 editions")
    for i in range(700):
        r("SET", f"b{i}", bytes([65 + i % 26]) * 60000)
    good = sum(content(f"raw/string/b{i}") == bytes([65 + i % 26]) * 60000 for i in range(700))
    is_((good, 30 << 20 < figure("mount_editions_bytes") <= 32 << 20), (700, True), "700 of 60 kB: no more than 32 MiB of them")
    fds = [opened(f"raw/string/b{i}")[0] for i in range(3)]
    r("FLUSHALL")
    is_((figure("mount_editions"), figure("mount_editions_bytes")), (3, 180000), "when all is gone, those that are open remain")
    for fd in fds:
        os.close(fd)
    limit = time.monotonic() + 5
    while figure("mount_editions") and time.monotonic() < limit:
        time.sleep(0.01)
    is_((figure("mount_editions"), figure("mount_editions_bytes")), (0, 0), "and nothing when they are closed")


# --- readers and writers at once ---

NAMES = ["raw/string/a", "raw/string/b", "string/c", "raw/hash.d/h/f"]


def read_some(rng, sock):
    paths, fds = [at(n) for n in NAMES], []
    while True:
        p = rng.choice(paths)
        what = rng.random()
        try:
            if what < 0.6:
                with open(p, "rb") as f:
                    f.read()
            elif what < 0.7:
                fds.append(os.open(p, os.O_RDONLY))
            elif what < 0.8 and fds:
                os.close(fds.pop(rng.randrange(len(fds))))
            elif what < 0.9 and fds:
                os.close(os.open(f"/proc/self/fd/{rng.choice(fds)}", os.O_RDONLY))
            elif fds:
                fd = rng.choice(fds)
                n = os.fstat(fd).st_size
                if len(os.pread(fd, n + 1, 0)) > n and n:
                    os.pread(fd, 1, 0)
                if n:
                    mmap.mmap(fd, n, mmap.MAP_SHARED, mmap.PROT_READ).close()
        except (FileNotFoundError, ValueError):  # gone; shorter by now
            pass
        while len(fds) > 20:
            os.close(fds.pop(0))
        yield


def write_some(rng, sock):
    paths, one = [at(n) for n in NAMES], Resp(sock)
    while True:
        p = rng.choice(paths)
        what = rng.randrange(9)
        data = bytes([rng.randrange(97, 123)]) * rng.randrange(1, 5000)
        try:
            if what == 0:
                with open(p, "wb") as f:
                    f.write(data)
            elif what == 1:
                with open(p, "ab") as f:
                    f.write(data[:10])
            elif what == 2:
                with open(p, "r+b") as f:
                    f.write(data[:20])
            elif what == 3:
                os.truncate(p, rng.randrange(1000))
            elif what == 4:
                os.utime(p)
                os.chmod(p, 0o644)
            elif what == 5:
                one("SET", rng.choice("abc"), data)
                one("HSET", "h", "f", data)
            elif what == 6 and rng.random() < 0.3:
                os.unlink(p)
            elif what == 7:
                other = os.path.join(os.path.dirname(p), ".new")
                with open(other, "wb") as f:
                    f.write(data)
                os.rename(other, p)
            else:
                time.sleep(rng.choice([0, 0.001, 0.02]))
        except FileNotFoundError:
            pass
        yield


def work(make, seed, sock, stop, count, out):
    try:
        for _ in make(random.Random(seed), sock):
            count.value += 1
            if stop.value:
                return
    except Exception as e:
        out.put(f"{make.__name__}: {type(e).__name__} {e}")


def stress(seconds):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"# seed {seed}", flush=True)
    for key in "abc":
        r("SET", key, "begin")
    r("HSET", "h", "f", "begin")
    out, stop = multiprocessing.SimpleQueue(), multiprocessing.Value("b", 0, lock=False)
    made = [read_some] * 3 + [write_some] * 3
    counts = [multiprocessing.Value("q", 0, lock=False) for _ in made]
    procs = [multiprocessing.Process(target=work, args=(m, seed + i, sys.argv[2], stop, c, out), daemon=True) for i, (m, c) in enumerate(zip(made, counts))]
    for p in procs:
        p.start()
    until = time.monotonic() + seconds
    while time.monotonic() < until and out.empty():
        time.sleep(0.1)
    stop.value = 1
    for p in procs:
        p.join(20)
    is_([p.is_alive() for p in procs], [False] * len(procs), "nobody hangs")
    said = []
    while not out.empty():
        said.append(out.get())
    is_(said, [], f"{sum(c.value for c in counts[:3])} steps of readers beside {sum(c.value for c in counts[3:])} of writers end without an error")
    is_((figure("mount_opens_redirected") > 100, figure("mount_editions_opened") > 100), (True, True), "many of whom were sent to another id")


if sys.argv[3:4] == ["stress"]:
    stress(float(sys.argv[4]))
else:
    for case in (keeps, shared, written, by_number, kinds, changed, copied, bounded):
        case()
end()
