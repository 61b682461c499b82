"""Commands that wait: the same scenes are played on Inodis and on redis-server, and what everybody reads is compared."""
import os
import random
import socket
import time

import pytest

from resp import Closed, Conn, pack


class Scene:
    """Named connections to one server, and what they read, in order. Steps wait for what they cause, never for a time."""

    def __init__(self, server, proto):
        self.server, self.proto = server, proto
        self.conns = {}
        self.ids = {}
        self.lines = []
        self.admin = server.conn()
        self.admin.do("FLUSHALL")

    def __getitem__(self, name):
        if name not in self.conns:
            c = self.conns[name] = self.server.conn()
            c.call("HELLO", self.proto)
            self.ids[name] = c.do("CLIENT", "ID")
        return self.conns[name]

    def blocked(self):
        return int(self.server.info(self.admin)["blocked_clients"])

    def until_blocked(self, n, timeout=20):
        end = time.monotonic() + timeout
        while self.blocked() != n:
            assert time.monotonic() < end, f"{self.server.kind}: {self.blocked()} wait, not {n}"
            time.sleep(0.001)

    def waits(self, name, *args):
        """A command that has to wait."""
        c, n = self[name], self.blocked()
        c.send(*args)
        self.until_blocked(n + 1)

    def call(self, name, *args):
        self.lines.append((name, args, self[name].call(*args).raw))

    def reads(self, *names):
        for name in names:
            self.lines.append((name, self[name].read().raw))

    def silent(self, name):
        """Nothing has come for it: an answered command of its server's proves that the turn is over."""
        self.admin.call("PING")
        c = self[name]
        c.sock.setblocking(False)
        try:
            assert not c.buf and not c.sock.recv(100), f"{self.server.kind}: {name} was answered"
        except BlockingIOError:
            pass
        finally:
            c.sock.settimeout(30)

    def end(self):
        for c in self.conns.values():
            c.close()
        self.until_blocked(0)
        self.lines.append(self.admin.call("DEBUG", "DIGEST").raw)
        self.admin.close()
        return self.lines


def play(pair, scene, proto=2):
    transcripts = []
    for server in pair:
        s = Scene(server, proto)
        scene(s)
        transcripts.append(s.end())
    assert transcripts[0] == transcripts[1]


def has(server, command):
    with server.conn() as c:
        return c.call("COMMAND", "INFO", command).plain() != [None]


@pytest.fixture
def multi(pair):
    if not has(pair[0], "multi"):
        pytest.skip("no MULTI here")
    return pair


WAITS = [
    (("BLPOP", "k", "0"), ("RPUSH", "k", "a", "b", "c")),
    (("BRPOP", "j", "k", "0"), ("RPUSH", "k", "a", "b", "c")),
    (("BLMOVE", "k", "d", "LEFT", "RIGHT", "0"), ("RPUSH", "k", "a", "b", "c")),
    (("BLMOVE", "k", "k", "LEFT", "RIGHT", "0"), ("RPUSH", "k", "a", "b", "c")),
    (("BRPOPLPUSH", "k", "d", "0"), ("RPUSH", "k", "a", "b", "c")),
    (("BLMPOP", "0", "2", "j", "k", "LEFT"), ("RPUSH", "k", "a", "b", "c")),
    (("BLMPOP", "0", "2", "j", "k", "RIGHT", "COUNT", "2"), ("RPUSH", "k", "a", "b", "c")),
    (("BLMPOP", "0", "1", "k", "RIGHT", "COUNT", "20"), ("RPUSH", "k", "a", "b", "c")),
    (("BZPOPMIN", "k", "0"), ("ZADD", "k", "1", "a", "2", "b")),
    (("BZPOPMAX", "j", "k", "0"), ("ZADD", "k", "1.5", "a", "2.5", "b")),
    (("BZMPOP", "0", "2", "j", "k", "MIN"), ("ZADD", "k", "1.5", "a", "2.5", "b")),
    (("BZMPOP", "0", "1", "k", "MAX", "COUNT", "7"), ("ZADD", "k", "1", "a", "2", "b")),
    (("BLPOP", "k", "k", "k", "0"), ("LPUSH", "k", "a")),
]


def within(wait, seconds):
    """The same with another time."""
    at = 1 if wait[0].endswith("MPOP") else len(wait) - 1
    return wait[:at] + (seconds,) + wait[at + 1 :]


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("wait,push", WAITS, ids=lambda a: " ".join(a))
def test_a_waiting_command_answers_as_one_that_finds_something(pair, wait, push, proto):
    def scene(s):
        s.waits("a", *wait)
        s.call("b", *push)
        s.reads("a")
        s.call("a", *within(wait, "0.01"))

    play(pair, scene, proto)


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("wait", [w for w, _ in WAITS], ids=" ".join)
def test_time_runs_out_with_a_null(pair, wait, proto):
    def scene(s):
        began = time.monotonic()
        s.call("a", *within(wait, "0.02"))
        assert time.monotonic() - began >= 0.018

    play(pair, scene, proto)


def test_errors_come_in_the_order_of_redis(pair):
    calls = """BLPOP k|BLPOP k x|BLPOP k -1|BLPOP k nan|BLPOP k|BLPOP s 0|BLPOP s x|BRPOP z s 0|BLMOVE k d LEFT|BLMOVE k d UP LEFT x|BLMOVE k d LEFT UP x
        BLMOVE k d LEFT LEFT x|BLMOVE s d LEFT LEFT 0|BLMOVE l s LEFT LEFT 0|BLMOVE l s LEFT LEFT x|BRPOPLPUSH l s 0|BRPOPLPUSH s l 0|BRPOPLPUSH k l -1
        BLMPOP x 1 k LEFT|BLMPOP -1 0 k LEFT|BLMPOP 0 0 k LEFT|BLMPOP 0 x k LEFT|BLMPOP 0 2 k LEFT|BLMPOP 0 1 k UP|BLMPOP 0 1 k LEFT COUNT|BLMPOP 0 1 k LEFT COUNT 0
        BLMPOP 0 1 k LEFT COUNT 1 COUNT 1|BLMPOP 0 1 s LEFT|BLMPOP 0 1 k LEFT x|BZMPOP 0 0 k MIN|BZMPOP x 0 k MIN|BZMPOP 0 1 k LEFT|BZMPOP 0 1 k MIN COUNT -1
        BZMPOP 0 1 k MIN COUNT 1 COUNT 1|BZMPOP 0 1 s MIN|BZPOPMIN l 0|BZPOPMAX z x|BZPOPMAX k -0.5|CLIENT UNBLOCK|CLIENT UNBLOCK x|CLIENT UNBLOCK 1 x|CLIENT UNBLOCK x x
        CLIENT UNBLOCK 999999|CLIENT UNBLOCK 999999 ERROR|CLIENT UNBLOCK 1 ERROR x|CLIENT UNBLOCK -1"""

    def scene(s):
        s.call("a", "SET", "s", "v")
        s.call("a", "RPUSH", "l", "a")
        s.call("a", "ZADD", "z", "1", "a")
        for line in calls.replace("\n", "|").split("|"):
            s.call("a", *line.split())

    play(pair, scene)


def test_who_came_first_is_served_first(pair):
    def scene(s):
        for name in "abcde":
            s.waits(name, "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "1", "2", "3")
        s.reads("a", "b", "c")
        s.silent("d")
        s.waits("a", "BRPOP", "k", "0")
        s.call("z", "LPUSH", "k", "4", "5", "6", "7")
        s.reads("d", "e", "a")
        s.call("z", "LRANGE", "k", "0", "-1")

    play(pair, scene)


def test_of_several_keys_the_one_that_is_ready_is_taken(pair):
    def scene(s):
        s.waits("a", "BLPOP", "k1", "k2", "k3", "0")
        s.call("z", "RPUSH", "k3", "x")
        s.reads("a")
        s.call("z", "RPUSH", "k2", "y")
        s.call("z", "RPUSH", "k1", "z")
        s.call("a", "BLPOP", "k0", "k2", "k1", "0")
        s.waits("a", "BLPOP", "k2", "k0", "0")
        s.call("z", "SET", "k2", "not a list")
        s.silent("a")
        s.call("z", "RPUSH", "k0", "x")
        s.reads("a")

    play(pair, scene)


def test_moves_go_on_in_a_chain(pair):
    def scene(s):
        s.waits("a", "BLMOVE", "k1", "k2", "LEFT", "LEFT", "0")
        s.waits("b", "BRPOPLPUSH", "k2", "k3", "0")
        s.waits("c", "BLPOP", "k3", "0")
        s.call("z", "RPUSH", "k1", "x")
        s.reads("a", "b", "c")
        s.waits("a", "BLMOVE", "k1", "k2", "LEFT", "LEFT", "0")
        s.waits("b", "BLMOVE", "k2", "k1", "LEFT", "LEFT", "0")
        s.call("z", "RPUSH", "k1", "x")
        s.reads("a", "b")
        s.call("z", "LRANGE", "k1", "0", "-1")
        s.waits("a", "BRPOPLPUSH", "r", "r", "0")
        s.call("z", "RPUSH", "r", "x", "y")
        s.reads("a")
        s.call("z", "LRANGE", "r", "0", "-1")

    play(pair, scene)


def test_a_move_to_no_list_is_refused_when_its_turn_comes(pair):
    def scene(s):
        s.call("z", "SET", "s", "v")
        s.waits("a", "BLMOVE", "k", "s", "LEFT", "LEFT", "0")
        s.waits("b", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.reads("a", "b")
        s.call("z", "EXISTS", "k")

    play(pair, scene)


def test_keys_of_another_type_wake_nobody(pair):
    def scene(s):
        s.waits("a", "BLPOP", "k", "0")
        s.waits("b", "BZPOPMIN", "k", "0")
        s.call("z", "SADD", "k", "m")
        s.call("z", "DEL", "k")
        s.call("z", "ZADD", "k", "1", "m")
        s.reads("b")
        s.silent("a")
        s.waits("b", "BZPOPMAX", "k", "0")
        s.call("z", "LPUSH", "k", "m")
        s.reads("a")
        s.silent("b")
        s.call("z", "ZADD", "k", "1", "m")
        s.reads("b")

    play(pair, scene)


def test_every_way_for_a_key_to_come_wakes(pair):
    def scene(s):
        s.call("z", "RPUSH", "l", "x", "y")
        for step in (("RENAME", "l", "k"), ("LMOVE", "l", "k", "LEFT", "LEFT"), ("RPOPLPUSH", "l", "k"), ("COPY", "l", "k"), ("RENAMENX", "l", "k")):
            s.call("z", "DEL", "l", "k")
            s.call("z", "RPUSH", "l", "x", "y")
            s.waits("a", "BLPOP", "k", "0")
            s.call("z", *step)
            s.reads("a")
        s.call("z", "ZADD", "zs", "1", "a", "2", "b")
        for step in (("ZUNIONSTORE", "k", "1", "zs"), ("ZINTERSTORE", "k", "1", "zs"), ("ZRANGESTORE", "k", "zs", "0", "-1"), ("ZINCRBY", "k", "1", "a"), ("ZDIFFSTORE", "k", "1", "zs")):
            s.call("z", "DEL", "k")
            s.waits("a", "BZPOPMIN", "k", "0")
            s.call("z", *step)
            s.reads("a")

    play(pair, scene)


def test_databases_are_apart_until_they_are_moved_or_swapped(pair):
    def scene(s):
        s.call("a", "SELECT", "9")
        s.waits("a", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.silent("a")
        s.call("z", "MOVE", "k", "9")
        s.reads("a")
        s.waits("a", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.call("z", "SWAPDB", "0", "9")
        s.reads("a")
        s.waits("a", "BZPOPMIN", "k", "0")
        s.call("z", "ZADD", "k", "1", "x")
        s.call("z", "COPY", "k", "k", "DB", "9")
        s.reads("a")

    play(pair, scene)


def test_flushall_wakes_nobody(pair):
    def scene(s):
        s.call("z", "SET", "other", "x")
        s.waits("a", "BLPOP", "k", "0")
        s.call("z", "FLUSHALL")
        s.silent("a")
        s.call("z", "RPUSH", "k", "x")
        s.reads("a")

    play(pair, scene)


@pytest.mark.parametrize("proto", [2, 3])
def test_client_unblock_ends_a_wait_with_a_null_or_an_error(pair, proto):
    def scene(s):
        for wait in (("BLPOP", "k", "0"), ("BLMOVE", "k", "d", "LEFT", "LEFT", "0"), ("BZMPOP", "0", "1", "k", "MIN")):
            for reason in ((), ("TIMEOUT",), ("ERROR",), ("error",)):
                s.waits("a", *wait)
                s.lines.append(s["z"].call("CLIENT", "UNBLOCK", s.ids["a"], *reason).raw)
                s.reads("a")
                s.lines.append(s["z"].call("CLIENT", "UNBLOCK", s.ids["a"], *reason).raw)
        s.call("z", "RPUSH", "k", "still here")
        s.call("a", "BLPOP", "k", "0")

    play(pair, scene, proto)


def test_what_was_sent_behind_a_wait_runs_behind_it(pair):
    big = b"v" * 300_000

    def scene(s):
        lines = [("SET", "x", "1"), ("INCR", "x"), ("BLPOP", "k2", "0"), ("GET", "x"), ("SET", "big", big), ("STRLEN", "big"), ("LPUSH", "k3", "own"), ("BLPOP", "k3", "0"), ("PING",)]
        a = s["a"]
        a.send_raw(pack(("BLPOP", "k1", "0")) + b"".join(pack(line) for line in lines))
        s.until_blocked(1)
        s.call("z", "GET", "x")
        s.call("z", "RPUSH", "k1", "first")
        s.reads("a", "a", "a")
        s.until_blocked(1)
        s.call("z", "SET", "x", "7")
        s.call("z", "RPUSH", "k2", "second")
        s.reads(*"aaaaaaa")

    play(pair, scene)


def test_a_pipeline_may_be_cut_anywhere_behind_a_wait(pair):
    text = b"".join(pack(c) for c in [("SET", "big", b"w" * 100_000), ("STRLEN", "big"), ("MSET", *[x for i in range(3000) for x in (i, i)]), ("GET", "2999"), ("PING",)])

    def scene(s):
        for cut in (1, 50, 70_000, 100_040, len(text) - 3):
            s.waits("a", "BLPOP", "k", "0")
            s["a"].send_raw(text[:cut])
            s.call("z", "PING")
            s["a"].send_raw(text[cut:])
            s.silent("a")
            s.call("z", "RPUSH", "k", "x")
            s.reads(*"aaaaaa")

    play(pair, scene)


def test_a_protocol_error_behind_a_wait_is_told_behind_it(pair):
    def scene(s):
        s["a"].send_raw(pack(("BLPOP", "k", "0")) + pack(("PING",)) + b"*1\r\n!oops\r\n")
        s.until_blocked(1)
        s.call("z", "RPUSH", "k", "x")
        s.reads("a", "a", "a")
        assert s["a"].closed_by_server()

    play(pair, scene)


def test_who_hangs_up_takes_nothing(pair):
    def scene(s):
        s.waits("a", "BLPOP", "k", "0")
        s.waits("b", "BLPOP", "k", "0")
        s["a"].send("PING")
        s["a"].close()
        s.until_blocked(1)
        s.call("z", "RPUSH", "k", "x")
        s.reads("b")
        s["c"].send_raw(pack(("BLPOP", "k", "0")) + b"*1\r\n!oops\r\n")
        s.until_blocked(1)
        s["c"].sock.shutdown(socket.SHUT_WR)
        s.until_blocked(0)
        s.waits("d", "BLPOP", "k", "0")
        s.lines.append(s["z"].call("CLIENT", "KILL", "ID", s.ids["d"]).raw)
        s.call("z", "RPUSH", "k", "x")
        s.call("z", "LLEN", "k")
        assert s["d"].closed_by_server()

    play(pair, scene)


def test_killed_and_pushed_in_one_batch(pair):
    def scene(s):
        s.waits("a", "BLPOP", "k", "0")
        s.waits("b", "BLPOP", "k", "0")
        s["z"].send_raw(pack(("CLIENT", "KILL", "ID", s.ids["a"])) + pack(("RPUSH", "k", "x")) + pack(("LLEN", "k")))
        s.reads("z", "z", "z", "b")
        assert s["a"].closed_by_server()

    play(pair, scene)


def test_muted_answers_stay_muted(pair):
    def scene(s):
        s["a"].send("CLIENT", "REPLY", "SKIP")
        s.waits("a", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.call("a", "PING")
        s.call("z", "EXISTS", "k")
        s["b"].send("CLIENT", "REPLY", "OFF")
        s.waits("b", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.call("b", "CLIENT", "REPLY", "ON")
        s.call("z", "EXISTS", "k")

    play(pair, scene)


def test_figures_say_who_waits(pair):
    def scene(s):
        for name, wait in (("a", ("BLPOP", "k", "j", "0")), ("b", ("BLPOP", "k", "100")), ("c", ("BZPOPMIN", "z", "100"))):
            s.waits(name, *wait)
        info = s.server.info(s.admin)
        s.lines.append((info["blocked_clients"], info["clients_in_timeout_table"]))
        if "total_blocking_keys" in info:
            assert (info["total_blocking_keys"], info["total_blocking_keys_on_nokey"]) == ("3", "0")
        for name in "abz":
            line = s["z"].do("CLIENT", "LIST", "ID", s.ids[name]).decode()
            s.lines.append([w for w in line.split() if w.startswith(("flags=", "cmd="))])

    play(pair, scene)


def test_a_call_is_counted_once(pair):
    def scene(s):
        def stats():
            info = s.server.info(s.admin)
            for name in ("blpop", "lpop", "blmove"):
                line = info.get("cmdstat_" + name, "")
                s.lines.append([w for w in line.split(",") if not w.startswith("usec")])

        s.call("z", "CONFIG", "RESETSTAT")
        s.waits("a", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.reads("a")
        s.call("a", "BLPOP", "k", "0.01")
        stats()

    play(pair, scene)


def test_the_slow_log_leaves_waiting_out(pair):
    def scene(s):
        s.call("z", "CONFIG", "SET", "slowlog-log-slower-than", "50000")
        s.call("z", "SLOWLOG", "RESET")
        s.waits("a", "BLPOP", "k", "0")
        time.sleep(0.1)
        s.call("z", "RPUSH", "k", "x")
        s.reads("a")
        s.call("z", "SLOWLOG", "LEN")

    play(pair, scene)


def test_monitor_shows_a_wait_once(pair):
    def scene(s):
        s.call("m", "MONITOR")
        s.waits("a", "BLPOP", "k", "0")
        s.call("z", "RPUSH", "k", "x")
        s.reads("a")
        s.call("z", "ECHO", "end")
        shown = []
        while not shown or shown[-1] != '"ECHO" "end"':
            shown.append(s["m"].read().tree[1].decode().split("] ", 1)[1])
        s.lines.append([x for x in shown if x.startswith(('"BLPOP', '"RPUSH', '"LPOP'))])

    play(pair, scene)


@pytest.mark.parametrize("proto", [2, 3])
def test_inside_a_transaction_nobody_waits(multi, proto):
    def scene(s):
        s.call("a", "MULTI")
        for wait, _ in WAITS:
            s.call("a", *wait)
        s.call("a", "EXEC")
        s.call("a", "MULTI")
        s.call("a", "RPUSH", "k", "x")
        s.call("a", "BLPOP", "k", "0")
        s.call("a", "EXEC")

    play(multi, scene, proto)


def test_a_transaction_is_over_before_anybody_is_served(multi):
    def scene(s):
        s.waits("a", "BLPOP", "k", "0")
        s.waits("b", "BLPOP", "j", "k", "0")
        for line in ("MULTI", "RPUSH k a", "LPUSH k b", "RPUSH j c", "DEL k", "EXEC"):
            s.call("z", *line.split())
        s.reads("b")
        s.silent("a")
        for line in ("MULTI", "RPUSH k a", "LPUSH k b", "LPUSH k c", "EXEC"):
            s.call("z", *line.split())
        s.reads("a")
        s.call("z", "LRANGE", "k", "0", "-1")
        s.waits("a", "BLPOP", "x", "y", "0")
        for line in ("MULTI", "RPUSH y 1", "RPUSH x 1", "EXEC"):
            s.call("z", *line.split())
        s.reads("a")
        s.waits("a", "BZPOPMIN", "q", "0")
        for line in ("MULTI", "ZADD q 1 a", "ZREM q a", "EXEC"):
            s.call("z", *line.split())
        s.silent("a")
        for line in ("MULTI", "ZADD q 1 a", "DEL q", "ZADD q 0 b 3 c", "EXEC"):
            s.call("z", *line.split())
        s.reads("a")

    play(multi, scene)


def test_restored_keys_wake(pair):
    def scene(s):
        s.call("z", "RPUSH", "l", "x", "y")
        payload = s["z"].do("DUMP", "l")
        s.waits("a", "BLPOP", "k", "0")
        s.lines.append(s["z"].call("RESTORE", "k", "0", payload).raw)
        s.reads("a")
        s.call("z", "DEL", "k")
        s.waits("a", "BZPOPMIN", "k", "0")
        s.lines.append(s["z"].call("RESTORE", "k", "0", payload, "REPLACE").raw)
        s.silent("a")

    if not has(pair[0], "restore"):
        pytest.skip("no RESTORE here")
    play(pair, scene)


def test_keyspace_events_tell_of_what_was_taken(pair):
    def scene(s):
        s.call("z", "CONFIG", "SET", "notify-keyspace-events", "KEA")
        s.call("m", "PSUBSCRIBE", "__key*__:*")
        for wait, push in WAITS:
            s.call("z", "FLUSHALL")
            s.waits("a", *wait)
            s.call("z", *push)
            s.reads("a")
        s.call("z", "CONFIG", "SET", "notify-keyspace-events", "")
        s.call("z", "PUBLISH", "__key__:end", "end")
        while s.lines[-1][1][-5:] != b"end\r\n":
            s.reads("m")

    if not has(pair[0], "psubscribe"):
        pytest.skip("no events here")
    play(pair, scene)


KEYS = ["k1", "k2", "k3"]


def random_step(rng):
    """What one client does next: commands that are sent at once."""
    key, other, third = (rng.choice(KEYS) for _ in range(3))
    end, back = rng.choice(["LEFT", "RIGHT"]), rng.choice(["LEFT", "RIGHT"])
    waits = [
        ("BLPOP", key, other, "0"), ("BRPOP", key, "0"), ("BLMOVE", key, other, end, back, "0"), ("BRPOPLPUSH", key, other, "0"),
        ("BLMPOP", "0", "3", key, other, third, end, "COUNT", "2"), ("BZPOPMIN", key, other, "0"), ("BZPOPMAX", key, "0"), ("BZMPOP", "0", "2", key, other, "MIN", "COUNT", "2"),
    ]
    # Not SWAPDB: of several keys that it brings Redis takes them in the order of a hash table.
    changes = [
        ("RPUSH", key, "a", "b"), ("LPUSH", key, "c"), ("RPUSH", key, "d"), ("ZADD", key, "1", "a", "2", "b"), ("ZADD", key, "3", "c"), ("SET", key, "s"), ("DEL", key, other), ("DEL", *KEYS),
        ("RENAME", key, other), ("COPY", key, other, "REPLACE"), ("LMOVE", key, other, end, back), ("LTRIM", key, "1", "0"), ("ZREM", key, "a"), ("MOVE", key, "9"), ("COPY", key, other, "DB", "9", "REPLACE"),
        ("ZUNIONSTORE", key, "2", other, third), ("LPOP", key), ("PEXPIRE", key, "-1"), ("FLUSHDB",),
    ]
    kind = rng.random()
    if kind < 0.45:
        return [rng.choice(waits)]
    if kind < 0.85:
        return [rng.choice(changes)]
    return [("MULTI",), *[rng.choice(changes if rng.random() < 0.8 else waits) for _ in range(rng.randint(1, 5))], ("EXEC",)]


class Crowd:
    """Some clients of one server, and who of them waits."""

    def __init__(self, server, n):
        self.admin = server.conn()
        self.admin.do("FLUSHALL")
        self.conns = [server.conn() for _ in range(n)]
        self.ids = [c.do("CLIENT", "ID") for c in self.conns]
        self.waiting = []

    def who_waits(self):
        lines = self.admin.do("CLIENT", "LIST").decode().splitlines()
        ids = {int(line.split()[0][3:]) for line in lines if "b" in line.split("flags=")[1].split()[0]}
        return [i for i, n in enumerate(self.ids) if n in ids]

    def step(self, i, commands):
        """Have client @i send them; everything that anybody reads then, and who waits."""
        for c in commands[:-1]:
            self.conns[i].call(*c)
        self.conns[i].send(*commands[-1])
        self.conns[i].sock.settimeout(0.002)
        got = []
        for _ in range(5000):
            try:
                got.append((i, self.conns[i].read().raw))
                break
            except TimeoutError:
                if i in self.who_waits():
                    break
        self.conns[i].sock.settimeout(10)
        now = self.who_waits()
        for j in self.waiting:
            if j not in now:
                got.append((j, self.conns[j].read().raw))
        self.waiting = now
        return got, now

    def end(self):
        for c in self.conns:
            c.close()
        self.admin.close()


def test_any_sequence_goes_as_in_redis(multi, capsys):
    seed = os.environ.get("COMPARE_SEED", str(int(time.time())))
    with capsys.disabled():
        print(f"\nseed {seed}")
    rng = random.Random(seed)
    history = []
    crowds = [Crowd(server, 6) for server in multi]
    for _ in range(int(os.environ.get("COMPARE_STEPS", "600"))):
        free = [i for i in range(6) if i not in crowds[0].waiting]
        if len(free) == 1:
            i, commands = free[0], [("RPUSH", rng.choice(KEYS), *"abcdef")]
        else:
            i, commands = rng.choice(free), random_step(rng)
        results = [c.step(i, commands) for c in crowds]
        history.append((i, commands, results[0]))
        assert results[0] == results[1], f"seed {seed}, after {history[-8:]}"
        if rng.random() < 0.05:
            digests = [c.admin.do("DEBUG", "DIGEST") for c in crowds]
            assert digests[0] == digests[1], f"seed {seed}, after {history[-8:]}"
    for c in crowds:
        c.end()


def test_thousands_wait_for_one_key(server):
    n = 2000
    s = Scene(server, 2)
    waiting = []
    for i in range(n):
        c = Conn(server.port)
        c.send("BLPOP", "k", "0")
        waiting.append(c)
        if i % 500 == 499:
            s.until_blocked(i + 1)
    for i in range(0, n, 500):
        s.admin.do("RPUSH", "k", *range(i, i + 500))
    got = [c.read().plain()[1] for c in waiting]
    assert sorted(got, key=int) == [str(i).encode() for i in range(n)]
    for i in range(0, n, 500):
        part = got[i : i + 500]
        assert {int(v) // 500 for v in part} == {i // 500}
    # and go at once
    for c in waiting:
        c.send("BLPOP", "k", "0")
    s.until_blocked(n)
    assert server.info(s.admin)["total_blocking_keys"] == "1"
    for c in waiting:
        c.close()
    s.until_blocked(0)
    assert server.info(s.admin)["total_blocking_keys"] == "0"
    s.admin.do("RPUSH", "k", "x")
    assert s.admin.do("LLEN", "k") == 1


def test_one_waits_for_thousands_of_keys(server):
    s = Scene(server, 2)
    keys = [f"k{i % 20000}" for i in range(30000)]
    s.waits("a", "BLPOP", *keys, "0")
    assert server.info(s.admin)["total_blocking_keys"] == "20000"
    s.admin.do("RPUSH", "k19999", "x")
    assert s["a"].read().plain() == [b"k19999", b"x"]
    assert server.info(s.admin)["total_blocking_keys"] == "0"
    s.waits("a", "BLPOP", *keys, "0")
    s["a"].close()
    s.until_blocked(0)


def test_waiting_costs_no_processor_time(server):
    s = Scene(server, 2)
    for i in range(50):
        s.waits(f"a{i}", "BLPOP", "k", "0" if i % 2 else "1000")

    def ticks():
        with open(f"/proc/{server.pid}/stat") as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))

    s["a0"].send("PING")
    before = ticks()
    time.sleep(0.5)
    assert ticks() - before <= 15


def test_input_behind_a_wait_is_bounded(start):
    server = start("--client-query-buffer-limit", "1048576")
    c = server.conn()
    c.send("BLPOP", "k", "0")
    with pytest.raises((ConnectionResetError, BrokenPipeError, Closed)):
        for _ in range(100):
            c.send("SET", "x", b"v" * 40000)
        c.read()
    with server.conn() as other:
        assert other.do("EXISTS", "x") == 0


def test_a_shutdown_lets_go_of_all(start):
    server = start()
    conns = [server.conn() for _ in range(20)]
    for c in conns:
        c.send_raw(pack(("BLPOP", "k", "j", "100")) + pack(("PING",)))
    Scene(server, 2).until_blocked(20)
    assert server.stop() == 0
    for c in conns:
        assert c.closed_by_server()
