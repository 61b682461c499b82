"""Rows of the cost table: large directories, against an empty FUSE file system that lists as many names. See bench.py.

Names stand in no order there, as they do here: how long ls sorts, and find goes by inode numbers, depends on that. What ls takes of names that come
sorted is a row of its own.
"""
import os
import subprocess
import tempfile
import time


def rows(bench):
    def timed(words, times=1):
        env = dict(os.environ, LC_ALL="C")
        with open(os.devnull, "wb") as null:
            began = time.monotonic()
            for _ in range(times):
                subprocess.run(words, stdout=null, env=env, check=True)
            return (time.monotonic() - began) * 1000 / times

    def line(table, what, empty, own, goal=None, limit_ms=None):
        """@empty and @own: milliseconds of each round."""
        mine = bench.middle(own)
        ratio = bench.middle([o / e for e, o in zip(empty, own)]) if empty else None
        reached = None if goal is None and limit_ms is None else ratio <= goal if goal else mine <= limit_ms
        table.rows.append([what, "", f"{bench.middle(empty):.0f} ms" if empty else "", f"{mine:.1f} ms" if mine < 10 else f"{mine:.0f} ms", "", f"{ratio:.2f}" if empty else "",
                           f"{goal} x the empty one" if goal else f"{limit_ms} ms" if limit_ms else "", "" if reached is None else "yes" if reached else "**no**"])
        bench.note("    " + " | ".join(c for c in table.rows[-1] if c))

    def pairs(table, what, words, empty, own, goal=2):
        seen = [(timed([*words, empty]), timed([*words, own])) for _ in range(bench.ROUNDS)]
        line(table, what, [e for e, _ in seen], [o for _, o in seen], goal)

    def mounted(folder, name):
        mnt = os.path.join(folder, name)
        os.makedirs(mnt)
        own = bench.begin("inodis", "--mount", mnt)
        bench.wait_for(os.path.join(mnt, "string"))
        return own, mnt

    def large(table, folder):
        n, n_long = bench.scaled(1_000_000), bench.scaled(100_000)
        own, mnt = mounted(folder, "large")
        bench.load(own, "strings", n)
        bench.fill(own, bench.chunks((f"key:{i:07}" for i in range(n)), 1000, ["SADD", "big"]), 10)
        for order, runs in (("", (["ls"], ["ls", "-U"], ["find"])), ("sorted", (["ls"],))):
            empty = bench.EmptyFs(os.path.join(folder, f"large-empty{order}"), 50, n, order)
            for words in runs:
                against = ", against names that come sorted" if order else ""
                pairs(table, f"{' '.join(words)} of {n:,} keys{against}", words, empty.names, os.path.join(mnt, "string"))
            if not order:
                pairs(table, f"ls -U of {n:,} members of a set", ["ls", "-U"], empty.names, os.path.join(mnt, "set.d/big"))
            empty.stop()
        with own.conn() as c:
            c.do("FLUSHALL")
        bench.load(own, "strings", n_long)
        empty = bench.EmptyFs(os.path.join(folder, "long-empty"), 50, n_long)
        for words in (["ls", "-l"], ["find"]):
            tail = ["-newer", "/etc/hostname"] if words == ["find"] else []
            seen = [[timed([*words, path, *tail]) for path in (empty.names, os.path.join(mnt, "string"))] for _ in range(bench.ROUNDS)]
            line(table, f"{' '.join(words + tail[:1])} of {n_long:,} keys, the first time and again", [e for e, _ in seen], [o for _, o in seen])
        empty.stop()
        bench.end({"inodis": own})

    def few(table, folder):
        n = bench.scaled(10_000_000)
        own, mnt = mounted(folder, "few")
        bench.load(own, "strings", n)
        with own.conn() as c:
            for i in range(3):
                c.do("XADD", f"stream:{i}", "*", "field", "value")

        def listdir(name):
            began = time.monotonic()
            os.listdir(os.path.join(mnt, name))
            return (time.monotonic() - began) * 1000

        def first():
            began = time.monotonic()
            with os.scandir(os.path.join(mnt, "string")) as d:
                next(d)
            return (time.monotonic() - began) * 1000

        million = f"{n / 1e6:g} M"
        line(table, f"listing three streams among {million} strings", None, [listdir("stream") for _ in range(10 * bench.ROUNDS)], limit_ms=5)
        line(table, f"the first name of {million}", None, [first() for _ in range(10 * bench.ROUNDS)], limit_ms=5)
        bench.end({"inodis": own})

    def row_listing(table):
        bench.note("large directories")
        with tempfile.TemporaryDirectory(prefix="inodis-bench-") as folder:
            large(table, folder)
            few(table, folder)

    return {"listing": row_listing}
