"""Rows of the cost table about files: logging each change, and what clients feel while files are written. Part of bench.py."""
import os
import subprocess
import threading
import time


def rows(b):
    """@b is bench.py's module."""

    def logged(table, row, policy, goal, n, words):
        """Throughput with a log."""
        s = b.both("--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0")
        b.compared(table, row, s, n, words, rps_goal=goal)
        b.end(s)

    def row_always(table):
        logged(table, "SET, appendfsync always, c=50", "always", 2, b.scaled(50_000), ["-t", "set", "-c", "50"])

    def row_everysec(table):
        """What a log costs: pairs of the same server without and with one."""
        everysec(table, "SET, appendfsync everysec, c=50", b.scaled(200_000), ["-t", "set", "-c", "50", "-r", "100000", "-d", "32"])
        everysec(table, "the same, pipeline 16", b.scaled(2_000_000), ["-t", "set", "-c", "50", "-P", "16", "-r", "100000", "-d", "32"])

    def everysec(table, row, n, words):
        b.note(f"{row}, and without a log: {n} commands, {b.ROUNDS} rounds")
        cost = {}
        for kind in ("redis", "inodis"):
            plain = b.begin(kind)
            log = b.begin(kind, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
            seen = []
            for _ in range(b.ROUNDS):
                without, with_log = (b.redis_benchmark(server, n, *words) for server in (plain, log))
                seen.append((without["rps"], with_log["rps"], 1 - with_log["rps"] / without["rps"]))
            cost[kind] = [b.middle([x[i] for x in seen]) for i in range(3)]
            b.end({"plain": plain, "log": log})
        table.line(row, "commands a second", *[f"{cost[k][1] / 1000:,.0f} k" for k in ("redis", "inodis")], cost["inodis"][1] / cost["redis"][1])
        table.line("", "less than without a log", *[f"{cost[k][2] * 100:.1f} %" for k in ("redis", "inodis")], None, "5 %", cost["inodis"][2] <= 0.05)

    def memory_of(pid):
        """Bytes of a server and its children, what they share counted once."""
        total = 0
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            pids = [pid, *map(int, f.read().split())]
        for each in pids:
            try:
                with open(f"/proc/{each}/smaps_rollup") as f:
                    total += sum(int(line.split()[1]) * 1024 for line in f if line.startswith("Pss:"))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total

    def one_save(server, command, running, keys, rate):
        """Latencies of GET from the command to the child's end, and the highest memory on the way."""
        load = subprocess.Popen([os.path.join(b.BUILD, "bench/during"), str(server.port), str(keys), str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        peak, done = [0], threading.Event()

        def watch():
            while not done.wait(0.25):
                peak[0] = max(peak[0], memory_of(server.pid))

        watcher = threading.Thread(target=watch)
        with server.conn(timeout=600) as c:
            began = time.monotonic()
            c.do(command)
            watcher.start()
            while server.info(c)[running] != "0":
                time.sleep(0.1)
            seconds = time.monotonic() - began
        done.set()
        watcher.join()
        out, _ = load.communicate()
        writes, _reads, _p50, p99, p999, slowest = map(float, out.split())
        return {"writes": writes, "p99": p99 / 1000, "p999": p999 / 1000, "max": slowest / 1000, "peak": peak[0] / 1e6, "seconds": seconds}

    def during(table, row, command, running, *args):
        keys, rate = b.scaled(5_000_000), 100_000
        b.note(f"{row}, {b.ROUNDS} rounds")
        s = b.both("--auto-aof-rewrite-percentage", "0", *args)
        seen = {kind: [] for kind in s}
        for kind in s:
            b.load(s[kind], "strings", keys)
        for _ in range(b.ROUNDS):
            for kind in ("redis", "inodis"):
                seen[kind].append(one_save(s[kind], command, running, keys, rate))
        b.end(s)

        def line(first, measure, what, form, goal=None):
            own, ref = (b.middle([m[what] for m in seen[kind]]) for kind in ("inodis", "redis"))
            r = b.middle([i[what] / r[what] for r, i in zip(seen["redis"], seen["inodis"])])
            table.line(first, measure, form(ref), form(own), r, f"{goal} x" if goal else None, r <= goal if goal else None)

        line(row, "p99.9 of GET", "p999", lambda v: f"{v:.2f} ms", 0.5)
        line("", "p99 of GET", "p99", lambda v: f"{v:.2f} ms")
        line("", "slowest GET", "max", lambda v: f"{v:.1f} ms")
        line("", "peak memory, server and child", "peak", lambda v: f"{v:,.0f} MB", 1.0)
        line("", "writes a second meanwhile", "writes", lambda v: f"{v / 1000:,.0f} k")
        line("", "until it is written", "seconds", lambda v: f"{v:.1f} s")

    def row_bgsave(table):
        during(table, f"BGSAVE of {b.scaled(5_000_000) / 1e6:g} M keys under 100 k writes a second", "BGSAVE", "rdb_bgsave_in_progress")

    def row_rewrite(table):
        during(table, "BGREWRITEAOF of the same under the same", "BGREWRITEAOF", "aof_rewrite_in_progress", "--appendonly", "yes")

    return {"always": row_always, "everysec": row_everysec, "bgsave": row_bgsave, "rewrite": row_rewrite}
