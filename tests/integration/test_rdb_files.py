"""Files put together by hand: redis-server reads the same out of them, and what is refused is logged as Redis does."""
import struct
import subprocess
import time

import pytest

import servers
from test_rdb import answers, wait_for

LIBRARY = b"#!lua name=lib\nredis.register_function('answer', function(keys, args) return 42 + #args end)\n"


def text(s):
    """A string behind its length."""
    s = s if isinstance(s, bytes) else str(s).encode()
    return (bytes([len(s)]) if len(s) < 64 else struct.pack(">H", 0x4000 | len(s))) + s


def rdb(version, *records):
    return b"REDIS%04d" % version + b"".join(records) + b"\xff" + (bytes(8) if version >= 5 else b"")


def ziplist(*items):
    body, before = b"", 0
    for s in items:
        item = bytes([before, len(s)]) + s
        body, before = body + item, len(item)
    return text(struct.pack("<IIH", 11 + len(body), 10 + len(body) - before, len(items)) + body + b"\xff")


def listpack(*items):
    body = b"".join(b"\xc0\xc8\x02" if i == 200 else b"\xdf\xff\x02" if i == -1 else bytes([i, 1]) if isinstance(i, int) else bytes([0x80 | len(i)]) + i + bytes([1 + len(i)]) for i in items)
    return text(struct.pack("<IH", 7 + len(body), len(items)) + body + b"\xff")


def raw(ms, seq):
    return struct.pack(">QQ", ms, seq)


def node():
    """258-1 f v, 259-0 that is deleted, 260-5 a 1 b 200."""
    return text(raw(258, 1)) + listpack(2, 1, 1, b"f", 0, 2, 0, 0, b"v", 4, 3, 1, -1, b"x", 4, 0, 2, 4, 2, b"a", 1, b"b", 200, 8)


def groups(second):
    """One that has read up to 258-1 and has two consumers, one that has read nothing, one that is at the end."""
    when = struct.pack("<Q", 1700000000000)
    read = (lambda n: bytes([n])) if second else (lambda n: b"")
    pending = b"\x02" + raw(258, 1) + when + b"\x03" + raw(259, 0) + when + b"\x01"
    consumers = b"\x02" + text("ann") + when + b"\x01" + raw(258, 1) + text("bob") + when + b"\x01" + raw(259, 0)
    return b"\x03" + text("g") + b"\x41\x02\x01" + read(1) + pending + consumers + text("h") + b"\0\0" + read(0) + b"\0\0" + text("i") + b"\x41\x04\x07" + read(5) + b"\0\0"


# As each version could have written it, from the first that could.
WRITTEN = {
    1: [
        b"\xfe\x00\xfd" + struct.pack("<i", 2000000000) + b"\0" + text("expires") + text("soon"),
        b"\0" + text("int8") + b"\xc0\x80\0" + text("int16") + b"\xc1\x02\x01\0" + text("int32") + b"\xc2\x04\x03\x02\x01",
        b"\0" + text("long") + b"\x80\0\0\x01\x02" + b"x" * 258,
        b"\0" + text("lzf") + b"\xc3\x05\x19\0x\xe0\x0f\0",
        b"\x01" + text("list") + b"\x03" + text("a") + b"\xc0\x07" + text(""),
        b"\x02" + text("set") + b"\x02" + text("a") + b"\xc0\x07" + b"\x02" + text("ints") + b"\x02\xc0\x05\xc1\x00\x01",
        b"\x03" + text("zset") + b"\x04" + text("a") + text("1.5") + text("b") + b"\xfe" + text("c") + b"\xff" + text("d") + text("-1.0000000000000001e-05"),
        b"\x04" + text("hash") + b"\x02" + text("f") + text("v") + b"\xc0\x01\xc1\x00\x01",
    ],
    2: [
        b"\x09" + text("zipmap") + text(b"\x02\x01a\x02\0hi\x02bb\x01\x02x..\xff"),
        b"\x0b" + text("intset") + text(struct.pack("<IIiii", 4, 3, -70000, 5, 70000)),
        b"\x0b" + text("intset64") + text(struct.pack("<IIqq", 8, 2, -(2**63), 2**40)),
        b"\x0a" + text("ziplist") + ziplist(b"a", b"b" * 60, b""),
        b"\x0c" + text("zset:ziplist") + ziplist(b"b", b"-inf", b"a", b"1.5"),
    ],
    3: [b"\xfc" + struct.pack("<q", 2000000000123) + b"\0" + text("expires:ms") + text("later")],
    4: [b"\x0d" + text("hash:ziplist") + ziplist(b"a", b"1", b"b", b"2")],
    6: [b"\x0e" + text("quicklist") + b"\x02" + ziplist(b"a", b"b") + ziplist(b"c")],
    7: [b"\xfa" + text("no-such-field") + text("x") + b"\xfe\x03\xfb\x01\0\0" + text("other") + text("db")],
    8: [b"\x05" + text("zset2") + b"\x02" + text("x") + struct.pack("<d", 1.1) + text("y") + struct.pack("<d", float("-inf"))],
    9: [
        b"\x0f" + text("stream1") + b"\x01" + node() + b"\x02\x41\x04\x07" + groups(False),
        b"\x0f" + text("stream:empty") + b"\0\0\x05\x01\0",
        b"\xf8\x41\0\0" + text("idle") + text("x"),
    ],
    10: [
        b"\x10" + text("hash:listpack") + listpack(b"a", 1, b"b", 2),
        b"\x11" + text("zset:listpack") + listpack(b"a", 1, b"b", 200),
        b"\x12" + text("quicklist2") + b"\x02\x02" + listpack(b"a", 1) + b"\x01" + text("p" * 9000),
        b"\x13" + text("stream2") + b"\x01" + node() + b"\x02\x41\x04\x07\x41\x02\x01\x41\x04\x07\x05" + groups(True),
        b"\xf5" + text(LIBRARY),
    ],
}


def without(tree):
    """Times of consumers are 7.2's; and 7.0 says that the first entry of an empty stream was the last there can be."""
    if not isinstance(tree, list):
        return tree
    if b"length" in tree and tree[tree.index(b"length") + 1] == 0:
        tree = tree[: tree.index(b"recorded-first-entry-id")] + tree[tree.index(b"recorded-first-entry-id") + 2 :]
    if b"active-time" in tree:
        tree = tree[: tree.index(b"active-time")] + tree[tree.index(b"active-time") + 2 :]
    return [without(x) for x in tree]


def seen(s):
    """All that a client can see of what was loaded."""
    found = {}
    with s.conn() as c:
        found["digest"] = c.do("DEBUG", "DIGEST")
        found["functions"] = c.do("FUNCTION", "LIST")
        for db in (0, 3):
            c.do("SELECT", db)
            for key in sorted(c.do("KEYS", "*")):
                encoding = c.do("OBJECT", "ENCODING", key)
                kind = c.do("TYPE", key)
                if kind in (b"list", b"set"):
                    encoding = None  # 7.0 has no small ones in a listpack
                found[db, key] = [encoding, kind, c.do("PEXPIRETIME", key)]
                if kind == b"stream":
                    found[db, key] += [c.do("XRANGE", key, "-", "+"), without(c.do("XINFO", "STREAM", key, "FULL"))]
    return found


@pytest.mark.parametrize("version", sorted(WRITTEN))
def test_redis_reads_the_same_out_of_it(start, tmp_path, version):
    if not servers.redis_binary(str(tmp_path)):
        pytest.skip("no redis-server here")
    folders = [tmp_path / "a", tmp_path / "b"]
    records = [r for v in sorted(WRITTEN) if v <= version for r in WRITTEN[v]]
    # A database that was chosen stays: what chooses another one comes last.
    records.sort(key=lambda r: b"\xfe\x03" in r)
    for folder in folders:
        folder.mkdir()
        (folder / "dump.rdb").write_bytes(rdb(version, *records))
    check = subprocess.run([servers.inodis_binary(), "--check-rdb", str(folders[0] / "dump.rdb")], capture_output=True, text=True)
    assert check.returncode == 0 and "RDB looks OK" in check.stdout and "left out" not in check.stdout, check.stdout
    mine, theirs = start(folder=folders[0]), start(kind="redis", folder=folders[1])
    a, b = seen(mine), seen(theirs)
    assert a == b
    assert len(a) >= 10
    with mine.conn() as c:
        if version >= 10:
            assert c.do("GET", "int16") == b"258"
            assert c.do("FCALL", "answer", 0, "x") == 43
        if version >= 9:
            assert c.do("OBJECT", "IDLETIME", "idle") >= 256
        before = c.do("DEBUG", "DIGEST")
        assert c.do("DEBUG", "RELOAD") == b"OK"
        assert c.do("DEBUG", "DIGEST") == before


@pytest.mark.parametrize(
    "said,content",
    [
        ("Can't handle RDB format version 0", rdb(0)),
        ("Can't handle RDB format version 13", rdb(13)),
        ("Wrong signature trying to load DB from file", b"RUDIS0010\xff"),
        ("Pre-release function format not supported.", rdb(10, b"\xf6" + text("lib") + text("LUA") + b"\0" + text(LIBRARY))),
        ("Failed loading library, Error compiling function: ", rdb(10, b"\xf5" + text("#!lua name=x\nnonsense"))),
        ("The RDB file contains module data I can't load: no matching module type 'ABCDEFGHI'", rdb(9, b"\x07" + text("m") + b"\x81\x00\x10\x83\x10\x51\x87\x20\x92\0")),
        ("RDB has duplicated key 'k' in DB 0", rdb(9, b"\0" + text("k") + text("v"), b"\0" + text("k") + text("w"))),
        ("FATAL: Data file was created with a Redis server configured to handle more than 16 databases. Exiting", rdb(9, b"\xfe\x10")),
        ("Unexpected EOF reading RDB file", rdb(9, b"\0" + text("k"))[:-9]),
    ],
)
def test_what_is_refused_is_said(start, tmp_path, said, content):
    (tmp_path / "dump.rdb").write_bytes(content)
    s = start(folder=tmp_path, wait=False)
    assert s.proc.wait(20) == 1
    assert said in s.log()
    assert "Fatal error loading the DB, check server logs. Exiting." in s.log()
    s.proc.returncode = 0  # the end that was asked for


@pytest.mark.parametrize("ctime", (-(1 << 63), (1 << 63) - 1, "never"))
def test_a_file_may_be_of_any_age(start, tmp_path, ctime):
    (tmp_path / "dump.rdb").write_bytes(rdb(9, b"\xfa" + text("ctime") + text(ctime), b"\0" + text("k") + text("v")))
    s = start(folder=tmp_path)
    with s.conn() as c:
        assert c.do("GET", "k") == b"v"
    assert "RDB age" in s.log()


def test_data_of_a_module_is_left_out_and_the_rest_is_there(start, tmp_path):
    (tmp_path / "dump.rdb").write_bytes(rdb(9, b"\xf7\x81\x00\x10\x83\x10\x51\x87\x20\x92\x02\x02\x05" + text("data") + b"\0\0" + text("k") + text("v")))
    s = start(folder=tmp_path)
    with s.conn() as c:
        assert c.do("GET", "k") == b"v"
    assert "module 'ABCDEFGHI'" in s.log()


def test_what_is_restored_is_checked_whatever_is_configured(conn):
    """A hash with a field twice: harm that only a look at every element finds."""
    bad = b"\x10" + listpack(b"a", 1, b"a", 2) + b"\x0a\x00"
    conn.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
    assert conn.do("CONFIG", "GET", "sanitize-dump-payload") == [b"sanitize-dump-payload", b"no"]
    for how in ("yes", "clients", "no"):
        assert conn.do("CONFIG", "SET", "sanitize-dump-payload", how) == b"OK"
        assert conn.do("CONFIG", "GET", "sanitize-dump-payload") == [b"sanitize-dump-payload", how.encode()]
        assert conn.call("RESTORE", "k", 0, bad + bytes(8)).error == "ERR Bad data format"
        assert conn.do("EXISTS", "k") == 0
    assert conn.call("CONFIG", "SET", "sanitize-dump-payload", "some").error
    # A user who may skip it does not.
    conn.do("ACL", "SETUSER", "default", "skip-sanitize-payload")
    assert conn.call("RESTORE", "k", 0, bad + bytes(8)).error == "ERR Bad data format"


@pytest.mark.parametrize("log", ["yes", "no"])
def test_a_slow_load_looks_at_its_clients_as_often_as_it_is_told(start, tmp_path, log):
    """Forty seconds of loading a snapshot, of which a client sees one and ends the rest; with a log it is every 1024 commands."""
    n = 400 if log == "no" else 4000
    s = start("--appendonly", log, "--aof-use-rdb-preamble", "no", "--rdbcompression", "no", folder=tmp_path)
    with s.conn() as c:
        c.do("DEBUG", "POPULATE", n, "k", 1000) if log == "no" else c.do("EVAL", f"for i = 1, {n} do redis.call('set', 'k:' .. i, i) end", 0)
        if log == "no":
            c.do("SAVE")
        else:
            c.do("BGREWRITEAOF")
            wait_for(lambda: s.info(c)["aof_rewrite_in_progress"] == "0")
    s.stop()
    delay = 100_000 if log == "no" else 1000
    s = start("--appendonly", log, "--key-load-delay", delay, "--loading-process-events-interval-bytes", 1024, folder=tmp_path, wait=False)
    wait_for(lambda: answers(s))
    began = time.monotonic()
    with s.conn(timeout=20) as c:
        assert s.info(c)["loading"] == "1"
        assert c.call("GET", "k:1").error == "LOADING Redis is loading the dataset in memory"
        assert c.do("CONFIG", "SET", "key-load-delay", 0) == b"OK"
        wait_for(lambda: s.info(c)["loading"] == "0")
        assert time.monotonic() - began < 15
        assert c.do("DBSIZE") == n


def test_a_directive_about_replicas_is_kept_and_shown(conn):
    for value in (b"no", b"yes"):
        assert conn.do("CONFIG", "SET", "rdb-del-sync-files", value) == b"OK"
        assert conn.do("CONFIG", "GET", "rdb-del-sync-files") == [b"rdb-del-sync-files", value]
