"""A server that is told to end in the middle of something: what was acknowledged is kept, and half of nothing."""
import os
import signal
import time

import pytest

import servers
from resp import Closed, pack
from test_aof import info, log_of
from test_rdb import digest, wait_for

POLICIES = ("always", "everysec", "no")
# Writes twice, then stays for as long as it is told, then writes once more.
SLOW = "redis.call('set', KEYS[1], 1) redis.call('rpush', KEYS[2], 1) local t = tonumber(ARGV[1]) local n = 0 while n < t do n = n + 1 end redis.call('set', KEYS[3], 1) return n"
FUNCTION = "#!lua name=lib\nredis.register_function('slow', function(KEYS, ARGV) " + SLOW + " end)"
FOR_EVER = 1e18


def is_busy(s):
    with s.conn() as c:
        return (c.call("PING").error or "").startswith("BUSY")


def begin(s, how, steps=FOR_EVER):
    """A client that waits for a script, which has written and goes on."""
    c = s.conn(timeout=60)
    words = [SLOW, 3, "a", "l", "b", "%d" % steps]
    if how == "function":
        c.do("FUNCTION", "LOAD", FUNCTION)
        words[0] = "slow"
    c.send_raw(
        {
            "eval": pack(["EVAL", *words]),
            "function": pack(["FCALL", *words]) if how == "function" else b"",
            "transaction": pack(["MULTI"]) + pack(["SET", "c", "1"]) + pack(["EVAL", *words]) + pack(["SET", "d", "1"]) + pack(["EXEC"]),
            "pipeline": pack(["EVAL", *words]) + pack(["SET", "c", "1"]) + pack(["EVAL", *words]) + pack(["SET", "d", "1"]),
        }[how]
    )
    wait_for(lambda: is_busy(s))
    return c


def answers(c):
    found = []
    try:
        while True:
            found.append(c.read())
    except (OSError, Closed):
        return found


@pytest.mark.parametrize("how", ("eval", "function", "transaction", "pipeline"))
@pytest.mark.parametrize("policy", POLICIES)
def test_shutdown_nosave_in_a_writing_script_keeps_what_was_before_and_nothing_of_it(start, tmp_path, policy, how):
    s = start("--appendonly", "yes", "--appendfsync", policy, "--busy-reply-threshold", "50", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "before", 1)
    busy = begin(s, how)
    with s.conn() as admin:
        assert admin.call("SHUTDOWN").error.startswith("BUSY")
        admin.send("SHUTDOWN", "NOSAVE")
        assert s.proc.wait(20) == 0
    got = [a for a in answers(busy) if not a.error]
    busy.close()
    # MULTI's own answer is one.
    assert len([a for a in got if a.plain() == b"OK"]) <= (how == "transaction"), "acknowledged behind the script that was dropped"
    assert b"\r\nrpush\r\n" not in b"".join(open(f, "rb").read() for f in (tmp_path / "appendonlydir").iterdir() if f.name.endswith(".incr.aof"))
    s.start()
    with s.conn() as c:
        assert c.do("MGET", "before", "a", "l", "b", "c", "d") == [b"1"] + [None] * 5


@pytest.mark.parametrize("args", (["--appendonly", "yes"], ["--save", "3600 1"]))
def test_a_signal_in_a_writing_script_waits_for_its_end(start, tmp_path, args):
    s = start(*args, "--busy-reply-threshold", "50", folder=tmp_path)
    busy = begin(s, "eval", 20_000_000 if servers.sanitized() else 200_000_000)
    s.proc.send_signal(signal.SIGTERM)
    wait_for(lambda: "Received SIGTERM" in log_of(s))
    assert s.proc.wait(60) == 0
    assert not answers(busy)[0].error
    s.start()
    with s.conn() as c:
        assert c.do("MGET", "a", "b") == [b"1", b"1"]
        assert c.do("LLEN", "l") == 1


def test_a_signal_ends_a_script_that_wrote_nothing(start, tmp_path):
    s = start("--save", "3600 1", "--busy-reply-threshold", "50", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "before", 1)
    with s.conn() as c:
        c.send("EVAL", "while true do end", 0)
        wait_for(lambda: is_busy(s))
        s.proc.send_signal(signal.SIGTERM)
        assert s.proc.wait(20) == 0
    s.start()
    with s.conn() as c:
        assert c.do("GET", "before") == b"1"


def test_a_log_without_its_first_base_holds_the_end_up(start, tmp_path):
    """As in Redis: what was promised to be logged would be lost."""
    s = start(folder=tmp_path)
    with s.conn() as c:
        for i in range(20):
            c.do("SET", f"k{i}", 1)
        c.do("CONFIG", "SET", "rdb-key-save-delay", 10**8)
        c.do("CONFIG", "SET", "appendonly", "yes")
        for words in (["SHUTDOWN"], ["SHUTDOWN", "NOSAVE"], ["SHUTDOWN", "SAVE"]):
            assert c.call(*words).error == "ERR Errors trying to SHUTDOWN. Check logs."
        s.proc.send_signal(signal.SIGTERM)
        wait_for(lambda: "SIGTERM received but errors trying to shut down the server" in log_of(s))
        assert c.do("PING") == b"PONG"
        c.send("SHUTDOWN", "FORCE")
        assert s.proc.wait(20) == 0
    for line in ("Writing initial AOF, can't exit.", "Writing initial AOF. Exit anyway.", "There is a child rewriting the AOF. Killing it!", "Killing running AOF rewrite child: "):
        assert line in log_of(s)


def test_an_end_that_cannot_save_is_refused_until_it_can_or_must(start, tmp_path):
    s = start("--save", "3600 1000000", "--enable-protected-configs", "yes", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "a", 1)
        os.mkdir(tmp_path / "taken")
        (tmp_path / "taken" / "x").write_text("")
        c.do("CONFIG", "SET", "dbfilename", "taken")
        for words in (["SHUTDOWN"], ["SHUTDOWN", "SAVE"]):
            assert c.call(*words).error == "ERR Errors trying to SHUTDOWN. Check logs."
        s.proc.send_signal(signal.SIGTERM)
        wait_for(lambda: "SIGTERM received but errors trying to shut down the server" in log_of(s))
        assert c.do("GET", "a") == b"1"
        assert c.do("SET", "a", 2) == b"OK", "a save that somebody asked for stops no writes"
        c.do("CONFIG", "SET", "dbfilename", "dump.rdb")
        s.stop()
        s.start()
    with s.conn() as c:
        assert c.do("GET", "a") == b"2"
        c.do("CONFIG", "SET", "dbfilename", "taken")
        c.send("SHUTDOWN", "SAVE", "FORCE")
        assert s.proc.wait(20) == 0
    assert "Error trying to save the DB. Exit anyway." in log_of(s)


def test_ends_again_and_again_with_writers_lose_nothing(start, tmp_path):
    """With everysec too: who ends it in order finds everything that was acknowledged."""
    s = start("--appendonly", "yes", "--appendfsync", "everysec", folder=tmp_path)
    last = 0
    for _ in range(8):
        with s.conn() as c:
            end = time.monotonic() + 0.15
            while time.monotonic() < end:
                last += 1
                c.do("SET", "n", last)
                c.do("RPUSH", "l", last)
            c.do("BGREWRITEAOF")
        s.stop()
        s.start()
        with s.conn() as c:
            assert c.do("GET", "n") == b"%d" % last
            assert c.do("LLEN", "l") == last
    assert info(s, "aof_last_write_status") == "ok" and digest(s)
