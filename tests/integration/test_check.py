"""inodis --check-rdb and --check-aof: what redis-check-rdb and redis-check-aof say of the same files, and what --fix leaves."""
import os
import random
import re
import shutil
import subprocess

import pytest

import servers
from test_aof import increment, kill_when_written
from test_rdb import digest, fill, wait_for


def check(how, *args, answer=""):
    """Exit code and output of the binary as a checking program."""
    done = subprocess.run([servers.inodis_binary(), f"--check-{how}", *map(str, args)], input=answer, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def redis_check(how, *args):
    program = shutil.which(f"redis-check-{how}")
    if not program:
        pytest.skip("no redis-check-* here")
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def without_lines(text):
    return re.sub(r"ok_up_to_line=\d+", "", text)


@pytest.fixture
def filled(start, tmp_path):
    """A directory with an RDB and a log of a base and an increment."""
    s = start("--appendonly", "yes", "--appendfsync", "always", folder=tmp_path)
    with s.conn() as c:
        fill(c)
        c.do("SET", "soon", 1, "PX", 1)
        wait_for(lambda: c.do("EXISTS", "soon") == 0)  # and the log knows it: a digest counts what is not removed yet
        c.do("SET", "later", 1, "EX", 1000)
        c.do("SAVE")
        c.do("BGREWRITEAOF")
        c.do("MULTI")
        c.do("SET", "a", 1)
        c.do("SET", "b", "x" * 100)
        c.do("EXEC")
    s.stop()
    return s


def test_whole_files_are_told_of_as_redis_tells(filled, tmp_path):
    for how, name in (("rdb", "dump.rdb"), ("aof", "appendonlydir/appendonly.aof.manifest")):
        code, text = check(how, tmp_path / name)
        assert code == 0, text
        theirs = redis_check(how, tmp_path / name)
        # Lines are counted in the file here, annotations too; redis-check-aof counts them through all files.
        assert (code, without_lines(text)) == (theirs[0], without_lines(theirs[1]))


@pytest.mark.parametrize("cut", (1, 9, 10, 20, 100, -9, -8, -1))
def test_a_cut_rdb_is_found_where_redis_finds_it(filled, tmp_path, cut):
    whole = open(tmp_path / "dump.rdb", "rb").read()
    with open(tmp_path / "cut.rdb", "wb") as f:
        f.write(whole[:cut])
    code, text = check("rdb", tmp_path / "cut.rdb")
    assert code == 1 and "--- RDB ERROR DETECTED ---" in text
    theirs = redis_check("rdb", tmp_path / "cut.rdb")[1]
    assert re.findall(r"While doing: .*|Reading key .*", text) == re.findall(r"While doing: .*|Reading key .*", theirs)


def test_a_flipped_bit_of_an_rdb_is_found(filled, tmp_path):
    rnd = random.Random(4)
    whole = open(tmp_path / "dump.rdb", "rb").read()
    for _ in range(100):
        at = rnd.randrange(len(whole))
        with open(tmp_path / "bad.rdb", "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ (1 << rnd.randrange(8))]) + whole[at + 1 :])
        code, text = check("rdb", tmp_path / "bad.rdb")
        assert code == 1 and "--- RDB ERROR DETECTED ---" in text, at


def test_fixing_a_torn_end_leaves_whole_units_and_asks_first(filled, tmp_path):
    path = increment(tmp_path)
    manifest = tmp_path / "appendonlydir/appendonly.aof.manifest"
    whole = open(path, "rb").read()
    with open(path, "ab") as f:
        f.write(b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$1\r\n1\r\n")
    code, text = check("aof", manifest)
    assert code == 1 and "Reached EOF before reading EXEC for MULTI" in text
    assert f"AOF {os.path.basename(path)} is not valid. Use the --fix option to try fixing it." in text
    assert check("aof", "--fix", manifest, answer="n\n")[0] == 1
    assert os.path.getsize(path) > len(whole)
    code, text = check("aof", "--fix", manifest, answer="y\n")
    assert code == 0 and f"Successfully truncated AOF {os.path.basename(path)}" in text
    assert open(path, "rb").read() == whole
    assert check("aof", manifest)[0] == 0
    filled.start()
    with filled.conn() as c:
        assert c.do("MGET", "a", "torn") == [b"1", None]


def test_fixing_damage_cuts_from_the_last_checksum_that_holds(filled, tmp_path):
    filled.start()
    with filled.conn() as c:
        want = digest(filled)
        for i in range(5):
            c.do("SET", f"later{i}", "v" * 50)
    kill_when_written(filled)
    path = increment(tmp_path)
    whole = bytearray(open(path, "rb").read())
    whole[whole.index(b"later0") + 60] ^= 1
    with open(path, "wb") as f:
        f.write(whole)
    code, text = check("aof", tmp_path / "appendonlydir/appendonly.aof.manifest")
    assert code == 1 and "the checksum does not match what was written here" in text
    assert check("aof", "--fix", tmp_path / "appendonlydir/appendonly.aof.manifest", answer="y\n")[0] == 0
    filled.start()
    assert digest(filled) == want


def test_cutting_at_a_time_leaves_what_was_before_it(start, tmp_path):
    def command(*words):
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    path = tmp_path / "old.aof"
    with open(path, "wb") as f:
        f.write(b"#TS:100\r\n" + command(b"SET", b"a", b"1") + b"#TS:200\r\n" + command(b"SET", b"b", b"1") + b"#TS:300\r\n" + command(b"SET", b"c", b"1"))
    assert check("aof", "--truncate-to-timestamp", 50, path)[0] == 1
    code, text = check("aof", "--truncate-to-timestamp", 200, path)
    assert code == 0 and "Successfully truncated AOF" in text
    content = open(path, "rb").read()
    assert b"\nb\r" in content and b"\nc\r" not in content


def test_what_is_no_file_is_an_error(tmp_path):
    for how in ("rdb", "aof"):
        assert check(how)[0] == 1
        assert check(how, tmp_path / "gone")[0] == 1
        assert check(how, tmp_path)[0] == 1
