"""Keyspace events: call by call the same events as redis-server, of every class, on the same channels and in the same order."""
import random
import time

import pytest

from compare import Run, name_of, show

CLASSES = "KEA" "mn"


def listen(server, classes):
    c = server.conn()
    c.do("CONFIG", "SET", "notify-keyspace-events", classes)
    c.do("PSUBSCRIBE", "__key*")
    c.do("SUBSCRIBE", "mark")
    return c


def events_of(server, calls, classes=CLASSES, before=()):
    """For each call the (channel, message) pairs that came between it and the next. A number as call waits so many seconds."""
    with server.conn() as c, server.conn() as quiet:
        quiet.do("FLUSHALL")
        for call in before:
            c.call(*call)
        quiet.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        sub = listen(server, classes)
        out, now = [], []
        for i, call in enumerate(calls):
            if isinstance(call, float):
                time.sleep(call)
            else:
                c.send(*call)
                # In MULTI and after RESET or HELLO the connection itself could not say where it is: another does, in its turn.
                c.read()
            quiet.send("PUBLISH", "mark", i)
            quiet.read()
        while len(out) < len(calls):
            m = sub.read().plain()
            if m[0] == b"message":
                out.append(now)
                now = []
            else:
                now.append((m[2], m[3]))
        sub.close()
        quiet.do("CONFIG", "SET", "notify-keyspace-events", "")
        quiet.do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        return out


def differences(pair, calls, **kw):
    mine, theirs = (events_of(s, calls, **kw) for s in pair)
    wrong = []
    for call, a, b in zip(calls, mine, theirs):
        if a != b:
            wrong.append(f"{call if isinstance(call, float) else show([x if isinstance(x, bytes) else str(x).encode() for x in call])}: "
                         f"{a} redis: {b}"[:600])
    return wrong


@pytest.mark.parametrize("family", ["string", "list", "set", "hash", "zset", "keys", "flush", "transaction"])
def test_generated_calls_make_the_events_of_redis(pair, family):
    seed = str(time.time())
    wrong = []
    for index in range(4):
        rng = random.Random(f"{seed}/{index}")
        calls = [c for c in Run(*pair, seed).make(family, rng, 150) if name_of(c) not in ("SPOP", "RESET")]
        wrong += differences(pair, calls)
    assert not wrong, f"seed {seed}: {len(wrong)} differ\n" + "\n".join(wrong[:20])


def words(text):
    return [float(line) if line.startswith("0.") else line.split(" ") for line in text.strip().split("\n")]


def test_expiry_and_misses(pair):
    calls = words("""SET k v PX 20
0.05
GET k
GET k
EXISTS none
TYPE none
TTL none
OBJECT ENCODING none
OBJECT FREQ none
STRLEN none
GETRANGE none 0 1
MGET none a k
LRANGE none 0 1
LLEN none
HGET none f
HGETALL none
SMEMBERS none
SISMEMBER none a
SINTER none other
SUNION none other
SDIFF none other
SINTERCARD 2 none other
ZSCORE none m
ZRANGE none 0 1
ZUNION 2 none other
ZRANDMEMBER none
HRANDFIELD none
SRANDMEMBER none
LPOS none a
LINDEX none 0
LCS none other
DUMP none
COPY none other
EXPIRETIME none
TOUCH none
UNLINK none
DEL none
GETDEL none
GETEX none
GETSET n 1
INCR i
SSCAN none 0
HSCAN none 0
ZSCAN none 0
PERSIST none
EXPIRE none 10
RENAME none x
SPOP none
LPOP none
ZPOPMIN none
HDEL none f
SREM none m
SET k v EX 100
EXPIRE k 0
SET k v EX 100
SET k w EXAT 1
SET k v PX 20
0.05
SET k w
SET k v PX 20
0.05
INCR k
SET k v PX 20
0.05
DEL k
SET k v PX 20
0.05
RENAME k j
SET a 1 PX 20
SET b 2
0.05
RENAME b a
SELECT 5
SET five 5
GET nofive
MOVE five 6
COPY b b DB 7
FLUSHALL""")
    assert differences(pair, calls) == []


def test_new_keys(pair):
    calls = words("""SET s 1
SET s 2
MSET s 3 t 4
RPUSH l a
RPUSH l b
LMOVE l m LEFT RIGHT
SADD x 1
SADD y 1 2
SUNIONSTORE z x y
SUNIONSTORE z x y
SINTERSTORE z none y
ZADD zs 1 a
ZUNIONSTORE zz 1 zs
ZUNIONSTORE zz 1 zs
ZRANGESTORE zr zs 0 -1
HSET h f v
HSET h g v
HINCRBY hh f 1
SETNX nx 1
SETNX nx 1
APPEND app a
APPEND app b
SETRANGE sr 3 a
INCR i
INCR i
INCRBYFLOAT fl 1.5
GETSET gs 1
RENAME s u
SET s 1
RENAME s u
COPY u v
COPY u v REPLACE
MOVE u 1
SMOVE y w 1
SMOVE y w 2
RPOPLPUSH m n
SETEX se 100 v
PSETEX se 1000 v
GETEX se PERSIST
ZINCRBY zi 1 a
LPUSHX none a
EXPIRE se 100
PERSIST se
PERSIST se""")
    assert differences(pair, calls) == []


@pytest.mark.parametrize("classes", ["", "K", "E", "A", "Kg", "E$", "KElx", "KEgs", "Eh", "Kz", "KEx", "KEe", "Em", "Kn", "KEt", "KEd", "Egm$"])
def test_only_the_classes_asked_for(pair, classes):
    calls = words("""SET s 1
RPUSH l a
SADD x 1
HSET h f 1
ZADD z 1 a
DEL s
GET none
EXPIRE l 100
SET s 1 PX 10
0.03
GET s""")
    assert differences(pair, calls, classes=classes) == []


def test_eviction_is_told(server):
    with server.conn() as c:
        for i in range(500):
            c.do("SET", f"key:{i}", "x" * 1000)
        sub = listen(server, "Ee")
        c.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        used = int(server.info(c)["used_memory"])
        c.do("CONFIG", "SET", "maxmemory", used - 100_000)
        c.call("SET", "one", "more")
        got = sub.read().plain()
        assert got[:3] == [b"pmessage", b"__key*", b"__keyevent@0__:evicted"]
        assert c.do("EXISTS", got[3]) == 0
        sub.close()


def test_active_expiry_is_told(server):
    with server.conn() as c:
        sub = listen(server, "KEx")
        c.do("SELECT", 3)
        c.do("SET", "gone", "v", "PX", 30)
        assert sub.read().plain()[2:] == [b"__keyspace@3__:gone", b"expired"]
        assert sub.read().plain()[2:] == [b"__keyevent@3__:expired", b"gone"]
        sub.close()


def test_events_of_a_huge_key_are_whole(server):
    key = b"k" * 100_000
    with server.conn() as c:
        sub = listen(server, "KEA")
        c.do("SET", key, "v")
        assert sub.read().plain()[2:] == [b"__keyspace@0__:" + key, b"set"]
        assert sub.read().plain()[2:] == [b"__keyevent@0__:set", key]
        sub.close()
