"""EVAL and its kin: the same replies as redis-server; one that does not end, one that eats memory; what is journalled."""
import hashlib
import os
import threading
import time

import pytest

import script_corpus
import servers
from resp import Conn

SETUP = ["FLUSHALL", "SET s text", "SET i 10", "RPUSH l a b c", "HSET h f v", "SADD one m", "ZADD z 1.5 a 2 b"]


@pytest.fixture(scope="module")
def pair():
    with servers.Server("inodis") as a, servers.Server("redis") as b:
        yield a, b


@pytest.fixture(scope="module")
def server():
    with servers.Server("inodis", ["--busy-reply-threshold", "150"]) as s:
        yield s


@pytest.fixture
def conn(server):
    with server.conn() as c:
        c.do("FLUSHALL")
        yield c


def both(pair, steps, proto=2):
    """The raw replies of both servers to the same commands."""
    out = []
    for s in pair:
        with s.conn() as c:
            c.call("HELLO", proto)
            for w in SETUP:
                c.do(*w.split())
            out.append([c.call(*step).raw for step in steps])
    return out


@pytest.mark.parametrize("proto", (2, 3))
def test_every_script_of_the_corpus_answers_as_redis(pair, proto):
    wrong = []
    conns = [s.conn() for s in pair]
    for c in conns:
        c.call("HELLO", proto)
    for script in script_corpus.ALL:
        got = []
        for c in conns:
            for w in SETUP:
                c.do(*w.split())
            got.append((c.call("EVAL", script, 1, "key1", "arg1").raw, c.call("DEBUG", "DIGEST").raw))
        if got[0] != got[1]:
            wrong.append((script, got[0], got[1]))
    for c in conns:
        c.close()
    assert not wrong, f"{len(wrong)} differ, the first: {wrong[:5]}"


SEQUENCES = {
    "eval arguments": [["EVAL"], ["EVAL", "x"], ["EVAL", "return 1", "1"], ["EVAL", "return 1", "-1"], ["EVAL", "return 1", "a"],
                       ["EVAL", "return 1", "2", "a"], ["EVAL", "return {KEYS,ARGV}", "1", "k", "a", "b"]],
    "sha": [["EVALSHA", "a", "0"], ["EVALSHA", "f" * 40, "0"], ["SCRIPT", "LOAD", "return 1"],
            ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"], ["EVALSHA", "E0E1F9FABFC9D4800C877A703B823AC0578FF8DB", "0"],
            ["SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "x"], ["SCRIPT", "FLUSH"],
            ["SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"], ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"]],
    "script": [["SCRIPT"], ["SCRIPT", "NOSUCH"], ["SCRIPT", "LOAD"], ["SCRIPT", "LOAD", "x ="], ["SCRIPT", "LOAD", "#!lua flags=x\nreturn 1"],
               ["SCRIPT", "EXISTS"], ["SCRIPT", "FLUSH", "NOSUCH"], ["SCRIPT", "FLUSH", "ASYNC"], ["SCRIPT", "FLUSH", "SYNC"],
               ["SCRIPT", "FLUSH", "SYNC", "x"], ["SCRIPT", "KILL"], ["SCRIPT", "DEBUG"], ["SCRIPT", "DEBUG", "x"], ["SCRIPT", "DEBUG", "NO"],
               ["SCRIPT", "HELP"]],
    "read only": [["EVAL_RO", "return redis.call('set','a','b')", "1", "a"], ["EVAL_RO", "return redis.call('get','s')", "0"],
                  ["EVAL_RO", "return redis.pcall('publish','a','b')", "0"], ["EVAL_RO", "#!lua\nreturn 1", "0"],
                  ["EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"], ["SCRIPT", "LOAD", "return redis.call('get','s')"],
                  ["EVALSHA_RO", hashlib.sha1(b"return redis.call('get','s')").hexdigest(), "0"]],
    "in a transaction": [["MULTI"], ["EVAL", "redis.call('set','a',1) return redis.call('incr','a')", "0"],
                         ["EVAL", "return redis.call('nosuch')", "0"], ["EVAL", "error('x')", "0"], ["EVALSHA", "f" * 40, "0"],
                         ["SCRIPT", "KILL"], ["EXEC"], ["GET", "a"]],
    "select stays inside": [["EVAL", "redis.call('select',5) redis.call('set','in5','x') return redis.call('dbsize')", "0"],
                            ["GET", "in5"], ["SELECT", "5"], ["GET", "in5"], ["EVAL", "return redis.call('get','in5')", "0"]],
    "a script is one change": [["SET", "w", "1"], ["WATCH", "w"], ["EVAL", "redis.call('set','w',2)", "0"], ["MULTI"], ["PING"], ["EXEC"]],
    "maxmemory": [["EVAL", "return 1", "0"], ["CONFIG", "SET", "maxmemory", "1"], ["EVAL", "return redis.call('set','x','y')", "0"],
                  ["EVAL", "return redis.pcall('set','x','y')", "0"], ["EVAL", "return redis.call('get','s')", "0"],
                  ["EVAL", "redis.call('del','s') return redis.call('set','x','y')", "0"],
                  ["EVAL", "#!lua flags=allow-oom\nreturn redis.call('set','x','y')", "0"], ["EVAL", "#!lua\nreturn 1", "0"],
                  ["EVAL", "#!lua flags=no-writes\nreturn 1", "0"], ["EVAL", "#!lua flags=no-writes\nreturn redis.call('get','x')", "0"],
                  ["MULTI"], ["EVAL", "#!lua\nreturn 1", "0"], ["EXEC"], ["CONFIG", "SET", "maxmemory", "0"], ["GET", "x"]],
    "random numbers": [["EVAL", "local a=math.random() math.randomseed(5) local b=math.random() math.randomseed(5) "
                        "return tostring(a ~= b)..tostring(b == math.random())", "0"]],
}


@pytest.mark.parametrize("proto", (2, 3))
@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_answer_as_redis(pair, name, proto):
    a, b = both(pair, SEQUENCES[name], proto)
    assert a == b


def stats(c, *names):
    text = c.do("INFO", "commandstats").decode() + c.do("INFO", "errorstats").decode()
    out = {}
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        if key in names:
            out[key] = {k: v for k, v in (w.split("=") for w in rest.split(",")) if not k.startswith("usec")}
    out["total"] = next(line for line in c.do("INFO", "stats").decode().splitlines() if line.startswith("total_error_replies"))
    return out


@pytest.mark.parametrize("script", [
    "return redis.call('get','l')", "return redis.pcall('get','l')", "redis.pcall('get','l') return 1", "return redis.call('nosuch')",
    "return redis.pcall('nosuch')", "redis.pcall('nosuch') return 1", "return redis.call('get')", "redis.pcall('get') return 1",
    "return redis.call('eval')", "redis.pcall('blpop','l',0) error('x')", "error('x')", "error({err='MINE x'})", "return {err='MINE x'}",
    "return redis.error_reply('MINE x')", "return redis.call({})", "redis.pcall({}) return 1", "redis.call('set','a',1) return redis.call('incr','a')",
    "pcall(redis.call,'get','l') return 1", "pcall(redis.call,'get','l') error('y')", "return redis.call('config','get','x')",
])
def test_calls_and_errors_are_counted_as_redis_counts_them(pair, script):
    out = []
    for s in pair:
        with s.conn() as c:
            for w in SETUP:
                c.do(*w.split())
            c.do("CONFIG", "RESETSTAT")
            c.call("EVAL", script, "0")
            out.append(stats(c, "cmdstat_eval", "cmdstat_get", "cmdstat_set", "cmdstat_incr", "cmdstat_config|get", "cmdstat_blpop",
                             "errorstat_ERR", "errorstat_WRONGTYPE", "errorstat_MINE"))
    assert out[0] == out[1]


def test_monitor_shows_the_script_and_then_its_calls(pair):
    out = []
    for s in pair:
        with s.conn() as m, s.conn() as c:
            m.do("MONITOR")
            c.call("EVAL", "redis.call('set',KEYS[1],ARGV[1]) redis.pcall('nosuch') return redis.call('get',KEYS[1])", "1", "k", "v")
            c.do("PING")
            lines = []
            while b"PING" not in (lines[-1] if lines else b""):
                lines.append(m.read().raw)
            out.append([(b"lua]" in line, line.split(b"] ", 1)[1]) for line in lines])
    assert out[0] == out[1]


# --- one that does not end ---

def spin(server, script, *args):
    """Start a script on a connection of its own; its connection, once the server is busy with it."""
    c = server.conn()
    c.send("EVAL", script, *(args or ("0",)))
    with server.conn() as probe:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if (probe.call("PING").error or "").startswith("BUSY"):
                return c
            time.sleep(0.02)
    raise AssertionError("never busy")


BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."


def test_others_are_told_busy_until_it_is_killed(server, conn):
    c = spin(server, "while true do end")
    assert conn.call("GET", "x").error == BUSY
    assert conn.call("EVAL", "return 1", "0").error == BUSY
    assert conn.call("SHUTDOWN").error == BUSY
    assert conn.call("HELLO").error is None
    assert conn.call("MULTI").error is None
    assert conn.call("SET", "x", "1").error == BUSY
    assert conn.call("DISCARD").error is None
    assert conn.call("SCRIPT", "KILL").raw == b"+OK\r\n"
    assert c.read().error.startswith("ERR Script killed by user with SCRIPT KILL. script: ")
    assert conn.call("PING").raw == b"+PONG\r\n"
    assert "Slow script detected: still in execution after" in server.log()
    assert "Lua script killed by user with SCRIPT KILL." in server.log()
    c.close()


@pytest.mark.parametrize("script", [
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(error,'x') end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "while true do local co = coroutine.create(function() while true do end end) coroutine.resume(co) end",
    "local t = setmetatable({},{__index=function() while true do end end}) return t.x",
    "while true do redis.call('get','x') end",
    "while true do redis.pcall('nosuch') end",
    "while true do redis.call('ping') pcall(redis.call,'nosuch') end",
    "table.sort({1,2,3},function() while true do end end)",
    "local s = string.rep('a',100) while true do string.gsub(s,'a',function() end) end",
    "while true do loadstring('return 1')() end",
])
def test_no_way_of_looping_survives_a_kill(server, conn, script):
    c = spin(server, script)
    assert conn.call("SCRIPT", "KILL").raw == b"+OK\r\n"
    assert "Script killed by user with SCRIPT KILL." in c.read().error
    assert conn.call("EVAL", "return 5", "0").raw == b":5\r\n"
    c.close()


def test_what_wrote_cannot_be_killed(server, conn):
    c = spin(server, "redis.call('set','x','y') while redis.call('get','stop') == false do if redis.call('time')[1] == '0' then return end "
                     "local n = 0 while n < 3e7 do n = n + 1 end return 'done' end")
    assert conn.call("SCRIPT", "KILL").error.startswith("UNKILLABLE Sorry the script already executed write commands")
    assert c.read().plain() == b"done"
    assert conn.do("GET", "x") == b"y"
    c.close()


def test_pipelines_behind_a_busy_script_keep_their_order(server, conn):
    """The caller's own commands wait for it; those of others that came in the same turn are answered."""
    caller, other = server.conn(), server.conn()
    caller.send("EVAL", "while true do end", "0")
    caller.send("SET", "after", "1")
    caller.send("GET", "after")
    other.send("SET", "a", "1")
    other.send("GET", "a")
    time.sleep(0.4)
    first = [other.read().raw for _ in range(2)]
    assert first in ([b"+OK\r\n", b"$1\r\n1\r\n"], [f"-{BUSY}\r\n".encode()] * 2)
    assert conn.call("SCRIPT", "KILL").raw == b"+OK\r\n"
    assert caller.read().error
    assert caller.read().raw == b"+OK\r\n"
    assert caller.read().raw == b"$1\r\n1\r\n"
    for c in (caller, other):
        c.close()


def test_clients_come_and_go_while_busy(server, conn):
    c = spin(server, "while true do end")
    for i in range(40):
        with server.conn() as x:
            for _ in range(i % 4):
                x.send("GET", "x")
            if i % 2:
                assert x.call("PING").error == BUSY
    big = server.conn()
    big.send("SET", "big", "x" * 300000)
    assert big.read().error == BUSY
    big.close()
    assert conn.call("SCRIPT", "KILL").raw == b"+OK\r\n"
    assert c.read().error
    assert conn.do("PING") == b"PONG"
    c.close()


def test_a_caller_that_leaves_does_not_take_the_server_along(server, conn):
    c = spin(server, "while true do end")
    c.close()
    time.sleep(0.1)
    assert conn.call("PING").error == BUSY
    assert conn.call("SCRIPT", "KILL").raw == b"+OK\r\n"
    assert conn.do("PING") == b"PONG"


def test_busy_inside_a_transaction(server, conn):
    c = server.conn()
    c.do("MULTI")
    c.call("EVAL", "while true do end", "0")
    c.call("SET", "behind", "1")
    c.send("EXEC")
    end = time.monotonic() + 10
    while not (conn.call("PING").error or "").startswith("BUSY"):
        assert time.monotonic() < end
    conn.do("SCRIPT", "KILL")
    tree = c.read().tree[1]
    assert tree[0][0] == "-" and tree[1] == ("+", b"OK")
    assert conn.do("GET", "behind") == b"1"
    c.close()


def test_shutdown_nosave_ends_a_busy_server():
    with servers.Server("inodis", ["--busy-reply-threshold", "100"]) as s:
        with s.conn() as admin:
            c = spin(s, "redis.call('set','x','y') while true do end")
            admin.send("SHUTDOWN", "NOSAVE")
            s.proc.wait(20)
            c.close()


def test_a_subscriber_and_a_blocked_client_live_through_it(server, conn):
    with server.conn() as sub, server.conn() as blocked:
        sub.do("SUBSCRIBE", "ch")
        blocked.send("BLPOP", "queue", "0")
        c = spin(server, "while true do end")
        conn.do("SCRIPT", "KILL")
        c.read()
        conn.do("EVAL", "redis.call('rpush','queue','1','2') redis.call('publish','ch','m') return redis.call('llen','queue')", "0")
        assert blocked.read().plain() == [b"queue", b"1"]
        assert sub.read().plain() == [b"message", b"ch", b"m"]
        c.close()


# --- memory ---

BOMBS = [
    "local t = {} while true do t[#t+1] = {} end",
    "local s = 'x' while true do s = s .. s end",
    "return string.rep('x', 2^31 - 1)",
    "local t = {} for i = 1, 1e9 do t[i] = string.rep(i, 100) end",
    "return table.concat({string.rep('x', 3e7), string.rep('y', 3e7), string.rep('z', 3e7)})",
    "local f f = function(x) return {f({x})} end return f(1)",
    "local t = {} t[1] = t while true do t = {t, t} end",
    "return cjson.encode({string.rep('\\1', 3e7)})",
    "local s = string.rep('x', 2e7) local t = {} for i = 1, 500 do t[i] = s end return cjson.encode(t)",
    "local s = string.rep('x', 2e7) local t = {} for i = 1, 500 do t[i] = s end return cmsgpack.pack(t)",
    "return cmsgpack.unpack('\\221\\255\\255\\255\\255' .. string.rep('\\0', 3e7))",
    "return struct.pack('c0', string.rep('x', 6e7))",
    "local s = string.rep('x', 1e7) return string.gsub(s, 'x', string.rep('y', 1000))",
    "local t = {} for i = 1, 1e8 do t[i] = i end return #t",
    "return string.format(string.rep('%99d', 1e6), unpack({}))",
    "local t = {} while true do t[#t+1] = coroutine.create(function() end) end",
    "local t = {} while true do t[#t+1] = loadstring('return ' .. #t) end",
]


@pytest.fixture(scope="module")
def small():
    with servers.Server("inodis", ["--lua-memory-limit", "64mb"]) as s:
        yield s


@pytest.mark.parametrize("script", BOMBS)
def test_a_script_that_eats_memory_gets_an_error(small, script):
    with small.conn() as c:
        before = small.rss()
        reply = c.call("EVAL", script, "0")
        assert reply.error is not None and len(reply.error) < 400
        assert c.do("PING") == b"PONG"
        assert c.call("EVAL", "return 'fine'", "0").plain() == b"fine"
        limit = 1 << 30 if servers.sanitized() else 256 << 20
        assert small.rss() < before + limit
        assert int(small.info(c)["used_memory_vm_eval"]) < 64 << 20


def test_garbage_does_not_count_against_a_script(small):
    with small.conn() as c:
        assert c.do("EVAL", "for i = 1, 3000 do local s = string.rep('x', 100000) .. i end return 'ok'", "0") == b"ok"
        assert c.do("EVAL", "local keep = string.rep('y', 2e7) for i = 1, 3e6 do local t = {i} end return #keep", "0") == 20000000


def test_a_reply_of_a_hundred_megabytes(server, conn):
    reply = conn.call("EVAL", "return string.rep('x', 1024 * 1024 * 100)", "0")
    assert len(reply.plain()) == 100 << 20
    assert conn.do("PING") == b"PONG"


def test_a_deep_or_endless_table_ends_in_an_error(conn):
    conn.send("EVAL", "local t = {} t[1] = t return t", "0")
    data = b""
    while b"lua stack limit" not in data:
        data += conn.sock.recv(65536)
    while not data.endswith(b"-ERR reached lua stack limit\r\n"):
        data += conn.sock.recv(65536)


def test_scripts_that_eval_left_behind_are_bounded(conn):
    conn.do("SCRIPT", "FLUSH")
    conn.do("SCRIPT", "LOAD", "return 'kept'")
    for i in range(1200):
        conn.do("EVAL", f"return {i}", "0")
    info = dict(line.split(":", 1) for line in conn.do("INFO", "memory").decode().splitlines() if ":" in line)
    assert int(info["number_of_cached_scripts"]) == 501
    assert conn.do("EVALSHA", hashlib.sha1(b"return 'kept'").hexdigest(), "0") == b"kept"
    assert conn.do("EVALSHA", hashlib.sha1(b"return 1199").hexdigest(), "0") == 1199
    conn.do("SCRIPT", "FLUSH")


# --- effects ---

def aof_text(server):
    folder = os.path.join(server.dir, "appendonlydir")
    return b"".join(open(os.path.join(folder, f), "rb").read() for f in sorted(os.listdir(folder)) if f.endswith(".incr.aof"))


def test_effects_are_journalled_as_one_unit_and_come_back():
    with servers.Server("inodis", ["--appendonly", "yes", "--appendfsync", "always", "--busy-reply-threshold", "100"]) as s:
        with s.conn() as c:
            c.do("EVAL", "redis.call('set','a',1) redis.call('select',3) redis.call('incr','b') redis.call('get','a') return 1", "0")
            c.do("EVAL", "redis.call('set','single',1) return 1", "0")
            c.do("EVAL", "return redis.call('get','a')", "0")
            c.call("EVAL", "redis.call('set','kept',1) error('x')", "0")
            c.do("EVAL", "redis.set_repl(redis.REPL_NONE) redis.call('set','unsaid',1) redis.set_repl(redis.REPL_ALL) redis.call('set','said',1)", "0")
            c.do("EVAL", "redis.call('sadd','set','m') redis.call('spop','set') redis.call('incrbyfloat','f','0.5') return 1", "0")
            text = aof_text(s)
            assert b"EVAL" not in text.upper()
            assert b"unsaid" not in text and b"said" in text
            assert text.upper().count(b"MULTI") == 2
            digest = c.do("DEL", "unsaid") and c.do("DEBUG", "DIGEST")
            # A long one, that others' writes are answered in front of.
            with s.conn() as other:
                other.do("SET", "before", "1")
                c.send("EVAL", "redis.call('set','l1',1) redis.call('set','l2',1) local n = 0 while n < 2e7 do n = n + 1 end redis.call('set','l3',1)", "0")
                time.sleep(0.3)
                other.call("PING")
                c.read()
            digest = c.do("DEBUG", "DIGEST")
        s.stop()
        s.start()
        with s.conn() as c:
            assert c.do("DEBUG", "DIGEST") == digest
            assert c.do("GET", "l3") == b"1"


def test_time_stands_still_in_a_script(conn):
    assert conn.do("EVAL", "local a = redis.call('time') local n = 0 while n < 5e6 do n = n + 1 end local b = redis.call('time') "
                           "return a[1] == b[1] and a[2] == b[2]", "0") == 1
    assert conn.do("EVAL", "redis.call('set','t','x','px',20) local n = 0 while n < 1e7 do n = n + 1 end return redis.call('exists','t')", "0") == 1


def test_keyspace_events_and_watch_see_what_a_script_does(conn, server):
    conn.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
    with server.conn() as sub, server.conn() as w:
        sub.do("PSUBSCRIBE", "__key*__:*")
        w.do("WATCH", "k")
        conn.do("EVAL", "redis.call('set','k',1) redis.call('del','k')", "0")
        assert [sub.read().plain()[3] for _ in range(4)] == [b"set", b"k", b"del", b"k"]
        w.do("MULTI")
        w.call("PING")
        assert w.do("EXEC") is None
    conn.do("CONFIG", "SET", "notify-keyspace-events", "")


def test_many_clients_and_scripts_at_once(server, conn):
    conn.do("SET", "n", "0")

    def work():
        with server.conn() as c:
            for _ in range(300):
                c.do("EVAL", "local v = tonumber(redis.call('get',KEYS[1])) redis.call('set',KEYS[1],v+1) return v", "1", "n")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert conn.do("GET", "n") == b"1200"


def test_what_debug_opens_to_scripts_is_no_way_into_itself(conn):
    conn.do("DEBUG", "SET-DISABLE-DENY-SCRIPTS", "1")
    assert conn.do("EVAL", "return redis.call('config','get','maxmemory')", "0") == [b"maxmemory", b"0"]
    for call in ("'eval','return 1',0", "'script','flush'", "'function','flush'", "'multi'", "'subscribe','x'", "'monitor'", "'reset'"):
        assert "not allowed from script" in conn.call("EVAL", f"return redis.call({call})", "0").error
    conn.do("DEBUG", "SET-DISABLE-DENY-SCRIPTS", "0")


def test_byte_code_is_never_run(conn):
    code = "local f = string.dump(function() return 1 end) local g = loadstring(f) return g == nil"
    assert conn.do("EVAL", code, "0") == 1
    assert conn.call("EVAL", b"\x1bLua" + b"\x51" * 40, "0").error.startswith("ERR Error compiling script")


# --- what people run ---

UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
LIMIT = """
local used = redis.call('incr', KEYS[1])
if used == 1 then redis.call('pexpire', KEYS[1], ARGV[2]) end
if used > tonumber(ARGV[1]) then return {0, redis.call('pttl', KEYS[1]) > 0} end
return {1, tonumber(ARGV[1]) - used}
"""
ADD_JOB = """
local opts = cmsgpack.unpack(ARGV[1])
local id = redis.call('incr', KEYS[2])
redis.call('hmset', KEYS[3] .. id, 'name', opts[1], 'data', ARGV[2], 'opts', cjson.encode(opts[2]), 'priority', opts[2].priority or 0)
if opts[2].delay and opts[2].delay > 0 then
  redis.call('zadd', KEYS[4], opts[2].delay * 0x1000 + bit.band(id, 0xfff), id)
else
  redis.call('lpush', KEYS[1], id)
end
redis.call('xadd', KEYS[5], '*', 'event', 'added', 'jobId', id)
return tostring(id)
"""
MOVE_DELAYED = """
local ids = redis.call('zrangebyscore', KEYS[1], 0, (tonumber(ARGV[1]) + 1) * 0x1000, 'limit', 0, 1000)
if #ids > 0 then
  redis.call('zrem', KEYS[1], unpack(ids))
  for _, id in ipairs(ids) do redis.call('lpush', KEYS[2], id) end
end
return #ids
"""


def test_locks_limits_and_queues_behave_as_on_redis(pair):
    # {1: 'name', 2: {'delay': 5}} and {1: 'name', 2: {'priority': 2}}
    late = bytes.fromhex("92a46e616d6581a564656c617905")
    now = bytes.fromhex("92a46e616d6581a87072696f7269747902")
    queue = ["5", "wait", "id", "job:", "delayed", "events"]
    a, b = both(pair, [
        ["SET", "lock", "me", "NX", "PX", "30000"], ["EVAL", UNLOCK, "1", "lock", "you"], ["EVAL", UNLOCK, "1", "lock", "me"], ["EXISTS", "lock"],
        *[["EVAL", LIMIT, "1", "limit", "2", "60000"] for _ in range(4)],
        ["EVAL", ADD_JOB, *queue, now, "{}"], ["EVAL", ADD_JOB, *queue, late, "{}"], ["EVAL", ADD_JOB, *queue, now, "{}"],
        ["LRANGE", "wait", "0", "-1"], ["ZRANGE", "delayed", "0", "-1", "WITHSCORES"], ["HGETALL", "job:2"], ["XLEN", "events"],
        ["EVAL", MOVE_DELAYED, "2", "delayed", "wait", "4"], ["EVAL", MOVE_DELAYED, "2", "delayed", "wait", "5"], ["LRANGE", "wait", "0", "-1"],
    ])
    assert a == b
    assert b"-ERR" not in b"".join(a)
