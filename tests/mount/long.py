"""long.py MOUNT SOCKET ELEMENTS ROUNDS - views with many lines, while they change and while nobody does."""
import os
import socket
import sys
import threading
import time

MOUNT, SOCKET, ELEMENTS, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
failures = 0


def check(ok, what):
    global failures
    failures += not ok
    print("ok" if ok else "not ok", what, flush=True)


class Client:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(SOCKET)
        self.f = self.s.makefile("rb")

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.reply()

    def reply(self):
        line = self.f.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.f.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest


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
        for i in range(5):  # a busy machine may not let the client run
            fd = os.open(path(name), os.O_RDONLY)
            began = time.monotonic()
            os.pread(fd, 1, 0)
            ended = time.monotonic()
            os.close(fd)
            within = max(within, len([x for x in times if began < x < ended]))
            if within >= 5:
                break
        check(within >= 5, "%s: a client is served meanwhile (%d times)" % (name, within))
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


fill()
whole()
served()
parts()
names()
sys.exit(failures != 0)
