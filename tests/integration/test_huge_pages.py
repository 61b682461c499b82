"""A heap that is full is moved into huge pages, so that a fork is short: after it grew, after a save, and without keeping a byte more."""
import os
import signal
import time

import pytest

MEGA = 1 << 20
KEYS = 1_000_000
SWITCH = "/sys/kernel/mm/transparent_hugepage/enabled"


def rollup(pid, field):
    """Bytes in a process's smaps."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(field + ":"))


def wait_for(what, timeout=30):
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def heap(start):
    """A server whose entries take about a hundred megabytes."""
    with open(SWITCH) as f:
        if "[never]" in f.read():
            pytest.skip("no huge pages here")
    if tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2]) < (6, 1):
        pytest.skip("this kernel moves nothing into huge pages")
    s = start("--save", "")
    if s.info()["mem_allocator"] == "libc":
        pytest.skip("the heap of this build is not ours")
    with s.conn(timeout=60) as c:
        c.do("DEBUG", "POPULATE", KEYS, "key", 90)
    return s


def small(s):
    return rollup(s.pid, "Rss") - rollup(s.pid, "AnonHugePages")


def test_a_heap_that_grew_is_moved_into_huge_pages_without_growing(heap):
    before = rollup(heap.pid, "Rss")
    assert before > 90 * MEGA
    wait_for(lambda: small(heap) < before // 2)
    assert rollup(heap.pid, "Rss") < before + 4 * MEGA


def test_what_a_save_made_small_is_moved_again_and_an_emptied_heap_goes(heap):
    with heap.conn(timeout=60) as c:
        wait_for(lambda: small(heap) < 60 * MEGA)
        c.do("CONFIG", "SET", "rdb-key-save-delay", 50)
        c.do("BGSAVE")
        # Each write to a page that the child has too makes that one, and its huge page's others, small.
        for i in range(0, KEYS, 200):
            c.do("SETRANGE", f"key:{i}", 0, "V")
        assert heap.info(c)["rdb_bgsave_in_progress"] == "1"
        assert small(heap) > 60 * MEGA
        with open(f"/proc/{heap.pid}/task/{heap.pid}/children") as f:
            os.kill(int(f.read().split()[0]), signal.SIGUSR1)
        wait_for(lambda: heap.info(c)["rdb_bgsave_in_progress"] == "0")
        wait_for(lambda: small(heap) < 60 * MEGA)
        c.do("FLUSHALL")
        wait_for(lambda: rollup(heap.pid, "Rss") < 60 * MEGA)
