"""Disks that fail, directories that may not be written, clocks that step: writes are refused, reads go on, and it recovers by itself."""
import errno
import glob
import mmap
import os
import shutil
import struct
import subprocess
import time

import pytest

import servers
from test_aof import increment, info, log_of, refuses_to_start
from test_rdb import digest, kill, wait_for

SYNC_ERROR, WRITE_ERROR, WRITE_MOST, CLOCK_MS, SYNC_MS, COUNT, FIRST, MANY, ERROR = range(9)


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("faults") / "faults.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", path, f"{servers.ROOT}/tests/fault/faults.c"], check=True)
    return path


class Faults:
    def __init__(self, path):
        with open(path, "wb") as f:
            f.write(bytes(128))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 128)

    def __setitem__(self, which, value):
        struct.pack_into("q", self.map, which * 8, value)

    def __getitem__(self, which):
        return struct.unpack_from("q", self.map, which * 8)[0]


@pytest.fixture
def faults(preload, tmp_path, monkeypatch):
    """Servers that are started from now on have the disk and the clock of this object."""
    path = str(tmp_path / "faults")
    f = Faults(path)
    monkeypatch.setenv("FAULTS", path)
    monkeypatch.setenv("LD_PRELOAD", preload)
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    return f


@pytest.fixture
def folder(tmp_path):
    os.mkdir(tmp_path / "d")
    return tmp_path / "d"


def refused(s, *words):
    with s.conn() as c:
        return c.call(*words).error or ""


@pytest.mark.parametrize("policy", ("always", "everysec", "no"))
@pytest.mark.parametrize("what", (errno.EIO, errno.ENOSPC))
def test_a_log_that_cannot_be_written_refuses_writes_until_it_can(start, faults, folder, policy, what):
    s = start("--appendonly", "yes", "--appendfsync", policy, folder=folder)
    with s.conn() as c:
        c.do("SET", "before", 1)
        faults[WRITE_ERROR] = what
        c.send("SET", "during", 1)  # with always the answer waits for the disk, as that of any write before the failure is known
        wait_for(lambda: refused(s, "PING").startswith("MISCONF"))
        assert refused(s, "SET", "x", 1).startswith(f"MISCONF Errors writing to the AOF file: {os.strerror(what)}")
        with s.conn() as other:
            assert other.do("GET", "before") == b"1"
            other.do("MULTI")
            assert other.call("SET", "x", 1).error or other.call("EXEC").error
        faults[WRITE_ERROR] = 0
        assert c.read().error is None
        wait_for(lambda: not refused(s, "SET", "after", 1))
    wait_for(lambda: info(s, "aof_buffer_length") == "0")
    kill(s)
    s.start()
    with s.conn() as c:
        assert c.do("MGET", "before", "during", "after") == [b"1"] * 3


@pytest.mark.parametrize("policy", ("always", "everysec"))
def test_a_sync_that_fails_is_no_promise(start, faults, folder, policy):
    s = start("--appendonly", "yes", "--appendfsync", policy, folder=folder)
    with s.conn() as c:
        c.do("SET", "before", 1)
        faults[SYNC_ERROR] = errno.EIO
        if policy == "always":
            c.send("SET", "during", 1)  # its answer waits for the disk
            wait_for(lambda: "MISCONF" in refused(s, "PING"))
        else:
            wait_for(lambda: "MISCONF" in refused(s, "SET", "during", 1))
        faults[SYNC_ERROR] = 0
        assert policy != "always" or c.read().error is None
        wait_for(lambda: not refused(s, "SET", "after", 1))
    assert "Fail to fsync the AOF file: Input/output error" in log_of(s)
    assert "AOF write error looks solved, Redis can write again." in log_of(s)
    if policy == "everysec":  # pages of what was synced together may be lost for good: only a new base is sure
        wait_for(lambda: info(s, "aof_rewrites") == "1" and info(s, "aof_rewrite_in_progress") == "0")
        assert info(s, "aof_last_bgrewrite_status") == "ok"
    wait_for(lambda: info(s, "aof_buffer_length") == "0")
    want = digest(s)
    kill(s)
    s.start()
    assert digest(s) == want


def test_short_writes_lose_nothing(start, faults, folder):
    faults[WRITE_MOST] = 100
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=folder)
    with s.conn() as c:
        for i in range(20):
            c.do("SET", f"k{i}", "v" * 1000)
        c.do("BGREWRITEAOF")
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        assert info(s, "aof_last_bgrewrite_status") == "ok"
        assert c.do("SAVE") == b"OK"
        c.do("SET", "last", 1)
    want = digest(s)
    kill(s)
    s.start()
    assert digest(s) == want
    assert subprocess.run([servers.inodis_binary(), "--check-rdb", folder / "dump.rdb"], capture_output=True).returncode == 0


@pytest.mark.parametrize("fault", (WRITE_ERROR, SYNC_ERROR))
def test_a_save_that_fails_leaves_the_old_file_and_refuses_writes(start, faults, folder, fault):
    s = start("--save", "3600 1000000", folder=folder)
    with s.conn() as c:
        c.do("SET", "a", 1)
        assert c.do("SAVE") == b"OK"
        whole = open(folder / "dump.rdb", "rb").read()
        c.do("SET", "b", 1)
        faults[fault] = errno.ENOSPC
        assert c.call("SAVE").error
        c.do("BGSAVE")
        wait_for(lambda: info(s, "rdb_last_bgsave_status") == "err")
        assert open(folder / "dump.rdb", "rb").read() == whole
        assert c.call("SET", "c", 1).error.startswith("MISCONF Redis is configured to save RDB snapshots")
        assert c.do("GET", "b") == b"1"
        faults[fault] = 0
        c.do("BGSAVE")
        wait_for(lambda: info(s, "rdb_last_bgsave_status") == "ok")
        assert c.do("SET", "c", 1) == b"OK"
    assert sorted(os.listdir(folder))[:1] == ["dump.rdb"] and not glob.glob(f"{folder}/temp-*")


@pytest.mark.parametrize("fault", (WRITE_ERROR, SYNC_ERROR))
@pytest.mark.parametrize("appendonly", ("yes", "no"))
def test_a_rewrite_that_fails_leaves_the_old_files(start, faults, folder, appendonly, fault):
    s = start("--appendonly", appendonly, "--appendfsync", "no", folder=folder)
    with s.conn() as c:
        c.do("SET", "a", "x" * 10000)
        if appendonly == "no":
            c.do("BGREWRITEAOF")
            wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        before = sorted(os.listdir(folder / "appendonlydir"))
        faults[fault] = errno.EIO
        c.call("BGREWRITEAOF")
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0" and info(s, "aof_last_bgrewrite_status") == "err")
        faults[fault] = 0
        assert set(before) <= set(os.listdir(folder / "appendonlydir"))
        assert not glob.glob(f"{folder}/appendonlydir/temp-*")
        wait_for(lambda: not refused(s, "SET", "b", 1))
        c.call("BGREWRITEAOF")  # what syncs may have lost is made good by one that began by itself
        wait_for(lambda: info(s, "aof_last_bgrewrite_status") == "ok")
        want = digest(s)
    wait_for(lambda: info(s, "aof_buffer_length") in (None, "0"))
    kill(s)
    if appendonly == "no":
        s.cmd += ["--appendonly", "yes"]
    s.start()
    assert digest(s) == want


def increments(folder):
    """As the manifest names them."""
    with open(folder / "appendonlydir" / "appendonly.aof.manifest") as f:
        return sum(line.split()[5] == "i" for line in f)


@pytest.mark.parametrize("policy", ("always", "everysec", "no"))
def test_while_the_disk_is_slow_to_begin_a_rewrite_reads_go_on_and_no_write_is_acknowledged(start, faults, folder, policy):
    s = start("--appendonly", "yes", "--appendfsync", policy, "--rdb-key-save-delay", "1000000", folder=folder)
    with s.conn() as c, s.conn() as other:
        c.do("SET", "a", 1)
        wait_for(lambda: info(s, "aof_pending_bio_fsync") == "0")
        c.do("SET", "a", 2)
        faults[SYNC_MS] = 1500
        assert not c.send("SET", "b", 1)
        assert other.do("BGREWRITEAOF") == b"Background append only file rewriting started"
        other.send("SET", "c", 1)
        with s.conn() as reader:
            assert reader.do("GET", "b") == b"1" and reader.do("GET", "c") == b"1"
            assert increments(folder) == 1, "nothing of the disk was waited for"
        faults[SYNC_MS] = 0
        assert other.read().plain() == b"OK"
        assert increments(folder) == 2, "what was acknowledged is in a file that is named"
        assert c.read().plain() == b"OK"
        assert info(s, "aof_rewrite_in_progress") == "1"
        want = digest(s)
    kill(s)
    s.start()
    assert digest(s) == want


@pytest.mark.parametrize("policy", ("always", "everysec", "no"))
@pytest.mark.parametrize("end", ("kill", "stop", "off"))
def test_what_ends_in_the_middle_of_a_rotation_is_whole(start, faults, folder, policy, end):
    s = start("--appendonly", "yes", "--appendfsync", policy, folder=folder)
    with s.conn() as c, s.conn() as other:
        c.do("SET", "a", 1)
        wait_for(lambda: info(s, "aof_pending_bio_fsync") == "0")
        faults[SYNC_MS] = 700
        c.do("RPUSH", "list", 1)
        c.do("BGREWRITEAOF")
        other.send("RPUSH", "list", 2)
        with s.conn() as reader:
            wait_for(lambda: reader.do("LLEN", "list") == 2)
        if end == "off":
            assert c.do("CONFIG", "SET", "appendonly", "no") == b"OK"
            assert other.read().plain() == 2
    if end == "stop":
        s.stop()
    else:
        kill(s)
    faults[SYNC_MS] = 0
    s.start()
    with s.conn() as c:
        assert c.do("LRANGE", "list", 0, -1) in ([[b"1"], [b"1", b"2"]] if end == "kill" else [[b"1", b"2"]])
        c.do("BGREWRITEAOF")
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
    assert len(os.listdir(folder / "appendonlydir")) == 3


def test_a_directory_that_is_gone_is_an_error_and_the_log_goes_on(start, folder):
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=folder)
    with s.conn() as c:
        c.do("SET", "a", 1)
        os.rename(folder / "appendonlydir", folder / "moved")
        c.do("SET", "b", 1)
        c.do("BGREWRITEAOF")
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        assert info(s, "aof_last_bgrewrite_status") == "ok"
        c.do("SET", "c", 1)
    want = digest(s)
    kill(s)
    os.rename(folder / "moved", folder / "appendonlydir")
    s.start()
    assert digest(s) == want


def test_a_manifest_that_is_gone_starts_anew_and_files_that_are_gone_do_not(start, folder):
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=folder)
    with s.conn() as c:
        c.do("SET", "a", 1)
    s.stop()
    shutil.copytree(folder / "appendonlydir", folder / "copy")
    os.unlink(increment(folder))
    assert refuses_to_start(s)
    assert "Unable to obtain the AOF file" in log_of(s) and "No such file or directory" in log_of(s)
    shutil.rmtree(folder / "appendonlydir")
    shutil.copytree(folder / "copy", folder / "appendonlydir")
    os.unlink(glob.glob(f"{folder}/appendonlydir/*.manifest")[0])
    s.start()  # as Redis: what no manifest names is not there
    with s.conn() as c:
        assert c.do("DBSIZE") == 0


def test_clock_steps_expire_what_is_due_and_nothing_else(start, faults, folder):
    s = start("--appendonly", "yes", "--appendfsync", "everysec", "--save", "1 1", "--hz", "50", folder=folder)
    with s.conn() as c:
        c.do("SET", "hour", 1, "EX", 3600)
        c.do("SET", "day", 1, "EX", 86400)
        c.do("SET", "for-ever", 1)
        faults[CLOCK_MS] = 2 * 3600 * 1000
        wait_for(lambda: c.do("EXISTS", "hour") == 0)
        assert 0 < c.do("TTL", "day") <= 86400 - 7200
        faults[CLOCK_MS] = -10 * 86400 * 1000
        wait_for(lambda: c.do("TTL", "day") > 10 * 86400)
        assert c.do("SET", "back", 1, "EX", 100) == b"OK"
        assert 99 <= c.do("TTL", "back") <= 100
        # What counts time goes on: the log is synced and saves begin, whatever the time of the day.
        c.do("BGREWRITEAOF")
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        wait_for(lambda: info(s, "aof_buffer_length") == "0" and info(s, "aof_pending_bio_fsync") == "0")
        begin = time.monotonic()
        assert c.do("BLPOP", "nothing", "0.2") is None
        assert 0.1 < time.monotonic() - begin < 5
        faults[CLOCK_MS] = 0
        wait_for(lambda: c.do("TTL", "day") <= 86400)
        assert c.do("EXISTS", "for-ever") == 1
        c.do("SET", "saved", 1)
        wait_for(lambda: int(info(s, "rdb_saves")) > 0)
    want = digest(s)
    kill(s)
    s.start()
    assert digest(s) == want


def test_clients_that_come_back_together_share_a_sync(start, faults):
    s = start("--appendonly", "yes", "--appendfsync", "always")
    faults[SYNC_MS] = 10
    conns = [s.conn() for _ in range(20)]
    fewest = 30 * 4
    for _ in range(5):  # where the machine has no time for us they do not come together
        faults[COUNT] = 0
        for _ in range(30):
            for c in conns:
                c.send("INCR", "n")
            for c in conns:
                c.read()
        fewest = min(fewest, faults[COUNT])
        if fewest < 80:
            break
    # Each batch is a write and a sync: of the first of them alone and of the rest it would be four a round.
    assert fewest < 100
    faults[SYNC_MS] = 0
    assert int(conns[0].do("GET", "n")) % 600 == 0
    for c in conns:
        c.close()
