"""MULTI, EXEC, DISCARD, WATCH: the same bytes as redis-server, in both protocols, with as many connections as it takes."""
import time

import pytest

import servers

# Each is a list of steps: (connection, command...). What every step answers is compared, errors too.
SCRIPTS = {
    "plain": ["a MULTI", "a SET k 1", "a INCR k", "a GET k", "a EXEC", "a GET k"],
    "empty": ["a MULTI", "a EXEC"],
    "not in one": ["a EXEC", "a DISCARD", "a UNWATCH"],
    "nested": ["a MULTI", "a MULTI", "a SET k 1", "a EXEC"],
    "watch inside": ["a MULTI", "a WATCH k", "a SET k 1", "a EXEC"],
    "discard": ["a SET k 0", "a MULTI", "a SET k 1", "a DISCARD", "a GET k", "a EXEC"],
    "unknown": ["a MULTI", "a SET k 1", "a NOSUCH 1 2", "a SET k 2", "a EXEC", "a EXISTS k"],
    "arity": ["a MULTI", "a GET", "a EXEC", "a MULTI", "a GET k", "a EXEC"],
    "unknown subcommand": ["a MULTI", "a CLIENT NOSUCH", "a EXEC"],
    "arity of a subcommand": ["a MULTI", "a CONFIG GET", "a PING", "a EXEC"],
    "arity of exec": ["a MULTI", "a SET k 1", "a EXEC 1", "a GET k", "a EXEC", "a EXEC 1"],
    "arity of multi": ["a MULTI 1", "a MULTI", "a MULTI 1", "a EXEC"],
    "arity of discard": ["a MULTI", "a DISCARD 1", "a EXEC"],
    "arity of watch": ["a MULTI", "a WATCH", "a EXEC", "a WATCH"],
    "errors while running": ["a SET s x", "a MULTI", "a INCR s", "a LPUSH s 1", "a SET t 1", "a EXEC", "a GET t"],
    "no_multi": ["a MULTI", "a SHUTDOWN NOSAVE NOW FORCE", "a EXEC"],
    "select": ["a MULTI", "a SELECT 3", "a SET k three", "a EXEC", "a GET k", "a SELECT 0", "a GET k"],
    "hello": ["a MULTI", "a HELLO 3", "a HGETALL h", "a HELLO 2", "a HGETALL h", "a EXEC"],
    "reset": ["a MULTI", "a SET k 1", "a RESET", "a EXEC", "a GET k"],
    "quit": ["b GET k", "a MULTI", "a SET k 1", "a QUIT", "b GET k"],
    "monitor": ["a MULTI", "a MONITOR", "a PING", "a EXEC"],
    "ping and echo": ["a MULTI", "a PING", "a PING x", "a ECHO y", "a EXEC"],
    "big": ["a MULTI", "a SET k " + "x" * 100000, "a STRLEN k", "a EXEC"],
    "blob": ["a MULTI", "a SET k " + "y" * 1000000, "a APPEND k z", "a STRLEN k", "a EXEC", "a GETRANGE k -3 -1"],
    "flush": ["a SET k 1", "a MULTI", "a FLUSHALL", "a DBSIZE", "a EXEC"],

    "watch kept": ["a SET k 1", "a WATCH k", "b SET other 2", "a MULTI", "a GET k", "a EXEC"],
    "watch changed": ["a SET k 1", "a WATCH k", "b SET k 2", "a MULTI", "a GET k", "a EXEC", "a MULTI", "a GET k", "a EXEC"],
    "watch changed after multi": ["a WATCH k", "a MULTI", "a GET k", "b SET k 2", "a EXEC"],
    "watch changed by itself": ["a WATCH k", "a SET k 2", "a MULTI", "a EXEC"],
    "watch of many": ["a WATCH k1 k2 k3 k2", "a WATCH k1", "b SET k3 2", "a MULTI", "a EXEC"],
    "watch created": ["a WATCH k", "b RPUSH k 2", "a MULTI", "a EXEC"],
    "watch deleted": ["a SET k 2", "a WATCH k", "b DEL k", "a MULTI", "a EXEC"],
    "watch of nothing deleted": ["a WATCH k", "b DEL k", "a MULTI", "a EXEC"],
    "watch renamed": ["a SET k 2", "a WATCH j", "b RENAME k j", "a MULTI", "a EXEC"],
    "watch renamed away": ["a SET k 2", "a WATCH k", "b RENAME k j", "a MULTI", "a EXEC"],
    "watch moved": ["a SET k 2", "a WATCH k", "b MOVE k 1", "a MULTI", "a EXEC"],
    "watch in another database": ["a WATCH k", "b SELECT 1", "b SET k 1", "a MULTI", "a PING", "a EXEC"],
    "watch in two databases": ["a WATCH k", "a SELECT 1", "a WATCH k", "b SET k 1", "a MULTI", "a PING", "a EXEC"],
    "unwatch": ["a WATCH k", "a UNWATCH", "b SET k 1", "a MULTI", "a PING", "a EXEC"],
    "unwatch after the change": ["a WATCH k", "b SET k 1", "a UNWATCH", "a MULTI", "a PING", "a EXEC"],
    "unwatch inside": ["a WATCH k", "a MULTI", "a UNWATCH", "b SET k 1", "a EXEC"],
    "discard ends watches": ["a WATCH k", "a MULTI", "a DISCARD", "b SET k 1", "a MULTI", "a PING", "a EXEC"],
    "exec ends watches": ["a WATCH k", "a MULTI", "a EXEC", "b SET k 1", "a MULTI", "a PING", "a EXEC"],
    "reset ends watches": ["a WATCH k", "a RESET", "b SET k 1", "a MULTI", "a PING", "a EXEC"],
    "dirty and refused": ["a WATCH k", "b SET k 1", "a MULTI", "a NOSUCH", "a EXEC"],
    "expire is a change": ["a SET k 1", "a WATCH k", "b EXPIRE k 100", "a MULTI", "a PING", "a EXEC"],
    "flushdb": ["a SET k 1", "a WATCH k", "b FLUSHDB", "a MULTI", "a PING", "a EXEC"],
    "flushdb of nothing": ["a WATCH k", "b SET j 1", "b FLUSHDB", "a MULTI", "a PING", "a EXEC"],
    "flushall": ["a SELECT 2", "a SET k 1", "a WATCH k", "b FLUSHALL ASYNC", "a MULTI", "a PING", "a EXEC"],
    "flushdb of another": ["a SET k 1", "a WATCH k", "b SELECT 1", "b FLUSHDB", "a MULTI", "a PING", "a EXEC"],
    "swapdb, here": ["a SET k 1", "a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
    "swapdb, there": ["b SELECT 1", "b SET k 1", "a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
    "swapdb, nowhere": ["a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
    "swapdb, itself": ["a SET k 1", "a WATCH k", "b SWAPDB 0 0", "a MULTI", "a PING", "a EXEC"],

    "expired before exec": ["a SET k 1 PX 30", "a WATCH k", "sleep", "a MULTI", "a PING", "a EXEC"],
    "expired and gone before exec": ["a SET k 1 PX 30", "a WATCH k", "sleep", "b GET k", "a MULTI", "a PING", "a EXEC"],
    "expired before watch": ["a SET k 1 PX 30", "sleep", "a WATCH k", "a MULTI", "a PING", "a EXEC"],
    "expired before watch, gone": ["a SET k 1 PX 30", "sleep", "a WATCH k", "b GET k", "a MULTI", "a PING", "a EXEC"],
    "expired before watch, gone and back": ["a SET k 1 PX 30", "sleep", "a WATCH k", "b GET k", "b SET k 2", "a MULTI", "a PING", "a EXEC"],
    "expired before watch, written": ["a SET k 1 PX 30", "sleep", "a WATCH k", "b SET k 2", "a MULTI", "a PING", "a EXEC"],
    "expired before watch, flushed": ["a SET k 1 PX 30", "sleep", "a WATCH k", "b FLUSHALL", "a MULTI", "a PING", "a EXEC"],
    "expired before watch, swapped": ["a SET k 1 PX 30", "sleep", "a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
    "expired before watch, swapped for a live one": ["b SELECT 1", "b SET k 2", "a SET k 1 PX 30", "sleep", "a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
    "nothing swapped for an expired one": ["b SELECT 1", "b SET k 2 PX 30", "sleep", "a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
    "expired swapped for an expired one": ["b SELECT 1", "b SET k 2 PX 30", "a SET k 2 PX 30", "sleep", "a WATCH k", "b SWAPDB 0 1", "a MULTI", "a PING", "a EXEC"],
}


def play(server, script, proto):
    out = []
    conns = {}
    with server.conn() as control:
        control.do("FLUSHALL")
        # Keys past their time stay until somebody looks: what is compared must not depend on the cron.
        control.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        control.do("HSET", "h", "f", "v")
    for name in "ab":
        conns[name] = server.conn()
        if proto == 3:
            conns[name].do("HELLO", "3")
    for step in script:
        if step == "sleep":
            time.sleep(0.06)
            continue
        who, *words = step.split(" ")
        raw = conns[who].call(*words).raw
        # Ids and versions differ.
        out.append((step[:60], b"hello" if b"server\r\n" in raw else raw[:2000]))
    for c in conns.values():
        c.close()
    return out


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("name", list(SCRIPTS))
def test_transactions_are_those_of_redis(pair, name, proto):
    mine, theirs = (play(s, SCRIPTS[name], proto) for s in pair)
    assert mine == theirs


@pytest.mark.parametrize("mode", ["OFF", "SKIP", "ON"])
def test_client_reply_inside_is_as_in_redis(pair, mode):
    got = []
    for s in pair:
        with s.conn() as c:
            for words in (["MULTI"], ["ECHO", "one"], ["CLIENT", "REPLY", mode], ["ECHO", "two"], ["EXEC"],
                          ["ECHO", "three"], ["CLIENT", "REPLY", "ON"], ["ECHO", "four"]):
                c.send(*words)
            out = b""
            while not out.endswith(b"four\r\n"):
                out += c.sock.recv(65536)
            got.append(out)
    assert got[0] == got[1]


def test_a_pipeline_of_transactions_is_answered_in_order(pair):
    got = []
    for s in pair:
        with s.conn() as c:
            c.do("FLUSHALL")
            for i in range(300):
                c.send("MULTI")
                c.send("INCR", "n")
                c.send("RPUSH", "l", i)
                if i % 7 == 0:
                    c.send("BAD")
                c.send("EXEC")
            got.append([c.read().raw for _ in range(300 * 4 + 43)])
    assert got[0] == got[1]


def test_monitor_shows_a_transaction_as_redis_does(pair):
    got = []
    for s in pair:
        with s.conn() as m, s.conn() as c:
            m.do("MONITOR")
            for words in (["WATCH", "k"], ["MULTI"], ["SET", "k", "1"], ["BAD"], ["EXEC"], ["MULTI"], ["SELECT", "2"], ["GET", "k"],
                          ["EXEC"], ["DISCARD"], ["ECHO", "end"]):
                c.call(*words)
            lines = []
            while not lines or "end" not in lines[-1]:
                line = m.read().raw.decode()
                lines.append(line.split("[", 1)[1].split(" ")[0] + line.split("]", 1)[1])
            got.append(lines)
    assert got[0] == got[1]


def fields(conn, name):
    for line in conn.do("CLIENT", "LIST").decode().splitlines():
        f = dict(w.split("=", 1) for w in line.split(" "))
        if f["name"] == name:
            return f
    return None


def test_client_list_shows_transactions_as_redis_does(pair):
    got = []
    for s in pair:
        seen = []
        with s.conn() as c, s.conn() as other:
            c.do("CLIENT", "SETNAME", "tx")
            for words in (["WATCH", "k"], ["MULTI"], ["SET", "k", "1"], ["GET", "k"], ["NOSUCH"], ["EXEC"], ["WATCH", "k"], ["MULTI"],
                          ["DISCARD"], ["WATCH", "k"], ["SET", "k", "3"], ["UNWATCH"]):
                c.call(*words)
                f = fields(other, "tx")
                seen.append((words, f["flags"], f["multi"], f["cmd"], f["multi-mem"] != "0"))
        got.append(seen)
    assert got[0] == got[1]


def test_statistics_count_what_ran(pair):
    got = []
    for s in pair:
        with s.conn() as c:
            c.do("FLUSHALL")
            c.do("CONFIG", "RESETSTAT")
            c.do("SET", "s", "x")
            for words in (["MULTI"], ["INCR", "s"], ["INCR", "t"], ["EXEC"], ["MULTI"], ["GET"], ["PING"], ["EXEC"], ["EXEC"]):
                c.call(*words)
            info = s.info(c)
            got.append({k: v.split("usec")[0] + v[v.find("rejected"):] if "usec" in v else v for k, v in info.items()
                        if k.startswith(("cmdstat_", "errorstat_", "total_error", "total_commands"))})
    # Redis counts the INFO and RESETSTAT commands themselves the same way.
    assert got[0] == got[1]


def test_queueing_is_refused_over_maxmemory(pair):
    for s in pair:
        with s.conn() as c:
            c.do("FLUSHALL")
            c.do("SET", "k", "v")
            assert c.call("MULTI").raw == b"+OK\r\n"
            assert c.call("SET", "a", "b").raw == b"+QUEUED\r\n"
            c2 = s.conn()
            c2.do("CONFIG", "SET", "maxmemory", "1")
            assert c.call("GET", "k").error == "OOM command not allowed when used memory > 'maxmemory'."
            assert c.call("EXEC").error.startswith("EXECABORT")
            assert c.call("MULTI").raw == b"+OK\r\n"
            assert c.call("DISCARD").raw == b"+OK\r\n"
            c2.do("CONFIG", "SET", "maxmemory", "0")
            c.do("MULTI")
            c.call("SET", "a", "b")
            c2.do("CONFIG", "SET", "maxmemory", "1")
            assert c.call("EXEC").error == ("EXECABORT Transaction discarded because of: OOM command not allowed when used memory > "
                                            "'maxmemory'.")
            c2.do("CONFIG", "SET", "maxmemory", "0")
            assert c.call("EXEC").error == "ERR EXEC without MULTI"
            c2.close()


def test_a_transaction_needs_the_password(pair):
    for s in pair:
        with s.conn() as admin:
            admin.do("CONFIG", "SET", "requirepass", "secret")
            with s.conn() as c:
                assert c.call("MULTI").error == "NOAUTH Authentication required."
                assert c.call("EXEC").error.startswith("EXECABORT Transaction discarded because of: NOAUTH")
            admin.do("CONFIG", "SET", "requirepass", "")


def test_a_queue_without_end_is_cut_by_the_query_buffer_limit(server):
    with server.conn() as admin, server.conn() as c:
        admin.do("CONFIG", "SET", "client-query-buffer-limit", 4 * 1024 * 1024)
        c.do("MULTI")
        before = server.rss()
        with pytest.raises((AssertionError, ConnectionError, Exception)):
            for _ in range(200):
                c.do("SET", "k", "x" * 100000)
        assert server.rss() - before < 64 * 1024 * 1024
        assert admin.do("PING") == b"PONG"
        assert admin.do("EXISTS", "k") == 0


def test_a_watch_on_a_million_keys_is_freed_with_its_client(server):
    n = 100_000 if servers.sanitized() else 1_000_000
    with server.conn() as other:
        used = int(server.info(other)["used_memory"])
        with server.conn() as c:
            for i in range(0, n, 10000):
                c.do("WATCH", *range(i, i + 10000))
            for i in range(0, n, 20000):
                c.do("WATCH", *range(i, i + 10000))
            grown = int(server.info(other)["used_memory"]) - used
            assert grown < n * 300
            begin = time.monotonic()
            other.do("SET", n + 5, 1)
            assert time.monotonic() - begin < 1
            c.do("MULTI")
            c.do("PING")
            assert c.do("EXEC") == [b"PONG"]
            for i in range(0, n, 10000):
                c.do("WATCH", *range(i, i + 10000))
        end = time.monotonic() + 30
        while int(server.info(other)["used_memory"]) - used > 3_000_000 and time.monotonic() < end:
            time.sleep(0.05)
        assert int(server.info(other)["used_memory"]) - used < 3_000_000
        assert other.do("PING") == b"PONG"
