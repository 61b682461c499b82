#!/usr/bin/python3
"""The cost table: Inodis against redis-server, tmpfs and an empty FUSE file system, in one run, as Markdown on stdout.

    make bench        BENCH_SCALE=0.1 takes a tenth of the work, BENCH_ROUNDS=5 measures each pair five times (3),
                      BENCH_ROWS=set,memory only some rows (see ROWS)

Each pair is measured in turns, A B A B; a ratio is the median of the pairs' ratios, a figure the median of its own. Server cpu is what
/proc/PID/stat counts (utime + stime, all threads), divided by the commands. The load comes from redis-benchmark with one thread; load.c
fills where exact lengths matter. Nothing here asserts anything: a missed goal is a word in a column.
"""
import contextlib
import csv
import hashlib
import io
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), HERE]

import listing  # noqa: E402
import persistence  # noqa: E402
from resp import Conn  # noqa: E402
from servers import ROOT, Server  # noqa: E402

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
BUILD = os.path.join(ROOT, sys.argv[1] if len(sys.argv) > 1 else "build")
TICK = os.sysconf("SC_CLK_TCK")


def scaled(n, least=1000):
    return max(int(n * SCALE), least)


def note(text):
    print(text, file=sys.stderr, flush=True)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def begin(kind, *args):
    args = list(args)
    if kind == "inodis":
        os.environ["INODIS"] = os.path.join(BUILD, "inodis")
    # Redis's log and Inodis's are the same size of work: none.
    return Server(kind=kind, args=["--loglevel", "warning", *args])


class Table:
    def __init__(self):
        self.rows = []

    def line(self, row, measure, reference, own, ratio=None, goal=None, reached=None):
        self.rows.append([row, measure, reference, own, "" if ratio is None else f"{ratio:.2f}", goal or "",
                          "" if reached is None else "yes" if reached else "**no**"])
        note("    " + " | ".join(c for c in self.rows[-1] if c))

    def show(self, head):
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for row in self.rows:
            print("| " + " | ".join(row) + " |")
        print(flush=True)


def middle(values):
    return statistics.median(values)


# --- rows that redis-benchmark makes -------------------------------------------------------------------

def redis_benchmark(server, n, *words):
    before = cpu_seconds(server.pid)
    out = subprocess.run(["redis-benchmark", "-p", str(server.port), "--csv", "-n", str(n), *words], capture_output=True, text=True, check=True).stdout
    cpu = cpu_seconds(server.pid) - before
    line = list(csv.DictReader(io.StringIO(out)))[-1]
    return {"cpu": cpu / n * 1e6, "rps": float(line["rps"]), "p50": float(line["p50_latency_ms"]), "p99": float(line["p99_latency_ms"])}


def compared(table, row, servers, n, words, cpu_goal=None, rps_goal=None):
    """Rounds of redis, Inodis; the lines of one row."""
    note(f"{row}: {n} commands, {ROUNDS} rounds")
    seen = {"redis": [], "inodis": []}
    for _ in range(ROUNDS):
        for kind in ("redis", "inodis"):
            seen[kind].append(redis_benchmark(servers[kind], n, *words))

    def ratio(what):
        return middle([i[what] / r[what] if r[what] else 0 for r, i in zip(seen["redis"], seen["inodis"])])

    def figures(what, form):
        return [form(middle([m[what] for m in seen[kind]])) for kind in ("redis", "inodis")]

    r = ratio("cpu")
    table.line(row, "server cpu a command", *figures("cpu", lambda v: f"{v:.2f} us"), r, f"{cpu_goal:.2f} x" if cpu_goal else None, r <= cpu_goal if cpu_goal else None)
    r = ratio("rps")
    table.line("", "commands a second", *figures("rps", lambda v: f"{v / 1000:,.0f} k"), r, f"{rps_goal:.0f} x" if rps_goal else None, r >= rps_goal if rps_goal else None)
    for what in ("p50", "p99"):
        table.line("", what, *figures(what, lambda v: f"{v:.3f} ms"), ratio(what))


def both(*args):
    return {"redis": begin("redis", *args), "inodis": begin("inodis", *args)}


def end(servers):
    for s in servers.values():
        s.stop(check=False)
        s.discard()


def row_set(table):
    s = both()
    compared(table, "SET, no pipeline, c=50", s, scaled(300_000), ["-t", "set", "-c", "50"], cpu_goal=0.90)
    end(s)


def row_pipeline(table):
    s = both()
    for server in s.values():
        redis_benchmark(server, scaled(4_000_000), "-t", "set", "-c", "50", "-P", "16", "-r", str(scaled(1_000_000)), "-d", "32")
    words = ["-c", "50", "-P", "16", "-r", str(scaled(1_000_000)), "-d", "32"]
    compared(table, "SET, pipeline 16, a million random keys", s, scaled(3_000_000), ["-t", "set", *words], cpu_goal=0.50)
    compared(table, "GET, pipeline 16, a million random keys", s, scaled(3_000_000), ["-t", "get", *words], cpu_goal=0.50)
    end(s)


def row_pipeline100(table):
    s = both()
    compared(table, "SET, pipeline 100", s, scaled(5_000_000), ["-t", "set", "-c", "50", "-P", "100"], cpu_goal=0.40)
    end(s)


def row_zadd(table):
    s = both()
    words = ["-t", "zadd", "-c", "50", "-P", "16", "-r", str(scaled(1_000_000))]
    for server in s.values():
        redis_benchmark(server, scaled(3_000_000), *words)
    compared(table, "ZADD, pipeline 16, a million members", s, scaled(1_000_000), words, rps_goal=2)
    end(s)


def row_one(table):
    s = both()
    compared(table, "one client, no pipeline (SET)", s, scaled(60_000), ["-t", "set", "-c", "1"], rps_goal=2)
    end(s)


# --- memory and stalls ---------------------------------------------------------------------------------

def load(server, what, count, batch=100):
    out = subprocess.run([os.path.join(BUILD, "bench/load"), str(server.port), what, str(count), str(batch)], capture_output=True, text=True, check=True).stdout
    seconds, slowest, errors = out.split()
    if errors != "0":
        raise SystemExit(f"load {what}: {errors} errors from {server.kind}")
    return float(seconds), float(slowest)


def used(server):
    return int(server.info()["used_memory"])


def memory(table, row, what, count, goal):
    note(f"{row}: {count}")
    result = {}
    for kind in ("redis", "inodis"):
        s = begin(kind)
        u, r = used(s), s.rss()
        load(s, what, count)
        time.sleep(1)
        result[kind] = ((used(s) - u) / count, (s.rss() - r) / count)
        end({kind: s})
    for i, measure in enumerate(("used_memory", "RSS")):
        ref, own = result["redis"][i], result["inodis"][i]
        table.line(row if not i else "", measure, f"{ref:.1f} B", f"{own:.1f} B", own / ref, f"{goal} B", own <= goal)


def row_memory(table):
    memory(table, "memory a key: 11-byte keys, 32-byte values, 5 M", "strings", scaled(5_000_000), 75)


def row_zmemory(table):
    memory(table, "memory a member: sorted set, 20-byte members, 1 M", "zset", scaled(1_000_000), 60)


def row_stall(table):
    count = scaled(10_000_000)
    note(f"slowest single command while {count} keys are inserted")
    result = {}
    for kind in ("redis", "inodis"):
        s = begin(kind, "--slowlog-log-slower-than", "100", "--slowlog-max-len", "100000")
        _, slowest = load(s, "strings", count, 10)
        with s.conn() as c:
            entries = c.do("SLOWLOG", "GET", "-1")
        result[kind] = (max((e[2] for e in entries), default=0) / 1000, slowest / 1000)
        end({kind: s})
    for i, measure in enumerate(("slowest command, by the slow log", "slowest round trip of 10, seen by the client")):
        ref, own = result["redis"][i], result["inodis"][i]
        show = [f"{v:.2f} ms" if v else "< 0.1 ms" for v in (ref, own)]
        table.line(f"inserting {count / 1e6:g} M keys" if not i else "", measure, *show, own / ref if ref else None, "5 ms", own < 5)


def timed_save(server):
    with server.conn(timeout=600) as c:
        began = time.monotonic()
        c.do("SAVE")
        return time.monotonic() - began


def timed_start(server):
    """Seconds that loading takes, by the server's own word."""
    server.stop(check=False)
    server.start(wait=False)
    seen = server.log().count("Ready to accept")
    while server.log().count("Ready to accept") == seen:
        time.sleep(0.05)
    return float(re.findall(r"DB loaded from disk: ([0-9.]+) seconds", server.log())[-1])


def row_save(table):
    count = scaled(5_000_000)
    note(f"SAVE and load of {count} keys, {ROUNDS} rounds")
    s = both("--loglevel", "notice")
    for kind in s:
        load(s[kind], "strings", count)
    for row, measure, what in ((f"snapshot of {count / 1e6:g} M keys", "SAVE, keys a second", timed_save), ("", "load, keys a second", timed_start)):
        seen = {kind: [] for kind in s}
        for _ in range(ROUNDS):
            for kind in ("redis", "inodis"):
                seen[kind].append(count / what(s[kind]))
        r = middle([i / r for r, i in zip(seen["redis"], seen["inodis"])])
        table.line(row, measure, *[f"{middle(seen[kind]) / 1e6:.2f} M" for kind in ("redis", "inodis")], r, "3 x", r >= 3)
    end(s)


def row_idle(table):
    n = scaled(10_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(n, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(n + 500, hard)), hard))
    note(f"{n} idle connections")
    result = {}
    for kind in ("redis", "inodis"):
        s = begin(kind, "--maxclients", str(n + 50))
        r = s.rss()
        with s.conn() as c:
            u = int(s.info(c)["used_memory"])
            conns = []
            for _ in range(n):
                o = Conn(s.port)
                o.send_raw(b"*1\r\n$4\r\nPING\r\n")
                conns.append(o)
            for o in conns:
                o.read()
            time.sleep(5)
            result[kind] = ((int(s.info(c)["used_memory"]) - u) / n, (s.rss() - r) / n)
            for o in conns:
                o.close()
        end({kind: s})
    for i, measure in enumerate(("used_memory each", "RSS each")):
        ref, own = result["redis"][i], result["inodis"][i]
        table.line(f"{n:,} idle connections" if not i else "", measure, f"{ref:.0f} B", f"{own:.0f} B", own / ref, "1 x", own < ref)


# --- one long command after the other ------------------------------------------------------------------

def fill(server, calls, batch=500):
    """Send the calls in batches; each is a list of words."""
    with server.conn(timeout=600) as c:
        waiting = 0
        for words in calls:
            c.send(*words)
            waiting += 1
            if waiting == batch:
                for _ in range(waiting):
                    c.read()
                waiting = 0
        for _ in range(waiting):
            c.read()


END = b"all of it has come"


def timed_command(server, words, times):
    """Seconds and server cpu of the command, in milliseconds each."""
    with server.conn(timeout=600) as c:
        cpu, began = cpu_seconds(server.pid), time.monotonic()
        for _ in range(times):
            c.send(*words)
            c.send("ECHO", END)
            # Replies are not looked at: that would take longer than making them.
            last = b""
            while not last.endswith(END + b"\r\n"):
                last = (last + c.sock.recv(1 << 20))[-64:]
        wall = time.monotonic() - began
        return {"wall": wall * 1000 / times, "cpu": (cpu_seconds(server.pid) - cpu) * 1000 / times}


def long_command(table, row, servers, words, times, goal=1.0):
    note(f"{row}: {times} times, {ROUNDS} rounds")
    seen = {"redis": [], "inodis": []}
    for kind in ("redis", "inodis"):
        timed_command(servers[kind], words, 1)
    for _ in range(ROUNDS):
        for kind in ("redis", "inodis"):
            seen[kind].append(timed_command(servers[kind], words, times))
    for what, measure in (("cpu", "server cpu"), ("wall", "time, seen by the client")):
        r = middle([i[what] / r[what] if r[what] else 0 for r, i in zip(seen["redis"], seen["inodis"])])
        table.line(row if what == "cpu" else "", measure, *[f"{middle([m[what] for m in seen[k]]):.2f} ms" for k in ("redis", "inodis")], r,
                   f"{goal:.2f} x" if what == "cpu" else None, r <= goal if what == "cpu" else None)


def chunks(words, each, head):
    """Calls that begin with @head and take @each of the words."""
    words = list(words)
    for i in range(0, len(words), each):
        yield [*head, *words[i : i + each]]


def row_xadd(table):
    s = both()
    compared(table, "XADD, pipeline 16", s, scaled(1_000_000), ["-c", "50", "-P", "16", "XADD", "stream", "*", "field", "a value of 32 bytes, more or less"], cpu_goal=1)
    compared(table, "XADD MAXLEN ~ 1000, pipeline 16", s, scaled(1_000_000), ["-c", "50", "-P", "16", "XADD", "capped", "MAXLEN", "~", "1000", "*", "field", "value"], cpu_goal=1)
    for server in s.values():
        fill(server, [["XGROUP", "CREATE", "stream", "group", "0"]])
    compared(table, "XREADGROUP COUNT 10, pipeline 16", s, scaled(100_000) // ROUNDS, ["-c", "50", "-P", "16", "XREADGROUP", "GROUP", "group", "consumer", "COUNT", "10", "STREAMS", "stream", ">"], cpu_goal=1)
    end(s)


def row_evalsha(table):
    s = both()
    script = "return redis.call('incrby', KEYS[1], ARGV[1])"
    sha = hashlib.sha1(script.encode()).hexdigest()
    for server in s.values():
        fill(server, [["SCRIPT", "LOAD", script]])
    compared(table, "EVALSHA of one INCRBY, pipeline 16", s, scaled(1_000_000), ["-c", "50", "-P", "16", "-r", "100000", "EVALSHA", sha, "1", "key:__rand_int__", "2"], cpu_goal=1)
    end(s)


def row_pfadd(table):
    s = both()
    compared(table, "PFADD, pipeline 16", s, scaled(1_000_000), ["-c", "50", "-P", "16", "-r", "100000000", "PFADD", "hll", "__rand_int__"], cpu_goal=1)
    for server in s.values():
        fill(server, [["PFADD", f"hll{i}", *range(i * 1000, i * 1000 + 5000)] for i in range(3)])
    compared(table, "PFCOUNT of one key, pipeline 16", s, scaled(500_000), ["-c", "50", "-P", "16", "PFCOUNT", "hll"], cpu_goal=1)
    compared(table, "PFCOUNT of three keys, pipeline 16", s, scaled(20_000), ["-c", "50", "-P", "16", "PFCOUNT", "hll0", "hll1", "hll2"], cpu_goal=1)
    end(s)


def row_lrange(table):
    s = both()
    for server in s.values():
        fill(server, chunks((f"element:{i:012}" for i in range(600)), 100, ["RPUSH", "list"]))
    for n in (100, 600):
        compared(table, f"LRANGE of {n}, pipeline 16", s, scaled(3_000_000) // n, ["-c", "50", "-P", "16", "LRANGE", "list", "0", str(n - 1)], cpu_goal=1)
    end(s)


def row_sets(table):
    s, n = both(), scaled(1_000_000)
    for server in s.values():
        fill(server, chunks((f"member:{i}" for i in range(n)), 100, ["SADD", "a"]))
        fill(server, chunks((f"member:{i}" for i in range(n * 9 // 10, n * 19 // 10)), 100, ["SADD", "b"]))
        fill(server, chunks(range(n), 100, ["SADD", "i"]))
        fill(server, chunks(range(n // 2, n * 3 // 2), 100, ["SADD", "j"]))
    million = f"{n / 1e6:g} M"
    long_command(table, f"SINTER of two sets of {million}, a tenth in both", s, ["SINTER", "a", "b"], 3)
    long_command(table, f"SINTERSTORE of two sets of {million} integers, half in both", s, ["SINTERSTORE", "d", "i", "j"], 3)
    long_command(table, f"SUNIONSTORE of two sets of {million}", s, ["SUNIONSTORE", "d", "a", "b"], 2)
    end(s)


def row_zunion(table):
    s, n = both(), scaled(1_000_000)
    for server in s.values():
        for key, start in (("a", 0), ("b", n // 2)):
            fill(server, chunks((w for i in range(start, start + n) for w in (i * 7919 % n, f"member:{i}")), 200, ["ZADD", key]))
    million = f"{n / 1e6:g} M"
    long_command(table, f"ZUNIONSTORE of two sorted sets of {million}, half in both", s, ["ZUNIONSTORE", "d", 2, "a", "b"], 2)
    long_command(table, f"ZINTERSTORE of the same", s, ["ZINTERSTORE", "d", 2, "a", "b"], 2)
    long_command(table, f"ZRANGESTORE of one", s, ["ZRANGESTORE", "d", "a", 0, -1], 2)
    end(s)


def row_sort(table):
    s, n = both(), scaled(100_000)
    for server in s.values():
        fill(server, chunks((i * 7919 % n for i in range(n)), 100, ["RPUSH", "list"]))
        fill(server, [["SET", f"weight_{i}", i * 104729 % n] for i in range(n)])
    count = f"{n:,}"
    long_command(table, f"SORT of {count} numbers", s, ["SORT", "list"], 5)
    long_command(table, f"SORT ALPHA of {count} words", s, ["SORT", "list", "ALPHA"], 5)
    long_command(table, f"SORT BY of {count}, LIMIT 0 100", s, ["SORT", "list", "BY", "weight_*", "LIMIT", 0, 100], 5)
    long_command(table, f"SORT STORE of {count} numbers", s, ["SORT", "list", "STORE", "d"], 5)
    end(s)


def row_geo(table):
    s, n = both(), scaled(500_000)
    for server in s.values():
        fill(server, chunks((w for i in range(n) for w in (f"{i * 0.6180339887 % 1 * 20:.6f}", f"{40 + i * 0.7548776662 % 1 * 10:.6f}", f"place:{i}")), 300, ["GEOADD", "geo"]))
    for km, times in ((5, 100_000), (100, 3_000)):
        compared(table, f"GEOSEARCH {km} km among {n:,}, pipeline 16", s, scaled(times), ["-c", "50", "-P", "16", "GEOSEARCH", "geo", "FROMLONLAT", "10", "45", "BYRADIUS", str(km), "km", "ASC"], cpu_goal=1)
    compared(table, "GEOADD, pipeline 16", s, scaled(300_000), ["-c", "50", "-P", "16", "-r", "100000", "GEOADD", "more", "10.__rand_int__", "45", "m:__rand_int__"], cpu_goal=1)
    end(s)


def row_publish(table):
    n = scaled(20_000)
    note(f"PUBLISH to 100 subscribers: {n} messages, {ROUNDS} rounds")
    s, seen = both(), {"redis": [], "inodis": []}
    for _ in range(ROUNDS):
        for kind in ("redis", "inodis"):
            cpu = cpu_seconds(s[kind].pid)
            seconds, _slowest = load(s[kind], "publish", n, 16)
            seen[kind].append({"cpu": (cpu_seconds(s[kind].pid) - cpu) / n * 1e6, "wall": seconds / n * 1e6})
    for what, measure in (("cpu", "server cpu a message"), ("wall", "time a message, until all have it")):
        r = middle([i[what] / r[what] for r, i in zip(seen["redis"], seen["inodis"])])
        table.line("PUBLISH to 100 subscribers, pipeline 16" if what == "cpu" else "", measure, *[f"{middle([m[what] for m in seen[k]]):.1f} us" for k in ("redis", "inodis")], r,
                   "1.00 x" if what == "cpu" else None, r <= 1 if what == "cpu" else None)
    end(s)


# --- the mount -----------------------------------------------------------------------------------------

OPS = {"stat": "stat", "read": "read 32 bytes of an open file", "open": "open, read, close"}


def fsloop(op, path, count):
    out = subprocess.run([os.path.join(BUILD, "bench/fsloop"), op, path, str(count)], capture_output=True, text=True, check=True).stdout
    return float(out) / 1000


def wait_for(path, seconds=20):
    limit = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > limit:
            raise SystemExit(f"{path} did not appear")
        time.sleep(0.02)


class EmptyFs:
    def __init__(self, where, busy, names=0, order=""):
        os.makedirs(where, exist_ok=True)
        listed = [str(names), order] if order else [str(names)]
        self.proc = subprocess.Popen([os.path.join(BUILD, "bench/emptyfs"), where, str(busy), *listed])
        self.path = os.path.join(where, "dir/file")
        self.names = os.path.join(where, "names")
        wait_for(self.path)

    def stop(self):
        self.proc.terminate()
        self.proc.wait(20)


TURNS = 10


def in_turns(op, *measured):
    """Microseconds an operation, for each (path, count): many short runs in turn, since what else the machine does comes and goes."""
    return [tuple(fsloop(op, path, max(count // TURNS, 100)) for path, count in measured) for _ in range(ROUNDS * TURNS)]


def mount_rows(table, state, inodis_busy, empty_busy, folder):
    """One state of the engine: its three operations on tmpfs, on the empty file system and on Inodis."""
    shm = os.path.join("/dev/shm", f"inodis-bench-{os.getpid()}")
    with open(shm, "wb") as f:
        f.write(b"x" * 32)
    empty = EmptyFs(os.path.join(folder, f"empty-{empty_busy}"), empty_busy)
    mnt = os.path.join(folder, f"mnt-{inodis_busy}")
    os.makedirs(mnt)
    own = begin("inodis", "--mount", mnt, "--mount-options", "nocache", "--busy-poll-usec", str(inodis_busy))
    with own.conn() as c:
        c.do("SET", "file", b"x" * 32)
    path = os.path.join(mnt, "string/file")
    wait_for(path)
    count = scaled(20_000)
    for op, words in OPS.items():
        seen = in_turns(op, (shm, count * 20), (empty.path, count), (path, count))
        ratio = middle([o / e for _, e, o in seen])
        tmpfs, blank, mine = (middle([s[i] for s in seen]) for i in range(3))
        table.rows.append([f"{words}, {state}", f"{tmpfs:.2f} us", f"{blank:.1f} us", f"{mine:.1f} us", f"{mine / tmpfs:.0f}", f"{ratio:.2f}", "1.15 x the empty one", "yes" if ratio <= 1.15 else "**no**"])
        note("    " + " | ".join(table.rows[-1]))
    end({"inodis": own})
    empty.stop()
    os.unlink(shm)


@contextlib.contextmanager
def small_value(mnt, *options):
    """(a directory of tmpfs, a mount), both with string/file of 32 bytes."""
    shm = f"/dev/shm/inodis-bench-{os.getpid()}"
    os.makedirs(os.path.join(shm, "string"))
    with open(os.path.join(shm, "string/file"), "wb") as f:
        f.write(b"x" * 32)
    os.makedirs(mnt)
    own = begin("inodis", "--mount", mnt, *options)
    with own.conn() as c:
        c.do("SET", "file", b"x" * 32)
    wait_for(os.path.join(mnt, "string/file"))
    yield shm, mnt
    end({"inodis": own})
    shutil.rmtree(shm)


def hot_row(table, folder):
    """A small value that is opened and read again and again, as mounts are when nothing else is said; tmpfs at the same depth."""
    with small_value(os.path.join(folder, "mnt-hot")) as (shm, mnt):
        path = os.path.join(mnt, "string/file")
        count = scaled(20_000)
        seen = in_turns("open", (os.path.join(shm, "string/file"), count * 20), (path, count))
        ratio = middle([o / t for t, o in seen])
        tmpfs, mine = (middle([s[i] for s in seen]) for i in range(2))
        table.rows.append(["open, read, close, engine awake, name from the kernel's cache", f"{tmpfs:.2f} us", "", f"{mine:.1f} us", f"{ratio:.1f}", "", "8 x tmpfs", "yes" if ratio <= 8 else "**no**"])
        note("    " + " | ".join(table.rows[-1]))


def paged_rows(table, folder):
    """The same value on a mount with -o pagecache, after it was opened often enough to be read from the kernel's pages."""
    with small_value(os.path.join(folder, "mnt-paged"), "--mount-options", "pagecache") as (shm, mnt):
        path = os.path.join(mnt, "string/file")
        for _ in range(40):
            with open(path, "rb"):
                time.sleep(0.01)
        count = scaled(20_000)
        for op, times, most in (("read", 20, 1.5), ("open", 1, 8)):
            seen = in_turns(op, (os.path.join(shm, "string/file"), count * 20), (path, count * times))
            ratio = middle([o / t for t, o in seen])
            tmpfs, mine = (middle([s[i] for s in seen]) for i in range(2))
            table.rows.append([f"{OPS[op]}, -o pagecache", f"{tmpfs:.2f} us", "", f"{mine:.2f} us", f"{ratio:.2f}", "", f"{most:g} x tmpfs", "yes" if ratio <= most else "**no**"])
            note("    " + " | ".join(table.rows[-1]))


def cached_rows(table, folder):
    """What the kernel answers by itself, against tmpfs at the same depth."""
    with small_value(os.path.join(folder, "mnt-cached")) as (shm, mnt):
        for op, name, words in (("stat", "file", "stat"), ("missing", "nothing", "stat of a name that is not there")):
            seen = [tuple(fsloop(op, os.path.join(top, "string", name), scaled(400_000)) for top in (shm, mnt)) for _ in range(ROUNDS)]
            ratio = middle([o / t for t, o in seen])
            tmpfs, mine = (middle([s[i] for s in seen]) for i in range(2))
            table.rows.append([f"{words}, from the kernel's cache", f"{tmpfs:.2f} us", "", f"{mine:.2f} us", f"{ratio:.2f}", "", "1.5 x tmpfs", "yes" if ratio <= 1.5 else "**no**"])
            note("    " + " | ".join(table.rows[-1]))


def resident(server, what="VmRSS"):
    with open(f"/proc/{server.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what)) / 1024


def big_rows(table, folder):
    """A value of 256 MB to a name that is new and from it, in pieces as cp makes them, and of 128 KiB; and what memory that takes."""
    mib, shm = scaled(256, least=16), f"/dev/shm/inodis-bench-{os.getpid()}"
    mnt = os.path.join(folder, "mnt-big")
    os.makedirs(mnt)
    own = begin("inodis", "--mount", mnt)
    path = os.path.join(mnt, "string/big")
    wait_for(os.path.join(mnt, "string"))
    idle = resident(own)
    for pieces, words in (("", "as cp does"), ("128", "128 KiB at once")):
        seen = []
        for _ in range(ROUNDS * 2 + 1):
            seen.append([fsloop(op + pieces, where, mib) for op in ("put", "get") for where in (shm, path)])
            for where in (shm, path):
                os.unlink(where)
            time.sleep(0.2)
        seen = seen[1:]  # memory that the machine had not used before
        for i, what in ((0, "write"), (2, "read")):
            ratio = middle([s[i] / s[i + 1] for s in seen])
            tmpfs, mine = (middle([1048.576e3 / s[i + k] for s in seen]) for k in range(2))
            table.rows.append([f"sequential {what} of {mib} MiB, {words}", f"{tmpfs:,.0f} MB/s", "", f"{mine:,.0f} MB/s", f"{ratio:.2f} of its speed", "", "0.5 x tmpfs", "yes" if ratio >= 0.5 else "**no**"])
            note("    " + " | ".join(table.rows[-1]))
    most = resident(own, "VmHWM") - idle
    table.rows.append([f"the server's memory meanwhile, for {mib} MiB", "", "", f"{most:.0f} MiB", "", "", "the value once", "yes" if most < mib * 1.1 else "**no**"])
    note("    " + " | ".join(table.rows[-1]))
    end({"inodis": own})


BESIDE = (  # what is stat'ed before, the load, the goal
    ("with a mount", False, ["SET", "key:__rand_int__", "xxx"], 1.02),
    ("of 100,000 names in the kernel's cache", True, ["SET", "key:__rand_int__", "xxx"], 1.05),
    ("with 100,000 other names in the kernel's cache", True, ["SET", "other:__rand_int__", "xxx"], 1.05),
    ("of 400,000 keys, a quarter of the names in the kernel's cache", True, ["SET", "quarter:__rand_int__", "xxx"], 1.05),
)


def beside_rows(table, folder):
    """What a mount costs those who speak RESP: SET, while the kernel knows nothing, the names that are written, others, or some of them."""
    keys = 100_000
    mnt = os.path.join(folder, "beside")
    os.makedirs(mnt)
    servers = [begin("inodis"), begin("inodis", "--mount", mnt)]
    wait_for(os.path.join(mnt, "string"))
    for what, known, words, goal in BESIDE:
        span = keys * 4 if "quarter" in words[1] else keys
        name = "quarter:%012d" if "quarter" in words[1] else "key:%012d"
        for s in servers:
            redis_benchmark(s, span * 6, "-c", "50", "-P", "100", "-r", str(span), *words)
        for pipeline, per_round in ((1, scaled(300_000)), (16, scaled(2_000_000))):
            seen = []
            for _ in range(ROUNDS):
                for n in range(keys if known else 0):
                    try:
                        os.stat(os.path.join(mnt, "string", name % n))
                    except FileNotFoundError:
                        pass
                seen.append([redis_benchmark(s, per_round, "-c", "50", "-P", str(pipeline), "-r", str(span), *words)["cpu"] for s in servers])
            ratio = middle([w / wo for wo, w in seen])
            table.rows.append([f"server cpu of a SET, pipeline {pipeline}, {what}", "", f"{middle([s[0] for s in seen]):.2f} us without", f"{middle([s[1] for s in seen]):.2f} us", "", f"{ratio:.3f}", f"{goal:.2f} x", "yes" if ratio <= goal else "**no**"])
            note("    " + " | ".join(table.rows[-1]))
    end({str(i): s for i, s in enumerate(servers)})


def row_beside(table):
    note("clients beside a mount")
    with tempfile.TemporaryDirectory(prefix="inodis-bench-") as folder:
        beside_rows(table, folder)


def row_big(table):
    note("big values through the mount")
    with tempfile.TemporaryDirectory(prefix="inodis-bench-") as folder:
        big_rows(table, folder)


def row_mount(table):
    note("the mount")
    with tempfile.TemporaryDirectory(prefix="inodis-bench-") as folder:
        mount_rows(table, "asleep between requests", 0, 0, folder)
        mount_rows(table, "engine awake", 50, 50, folder)
        hot_row(table, folder)
        paged_rows(table, folder)
        cached_rows(table, folder)


ROWS = {"set": row_set, "pipeline": row_pipeline, "pipeline100": row_pipeline100, "zadd": row_zadd, "one": row_one, "memory": row_memory,
        "zmemory": row_zmemory, "stall": row_stall, "save": row_save, "idle": row_idle, "xadd": row_xadd, "publish": row_publish, "sets": row_sets, "zunion": row_zunion, "sort": row_sort, "pfadd": row_pfadd, "evalsha": row_evalsha, "geo": row_geo,
        "lrange": row_lrange}


ROWS.update(persistence.rows(sys.modules[__name__]))
MOUNT_ROWS = {"mount": row_mount, "beside": row_beside, "big": row_big, **listing.rows(sys.modules[__name__])}


def main():
    wanted = os.environ.get("BENCH_ROWS", ",".join([*ROWS, *MOUNT_ROWS])).split(",")
    unknown = [w for w in wanted if w not in ROWS and w not in MOUNT_ROWS]
    if unknown:
        raise SystemExit(f"no such rows: {unknown}; there are {', '.join([*ROWS, *MOUNT_ROWS])}")
    began = time.monotonic()
    resp, mount = Table(), Table()
    for name in wanted:
        if name in ROWS:
            ROWS[name](resp)
    for name in wanted:
        if name in MOUNT_ROWS and os.path.exists("/dev/fuse"):
            MOUNT_ROWS[name](mount)
        elif name in MOUNT_ROWS:
            note(f"no /dev/fuse: the mount's rows ({name}) are left out")
    version = subprocess.run(["redis-benchmark", "--version"], capture_output=True, text=True).stdout.split()[1]
    print(f"Linux {platform.release()}, {os.cpu_count()} cores, redis-server {version}, {time.strftime('%Y-%m-%d')}, scale {SCALE:g}, medians of {ROUNDS} pairs, "
          f"{(time.monotonic() - began) / 60:.0f} minutes\n")
    if resp.rows:
        resp.show(["", "measured", "redis-server", "Inodis", "ratio", "goal", "reached"])
    if mount.rows:
        mount.show(["an operation through the mount", "tmpfs", "empty FUSE file system", "Inodis", "to tmpfs", "to the empty one", "goal", "reached"])


if __name__ == "__main__":
    main()
