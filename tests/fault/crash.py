#!/usr/bin/python3
"""Kills the server at random moments, and cuts the power of its disk, then looks for what it had promised.

    crash.py [--kills N] [--seed N] [--only WORDS]

Writers over RESP and through the mount write numbers, one after the other, in many forms: a string, a transaction, a script, a list, a
file. What was acknowledged is known; the server is ended by SIGKILL, started again from what the disk has (tests of a power cut: from what
disk.py says that it may have), and each writer's last number is looked for. Whatever is there must be whole: all of a transaction, all
of a file. "always" may have lost nothing that was acknowledged, "everysec" what is younger than two seconds, and a server that
only saves what came after its last good save. Prints one line "ok" or "not ok" a kind of run.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), HERE]

import disk  # noqa: E402
from resp import Closed, Conn  # noqa: E402
from servers import free_port, inodis_binary  # noqa: E402

GRACE = 2.0  # seconds that everysec may lose
READY = 60


def payload(n, most):
    """What goes with a number; its length and its bytes follow from the number."""
    length = n * 7919 % most
    return (str(n) + ":").encode() + (b"%d" % (n % 10)) * length


class Lost(Exception):
    pass


class Writer(threading.Thread):
    """Writes 1, 2, 3 ... until the server is gone. @times has when each was acknowledged."""

    def __init__(self, run, name, last=0):
        super().__init__(daemon=True)
        self.run_, self.label = run, name
        self.acked = self.tried = last
        self.times = {}
        self.failure = None

    def run(self):
        try:
            self.open()
            while True:
                self.tried = self.acked + 1
                self.write(self.tried)
                self.times[self.tried] = time.monotonic()
                self.acked = self.tried
        except (OSError, Closed):
            pass  # the server is gone
        except Exception as e:  # an answer that must not be
            self.failure = e
        finally:
            self.close()

    def open(self):
        self.conn = Conn(self.run_.port)

    def close(self):
        if getattr(self, "conn", None):
            self.conn.close()

    def promised(self, killed, policy):
        """The least number that must be there."""
        if policy == "always":
            return self.acked
        sure = [n for n, at in self.times.items() if at <= killed - GRACE]
        return max(sure, default=self.acked - len(self.times))


class StringWriter(Writer):
    most = 200

    def write(self, n):
        self.conn.do("SET", self.label, payload(n, self.most))

    def found(self, c):
        value = c.do("GET", self.label)
        if value is None:
            return 0
        n = int(value.split(b":")[0])
        if value != payload(n, self.most):
            raise Lost(f"{self.label} is torn: {len(value)} bytes of {n}")
        return n


class BigWriter(StringWriter):
    most = 60000


class UnitWriter(Writer):
    """Three keys in one transaction."""

    def write(self, n):
        c = self.conn
        for words in (["MULTI"], ["SET", self.label + ":a", n], ["RPUSH", self.label + ":l", n], ["SET", self.label + ":b", n], ["EXEC"]):
            c.send(*words)
        for _ in range(4):
            c.read()
        reply = c.read()
        if reply.error:
            raise Lost(f"EXEC: {reply.error}")

    def found(self, c):
        a, b, n = c.do("GET", self.label + ":a"), c.do("GET", self.label + ":b"), c.do("LLEN", self.label + ":l")
        if not int(a or 0) == int(b or 0) == n:
            raise Lost(f"{self.label}: a transaction is there in part: {a} {b} {n}")
        return n


class ScriptWriter(UnitWriter):
    """The same in one script."""

    code = "redis.call('SET', KEYS[1]..':a', ARGV[1]) redis.call('RPUSH', KEYS[1]..':l', ARGV[1]) redis.call('SET', KEYS[1]..':b', ARGV[1]) return 1"

    def write(self, n):
        self.conn.do("EVAL", self.code, 1, self.label, n)


class MoveWriter(Writer):
    """Ten elements in two lists; what is moved is in one of them."""

    def write(self, n):
        c = self.conn
        if n == 1:
            c.do("RPUSH", self.label + ":a", *range(10))
        else:
            c.do("LMOVE", self.label + ":" + "ab"[n % 2], self.label + ":" + "ba"[n % 2], "LEFT", "RIGHT")
            c.do("SET", self.label, n)

    def found(self, c):
        total = c.do("LRANGE", self.label + ":a", 0, -1) + c.do("LRANGE", self.label + ":b", 0, -1)
        if total and sorted(total) != [b"%d" % i for i in range(10)]:
            raise Lost(f"{self.label}: elements are lost or there twice: {total}")
        return int(c.do("GET", self.label) or bool(total))


class ManyWriter(Writer):
    """A hash, a sorted set, a stream, an expiry: each grows by one with each number."""

    def write(self, n):
        c, k = self.conn, self.label
        for words in (["HSET", k + ":h", n, n], ["ZADD", k + ":z", n, n], ["XADD", k + ":x", f"{n}-{time.time_ns()}", "n", n], ["SET", f"{k}:e", n, "EX", 1000]):
            c.send(*words)
        for _ in range(4):
            reply = c.read()
            if reply.error:
                raise Lost(f"{k}: {reply.error}")

    def found(self, c):
        k = self.label
        sizes = [c.do("HLEN", k + ":h"), c.do("ZCARD", k + ":z"), c.do("XLEN", k + ":x"), int(c.do("GET", k + ":e") or 0)]
        if max(sizes) - min(sizes) > 1:
            raise Lost(f"{k}: sizes differ: {sizes}")
        if sizes[3] and not 0 < c.do("TTL", k + ":e") <= 1000:
            raise Lost(f"{k}: the time to live is gone")
        n = min(sizes)
        if n != max(sizes):  # the next was under way: what of it is there is written again
            c.do("HDEL", k + ":h", n + 1)
            c.do("ZREM", k + ":z", n + 1)
            for entry in c.do("XRANGE", k + ":x", n + 1, "+"):
                c.do("XDEL", k + ":x", entry[0])
        return n


class FileWriter(Writer):
    """A file of the mount, written anew each time."""

    most = 20000

    def open(self):
        self.conn = None
        self.path = os.path.join(self.run_.mount, "string", self.label)

    def write(self, n):
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            data = payload(n, self.most)
            half = len(data) // 2
            os.write(fd, data[:half])
            os.write(fd, data[half:])
            os.fsync(fd)
        finally:
            os.close(fd)

    found = StringWriter.found


WRITERS = {"string": StringWriter, "big": BigWriter, "unit": UnitWriter, "script": ScriptWriter, "move": MoveWriter, "many": ManyWriter, "file": FileWriter}


class Saver(threading.Thread):
    """Saves again and again; @sure is what each writer had acknowledged before the last save that succeeded was begun."""

    def __init__(self, run, rnd):
        super().__init__(daemon=True)
        self.run_, self.rnd, self.sure = run, rnd, {}

    def run(self):
        try:
            with Conn(self.run_.port) as c:
                while True:
                    before = {w.label: w.acked for w in self.run_.writers}
                    if self.rnd.random() < 0.5:
                        c.do("SAVE")
                    else:
                        self.background(c)
                    self.sure = before
                    time.sleep(self.rnd.random() * 0.1)
        except (OSError, Closed):
            pass

    @staticmethod
    def background(c):
        c.do("BGSAVE")
        while b"rdb_bgsave_in_progress:1" in c.do("INFO", "persistence"):
            time.sleep(0.005)
        if b"rdb_last_bgsave_status:ok" not in c.do("INFO", "persistence"):
            raise Lost("BGSAVE failed")


class Disturber(threading.Thread):
    """Rewrites the log, saves, or kills the child that does."""

    def __init__(self, run, rnd):
        super().__init__(daemon=True)
        self.run_, self.rnd, self.pid = run, rnd, run.proc.pid

    def run(self):
        try:
            with Conn(self.run_.port) as c:
                while True:
                    c.call(self.rnd.choice(("BGREWRITEAOF", "BGREWRITEAOF", "BGSAVE")))
                    time.sleep(self.rnd.random() * 0.05)
                    if self.rnd.random() < 0.1:
                        self.kill_child()
        except (OSError, Closed):
            pass

    def kill_child(self):
        for child in children_of(self.pid):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Run:
    """One kind of run: a policy, and whether the disk loses its power with the server."""

    def __init__(self, work, policy, power, recorder, rnd):
        self.policy, self.power, self.recorder, self.rnd = policy, power, recorder, rnd
        self.work = work
        self.mount = None
        if os.access("/dev/fuse", os.R_OK | os.W_OK):
            self.mount = os.path.join(work, "mnt")
            os.mkdir(self.mount)
        self.generation = 0
        self.folder = os.path.join(work, "d0")
        os.mkdir(self.folder)
        self.proc = self.disk = None
        self.kinds = None
        self.last = {}
        self.log = os.path.join(work, "log")

    def start(self, wait=True):
        self.port = free_port()
        words = [inodis_binary(), "--port", str(self.port), "--dir", self.folder, "--enable-debug-command", "yes", "--save", "", "--daemonize", "no"]
        if self.policy != "save":
            words += ["--appendonly", "yes", "--appendfsync", self.policy, "--auto-aof-rewrite-min-size", "100kb"]
        if self.mount:
            words += ["--mount", self.mount]
        env = dict(os.environ)
        if self.power:
            self.disk = disk.Disk(self.folder)
            self.trace = os.path.join(self.work, f"trace{self.generation}")
            if os.path.exists(self.trace):
                os.unlink(self.trace)
            env.update(LD_PRELOAD=self.recorder, POWERCUT_DIR=self.folder, POWERCUT_TRACE=self.trace)
        with open(self.log, "ab") as out:
            self.proc = subprocess.Popen(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder, env=env)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        end = time.monotonic() + READY
        while time.monotonic() < end:
            if self.proc.poll() is not None:
                raise Lost(f"the server does not start: exit {self.proc.returncode}\n" + self.tail())
            try:
                with Conn(self.port, timeout=5) as c:
                    if not (c.call("PING").error or "").startswith("LOADING"):
                        return
            except (OSError, Closed):
                pass
            time.sleep(0.01)
        raise Lost("the server is not ready\n" + self.tail())

    def tail(self):
        with open(self.log, errors="replace") as f:
            return "".join(f.readlines()[-25:])

    def kill(self):
        """SIGKILL; with the power cut the disk is another one then."""
        children = children_of(self.proc.pid)
        self.proc.kill()
        self.proc.wait()
        self.proc = None
        for child in children:
            while os.path.exists(f"/proc/{child}") and not gone(child):
                time.sleep(0.002)
        if self.mount:
            subprocess.run(["umount", "-l", self.mount], stderr=subprocess.DEVNULL)
        if self.power:
            if os.path.exists(self.trace):  # not where it was killed before it did anything
                self.disk.feed(self.trace)
                os.unlink(self.trace)
            self.generation += 1
            old, self.folder = self.folder, os.path.join(self.work, f"d{self.generation}")
            self.disk.cut(self.folder, self.rnd)
            shutil.rmtree(old)

    def begin_writers(self):
        if self.kinds is None:
            with Conn(self.port) as c:
                scripts = c.do("COMMAND", "INFO", "eval") != [None]
                c.do("DEBUG", "POPULATE", 3000, "filler", 100)
            self.kinds = [k for k in WRITERS if (k != "script" or scripts) and (k != "file" or self.mount and not os.environ.get("NOFILE"))]
        self.writers = [WRITERS[k](self, k, self.last.get(k, 0)) for k in self.kinds]
        for w in self.writers:
            w.start()

    def round(self):
        """Write, kill, start again, look. Raises Lost."""
        rnd = self.rnd
        self.start()
        self.begin_writers()
        saver = Saver(self, rnd) if self.policy == "save" else None
        for thread in [saver] if saver else [Disturber(self, rnd)] if rnd.random() < 0.6 else []:
            thread.start()
        time.sleep(rnd.uniform(GRACE + 0.2, GRACE + 1.5) if self.policy == "everysec" and rnd.random() < 0.5 else rnd.uniform(0.02, 0.9))
        killed = time.monotonic()
        self.kill()
        for w in self.writers:
            w.join(timeout=30)
            if w.is_alive():
                raise Lost(f"{w.label} hangs")
            if w.failure:
                raise Lost(f"{w.label}: {w.failure}")
        if rnd.random() < 0.3:  # and once more, while it loads
            self.start(wait=False)
            time.sleep(rnd.uniform(0, 0.08))
            self.kill()
        self.start()
        with Conn(self.port) as c:
            for w in self.writers:
                self.look(w, c, killed, saver)
        self.stop()

    def look(self, w, c, killed, saver):
        found = w.found(c)
        least = saver.sure.get(w.label, self.last.get(w.label, 0)) if saver else w.promised(killed, self.policy)
        if not least <= found <= w.tried:
            raise Lost(f"{w.label}: {found} is there; acknowledged {w.acked}, promised {least}, tried {w.tried}\n" + self.tail())
        self.last[w.label] = found

    def stop(self):
        if self.policy == "save":  # what is found now is what the next round begins with
            with Conn(self.port) as c:
                c.do("SAVE")
        if self.proc:
            self.proc.terminate()
            if self.proc.wait(timeout=60) != 0:
                raise Lost("the server does not end well\n" + self.tail())
            self.proc = None

    def clean(self):
        if self.proc and self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        if self.mount:
            subprocess.run(["umount", "-l", self.mount], stderr=subprocess.DEVNULL)


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(c) for c in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def build_recorder(work):
    path = os.path.join(work, "recorder.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", path, os.path.join(HERE, "recorder.c"), "-ldl"], check=True)
    return path


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--kills", type=int, default=20)
    args.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    args.add_argument("--only", default="")
    args = args.parse_args()
    print(f"seed {args.seed}", flush=True)
    top = tempfile.mkdtemp(prefix="inodis-crash-")
    failed = 0
    try:
        recorder = build_recorder(top)
        runs = [(policy, power) for power in (False, True) for policy in ("always", "everysec", "save")]
        runs = [r for r in runs if args.only in f"{r[0]} {'power' if r[1] else 'kill'}"]
        for i, (policy, power) in enumerate(runs):
            kills = args.kills // len(runs) + (i < args.kills % len(runs))
            what = f"{policy}, {'power cut' if power else 'SIGKILL'}"
            work = os.path.join(top, f"run{i}")
            os.mkdir(work)
            # A sanitizer's run-time library wants to be the first that is loaded.
            if power and "asan" in inodis_binary():
                continue
            run = Run(work, policy, power, recorder, random.Random(f"{args.seed} {what}"))
            done = 0
            try:
                for done in range(kills):
                    run.round()
                print(f"ok - {kills} kills, {what}: nothing promised is missing, nothing is torn ({', '.join(f'{k} {n}' for k, n in run.last.items())})", flush=True)
            except (Lost, AssertionError) as e:
                failed += 1
                print(f"not ok - kill {done + 1} of {kills}, {what}: {e}", flush=True)
                if os.environ.get("KEEP"):
                    print(f"# kept in {work}")
            finally:
                run.clean()
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(top, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
