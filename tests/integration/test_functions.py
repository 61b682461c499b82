"""FUNCTION and FCALL: the same replies as redis-server; libraries in RDB, AOF and DUMP, both ways; kills."""
import time

import pytest

import servers

LIB = "#!lua name=mylib\n"
SIMPLE = LIB + "redis.register_function('f1', function(keys, args) return {keys, args} end)"
NAMED = (LIB + "redis.register_function{function_name='ro', description='reads', flags={'no-writes'}, "
         "callback=function(keys) return redis.call('get', keys[1]) end}\n"
         "redis.register_function('w', function(keys, args) return redis.call('set', keys[1], args[1]) end)")
OTHER = "#!lua name=other\nlocal hidden = 5\nredis.register_function('g', function(keys, args) hidden = hidden + 1 return hidden end)"

BAD = [
    "return 1", "#!lua\nreturn 1", "#!lua name=", "#!lua name=x", "#!lua name=\nx", "#!lua name=a-b\nx", "#!lua name=a name=b\nx", "#!lua foo=a\nx",
    "#!python name=a\nx", "#! name=a\nx", "#!lua name=\"a\nx", "#!\nx", LIB, LIB + "x =",
    LIB + "return redis.call('get','x')", LIB + "return redis.pcall('get','x')", LIB + "redis.setresp(3)", LIB + "redis.set_repl(1)", LIB + "redis.sha1hex('x')",
    LIB + "redis.error_reply('x')", LIB + "redis.acl_check_cmd('get')", LIB + "redis.breakpoint()", LIB + "redis.log(redis.LOG_NOTICE,'x')",
    LIB + "x = 1", LIB + "return x", LIB + "redis.x = 1", LIB + "return KEYS", LIB + "redis.register_function()", LIB + "redis.register_function(1)",
    LIB + "redis.register_function('a')", LIB + "redis.register_function('a', 1)", LIB + "redis.register_function(1, function() end)",
    LIB + "redis.register_function('a', function() end, 1)", LIB + "redis.register_function('a-b', function() end)",
    LIB + "redis.register_function('', function() end)",
    LIB + "redis.register_function('a', function() end) redis.register_function('a', function() end)",
    LIB + "redis.register_function{}", LIB + "redis.register_function{function_name='a'}", LIB + "redis.register_function{callback=function() end}",
    LIB + "redis.register_function{function_name=1, callback=function() end}", LIB + "redis.register_function{function_name='a', callback=1}",
    LIB + "redis.register_function{function_name='a', callback=function() end, description=1}",
    LIB + "redis.register_function{function_name='a', callback=function() end, flags=1}",
    LIB + "redis.register_function{function_name='a', callback=function() end, flags={'x'}}",
    LIB + "redis.register_function{function_name='a', callback=function() end, flags={1}}",
    LIB + "redis.register_function{function_name='a', callback=function() end, more=1}",
    LIB + "redis.register_function{function_name='a', callback=function() end, [1]=1}",
    LIB + "redis.register_function{function_name='a', callback=function() end, flags={'no-writes','allow-oom','allow-stale','no-cluster','allow-cross-slot-keys'}}",
    LIB + "while true do end",
]

BODIES = [
    "return 1", "return {keys, args}", "return redis.call('incr', keys[1])", "return redis.call('nosuch')", "return redis.pcall('nosuch')", "error('x')",
    "error({err='MINE x'})", "return nosuch", "x = 1", "return KEYS", "return redis.register_function('late', function() end)", "redis.setresp(3) return true",
    "return redis.setresp(5)", "return redis.sha1hex('a')", "return redis.replicate_commands()", "return redis.breakpoint()", "return redis.debug('x')",
    "return {double=1.5}", "return redis.call('get', 'l')", "redis.x = 1", "return cjson.encode(args)", "return redis.error_reply('x y')",
    "local n={} for k in pairs(redis) do n[#n+1]=k end table.sort(n) return n",
    "local n={} for k in pairs(_G) do if k ~= 'os' then n[#n+1]=k end end table.sort(n) return n",
]

SEQUENCES = {
    "life": [["FUNCTION", "LOAD", SIMPLE], ["FUNCTION", "LOAD", SIMPLE], ["FUNCTION", "LOAD", "REPLACE", SIMPLE], ["FCALL", "f1", "1", "k", "a"],
             ["FCALL", "F1", "0"], ["FUNCTION", "LIST"], ["FUNCTION", "LIST", "WITHCODE"], ["FUNCTION", "STATS"], ["FUNCTION", "DELETE", "mylib"],
             ["FUNCTION", "DELETE", "mylib"], ["FCALL", "f1", "0"], ["FUNCTION", "LIST"]],
    "arguments": [["FUNCTION"], ["FUNCTION", "NOSUCH"], ["FUNCTION", "LOAD"], ["FUNCTION", "LOAD", "x", SIMPLE], ["FUNCTION", "LOAD", "REPLACE", "x", SIMPLE],
                  ["FUNCTION", "LIST", "x"], ["FUNCTION", "LIST", "LIBRARYNAME"], ["FUNCTION", "LIST", "WITHCODE", "WITHCODE"], ["FUNCTION", "FLUSH", "x"],
                  ["FUNCTION", "FLUSH", "SYNC", "x"], ["FUNCTION", "RESTORE", "x", "x"], ["FUNCTION", "RESTORE", "x", "FLUSH", "y"], ["FUNCTION", "RESTORE", "x"],
                  ["FUNCTION", "RESTORE", ""], ["FUNCTION", "KILL"], ["FUNCTION", "HELP"], ["FUNCTION", "DUMP"], ["FUNCTION", "DUMP", "x"]],
    "fcall": [["FUNCTION", "LOAD", NAMED], ["FCALL", "w", "1", "k", "v"], ["FCALL", "ro", "1", "k"], ["FCALL_RO", "ro", "1", "k"], ["FCALL_RO", "w", "1", "k", "v"],
              ["FCALL", "w", "x"], ["FCALL", "w", "-1"], ["FCALL", "w", "5", "k"], ["FCALL", "nosuch", "0"], ["FCALL", "nosuch", "x"], ["FCALL"],
              ["FUNCTION", "LIST", "LIBRARYNAME", "my*"], ["FUNCTION", "LIST", "LIBRARYNAME", "your*"], ["FUNCTION", "STATS"]],
    "state": [["FUNCTION", "LOAD", OTHER], ["FCALL", "g", "0"], ["FCALL", "g", "0"], ["EVAL", "return g", "0"], ["FUNCTION", "LOAD", "REPLACE", OTHER], ["FCALL", "g", "0"]],
    "clashes": [["FUNCTION", "LOAD", SIMPLE], ["FUNCTION", "LOAD", SIMPLE.replace("mylib", "lib2")], ["FUNCTION", "LOAD", OTHER],
                ["FUNCTION", "LOAD", "REPLACE", OTHER.replace("'g'", "'f1'")], ["FUNCTION", "LOAD", "REPLACE", LIB + "x ="], ["FCALL", "f1", "0"], ["FCALL", "g", "0"]],
    "maxmemory": [["FUNCTION", "LOAD", NAMED], ["CONFIG", "SET", "maxmemory", "1"], ["FUNCTION", "LOAD", OTHER], ["FCALL", "w", "1", "k", "v"], ["FCALL", "ro", "1", "k"],
                  ["FCALL_RO", "ro", "1", "k"], ["FUNCTION", "DELETE", "mylib"], ["CONFIG", "SET", "maxmemory", "0"]],
    "in a transaction": [["FUNCTION", "LOAD", NAMED], ["MULTI"], ["FCALL", "w", "1", "k", "v"], ["FCALL", "ro", "1", "k"], ["FUNCTION", "LOAD", OTHER], ["FCALL", "g", "0"], ["EXEC"]],
}


@pytest.fixture(scope="module")
def pair():
    with servers.Server("inodis") as a, servers.Server("redis") as b:
        yield a, b


def both(pair, steps, proto):
    out = []
    for s in pair:
        with s.conn() as c:
            c.do("FLUSHALL")
            c.do("FUNCTION", "FLUSH")
            c.do("RPUSH", "l", "x")
            c.call("HELLO", proto)
            out.append([c.call(*step).raw for step in steps])
    return out


@pytest.mark.parametrize("proto", (2, 3))
@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_answer_as_redis(pair, name, proto):
    a, b = both(pair, SEQUENCES[name], proto)
    if "DUMP" in str(SEQUENCES[name]):
        assert len(a) == len(b)
        a, b = ([r for s, r in zip(SEQUENCES[name], x) if s != ["FUNCTION", "DUMP"]] for x in (a, b))
    if name == "life" or name == "fcall":
        a, b = (sorted(map(normal, x)) for x in (a, b))
    assert a == b


def normal(raw):
    """Functions of a library come in any order."""
    return bytes(sorted(raw)) if b"library_name" in raw else raw


@pytest.mark.parametrize("code", BAD)
def test_what_cannot_be_loaded_says_why_as_redis(pair, code):
    a, b = both(pair, [["FUNCTION", "LOAD", code], ["FUNCTION", "LIST"]], 2)
    if code.endswith("'allow-cross-slot-keys'}}"):
        a, b = a[:1], b[:1]
    assert a == b


@pytest.mark.parametrize("proto", (2, 3))
def test_functions_answer_as_redis(pair, proto):
    code = LIB + "\n".join(f"redis.register_function('f{i}', function(keys, args) {body} end)" for i, body in enumerate(BODIES))
    steps = [["FUNCTION", "LOAD", code]] + [["FCALL", f"f{i}", "1", "key1", "arg1"] for i in range(len(BODIES))]
    a, b = both(pair, steps, proto)
    wrong = [(body, x, y) for body, x, y in zip(["load"] + BODIES, a, b) if x != y]
    assert not wrong


def test_dump_goes_both_ways(pair):
    for source, target in (pair, pair[::-1]):
        with source.conn() as s, target.conn() as t:
            for c in (s, t):
                c.do("FUNCTION", "FLUSH")
            s.do("FUNCTION", "LOAD", NAMED)
            s.do("FUNCTION", "LOAD", OTHER)
            payload = s.do("FUNCTION", "DUMP")
            assert t.do("FUNCTION", "RESTORE", payload) == b"OK"
            assert t.do("FCALL", "g", "0") == 6
            assert "already exists" in t.call("FUNCTION", "RESTORE", payload).error
            assert t.do("FUNCTION", "RESTORE", payload, "REPLACE") == b"OK"
            assert t.do("FCALL", "g", "0") == 6
            t.do("FUNCTION", "LOAD", SIMPLE.replace("mylib", "third"))
            assert t.do("FUNCTION", "RESTORE", payload, "FLUSH") == b"OK"
            assert t.call("FCALL", "f1", "0").error == "ERR Function not found"


def test_a_failed_restore_changes_nothing(pair):
    replies = []
    for s in pair:
        with s.conn() as c:
            c.do("FUNCTION", "FLUSH")
            c.do("FUNCTION", "LOAD", SIMPLE)
            c.do("FUNCTION", "LOAD", OTHER)
            payload = c.do("FUNCTION", "DUMP")
            c.do("FUNCTION", "FLUSH")
            c.do("FUNCTION", "LOAD", OTHER.replace("name=other", "name=mine"))
            replies.append([c.call("FUNCTION", "RESTORE", payload).raw, c.call("FUNCTION", "RESTORE", payload, "REPLACE").raw,
                            c.call("FUNCTION", "RESTORE", payload[:-1]).raw, c.call("FCALL", "g", "0").raw, c.call("FCALL", "f1", "0").raw])
    assert replies[0] == replies[1]


@pytest.mark.parametrize("preamble", ("yes", "no"))
def test_libraries_come_back_from_every_file(preamble):
    with servers.Server("inodis", ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble]) as s:
        with s.conn() as c:
            c.do("FUNCTION", "LOAD", NAMED)
            c.do("FUNCTION", "LOAD", OTHER)
            c.do("FUNCTION", "DELETE", "other")
            c.do("FCALL", "w", "1", "k", "v")
        s.stop()
        s.start()
        with s.conn() as c:
            assert c.do("FCALL", "ro", "1", "k") == b"v"
            assert c.call("FCALL", "g", "0").error == "ERR Function not found"
            c.do("BGREWRITEAOF")
            end = time.monotonic() + 20
            while "aof_rewrite_in_progress:1" in c.do("INFO", "persistence").decode():
                assert time.monotonic() < end
                time.sleep(0.05)
        s.stop()
        s.start()
        with s.conn() as c:
            assert c.do("FCALL", "ro", "1", "k") == b"v"
            c.do("DEBUG", "RELOAD")
            assert c.do("FCALL", "ro", "1", "k") == b"v"
            c.do("FLUSHALL")
            assert c.do("FCALL_RO", "ro", "1", "k") is None


def test_an_rdb_with_libraries_goes_both_ways(pair, tmp_path):
    for kind, other in (("inodis", "redis"), ("redis", "inodis")):
        folder = tmp_path / kind
        folder.mkdir()
        with servers.Server(kind, folder=folder) as s, s.conn() as c:
            c.do("FUNCTION", "LOAD", NAMED)
            c.do("SET", "k", "v")
            c.do("SAVE")
        with servers.Server(other, folder=folder) as s, s.conn() as c:
            assert c.do("FCALL", "ro", "1", "k") == b"v"


def test_a_busy_function_is_killed_by_function_kill_alone():
    with servers.Server("inodis", ["--busy-reply-threshold", "100"]) as s, s.conn() as c, s.conn() as admin:
        c.do("FUNCTION", "LOAD", LIB + "redis.register_function('spin', function() while true do end end)")
        c.send("FCALL", "spin", "0")
        end = time.monotonic() + 10
        while not (admin.call("PING").error or "").startswith("BUSY"):
            assert time.monotonic() < end
            time.sleep(0.02)
        busy = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
        assert admin.call("GET", "x").error == busy
        assert admin.call("SCRIPT", "KILL").error == busy
        stats = admin.do("FUNCTION", "STATS")
        assert stats[1][1] == b"spin" and stats[1][3] == [b"FCALL", b"spin", b"0"]
        assert admin.do("FUNCTION", "KILL") == b"OK"
        assert c.read().error.startswith("ERR Script killed by user with FUNCTION KILL")
