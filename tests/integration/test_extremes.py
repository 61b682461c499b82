"""Numbers as large and as small as they are taken: what is made of them, and the cron that meets them later."""
import time

import pytest

LEAST, MOST = -(1 << 63), (1 << 63) - 1
EDGES = (-(1 << 31), -1, 0, 1, (1 << 31) - 1, (1 << 32) - 1, MOST, (1 << 64) - 1)

# Where other servers listen, how many may come, whose memory counts: this test's own client would be gone. The timer of the
# watchdog prints what it finds whenever it finds something.
NOT_HERE = {"port", "tls-port", "maxclients", "maxmemory-clients", "watchdog-period"}


def everything(c):
    """A little of each kind of work, whatever it answers."""
    for call in (
        ["SET", "s", "x" * 300, "PXAT", MOST], ["APPEND", "s", "y"], ["OBJECT", "FREQ", "s"], ["OBJECT", "IDLETIME", "s"], ["MEMORY", "USAGE", "s"],
        ["RPUSH", "l", *range(40)], ["LINSERT", "l", "BEFORE", "20", "x" * 100], ["SADD", "i", *range(40)], ["SADD", "t", "a", "b" * 100], ["HSET", "h", "f", "v" * 100, "g", 1],
        ["HPEXPIRE", "h", 100000000, "FIELDS", 1, "g"], ["ZADD", "z", "inf", "a", "-inf", "b" * 100, "1e308", "c"], ["PFADD", "p", *range(40)],
        ["XADD", "x", "MAXLEN", "~", 20, "*", "f", "v"], ["XADD", "x", "*", "f", "v" * 300], ["XGROUP", "CREATE", "x", "g", "0"], ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">"],
        ["EVAL", "local n = 0 for i = 1, 1000 do n = n + i end return n", 0], ["GET", "s"], ["NOSUCH"], ["ACL", "LOG"], ["SLOWLOG", "GET", -1], ["LATENCY", "DOCTOR"],
        ["MEMORY", "STATS"], ["MEMORY", "DOCTOR"], ["CLIENT", "LIST"], ["INFO", "everything"], ["DEL", "x", "l"],
    ):
        c.call(*call)


def cron_runs(c):
    """Wait for it: a key that nobody looks at expires."""
    c.do("CONFIG", "SET", "maxmemory", 0)
    before = expired(c)
    c.do("SET", "passing", "v", "PX", 1)
    end = time.monotonic() + 20
    while expired(c) == before:
        assert time.monotonic() < end, "the cron does not run"
        time.sleep(0.001)


def expired(c):
    return next(line for line in c.do("INFO", "stats").split(b"\r\n") if line.startswith(b"expired_keys:"))


def test_every_directive_may_be_at_its_bounds(start):
    s = start("--hz", "500")
    tried = 0
    with s.conn() as c:
        names = [name.decode() for name in c.do("CONFIG", "GET", "*")[::2]]
        for name in names:
            before = c.do("CONFIG", "GET", name)[1]
            if name in NOT_HERE or not before.isdigit():
                continue
            taken = [v for v in EDGES if c.call("CONFIG", "SET", name, v).error is None]
            for value in {taken[0], taken[-1]} if taken else ():
                c.do("CONFIG", "SET", name, value)
                everything(c)
                tried += 1
            if taken and name not in ("hz", "min-replicas-to-write", "min-slaves-to-write"):
                cron_runs(c)
            if taken:
                c.do("CONFIG", "SET", name, before)
        assert tried > 60
        everything(c)
        cron_runs(c)


@pytest.mark.parametrize("slower, monitor", [(MOST, 0), (MOST, MOST), (-1, MOST), (MOST // 1000, MOST // 1000)])
def test_no_command_is_slower_than_the_latest_threshold(conn, slower, monitor):
    conn.do("CONFIG", "SET", "slowlog-log-slower-than", slower, "latency-monitor-threshold", monitor)
    conn.do("DEBUG", "SLEEP", "0.01")
    assert conn.do("SLOWLOG", "LEN") == 0
    assert conn.do("LATENCY", "LATEST") == []


@pytest.mark.parametrize("limit", [f"{(1 << 64) - 1} 0 0", f"0 {(1 << 64) - 1} 0", f"0 32kb {MOST}", f"{MOST} {MOST} {MOST}"])
def test_a_client_may_be_behind_as_far_and_as_long_as_a_number_says(start, limit):
    s = start("--hz", "500", "--client-output-buffer-limit", f"normal {limit}")
    with s.conn() as c, s.conn() as control:
        c.do("SET", "big", b"x" * (1 << 20))
        for _ in range(16):
            c.send("GET", "big")
        end = time.monotonic() + 20
        while b"omem=0 " in control.do("CLIENT", "LIST", "ID", 1 + control.do("CLIENT", "ID")) and time.monotonic() < end:
            time.sleep(0.001)
        cron_runs(control)
        cron_runs(control)
        for _ in range(16):
            assert len(c.read().plain()) == 1 << 20


@pytest.mark.parametrize("delay", [-(1 << 31), -1])
def test_a_save_may_rest_as_seldom_as_a_number_says(conn, delay):
    conn.do("DEBUG", "POPULATE", 50)
    conn.do("CONFIG", "SET", "rdb-key-save-delay", delay)
    assert conn.do("SAVE") == b"OK"
    assert conn.do("DEBUG", "RELOAD") == b"OK"
    assert conn.do("DBSIZE") == 50
