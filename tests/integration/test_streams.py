"""Streams: ids that the server makes, waiting for entries, events, snapshots both ways with redis-server, inner figures."""
import random
import time

from dump import signed


def fill(c, seed=3):
    rnd = random.Random(seed)
    for key, n in (("few", 3), ("some", 150), ("many", 4000)):
        ms = 1
        for i in range(n):
            ms += rnd.choice((0, 1, 300, 70000, 2**33))
            names = ("a", "b") if rnd.random() < 0.7 else rnd.sample(("a", "7", "long" * 30, "", "\x00"), rnd.randint(1, 4))
            c.do("XADD", key, f"{ms}-*", *[w for name in names for w in (name, rnd.choice((rnd.randrange(10**9), "v" * rnd.randrange(300))))])
        ids = [e[0] for e in c.do("XRANGE", key, "-", "+")]
        c.do("XDEL", key, *rnd.sample(ids, n // 3))
    c.do("XADD", "empty", "5-5", "f", "v")
    c.do("XDEL", "empty", "5-5")


def waits(server, admin, n):
    end = time.monotonic() + 20
    while int(server.info(admin)["blocked_clients"]) != n:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_made_ids_are_the_clock_and_grow(conn):
    ids = [conn.do("XADD", "s", "*", "f", i) for i in range(100)]
    pairs = [tuple(map(int, i.split(b"-"))) for i in ids]
    assert pairs == sorted(set(pairs))
    assert abs(pairs[0][0] / 1000 - time.time()) < 5
    conn.do("XSETID", "s", "18446744073709551615-18446744073709551614")
    assert conn.do("XADD", "s", "*", "f", "v") == b"18446744073709551615-18446744073709551615"
    assert conn.call("XADD", "s", "*", "f", "v").error == "ERR The stream has exhausted the last possible ID, unable to add more items"


def test_waiting_readers_get_what_comes_after_they_came(pair):
    seen = []
    for server in pair:
        for proto in (2, 3):
            with server.conn() as admin, server.conn() as new, server.conn() as old, server.conn() as two:
                admin.do("FLUSHALL")
                for c in (new, old, two):
                    c.call("HELLO", proto)
                admin.do("XADD", "s", "1-1", "f", "before")
                new.send("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
                old.send("XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", "s", "5-0")
                two.send("XREAD", "BLOCK", 0, "STREAMS", "none", "s", "$", "$")
                waits(server, admin, 3)
                admin.do("XDEL", "s", "1-1")
                admin.do("XADD", "s", "2-1", "f", "after")
                got = [new.read().raw, two.read().raw]
                waits(server, admin, 1)
                admin.do("XADD", "s", "5-0", "f", "not yet")
                admin.do("XADD", "s", "6-0", "f", "now")
                got.append(old.read().raw)
                got.append(new.call("XREAD", "BLOCK", 20, "STREAMS", "s", "$").raw)
                admin.do("MULTI")
                admin.do("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
                got.append(admin.call("EXEC").raw)
                seen.append(got)
    assert seen[:2] == seen[2:]


def test_inner_figures_and_digests_are_those_of_redis(pair):
    infos, digests = [], []
    for server in pair:
        with server.conn() as c:
            c.do("FLUSHALL")
            fill(c)
            infos.append([c.call("XINFO", "STREAM", k).raw for k in ("few", "some", "many", "empty")])
            digests.append(c.do("DEBUG", "DIGEST"))
    assert infos[0] == infos[1]
    assert digests[0] == digests[1]


def test_payloads_go_both_ways(pair):
    mine, theirs = pair
    for source, target in ((mine, theirs), (theirs, mine), (mine, mine)):
        with source.conn() as a, target.conn() as b:
            a.do("FLUSHALL")
            fill(a)
            keys = ("few", "some", "many", "empty")
            payloads = [a.do("DUMP", k) for k in keys]
            digest = a.do("DEBUG", "DIGEST")
            infos = [a.call("XINFO", "STREAM", k, "FULL").raw for k in keys]
            b.do("FLUSHALL")
            for k, p in zip(keys, payloads):
                b.do("RESTORE", k, 0, p)
            assert b.do("DEBUG", "DIGEST") == digest
            assert [b.call("XINFO", "STREAM", k, "FULL").raw for k in keys] == infos


def test_a_restart_keeps_streams(conn):
    fill(conn)
    before = conn.do("DEBUG", "DIGEST")
    conn.do("DEBUG", "RELOAD")
    assert conn.do("DEBUG", "DIGEST") == before


def test_damaged_payloads_do_no_harm(conn):
    rnd = random.Random(9)
    fill(conn)
    good = conn.do("DUMP", "some")
    conn.do("FLUSHALL")
    assert signed(good) == good
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(rnd.choice((1, 2, 9))):
            bad[rnd.randrange(len(bad) - 10)] = rnd.randrange(256)
        bad = signed(bad)
        if conn.call("RESTORE", "k", 0, bad, "REPLACE").error is None:
            conn.call("XRANGE", "k", "-", "+")
            conn.call("XREVRANGE", "k", "+", "-")
            conn.call("XTRIM", "k", "MAXLEN", 10)
            conn.call("XADD", "k", "*", "f", "v")


def test_events_are_those_of_redis(pair):
    seen = []
    for server in pair:
        with server.conn() as c, server.conn() as listener:
            c.do("FLUSHALL")
            c.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
            listener.do("PSUBSCRIBE", "*")
            for call in ("XADD s 1-1 f v", "XADD s 2-1 f v", "XADD s MAXLEN 1 3-1 f v", "XTRIM s MAXLEN 0", "XTRIM s MAXLEN 0", "XADD s 4-1 f v", "XDEL s 4-1 1-1",
                         "XDEL s 4-1", "XSETID s 9-9", "XADD s MINID 99 10-1 f v", "DEL s"):
                c.do(*call.split())
            c.do("PUBLISH", "the", "end")
            got = []
            while not got or not got[-1].endswith(b"$3\r\nend\r\n"):
                got.append(listener.read().raw)
            seen.append(got)
            c.do("CONFIG", "SET", "notify-keyspace-events", "")
    assert seen[0] == seen[1]
