"""CLIENT PAUSE: commands wait, in order, and run when it is over; nothing expires or is evicted meanwhile."""
import os
import threading
import time

import pytest

from resp import pack

# Refused or waited for, the answers are the same.
CALLS = [["PAUSE"], ["PAUSE", "x"], ["PAUSE", "-1"], ["PAUSE", "1.5"], ["PAUSE", "100", "x"], ["PAUSE", "x", "WRITE"], ["PAUSE", "10", "WRITE", "x"],
         ["PAUSE", ""], ["UNPAUSE", "x"], ["UNPAUSE"], ["PAUSE", "0"], ["PAUSE", "1", "all"], ["PAUSE", "1"], ["pause", "5", "write"], ["PAUSE", "99999999999999999999"]]


def test_answers_are_those_of_redis(pair):
    for words in CALLS:
        mine, theirs = (s.conn() for s in pair)
        assert mine.call("CLIENT", *words).raw == theirs.call("CLIENT", *words).raw, words
        mine.close()
        theirs.close()


def info(conn, field):
    for line in conn.do("INFO", "everything").decode().splitlines():
        if line.startswith(field + ":"):
            return line.split(":")[1]
    raise AssertionError(field)


def wait_blocked(conn, n):
    end = time.monotonic() + 10
    while int(info(conn, "blocked_clients")) != n:
        assert time.monotonic() < end
        time.sleep(0.005)


def quiet(conn, seconds=0.1):
    conn.sock.settimeout(seconds)
    try:
        assert conn.sock.recv(100) == b"?"
    except TimeoutError:
        conn.sock.settimeout(30)
        return True


WRITES = [["SET", "a", "1"], ["DEL", "a"], ["PUBLISH", "ch", "m"], ["SPUBLISH", "ch", "m"], ["PFCOUNT", "hll"], ["BLPOP", "list", "0.01"], ["GETEX", "a"], ["FLUSHALL"], ["EVAL", "return 1", 0], ["RESTORE", "a", "0", "x"]]
READS = [["GET", "a"], ["EXISTS", "a"], ["PING"], ["SUBSCRIBE", "x"], ["XREAD", "STREAMS", "s", "0"], ["CLIENT", "LIST"], ["CONFIG", "GET", "port"], ["SELECT", "1"], ["SORT_RO", "l"], ["EVAL_RO", "return 1", 0],
         ["EVAL", "#!lua flags=no-writes\nreturn 1", 0]]


@pytest.mark.parametrize("words", WRITES, ids=lambda w: " ".join(map(str, w)))
def test_what_could_change_data_waits_and_is_not_refused(server, conn, words):
    assert conn.do("CLIENT", "PAUSE", 100000, "WRITE") == b"OK"
    with server.conn() as c:
        c.send(*words)
        wait_blocked(conn, 1)
        assert quiet(c)
        conn.do("CLIENT", "UNPAUSE")
        c.read()
    assert info(conn, "blocked_clients") == "0"


@pytest.mark.parametrize("words", READS, ids=lambda w: " ".join(map(str, w)))
def test_what_changes_nothing_goes_on_while_writes_wait(server, conn, words):
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    with server.conn() as c:
        assert c.call(*words).error is None


def test_under_a_pause_of_all_everything_waits_until_it_is_over(server, conn):
    begin = time.monotonic()
    conn.do("CLIENT", "PAUSE", 300)
    with server.conn() as c:
        c.send("PING")
        conn.send("CLIENT", "UNPAUSE")
        assert c.read().raw == b"+PONG\r\n"
        assert conn.read().raw == b"+OK\r\n"
    assert 0.29 < time.monotonic() - begin < 3


def test_errors_of_form_are_answered_at_once(server, conn):
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    with server.conn() as c:
        assert c.call("SET", "x").error.startswith("ERR wrong number")
        assert c.call("NOSUCH").error.startswith("ERR unknown")


def test_each_session_keeps_its_order_and_the_first_to_come_goes_first(server, conn):
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    clients = [server.conn() for _ in range(8)]
    for i, c in enumerate(clients):
        c.send_raw(b"".join(pack(w) for w in [["GET", "nothing"], ["RPUSH", "l", i], ["PING"], ["RPUSH", "l", i], ["GET", "nothing"], ["LLEN", "m"]]))
        wait_blocked(conn, i + 1)
    for c in clients:
        assert c.read().raw == b"$-1\r\n"
        assert quiet(c, 0.01)
    conn.do("CLIENT", "UNPAUSE")
    for i, c in enumerate(clients):
        assert [c.read().raw for _ in range(5)] == [b":%d\r\n" % (2 * i + 1), b"+PONG\r\n", b":%d\r\n" % (2 * i + 2), b"$-1\r\n", b":0\r\n"]
        c.close()


def test_a_transaction_that_writes_waits_at_its_first_write_or_its_end(server, conn):
    with server.conn() as early, server.conn() as late, server.conn() as reader:
        early.do("MULTI")
        early.do("SET", "a", 1)
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        early.send("EXEC")
        late.do("MULTI")
        late.send("SET", "b", 1)
        reader.do("MULTI")
        reader.do("GET", "a")
        reader.do("EVAL", "#!lua flags=no-writes\nreturn 1", 0)
        assert reader.do("EXEC") == [None, 1]
        wait_blocked(conn, 2)
        conn.do("CLIENT", "UNPAUSE")
        assert early.read().plain() == [b"OK"]
        assert late.read().raw == b"+QUEUED\r\n"
        assert late.do("EXEC") == [b"OK"]


def test_a_pause_in_a_transaction_begins_behind_it(server, conn):
    with server.conn() as c:
        c.do("MULTI")
        for words in (["SET", "a", 1], ["CLIENT", "PAUSE", 100000, "WRITE"], ["SET", "b", 2]):
            c.do(*words)
        assert c.do("EXEC") == [b"OK", b"OK", b"OK"]
        assert conn.do("GET", "b") == b"2"
        c.send("SET", "c", 3)
        wait_blocked(conn, 1)
        conn.do("CLIENT", "UNPAUSE")
        assert c.read().plain() == b"OK"


def test_a_shorter_pause_leaves_the_longer_and_a_stricter_one_stays(server, conn):
    conn.do("CLIENT", "PAUSE", 60000, "WRITE")
    conn.do("CLIENT", "PAUSE", 10, "WRITE")
    time.sleep(0.05)
    with server.conn() as c:
        c.send("SET", "a", 1)
        wait_blocked(conn, 1)
        assert (info(conn, "paused_reason"), info(conn, "paused_actions")) == ("client_pause", "write")
        assert 50000 < int(info(conn, "paused_timeout_milliseconds")) <= 60000
        conn.do("CLIENT", "UNPAUSE")
        assert c.read().plain() == b"OK"
    assert (info(conn, "paused_reason"), info(conn, "paused_actions"), info(conn, "paused_timeout_milliseconds")) == ("none", "none", "0")


def test_client_unblock_leaves_who_waits_for_the_end_of_a_pause(server, conn):
    with server.conn() as a, server.conn() as b:
        ids = [c.do("CLIENT", "ID") for c in (a, b)]
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        a.send("BLPOP", "l", 0)
        b.send("BLPOP", "l", 0)
        wait_blocked(conn, 2)
        assert "flags=b " in [line for line in conn.do("CLIENT", "LIST").decode().splitlines() if line.startswith(f"id={ids[0]} ")][0]
        assert conn.do("CLIENT", "UNBLOCK", ids[0], "timeout") == 0
        assert conn.do("CLIENT", "UNBLOCK", ids[1], "error") == 0
        conn.do("CLIENT", "UNPAUSE")
        wait_blocked(conn, 2)
        assert conn.do("CLIENT", "UNBLOCK", ids[0], "timeout") == 1
        assert conn.do("CLIENT", "UNBLOCK", ids[1], "error") == 1
        assert a.read().plain() is None
        assert b.read().error.startswith("UNBLOCKED")


def test_nothing_expires_while_paused_and_all_that_is_due_does_behind_it(server, conn):
    for i in range(3):
        conn.do("SET", f"k{i}", 1, "PX", 50)
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    time.sleep(0.15)
    assert conn.do("GET", "k0") is None
    assert conn.do("DBSIZE") == 3
    assert info(conn, "expired_keys") == "0"
    # Every key is past its time: one is answered all the same, and soon.
    assert conn.do("RANDOMKEY") in (b"k0", b"k1", b"k2")
    conn.do("CLIENT", "UNPAUSE")
    time.sleep(0.3)
    assert conn.do("DBSIZE") == 0
    assert info(conn, "expired_keys") == "3"


def test_nothing_is_evicted_while_paused(server, conn):
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    conn.do("DEBUG", "POPULATE", 1000)
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    conn.do("CONFIG", "SET", "maxmemory", 1)
    for _ in range(20):
        conn.do("GET", "key:1")
    assert conn.do("DBSIZE") == 1000
    assert info(conn, "evicted_keys") == "0"
    conn.do("CLIENT", "UNPAUSE")
    with server.conn() as c:
        c.call("SET", "a", 1)
    assert conn.do("DBSIZE") < 1000


def test_a_client_that_goes_or_is_killed_while_it_waits_is_forgotten(server, conn):
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    a, b = server.conn(), server.conn()
    b_id = b.do("CLIENT", "ID")
    for c in (a, b):
        c.send("SET", "x", 1)
    wait_blocked(conn, 2)
    a.close()
    wait_blocked(conn, 1)
    assert conn.do("CLIENT", "KILL", "ID", b_id) == 1
    wait_blocked(conn, 0)
    conn.do("CLIENT", "UNPAUSE")
    assert conn.do("EXISTS", "x") == 0


def test_what_is_paused_again_waits_again(server, conn):
    with server.conn() as a, server.conn() as b:
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        a.send_raw(b"".join(pack(w) for w in [["MULTI"], ["CLIENT", "PAUSE", "200", "WRITE"], ["SET", "a", "1"], ["EXEC"], ["SET", "a", "2"]]))
        wait_blocked(conn, 1)
        b.send("SET", "b", "1")
        wait_blocked(conn, 2)
        begin = time.monotonic()
        conn.do("CLIENT", "UNPAUSE")
        assert [a.read().raw for _ in range(4)] == [b"+OK\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n", b"*2\r\n+OK\r\n+OK\r\n"]
        assert b.read().raw == a.read().raw == b"+OK\r\n"
        assert time.monotonic() - begin > 0.19


def test_many_commands_behind_a_pause_are_kept_within_the_query_limit(server, conn):
    conn.do("CONFIG", "SET", "client-query-buffer-limit", 2 << 20)
    conn.do("CLIENT", "PAUSE", 100000, "WRITE")
    with server.conn() as c:
        try:
            for i in range(200):
                c.send("SET", "k", b"x" * 30000)
        except ConnectionError:
            pass
        assert c.closed_by_server()
    assert conn.do("PING") == b"PONG"


@pytest.fixture
def mounted(start, tmp_path):
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    try:
        server = start("--mount", str(mnt))
    except AssertionError:
        pytest.skip("no FUSE here")
    if not os.path.isdir(mnt / "string"):
        pytest.skip("no FUSE here")
    return server, mnt


def test_a_file_is_written_when_the_pause_is_over_and_read_meanwhile(mounted):
    server, mnt = mounted
    with server.conn() as conn:
        conn.do("SET", "name", "before")
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        writer = threading.Thread(target=(mnt / "string" / "name").write_text, args=("after\n",))
        writer.start()
        time.sleep(0.2)
        assert writer.is_alive()
        assert conn.do("GET", "name") == b"before"
        conn.do("CLIENT", "UNPAUSE")
        writer.join(10)
        assert not writer.is_alive()
        assert conn.do("GET", "name") == b"after"
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        assert (mnt / "string" / "name").read_text() == "after\n"
        conn.do("CLIENT", "UNPAUSE")


def test_a_ctl_file_waits_for_the_end_of_a_pause_as_a_client_does(mounted):
    server, mnt = mounted
    with server.conn() as conn, open(mnt / "ctl", "r+b", buffering=0) as ctl:
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        ctl.write(b"EXISTS name\n")
        assert ctl.read(100) == b"0\n"
        writer = threading.Thread(target=ctl.write, args=(b"SET name x\n",))
        writer.start()
        wait_blocked(conn, 1)
        time.sleep(0.05)
        conn.do("CLIENT", "UNPAUSE")
        writer.join(10)
        assert not writer.is_alive()
        assert ctl.read(100) == b"OK\n"
        assert conn.do("GET", "name") == b"x"


def test_client_kill_takes_ctl_files_and_leaves_the_mount(mounted):
    server, mnt = mounted
    with server.conn() as conn, open(mnt / "ctl", "r+b", buffering=0) as ctl:
        ctl.write(b"PING\n")

        def listed():
            return {f["name"]: f["id"] for f in (dict(w.split("=", 1) for w in line.split(" ")) for line in conn.do("CLIENT", "LIST").decode().splitlines())}

        ids = listed()
        assert conn.do("CLIENT", "KILL", "ID", ids["mount"]) == 0
        assert conn.do("CLIENT", "KILL", "ID", ids["ctl"]) == 1
        with pytest.raises(OSError):
            ctl.write(b"PING\n")
        assert conn.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") == 0
        assert set(listed()) == {"mount", ""}
        (mnt / "string" / "name").write_text("still here\n")
        assert conn.do("GET", "name") == b"still here"


def test_a_mount_that_goes_while_its_writers_wait_answers_them(mounted):
    server, mnt = mounted
    failed = []

    def write():
        try:
            (mnt / "string" / "name").write_text("never\n")
        except OSError as e:
            failed.append(e)

    with server.conn() as conn:
        conn.do("CLIENT", "PAUSE", 100000, "WRITE")
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.2)
        server.stop()
        writer.join(10)
        assert not writer.is_alive() and failed
