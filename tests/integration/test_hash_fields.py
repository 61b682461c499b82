"""Fields of hashes that expire: what each command answers, says to listeners, journals and saves."""
import struct
import time

import pytest

from test_aof import kill_when_written
from test_rdb import digest, wait_for

FAR = 4102444800000  # the year 2100


@pytest.fixture
def lazy(conn):
    """Nothing expires but by being looked at."""
    conn.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    return conn


def listen(server):
    sub = server.conn()
    with server.conn() as c:
        c.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
    sub.do("PSUBSCRIBE", "__keyspace*")
    return sub


def heard(server, sub):
    """Events of the keyspace so far, without the key's channel."""
    with server.conn() as c:
        c.do("PUBLISH", "__keyspace:end", "end")
    out = []
    while True:
        m = sub.read().plain()[3].decode()
        if m == "end":
            return out
        out.append(m)


def stat(c, name):
    for line in c.do("INFO", "everything").decode().split("\r\n"):
        if line.startswith(name + ":"):
            return line.split(":", 1)[1]
    return None


def triples(c, key="h", n=4):
    c.do("HSET", key, *[w for i in range(n) for w in (f"f{i}", f"v{i}")])


def test_expiries_are_set_told_and_dropped(conn):
    triples(conn)
    assert conn.do("HEXPIRE", "h", 100, "FIELDS", 3, "f0", "f1", "no") == [1, 1, -2]
    assert conn.do("HTTL", "h", "FIELDS", 3, "f0", "f2", "no") == [100, -1, -2]
    assert 99000 < conn.do("HPTTL", "h", "FIELDS", 1, "f0")[0] <= 100000
    assert conn.do("HPEXPIREAT", "h", FAR + 1, "FIELDS", 1, "f2") == [1]
    assert conn.do("HPEXPIRETIME", "h", "FIELDS", 2, "f2", "f3") == [FAR + 1, -1]
    assert conn.do("HEXPIRETIME", "h", "FIELDS", 1, "f2") == [FAR // 1000 + 1]  # rounded up
    assert conn.do("HEXPIREAT", "h", FAR // 1000, "FIELDS", 1, "f2") == [1]
    assert conn.do("HPERSIST", "h", "FIELDS", 3, "f2", "f2", "no") == [1, -1, -2]
    assert conn.do("HEXPIRE", "none", 1, "FIELDS", 2, "a", "b") == [-2, -2]
    assert conn.do("HTTL", "none", "FIELDS", 1, "a") == [-2]
    assert conn.do("HPERSIST", "none", "FIELDS", 1, "a") == [-2]
    assert conn.do("HPEXPIRE", "h", 10, "FIELDS", 2, "f0", "f1") == [1, 1]
    wait_for(lambda: conn.do("HLEN", "h") == 2)
    assert sorted(conn.do("HKEYS", "h")) == [b"f2", b"f3"]
    conn.do("SET", "s", "x")
    for command in (["HEXPIRE", "s", 1, "FIELDS", 1, "a"], ["HTTL", "s", "FIELDS", 1, "a"], ["HPERSIST", "s", "FIELDS", 1, "a"],
                    ["HGETDEL", "s", "FIELDS", 1, "a"], ["HGETEX", "s", "FIELDS", 1, "a"], ["HSETEX", "s", "FIELDS", 1, "a", "b"]):
        assert conn.call(*command).error.startswith("WRONGTYPE")


def test_conditions_compare_with_what_was_there(conn):
    triples(conn)
    at = FAR
    for condition, now, wanted in (("XX", at, 0), ("GT", at, 0), ("NX", at, 1), ("NX", at + 1, 0), ("GT", at, 0), ("GT", at + 5, 1),
                                   ("LT", at + 5, 0), ("LT", at + 1, 1), ("XX", at + 9, 1)):
        assert conn.do("HPEXPIREAT", "h", now, condition, "FIELDS", 1, "f0") == [wanted], condition
    assert conn.do("HPEXPIREAT", "h", at, "LT", "FIELDS", 1, "f1") == [1]
    assert conn.do("HPEXPIREAT", "h", 1, "GT", "FIELDS", 1, "f1") == [0]


def test_a_time_in_the_past_deletes(server, conn):
    triples(conn)
    sub = listen(server)
    assert conn.do("HEXPIRE", "h", 0, "FIELDS", 2, "f0", "f0") == [2, -2]
    assert conn.do("HPEXPIREAT", "h", 1, "FIELDS", 4, "f0", "f1", "f2", "f3") == [-2, 2, 2, 2]
    assert conn.do("EXISTS", "h") == 0
    assert heard(server, sub) == ["hdel", "hdel", "del"]
    assert stat(conn, "expired_subkeys") == "4"
    sub.close()


BAD = [
    ("HEXPIRE h x FIELDS 1 a", "ERR value is not an integer or out of range"),
    ("HEXPIRE h -1 FIELDS 1 a", "ERR invalid expire time, must be >= 0"),
    ("HEXPIRE h 70368744177664 FIELDS 1 a", "ERR invalid expire time in 'hexpire' command"),
    ("HPEXPIRE h 70368744177663 FIELDS 1 a", "ERR invalid expire time in 'hpexpire' command"),
    ("HPEXPIREAT h 70368744177664 FIELDS 1 a", "ERR invalid expire time in 'hpexpireat' command"),
    ("HEXPIRE h 1 FIELD 1 a", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HEXPIRE h 1 NX 1 a b", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HEXPIRE h 1 FIELDS 0 a", "ERR Parameter `numFields` should be greater than 0"),
    ("HEXPIRE h 1 FIELDS x a", "ERR Parameter `numFields` should be greater than 0"),
    ("HEXPIRE h 1 FIELDS 2 a", "ERR The `numfields` parameter must match the number of arguments"),
    ("HEXPIRE h 1 NX FIELDS 1", "ERR The `numfields` parameter must match the number of arguments"),
    ("HEXPIRE h 1 FIELDS 1", "ERR wrong number of arguments for 'hexpire' command"),
    ("HTTL h FIELD 1 a", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HTTL h FIELDS 0 a", "ERR Number of fields must be a positive integer"),
    ("HPERSIST h FIELDS -1 a", "ERR Number of fields must be a positive integer"),
    ("HPTTL h FIELDS 1 a b", "ERR The `numfields` parameter must match the number of arguments"),
    ("HGETDEL h FIELDS 0 a", "ERR Number of fields must be a positive integer"),
    ("HGETDEL h FIELDS 3 a b", "ERR The `numfields` parameter must match the number of arguments"),
    ("HGETEX h EX 1 PX 1 FIELDS 1 a", "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"),
    ("HGETEX h PERSIST EX 1 FIELDS 1 a", "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"),
    ("HGETEX h EX x FIELDS 1 a", "ERR value is not an integer or out of range"),
    ("HGETEX h EX -1 FIELDS 1 a", "ERR invalid expire time, must be >= 0"),
    ("HGETEX h FIELDS 0 a", "ERR invalid number of fields"),
    ("HGETEX h FIELDS 2 a", "ERR wrong number of arguments for 'hgetex' command"),
    ("HGETEX h KEEPTTL FIELDS 1 a", "ERR unknown argument: KEEPTTL"),
    ("HSETEX h EX 1 KEEPTTL FIELDS 1 a b", "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"),
    ("HSETEX h FXX FNX FIELDS 1 a b", "ERR Only one of FXX or FNX arguments can be specified"),
    ("HSETEX h FIELDS 1 a b c", "ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS 2 a b c", "ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h junk FIELDS 1 a b", "ERR unknown argument: junk"),
    ("HSETEX h FNX KEEPTTL EX", "ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FNX FIELDS 1 a EX", None),
]


@pytest.mark.parametrize("line,error", BAD)
def test_wrong_arguments_have_the_texts_of_redis(conn, line, error):
    triples(conn)
    before = conn.do("DEBUG", "DIGEST")
    assert conn.call(*line.split()).error == error
    if error:
        assert conn.do("DEBUG", "DIGEST") == before


@pytest.mark.parametrize("n", [4, 1000])
def test_what_is_past_is_hidden_until_it_is_removed(lazy, n):
    triples(lazy, "h", n)
    lazy.do("HPEXPIRE", "h", 1, "FIELDS", 3, "f0", "f1", "f2")
    assert lazy.do("OBJECT", "ENCODING", "h") == (b"listpackex" if n == 4 else b"hashtable")
    time.sleep(0.01)
    assert lazy.do("HLEN", "h") == n  # as Redis counts
    gone = {b"f0", b"f1", b"f2"}
    assert gone.isdisjoint(lazy.do("HKEYS", "h")) and len(lazy.do("HGETALL", "h")) == 2 * (n - 3)
    assert len(lazy.do("HVALS", "h")) == n - 3
    assert gone.isdisjoint(lazy.do("HRANDFIELD", "h", n)) and len(lazy.do("HRANDFIELD", "h", n)) == n - 3
    assert gone.isdisjoint(lazy.do("HRANDFIELD", "h", -50)) and lazy.do("HRANDFIELD", "h") not in gone
    assert gone.isdisjoint(lazy.do("HSCAN", "h", 0, "COUNT", 5000)[1])
    assert lazy.do("HTTL", "h", "FIELDS", 2, "f0", "f3") == [-2, -1]
    assert lazy.do("HPERSIST", "h", "FIELDS", 1, "f0") == [-2]
    assert lazy.do("SORT", "l", "BY", "nosort", "GET", "h->f0") == []
    lazy.do("RPUSH", "l", "")
    assert lazy.do("SORT", "l", "ALPHA", "GET", "h*->f0", "GET", "h*->f3") == [None, b"v3"]
    assert lazy.do("HLEN", "h") == n
    assert lazy.do("HGET", "h", "f0") is None and lazy.do("HLEN", "h") == n - 1
    assert lazy.do("HMGET", "h", "f1", "f3") == [None, b"v3"] and lazy.do("HLEN", "h") == n - 2
    assert lazy.do("HEXISTS", "h", "f2") == 0 and lazy.do("HLEN", "h") == n - 3
    assert stat(lazy, "expired_subkeys") == "3"


def past(c, *fields):
    c.do("HSET", "h", *[w for f in fields for w in (f, "7")])
    c.do("HPEXPIRE", "h", 1, "FIELDS", len(fields), *fields)
    time.sleep(0.005)


def test_writers_see_past_fields_as_absent(lazy):
    past(lazy, "a")
    assert lazy.do("HSTRLEN", "h", "a") == 0 and lazy.do("EXISTS", "h") == 0
    past(lazy, "a", "b")
    assert lazy.do("HINCRBY", "h", "a", 3) == 3 and lazy.do("HTTL", "h", "FIELDS", 1, "a") == [-1]
    assert lazy.do("HINCRBYFLOAT", "h", "b", "1.5") == b"1.5"
    past(lazy, "a")
    assert lazy.do("HSETNX", "h", "a", "new") == 1
    past(lazy, "a")
    assert lazy.do("HSET", "h", "a", "new") == 1
    past(lazy, "a")
    assert lazy.do("HEXPIRE", "h", 100, "FIELDS", 1, "a") == [-2]
    past(lazy, "a")
    assert lazy.do("HGETDEL", "h", "FIELDS", 2, "a", "b") == [None, b"1.5"]
    past(lazy, "a")
    assert lazy.do("HSETEX", "h", "FXX", "EX", 10, "FIELDS", 1, "a", "x") == 0
    past(lazy, "a")
    assert lazy.do("HSETEX", "h", "FNX", "EX", 10, "FIELDS", 1, "a", "x") == 1
    past(lazy, "a")
    assert lazy.do("HGETEX", "h", "EX", 10, "FIELDS", 1, "a") == [None]
    past(lazy, "a")
    assert lazy.do("HDEL", "h", "a") == 1  # Redis looks no further than that it is there


def test_new_values_drop_expiries_and_changed_ones_keep_them(conn):
    conn.do("HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4")
    conn.do("HPEXPIREAT", "h", FAR, "FIELDS", 4, "a", "b", "c", "d")
    conn.do("HSET", "h", "a", "1")
    conn.do("HINCRBY", "h", "b", "1")
    conn.do("HINCRBYFLOAT", "h", "c", "1.5")
    conn.do("HMSET", "h", "d", "1")
    conn.do("HSETNX", "h", "b", "1")
    assert conn.do("HPEXPIRETIME", "h", "FIELDS", 4, "a", "b", "c", "d") == [-1, FAR, FAR, -1]


def test_getex_setex_getdel(server, conn):
    sub = listen(server)
    assert conn.do("HSETEX", "h", "PXAT", FAR, "FIELDS", 2, "a", "1", "b", "2") == 1
    assert conn.do("HPEXPIRETIME", "h", "FIELDS", 2, "a", "b") == [FAR, FAR]
    assert conn.do("HSETEX", "h", "KEEPTTL", "FIELDS", 2, "a", "3", "c", "4") == 1
    assert conn.do("HPEXPIRETIME", "h", "FIELDS", 3, "a", "b", "c") == [FAR, FAR, -1]
    assert conn.do("HSETEX", "h", "FIELDS", 1, "a", "5") == 1
    assert conn.do("HTTL", "h", "FIELDS", 1, "a") == [-1]
    assert heard(server, sub) == ["hset", "hexpire", "hset", "hset"]
    assert conn.do("HSETEX", "h", "FNX", "FIELDS", 2, "new", "1", "a", "1") == 0
    assert conn.do("HSETEX", "h", "FXX", "FIELDS", 2, "new", "1", "a", "1") == 0
    assert conn.do("HSETEX", "none", "FXX", "FIELDS", 1, "a", "1") == 0 and conn.do("EXISTS", "none") == 0
    assert conn.do("HGETEX", "h", "FIELDS", 3, "a", "b", "no") == [b"5", b"2", None]
    assert heard(server, sub) == []
    assert conn.do("HGETEX", "h", "PXAT", FAR + 1, "FIELDS", 2, "a", "no") == [b"5", None]
    assert conn.do("HGETEX", "h", "PERSIST", "FIELDS", 2, "a", "c") == [b"5", b"4"]
    assert conn.do("HGETEX", "h", "PERSIST", "FIELDS", 1, "c") == [b"4"]
    assert conn.do("HGETEX", "h", "PXAT", 1, "FIELDS", 1, "a") == [b"5"]
    assert heard(server, sub) == ["hexpire", "hpersist", "hdel"]
    assert conn.do("HGETDEL", "h", "FIELDS", 3, "b", "b", "c") == [b"2", None, b"4"]
    assert heard(server, sub) == ["hdel", "del"]
    assert conn.do("HGETEX", "none", "EX", 1, "FIELDS", 2, "a", "b") == [None, None]
    assert conn.do("HGETDEL", "none", "FIELDS", 1, "a") == [None]
    assert conn.do("HSETEX", "h", "EX", 0, "FIELDS", 1, "a", "1") == 1 and conn.do("EXISTS", "h") == 0
    assert heard(server, sub) == ["hset", "hdel", "del"]
    sub.close()


def test_events_of_fields_that_expire(server, lazy):
    sub = listen(server)
    past(lazy, "a", "b", "c")
    lazy.do("HGET", "h", "a")
    lazy.do("HMGET", "h", "b", "c", "b")
    assert heard(server, sub) == ["hset", "hexpire", "hexpired", "hexpired", "del"]
    past(lazy, *[f"f{i}" for i in range(300)])
    lazy.do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    wait_for(lambda: not lazy.do("EXISTS", "h"))
    events = heard(server, sub)
    assert events[:2] == ["hset", "hexpire"] and set(events[2:-1]) == {"hexpired"} and events[-1] == "del"
    assert stat(lazy, "expired_subkeys") == "303" and stat(lazy, "db0") is None
    sub.close()


def test_the_cycle_finds_what_is_due_wherever_it_went(conn):
    def put(key, ms):
        conn.do("HSET", key, "gone", "1", "stays", "2")
        conn.do("HPEXPIRE", key, ms, "FIELDS", 1, "gone")

    for i in range(200):
        put(f"k{i}", 1000 + i % 7)
    conn.do("RENAME", "k0", "renamed")
    conn.do("COPY", "k1", "copied")
    conn.do("MOVE", "k2", 1)
    conn.do("EXPIRE", "k3", 1000)
    conn.do("EXPIRE", "k4", 1000)
    conn.do("PERSIST", "k4")
    conn.do("SET", "k5", "string")
    conn.do("DEL", "k6")
    conn.do("RESTORE", "restored", 0, conn.do("DUMP", "k7"))
    conn.do("HPERSIST", "k8", "FIELDS", 1, "gone")
    assert ",subexpiry=198" in "," + stat(conn, "db0").split(",", 3)[3]
    wait_for(lambda: "subexpiry" not in stat(conn, "db0") and "subexpiry" not in stat(conn, "db1"))
    for key in [f"k{i}" for i in (3, 4, *range(9, 200))] + ["renamed", "copied", "restored"]:
        assert conn.do("HKEYS", key) == [b"stays"], key
    assert conn.do("HLEN", "k8") == 2
    conn.do("SELECT", 1)
    assert conn.do("HLEN", "k2") == 1
    put("swapped", 50)
    conn.do("SWAPDB", 1, 2)
    put("flushed", 10)
    conn.do("FLUSHDB")
    conn.do("SELECT", 2)
    wait_for(lambda: conn.do("HLEN", "swapped") == 1)


def test_a_watch_is_broken_by_a_field_that_expires(server, conn):
    conn.do("HSET", "h", "a", "1", "b", "2")
    conn.do("HPEXPIRE", "h", 20, "FIELDS", 1, "a")
    conn.do("WATCH", "h")
    with server.conn() as other:
        wait_for(lambda: other.do("HLEN", "h") == 1)
    conn.do("MULTI")
    conn.do("PING")
    assert conn.do("EXEC") is None


def test_time_stands_still_in_a_transaction(conn):
    conn.do("HSET", "h", "a", "1", "b", "2")
    conn.do("MULTI")
    conn.do("HPEXPIRE", "h", 1, "FIELDS", 1, "a")
    conn.do("DEBUG", "SLEEP", "0.02")
    conn.do("HGET", "h", "a")
    conn.do("HLEN", "h")
    assert conn.do("EXEC") == [[1], b"OK", b"1", 2]
    assert conn.do("HGET", "h", "a") is None


def test_the_log_says_when_and_what(start, tmp_path):
    one = start("--appendonly", "yes", folder=tmp_path)
    with one.conn() as c:
        triples(c, "h", 12)
        c.do("HEXPIRE", "h", 1000, "FIELDS", 2, "f0", "no")
        c.do("HPEXPIRE", "h", 1000000, "NX", "FIELDS", 2, "f0", "f1")
        c.do("HGETEX", "h", "EX", 1000, "FIELDS", 2, "f2", "f3")
        c.do("HGETEX", "h", "PERSIST", "FIELDS", 2, "f2", "f9")
        c.do("HGETDEL", "h", "FIELDS", 1, "f4")
        c.do("HSETEX", "h", "EX", 1000, "FIELDS", 1, "f5", "5")
        c.do("HSETEX", "h", "KEEPTTL", "FNX", "FIELDS", 1, "g", "5")
        c.do("HINCRBYFLOAT", "h", "f5", "1.5")
        c.do("HPEXPIRE", "h", 1, "FIELDS", 1, "f6")
        c.do("HEXPIRE", "h", 0, "FIELDS", 1, "f7")
        past(c, "x", "y")
        wait_for(lambda: c.do("HLEN", "h") == 10)
        fields = sorted(c.do("HKEYS", "h"))
        times = c.do("HPEXPIRETIME", "h", "FIELDS", len(fields), *fields)
    before = digest(one)
    kill_when_written(one)
    with open(next((tmp_path / "appendonlydir").glob("*.incr.aof")), "rb") as f:
        log = f.read()
    for word in (b"HEXPIRE\r\n", b"HPEXPIRE\r\n", b"HGETEX", b"HGETDEL", b"\r\nEX\r\n", b"\r\nFNX\r\n", b"HINCRBYFLOAT"):
        assert word not in log
    one.start()
    with one.conn() as c:
        assert sorted(c.do("HKEYS", "h")) == fields
        assert c.do("HPEXPIRETIME", "h", "FIELDS", len(fields), *fields) == times
        assert digest(one) == before
        assert c.do("BGREWRITEAOF")
        wait_for(lambda: stat(c, "aof_rewrite_in_progress") == "0")
    kill_when_written(one)
    one.start()
    with one.conn() as c:
        assert c.do("HPEXPIRETIME", "h", "FIELDS", len(fields), *fields) == times


def test_what_expired_while_the_server_was_down_is_gone(start, tmp_path):
    one = start("--appendonly", "yes", folder=tmp_path)
    with one.conn() as c:
        c.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        c.do("HSET", "h", "a", "1", "b", "2")
        c.do("HPEXPIRE", "h", 50, "FIELDS", 1, "a")
        c.do("HSETEX", "k", "PX", 50, "FIELDS", 1, "a", "1")
        c.do("HSETEX", "l", "PX", 50, "FIELDS", 1, "a", "1")
        c.do("HPERSIST", "l", "FIELDS", 1, "a")
    kill_when_written(one)
    time.sleep(0.06)
    one.start()
    with one.conn() as c:
        wait_for(lambda: c.do("HKEYS", "h") == [b"b"] and not c.do("EXISTS", "k"))
        assert c.do("HKEYS", "l") == [b"a"]


@pytest.mark.parametrize("n", [5, 2000])
def test_saving_keeps_expiries_and_takes_the_lowest_version(start, tmp_path, n):
    def version():
        with open(tmp_path / "dump.rdb", "rb") as f:
            return f.read(9)

    one = start(folder=tmp_path)
    with one.conn() as c:
        triples(c, "h", n)
        assert c.do("SAVE") == b"OK" and version() == b"REDIS0010"
        assert struct.unpack("<H", c.do("DUMP", "h")[-10:-8]) == (10,)
        for i in range(0, n, 3):
            c.do("HPEXPIREAT", "h", FAR + i * 7 % 100, "FIELDS", 1, f"f{i}")
        assert c.do("SAVE") == b"OK" and version() == b"REDIS0012"
        payload = c.do("DUMP", "h")
        assert payload[0] == (25 if n == 5 else 24) and struct.unpack("<Hq", payload[-10:-8] + payload[1:9]) == (12, FAR)
        assert c.do("RESTORE", "copy", 0, payload) == b"OK"
        assert c.do("DEBUG", "DIGEST-VALUE", "copy") == c.do("DEBUG", "DIGEST-VALUE", "h")
        c.do("DEL", "copy")
        encoding = c.do("OBJECT", "ENCODING", "h")
        before = c.do("DEBUG", "DIGEST")
        assert c.do("DEBUG", "RELOAD") == b"OK"
        assert c.do("DEBUG", "DIGEST") == before and c.do("OBJECT", "ENCODING", "h") == encoding
        fields = [f"f{i}" for i in range(n)]
        assert c.do("HPEXPIRETIME", "h", "FIELDS", n, *fields) == [FAR + i * 7 % 100 if i % 3 == 0 else -1 for i in range(n)]
        assert c.do("HPERSIST", "h", "FIELDS", n, *fields).count(1) == (n + 2) // 3
        assert c.do("SAVE") == b"OK" and version() == b"REDIS0010"


def test_loading_leaves_out_what_is_past(start, tmp_path):
    one = start(folder=tmp_path)
    with one.conn() as c:
        c.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        c.do("HSET", "h", "a", "1", "b", "2")
        c.do("HPEXPIRE", "h", 30, "FIELDS", 1, "a")
        c.do("HSETEX", "all", "PX", 30, "FIELDS", 2, "a", "1", "b", "2")
        triples(c, "big", 1000)
        c.do("HPEXPIRE", "big", 30, "FIELDS", 3, "f1", "f2", "f3")
        assert c.do("SAVE") == b"OK"
    one.stop()
    time.sleep(0.04)
    one.start()
    with one.conn() as c:
        c.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        assert [c.do("HLEN", k) for k in ("h", "all", "big")] == [1, 0, 997]
        assert c.do("DBSIZE") == 2


def test_memory_and_eviction_know_them(conn):
    triples(conn, "h", 1000)
    plain = conn.do("MEMORY", "USAGE", "h", "SAMPLES", 0)
    for i in range(1000):
        conn.do("HEXPIRE", "h", 1000, "FIELDS", 1, f"f{i}")
    assert plain + 10000 < conn.do("MEMORY", "USAGE", "h", "SAMPLES", 0) < plain + 50000
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    conn.do("CONFIG", "SET", "maxmemory", "1")
    wait_for(lambda: conn.call("PING") and conn.do("DBSIZE") == 0)
    conn.do("CONFIG", "SET", "maxmemory", "0")
    assert conn.do("HSETEX", "h", "PX", 5, "FIELDS", 1, "a", "1") == 1
    wait_for(lambda: not conn.do("EXISTS", "h"))


def test_a_tracking_client_is_told_of_fields_that_expire(server, conn):
    conn.do("HSET", "h", "a", "1", "b", "2")
    conn.do("HPEXPIRE", "h", 50, "FIELDS", 1, "a")
    with server.conn() as c:
        c.do("HELLO", "3")
        c.do("CLIENT", "TRACKING", "ON")
        assert c.do("HGET", "h", "a") == b"1"
        assert c.read().plain() == [b"invalidate", [b"h"]]
        assert c.do("HGET", "h", "a") is None


def test_debug_sees_the_listpack(conn):
    conn.do("HSET", "h", "a", "1", "b", "2")
    conn.do("HEXPIRE", "h", 100, "FIELDS", 1, "b")
    assert conn.do("DEBUG", "LISTPACK", "h") == b"Listpack structure printed on stdout"
    assert b"encoding:listpackex" in conn.do("DEBUG", "OBJECT", "h")
