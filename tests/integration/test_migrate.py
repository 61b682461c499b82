"""MIGRATE: keys go to a real redis-server and come from one; what fails says why, and leaves the keys where they are."""
import os
import signal
import socket
import time

import pytest

import servers

VALUES = [["SET", "string", "x" * 100], ["SET", "number", "12345"], ["RPUSH", "list"] + [str(i) for i in range(300)], ["SADD", "set", "a", "b", "1"], ["SADD", "ints", "1", "2", "3"],
          ["HSET", "hash", "f", "v", "g", "w"], ["ZADD", "zset", "1", "a", "2.5", "b"], ["XADD", "stream", "1-1", "f", "v"], ["PFADD", "hll", "a", "b"], ["SET", "", "empty name"],
          ["SET", "big", "y" * 300000], ["HSET", "bighash"] + [w for i in range(2000) for w in (f"f{i}", f"v{i}")], ["ZADD", "bigzset"] + [w for i in range(2000) for w in (str(i), f"m{i}")]]
NAMES = [v[1] for v in VALUES if v[1]]


@pytest.fixture(scope="module")
def sides():
    if not servers.redis_binary("/tmp"):
        pytest.skip("no redis-server here")
    with servers.Server() as mine, servers.Server(kind="redis") as theirs:
        yield {"inodis": mine, "redis": theirs}


@pytest.fixture
def ends(sides):
    """A connection to each of both, empty."""
    with sides["inodis"].conn() as mine, sides["redis"].conn() as theirs:
        for c in (mine, theirs):
            c.do("FLUSHALL")
        yield mine, theirs


def port(server):
    return str(server.port)


@pytest.mark.parametrize("way", [("inodis", "redis"), ("redis", "inodis"), ("inodis", "another")])
def test_every_type_arrives_as_it_left(sides, start, way):
    target = start() if way[1] == "another" else sides[way[1]]
    with sides[way[0]].conn() as a, target.conn() as b:
        a.do("FLUSHALL")
        b.do("FLUSHALL")
        for words in VALUES:
            a.do(*words)
        a.do("PEXPIRE", "hash", 1000000)
        before = {n: a.do("DEBUG", "DIGEST-VALUE", n) for n in NAMES}
        a.send("MIGRATE", "127.0.0.1", port(target), "string", 0, 5000)
        assert a.read().raw == b"+OK\r\n"
        a.send("MIGRATE", "127.0.0.1", port(target), "", 0, 5000, "KEYS", "nothing", *NAMES[1:], "nor this")
        assert a.read().raw == b"+OK\r\n"
        assert {n: b.do("DEBUG", "DIGEST-VALUE", n) for n in NAMES} == before
        assert 990000 < b.do("PTTL", "hash") <= 1000000
        assert b.do("PTTL", "zset") == -1
        assert a.do("KEYS", "*") == [b""]


def test_replies_are_those_of_redis(sides, ends, start):
    third = start(kind="redis")
    target = port(third)
    calls = [["MIGRATE"], ["MIGRATE", "h", "1", "k", "0"], ["MIGRATE", "127.0.0.1", target, "k", "x", "100"], ["MIGRATE", "127.0.0.1", target, "k", "0", "x"],
             ["MIGRATE", "127.0.0.1", target, "k", "0", "100"], ["MIGRATE", "127.0.0.1", target, "k", "0", "100", "junk"], ["MIGRATE", "127.0.0.1", target, "k", "0", "100", "AUTH"],
             ["MIGRATE", "127.0.0.1", target, "k", "0", "100", "AUTH2", "a"], ["MIGRATE", "127.0.0.1", target, "k", "0", "100", "KEYS", "x"], ["MIGRATE", "127.0.0.1", target, "", "0", "100", "KEYS"],
             ["MIGRATE", "127.0.0.1", target, "", "0", "100", "COPY", "REPLACE", "KEYS", "x", "y"], ["MIGRATE", "127.0.0.1", "1", "there", "0", "100"],
             ["MIGRATE", "127.0.0.1", "junk", "there", "0", "100"], ["MIGRATE", "127.0.0.1", target, "there", "99", "1000"], ["MIGRATE", "127.0.0.1", target, "there", "1", "1000", "AUTH", "pw"],
             ["MIGRATE", "127.0.0.1", target, "there", "1", "1000", "AUTH2", "nobody", "pw"], ["MIGRATE", "127.0.0.1", target, "there", "1", "1000", "COPY"],
             ["MIGRATE", "127.0.0.1", target, "there", "1", "1000"], ["MIGRATE", "127.0.0.1", target, "there", "1", "1000", "REPLACE"], ["EXISTS", "there"],
             ["COMMAND", "GETKEYS", "MIGRATE", "h", "1", "", "0", "1", "AUTH", "keys", "KEYS", "a", "b"], ["COMMAND", "GETKEYS", "MIGRATE", "h", "1", "k", "0", "1", "COPY"]]
    got = []
    for name in ("inodis", "redis"):
        with sides[name].conn() as c, third.conn() as there:
            there.do("FLUSHALL")
            c.do("SET", "there", 1)
            got.append([c.call(*words).raw for words in calls])
    assert [(w, a) for w, a in zip(calls, got[0])] == [(w, b) for w, b in zip(calls, got[1])]


def test_a_key_that_is_there_already_stays_on_both_sides_and_the_others_go(sides, ends):
    mine, theirs = ends
    mine.do("MSET", "a", 1, "b", 2, "c", 3)
    theirs.do("SET", "b", "other")
    target = port(sides["redis"])
    reply = mine.call("MIGRATE", "127.0.0.1", target, "", 0, 1000, "KEYS", "a", "b", "c")
    assert reply.error == "ERR Target instance replied with error: BUSYKEY Target key name already exists."
    assert mine.do("KEYS", "*") == [b"b"]
    assert theirs.do("MGET", "a", "b", "c") == [b"1", b"other", b"3"]
    mine.do("MIGRATE", "127.0.0.1", target, "b", 0, 1000, "REPLACE", "COPY")
    assert mine.do("GET", "b") == theirs.do("GET", "b") == b"2"


def test_the_database_is_chosen_anew_only_when_it_changes(sides, ends):
    mine, theirs = ends
    for db in (3, 3, 5, 0, 0, 3):
        mine.do("SET", "k", db)
        mine.do("MIGRATE", "127.0.0.1", port(sides["redis"]), "k", db, 1000, "REPLACE")
    for db in (3, 5, 0):
        theirs.do("SELECT", db)
        assert theirs.do("GET", "k") == b"%d" % db


def test_a_password_is_given_and_hidden(start, ends):
    mine, _ = ends
    target = start("--requirepass", "secret", kind="redis", wait=False)
    time.sleep(0.5)
    mine.do("SET", "k", 1)
    words = ["MIGRATE", "127.0.0.1", port(target), "k", 0, 1000]
    assert "NOAUTH" in mine.call(*words).error
    assert "WRONGPASS" in mine.call(*words, "AUTH", "bad").error
    mine.do("CONFIG", "SET", "slowlog-log-slower-than", 0)
    assert mine.do(*words, "AUTH2", "default", "secret") == b"OK"
    assert b"secret" not in b" ".join(w for e in mine.do("SLOWLOG", "GET", 5) for w in e[3])
    mine.do("CONFIG", "SET", "slowlog-log-slower-than", 10000)
    mine.do("SET", "k", 1)
    assert mine.do(*words, "REPLACE", "AUTH", "secret") == b"OK"


def test_a_target_that_was_started_anew_is_found_again(start, ends):
    mine, _ = ends
    target = start(kind="redis")
    for _ in range(2):
        mine.do("SET", "k", 1)
        assert mine.do("MIGRATE", "127.0.0.1", port(target), "k", 0, 1000, "REPLACE") == b"OK"
    target.stop()
    target.start()
    mine.do("SET", "k", 2)
    assert mine.do("MIGRATE", "127.0.0.1", port(target), "k", 0, 1000, "REPLACE") == b"OK"
    with target.conn() as c:
        assert c.do("GET", "k") == b"2"


def test_a_target_that_does_not_answer_is_given_up_and_the_key_stays(start, ends):
    mine, _ = ends
    target = start(kind="redis")
    mine.do("SET", "k", 1)
    os.kill(target.pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        assert mine.call("MIGRATE", "127.0.0.1", port(target), "k", 0, 300).error == "IOERR error or timeout reading to target instance"
        assert 0.25 < time.monotonic() - begin < 3
    finally:
        os.kill(target.pid, signal.SIGCONT)
    assert mine.do("GET", "k") == b"1"


def test_a_target_that_closes_or_talks_nonsense_does_no_harm(ends):
    mine, _ = ends
    mine.do("SET", "k", 1)
    with socket.create_server(("127.0.0.1", 0)) as s:
        mine.send("MIGRATE", "127.0.0.1", s.getsockname()[1], "k", 0, 1000)
        for _ in range(2):
            c, _ = s.accept()
            c.recv(10)
            c.close()
        assert mine.read().error.startswith("IOERR error or timeout")
        mine.send("MIGRATE", "127.0.0.1", s.getsockname()[1], "k", 0, 1000)
        c, _ = s.accept()
        c.sendall(b"-" + b"n" * 100000 + b"\r\n" * 2)
        assert mine.read().error.startswith("ERR Target instance replied with error: nnn")
        c.close()
    assert mine.do("GET", "k") == b"1"


def test_what_went_is_journalled_as_deleted(start, sides):
    with sides["redis"].conn() as c:
        c.do("FLUSHALL")
    server = start("--appendonly", "yes")
    with server.conn() as c, server.conn() as hears:
        c.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
        c.do("MSET", "a", 1, "b", 2, "c", 3)
        hears.do("SUBSCRIBE", "__keyevent@0__:del")
        assert c.do("MIGRATE", "127.0.0.1", port(sides["redis"]), "", 0, 1000, "KEYS", "a", "b", "none") == b"OK"
        assert [hears.read().plain()[2] for _ in range(2)] == [b"a", b"b"]
        assert c.do("MIGRATE", "127.0.0.1", port(sides["redis"]), "c", 0, 1000, "COPY") == b"OK"
    time.sleep(1.2)
    log = b"".join(open(os.path.join(server.dir, "appendonlydir", f), "rb").read() for f in os.listdir(os.path.join(server.dir, "appendonlydir")) if f.endswith(".aof"))
    assert b"*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n" in log and b"MIGRATE" not in log.upper()
