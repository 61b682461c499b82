"""What took long and how long commands take: LATENCY, INFO latencystats; what the memory holds: MEMORY; LOLWUT."""
import re
import time


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def info(conn, section):
    return dict(line.split(":", 1) for line in conn.do("INFO", section).decode().split("\r\n") if ":" in line)


def test_long_commands_leave_samples(conn):
    conn.do("CONFIG", "SET", "latency-monitor-threshold", 20)
    conn.do("DEBUG", "SLEEP", 0.005)
    assert conn.do("LATENCY", "LATEST") == []
    for seconds in (0.05, 0.08):
        conn.do("DEBUG", "SLEEP", seconds)
        time.sleep(1.05)
    event, when, last, worst = conn.do("LATENCY", "LATEST")[0]
    assert event == b"command" and abs(when - time.time()) < 10 and 80 <= last <= worst < 2000
    history = conn.do("LATENCY", "HISTORY", "command")
    assert len(history) == 2 and history[0][1] < history[1][1]
    assert re.match(rb"command - high \d+ ms, low \d+ ms \(all time high \d+ ms\)\n-{80}\n", conn.do("LATENCY", "GRAPH", "command"))
    assert b"command: 2 samples" in conn.do("LATENCY", "DOCTOR")
    assert conn.do("LATENCY", "HISTORY", "nosuch") == []
    assert conn.do("LATENCY", "RESET", "nosuch", "command") == 1
    assert conn.do("LATENCY", "LATEST") == [] and conn.do("LATENCY", "RESET") == 0
    conn.do("CONFIG", "SET", "latency-monitor-threshold", 0)
    conn.do("DEBUG", "SLEEP", 0.03)
    assert conn.do("LATENCY", "LATEST") == []


def test_work_between_commands_leaves_samples(start):
    s = start("--appendonly", "yes", "--latency-monitor-threshold", 1, "--maxmemory-policy", "allkeys-random")
    with s.conn() as c:
        for i in range(0, 300000, 1000):
            c.do("SADD", "big", *range(i, i + 1000))
        c.do("PEXPIRE", "big", 10)
        end = time.monotonic() + 20
        while c.do("DBSIZE"):
            assert time.monotonic() < end
            time.sleep(0.01)
        events = {e[0] for e in c.do("LATENCY", "LATEST")}
        assert {b"expire-cycle", b"expire-del"} <= events


def test_histograms_count_every_call(conn):
    conn.do("CONFIG", "RESETSTAT")
    only = pairs(conn.do("LATENCY", "HISTOGRAM"))
    assert list(only) == [b"config|resetstat"]
    for i in range(500):
        conn.do("SET", "k", i)
    conn.do("CLIENT", "ID")
    conn.do("CLIENT", "GETNAME")
    got = pairs(conn.do("LATENCY", "HISTOGRAM", "set", "client", "nosuch"))
    assert set(got) == {b"set", b"client|id", b"client|getname"}
    one = pairs(got[b"set"])
    counts = list(pairs(one[b"histogram_usec"]).values())
    edges = list(pairs(one[b"histogram_usec"]))
    assert one[b"calls"] == 500 == counts[-1] and counts == sorted(set(counts))
    assert set(edges) <= {1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16909, 33818, 67637, 135274}
    assert pairs(conn.do("LATENCY", "HISTOGRAM", "client|id")).keys() == {b"client|id"}
    assert conn.do("LATENCY", "HISTOGRAM", "blabla") == []
    conn.call("HELLO", 3)
    assert conn.call("LATENCY", "HISTOGRAM", "set").raw.startswith(b"%1\r\n$3\r\nset\r\n%2\r\n$5\r\ncalls\r\n:500\r\n$14\r\nhistogram_usec\r\n%")


def test_latency_tracking_can_be_had_otherwise_or_not_at_all(conn):
    conn.do("SET", "k", 1)
    assert re.fullmatch(r"p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}", info(conn, "latencystats")["latency_percentiles_usec_set"])
    conn.do("CONFIG", "SET", "latency-tracking-info-percentiles", "0.0 50.0 100.0")
    low, mid, high = re.fullmatch(r"p0=([\d.]+),p50=([\d.]+),p100=([\d.]+)", info(conn, "latencystats")["latency_percentiles_usec_set"]).groups()
    assert float(low) <= float(mid) <= float(high)
    conn.do("CONFIG", "SET", "latency-tracking-info-percentiles", "")
    assert info(conn, "latencystats")["latency_percentiles_usec_set"] == ""
    conn.do("CONFIG", "SET", "latency-tracking", "no")
    conn.do("CONFIG", "RESETSTAT")
    conn.do("SET", "k", 1)
    assert info(conn, "latencystats") == {}
    assert "Latencystats" not in conn.do("INFO").decode() and "Latencystats" in conn.do("INFO", "all").decode()


def test_memory_stats_are_info_s(pair):
    mine, theirs = pair
    with mine.conn() as a, theirs.conn() as b:
        names = []
        for c in (a, b):
            c.do("FLUSHALL")
            c.do("SET", "k", "v", "EX", 1000)
            names.append([k for k in c.do("MEMORY", "STATS")[::2]])
        assert names[0] == names[1]
        stats, memory = pairs(a.do("MEMORY", "STATS")), info(a, "memory")
        assert abs(stats[b"total.allocated"] - int(memory["used_memory"])) < 1 << 20
        assert stats[b"keys.count"] == 1 and stats[b"startup.allocated"] == int(memory["used_memory_startup"])
        assert int(memory["allocator_allocated"]) <= int(memory["allocator_active"]) <= int(memory["allocator_resident"])
        assert a.do("MEMORY", "PURGE") == b"OK"
        assert a.do("MEMORY", "DOCTOR") and a.do("MEMORY", "MALLOC-STATS")


def test_lolwut_says_its_version(conn):
    for words in ([], ["VERSION", 5, 3, 3], ["VERSION", 6, 1, 1], [20, 5], ["VERSION", 5, -1, 99999999]):
        assert conn.do("LOLWUT", *words).endswith(b"Redis ver. 7.2.4\n")
    assert conn.call("LOLWUT", "VERSION", "x").error == "ERR value is not an integer or out of range"
