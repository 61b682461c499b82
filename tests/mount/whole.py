#!/usr/bin/python3
"""Readers never see a part of a value, nor a mixture of two, and never one that was replaced before they began.

    whole.py MOUNT SOCKET SECONDS [SEED]      KEPT=1: an open file may show what it was opened with (-o pagecache)

A value says itself how long it is and what it is made of. Four readers take it as fast as they can: two through a file that stays open, one with a
single read for each file it opens, one as cat does, a few bytes at a time until the end. The writer changes it over RESP and by the shell's
`>`, in turn, always to another length, now and then after a pause in which the value may become a hot one; it looks at once, by all three ways.
Prints ok and not ok lines.
"""
import multiprocessing
import os
import random
import sys
import time

from coherence import Resp

KEPT = bool(os.environ.get("KEPT"))
LONGEST = 9000
STEP = 700


def value(n, rng):
    size = rng.randrange(rng.choice([10, 100, 4000, LONGEST]))
    return b"%d:%d:" % (n, size) + bytes([97 + n % 26]) * size


def number(content):
    """Which one it is, None for what was never a value."""
    try:
        n, size, rest = content.split(b":", 2)
        return int(n) if rest == bytes([97 + int(n) % 26]) * int(size) else None
    except ValueError:
        return None


def by_pread(path, fd):
    return os.pread(fd, 2 * LONGEST, 0)


def by_one_read(path, fd):
    f = os.open(path, os.O_RDONLY)
    try:
        return os.read(f, 2 * LONGEST)
    finally:
        os.close(f)


def by_steps(path, fd):
    f = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(f, STEP), b""))
    finally:
        os.close(f)


def read_on(path, way, told, stop, count, out):
    fd, least, rounds = os.open(path, os.O_RDONLY), 0, 0
    while not stop.value:
        before = told.value
        rounds += 1
        if KEPT and way is by_pread:
            if rounds % 100 == 0:
                os.close(fd)
                fd, least = os.open(path, os.O_RDONLY), before
            before = least
        content = way(path, fd)
        n = number(content)
        least = n or 0
        if n is None:
            out.put(f"{way.__name__}: {len(content)} bytes that are no value: {content[:20]!r} ... {content[-20:]!r}")
        elif n < before:
            out.put(f"{way.__name__}: value {n} after {before} was acknowledged")
        else:
            count.value += 1
            continue
        return


def write_on(path, r, rng, told, until, out):
    fd = os.open(path, os.O_RDONLY)
    n = 0
    while time.monotonic() < until and out.empty():
        n += 1
        v = value(n, rng)
        if n % 2:
            r("SET", "hot", v)
        else:
            with open(path, "wb") as f:
                f.write(v)
        told.value = n
        for way in (by_one_read, by_steps) if KEPT else (by_pread, by_one_read, by_steps):
            if way(path, fd) != v:
                out.put(f"the writer, {way.__name__}: not value {n}")
        if (not KEPT and os.fstat(fd).st_size != len(v)) or os.stat(path).st_size != len(v):
            out.put(f"the writer: the size is not that of value {n}")
        time.sleep(rng.choice([0, 0, 0.001, 0.01]) if n % 40 else 0.7)
    return n


def main():
    mount, r, seconds = sys.argv[1], Resp(sys.argv[2]), float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    print(f"# seed {seed}", flush=True)
    rng = random.Random(seed)
    path = os.path.join(mount, "raw/string/hot")
    r("SET", "hot", value(0, rng))
    by_steps(path, None)
    time.sleep(0.7)
    out = multiprocessing.SimpleQueue()
    told, stop = multiprocessing.Value("q", 0, lock=False), multiprocessing.Value("b", 0, lock=False)
    ways = [by_pread, by_pread, by_one_read, by_steps]
    counts = [multiprocessing.Value("q", 0, lock=False) for _ in ways]
    readers = [multiprocessing.Process(target=read_on, args=(path, w, told, stop, c, out), daemon=True) for w, c in zip(ways, counts)]
    for p in readers:
        p.start()
    changes = write_on(path, r, rng, told, time.monotonic() + seconds, out)
    stop.value = 1
    hung = 0
    for p in readers:
        p.join(20)
        hung += p.is_alive()
    failures = []
    while not out.empty():
        failures.append(out.get())
    reads = sum(c.value for c in counts)
    print(f"{'not ok' if failures or not reads else 'ok'} {reads} reads beside {changes} changes are of whole values, none of an old one")
    print(f"{'not ok' if hung else 'ok'} nobody hangs")
    for f in failures:
        print("not ok", f)
    sys.exit(1 if failures or hung or not reads else 0)


if __name__ == "__main__":
    main()
