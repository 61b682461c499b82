"""maxmemory with its eight policies, and memory that comes back."""
import time

import pytest

from resp import pack

POLICIES = ["noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]
OOM = "OOM command not allowed when used memory > 'maxmemory'."
VALUE = b"x" * 1000


def fill(conn, prefix, n, *extra):
    """SET n keys in pipelines; the first error, or None."""
    error = None
    for start in range(0, n, 500):
        conn.send_raw(b"".join(pack([b"SET", b"%s:%d" % (prefix, i), VALUE, *extra]) for i in range(start, min(start + 500, n))))
        for _ in range(start, min(start + 500, n)):
            got = conn.read().error
            error = error or got
    return error


def limit(server, conn, policy, room=6 << 20):
    conn.do("CONFIG", "SET", "maxmemory-policy", policy)
    maximum = int(server.info(conn)["used_memory"]) + room
    conn.do("CONFIG", "SET", "maxmemory", maximum)
    return maximum


@pytest.mark.parametrize("policy", POLICIES)
def test_writes_stay_under_maxmemory(server, conn, policy):
    maximum = limit(server, conn, policy)
    error = fill(conn, b"k", 15000, *(("EX", 10000) if policy.startswith("volatile") else ()))
    used = int(server.info(conn)["used_memory"])
    evicted = int(server.info(conn)["evicted_keys"])
    # Reply and query buffers of the moment are on top.
    assert used < maximum + (1 << 20)
    if policy == "noeviction":
        assert error == OOM
        assert evicted == 0
        assert conn.do("GET", "k:0") == VALUE
        assert conn.do("DEL", "k:0") == 1
    else:
        assert error is None
        assert evicted > 5000
        assert conn.do("DBSIZE") == 15000 - evicted


@pytest.mark.parametrize("policy", [p for p in POLICIES if p.startswith("volatile")])
def test_volatile_policies_leave_keys_without_expiry_alone(server, conn, policy):
    fill(conn, b"keep", 1000)
    limit(server, conn, policy)
    assert fill(conn, b"k", 15000, "EX", 10000) is None
    conn.send_raw(b"".join(pack([b"EXISTS", b"keep:%d" % i]) for i in range(1000)))
    assert all(conn.read().plain() == 1 for _ in range(1000))
    conn.do("FLUSHALL")
    assert fill(conn, b"n", 15000) == OOM


def test_volatile_ttl_takes_the_soonest_first(server, conn):
    limit(server, conn, "volatile-ttl")
    fill(conn, b"late", 1000, "EX", 1000000)
    fill(conn, b"soon", 9000, "EX", 1000)
    conn.send_raw(b"".join(pack([b"EXISTS", b"late:%d" % i]) for i in range(1000)))
    kept = sum(conn.read().plain() for _ in range(1000))
    assert kept > 900


def test_lru_keeps_what_is_read(server, conn):
    conn.do("CONFIG", "SET", "maxmemory-samples", 10)
    fill(conn, b"hot", 500)
    fill(conn, b"cold", 2000)
    time.sleep(2.1)
    conn.send_raw(b"".join(pack([b"GET", b"hot:%d" % i]) for i in range(500)))
    for _ in range(500):
        conn.read()
    time.sleep(1.1)
    maximum = int(server.info(conn)["used_memory"])
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", maximum)
    fill(conn, b"new", 1000)
    conn.send_raw(b"".join(pack([b"EXISTS", b"hot:%d" % i]) for i in range(500)))
    assert sum(conn.read().plain() for _ in range(500)) > 400


def test_lowering_maxmemory_evicts_at_once(server, conn):
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    fill(conn, b"k", 10000)
    used = int(server.info(conn)["used_memory"])
    conn.do("CONFIG", "SET", "maxmemory", used - (4 << 20))
    conn.do("SET", "one", "more")
    end = time.monotonic() + 10
    while time.monotonic() < end and int(server.info(conn)["used_memory"]) > used - (3 << 20):
        time.sleep(0.005)
    assert int(server.info(conn)["used_memory"]) < used - (3 << 20)


def test_reads_and_deletes_go_on_when_full(server, conn):
    fill(conn, b"k", 100)
    conn.do("CONFIG", "SET", "maxmemory", 1)
    assert conn.call("SET", "a", "b").error == OOM
    assert conn.call("LPUSH", "l", "b").error == OOM
    assert conn.do("GET", "k:1") == VALUE
    assert conn.do("DEL", "k:1") == 1
    assert conn.do("EXPIRE", "k:2", 100) == 1


def test_memory_comes_back_after_a_flush(server, conn):
    before = int(server.info(conn)["used_memory"])
    for kind in ("ASYNC", "SYNC"):
        fill(conn, b"k", 20000)
        conn.do("RPUSH", "l", *[b"%d" % i for i in range(5000)])
        for i in range(0, 20000, 1000):
            conn.do("SADD", "s", *range(i, i + 1000))
            conn.do("HSET", "h", *[x for j in range(i, i + 1000) for x in (j, VALUE)])
            conn.do("ZADD", "z", *[x for j in range(i, i + 1000) for x in (j, b"m%d" % j)])
        assert int(server.info(conn)["used_memory"]) > before + (30 << 20)
        conn.do("FLUSHALL", kind)
        end = time.monotonic() + 10
        while time.monotonic() < end and int(server.info(conn)["used_memory"]) > before + (1 << 20):
            time.sleep(0.05)
        assert int(server.info(conn)["used_memory"]) < before + (1 << 20)


def test_unlink_of_a_big_value_gives_its_memory_back(server, conn):
    before = int(server.info(conn)["used_memory"])
    for i in range(0, 100000, 1000):
        conn.do("ZADD", "z", *[x for j in range(i, i + 1000) for x in (j, b"member:%d" % j)])
    conn.do("SET", "big", b"x" * (8 << 20))
    assert conn.do("UNLINK", "z", "big") == 2
    end = time.monotonic() + 10
    while time.monotonic() < end and int(server.info(conn)["used_memory"]) > before + (1 << 20):
        time.sleep(0.05)
    assert int(server.info(conn)["used_memory"]) < before + (1 << 20)


def test_memory_usage_grows_with_the_value(conn):
    last = 0
    for n in (1, 100, 10000, 1000000):
        conn.do("SET", "k", b"x" * n)
        usage = conn.do("MEMORY", "USAGE", "k")
        assert max(n, last + 1) < usage < n * 2 + 200
        last = usage
    assert conn.do("MEMORY", "USAGE", "absent") is None


@pytest.mark.parametrize("lazy", ["no", "yes"])
def test_what_another_thread_frees_costs_no_other_key(start, lazy):
    """Big values are freed in the background: until that is done no further key goes, and no write is refused."""
    server = start("--maxmemory", "60mb", "--maxmemory-policy", "allkeys-lru", "--lazyfree-lazy-eviction", lazy)
    with server.conn() as c:
        for i in range(80):
            assert c.call("SET", f"k{i}", b"x" * (2 << 20)).error is None
        time.sleep(0.2)
        # Half of what fits would be a sign of keys that went for nothing.
        assert int(server.info(c)["used_memory"]) > 48 << 20
        assert int(server.info(c)["used_memory"]) < 63 << 20


def test_a_lowered_limit_does_not_stop_the_server(server, conn):
    """A great deal to evict goes bit by bit, between commands."""
    fill(conn, b"k", 60000)
    used = int(server.info(conn)["used_memory"])
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    conn.do("CONFIG", "SET", "maxmemory", used // 3)
    end = time.monotonic() + 30
    while time.monotonic() < end and int(server.info(conn)["used_memory"]) > used // 3 + (1 << 18):
        assert conn.do("PING") == b"PONG"
        time.sleep(0.01)
    assert int(server.info(conn)["used_memory"]) < used // 3 + (1 << 20)


def test_a_lower_limit_evicts_without_waiting_for_a_command(server, conn):
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "notify-keyspace-events", "Ee")
    for i in range(2000):
        conn.do("SET", f"k{i}", "x" * 1000)
    used = int(server.info(conn)["used_memory"])
    with server.conn() as listener:
        listener.do("SUBSCRIBE", "__keyevent@0__:evicted")
        conn.do("CONFIG", "SET", "maxmemory", used - 500000)
        assert listener.read().plain()[0] == b"message"
    conn.do("CONFIG", "SET", "maxmemory", 0)
