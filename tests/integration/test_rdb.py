"""Snapshots: files and payloads both ways with redis-server, saves that fail, saves that are cut off, damage."""
import os
import random
import signal
import time

import pytest

import servers
from resp import pack

MISCONF = "MISCONF Redis is configured to save RDB snapshots"


@pytest.fixture
def redis(tmp_path):
    if not servers.redis_binary(str(tmp_path)):
        pytest.skip("no redis-server here")


def wait_for(what, timeout=30):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def kill(s):
    """End it without a word; its end is as it should be."""
    s.stop(signal.SIGKILL, check=False)
    s.proc.returncode = 0


def answers(s):
    try:
        s.conn().close()
        return True
    except OSError:
        return False


def word(rnd):
    return rnd.choice([str(rnd.randrange(-(10 ** rnd.randrange(1, 18)), 10**9)), "e" * rnd.randrange(100), b"\x00\xff%d" % rnd.randrange(1000)])


def fill(c, seed=5):
    """Keys of every type, in every encoding, in two databases."""
    rnd = random.Random(seed)
    for i in range(300):
        c.do("SET", f"s{i}", rnd.choice([rnd.randrange(-(2**40), 2**40), "x" * rnd.randrange(3000), rnd.randbytes(rnd.randrange(100)), rnd.randrange(-150, 150)]))
    for text in ("127", "128", "-128", "-129", "32767", "32768", "2147483647", "2147483648", "-2147483649", "0", "-0", "00", "1.5", "9223372036854775808", ""):
        c.do("SET", f"edge:{text}", text)
    c.do("SET", "blob", rnd.randbytes(1000) * 700)
    c.do("SET", b"key\x00\xff\r\n", "v")
    for n in (1, 5, 100, 600, 3000):
        c.do("RPUSH", f"l{n}", *[word(rnd) for _ in range(n)])
        c.do("SADD", f"si{n}", *[rnd.randrange(-(10 ** rnd.randrange(1, 18)), 10**9) for _ in range(n)])
        c.do("SADD", f"st{n}", *[f"m{rnd.randrange(10**6)}" for _ in range(n)])
        c.do("HSET", f"h{n}", *[x for i in range(n) for x in (f"f{i}", rnd.choice([i, "v" * (i % 60)]))])
        c.do("ZADD", f"z{n}", *[x for i in range(n) for x in (rnd.choice([i, rnd.random() * 1e6, "inf", "-inf", -i, 1e-300]), f"m{i}")])
    c.do("RPUSH", "lbig", "a", "b" * 20000, "c", "d" * 9000, "e")
    c.do("HSET", "hbig", "a", "b" * 20000)
    c.do("ZADD", "zbig", 1, "x" * 100)
    c.do("SADD", "sbig", "x" * 100)
    for i in range(50):
        c.do("PEXPIRE", f"s{i}", 10000000 + i)
    c.do("EXPIRE", "l100", 10000)
    c.do("SELECT", 3)
    c.do("SET", "other", "db")
    c.do("SELECT", 0)


def digest(s):
    with s.conn() as c:
        return c.do("DEBUG", "DIGEST")


def fill_pipelined(c, n, size=32, prefix=b"k"):
    for start in range(0, n, 1000):
        c.send_raw(b"".join(pack([b"SET", b"%s:%d" % (prefix, i), b"v" * size]) for i in range(start, min(n, start + 1000))))
        for _ in range(start, min(n, start + 1000)):
            assert not c.read().error


@pytest.mark.parametrize("compression", ["yes", "no"])
@pytest.mark.parametrize("first,second", [("redis", "inodis"), ("inodis", "redis"), ("inodis", "inodis")])
def test_a_file_goes_both_ways(redis, start, tmp_path, first, second, compression):
    one = start("--rdbcompression", compression, kind=first, folder=tmp_path)
    with one.conn() as c:
        fill(c)
        assert c.do("SAVE") == b"OK"
    before = digest(one)
    one.stop(check=first == "inodis")
    two = start(kind=second, folder=tmp_path)
    assert digest(two) == before
    with two.conn() as c:
        assert c.do("OBJECT", "ENCODING", "si5") == b"intset"
        assert c.do("OBJECT", "ENCODING", "h5") == b"listpack"
        assert 9900 < c.do("TTL", "s3") <= 10000
        assert c.do("DBSIZE") > 300


def test_reload_changes_nothing(server, conn):
    fill(conn)
    before = conn.do("DEBUG", "DIGEST")
    encodings = {k: conn.do("OBJECT", "ENCODING", k) for k in conn.do("KEYS", "*")}
    assert conn.do("DEBUG", "RELOAD") == b"OK"
    assert conn.do("DEBUG", "DIGEST") == before
    for key, encoding in encodings.items():
        if not key.startswith(b"st"):
            assert conn.do("OBJECT", "ENCODING", key) == encoding, key
    assert "duplicated" not in server.log()
    assert conn.call("DEBUG", "RELOAD", "NOFLUSH").error.startswith("ERR Error trying to load the RDB dump")
    assert conn.do("DEBUG", "RELOAD", "NOFLUSH", "MERGE") == b"OK"
    assert conn.do("DEBUG", "DIGEST") == before
    assert conn.call("DEBUG", "RELOAD", "JUNK").error == "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."


def test_dump_and_restore_both_ways(redis, pair_of):
    mine, theirs = pair_of
    with mine.conn() as a, theirs.conn() as b:
        fill(a)
        fill(b, 6)
        for source, target in ((a, b), (b, a)):
            for key in source.do("KEYS", "*"):
                payload = source.do("DUMP", key)
                assert target.do("RESTORE", b"copy:" + key, 0, payload) == b"OK"
                assert target.do("DEBUG", "DIGEST-VALUE", b"copy:" + key) == source.do("DEBUG", "DIGEST-VALUE", key) or source.do("PTTL", key) > 0
        assert a.do("DUMP", "nothing") is None


@pytest.fixture
def pair_of(start):
    return start(), start(kind="redis")


def test_restore_and_its_options(conn):
    conn.do("SET", "a", "value")
    good = conn.do("DUMP", "a")
    assert conn.call("RESTORE", "a", 0, good).error == "BUSYKEY Target key name already exists."
    assert conn.do("RESTORE", "a", 0, good, "REPLACE") == b"OK"
    assert conn.call("RESTORE", "b", -1, good).error == "ERR Invalid TTL value, must be >= 0"
    assert conn.call("RESTORE", "b", "x", good).error == "ERR value is not an integer or out of range"
    assert conn.call("RESTORE", "b", 0, good[:-1] + bytes([good[-1] ^ 1])).error == "ERR DUMP payload version or checksum are wrong"
    assert conn.call("RESTORE", "b", 0, b"").error == "ERR DUMP payload version or checksum are wrong"
    assert conn.call("RESTORE", "b", 0, good, "IDLETIME", -1).error == "ERR Invalid IDLETIME value, must be >= 0"
    assert conn.call("RESTORE", "b", 0, good, "FREQ", 256).error == "ERR Invalid FREQ value, must be >= 0 and <= 255"
    assert conn.call("RESTORE", "b", 0, good, "JUNK").error == "ERR syntax error"
    assert conn.do("RESTORE", "b", 5000, good, "IDLETIME", 100) == b"OK"
    assert conn.do("OBJECT", "IDLETIME", "b") >= 100
    assert 4000 < conn.do("PTTL", "b") <= 5000
    at = int(time.time() * 1000) + 90000
    assert conn.do("RESTORE", "c", at, good, "ABSTTL") == b"OK"
    assert conn.do("PEXPIRETIME", "c") == at
    assert conn.do("RESTORE", "a", 1, good, "ABSTTL", "REPLACE") == b"OK"
    assert conn.do("EXISTS", "a") == 0
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    assert conn.do("RESTORE", "d", 0, good, "FREQ", 77) == b"OK"
    assert conn.do("OBJECT", "FREQ", "d") == 77


def test_bgsave_and_its_figures(server, conn):
    fill_pipelined(conn, 3000)
    before = server.info(conn)
    assert int(before["rdb_changes_since_last_save"]) == 3000
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 300)
    assert conn.do("BGSAVE") == b"Background saving started"
    assert server.info(conn)["rdb_bgsave_in_progress"] == "1"
    assert conn.call("BGSAVE").error == "ERR Background save already in progress"
    assert conn.call("SAVE").error == "ERR Background save already in progress"
    assert conn.call("BGSAVE", "JUNK").error == "ERR syntax error"
    conn.do("SET", "during", "the save")
    wait_for(lambda: server.info(conn)["rdb_bgsave_in_progress"] == "0")
    after = server.info(conn)
    assert after["rdb_last_bgsave_status"] == "ok"
    assert after["rdb_changes_since_last_save"] == "1"
    assert after["total_forks"] == "1"
    assert int(after["latest_fork_usec"]) > 0
    assert int(after["rdb_last_cow_size"]) > 0
    assert int(after["rdb_last_save_time"]) == conn.do("LASTSAVE")
    assert abs(conn.do("LASTSAVE") - time.time()) < 10
    log = server.log()
    for line in ("Background saving started by pid ", "DB saved on disk", "Fork CoW for RDB: current ", "Background saving terminated with success"):
        assert line in log
    assert os.listdir(server.dir).count("dump.rdb") == 1
    assert not [f for f in os.listdir(server.dir) if f.startswith("temp-")]
    # The save has what was there when it began, and nothing of later.
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 0)
    assert conn.do("DEBUG", "RELOAD", "NOSAVE") == b"OK"
    assert conn.do("DBSIZE") == 3000


def test_a_save_in_a_transaction_comes_after_it(server, conn):
    conn.do("MULTI")
    conn.do("SET", "a", 1)
    conn.do("BGSAVE")
    conn.do("SET", "b", 2)
    assert conn.do("EXEC") == [b"OK", b"Background saving started", b"OK"]
    wait_for(lambda: "Background saving terminated with success" in server.log())
    assert conn.do("DEBUG", "RELOAD", "NOSAVE") == b"OK"
    assert conn.do("DBSIZE") == 2


def test_the_saving_child_keeps_no_descriptor(server, conn):
    fill_pipelined(conn, 2000)
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 500)
    conn.do("BGSAVE")
    with open(f"/proc/{server.pid}/task/{server.pid}/children") as f:
        children = f.read().split()
    assert len(children) == 1

    def links():
        at = f"/proc/{children[0]}/fd"
        found = []
        for fd in os.listdir(at):
            try:
                found.append(os.readlink(f"{at}/{fd}"))
            except FileNotFoundError:
                pass  # closed since it was listed
        return found

    wait_for(lambda: any("temp-" in link for link in links()))
    assert not [link for link in links() if "socket" in link or "epoll" in link or "fuse" in link]


def test_save_points_save_and_so_does_the_end(start, tmp_path):
    s = start("--save", "1 10", folder=tmp_path)
    with s.conn() as c:
        for i in range(20):
            c.do("SET", f"k{i}", i)
        wait_for(lambda: "Background saving terminated with success" in s.log())
        assert "10 changes in 1 seconds. Saving..." in s.log()
        assert s.info(c)["rdb_changes_since_last_save"] == "0"
        c.do("SET", "last", "one")
    s.stop()
    log = s.log()
    assert "Saving the final RDB snapshot before exiting." in log
    again = start("--save", "1 10", folder=tmp_path)
    with again.conn() as c:
        assert c.do("DBSIZE") == 21
        assert "DB loaded from disk: " in again.log()
        c.do("SET", "gone", "soon")
        c.call("CONFIG", "SET", "save", "")
    again.stop()
    third = start("--save", "1 1000", folder=tmp_path)
    with third.conn() as c:
        assert c.do("DBSIZE") == 21
        # FLUSHALL with save points leaves an empty file.
        c.do("FLUSHALL")
    kill(third)
    with start(folder=tmp_path).conn() as c:
        assert c.do("DBSIZE") == 0


@pytest.mark.parametrize("words,kept", [(["SHUTDOWN", "SAVE"], 1), (["SHUTDOWN", "NOSAVE"], 0), (["SHUTDOWN"], 0)])
def test_shutdown_saves_as_it_is_told(start, tmp_path, words, kept):
    s = start(folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "a", "b")
        c.send_raw(pack(words))
        wait_for(lambda: not s.alive())
    with start(folder=tmp_path).conn() as c:
        assert c.do("DBSIZE") == kept


@pytest.mark.parametrize("command, running", [("BGSAVE", "rdb_bgsave_in_progress"), ("BGREWRITEAOF", "aof_rewrite_in_progress")])
def test_reading_while_a_child_saves_leaves_no_mark_in_the_key(server, conn, command, running):
    """Each mark would copy a page; a key that is written anew is as fresh as any."""
    conn.do("SET", "k", "v")
    old = conn.do("DUMP", "k")
    for key in ("read", "written"):
        conn.do("RESTORE", key, 0, old, "IDLETIME", 100)
    for i in range(200):
        conn.do("SET", f"other:{i}", i)
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 20000)
    conn.do(command)
    wait_for(lambda: server.info()[running] == "1")
    assert conn.do("GET", "read") == b"v"
    conn.do("SET", "written", "w")
    assert conn.do("OBJECT", "IDLETIME", "read") >= 100
    assert conn.do("OBJECT", "IDLETIME", "written") < 100
    assert server.info()[running] == "1"
    with open(f"/proc/{server.pid}/task/{server.pid}/children") as f:
        os.kill(int(f.read().split()[0]), signal.SIGUSR1)
    wait_for(lambda: server.info()[running] == "0")
    assert conn.do("GET", "read") == b"v"
    assert conn.do("OBJECT", "IDLETIME", "read") < 100


def test_a_killed_save_leaves_the_old_file(server, conn):
    conn.do("SET", "old", "value")
    assert conn.do("SAVE") == b"OK"
    fill_pipelined(conn, 3000)
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 1000)
    for sig, line in ((signal.SIGKILL, "terminated by signal 9"), (signal.SIGTERM, "terminated by signal 15")):
        conn.do("BGSAVE")
        with open(f"/proc/{server.pid}/task/{server.pid}/children") as f:
            child = int(f.read().split()[0])
        wait_for(lambda: f"temp-{child}.rdb" in os.listdir(server.dir))
        os.kill(child, sig)
        wait_for(lambda: server.info(conn)["rdb_bgsave_in_progress"] == "0")
        assert server.info(conn)["rdb_last_bgsave_status"] == "err"
        assert f"Background saving {line}" in server.log()
        assert f"temp-{child}.rdb" not in os.listdir(server.dir)
    # With this one it was meant so: nothing is wrong with the disk.
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 0)
    conn.do("BGSAVE")
    wait_for(lambda: server.info(conn)["rdb_bgsave_in_progress"] == "0")
    conn.do("SET", "old", "value")
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 1000)
    conn.do("BGSAVE")
    with open(f"/proc/{server.pid}/task/{server.pid}/children") as f:
        os.kill(int(f.read().split()[0]), signal.SIGUSR1)
    wait_for(lambda: server.info(conn)["rdb_bgsave_in_progress"] == "0")
    assert "Background saving terminated by signal 10" in server.log()
    assert server.info(conn)["rdb_last_bgsave_status"] == "ok"
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 0)
    assert conn.do("DEBUG", "RELOAD", "NOSAVE") == b"OK"
    assert conn.do("DBSIZE") == 3001
    # Without save points a failed save stops nobody.
    assert conn.do("SET", "a", "b") == b"OK"


def test_a_killed_server_leaves_a_whole_file(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        fill_pipelined(c, 1000)
        assert c.do("SAVE") == b"OK"
        fill_pipelined(c, 2000, prefix=b"more")
        c.do("CONFIG", "SET", "rdb-key-save-delay", 1000)
        c.do("BGSAVE")
        with open(f"/proc/{s.pid}/task/{s.pid}/children") as f:
            child = int(f.read().split()[0])
    kill(s)
    os.kill(child, signal.SIGKILL)
    with start(folder=tmp_path).conn() as c:
        assert c.do("DBSIZE") == 1000


def test_writes_are_refused_while_saving_fails(start, tmp_path):
    s = start("--save", "1000 1000", "--enable-protected-configs", "yes", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "a", "b")
        # A directory in the place of the file: the rename fails, also for root.
        os.mkdir(tmp_path / "taken")
        (tmp_path / "taken" / "x").write_text("")
        c.do("CONFIG", "SET", "dbfilename", "taken")
        assert c.call("SAVE").error == "ERR"
        assert "Error moving temp DB file" in s.log()
        c.do("BGSAVE")
        wait_for(lambda: s.info(c)["rdb_last_bgsave_status"] == "err")
        assert "Background saving error" in s.log()
        assert c.call("SET", "a", "c").error.startswith(MISCONF)
        assert c.call("PING").error.startswith(MISCONF)
        assert c.do("GET", "a") == b"b"
        assert c.call("SHUTDOWN").error == "ERR Errors trying to SHUTDOWN. Check logs."
        c.do("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        assert c.do("SET", "a", "c") == b"OK"
        c.do("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
        assert c.call("SET", "a", "d").error.startswith(MISCONF)
        # Room again: the next good save lets writes in by itself.
        c.do("CONFIG", "SET", "dbfilename", "dump.rdb")
        assert c.do("BGSAVE") == b"Background saving started"
        wait_for(lambda: not c.call("SET", "a", "e").error)
        assert c.do("PING") == b"PONG"
        assert not [f for f in os.listdir(tmp_path) if f.startswith("temp-")]


def test_a_full_disk_is_an_error_and_the_old_file_stays(tmp_path, start):
    """A file system of one megabyte, where one may be mounted."""
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() or os.system(f"mount -t tmpfs -o size=1m none {small} 2>/dev/null"):
        pytest.skip("no tmpfs may be mounted here")
    try:
        s = start("--save", "1000 1000", "--rdbcompression", "no", "--enable-protected-configs", "yes", folder=tmp_path)
        with s.conn() as c:
            c.do("CONFIG", "SET", "dir", str(small))
            c.do("SET", "a", "b")
            assert c.do("SAVE") == b"OK"
            c.do("SET", "big", "x" * 3000000)
            c.do("BGSAVE")
            wait_for(lambda: s.info(c)["rdb_last_bgsave_status"] == "err")
            assert "No space left on device" in s.log()
            assert c.call("SET", "a", "c").error.startswith(MISCONF)
            os.system(f"mount -o remount,size=32m {small}")
            c.do("BGSAVE")
            wait_for(lambda: not c.call("SET", "a", "e").error)
            assert c.do("DEBUG", "RELOAD") == b"OK"
        s.stop()
    finally:
        os.system(f"umount -l {small}")


def test_clients_are_answered_while_it_loads(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        fill_pipelined(c, 40000)
        c.do("SAVE")
    s.stop()
    s = start("--key-load-delay", "50", folder=tmp_path, wait=False)
    wait_for(lambda: answers(s))
    with s.conn() as c:
        assert c.call("GET", "k:1").error == "LOADING Redis is loading the dataset in memory"
        info = s.info(c)
        assert info["loading"] == "1"
        assert int(info["loading_total_bytes"]) > 100000
        assert 0 <= float(info["loading_loaded_perc"]) < 100
        wait_for(lambda: s.info(c)["loading"] == "0")
        assert c.do("DBSIZE") == 40000
        assert s.info(c)["rdb_last_load_keys_loaded"] == "40000"
    s.stop()
    # It may be told to end meanwhile, and then the file stays as it is.
    s = start("--key-load-delay", "1000", "--save", "1 1", folder=tmp_path, wait=False)
    wait_for(lambda: answers(s))
    s.stop()
    with start(folder=tmp_path).conn() as c:
        assert c.do("DBSIZE") == 40000


def test_expired_keys_are_not_loaded(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        c.do("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        for i in range(10):
            c.do("SET", f"k{i}", i, "PX", 50)
        c.do("SET", "stays", 1)
        c.do("SAVE")
        time.sleep(0.1)
    s.stop()
    s = start(folder=tmp_path)
    with s.conn() as c:
        assert c.do("DBSIZE") == 1
    assert "keys loaded: 1, keys expired: 10." in s.log()


def test_a_damaged_file_ends_the_server_and_says_where(start, tmp_path):
    s = start(folder=tmp_path)
    with s.conn() as c:
        fill(c)
        c.do("SAVE")
    s.stop()
    path = tmp_path / "dump.rdb"
    whole = path.read_bytes()
    for damaged in (whole[:1000], b"RUDIS" + whole[5:], whole[:5] + b"9999" + whole[9:], whole[:500] + bytes([whole[500] ^ 1]) + whole[501:], b""):
        path.write_bytes(damaged)
        s = start(folder=tmp_path, wait=False)
        assert s.proc.wait(20) == 1
        log = s.log()
        assert "Internal error in RDB reading offset " in log
        assert "Fatal error loading the DB, check server logs. Exiting." in log
        assert path.read_bytes() == damaged
        s.proc.returncode = 0  # the end that was asked for


def test_mutated_files_are_loaded_or_refused(start, tmp_path):
    """Files without checksum, so that the damage reaches the decoders."""
    s = start("--rdbchecksum", "no", folder=tmp_path)
    path = tmp_path / "dump.rdb"
    rnd = random.Random(11)
    with s.conn() as c:
        fill(c)
        c.do("DEL", "blob", "l3000", "si3000", "st3000", "h3000", "z3000")
        c.do("SAVE")
        whole = path.read_bytes()
        for _ in range(int(os.environ.get("RDB_MUTATIONS", 150))):
            damaged = bytearray(whole)
            for _ in range(rnd.choice([1, 1, 2, 8])):
                at = rnd.randrange(9, len(damaged))
                how = rnd.randrange(4)
                if how == 0:
                    damaged[at] = rnd.randrange(256)
                elif how == 1:
                    damaged[at] ^= 1 << rnd.randrange(8)
                elif how == 2:
                    del damaged[at : at + rnd.randrange(1, 50)]
                else:
                    other = rnd.randrange(9, len(damaged))
                    damaged[at:at] = damaged[other : other + rnd.randrange(1, 50)]
            path.write_bytes(damaged)
            answer = c.call("DEBUG", "RELOAD", "NOSAVE")
            assert answer.error in (None, "ERR Error trying to load the RDB dump, check server logs.")
            assert c.do("PING") == b"PONG"
            c.do("DEBUG", "DIGEST")


def test_two_servers_that_save_into_one_directory_are_warned(start, tmp_path):
    first = start("--save", "3600 1", folder=tmp_path)
    second = start("--save", "3600 1", "--dbfilename", "other.rdb", folder=tmp_path)
    assert "Another server saves into" not in first.log()
    assert f"Another server saves into {tmp_path}: where both have the same dbfilename (other.rdb here)" in second.log()


def test_what_killed_processes_left_is_removed_and_nothing_else(start, tmp_path):
    s = start("--save", "3600 1", folder=tmp_path)
    gone = s.pid
    kill(s)
    stay = [f"temp-{os.getpid()}.rdb", f"temp-0{gone}.rdb", f"temp-{gone}.rdb.old", "temp-x.rdb", "other.rdb", f"temp-{gone}x.rdb"]
    for name in stay + [f"temp-{gone}.rdb"]:
        (tmp_path / name).write_text("half")
    s.start()
    assert not os.path.exists(tmp_path / f"temp-{gone}.rdb")
    assert all(os.path.exists(tmp_path / name) for name in stay)
    assert f"Removed the temporary file temp-{gone}.rdb" in s.log()
    # Where another server may save into the directory, and its processes may not be seen, only what is old goes.
    other = start(folder=tmp_path)
    fresh = other.pid
    kill(other)
    (tmp_path / f"temp-{gone}.rdb").write_text("half")
    (tmp_path / f"temp-{fresh}.rdb").write_text("half")
    os.utime(tmp_path / f"temp-{gone}.rdb", (1, 1))
    other.start()
    assert sorted(f for f in os.listdir(tmp_path) if f == f"temp-{gone}.rdb" or f == f"temp-{fresh}.rdb") == [f"temp-{fresh}.rdb"]
