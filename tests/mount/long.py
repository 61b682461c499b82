"""long.py MOUNT SOCKET ELEMENTS ROUNDS - views with many lines, while they change and while nobody does."""
import os
import random
import re
import sys
import threading
import time

from coherence import Resp

MOUNT, SOCKET, ELEMENTS, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
SEED = int(os.environ.get("LONG_SEED") or random.randrange(1 << 30))
failures = 0


def check(ok, what):
    global failures
    failures += not ok
    print("ok" if ok else "not ok", what, flush=True)


class Client(Resp):
    """Here no error is expected."""

    def __init__(self):
        super().__init__(SOCKET)

    def __call__(self, *words):
        reply = super().__call__(*words)
        if isinstance(reply, RuntimeError):
            raise reply
        return reply


def path(*names):
    return os.path.join(MOUNT, *names)


def read(*names):
    with open(path(*names), "rb") as f:
        return f.read()


R = Client()


def elements():
    for i in range(ELEMENTS):
        # Some take a form of their own, some are long, one is very long.
        yield b"line\n%d" % i if i % 1000 == 1 else b"x" * 3000 + b"%d" % i if i % 1000 == 2 else b"element %d" % i
    yield b"y" * 3000000


def shown(s):
    return b"$'" + s.replace(b"\n", b"\\n") + b"'" if b"\n" in s else s


def fill():
    batch, at = [], 0

    def flush():
        R("RPUSH", "l", *batch)
        R("SADD", "s", *batch)
        R("HSET", "h", *[w for e in batch for w in (e, b"of " + e)])
        R("ZADD", "z", *[w for e in batch for w in (len(e), e)])
        R("EVAL", """for i = 2, #ARGV do
          redis.call('XADD', 'x', ARGV[1] + i .. '-1', 'f', ARGV[i])
        end""", 0, at, *batch)
        batch.clear()

    for e in elements():
        batch.append(e)
        if len(batch) == 500:
            flush()
            at += 500
    flush()


def whole():
    all = list(elements())
    want = {
        "list/l": b"".join(shown(e) + b"\n" for e in all),
        "stream/x": b"".join(b"%d-1\tf\t" % (i + 2) + shown(e) + b"\n" for i, e in enumerate(all)),
        "set/s": sorted(shown(e) + b"\n" for e in all),
        "hash/h": sorted(shown(e) + b"\t" + shown(b"of " + e) + b"\n" for e in all),
        "zset/z": sorted((b"%d\t" % len(e) + shown(e) + b"\n" for e in all),
                         key=lambda r: int(r.split(b"\t")[0])),
    }
    for name, text in want.items():
        size = os.stat(path(name)).st_size
        got = read(name)
        check(size == len(got), "%s: the size is what is read" % name)
        if name == "zset/z":
            order = [int(r.split(b"\t")[0]) for r in got.splitlines()]
            check(order == sorted(order), "%s: in order" % name)
            got, text = sorted(got.splitlines(True)), sorted(text)
        elif name not in ("list/l", "stream/x"):
            got = sorted(got.splitlines(True))
        check(got == text, "%s: every line once" % name)
        again = R("INFO", "commandstats").count(b"cmdstat_")
        check(os.stat(path(name)).st_size == size and again, "%s: the same size again" % name)


def served():
    """A client is answered while a size is found out and while a text is put together."""
    ping, stop, times = Client(), threading.Event(), []

    def run():
        while not stop.is_set():
            ping("PING")
            times.append(time.monotonic())

    t = threading.Thread(target=run)
    t.start()
    for name in ("list/l", "stream/x", "set/s", "hash/h", "zset/z"):
        within = 0
        for i in range(10):  # a busy machine may not let the client run
            fd = os.open(path(name), os.O_RDONLY)
            began = time.monotonic()
            os.pread(fd, 1, 0)
            ended = time.monotonic()
            os.close(fd)
            within = max(within, len([x for x in times if began < x < ended]))
            if within >= 3:
                break
        check(within >= 3, "%s: a client is served meanwhile (%d times)" % (name, within))
    stop.set()
    t.join()


def parts():
    """What changes as a whole is seen as a whole, and no older than what was answered before."""
    n = ELEMENTS // 5
    script = """redis.call('DEL', 'pl', 'ps', 'ph', 'pz', 'px')
    local g = ARGV[1]
    for i = 1, ARGV[2] do
      redis.call('RPUSH', 'pl', g) redis.call('SADD', 'ps', g .. ' ' .. i)
      redis.call('HSET', 'ph', i, g) redis.call('ZADD', 'pz', g, i)
      redis.call('XADD', 'px', i .. '-1', 'g', g)
    end"""
    state = {"acked": 0, "done": False}

    def write():
        c = Client()
        for g in range(1, ROUNDS + 1):
            c("EVAL", script, 0, g, n)
            state["acked"] = g
            time.sleep(0.05 if g % 3 else 0.4)
        state["done"] = True

    def generation(name, line):
        if name == "set/ps":
            return int(line.split(b" ")[0])
        return int(line.split(b"\t")[{"hash/ph": 1, "stream/px": 2}.get(name, 0)])

    torn, stale, rounds = [], [], 0
    t = threading.Thread(target=write)
    t.start()
    while not state["acked"]:
        time.sleep(0.01)
    while not state["done"]:
        for name in ("list/pl", "stream/px", "set/ps", "hash/ph", "zset/pz"):
            before = state["acked"]
            lines = read(name).splitlines()
            seen = {generation(name, l) for l in lines}
            rounds += 1
            if len(seen) != 1 or len(lines) != n:
                torn.append((name, len(lines), seen))
            elif min(seen) < before:
                stale.append((name, seen, before))
    t.join()
    check(not torn, "none of %d reads is of two values %s" % (rounds, torn[:3]))
    check(not stale, "none is older than what was answered %s" % stale[:3])


def names():
    """Names that move and go while they are read, and values that are flushed."""
    odd, stop = [], threading.Event()
    text = read("list/l")

    def follow(name):
        while not stop.is_set():
            try:
                fd = os.open(path("list", name), os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                got = b""
                while part := os.read(fd, 1 << 20):
                    got += part
                if got and not text.startswith(got) and not got.startswith(text):
                    odd.append(len(got))
                size = os.fstat(fd).st_size
                if size > len(text) + 100:
                    odd.append(size)
            except FileNotFoundError:
                pass
            except OSError as e:
                odd.append(e)
            finally:
                os.close(fd)

    threads = [threading.Thread(target=follow, args=(n,)) for n in ("l", "m", "l")]
    for t in threads:
        t.start()
    for i in range(ROUNDS):
        os.rename(path("list/l"), path("list/m"))
        time.sleep(0.02 * (i % 3))
        R("RENAME", "m", "l")
        time.sleep(0.02 * (i % 2))
        R("COPY", "l", "n")
        os.rename(path("list/n"), path("list/m"))
        os.unlink(path("list/m"))
    R("FLUSHALL")
    stop.set()
    for t in threads:
        t.join()
    check(not odd, "who reads a list that is moved sees all of it, or that it is not there %s" % odd[:3])


def grows():
    """A list that is appended to all the time is read in pieces all the same, up to what was there at the end."""
    n = ELEMENTS // 2
    R("EVAL", "for i = 0, ARGV[1] - 1 do redis.call('RPUSH', 'g', i) redis.call('XADD', 'gx', i + 1 .. '-1', 'f', i) end", 0, n)
    state, bad = {"acked": n}, []

    def write():
        c = Client()
        for i in range(n, n + ROUNDS * 250):
            c("RPUSH", "g", i)
            c("XADD", "gx", "%d-1" % (i + 1), "f", i)
            state["acked"] = i + 1
            time.sleep(0.001)

    t = threading.Thread(target=write)
    t.start()
    while t.is_alive():
        for name in ("list/g", "stream/gx"):
            before = state["acked"]
            got = [int(l.split(b"\t")[-1]) for l in read(name).splitlines()]
            if got != list(range(len(got))) or len(got) < before:
                bad.append((name, len(got), before))
            before = state["acked"]
            size = os.stat(path(name)).st_size
            if size < len("".join("%d\n" % i for i in range(before))):
                bad.append((name, size, before))
    t.join()
    check(not bad, "what grows while it is read is whole, and no older than what was answered %s" % bad[:3])


def follow():
    """Who follows a list is given what was appended, and whatever else happens to it is seen, too."""
    rng = random.Random(SEED)
    R("DEL", "f", "other")
    R("EVAL", "for i = 1, ARGV[1] do redis.call('RPUSH', 'f', 'element ' .. i) end", 0, ELEMENTS)
    fd = os.open(path("list/f"), os.O_RDONLY)

    def rest():
        got = []
        while part := os.read(fd, 1 << 20):
            got.append(part)
        return b"".join(got)

    def calls():
        text = R("INFO", "commandstats").decode()
        return int(re.search(r"cmdstat_lrange:calls=(\d+)", text)[1])

    rest()
    pieces, right = 0, True
    for i in range(20):
        R("RPUSH", "f", "more %d" % i, "and\n%d" % i)
        before = calls()
        size = os.fstat(fd).st_size
        right &= rest() == b"more %d\n$'and\\n%d'\n" % (i, i) and size == os.lseek(fd, 0, os.SEEK_CUR)
        pieces += calls() - before
    check(right, "what is appended to a list is what a reader at its end reads")
    check(pieces <= 60, "and that is all that is looked at (%d commands in 20 rounds)" % pieces)

    def text():
        return b"".join(shown(e) + b"\n" for e in R("LRANGE", "f", 0, -1))

    changes = [
        ["RPUSH", "f", "a", "b"], ["RPUSH", "f", "x" * 50], ["LPUSH", "f", "first"], ["LSET", "f", 0, "set"],
        ["LSET", "f", -1, "last"], ["RPOP", "f"], ["LPOP", "f", 2], ["LTRIM", "f", 1, -1], ["LINSERT", "f", "BEFORE", "a", "c"],
        ["LREM", "f", 1, "a"], ["LMOVE", "f", "f", "LEFT", "RIGHT"], ["RPOPLPUSH", "f", "f"], ["COPY", "f", "other", "REPLACE"],
        ["RENAME", "other", "f"], ["SORT", "f", "ALPHA", "STORE", "f"], ["EVAL", "redis.call('RPUSH', 'f', 'e') redis.call('LPOP', 'f')", 0],
        ["SWAPDB", 0, 0], ["TOUCH", "f"],
    ]
    R("LTRIM", "f", 0, 3000)
    wrong = []
    for i in range(ROUNDS * 25):
        done = rng.sample(changes[:2] * 4 + changes, rng.randint(1, 3))
        for words in done:
            try:
                R(*words)
            except RuntimeError:
                pass
        want = text()
        sizes = os.fstat(fd).st_size, os.stat(path("list/f")).st_size
        if rng.random() < 0.3:
            rest()
        got = os.pread(fd, len(want) + 100, 0)
        if sizes != (len(want), len(want)) or got != want:
            wrong.append((i, done, sizes, len(want), len(got)))
    os.close(fd)
    check(not wrong, "whatever happens to a list that is followed is seen (seed %d) %s" % (SEED, wrong[:2]))


fill()
whole()
served()
parts()
names()
grows()
follow()
sys.exit(failures != 0)
