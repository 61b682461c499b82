#!/usr/bin/python3
"""Large directories against a model: names that stay are listed once, none is listed twice, whatever comes and goes meanwhile.

    listing.py MOUNT SOCKET [SCALE]

For the keys and for each container with a cursor: STAY names that stay, while FLUX others are added and taken away again and again, so that the
tables under them grow and shrink in the middle of listings. Then the longest PING while four processes list everything.
"""
import os
import subprocess
import sys
import threading
import time

from coherence import Resp, pack

MOUNT, SOCKET = sys.argv[1], sys.argv[2]
SCALE = float(sys.argv[3]) if len(sys.argv) > 3 else 1
STAY, FLUX, BATCH, TURNS = int(60_000 * SCALE), int(1_000_000 * SCALE), 500, 5


def batches(names, call):
    """What @call makes of each name, BATCH in a piece, and how many there are in it."""
    piece = []
    for name in names:
        piece.append(pack(*call(name)))
        if len(piece) == BATCH:
            yield b"".join(piece), BATCH
            piece = []
    if piece:
        yield b"".join(piece), len(piece)


# What there is to be listed: the directory, how a name is added and removed.
CASES = {
    "keys": ("string", lambda n: (b"SET", n, b"v"), lambda n: (b"DEL", n)),
    "a type with few": ("set", lambda n: (b"SADD", n, b"v"), lambda n: (b"DEL", n)),
    "members of a set": ("set.d/big", lambda n: (b"SADD", b"big", n), lambda n: (b"SREM", b"big", n)),
    "fields of a hash": ("hash.d/big", lambda n: (b"HSET", b"big", n, b"v"), lambda n: (b"HDEL", b"big", n)),
    "members of a sorted set": ("zset.d/big", lambda n: (b"ZADD", b"big", b"1", n), lambda n: (b"ZREM", b"big", n)),
}


class Flux(threading.Thread):
    """Adds and takes away, in turns, until it is told to end; some keys are renamed there and back, too."""

    def __init__(self, add, take, count, renames):
        super().__init__(daemon=True)
        names = [b"flux:%07d" % i for i in range(count)]
        self.add, self.take = list(batches(names, add)), list(batches(names, take))
        self.renames, self.ended, self.turns, self.failed = renames, False, 0, None

    def run(self):
        try:
            self.work()
        except Exception as e:  # noqa: BLE001: told by the main thread
            self.failed = e

    def work(self):
        c, n = Resp(SOCKET), 0
        while not self.ended:
            for pieces in (self.add, self.take):
                self.turns += 1
                for piece in pieces:
                    if self.ended:
                        return
                    c.many(*piece)
                    n += 1
                    if self.renames:
                        a, b = b"moving:%d" % (n % 100), b"moved:%d" % (n % 100)
                        c.many(pack(b"SET", a, b"v") + pack(b"RENAME", a, b), 2)


def names_in(path, slowly=False):
    """@slowly: so that tables grow and shrink while it is on its way."""
    found = []
    with os.scandir(path) as d:
        for e in d:
            found.append(e.name)
            if slowly and len(found) % 2000 == 0:
                time.sleep(0.02)
    return found


def case(what, stay, flux):
    where, add, take = CASES[what]
    c = Resp(SOCKET)
    c("FLUSHALL")
    if where == "set":
        stay, flux = stay // 30, flux // 50
        for i in range(0, STAY * 5, BATCH):
            c.many(b"".join(pack(b"SET", b"other:%d" % k, b"v") for k in range(i, i + BATCH)), BATCH)
    for piece in batches([b"stay:%07d" % i for i in range(stay)], add):
        c.many(*piece)
    path = os.path.join(MOUNT, where)
    want = {f"stay:{i:07d}" for i in range(stay)}
    f = Flux(add, take, flux, where == "string")
    f.start()
    began, most, n = time.monotonic(), 0, 0
    while f.turns < TURNS or n < 6:
        found = names_in(path, n % 3)
        n += 1
        most = max(most, len(found))
        missing = want.difference(found)
        assert not missing, f"{what}: {len(missing)} names are missing, {sorted(missing)[:3]}"
        if len(found) != len(set(found)):
            twice = sorted({x for x in found if found.count(x) > 1}) if len(found) < 10000 else ""
            raise AssertionError(f"{what}: {len(found) - len(set(found))} names are listed twice {twice}")
    f.ended = True
    f.join()
    if f.failed:
        raise f.failed
    print(f"ok {what}: {n} listings of up to {most} names in {time.monotonic() - began:.1f} s, {f.turns} times up or down")


def counted():
    """list.d and stream.d: a million elements are listed in order, each once."""
    c, n = Resp(SOCKET), FLUX
    c("FLUSHALL")
    for i in range(0, n, 1000):
        c("RPUSH", "l", *range(i, i + 1000))
    found = names_in(os.path.join(MOUNT, "list.d/l"))
    assert found == [str(i) for i in reversed(range(n))], "list.d"
    for piece in batches([b"%d-1" % (i + 1) for i in range(n // 5)], lambda i: (b"XADD", b"s", i, b"f", b"v")):
        c.many(*piece)
    found = names_in(os.path.join(MOUNT, "stream.d/s"))
    assert found == [f"{i + 1}-1" for i in range(n // 5)], "stream.d"
    print(f"ok {n} elements of a list, {n // 5} entries of a stream")


def pings():
    """Those who speak RESP are answered between the slices of listings."""
    c, n = Resp(SOCKET), FLUX
    c("FLUSHALL")
    for piece in batches([b"stay:%07d" % i for i in range(n)], CASES["keys"][1]):
        c.many(*piece)
    ends = time.monotonic() + 4
    loops = [subprocess.Popen(["sh", "-c", f"while ls -U '{MOUNT}/string' >/dev/null; do :; done"], start_new_session=True) for _ in range(2)]
    waits = []
    while time.monotonic() < ends:
        began = time.monotonic()
        c("PING")
        waits.append((time.monotonic() - began) * 1000)
        time.sleep(0.001)
    for p in loops:
        os.killpg(p.pid, 15)
        p.wait()
    waits.sort()
    middle, late, worst = waits[len(waits) // 2], waits[len(waits) * 99 // 100], waits[-1]
    print(f"ok {len(waits)} PINGs beside two listings of {n} names: median {middle:.2f} ms, 99 % {late:.2f} ms, longest {worst:.1f} ms")
    assert middle < 50, "PING waits for listings"


for name in CASES:
    case(name, STAY, FLUX)
counted()
pings()
