"""Values of many megabytes in the append-only log: written from where they are, whole or not at all."""
import os
import random
import resource

import pytest

from test_aof import POLICIES, increment, kill_when_written, log_of
from test_rdb import digest

MIB = 1 << 20


def peak(s):
    with open(f"/proc/{s.proc.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def exact(c):
    """Sanitized builds keep what was freed."""
    return b"mem_allocator:libc" not in c.do("INFO", "memory")


@pytest.mark.parametrize("policy", POLICIES)
def test_big_values_among_small_ones_are_there_after_a_kill(start, tmp_path, policy):
    s = start("--appendonly", "yes", "--appendfsync", policy, folder=tmp_path)
    rng = random.Random(7)
    with s.conn(timeout=60) as c:
        for i in range(6):
            big = rng.randbytes(5 * MIB + i)
            c.send("SET", f"small{i}", i)
            c.send("SET", f"big{i}", big)
            c.send("APPEND", f"big{i}", big)
            c.send("RPUSH", "list", i, big, "end")
            c.send("MULTI")
            c.send("SET", f"within{i}", big)
            c.send("INCR", "n")
            c.send("EXEC")
        for _ in range(6 * 8):
            c.read()
        c.do("SELECT", 3)
        c.do("SET", "other", big)
    before = digest(s)
    kill_when_written(s)
    s.start()
    assert digest(s) == before
    assert "AOF" not in log_of(s).split("Ready to accept")[-1]


def test_a_big_value_is_in_memory_once(start, tmp_path):
    s = start("--appendonly", "yes", folder=tmp_path)
    with s.conn(timeout=60) as c:
        was = peak(s)
        assert c.do("SET", "big", bytes(64) + os.urandom(96 * MIB)) == b"OK"
        if exact(c):
            assert peak(s) - was < 112 * MIB


@pytest.mark.parametrize("room", (100, 3 * MIB, 8 * MIB + 20))
def test_a_disk_that_fills_up_within_a_big_value_loses_nothing(start, tmp_path, room):
    s = start("--appendonly", "yes", "--appendfsync", "no", folder=tmp_path)
    with s.conn(timeout=60) as c:
        c.do("SET", "first", 1)
        size = os.path.getsize(increment(tmp_path))
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (size + room, resource.RLIM_INFINITY))
        c.send("SET", "before", 2)
        c.send("SET", "big", b"v" * (8 * MIB))
        c.send("SET", "behind", 3)
        answers = [c.read(), c.read(), c.read()]
        assert not answers[0].error
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        while c.call("SET", "last", 4).error:
            pass
        assert c.do("STRLEN", "big") == 8 * MIB
    before = digest(s)
    kill_when_written(s)
    s.start()
    assert digest(s) == before
