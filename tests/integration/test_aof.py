"""The append-only log: nothing acknowledged is lost, files go both ways with redis-server, damage is found, disks fill up."""
import glob
import os
import random
import resource
import signal
import threading
import time

import pytest

import servers
from resp import Closed
from test_rdb import digest, fill, kill, wait_for

POLICIES = ("always", "everysec", "no")


@pytest.fixture
def redis(tmp_path):
    if not servers.redis_binary(str(tmp_path)):
        pytest.skip("no redis-server here")


def info(s, name):
    with s.conn() as c:
        for line in c.do("INFO", "persistence").decode().split("\r\n"):
            if line.startswith(name + ":"):
                return line.split(":", 1)[1]
    return None


def kill_when_written(s):
    """With everysec a batch may wait for the sync of the one before."""
    wait_for(lambda: info(s, "aof_buffer_length") == "0")
    kill(s)


def increment(folder):
    """The file that is written to."""
    with open(glob.glob(f"{folder}/appendonlydir/*.manifest")[0]) as f:
        names = [line.split()[1] for line in f if line.split()[5] == "i"]
    return f"{folder}/appendonlydir/{names[-1]}"


def log_of(s):
    with open(s.output, "rb") as f:
        return f.read().decode(errors="replace")


def refuses_to_start(s):
    """Start it again; it must end by itself with an error."""
    s.start(wait=False)
    code = s.proc.wait(timeout=30)
    s.proc.returncode = 0
    return code == 1


@pytest.mark.parametrize("policy", POLICIES)
def test_everything_is_there_after_a_kill(start, tmp_path, policy):
    s = start("--appendonly", "yes", "--appendfsync", policy, folder=tmp_path)
    with s.conn() as c:
        fill(c)
        c.do("MULTI")
        c.do("SELECT", 2)
        c.do("SET", "a", 1)
        c.do("INCR", "a")
        assert c.do("EXEC") == [b"OK", b"OK", 2]
    before = digest(s)
    kill_when_written(s)
    s.start()
    assert digest(s) == before


@pytest.mark.parametrize("preamble", ("yes", "no"))
def test_redis_loads_ours_and_we_load_theirs(start, tmp_path, redis, preamble):
    words = ("--appendonly", "yes", "--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes")
    mine = start(*words, folder=tmp_path)
    with mine.conn() as c:
        fill(c)
    want = digest(mine)
    mine.stop()
    theirs = start(*words, kind="redis", folder=tmp_path)
    assert digest(theirs) == want
    with theirs.conn() as c:
        c.do("BGREWRITEAOF")
        wait_for(lambda: info(theirs, "aof_rewrite_in_progress") == "0")
        c.do("SET", "more", "yes")
        c.do("HSET", "h5", "new", "field")
    want = digest(theirs)
    theirs.stop()
    mine.start()
    assert digest(mine) == want


def test_an_old_single_file_is_taken_over(start, tmp_path):
    with open(tmp_path / "appendonly.aof", "wb") as f:
        f.write(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n")
    s = start("--appendonly", "yes", folder=tmp_path)
    with s.conn() as c:
        assert c.do("GET", "k") == b"v"
        c.do("SET", "l", "w")
    kill_when_written(s)
    assert not os.path.exists(tmp_path / "appendonly.aof")
    assert "Successfully migrated an old-style AOF file" in log_of(s)
    s.start()
    with s.conn() as c:
        assert c.do("MGET", "k", "l") == [b"v", b"w"]


def test_an_expiry_taken_back_before_its_time_holds(start, tmp_path):
    s = start("--appendonly", "yes", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "k", "v", "PX", 300)
        c.do("PERSIST", "k")
        c.do("SET", "gone", "v", "PX", 300)
    kill_when_written(s)
    time.sleep(0.4)
    s.start()
    with s.conn() as c:
        assert c.do("MGET", "k", "gone") == [b"v", None]


def write_until_dead(s, number, acknowledged):
    try:
        with s.conn() as c:
            i = 0
            while True:
                i += 1
                if i % 5:
                    c.do("SET", f"w{number}:{i}", i)
                else:
                    c.do("MULTI")
                    c.do("SET", f"w{number}:{i}", i)
                    c.do("SET", f"w{number}:{i}:pair", i)
                    c.do("EXEC")
                acknowledged[number] = i
    except (OSError, Closed):
        pass


def test_always_loses_nothing_that_was_acknowledged(start, tmp_path):
    rnd = random.Random(3)
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=tmp_path)
    for _ in range(5):
        acknowledged = {}
        threads = [threading.Thread(target=write_until_dead, args=(s, n, acknowledged)) for n in range(8)]
        for t in threads:
            t.start()
        time.sleep(0.1 + rnd.random() * 0.3)
        kill(s)
        for t in threads:
            t.join()
        s.start()
        with s.conn() as c:
            for number, last in acknowledged.items():
                for i in range(1, last + 1):
                    assert c.do("GET", f"w{number}:{i}") == b"%d" % i
            for key in c.do("KEYS", "*:pair"):
                assert c.do("EXISTS", key[:-5]) == 1
            assert sum(acknowledged.values()) > 0
            c.do("FLUSHALL")


def test_a_torn_end_is_cut_where_the_last_whole_command_ends(start, tmp_path):
    s = start("--appendonly", "yes", folder=tmp_path)
    with s.conn() as c:
        for i in range(20):
            c.do("SET", f"k{i}", i)
        wait_for(lambda: info(s, "aof_buffer_length") == "0")  # a busy disk makes one batch of what waits for it
        c.do("MULTI")
        c.do("SET", "a", 1)
        c.do("SET", "b", 2)
        c.do("EXEC")
    s.stop()
    path = increment(tmp_path)
    whole = open(path, "rb").read()
    begin = whole.rindex(b"*1\r\n$5\r\nMULTI")
    for size in list(range(begin + 1, whole.rindex(b"EXEC") + 6, 7)):
        with open(path, "wb") as f:
            f.write(whole[:size])
        s.start()
        with s.conn() as c:
            assert c.do("DBSIZE") == 20
            c.do("SET", "after", 1)
        s.stop()
        assert "!!! Truncating the AOF appendonly.aof.1.incr.aof at offset" in log_of(s)
        s.start()
        with s.conn() as c:
            assert c.do("DBSIZE") == 21
        s.stop()
    with open(path, "wb") as f:
        f.write(whole[: begin + 9])
    s.cmd += ["--aof-load-truncated", "no"]
    assert refuses_to_start(s)
    assert "Unexpected end of file reading the append only file" in log_of(s)
    assert os.path.getsize(path) == begin + 9
    with open(path, "wb") as f:
        f.write(whole)
    s.start()


def test_a_flipped_bit_is_never_replayed(start, tmp_path):
    rnd = random.Random(9)
    s = start("--appendonly", "yes", folder=tmp_path)
    with s.conn() as c:
        for i in range(10):
            c.do("SET", f"k{i}", "value" * i)
    want = digest(s)
    s.stop()
    path = increment(tmp_path)
    whole = open(path, "rb").read()
    end = whole.rindex(b"#CRC64")
    for _ in range(40):
        at = rnd.randrange(end)
        with open(path, "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ (1 << rnd.randrange(8))]) + whole[at + 1 :])
        assert refuses_to_start(s), at
    assert "is at offset" in log_of(s)
    with open(path, "wb") as f:
        f.write(whole)
    s.start()
    assert digest(s) == want


def test_a_damaged_manifest_refuses_to_start(start, tmp_path):
    s = start("--appendonly", "yes", folder=tmp_path)
    s.stop()
    path = glob.glob(f"{tmp_path}/appendonlydir/*.manifest")[0]
    whole = open(path).read()
    for bad in ("", "\n", "file x seq 1\n", "file a/b seq 1 type b\n", whole + whole, "file x seq 1 type q\n", "file gone seq 1 type b\n", "x" * 2000):
        with open(path, "w") as f:
            f.write(bad)
        assert refuses_to_start(s), bad
    with open(path, "w") as f:
        f.write(whole)
    s.start()


@pytest.mark.parametrize("policy", ("always", "everysec"))
def test_a_full_disk_refuses_writes_until_there_is_room(start, tmp_path, policy):
    s = start("--appendonly", "yes", "--appendfsync", policy, folder=tmp_path)
    with s.conn() as c, s.conn() as other:
        c.do("SET", "a", 1)
        wait_for(lambda: info(s, "aof_buffer_length") == "0")
        with open(increment(tmp_path), "rb") as f:
            limit = f.read().rindex(b"#CRC64") + 4000  # place may be held behind what was written
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        answer = []
        writer = threading.Thread(target=lambda: answer.append(c.do("SET", "b", "x" * 10000)))
        writer.start()
        wait_for(lambda: info(s, "aof_last_write_status") == "err")
        refused = other.call("SET", "c", 1).error
        assert "MISCONF Errors writing to the AOF file: File too large" in str(refused)
        assert other.do("GET", "a") == b"1"
        if policy == "always":
            assert not answer
        assert os.path.getsize(increment(tmp_path)) <= limit
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: info(s, "aof_last_write_status") == "ok")
        writer.join(timeout=10)
        assert answer == [b"OK"]
        assert other.do("SET", "c", 1) == b"OK"
    assert "AOF write error looks solved, Redis can write again." in log_of(s)
    kill_when_written(s)
    s.start()
    with s.conn() as c:
        assert c.do("DBSIZE") == 3


@pytest.mark.parametrize("preamble", ("yes", "no"))
def test_a_rewrite_under_writes_loses_nothing(start, tmp_path, preamble):
    s = start("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble, folder=tmp_path)
    with s.conn() as c:
        fill(c)
    acknowledged = {}
    threads = [threading.Thread(target=write_until_dead, args=(s, n, acknowledged)) for n in range(4)]
    for t in threads:
        t.start()
    for _ in range(3):
        with s.conn() as c:
            assert c.do("BGREWRITEAOF") == b"Background append only file rewriting started"
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
        assert info(s, "aof_last_bgrewrite_status") == "ok"
    with s.conn() as c:
        c.do("BGREWRITEAOF")
    kill(s)
    for t in threads:
        t.join()
    s.start()
    with s.conn() as c:
        for number, last in acknowledged.items():
            for i in range(1, last + 1):
                assert c.do("GET", f"w{number}:{i}") == b"%d" % i
        assert c.do("LLEN", "l3000") == 3000
    before = digest(s)
    with s.conn() as c:
        c.do("BGREWRITEAOF")
    wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
    assert len(os.listdir(tmp_path / "appendonlydir")) == 3
    kill(s)
    s.start()
    assert digest(s) == before


def test_a_log_that_grew_is_rewritten_by_itself(start, tmp_path):
    s = start("--appendonly", "yes", "--auto-aof-rewrite-min-size", "10kb", folder=tmp_path)
    with s.conn() as c:
        for i in range(300):
            c.do("SET", "k", "x" * 100)
    wait_for(lambda: info(s, "aof_rewrites") == "1" and info(s, "aof_rewrite_in_progress") == "0")
    assert increment(tmp_path).endswith(".2.incr.aof")
    assert len(os.listdir(tmp_path / "appendonlydir")) == 3
