"""Consumer groups: who waits is served in turn or told why not, what is pending survives every way out and in again, in Redis's bytes."""
import random
import time

import pytest

from compare import same_groups
from dump import signed
from test_blocking import Scene

NOGROUP = "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture
def scene(server):
    return Scene(server, 2)


def history(c, seed, calls=400):
    """Groups that lived: entries read, acknowledged, claimed, deleted. Every consumer of them read something."""
    rnd = random.Random(seed)
    groups, consumers = ("g", "", "h\x00"), ("a", "b", "", "c\xff")
    ms = 1
    for key in ("s", "t"):
        c.do("XADD", key, "1-1", "f", "v")
        for g in groups:
            c.do("XGROUP", "CREATE", key, g, rnd.choice(("0", "$")))
            c.do("XADD", key, f"{ms + 1}-*", "f", "v")
            ms += 1
            for name in consumers:
                c.do("XCLAIM", key, g, name, 0, "1-1", "FORCE", "JUSTID")
    for _ in range(calls):
        key, g, name = rnd.choice("st"), rnd.choice(groups), rnd.choice(consumers)
        ms += rnd.choice((1, 1, 70000))
        some = [f"{max(1, ms - rnd.randrange(20))}-{rnd.randrange(2)}" for _ in range(3)]
        way = rnd.random()
        if way < 0.5:
            c.do("XADD", key, f"{ms}-*", "f", rnd.randrange(1000))
        elif way < 0.75:
            c.do("XREADGROUP", "GROUP", g, name, "COUNT", rnd.randrange(1, 9), "STREAMS", key, ">")
        elif way < 0.85:
            c.do("XACK", key, g, *some)
        elif way < 0.9:
            c.do("XDEL", key, *some)
        elif way < 0.95:
            c.do("XAUTOCLAIM", key, g, name, 0, some[0], "COUNT", 3)
        else:
            c.do("XCLAIM", key, g, name, 0, *some, "RETRYCOUNT", rnd.randrange(9))


def state(c):
    return [c.call("XINFO", "STREAM", k, "FULL", "COUNT", 0).tree for k in ("s", "t")]


def same(a, b):
    return all(same_groups(x, y, False) for x, y in zip(a, b))


def test_who_waits_is_served_in_order_of_arrival(scene):
    scene.call("w", "XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    for name in "abc":
        scene.waits(name, "XREADGROUP", "GROUP", "g", name, "COUNT", 1, "BLOCK", 0, "STREAMS", "s", ">")
    for i, name in enumerate("abc", 1):
        scene["w"].do("XADD", "s", f"{i}-1", "f", name)
        assert scene[name].read().plain() == [[b"s", [[b"%d-1" % i, [b"f", name.encode()]]]]]
        scene.until_blocked(3 - i)
    # One that may take all leaves nothing to the others.
    scene.waits("a", "XREADGROUP", "GROUP", "g", "a", "BLOCK", 0, "STREAMS", "s", ">")
    scene.waits("b", "XREADGROUP", "GROUP", "g", "b", "BLOCK", 0, "STREAMS", "s", ">")
    scene["w"].do("MULTI")
    scene["w"].do("XADD", "s", "7-1", "f", "v")
    scene["w"].do("XADD", "s", "8-1", "f", "v")
    scene["w"].do("EXEC")
    assert len(scene["a"].read().plain()[0][1]) == 2
    scene.silent("b")
    assert [p[0] for p in scene["w"].do("XPENDING", "s", "g", "-", "+", 9)] == [b"1-1", b"2-1", b"3-1", b"7-1", b"8-1"]
    assert scene["w"].do("XPENDING", "s", "g")[3] == [[b"a", b"3"], [b"b", b"1"], [b"c", b"1"]]


WAKERS = [
    (("DEL", "s"), NOGROUP), (("UNLINK", "s"), NOGROUP), (("XGROUP", "DESTROY", "s", "g"), NOGROUP), (("FLUSHALL",), NOGROUP), (("FLUSHDB",), NOGROUP),
    (("RENAME", "s", "other"), NOGROUP), (("RENAME", "other", "s"), NOGROUP), (("MOVE", "s", 1), NOGROUP), (("SWAPDB", 0, 1), NOGROUP), (("PEXPIRE", "s", 5), NOGROUP),
    (("SET", "s", "text"), WRONGTYPE), (("EVALMULTI",), WRONGTYPE), (("COPY", "text", "s", "REPLACE"), WRONGTYPE), (("SWAPDB", 0, 2), WRONGTYPE),
]


@pytest.mark.parametrize("waker,error", WAKERS, ids=lambda v: "-".join(map(str, v)) if isinstance(v, tuple) else "")
def test_who_waits_is_told_why_nothing_can_come(scene, waker, error):
    w = scene["w"]
    w.do("XADD", "other", "1-1", "f", "v")
    w.do("SET", "text", "v")
    w.do("SELECT", 2)
    w.do("LPUSH", "s", "v")
    w.do("SELECT", 0)
    w.do("XADD", "s", "5-1", "f", "v")
    w.do("XGROUP", "CREATE", "s", "g", "$")
    scene.waits("a", "XREADGROUP", "GROUP", "g", "a", "BLOCK", 0, "STREAMS", "s", ">")
    if waker[0] == "EVALMULTI":
        w.do("MULTI")
        w.do("DEL", "s")
        w.do("SADD", "s", "e1")
        w.do("EXEC")
    else:
        w.call(*waker)
    assert scene["a"].read().error == error
    scene.until_blocked(0)


def test_what_does_not_bring_entries_wakes_nobody(scene):
    w = scene["w"]
    w.do("XADD", "s", "5-1", "f", "v")
    w.do("XGROUP", "CREATE", "s", "g", "0")
    w.do("XGROUP", "CREATE", "s", "g2", "0")
    w.do("XREADGROUP", "GROUP", "g", "b", "STREAMS", "s", ">")
    scene.waits("a", "XREADGROUP", "GROUP", "g", "a", "BLOCK", 0, "STREAMS", "s", ">")
    for call in ("XACK s g 5-1", "XGROUP DESTROY s g2", "XGROUP CREATECONSUMER s g z", "XDEL s 5-1", "XSETID s 9-1", "XGROUP SETID s g 9-1", "DEL other"):
        w.do(*call.split())
    scene.silent("a")
    w.do("XADD", "s", "10-1", "f", "v")
    assert scene["a"].read().plain() == [[b"s", [[b"10-1", [b"f", b"v"]]]]]
    assert w.call("XREADGROUP", "GROUP", "g", "a", "BLOCK", 10, "STREAMS", "s", ">").plain() is None


def test_a_rename_may_bring_the_group_with_its_entries(scene):
    w = scene["w"]
    w.do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    scene.waits("a", "XREADGROUP", "GROUP", "g", "a", "BLOCK", 0, "STREAMS", "s", ">")
    w.do("XGROUP", "CREATE", "s2", "g", "$", "MKSTREAM")
    w.do("XADD", "s2", "100", "f", "v")
    w.do("RENAME", "s2", "s")
    assert scene["a"].read().plain() == [[b"s", [[b"100-0", [b"f", b"v"]]]]]


def test_seen_is_when_it_asked_and_active_when_it_got_something(conn):
    def times():
        (c,) = conn.do("XINFO", "CONSUMERS", "s", "g")
        return c[c.index(b"idle") + 1], c[c.index(b"inactive") + 1]

    conn.do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    conn.do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    time.sleep(0.03)
    idle, inactive = times()
    assert idle >= 30 and inactive == -1
    conn.do("XADD", "s", "1-1", "f", "v")
    conn.do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    assert max(times()) < 30
    time.sleep(0.06)
    conn.do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    idle, inactive = times()
    assert idle < 60 <= inactive
    for _ in range(2):
        conn.do("DEBUG", "RELOAD")
        idle, later = times()
        assert idle < later and later >= inactive


def test_only_what_is_new_counts_as_a_change(conn, server):
    def dirty():
        return int(server.info(conn)["rdb_changes_since_last_save"])

    for i in range(1, 5):
        conn.do("XADD", "x", f"{i}-0", "f", "v")
    conn.do("XGROUP", "CREATE", "x", "g", "0")
    conn.do("XGROUP", "CREATECONSUMER", "x", "g", "a")
    for words, by in ((("COUNT", 2, "STREAMS", "x", ">"), 1), (("NOACK", "COUNT", 2, "STREAMS", "x", ">"), 1), (("STREAMS", "x", "0"), 0), (("STREAMS", "x", ">"), 0)):
        before = dirty()
        conn.do("XREADGROUP", "GROUP", "g", "a", *words)
        assert dirty() == before + by


def test_groups_come_back_after_every_way_out(server):
    with server.conn() as c:
        history(c, 1)
        before = state(c)
        c.do("DEBUG", "RELOAD")
        assert same(state(c), before)
        for key in ("s", "t"):
            c.do("COPY", key, "copy")
            c.do("DEL", key)
            c.do("RENAME", "copy", key)
        assert same(state(c), before)
        small = c.do("MEMORY", "USAGE", "s")
        c.do("XGROUP", "CREATE", "s", "more", "0")
        for i in range(100):
            c.do("XGROUP", "CREATECONSUMER", "s", "more", f"consumer-{i}")
        assert c.do("MEMORY", "USAGE", "s") > small + 6000


@pytest.mark.parametrize("preamble", ("yes", "no"))
def test_the_log_brings_groups_back(start, tmp_path, preamble):
    first = start("--appendonly", "yes", "--appendfsync", "no", "--aof-use-rdb-preamble", preamble, folder=tmp_path)
    with first.conn() as c:
        history(c, 2)
        # Deliveries again are not logged, as they are not by Redis.
        before = state(c)
    first.stop()
    again = start("--appendonly", "yes", "--aof-use-rdb-preamble", preamble, folder=tmp_path)
    with again.conn() as c:
        assert same(state(c), before)
        c.do("BGREWRITEAOF")
        end = time.monotonic() + 20
        while again.info(c)["aof_rewrite_in_progress"] != "0" or again.info(c)["aof_rewrite_scheduled"] != "0":
            assert time.monotonic() < end
            time.sleep(0.01)
        c.do("XGROUP", "CREATECONSUMER", "s", "g", "last")
        c.do("XACK", "s", "g", "1-1")
        before = state(c)
    again.stop()
    third = start("--appendonly", "yes", folder=tmp_path)
    with third.conn() as c:
        assert same(state(c), before)


def test_payloads_go_both_ways(pair):
    mine, theirs = pair
    for source, target in ((mine, theirs), (theirs, mine), (mine, mine)):
        with source.conn() as a, target.conn() as b:
            a.do("FLUSHALL")
            b.do("FLUSHALL")
            history(a, 3)
            # Who asked in vain has other times, which the encoding of 7.0 has no place for.
            for key in ("s", "t"):
                for g in ("g", "", "h\x00"):
                    for name in ("a", "b", "", "c\xff"):
                        a.do("XCLAIM", key, g, name, 0, a.do("XRANGE", key, "-", "+", "COUNT", 1)[0][0], "FORCE", "JUSTID")
            before = state(a)
            payloads = [a.do("DUMP", k) for k in ("s", "t")]
            for key, payload in zip(("s", "t"), payloads):
                b.do("RESTORE", key, 0, payload, "REPLACE")
            assert same(state(b), before)


def test_a_file_has_the_lowest_version_that_holds_the_groups(server, conn):
    def version():
        conn.do("SAVE")
        with open(f"{server.dir}/dump.rdb", "rb") as f:
            return f.read(9)

    conn.do("XADD", "s", "1-1", "f", "v")
    conn.do("XGROUP", "CREATE", "s", "g", "0")
    conn.do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    assert version() == b"REDIS0010" and conn.do("DUMP", "s")[-10] == 10
    time.sleep(0.01)
    conn.do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    assert version() == b"REDIS0011" and conn.do("DUMP", "s")[-10] == 11


def test_damaged_payloads_do_no_harm(conn):
    rnd = random.Random(9)
    history(conn, 4, 100)
    conn.do("CONFIG", "SET", "rdbcompression", "no")
    good = conn.do("DUMP", "s")
    conn.do("FLUSHALL")
    taken = 0
    for _ in range(600):
        bad = bytearray(good)
        for _ in range(rnd.choice((1, 2, 9))):
            # Groups stand behind the entries.
            bad[rnd.randrange(len(bad) // 2, len(bad) - 10)] = rnd.choice((rnd.randrange(256), 0, 255, 0x80, 0x81))
        bad = signed(bad)
        if conn.call("RESTORE", "k", 0, bad, "REPLACE").error is None:
            taken += 1
            conn.call("XINFO", "STREAM", "k", "FULL")
            for group in conn.do("XINFO", "GROUPS", "k"):
                g = group[1]
                conn.call("XINFO", "CONSUMERS", "k", g)
                conn.call("XPENDING", "k", g, "IDLE", 1, "-", "+", 100)
                conn.call("XREADGROUP", "GROUP", g, "a", "STREAMS", "k", ">")
                conn.call("XREADGROUP", "GROUP", g, "a", "STREAMS", "k", "0")
                conn.call("XAUTOCLAIM", "k", g, "b", 0, 0)
                conn.call("XGROUP", "DELCONSUMER", "k", g, "a")
            conn.call("COPY", "k", "k2", "REPLACE")
    assert taken


def test_events_are_those_of_redis(pair):
    seen = []
    for server in pair:
        with server.conn() as c, server.conn() as listener:
            c.do("FLUSHALL")
            c.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
            listener.do("PSUBSCRIBE", "*")
            for call in ("XGROUP CREATE s g 0 MKSTREAM", "XGROUP CREATE s g 0", "XADD s 1-1 f v", "XREADGROUP GROUP g a STREAMS s >", "XREADGROUP GROUP g a STREAMS s >",
                         "XREADGROUP GROUP g a STREAMS s 0", "XGROUP CREATECONSUMER s g b", "XGROUP CREATECONSUMER s g b", "XCLAIM s g c 0 1-1", "XAUTOCLAIM s g d 0 0", "XACK s g 1-1",
                         "XGROUP SETID s g 0", "XGROUP DELCONSUMER s g a", "XGROUP DELCONSUMER s g a", "XGROUP DESTROY s g", "XGROUP DESTROY s g"):
                c.call(*call.split())
            c.do("PUBLISH", "the", "end")
            got = []
            while not got or not got[-1].endswith(b"$3\r\nend\r\n"):
                got.append(listener.read().raw)
            seen.append(got)
            c.do("CONFIG", "SET", "notify-keyspace-events", "")
    assert seen[0] == seen[1]


def test_a_watched_stream_is_not_changed_by_its_groups(conn, server):
    conn.do("XADD", "s", "1-1", "f", "v")
    conn.do("XGROUP", "CREATE", "s", "g", "0")
    with server.conn() as other:
        for call, fails in (("XREADGROUP GROUP g a STREAMS s >", False), ("XACK s g 1-1", False), ("XADD s 2-1 f v", True)):
            conn.do("WATCH", "s")
            other.do(*call.split())
            conn.do("MULTI")
            conn.do("PING")
            assert (conn.call("EXEC").plain() is None) == fails


def test_many_pending_entries_are_quick_and_small(conn, server):
    for i in range(1, 1001):
        conn.send_raw(b"".join(b"*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nf\r\n$1\r\nv\r\n" for _ in range(100)))
        for _ in range(100):
            conn.read()
    conn.do("XGROUP", "CREATE", "s", "g", "0")
    before = conn.do("MEMORY", "USAGE", "s")
    conn.do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    assert conn.do("XPENDING", "s", "g")[0] == 100000
    assert conn.do("MEMORY", "USAGE", "s") - before < 64 * 100000
    assert conn.do("XGROUP", "DELCONSUMER", "s", "g", "a") == 100000
