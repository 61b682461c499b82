"""Configuration: redis.conf, include, the command line, CONFIG GET, SET, REWRITE."""
import signal

import pytest


def get(conn, name):
    values = conn.do("CONFIG", "GET", name)
    return values[1].decode() if values else None


def test_a_file_is_read(start, tmp_path):
    other = tmp_path / "more.conf"
    other.write_text("timeout 17\nhz 25\n")
    s = start(conf=["# comment", "", "maxmemory 100mb", "  maxmemory-policy   allkeys-lru", f"include {other}", 'requirepass "with \\"quotes\\" \\x41"',
                    "client-output-buffer-limit normal 1mb 512kb 30", "hash-max-ziplist-entries 33"])
    with s.conn() as c:
        assert c.do("AUTH", 'with "quotes" A') == b"OK"
        assert get(c, "maxmemory") == str(100 << 20)
        assert get(c, "maxmemory-policy") == "allkeys-lru"
        assert get(c, "timeout") == "17"
        assert get(c, "hz") == "25"
        assert get(c, "hash-max-listpack-entries") == "33"
        assert get(c, "client-output-buffer-limit").startswith("normal 1048576 524288 30 ")
        assert s.info(c)["config_file"] == s.conf


def test_the_command_line_wins_over_the_file(start):
    s = start("--timeout", "5", "--maxmemory-policy", "volatile-lfu", conf=["timeout 3", "hz 20"])
    with s.conn() as c:
        assert get(c, "timeout") == "5"
        assert get(c, "hz") == "20"
        assert get(c, "maxmemory-policy") == "volatile-lfu"


def test_include_takes_patterns_and_later_lines_win(start, tmp_path):
    (tmp_path / "a-1.conf").write_text("timeout 1\n")
    (tmp_path / "a-2.conf").write_text("timeout 2\n")
    s = start(conf=["timeout 9", f"include {tmp_path}/a-*.conf"])
    with s.conn() as c:
        assert get(c, "timeout") == "2"


@pytest.mark.parametrize("line, why", [
    ("nosuchdirective yes", "Bad directive or wrong number of arguments"),
    ("timeout abc", "argument couldn't be parsed into an integer"),
    ("timeout 1 2", "wrong number of arguments"),
    ("appendonly maybe", "argument must be 'yes' or 'no'"),
    ("maxmemory-policy sometimes", "argument(s) must be one of the following:"),
    ("hz", "wrong number of arguments"),
    ('requirepass "unbalanced', "Unbalanced quotes in configuration line"),
    ("include /nonexistent/file.conf", "Fatal error, can't open config file"),
    ("port 70000", "argument must be between"),
])
def test_a_bad_line_is_fatal_and_shown(start, line, why):
    s = start(conf=["timeout 3", line], wait=False)
    assert s.proc.wait(20) == 1
    log = s.log()
    if not line.startswith("include"):
        assert "*** FATAL CONFIG FILE ERROR (" in log
        assert "Reading the configuration file, at line 2" in log
        assert f">>> '{line}'" in log
    assert why in log
    s.proc.returncode = 0


def test_a_bad_option_is_fatal(start):
    s = start("--nosuch", "1", wait=False)
    assert s.proc.wait(20) == 1
    assert "FATAL CONFIG FILE ERROR" in s.log()
    s.proc.returncode = 0


def test_config_set_is_all_or_nothing(server, conn):
    reply = conn.call("CONFIG", "SET", "timeout", "11", "hz", "x")
    assert reply.error.startswith("ERR CONFIG SET failed (possibly related to argument 'hz')")
    assert get(conn, "timeout") == "0"
    assert conn.do("CONFIG", "SET", "timeout", "11", "hz", "30") == b"OK"
    assert (get(conn, "timeout"), get(conn, "hz")) == ("11", "30")


def test_memory_units_are_understood(conn):
    for text, value in (("1k", 1000), ("1kb", 1024), ("2mb", 2 << 20), ("1gb", 1 << 30), ("3G", 3 * 10**9), ("123", 123), ("5b", 5)):
        assert conn.do("CONFIG", "SET", "maxmemory", text) == b"OK"
        assert get(conn, "maxmemory") == str(value)


def test_what_cannot_change_says_so(conn):
    assert "can't set immutable config" in conn.call("CONFIG", "SET", "databases", "4").error
    assert conn.call("CONFIG", "SET", "nosuch", "4").error.startswith("ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'")


def test_rewrite_keeps_comments_and_survives_a_restart(start):
    s = start(conf=["# first comment", "timeout 3", "", "# second", "hz 20"])
    with s.conn() as c:
        c.do("CONFIG", "SET", "timeout", "44", "maxmemory", "50mb", "maxmemory-policy", "allkeys-random", "requirepass", "a b\"c")
        assert c.do("CONFIG", "REWRITE") == b"OK"
    with open(s.conf) as f:
        text = f.read()
    assert "# first comment" in text and "# second" in text
    assert "timeout 44" in text and "hz 20" in text
    s.stop()
    s.start(wait=True)
    with s.conn() as c:
        assert c.do("AUTH", 'a b"c') == b"OK"
        assert get(c, "timeout") == "44"
        assert get(c, "maxmemory") == str(50 << 20)
        assert get(c, "maxmemory-policy") == "allkeys-random"


def test_rewrite_without_a_file_is_refused(conn):
    assert conn.call("CONFIG", "REWRITE").error == "ERR The server is running without a config file"


def test_every_directive_can_be_read_and_set_to_what_it_is(conn):
    """CONFIG GET * names each directive once, and its own value is accepted back where it may change."""
    flat = conn.do("CONFIG", "GET", "*")
    names = flat[::2]
    assert len(names) == len(set(names)) > 50
    for name, value in zip(names, flat[1::2]):
        if name in (b"bind", b"port", b"unixsocket", b"dir"):
            continue
        error = conn.call("CONFIG", "SET", name, value).error
        assert error is None or "immutable" in error or "protected config" in error or "no-such" in error or "can't" in error, (name, value, error)


def test_defaults_are_those_of_redis(pair):
    mine, theirs = ({k: v for k, v in zip(flat[::2], flat[1::2])} for flat in (_all(s) for s in pair))
    own = {b"port", b"dir", b"pidfile", b"logfile", b"save", b"maxclients", b"enable-debug-command", b"oom-score-adj-values"}
    newer = {b"latency-tracking-info-percentiles"}
    different = {k: (mine[k], theirs[k]) for k in mine if k in theirs and mine[k] != theirs[k] and k not in own | newer}
    assert not different


def _all(server):
    with server.conn() as c:
        return c.do("CONFIG", "GET", "*")


def test_resetstat_zeroes_the_counters(server, conn):
    for _ in range(10):
        conn.call("GET", "a")
        conn.call("NOSUCH")
    assert int(server.info(conn)["total_error_replies"]) >= 10
    assert conn.do("CONFIG", "RESETSTAT") == b"OK"
    info = server.info(conn)
    assert int(info["total_error_replies"]) == 0
    assert int(info["total_commands_processed"]) <= 2
    assert "cmdstat_get" not in info


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(start, sig):
    s = start()
    assert s.stop(sig) == 0
    log = s.log()
    assert "Ready to accept connections" in log and "Server initialized" in log
    assert "scheduling shutdown" in log and "bye bye" in log


def test_shutdown_ends_it(start):
    for words in (["SHUTDOWN"], ["SHUTDOWN", "NOSAVE"], ["shutdown", "nosave", "now", "force"]):
        s = start()
        with s.conn() as c:
            c.send(*words)
            assert c.closed_by_server(10)
        assert s.proc.wait(20) == 0


def test_the_log_goes_to_a_file(start, tmp_path):
    path = tmp_path / "server.log"
    s = start("--logfile", path, "--loglevel", "verbose")
    text = path.read_text()
    assert "Ready to accept connections" in text
    assert f"{s.pid}:M " in text


def test_daemonize_writes_a_pidfile(start, tmp_path):
    import os
    import time
    pidfile = tmp_path / "d.pid"
    s = start("--daemonize", "yes", "--pidfile", pidfile, "--logfile", tmp_path / "d.log", wait=False)
    assert s.proc.wait(20) == 0
    end = time.monotonic() + 20
    pid = None
    while time.monotonic() < end:
        try:
            with s.conn() as c:
                assert c.do("PING") == b"PONG"
            pid = int(pidfile.read_text())
            break
        except (OSError, ValueError):
            time.sleep(0.05)
    assert pid and pid != s.pid
    os.kill(pid, signal.SIGTERM)
    while time.monotonic() < end and pidfile.exists():
        time.sleep(0.05)
    assert not pidfile.exists()


def test_commands_are_renamed_or_taken_away(start):
    s = start(conf=['rename-command FLUSHALL ""', "rename-command set put", "rename-command config my-config", "rename-command my-config CFG"])
    with s.conn() as c:
        assert c.call("FLUSHALL").error == "ERR unknown command 'FLUSHALL', with args beginning with: "
        assert c.call("set", "a", "b").error == "ERR unknown command 'set', with args beginning with: 'a' 'b' "
        assert c.do("Put", "a", "b") == b"OK" and c.do("GET", "a") == b"b"
        assert c.call("put", "a").error == "ERR wrong number of arguments for 'set' command"
        assert c.call("my-config", "get", "hz").error.startswith("ERR unknown command")
        assert c.do("cfg", "get", "hz") == [b"hz", b"10"]
        assert c.call("cfg", "nosuch").error == "ERR unknown subcommand 'nosuch'. Try CFG HELP."
        assert c.do("cfg", "help")[0].startswith(b"CFG <subcommand>")
        # They are documented, counted and permitted by their own names.
        assert c.do("COMMAND", "INFO", "put")[0][0] == b"set" and c.do("COMMAND", "INFO", "set", "flushall") == [None, None]
        names = c.do("COMMAND", "LIST")
        assert b"set" in names and b"put" not in names and b"flushall" not in names
        assert c.do("COMMAND", "COUNT") == len([n for n in names if b"|" not in n]) == len(c.do("COMMAND"))
        assert c.do("ACL", "SETUSER", "x", "+set", "-flushall") == b"OK"
        assert c.call("ACL", "SETUSER", "x", "+put").error.endswith("Unknown command or category name in ACL")
        assert "cmdstat_set:calls=1," in c.do("INFO", "commandstats").decode()
        # Scripts call them as clients do.
        assert c.do("EVAL", "return redis.call('put', 'b', '1')", 0) == b"OK"
        assert "Unknown Redis command" in c.call("EVAL", "return redis.call('set', 'b', '1')", 0).error


def test_the_log_has_renamed_commands_by_their_own_names(start, tmp_path):
    s = start("--appendonly", "yes", "--rename-command", "set", "put", "--rename-command", "xgroup", "xg", "--save", "", folder=tmp_path)
    with s.conn() as c:
        assert c.do("put", "a", "1") == b"OK" and c.do("XG", "CREATE", "x", "g", "$", "MKSTREAM") == b"OK"
    s.stop()
    other = start("--appendonly", "yes", "--rename-command", "xgroup", "", folder=tmp_path)
    with other.conn() as c:
        assert c.do("GET", "a") == b"1" and c.do("EXISTS", "x") == 1


def test_a_tiny_maxmemory_is_asked_about(start):
    assert "less than 1MB (current value is 1000 bytes). Are you sure" in start("--maxmemory", "1000").log()
