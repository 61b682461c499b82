"""A server without replicas and without a cluster: what it answers where those would come in."""
import os
import signal
import time

import pytest


def field(conn, name):
    for line in conn.do("INFO", "everything").decode().split("\r\n"):
        if line.startswith(name + ":"):
            return line.split(":", 1)[1]
    raise KeyError(name)


def wait_blocked(conn, n):
    end = time.monotonic() + 10
    while field(conn, "blocked_clients") != str(n):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_wait_for_a_replica_takes_its_whole_time(server):
    with server.conn() as c:
        began = time.monotonic()
        assert c.do("WAIT", 1, 200) == 0
        assert 0.19 < time.monotonic() - began < 5
        assert c.do("WAIT", 0, 0) == 0
        c.do("MULTI")
        c.do("WAIT", 1, 0)
        assert c.do("EXEC") == [0]


def test_who_waits_for_a_replica_can_be_unblocked(server):
    with server.conn() as c, server.conn() as other:
        ident = c.do("CLIENT", "ID")
        for how, wanted in (("TIMEOUT", b":0\r\n"), ("ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")):
            c.send_raw(b"WAIT 1 0\r\nPING\r\n")
            wait_blocked(other, 1)
            assert other.do("CLIENT", "UNBLOCK", ident, how) == 1
            assert c.read().raw == wanted
            assert c.read().raw == b"+PONG\r\n"
        c.send_raw(b"WAIT 1 0\r\n")
        wait_blocked(other, 1)
        c.close()
        wait_blocked(other, 0)


def test_waitaof_without_a_log_is_refused(conn):
    assert conn.call("WAITAOF", 1, 0, 0).error == "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
    assert conn.call("WAITAOF", 2, 0, 0).error == "ERR value is out of range, value must between 0 and 1"
    assert conn.call("WAITAOF", 0, -1, 0).error == "ERR value is out of range, must be positive"
    assert conn.call("WAITAOF", 0, 0, "x").error == "ERR timeout is not an integer or out of range"
    assert conn.do("WAITAOF", 0, 0, 0) == [0, 0]
    assert conn.do("WAITAOF", 0, 1, 30) == [0, 0]


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_waitaof_answers_when_the_log_is_on_the_disk(start, policy):
    s = start("--appendonly", "yes", "--appendfsync", policy)
    with s.conn() as c, s.conn() as reader:
        assert reader.do("WAITAOF", 1, 0, 0) == [1, 0]  # wrote nothing
        for i in range(3):
            c.do("SET", "k", i)
            assert c.do("WAITAOF", 1, 0, 10000) == [1, 0]
        c.do("INCR", "n")
        assert c.do("WAITAOF", 1, 1, 50)[1] == 0
    # What it said is true: not even a kill loses it.
    os.kill(s.pid, signal.SIGKILL)
    s.proc.wait()
    s.start()
    with s.conn() as c:
        assert c.do("GET", "k") == b"2"


def test_waitaof_without_fsync_waits_for_its_time(start):
    s = start("--appendonly", "yes", "--appendfsync", "no")
    with s.conn() as c:
        c.do("SET", "k", 1)
        assert c.do("WAITAOF", 1, 0, 50) == [0, 0]
        c.do("MULTI")
        c.do("INCR", "k")
        c.do("WAITAOF", 1, 0, 0)
        assert c.do("EXEC") == [2, [0, 0]]


def test_it_is_a_master_and_no_node(conn):
    assert conn.do("ROLE") == [b"master", 0, []]
    assert conn.do("REPLICAOF", "NO", "ONE") == b"OK"
    assert conn.call("REPLICAOF", "127.0.0.1", 1).error.startswith("ERR ")
    assert field(conn, "role") == "master" and field(conn, "cluster_enabled") == "0"
    for call in (["CLUSTER", "INFO"], ["CLUSTER", "MYSHARDID"], ["READONLY"], ["READWRITE"], ["ASKING"]):
        assert conn.call(*call).error == "ERR This instance has cluster support disabled"


def test_modules_are_refused_and_none_is_there(start):
    s = start("--enable-module-command", "yes")
    with s.conn() as c:
        assert c.do("MODULE", "LIST") == []
        assert c.call("MODULE", "LOAD", "/x.so").error == "ERR Error loading the extension. Please check the server logs."
        assert c.call("MODULE", "UNLOAD", "x").error == "ERR Error unloading module: no such module with that name"
        assert "Module /x.so failed to load: this server has no modules" in s.log()
    with start().conn() as c:
        assert c.call("MODULE", "LOAD", "/x.so").error.startswith("ERR MODULE command not allowed. If the enable-module-command")


def test_where_replicas_are_asked_for_nothing_is_written(start, tmp_path):
    refusal = "NOREPLICAS Not enough good replicas to write."
    first = start("--appendonly", "yes", "--dir", str(tmp_path))
    with first.conn() as c:
        c.do("SET", "k", 1)
        assert c.do("INFO", "replication").find(b"min_slaves_good_slaves") < 0
    first.stop()
    s = start("--appendonly", "yes", "--dir", str(tmp_path), "--min-replicas-to-write", "1")
    with s.conn() as c:
        assert c.do("GET", "k") == b"1"  # the log is no client
        assert c.do("PING") == b"PONG" and field(c, "min_slaves_good_slaves") == "0"
        for call in (["SET", "k", 2], ["SORT", "k", "STORE", "l"], ["EVAL", "return redis.call('set', 'k', 2)", 1, "k"], ["EVAL", "#!lua\nreturn 1", 0]):
            assert c.call(*call).error.startswith(refusal), call
        assert c.do("EVAL", "#!lua flags=no-writes\nreturn redis.call('get', 'k')", 1, "k") == b"1"
        c.do("MULTI")
        assert c.call("SET", "k", 2).error == refusal
        assert c.call("EXEC").error.startswith("EXECABORT")
        c.do("CONFIG", "SET", "min-slaves-max-lag", 0)
        assert c.do("SET", "k", 2) == b"OK"
        c.do("CONFIG", "SET", "min-slaves-max-lag", 10)
        c.do("CONFIG", "SET", "min-replicas-to-write", 0)
        c.do("MULTI")
        c.do("SET", "k", 3)
        with s.conn() as other:
            other.do("CONFIG", "SET", "min-replicas-to-write", 1)
        assert c.call("EXEC").error == f"EXECABORT Transaction discarded because of: {refusal}"
        assert c.do("GET", "k") == b"2"
