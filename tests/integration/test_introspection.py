"""What the server says of itself: COMMAND against redis-server's, command by command; digests; INFO's fields; the counters."""
import re
import time

import pytest

# Where this server follows 7.2 and the reference is 7.0, or has more or fewer subcommands.
LATER = {
    "bitop", "client|list", "client|kill", "config|get", "config|rewrite", "config|resetstat", "command|getkeys",
    "command|getkeysandflags", "hscan", "pfmerge", "quit", "wait", "zrank", "zrevrank",
}
CONTAINERS = {"client", "cluster", "latency", "module", "memory", "config", "object", "slowlog", "command", "debug", "xinfo"}
OWN_WORDS = {b"summary", b"complexity", b"display_text", b"notes", b"replaced_by", b"subcommands"}


def normal(tree):
    """Maps as dicts without what is worded differently, sets without order."""
    kind, value = tree
    if kind == "%":
        pairs = {k[1]: normal(v) for k, v in zip(value[::2], value[1::2])}
        if b"history" in pairs:  # since when, not in which words
            pairs[b"history"] = sorted(v[0] for v in pairs[b"history"][1])
        return {k: v for k, v in pairs.items() if k not in OWN_WORDS}
    if kind == "~":
        return ("set", sorted(map(normal, value), key=repr))
    if isinstance(value, list):
        return [normal(v) for v in value]
    return value


@pytest.mark.parametrize("what", ["INFO", "DOCS"])
def test_command_tables_are_redis_s(pair, what):
    mine, theirs = pair
    with mine.conn() as a, theirs.conn() as b:
        for c in (a, b):
            c.call("HELLO", 3)
        theirs_too = set(b.do("COMMAND", "LIST"))
        wrong = []
        for name in a.do("COMMAND", "LIST"):
            if name not in theirs_too or name.decode() in LATER:
                continue
            got, wanted = (normal(c.call("COMMAND", what, name).tree) for c in (a, b))
            if what == "INFO":
                if name.decode() in CONTAINERS:
                    got, wanted = got[0][:9], wanted[0][:9]
                else:  # subcommands come in the order of a hash table
                    got, wanted = ([c[0][:9], *sorted(c[0][9:], key=repr)] for c in (got, wanted))
                    got[-1], wanted[-1] = (sorted(c[-1], key=repr) for c in (got, wanted))
            elif name.decode() in ("module|loadex", "psubscribe", "xinfo|consumers", "xinfo|stream"):
                continue  # blocks of one part there; newer
            if got != wanted:
                wrong.append((name, got, wanted))
        assert not wrong


def test_digests_are_redis_s(pair):
    mine, theirs = pair
    calls = [["FLUSHALL"], ["SELECT", 3]]
    calls += [["SET", f"s{i}", v] for i, v in enumerate(["", 7, "x" * 100000, b"\x00\xff", "3.0"])]
    calls += [["RPUSH", "l", *range(5), "a" * 9000], ["SADD", "i", 1, 2, 3], ["SADD", "m", "a", 1], ["HSET", "h", "f", 1, "g", "y" * 99]]
    calls += [["ZADD", "z", 1, "a", "-inf", "b", 0.1, "c", 1e22, "d"]] + [["ZADD", "big", i / 7, i] for i in range(300)]
    calls += [["EXPIRE", "l", 1000], ["SELECT", 9], ["SET", "k", "v"]]
    with mine.conn() as a, theirs.conn() as b:
        for call in calls:
            for c in (a, b):
                c.do(*call)
        assert a.do("DEBUG", "DIGEST") == b.do("DEBUG", "DIGEST")
        for c in (a, b):
            c.do("SELECT", 3)
        keys = ["l", "i", "m", "h", "z", "big", "s0", "nokey"]
        assert a.do("DEBUG", "DIGEST-VALUE", *keys) == b.do("DEBUG", "DIGEST-VALUE", *keys)


def fields(conn, *sections):
    text = conn.do("INFO", *sections).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def test_counters_count_as_redis_s(pair):
    mine, theirs = pair
    calls = """set a 1|get a|get nokey|exists a nokey|ttl a|type nokey|object encoding a|mget a nokey|append a x|incr n|set a 2 xx get
        |rename a b|getdel b|setnx n 1|lpush l x|get l|copy l l2|move l2 1|touch l|expire l 100|persist l|getex n ex 10|getset n 1
        |msetnx p 1 q 2|strlen p|setrange p 3 x|del p q|expire l -1|incrby n x|lcs n n""".split("|")
    names = ["keyspace_hits", "keyspace_misses", "rdb_changes_since_last_save", "total_error_replies"]
    with mine.conn() as a, theirs.conn() as b:
        before = []
        for c in (a, b):
            c.do("FLUSHALL")
            before.append(fields(c))
        for call in calls:
            grew = []
            for i, c in enumerate((a, b)):
                c.call(*call.split())
                now = fields(c)
                grew.append({n: int(now[n]) - int(before[i][n]) for n in names})
                before[i] = now
            assert grew[0] == grew[1], call


def test_info_has_its_sections(conn):
    assert fields(conn, "server")["redis_version"].startswith("7.2.")
    both = conn.do("INFO", "Memory", "cpu", "nosuch").decode()
    assert re.findall(r"^# (\w+)\r", both, re.M) == ["Memory", "CPU"]
    assert conn.do("INFO", "nosuch") == b""
    default = re.findall(r"^# (\w+)\r", conn.do("INFO").decode(), re.M)
    assert default == re.findall(r"^# (\w+)\r", conn.do("INFO", "default").decode(), re.M)
    assert "Commandstats" not in default
    assert "Commandstats" in re.findall(r"^# (\w+)\r", conn.do("INFO", "everything").decode(), re.M)
    conn.do("SET", "k", "v", "EX", 100)
    assert re.fullmatch(r"keys=1,expires=1,avg_ttl=\d+", fields(conn, "keyspace")["db0"])
    conn.call("GET")
    stat = fields(conn, "commandstats")["cmdstat_set"]
    assert re.fullmatch(r"calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=0", stat)
    assert "rejected_calls=1" in fields(conn, "commandstats")["cmdstat_get"]
    assert fields(conn, "errorstats")["errorstat_ERR"] == "count=1"


def test_passwords_are_not_shown(server):
    with server.conn() as watcher, server.conn() as c:
        c.do("CONFIG", "SET", "slowlog-log-slower-than", 0)
        watcher.do("MONITOR")
        c.call("AUTH", "user", "hunter2")
        c.call("HELLO", 3, "AUTH", "user", "hunter2")
        c.do("CONFIG", "SET", "requirepass", "")
        c.do("ECHO", "end")
        seen = b""
        while b'"ECHO"' not in seen:
            seen += watcher.read().raw
        assert b"hunter2" not in seen and b'"AUTH" "(redacted)" "(redacted)"' in seen
        assert b"hunter2" not in repr(c.do("SLOWLOG", "GET", -1)).encode()


def test_debug_is_refused_unless_allowed(start):
    with start("--enable-debug-command", "no").conn() as c:
        assert c.call("DEBUG", "SLEEP", 0).error.startswith("ERR DEBUG command not allowed. If the enable-debug-command option")
    with start("--enable-debug-command", "local").conn() as c:
        assert c.do("DEBUG", "SLEEP", 0) == b"OK"


def test_there_is_no_shutdown_to_abort(start):
    s = start()
    with s.conn() as c:
        assert c.call("SHUTDOWN", "ABORT").error == "ERR No shutdown in progress."
        assert c.do("PING") == b"PONG"


def test_time_is_now(conn):
    seconds, micros = map(int, conn.do("TIME"))
    assert abs(seconds - time.time()) < 5 and 0 <= micros < 1000000
