"""DEBUG: what test suites lean on; and what a server that crashes leaves behind."""
import os
import re
import signal
import time

import pytest

import servers
from resp import Closed


def wait_until(ready, timeout=20):
    end = time.monotonic() + timeout
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


def crash(*call, args=(), conf=None, sig=None):
    """The log of a server that ended so."""
    with servers.Server(args=args, conf=conf) as s:
        with s.conn() as c:
            c.do("SET", "k", "v")
            if sig:
                os.kill(s.pid, sig)
            else:
                with pytest.raises((Closed, OSError)):
                    c.call(*call)
            s.proc.wait(20)
        text = s.log()
        code = s.proc.returncode
        s.stop(check=False)
        s.stop = lambda **_: None
        return text, code


unsanitized = pytest.mark.skipif(servers.sanitized(), reason="fatal signals are the sanitizer's there")


@unsanitized
@pytest.mark.parametrize("how, line", [("SEGFAULT", "Accessing address: 0x"), ("PANIC", "Guru Meditation"), ("ASSERT", "=== ASSERTION FAILED ==="), ("OOM", "crashed by signal: 6")])
def test_a_crash_leaves_a_report(how, line):
    text, code = crash("DEBUG", how)
    assert line in text and code < 0
    parts = ["=== REDIS BUG REPORT START", "crashed by signal", "------ STACK TRACE ------", "------ INFO OUTPUT ------", "redis_version:7.2.4",
             "------ CLIENT LIST OUTPUT ------", "cmd=debug", "------ CURRENT CLIENT INFO ------", "=== REDIS BUG REPORT END"]
    at = [text.index(p) for p in parts]
    assert at == sorted(at)


@unsanitized
def test_a_signal_from_outside_is_a_crash_too():
    text, code = crash(sig=signal.SIGABRT)
    assert code == -signal.SIGABRT and "crashed by signal: 6" in text and "Killed by PID" in text


@unsanitized
def test_the_report_can_be_switched_off():
    text, code = crash("DEBUG", "SEGFAULT", args=("--crash-log-enabled", "no"))
    assert code == -signal.SIGSEGV and "BUG REPORT" not in text


def test_sigalrm_shows_where_the_server_is(server):
    os.kill(server.pid, signal.SIGALRM)
    wait_until(lambda: "Received SIGALRM" in server.log() and "STACK TRACE" in server.log())
    with server.conn() as c:
        c.do("CONFIG", "SET", "watchdog-period", 200)
        c.do("DEBUG", "SLEEP", 0.6)
        wait_until(lambda: "WATCHDOG TIMER EXPIRED" in server.log())
        c.do("CONFIG", "SET", "watchdog-period", 0)


@pytest.mark.parametrize("how", ["RESTART", "CRASH-AND-RECOVER"])
def test_a_server_can_begin_anew(how):
    with servers.Server(conf=["save 3600 1"]) as s:
        with s.conn() as c:
            c.do("SET", "k", "v")
            before = c.do("INFO", "server")
            with pytest.raises((Closed, OSError)):
                c.call("DEBUG", how, 100)
        s.wait_ready()
        with s.conn() as c:
            assert c.do("GET", "k") == (b"v" if how == "RESTART" else None)
            assert re.search(rb"run_id:\w+", before)[0] not in c.do("INFO", "server")


def test_the_log_can_be_loaded_again(start):
    s = start("--appendonly", "yes")
    with s.conn() as c:
        for i in range(100):
            c.do("RPUSH", "l", i)
        digest = c.do("DEBUG", "DIGEST")
        assert c.do("DEBUG", "LOADAOF") == b"OK" and c.do("DEBUG", "DIGEST") == digest
        c.do("RPUSH", "l", "more")
        assert c.do("DEBUG", "LOADAOF") == b"OK" and c.do("LINDEX", "l", -1) == b"more"
        assert "Append Only File loaded by DEBUG LOADAOF" in s.log()
    with start().conn() as c:
        assert c.call("DEBUG", "LOADAOF").error


def test_checksums_can_be_skipped(conn):
    conn.do("SET", "k", "value")
    payload = bytearray(conn.do("DUMP", "k"))
    payload[3] ^= 1
    assert conn.call("RESTORE", "r", 0, bytes(payload)).error == "ERR DUMP payload version or checksum are wrong"
    conn.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
    assert conn.do("RESTORE", "r", 0, bytes(payload)) == b"OK" and conn.do("GET", "r") != b"value"
    payload[-10:-8] = b"\xff\xff"
    assert conn.call("RESTORE", "q", 0, bytes(payload)).error
    conn.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0)
    assert conn.call("RESTORE", "r2", 0, bytes(payload)).error


def test_large_elements_of_lists_stand_alone(pair):
    mine, theirs = pair
    with mine.conn() as a, theirs.conn() as b:
        for c in (a, b):
            c.do("FLUSHALL")
            assert c.do("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "3b") == b"OK"
        digests = []
        for c in (a, b):
            c.do("RPUSH", "l", "a", "b", "cccc", "dddd", "e", "f")
            c.do("LINSERT", "l", "BEFORE", "e", "xxxxx")
            c.do("LSET", "l", 0, "yyyyyy")
            c.do("LREM", "l", 1, "dddd")
            digests.append((c.do("DEBUG", "DIGEST"), c.do("LRANGE", "l", 0, -1), re.sub(r".*(ql_nodes.*)", r"\1", c.do("DEBUG", "OBJECT", "l").decode())))
            assert c.do("DEBUG", "RELOAD") == b"OK"
            assert c.do("DEBUG", "DIGEST") == digests[-1][0]
            assert c.do("DEBUG", "QUICKLIST-PACKED-THRESHOLD", 0) == b"OK"
            c.do("LTRIM", "l", 1, -2)
            c.do("RPUSH", "l", *["more"] * 200)
        assert digests[0][:2] == digests[1][:2]
        assert "ql_nodes:5 " in digests[0][2]
        assert a.do("DEBUG", "DIGEST") == b.do("DEBUG", "DIGEST")


def test_object_has_redis_s_fields(pair):
    mine, theirs = pair
    said = []
    for s in pair:
        with s.conn() as c:
            c.do("FLUSHALL")
            c.do("SET", "s", "hello")
            c.do("SET", "long", "x" * 100)
            c.do("HSET", "h", "f", "v")
            c.do("RPUSH", "l", *range(5000))
            texts = [c.do("DEBUG", "OBJECT", k).decode() for k in ("s", "long", "h", "l")]
            said.append([[f.split(":")[0] for f in t.split()[1:]] for t in texts])
            said[-1].append([re.search(r"serializedlength:\d+", t)[0] for t in texts[:3]])
    assert said[0] == said[1]


def test_the_cron_can_be_paused(conn):
    conn.do("DEBUG", "PAUSE-CRON", 1)
    conn.do("SET", "k", "v", "PX", 1)
    conn.do("CONFIG", "SET", "hz", 100)
    time.sleep(0.3)
    assert conn.do("DBSIZE") == 1
    conn.do("DEBUG", "PAUSE-CRON", 0)
    wait_until(lambda: conn.do("DBSIZE") == 0)


def test_tables_can_be_kept_from_resizing(conn):
    def size():
        return int(re.search(rb"table size: (\d+)", conn.do("DEBUG", "HTSTATS", 0))[1])

    conn.do("DEBUG", "POPULATE", 2000)
    big = size()
    conn.do("DEBUG", "DICT-RESIZING", 0)
    for i in range(1990):
        conn.do("DEL", f"key:{i}")
    assert size() == big
    conn.do("DEBUG", "DICT-RESIZING", 1)
    for i in range(1990, 1999):
        conn.do("DEL", f"key:{i}")
    wait_until(lambda: size() < big)


def test_the_replication_id_can_be_drawn_anew(conn):
    def ids():
        text = conn.do("INFO", "everything").decode()
        return re.search(r"master_replid:(\w{40})", text)[1], re.search(r"run_id:(\w{40})", text)[1]

    before = ids()
    assert conn.do("DEBUG", "CHANGE-REPL-ID") == b"OK"
    assert ids()[0] != before[0] and ids()[1] == before[1]


def test_every_directive_can_be_written(start):
    s = start(conf=["save 100 1"])
    with s.conn() as c:
        assert c.do("DEBUG", "CONFIG-REWRITE-FORCE-ALL") == b"OK"
        text = open(s.conf).read()
        for name in ("hz 10", "timeout 0", "maxmemory 0", "list-max-listpack-size -2", "appendonly no"):
            assert re.search(f"^{name}$", text, re.M), name
        values = c.do("CONFIG", "GET", "*")
    again = start(conf=text.splitlines())
    with again.conn() as c:
        mine, theirs = dict(zip(values[::2], values[1::2])), c.do("CONFIG", "GET", "*")
        assert {k for k, v in zip(theirs[::2], theirs[1::2]) if mine[k] != v} <= {b"port", b"dir"}


def test_what_is_left_answers(conn):
    conn.do("SET", "k", "hello")
    assert re.match(rb"key_sds_len:1, key_sds_avail:0, key_zmalloc: \d+, val_sds_len:5, val_sds_avail:0, val_zmalloc: \d+", conn.do("DEBUG", "SDSLEN", "k"))
    assert conn.do("DEBUG", "STRINGMATCH-TEST") == b"Apparently Redis did not crash: test passed"
    assert conn.do("DEBUG", "STRUCTSIZE").startswith(b"bits:64 ")
    conn.do("ZADD", "z", 1, "a")
    assert conn.do("DEBUG", "LISTPACK", "z") == b"Listpack structure printed on stdout"
    conn.do("RPUSH", "l", *range(5000))
    assert conn.do("DEBUG", "QUICKLIST", "l", 1) == b"Quicklist structure printed on stdout"
    for call in (["AOF-FLUSH-SLEEP", 0], ["SET-DISABLE-DENY-SCRIPTS", 0], ["REPLYBUFFER", "PEAK-RESET-TIME", "NEVER"], ["REPLYBUFFER", "RESIZING", 0]):
        assert conn.do("DEBUG", *call) == b"OK"
    assert conn.call("DEBUG", "MALLCTL", "nosuch").error == "ERR No such file or directory"
    help_text = b"\n".join(conn.do("DEBUG", "HELP"))
    assert b"CRASH-AND-RECOVER" in help_text and b"QUICKLIST-PACKED-THRESHOLD" in help_text
