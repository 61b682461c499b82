"""Connections as Redis shows and steers them: CLIENT, MONITOR, SLOWLOG, COMMAND, and 10,000 of them."""
import resource
import time

import pytest

from resp import Closed, Conn, pack
from servers import sanitized


def lines(text):
    return [dict(word.split("=", 1) for word in line.split(" ")) for line in text.decode().splitlines()]


def test_client_list_has_the_fields_of_redis(pair):
    fields = []
    for s in pair:
        with s.conn() as c:
            fields.append(list(lines(c.do("CLIENT", "LIST"))[-1]))
    newer = {"lib-name", "lib-ver"}
    assert [f for f in fields[0] if f not in newer] == fields[1]


def test_client_list_shows_names_databases_and_commands(server, conn):
    with server.conn() as other:
        other.do("CLIENT", "SETNAME", "worker")
        other.do("SELECT", 3)
        number = other.do("CLIENT", "ID")
        other.do("GET", "a")
        row = next(r for r in lines(conn.do("CLIENT", "LIST")) if r["name"] == "worker")
        assert (row["id"], row["db"], row["cmd"], row["resp"]) == (str(number), "3", "get", "2")
        assert lines(conn.do("CLIENT", "LIST", "ID", number))[0]["id"] == str(number)
        other.do("CLIENT", "SETINFO", "LIB-NAME", "my-lib")
        other.do("CLIENT", "SETINFO", "lib-ver", "1.2")
        row = lines(other.do("CLIENT", "INFO"))[0]
        assert (row["lib-name"], row["lib-ver"]) == ("my-lib", "1.2")
        assert other.call("CLIENT", "SETINFO", "lib-name", "a b").error == "ERR lib-name cannot contain spaces, newlines or special characters."
        assert other.call("CLIENT", "SETINFO", "nosuch", "x").error.startswith("ERR Unrecognized option")


def test_client_kill_ends_the_named_ones(server, conn):
    others = [server.conn() for _ in range(4)]
    ids = [c.do("CLIENT", "ID") for c in others]
    rows = {r["id"]: r for r in lines(conn.do("CLIENT", "LIST"))}
    assert conn.do("CLIENT", "KILL", "ID", ids[0]) == 1
    assert others[0].closed_by_server()
    assert conn.do("CLIENT", "KILL", rows[str(ids[1])]["addr"]) == b"OK"
    assert others[1].closed_by_server()
    assert conn.do("CLIENT", "KILL", "ADDR", rows[str(ids[2])]["addr"], "TYPE", "normal") == 1
    assert others[2].closed_by_server()
    assert conn.call("CLIENT", "KILL", "9.9.9.9:1").error == "ERR No such client"
    assert conn.do("CLIENT", "KILL", "TYPE", "normal") == 1
    assert others[3].closed_by_server()
    assert conn.do("PING") == b"PONG"
    assert conn.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no") == 1
    with pytest.raises(Closed):
        conn.call("PING")


def test_client_reply_off_and_skip_are_silent(conn):
    conn.send_raw(pack(["CLIENT", "REPLY", "OFF"]) + pack(["SET", "a", 1]) + pack(["CLIENT", "REPLY", "ON"]) + pack(["CLIENT", "REPLY", "SKIP"])
                  + pack(["SET", "b", 1]) + pack(["GET", "a"]))
    assert [conn.read().raw for _ in range(2)] == [b"+OK\r\n", b"$1\r\n1\r\n"]


def test_reset_takes_a_connection_back_to_its_start(conn):
    conn.call("HELLO", 3)
    conn.do("CLIENT", "SETNAME", "me")
    conn.do("SELECT", 5)
    assert conn.do("RESET") == b"RESET"
    row = lines(conn.do("CLIENT", "INFO"))[0]
    assert (row["name"], row["db"], row["resp"]) == ("", "0", "2")


def test_hello_says_who_it_is(conn):
    reply = conn.call("HELLO", 3)
    assert reply.tree[0] == "%"
    flat = reply.plain()
    said = dict(zip(flat[::2], flat[1::2]))
    assert said[b"server"] == b"redis" and said[b"proto"] == 3 and said[b"mode"] == b"standalone" and said[b"role"] == b"master"
    assert said[b"version"].startswith(b"7.2.")


def test_monitor_shows_commands_as_redis_does(server):
    with server.conn() as watcher, server.conn() as c:
        assert watcher.do("MONITOR") == b"OK"
        c.do("SELECT", 2)
        c.do("SET", "a\r\nb\x00", '"quoted"')
        c.call("AUTH", "x")
        first, second = watcher.read().raw, watcher.read().raw
        assert b" [2 127.0.0.1:" in first and first.endswith(b'] "SELECT" "2"\r\n')
        assert b" [2 127.0.0.1:" in second and second.endswith(rb'] "SET" "a\r\nb\x00" "\"quoted\""' + b"\r\n")
        float(second[1:].split()[0])
        c.do("PING")
        third = watcher.read().raw
        assert b"AUTH" not in third or b'"x"' not in third


def test_slowlog_keeps_what_was_slow(server, conn):
    conn.do("CONFIG", "SET", "slowlog-log-slower-than", 0)
    conn.do("CLIENT", "SETNAME", "slow-one")
    conn.do("SET", "a", "b" * 500)
    conn.do("RPUSH", "l", *range(100))
    entries = conn.do("SLOWLOG", "GET", 2)
    number, stamp, micros, args, address, name = entries[0]
    assert args[0] == b"RPUSH" and len(args) == 32 and args[-1] == b"... (71 more arguments)"
    assert abs(stamp - time.time()) < 5 and micros >= 0 and name == b"slow-one" and b":" in address
    assert entries[1][3][2] == b"b" * 128 + b"... (372 more bytes)"
    assert entries[1][0] == number - 1
    assert conn.do("SLOWLOG", "LEN") >= 2
    conn.do("CONFIG", "SET", "slowlog-max-len", 1)
    assert conn.do("SLOWLOG", "LEN") <= 1
    conn.do("CONFIG", "SET", "slowlog-log-slower-than", -1)
    conn.do("SLOWLOG", "RESET")
    assert conn.do("SLOWLOG", "GET") == []


def test_info_has_the_fields_of_redis(pair):
    mine, theirs = (s.info() for s in pair)
    sections = {"server", "clients", "memory", "stats", "cpu", "keyspace", "commandstats", "errorstats"}
    # What belongs to parts that are not there yet, or to redis-server's own build.
    other_parts = ("rdb_", "aof_", "repl", "master", "slave", "second_repl", "module_fork", "loading", "async_loading", "cluster", "mem_cluster", "lua",
                   "number_of", "active_defrag", "io_thread", "tracking", "pubsub", "pubsubshard", "latest_fork", "total_forks", "migrate", "used_memory_vm", "used_memory_script", "used_memory_functions", "dump_payload",
                   "current_cow", "current_save", "current_fork", "unexpected", "sync_", "process_supervised", "monotonic_clock", "gcc_version", "cmdstat", "errorstat", "latency_percentiles", "db",
                   "connected_slaves", "role", "slave_", "instantaneous_input_repl", "instantaneous_output_repl", "used_memory_lua", "total_active_defrag", "current_active_defrag", "mem_aof", "mem_replication",
                   "mem_total_replication", "mem_clients_slaves", "total_eviction", "current_eviction", "dump", "reply_buffer", "rss_overhead", "allocator", "assert")
    missing = sorted(k for k in theirs if k not in mine and not k.startswith(other_parts))
    assert sections and not missing


def test_commandstats_and_errorstats_count(server, conn):
    conn.do("CONFIG", "RESETSTAT")
    for _ in range(3):
        conn.do("SET", "a", "x")
    conn.call("INCR", "a")
    conn.call("GET")
    conn.call("LPUSH", "a", "b")
    info = server.info(conn)
    assert info["cmdstat_set"].startswith("calls=3,usec=")
    assert "failed_calls=1" in info["cmdstat_incr"]
    assert "rejected_calls=1" in info["cmdstat_get"]
    assert info["errorstat_WRONGTYPE"] == "count=1"
    assert info["errorstat_ERR"] == "count=2"
    assert info["db0"].startswith("keys=1,expires=0,avg_ttl=0")


def test_the_command_table_says_what_redis_says(pair):
    """Arity, flags, key positions and categories of every command that both know."""
    with pair[0].conn() as mine, pair[1].conn() as theirs:
        names = [n for n in mine.do("COMMAND", "LIST") if b"|" not in n]
        newer = {("zrank", "arity"), ("zrevrank", "arity"), ("wait", "flags"), ("wait", "categories")}
        faults = []
        for name in sorted(names):
            a, b = mine.do("COMMAND", "INFO", name)[0], theirs.do("COMMAND", "INFO", name)[0]
            if b is None:
                continue
            for what, x, y in (("name", a[0], b[0]), ("arity", a[1], b[1]), ("flags", sorted(a[2]), sorted(b[2])), ("first key", a[3], b[3]), ("last key", a[4], b[4]),
                               ("step", a[5], b[5]), ("categories", sorted(a[6]), sorted(b[6]))):
                if x != y and (name.decode(), what) not in newer:
                    faults.append(f"{name.decode()}: {what} {x}, redis {y}")
        assert not faults, "\n".join(faults)


def test_every_command_is_documented(conn):
    flat = conn.do("COMMAND", "DOCS")
    docs = dict(zip(flat[::2], flat[1::2]))
    names = {n for n in conn.do("COMMAND", "LIST") if b"|" not in n}
    assert set(docs) == names
    assert conn.do("COMMAND", "COUNT") == len(names)
    for name, doc in docs.items():
        said = dict(zip(doc[::2], doc[1::2]))
        assert said.get(b"summary") and said.get(b"since") and said.get(b"group"), name


def test_commands_of_7_2_are_there(conn):
    conn.do("ZADD", "z", 1, "a", 2.5, "b")
    assert conn.do("ZRANK", "z", "b", "WITHSCORE") == [1, b"2.5"]
    assert conn.do("ZREVRANK", "z", "b", "WITHSCORE") == [0, b"2.5"]
    assert conn.do("ZRANK", "z", "x", "WITHSCORE") is None
    assert conn.do("CLIENT", "NO-TOUCH", "ON") == b"OK"
    conn.do("SADD", "s", "word")
    conn.do("RPUSH", "l", "word")
    assert conn.do("OBJECT", "ENCODING", "s") == b"listpack"
    assert conn.do("OBJECT", "ENCODING", "l") == b"listpack"
    conn.do("SADD", "s", *[f"w{i}" for i in range(200)])
    assert conn.do("OBJECT", "ENCODING", "s") == b"hashtable"
    conn.do("RPUSH", "l", *["x" * 1000] * 100)
    assert conn.do("OBJECT", "ENCODING", "l") == b"quicklist"
    conn.do("CONFIG", "SET", "set-max-listpack-entries", 2)
    conn.do("SADD", "s2", "a", "b", "c")
    assert conn.do("OBJECT", "ENCODING", "s2") == b"hashtable"


def test_redis_py_works(server):
    redis = pytest.importorskip("redis")
    r = redis.Redis(port=server.port, decode_responses=True)
    assert r.set("model1_status", "running") is True
    assert r.get("model1_status") == "running"
    r.hset("h", mapping={"a": 1, "b": "two"})
    assert r.hgetall("h") == {"a": "1", "b": "two"}
    r.zadd("z", {"one": 1, "two": 2.5})
    assert r.zrange("z", 0, -1, withscores=True) == [("one", 1.0), ("two", 2.5)]
    r.rpush("l", *range(5))
    assert r.lrange("l", 0, -1) == ["0", "1", "2", "3", "4"]
    r.sadd("s", "a", "b")
    assert r.smembers("s") == {"a", "b"}
    with r.pipeline(transaction=False) as p:
        for i in range(100):
            p.set(f"k{i}", i)
        assert all(p.execute())
    assert sorted(r.scan_iter("k*")) == sorted(f"k{i}" for i in range(100))
    assert r.expire("k1", 100) and 0 < r.ttl("k1") <= 100
    assert r.info()["redis_version"].startswith("7.2.")
    assert r.config_get("maxmemory") == {"maxmemory": "0"}
    assert r.client_list()[0]["cmd"]
    with pytest.raises(redis.ResponseError):
        r.incr("model1_status")


def idle(server, n):
    """RSS and used_memory that @n idle connections add, each having sent one command."""
    rss = server.rss()
    with server.conn() as c:
        used = int(server.info(c)["used_memory"])
        conns = []
        for _ in range(n):
            o = Conn(server.port)
            o.send_raw(b"*1\r\n$4\r\nPING\r\n")
            conns.append(o)
        for o in conns:
            assert o.read().raw == b"+PONG\r\n"
        time.sleep(3)  # both take idle buffers back within seconds
        result = server.rss() - rss, int(server.info(c)["used_memory"]) - used
        for o in conns:
            o.close()
    return result


def test_ten_thousand_idle_connections_cost_less_than_redis(start):
    n = 10000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = n + 500  # the server has a limit of its own
    if hard < want:
        n = hard - 500
    if n < 1000:
        pytest.skip("the limit of open files is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(want, hard), hard))
    try:
        results = []
        for kind in ("inodis", "redis"):
            s = start("--maxclients", n + 100, "--maxmemory-clients", "0", kind=kind)
            results.append(idle(s, n))
            s.stop()
        print(f"{n} idle connections, bytes each: inodis rss {results[0][0] // n} used {results[0][1] // n}, redis rss {results[1][0] // n} used {results[1][1] // n}")
        if not sanitized():
            assert results[0][0] < results[1][0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("words", [["CLIENT", "LIST"], ["CLIENT", "INFO"], ["CLIENT", "LIST", "TYPE", "normal"]])
def test_the_command_that_lists_clients_counts_as_its_own_input(pair, words):
    got = []
    for s in pair:
        with s.conn() as c:
            line = [x for x in c.do(*words).decode().splitlines() if f"id={c.do('CLIENT', 'ID')} " in x][0]
            f = dict(w.split("=", 1) for w in line.split(" "))
            got.append({k: f[k] for k in ("qbuf", "multi-mem", "obl", "oll", "omem", "events", "cmd", "flags", "redir")})
    assert got[0] == got[1]


KILLS = [["ID", "@a"], ["ID", "@a", "TYPE", "pubsub"], ["ID", "@p", "TYPE", "pubsub"], ["TYPE", "pubsub"], ["TYPE", "normal", "USER", "default", "SKIPME", "yes"], ["ADDR", "@aaddr", "LADDR", "@laddr"],
         ["ADDR", "@aaddr", "ID", "@b"], ["LADDR", "@laddr", "SKIPME", "yes", "TYPE", "pubsub"], ["@baddr"], ["USER", "default"], ["ID", "@c", "SKIPME", "no"], ["ID", "@c"], ["ID", "@m"],
         ["TYPE", "NORMAL", "ID", "@m"], ["SKIPME", "no", "TYPE", "replica"], ["ID", "@a", "ID", "@b"]]


@pytest.mark.parametrize("words", KILLS, ids=" ".join)
def test_filters_together_kill_whom_redis_kills(pair, words):
    got = []
    for s in pair:
        conns = {n: s.conn() for n in "abpmc"}
        where = {}
        for n, c in conns.items():
            line = dict(w.split("=", 1) for w in c.do("CLIENT", "INFO").decode().split())
            where.update({"@" + n: line["id"], f"@{n}addr": line["addr"], "@laddr": line["laddr"]})
        conns["p"].do("SUBSCRIBE", "x")
        conns["m"].do("MONITOR")
        conns["c"].send("CLIENT", "KILL", *[where.get(w, w) for w in words])
        reply = conns["c"].read().raw
        left = []
        with s.conn() as other:
            listed = other.do("CLIENT", "LIST").decode()
        left = [n for n in conns if f"id={where['@' + n]} " in listed]
        got.append((reply, left))
        for c in conns.values():
            c.close()
    assert got[0] == got[1]
