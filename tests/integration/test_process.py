"""What the configuration says of the process: its title, its OOM score, its locale, its greeting; what the log says at its end."""
import os
import re
import signal
import time

import pytest

import servers


def cmdline(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read().rstrip(b"\0").decode().split(" ")


def oom_score(pid):
    with open(f"/proc/{pid}/oom_score_adj") as f:
        return int(f.read())


def child_of(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            children = f.read().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError("no child")


def wait_until(ready):
    end = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_title_follows_its_template(start):
    s = start(conf=["save 3600 1"])
    assert cmdline(s.pid) == [servers.inodis_binary(), f"*:{s.port}"]
    with s.conn() as c:
        c.do("CONFIG", "SET", "proc-title-template", "TEST {title} {listen-addr} {port} {tls-port} {unixsocket} {config-file} {server-mode}")
        title = cmdline(s.pid)
        assert title[0] == "TEST" and title[2:5] == [f"*:{s.port}", str(s.port), "0"] and title[-1] == s.conf
        assert c.call("CONFIG", "SET", "proc-title-template", "{nosuch}").error
        c.do("SET", "k", "v")
        c.do("CONFIG", "SET", "rdb-key-save-delay", 500000)
        c.do("BGSAVE")
        wait_until(lambda: cmdline(child_of(s.pid))[1] == "redis-rdb-bgsave")


def test_the_title_may_be_left_alone(start):
    s = start("--set-proc-title", "no")
    assert "--port" in " ".join(cmdline(s.pid)).replace("\0", " ")


def test_the_kernel_is_told_whom_to_kill_first(start):
    s = start("--save", "3600 1")
    base = oom_score(s.pid)
    with s.conn() as c:
        c.do("CONFIG", "SET", "oom-score-adj-values", "10 20 30")
        assert oom_score(s.pid) == base
        c.do("CONFIG", "SET", "oom-score-adj", "yes")
        assert oom_score(s.pid) == base + 10
        c.do("CONFIG", "SET", "oom-score-adj-values", "15 20 30")
        assert oom_score(s.pid) == base + 15
        c.do("SET", "k", "v")
        c.do("CONFIG", "SET", "rdb-key-save-delay", 500000)
        c.do("BGSAVE")
        child = child_of(s.pid)
        wait_until(lambda: oom_score(child) == base + 30)
        c.do("CONFIG", "SET", "oom-score-adj", "no")
        assert oom_score(s.pid) == base
        assert "must be between -2000 and 2000" in c.call("CONFIG", "SET", "oom-score-adj-values", "1 2 3000").error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do all of it")
def test_what_the_kernel_refuses_is_taken_back(conn):
    conn.do("CONFIG", "SET", "oom-score-adj-values", "-1000 -1000 -1000")
    assert "Failed to apply new oom_score_adj configuration" in conn.call("CONFIG", "SET", "oom-score-adj", "absolute").error
    assert conn.do("CONFIG", "GET", "oom-score-adj") == [b"oom-score-adj", b"no"]


def test_a_locale_that_is_not_there_is_refused(conn):
    assert conn.call("CONFIG", "SET", "locale-collate", "nosuch").error.endswith("Invalid locale name")
    assert conn.do("CONFIG", "SET", "locale-collate", "C") == b"OK"


def test_processors_can_be_chosen(start):
    s = start("--server_cpulist", "0")
    assert os.sched_getaffinity(s.pid) == {0}
    assert "cannot run on processors x" in start("--server_cpulist", "x").log()


def test_harnesses_find_the_process_in_its_greeting(start):
    s = start("--always-show-logo", "yes", "--loglevel", "verbose")
    assert re.search(rf" PID: {s.pid}.*Server initialized.*Ready to accept connections", s.log(), re.S)
    with s.conn() as c:
        c.do("PING")
    wait_until(lambda: re.search(r"Accepted 127.0.0.1:\d+", s.log()) and "Client closed connection id=" in s.log())
    other = start()
    assert f"Running mode=standalone, port={other.port}." in other.log()


def test_the_end_is_logged(start):
    s = start("--save", "3600 1")
    with s.conn() as c:
        c.do("SET", "k", "v")
    s.stop(signal.SIGTERM)
    lines = ["Received SIGTERM scheduling shutdown...", "User requested shutdown...", "Saving the final RDB snapshot before exiting.",
             "DB saved on disk", "Redis is now ready to exit, bye bye..."]
    at = [s.log().index(line) for line in lines]
    assert at == sorted(at)


def test_what_config_get_shows_can_be_set_again(pair):
    refused = []
    for s in pair:
        with s.conn() as c:
            values = c.do("CONFIG", "GET", "*")
            refused.append({k for k, v in zip(values[::2], values[1::2]) if c.call("CONFIG", "SET", k, v).error})
    assert refused[0] <= refused[1]


def test_shutdown_cannot_both_save_and_not(conn):
    assert conn.do("CONFIG", "SET", "shutdown-on-sigterm", "nosave force") == b"OK"
    assert "can't be used simultaneously" in conn.call("CONFIG", "SET", "shutdown-on-sigterm", "save nosave").error
    assert conn.do("CONFIG", "GET", "shutdown-on-sigterm") == [b"shutdown-on-sigterm", b"nosave force"]


def test_the_loop_s_figures_grow(conn):
    def figures():
        text = conn.do("INFO", "stats").decode()
        return {n: float(re.search(rf"\r\n{n}:([\d.]+)\r\n", text)[1]) for n in (
            "eventloop_cycles", "eventloop_duration_sum", "eventloop_duration_cmd_sum", "instantaneous_eventloop_cycles_per_sec", "instantaneous_eventloop_duration_usec")}

    before = figures()
    time.sleep(0.3)
    conn.do("DEBUG", "SLEEP", 0.01)
    after = figures()
    assert before["eventloop_cycles"] < after["eventloop_cycles"] < before["eventloop_cycles"] + 100
    assert 10000 <= after["eventloop_duration_sum"] - before["eventloop_duration_sum"] < 300000
    assert 10000 <= after["eventloop_duration_cmd_sum"] - before["eventloop_duration_cmd_sum"] < 300000
    wait_until(lambda: figures()["instantaneous_eventloop_cycles_per_sec"] > 0 and figures()["instantaneous_eventloop_duration_usec"] > 0)


def test_a_child_gives_way_to_everybody(start):
    s = start("--rdb-key-save-delay", "500000")
    with s.conn() as c:
        c.do("SET", "k", "v")
        c.do("BGSAVE")
        child = child_of(s.pid)
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, child) >= 10)
        assert os.getpriority(os.PRIO_PROCESS, s.pid) == os.getpriority(os.PRIO_PROCESS, 0)
        c.do("CONFIG", "SET", "rdb-key-save-delay", 0)
