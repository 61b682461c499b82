#!/usr/bin/python3
"""What a client was told is done, every file shows; and what a file took, every client gets. The kernel's caches are on.

    coherence.py MOUNT[,MOUNT...] SOCKET SECONDS [SEED]      COHERENCE_CHECKS=N: until so many checks instead

With several mounts of one server each look is at any of them, and each file is written through any.

Four writers have a pair of databases each. A writer does something over RESP, or to a file, waits for the answer, asks over RESP what is true now,
and looks at the mount: stat, lstat, listings, reading, handles opened long ago, now and then stat, cat and ls as processes of their own. Two
more processes look at everybody's names all the time, so that the kernel is about to learn something at every moment.
Then four processes make, move, remove and list the same few names, by system calls and with rm, touch, mv and ls -R, for a part of the
time (CROWD_SECONDS=N: so long), while two clients change the same keys; and none may stand still for longer than 20 seconds.
Prints ok and not ok lines.
"""
import errno
import multiprocessing
import os
import random
import socket
import stat
import subprocess
import sys
import time

WRITERS = 4
KEPT = bool(os.environ.get("KEPT"))  # an open file may show what it was opened with (-o pagecache)
KEYS = ["a", "b", "c", "long name", "k%25"]
NAMES = ["m", "n", "f1", "f2"]
TYPES = ["string", "list", "set", "zset", "hash", "stream"]


def decoded(name):
    return name.replace("%25", "%")


def pack(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Resp:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)
        self.f = self.s.makefile("rb")

    def __call__(self, *words):
        self.s.sendall(pack(*words))
        return self.reply()

    def many(self, packed, n):
        """@n commands at once, none of which fails."""
        self.s.sendall(packed)
        for _ in range(n):
            reply = self.reply()
            if isinstance(reply, RuntimeError):
                raise reply

    def reply(self):
        line = self.f.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.f.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        raise SystemExit(f"not RESP: {line!r}")


class Stale(Exception):
    pass


class Writer:
    def __init__(self, mounts, sock, which, seed):
        self.r = Resp(sock)
        self.rng = random.Random(seed * 100 + which)
        self.dbs = (1 + 2 * which, 2 + 2 * which)
        self.mounts = mounts
        self.db = None
        self.fds, self.opened = {}, {}
        self.checks = 0
        self.tool_due = 0
        self.history = []
        self.has_fields = not isinstance(self.r("HPTTL", "nothing", "FIELDS", 1, "f"), RuntimeError)
        self.has_scripts = not isinstance(self.r("EVAL", "return 1", 0), RuntimeError)

    # --- doing ---

    def select(self, db):
        if db != self.db:
            self.r("SELECT", db)
            self.db = db

    def path(self, kind, *names):
        top = self.rng.choice(["db/%d" % self.db, "db/%d" % self.db, "raw/db/%d" % self.db])
        return os.path.join(self.rng.choice(self.mounts), top, kind, *names)

    def text(self):
        return "".join(self.rng.choice("abcdefgh") for _ in range(self.rng.randrange(1, 30)))

    def say(self, *words):
        self.history.append(words)
        return self.r(*words)

    def by_resp(self, k):
        rng, name = self.rng, decoded(k)
        other, field, text = decoded(rng.choice(KEYS)), rng.choice(NAMES), self.text()
        if rng.random() < 0.15:
            self.say("DEL", name)
        todo = [
            lambda: self.say("SET", name, text),
            lambda: self.say("SET", name, text, "PX", 1000000),
            lambda: self.say("APPEND", name, text),
            lambda: self.say("SETRANGE", name, 5, text),
            lambda: self.say("INCR", "n"),
            lambda: self.say("DEL", name),
            lambda: self.say("UNLINK", name, other),
            lambda: self.say("GETDEL", name),
            lambda: self.say("RENAME", name, other),
            lambda: self.say("COPY", name, other, "REPLACE"),
            lambda: self.say("MOVE", name, self.dbs[self.dbs[0] == self.db]),
            lambda: self.say("RPUSH", name, text, text),
            lambda: self.say("LPOP", name),
            lambda: self.say("SADD", name, field, text),
            lambda: self.say("SREM", name, field),
            lambda: self.say("ZADD", name, 5, field),
            lambda: self.say("ZREM", name, field),
            lambda: self.say("HSET", name, field, text),
            lambda: self.say("HSET", name, field, text),
            lambda: self.say("HDEL", name, field),
            lambda: self.say("XADD", name, "*", "f", text),
            lambda: self.say("SUNIONSTORE", name, name, other),
            lambda: self.gone_soon(name),
            lambda: self.unit([("SET", name, text), ("DEL", other), ("HSET", "h", field, text)]),
            lambda: self.restored(name, other),
            lambda: self.script(name, text),
            lambda: self.field_gone_soon(field),
        ]
        rare = [
            lambda: self.say("FLUSHDB"),
            lambda: self.say("SWAPDB", *self.dbs),
        ]
        rng.choice(rare if rng.random() < 0.02 else todo)()

    def unit(self, commands):
        self.r("MULTI")
        for words in commands:
            self.r(*words)
        self.say("EXEC")

    def restored(self, name, other):
        payload = self.r("DUMP", name)
        if payload is not None:
            self.history.append(("RESTORE", other, "0", "...", "REPLACE"))
            self.r("RESTORE", other, 0, payload, "REPLACE")

    def script(self, name, text):
        if self.has_scripts:
            self.say("EVAL", "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], ARGV[1])", 1, name, text)

    def gone_soon(self, name):
        self.say("SET", name, "short", "PX", self.rng.randrange(1, 40))
        for kind in TYPES:
            self.look(kind, name.replace("%", "%25"))
        while self.r("EXISTS", name):
            pass

    def field_gone_soon(self, field):
        if not self.has_fields or isinstance(self.say("HSET", "h", field, "short"), RuntimeError):
            return
        self.say("HPEXPIRE", "h", self.rng.randrange(1, 40), "FIELDS", 1, field)
        self.look("hash", "h")
        self.look("hash.d", "h", field)
        while self.r("HEXISTS", "h", field):
            pass

    def by_file(self, k):
        rng = self.rng
        other, field, text = rng.choice(KEYS), rng.choice(NAMES), self.text()
        p = self.path("string", k)
        todo = [
            lambda: self.write(p, "w", text),
            lambda: self.write(p, "a", text),
            lambda: self.write(self.path("list", k), "a", text + "\n"),
            lambda: self.write(self.path("hash", k), "a", f"{field}\t{text}\n"),
            lambda: self.write(self.path("hash.d", k, field), "w", text),
            lambda: self.write(self.path("set.d", k, field), "a", ""),
            lambda: self.write(self.path("zset.d", k, field), "w", "7\n"),
            lambda: os.unlink(p),
            lambda: os.unlink(self.path("key", k)),
            lambda: os.unlink(self.path("hash.d", k, field)),
            lambda: os.unlink(self.path("set.d", k, field)),
            lambda: os.rename(p, os.path.join(os.path.dirname(p), other)),
            lambda: os.rename(p, os.path.join(os.path.dirname(p), ".hidden")),
            lambda: os.rename(os.path.join(os.path.dirname(p), ".hidden"), p),
            lambda: os.truncate(p, 3),
            lambda: self.write(self.path("hash", k), "w", f"x\t{text}\n"),
        ]
        self.drop_handles()
        n = rng.randrange(len(todo))
        self.history.append(("file", n, p))
        try:
            todo[n]()
        except OSError as e:
            self.history.append(("failed", str(e)))
            if e.errno in (errno.EIO, errno.ENOTCONN, errno.ESTALE):
                raise

    def write(self, path, mode, text):
        with open(path, mode) as f:
            f.write(text)

    # --- looking ---

    def look(self, kind, *names):
        try:
            return os.lstat(self.path(kind, *names)).st_size
        except FileNotFoundError:
            return None

    def expect(self, what, got, want):
        self.checks += 1
        if got != want:
            last = "\n".join("    " + repr(h) for h in self.history[-8:])
            raise Stale(f"db {self.db} {what}: the mount says {got!r}, it is {want!r}, after\n{last}")

    def size_of(self, name, kind):
        """What the view of that type has to show: its size, None for no such file, True for any."""
        if kind == "string":
            return self.r("STRLEN", name)
        if kind == "list":
            return sum(len(e) + 1 for e in self.r("LRANGE", name, 0, -1))
        if kind == "set":
            return sum(len(e) + 1 for e in self.r("SMEMBERS", name))
        if kind in ("hash", "zset"):
            return sum(len(e) + 1 for e in self.r(*(("HGETALL", name) if kind == "hash" else ("ZRANGE", name, 0, -1, "WITHSCORES"))))
        return True

    def handle(self, k):
        fd = self.fds.get((self.db, k))
        if fd is None:
            try:
                now = self.r("GET", decoded(k))
                fd = self.fds[self.db, k] = os.open(os.path.join(self.rng.choice(self.mounts), "raw/db/%d/string" % self.db, k), os.O_RDONLY)
            except FileNotFoundError:
                return None
            self.opened[fd] = now
        return fd

    def drop_handles(self):
        for fd in self.fds.values():
            os.close(fd)
        self.fds = {}

    def check(self, k):
        name = decoded(k)
        kind = self.r("TYPE", name)
        size = self.size_of(name, kind) if kind != "none" else None
        for view in self.rng.sample(TYPES, 4) + [kind]:
            if view == "none":
                continue
            got = self.look(view, k)
            if view == kind and size is True:
                self.expect(f"{view}/{k} is there", got is not None, True)
            elif view == kind == "string":
                content = open(self.path("string", k), "rb").read()
                value = self.r("GET", name)
                self.expect(f"string/{k}", content in (value, value + b"\n"), True)
                self.expect(f"size of string/{k}", got in (size, size + 1), True)
            else:
                self.expect(f"size of {view}/{k}", got, size if view == kind else None)
        self.expect(f"key/{k}", self.look("key", k) is not None, kind != "none")
        if kind != "none":
            self.expect(f"key/{k} leads to", os.readlink(self.path("key", k)), f"../{kind}/{k}")
        self.check_members(k, name, kind)
        if self.rng.random() < 0.3:
            for view in self.rng.sample(TYPES, 2):
                listed = sorted(n for n in os.listdir(self.path(view)) if n[0] != ".")
                want = sorted(n.decode().replace("%", "%25") for n in self.r("KEYS", "*") if self.r("TYPE", n) == view)
                self.expect(f"listing of {view}", listed, want)
        self.check_handle(k, name, kind, size)
        if time.monotonic() > self.tool_due:
            self.tool_due = time.monotonic() + 0.2
            self.check_tools(k, name, kind, size)

    def check_members(self, k, name, kind):
        field = self.rng.choice(NAMES)
        for view, ask in (("hash.d", "HEXISTS"), ("set.d", "SISMEMBER"), ("zset.d", "ZSCORE")):
            there = kind == view[:-2] and self.r(ask, name, field) not in (0, None)
            got = self.look(view, k, field)
            self.expect(f"{view}/{k}/{field} is there", got is not None, there)
            if there and view == "hash.d":
                n = self.r("HSTRLEN", name, field)
                self.expect(f"size of {view}/{k}/{field}", got in (n, n + 1), True)

    def check_handle(self, k, name, kind, size):
        fd = self.handle(k)
        if fd is None:
            self.expect(f"opening string/{k}", kind == "string", False)
            return
        try:
            got, content = os.fstat(fd).st_size, os.pread(fd, 1000, 0)
        except OSError:
            got = content = None
        if KEPT and content is not None and content == self.opened[fd]:
            self.expect(f"size of the handle of what string/{k} was", got, len(content))
        elif kind == "string":
            self.expect(f"size of the handle of string/{k}", got, size)
            self.expect(f"handle of string/{k}", content, self.r("GET", name))
        else:
            self.expect(f"handle of string/{k}", got, None)

    def check_tools(self, k, name, kind, size):
        p = os.path.join(self.rng.choice(self.mounts), "raw/db/%d/string" % self.db, k)
        out = subprocess.run(["cat", p], capture_output=True)
        self.expect(f"cat string/{k}", out.stdout if out.returncode == 0 else None, self.r("GET", name) if kind == "string" else None)
        out = subprocess.run(["stat", "-c", "%s", p], capture_output=True)
        self.expect(f"stat string/{k}", int(out.stdout) if out.returncode == 0 else None, size if kind == "string" else None)
        out = subprocess.run(["ls", os.path.dirname(p)], capture_output=True, text=True)
        self.expect(f"ls of string/ has {k}", k in out.stdout.split("\n"), kind == "string")

    def step(self):
        self.select(self.rng.choice(self.dbs))
        k = self.rng.choice(KEYS)
        self.check(self.rng.choice(KEYS))  # so that the kernel knows it
        (self.by_file if self.rng.random() < 0.3 else self.by_resp)(k)
        self.check(k)
        self.check(self.rng.choice(KEYS))


def write_and_check(mounts, sock, which, seed, until, enough, counts, beats, out):
    w = Writer(mounts, sock, which, seed)
    try:
        while time.monotonic() < until and counts[which] < enough:
            w.step()
            counts[which] = w.checks
            beats[which] += 1
    except Stale as e:
        out.put(f"writer {which}: {e}")
    except Exception as e:
        out.put(f"writer {which}: {type(e).__name__} {e}, after {w.history[-5:]}")


def gaze(mounts, which, seed, beats):
    """Look at everything without knowing what is true."""
    rng = random.Random(seed + 1000 + which)
    while True:
        db = rng.randrange(1, 2 * WRITERS + 1)
        top = os.path.join(rng.choice(mounts), rng.choice(["db/%d", "raw/db/%d"]) % db)
        kind = rng.choice(TYPES + ["key", "hash.d", "set.d"])
        p = os.path.join(top, kind, rng.choice(KEYS))
        if kind.endswith(".d") and rng.random() < 0.7:
            p = os.path.join(p, rng.choice(NAMES))
        try:
            os.stat(p)
            if rng.random() < 0.2 and not kind.endswith(".d"):
                with open(p, "rb") as f:
                    f.read()
        except OSError:
            pass
        beats[which] += 1


class Changer(Writer):
    """The writers' load on the crowd's keys; it looks at nothing."""

    def gone_soon(self, name):
        self.say("SET", name, "short", "PX", self.rng.randrange(1, 40))

    def field_gone_soon(self, field):
        if self.has_fields:
            self.say("HSET", "h", field, "short")
            self.say("HPEXPIRE", "h", self.rng.randrange(1, 40), "FIELDS", 1, field)


def change(mounts, sock, which, seed, until, beats):
    w = Changer(mounts, sock, 4, seed + which)  # databases 9 and 10
    while time.monotonic() < until:
        w.select(w.rng.choice((9, 9, 10)))
        for k in KEYS + ["s"]:
            w.by_resp(k)
        w.history.clear()
        beats[which] += 1
        time.sleep(0.001)


def tool(rng, a, b, top):
    words = rng.choice([["rm", "-rf", a], ["touch", a], ["mv", "-f", a, os.path.join(os.path.dirname(a), os.path.basename(b))], ["ls", "-R", top]])
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def crowd(mounts, which, seed, until, beats, out):
    """rm, touch, mv, ls -R, all on the same names."""
    rng = random.Random(seed + 2000 + which)
    where = [os.path.join(mount, d) for mount in mounts for d in ("db/9/string", "raw/db/9/string", "db/9/set.d/s")]
    allowed = {errno.ENOENT, errno.EEXIST, errno.ESTALE, errno.EINVAL, errno.ENOTEMPTY, errno.EBUSY}
    while time.monotonic() < until:
        a, b = (os.path.join(rng.choice(where), rng.choice(KEYS + [".dot"])) for _ in range(2))
        try:
            what = rng.randrange(100) // 19
            if what == 5:
                tool(rng, a, b, os.path.join(rng.choice(mounts), "db/9"))
            elif what == 0:
                os.close(os.open(a, os.O_CREAT | os.O_WRONLY))
            elif what == 1:
                os.unlink(a)
            elif what == 2:
                os.rename(a, os.path.join(os.path.dirname(a), os.path.basename(b)))
            elif what == 3:
                os.makedirs(rng.choice(where[2::3]), exist_ok=True)
                for _ in os.walk(os.path.join(rng.choice(mounts), "db/9")):
                    pass
            else:
                with open(a, "a") as f:
                    f.write("x")
        except OSError as e:
            if e.errno not in allowed:
                out.put(f"crowd {which}: {e}")
                return
        beats[which] += 1


def watch(procs, beats, names, until):
    """Until all of @procs have ended, or one of @names has stood still for 20 seconds: its name, and the longest pause of any."""
    longest = 0
    last, since = list(beats), [time.monotonic()] * len(beats)
    while any(p.is_alive() for p in procs):
        time.sleep(0.1)
        now = time.monotonic()
        for i, b in enumerate(beats):
            if b != last[i] or (i < len(procs) and not procs[i].is_alive()):
                last[i], since[i] = b, now
            longest = max(longest, now - since[i])
            if now - since[i] > 20:
                return names[i], longest
        if now > until + 60:
            return "all", longest
    return None, longest


def main():
    mounts, sock, seconds = sys.argv[1].split(","), sys.argv[2], float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    enough = int(os.environ.get("COHERENCE_CHECKS", "0"))
    print(f"# seed {seed}", flush=True)
    out = multiprocessing.Queue()
    counts = multiprocessing.Array("q", WRITERS, lock=False)
    beats = multiprocessing.Array("q", WRITERS + 2, lock=False)
    until = time.monotonic() + (36000 if enough else seconds * 0.75)
    procs = [multiprocessing.Process(target=write_and_check, args=(mounts, sock, i, seed, until, enough / WRITERS if enough else 1 << 60, counts, beats, out), daemon=True) for i in range(WRITERS)]
    lookers = [multiprocessing.Process(target=gaze, args=(mounts, WRITERS + i, seed, beats), daemon=True) for i in range(2)]
    for p in procs + lookers:
        p.start()
    hung, _ = watch(procs, beats, [f"writer {i}" for i in range(WRITERS)] + ["a looker"] * 2, until)
    for p in lookers:
        p.terminate()
    failures = []
    while not out.empty():
        failures.append(out.get())
    print(f"{'not ok' if failures or hung else 'ok'} {sum(counts)} looks at the mount show what clients know")
    if hung:
        print(f"not ok {hung} goes on")

    beats = multiprocessing.Array("q", 6, lock=False)
    until = time.monotonic() + float(os.environ.get("CROWD_SECONDS") or seconds * 0.25)
    procs = [multiprocessing.Process(target=crowd, args=(mounts, i, seed, until, beats, out), daemon=True) for i in range(4)]
    procs += [multiprocessing.Process(target=change, args=(mounts, sock, i, seed, until, beats), daemon=True) for i in (4, 5)]
    for p in procs:
        p.start()
    stuck, longest = watch(procs, beats, [f"crowd {i}" for i in range(4)] + ["a client"] * 2, until)
    if any(p.exitcode for p in procs):
        failures.append("one of the crowd ended with an error")
    while not out.empty():
        failures.append(out.get())
    print(f"{'not ok' if stuck else 'ok'} four that make, move, remove and list the same names go on ({sum(beats[:4])} steps, {sum(beats[4:])} rounds of changes by clients, longest pause {longest:.1f} s){': ' + stuck if stuck else ''}")
    for f in failures:
        print("not ok", f)
    sys.exit(1 if failures or hung or stuck else 0)


if __name__ == "__main__":
    main()
