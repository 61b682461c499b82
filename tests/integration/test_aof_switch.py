"""appendonly on and off while the server runs, and rewriting without a log."""
import os
import re
import resource
import threading

import pytest

import servers
from test_aof import increment, info, log_of, refuses_to_start
from test_rdb import digest, fill, kill, wait_for


def logged(s):
    """The first base is there, and nothing waits to be written."""
    wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0" and info(s, "aof_rewrite_scheduled") == "0")
    assert info(s, "aof_last_bgrewrite_status") == "ok"
    assert info(s, "aof_enabled") == "1"
    wait_for(lambda: info(s, "aof_buffer_length") == "0")


@pytest.mark.parametrize("preamble", ("yes", "no"))
def test_what_was_there_and_what_came_after_is_there_after_a_kill(start, tmp_path, preamble):
    s = start("--appendfsync", "always", "--aof-use-rdb-preamble", preamble, folder=tmp_path)
    with s.conn() as c:
        fill(c)
        assert c.do("CONFIG", "SET", "appendonly", "yes") == b"OK"
        c.do("SET", "during", 1)
        logged(s)
        c.do("SET", "after", 1)
        want = digest(s)
    assert sorted(os.listdir(tmp_path / "appendonlydir")) == [
        "appendonly.aof.1.base." + ("rdb" if preamble == "yes" else "aof"),
        "appendonly.aof.1.incr.aof",
        "appendonly.aof.manifest",
    ]
    kill(s)
    s.cmd += ["--appendonly", "yes"]
    s.start()
    assert digest(s) == want


def test_off_and_on_again_starts_from_what_is_there_then(start, tmp_path):
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "logged", 1)
        assert c.do("CONFIG", "SET", "appendonly", "no") == b"OK"
        assert info(s, "aof_enabled") == "0"
        size = os.path.getsize(increment(tmp_path))
        c.do("SET", "not-logged", 1)
        assert os.path.getsize(increment(tmp_path)) == size
        for _ in range(3):
            assert c.do("CONFIG", "SET", "appendonly", "yes") == b"OK"
            logged(s)
            c.do("INCR", "n")
            assert c.do("CONFIG", "SET", "appendonly", "no") == b"OK"
        assert c.do("CONFIG", "SET", "appendonly", "yes") == b"OK"
        logged(s)
        want = digest(s)
    assert len(os.listdir(tmp_path / "appendonlydir")) == 3
    kill(s)
    s.start()
    assert digest(s) == want


def test_switched_inside_a_transaction_it_holds_whole_units(start, tmp_path):
    s = start("--appendfsync", "always", folder=tmp_path)
    with s.conn() as c:
        for words in (["MULTI"], ["SET", "a", 1], ["SET", "b", 1], ["CONFIG", "SET", "appendonly", "yes"], ["SET", "c", 1]):
            c.do(*words)
        assert c.do("EXEC") == [b"OK"] * 4
        logged(s)
        for words in (["MULTI"], ["SET", "d", 1], ["SET", "e", 1], ["CONFIG", "SET", "appendonly", "no"], ["SET", "f", 1]):
            c.do(*words)
        assert c.do("EXEC") == [b"OK"] * 4
        assert info(s, "aof_enabled") == "0"
    kill(s)
    s.cmd += ["--appendonly", "yes"]
    s.start()
    with s.conn() as c:
        assert c.do("DBSIZE") == 5
        assert c.do("GET", "f") is None


def test_a_kill_before_the_first_base_leaves_the_old_files(start, tmp_path):
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "old", 1)
        c.do("CONFIG", "SET", "appendonly", "no")
        c.do("DEBUG", "POPULATE", 300000)
        c.do("CONFIG", "SET", "appendonly", "yes")
        c.do("SET", "new", 1)
        kill(s)
    s.start()
    with s.conn() as c:
        assert c.do("GET", "old") == b"1"
        assert c.do("DBSIZE") in (1, 300002)


def test_a_rewrite_without_a_log_writes_a_base(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        fill(c)
        want = digest(s)
        assert c.do("BGREWRITEAOF") == b"Background append only file rewriting started"
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        assert info(s, "aof_enabled") == "0"
    assert sorted(os.listdir(tmp_path / "appendonlydir")) == ["appendonly.aof.1.base.rdb", "appendonly.aof.manifest"]
    kill(s)
    s.cmd += ["--appendonly", "yes"]
    s.start()
    assert digest(s) == want


def test_what_cannot_begin_is_refused_and_stays_off(start, tmp_path):
    s = start(folder=tmp_path)
    with open(tmp_path / "appendonlydir", "w") as f:
        f.write("in the way")
    with s.conn() as c:
        error = c.call("CONFIG", "SET", "appendonly", "yes").error
        assert str(error) == "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs."
        assert c.do("CONFIG", "GET", "appendonly") == [b"appendonly", b"no"]
        assert info(s, "aof_enabled") == "0"
        assert c.do("SET", "a", 1) == b"OK"
        os.unlink(tmp_path / "appendonlydir")
        assert c.do("CONFIG", "SET", "appendonly", "yes") == b"OK"
        logged(s)


def test_no_room_for_the_base_is_tried_again(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        for i in range(100):
            c.do("SET", f"k{i}", os.urandom(1000).hex())
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (10000, resource.RLIM_INFINITY))
        c.do("CONFIG", "SET", "appendonly", "yes")
        wait_for(lambda: info(s, "aof_last_bgrewrite_status") == "err")
        assert info(s, "aof_enabled") == "1"
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        c.do("BGREWRITEAOF")
        logged(s)
        want = digest(s)
    kill(s)
    s.cmd += ["--appendonly", "yes"]
    s.start()
    assert digest(s) == want


def test_switching_under_writes_holds_what_was_acknowledged_last(start, tmp_path):
    s = start("--appendfsync", "always", folder=tmp_path)
    last = {}

    def write(number):
        with s.conn() as c:
            i = 0
            while not last.get("stop"):
                i += 1
                c.do("MULTI")
                c.do("SET", f"a{number}", i)
                c.do("SET", f"b{number}", i)
                c.do("EXEC")
                last[number] = i

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    with s.conn() as c:
        for _ in range(5):
            c.do("CONFIG", "SET", "appendonly", "yes")
            logged(s)
            c.do("CONFIG", "SET", "appendonly", "no")
        c.do("CONFIG", "SET", "appendonly", "yes")
        logged(s)
    last["stop"] = True
    for t in threads:
        t.join()
    kill(s)
    s.cmd += ["--appendonly", "yes"]
    s.start()
    with s.conn() as c:
        for number in range(3):
            assert c.do("MGET", f"a{number}", f"b{number}") == [b"%d" % last[number]] * 2


def test_in_a_transaction_the_second_rewrite_is_refused_and_both_replies_are_redis_s(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        c.do("MULTI")
        c.do("BGREWRITEAOF")
        c.do("BGREWRITEAOF")
        first, second = c.call("EXEC").plain()
        assert first == b"Background append only file rewriting started"
        assert "already in progress" in str(second)
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        c.do("MULTI")
        c.do("BGSAVE")
        c.do("BGREWRITEAOF")
        c.do("INFO", "persistence")
        saved, rewritten, figures = c.do("EXEC")
        assert saved == b"Background saving started"
        assert rewritten == b"Background append only file rewriting scheduled"
        assert b"aof_rewrite_scheduled:1" in figures and b"rdb_bgsave_in_progress:1" in figures
        wait_for(lambda: info(s, "rdb_bgsave_in_progress") == "0" and info(s, "aof_rewrites") == "2")


def told_by(s):
    """What a server logged of its files, with the numbers of processes taken out."""
    about = ("AOF", "Background", "history file", "rewrit", "RDB is base")
    lines = [line.split(" ", 6)[6] for line in log_of(s).splitlines() if line.count(" ") > 6]
    return [re.sub(r"(pid|bg-|child:|take|:) ?[0-9.]+", r"\1", line) for line in lines if any(word in line for word in about) and "CoW" not in line]


def test_harnesses_find_the_lines_that_redis_logs(start, tmp_path):
    told = []
    for kind in ("inodis", "redis"):
        if kind == "redis" and not servers.redis_binary(str(tmp_path)):
            pytest.skip("no redis-server here")
        folder = tmp_path / kind
        folder.mkdir()
        s = start("--appendonly", "yes", kind=kind, folder=folder)
        with s.conn() as c:
            c.do("SET", "a", 1)
            c.do("BGREWRITEAOF")
            wait_for(lambda: "finished successfully" in log_of(s))
            c.do("BGSAVE")
            wait_for(lambda: "Background saving terminated with success" in log_of(s))
            c.do("SET", "a", 2)
        s.stop()
        s.start()
        s.stop()
        told.append(told_by(s))
    assert told[0] == told[1]


def test_one_directory_has_one_server(start, tmp_path):
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "a", 1)
        want = digest(s)
    other = start(folder=tmp_path)
    with other.conn() as c:
        error = c.call("CONFIG", "SET", "appendonly", "yes").error
        assert "Unable to turn on AOF" in str(error)
        assert "Can't execute an AOF background rewriting" in c.call("BGREWRITEAOF").error
    assert "The append-only dir appendonlydir is in use by another server" in log_of(other)
    other.stop()
    other.cmd += ["--appendonly", "yes"]
    assert refuses_to_start(other)
    kill(s)
    s.start()
    assert digest(s) == want


def test_the_log_stays_where_it_is_when_dir_is_changed(start, tmp_path):
    s = start("--appendonly", "yes", "--appendfsync", "always", "--enable-protected-configs", "yes", folder=tmp_path)
    os.mkdir(tmp_path / "elsewhere")
    with s.conn() as c:
        c.do("CONFIG", "SET", "dir", str(tmp_path / "elsewhere"))
        c.do("SET", "a", 1)
        c.do("BGREWRITEAOF")
        logged(s)
        c.do("SET", "b", 1)
        want = digest(s)
    assert os.listdir(tmp_path / "elsewhere") == []
    kill(s)
    s.start()
    assert digest(s) == want


def test_a_child_ends_with_its_server_and_what_it_left_is_removed(start, tmp_path):
    s = start("--appendonly", "yes", "--rdb-key-save-delay", "2000", folder=tmp_path)
    with s.conn() as c:
        c.do("DEBUG", "POPULATE", 5000)
        c.do("BGREWRITEAOF")
        with open(f"/proc/{s.pid}/task/{s.pid}/children") as f:
            child = int(f.read().split()[0])
        wait_for(lambda: any(name.startswith("temp-rewriteaof-bg-") for name in os.listdir(tmp_path / "appendonlydir")))
    kill(s)
    wait_for(lambda: not os.path.exists(f"/proc/{child}") or open(f"/proc/{child}/stat").read().split()[2] == "Z")
    assert any(name.startswith("temp-") for name in os.listdir(tmp_path / "appendonlydir"))
    s.start()
    assert not any(name.startswith("temp-") for name in os.listdir(tmp_path / "appendonlydir"))
