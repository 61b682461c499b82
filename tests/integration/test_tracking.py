"""CLIENT TRACKING: the same bytes as redis-server, in both protocols; what dies is forgotten; what grows is bounded."""
import time

import pytest

from resp import Closed, pack

# Steps of connections a, b, c: what each receives from begin to end is compared. "@b" is b's id, "." a moment's wait, "a -" closes a,
# "a! ..." is a command without reply, "a 3" is HELLO 3.
SCRIPTS = {
    "default": ["a CLIENT TRACKING ON", "a GET k", "b SET k 1", "b SET k 2", "a GET k", "b DEL k", "b DEL k"],
    "several": ["a CLIENT TRACKING ON", "a MGET x y z x", "b MSET y 1 z 2", "b SET x 1", "a STRLEN x", "b APPEND x y"],
    "types": ["a CLIENT TRACKING ON", "a LRANGE l 0 -1", "a HGETALL h", "a SMEMBERS s", "a ZRANGE z 0 -1", "a XLEN t", "a EXISTS q", "b RPUSH l 1",
              "b HSET h f 1", "b SADD s 1", "b ZADD z 1 a", "b XADD t 1-1 f v", "b SET q 1"],
    "writes are not reads": ["a CLIENT TRACKING ON", "a SET k 1", "a INCR k", "a GETDEL k", "a GETSET k 3", "b SET k 2"],
    "own change": ["a CLIENT TRACKING ON", "a GET k", "a SET k 1", "a PING"],
    "own change noloop": ["a CLIENT TRACKING ON NOLOOP", "a GET k", "a SET k 1", "a GET k", "b SET k 2", "a GET j", "a SET j 1", "b SET j 1"],
    "movable": ["a CLIENT TRACKING ON", "b SADD s 3 1 2", "a SORT_RO s BY w_* GET o_*", "a ZUNION 2 z1 z2", "b SET w_1 1", "b SADD s 9", "b ZADD z2 1 x", "b ZADD z1 1 x",
                "a SINTERCARD 2 i1 i2", "b SADD i2 1", "a XREAD STREAMS t1 t2 0 0", "b XADD t2 1-1 f v"],
    "multi": ["a CLIENT TRACKING ON", "a MULTI", "a GET k", "a SET k 1", "a GET k", "a EXEC", "a PING", "b SET k 2"],
    "multi of another": ["a CLIENT TRACKING ON", "a MGET x y", "b MULTI", "b SET x 1", "b SET y 1", "b SET x 2", "b EXEC", "a PING"],
    "flush": ["a CLIENT TRACKING ON", "a GET k", "b FLUSHDB", "b SET k 1", "b FLUSHALL", "a FLUSHALL", "a PING"],
    "flush in multi": ["a CLIENT TRACKING ON", "a SET k 1", "a GET k", "a MULTI", "a FLUSHDB", "a PING", "a EXEC", "a PING"],
    "flush bcast": ["a CLIENT TRACKING ON BCAST PREFIX x", "b FLUSHALL"],
    "rename": ["a CLIENT TRACKING ON", "b SET k 1", "a MGET k j", "b RENAME k j", "a MGET k j", "b COPY j k", "a GET k", "b MOVE k 3", "a GET k"],
    "another database": ["a CLIENT TRACKING ON", "a GET k", "b SELECT 1", "b SET k 1"],
    "expire": ["a CLIENT TRACKING ON", "b SET k 1", "a TTL k", "b EXPIRE k 100", "a GET k", "b PERSIST k", "a GET k", "b EXPIRE k -1", "a GET k"],
    "lazy": ["b DEBUG SET-ACTIVE-EXPIRE 0", "a CLIENT TRACKING ON", "b SET k 1 PX 30", "b SET j 1 PX 30", "a MGET k j", "sleep", "a MGET k j", "a PING", "b DEBUG SET-ACTIVE-EXPIRE 1"],
    "lazy by another": ["b DEBUG SET-ACTIVE-EXPIRE 0", "a CLIENT TRACKING ON NOLOOP", "b SET k 1 PX 30", "a GET k", "sleep", "b GET k", "b DEBUG SET-ACTIVE-EXPIRE 1"],
    "active": ["a CLIENT TRACKING ON", "b SET k 1 PX 30", "a GET k", "long"],
    "off": ["a CLIENT TRACKING ON", "a GET k", "a CLIENT TRACKING OFF", "b SET k 1", "a CLIENT TRACKING OFF"],
    "optin": ["a CLIENT TRACKING ON OPTIN", "a GET k", "b SET k 1", "a CLIENT CACHING YES", "a GET k", "a GET j", "b SET k 2", "b SET j 1", "a CLIENT CACHING NO"],
    "optin and client": ["a CLIENT TRACKING ON OPTIN", "a CLIENT CACHING YES", "a CLIENT TRACKINGINFO", "a CLIENT GETREDIR", "a GET k", "a CLIENT TRACKINGINFO", "b SET k 1"],
    "optin and an error": ["a CLIENT TRACKING ON OPTIN", "a CLIENT CACHING YES", "a GET", "a GET k", "a CLIENT CACHING YES", "a NOSUCH", "a GET k", "b SET k 1"],
    "optin multi": ["a CLIENT TRACKING ON OPTIN", "a CLIENT CACHING YES", "a MULTI", "a GET k", "a GET j", "a EXEC", "a GET i", "b MSET k 1 j 1 i 1"],
    "optin in multi": ["a CLIENT TRACKING ON OPTIN", "a MULTI", "a CLIENT CACHING YES", "a GET k", "a EXEC", "a GET i", "b MSET k 1 i 1"],
    "optout": ["a CLIENT TRACKING ON OPTOUT", "a GET k", "b SET k 1", "a CLIENT CACHING NO", "a GET k", "a GET j", "b SET k 2", "b SET j 1", "a CLIENT CACHING YES"],
    "caching off": ["a CLIENT CACHING YES", "a CLIENT TRACKING ON", "a CLIENT CACHING YES", "a CLIENT CACHING NO", "a CLIENT CACHING x"],
    "info": ["a CLIENT TRACKINGINFO", "a CLIENT GETREDIR", "a CLIENT TRACKING ON", "a CLIENT TRACKINGINFO", "a CLIENT GETREDIR", "a CLIENT TRACKING ON NOLOOP OPTIN",
             "a CLIENT CACHING YES", "a CLIENT TRACKINGINFO", "a CLIENT TRACKING OFF", "a CLIENT TRACKINGINFO", "a CLIENT TRACKING ON OPTOUT REDIRECT @b",
             "a CLIENT CACHING NO", "a CLIENT TRACKINGINFO", "a CLIENT GETREDIR", "a CLIENT TRACKING OFF", "a CLIENT TRACKING ON BCAST PREFIX foo PREFIX bar",
             "a CLIENT TRACKINGINFO", "a CLIENT TRACKING ON BCAST PREFIX aaa", "a CLIENT TRACKINGINFO", "a CLIENT TRACKING ON BCAST", "a CLIENT TRACKINGINFO"],
    "errors": ["a CLIENT TRACKING", "a CLIENT TRACKING x", "a CLIENT TRACKING ON x", "a CLIENT TRACKING ON PREFIX", "a CLIENT TRACKING ON PREFIX x", "a CLIENT TRACKING ON REDIRECT",
               "a CLIENT TRACKING ON REDIRECT x", "a CLIENT TRACKING ON REDIRECT 999999", "a CLIENT TRACKING ON REDIRECT @b REDIRECT @b", "a CLIENT TRACKING ON BCAST OPTIN",
               "a CLIENT TRACKING ON OPTIN OPTOUT", "a CLIENT TRACKING ON", "a CLIENT TRACKING ON BCAST", "a CLIENT TRACKING ON OPTIN", "a CLIENT TRACKING ON OPTOUT", "a CLIENT TRACKING off x",
               "a CLIENT TRACKING OFF", "a CLIENT TRACKING ON BCAST", "a CLIENT TRACKING ON", "a CLIENT TRACKING ON BCAST PREFIX x", "a CLIENT TRACKING ON REDIRECT -1",
               "a CLIENT TRACKING ON REDIRECT 0", "a CLIENT CACHING", "a CLIENT GETREDIR x", "a CLIENT TRACKINGINFO x"],
    # 7.0 answers twice where a prefix behind the first clashes with another that is given.
    "overlaps": ["a CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar", "a CLIENT TRACKING ON BCAST PREFIX foobar PREFIX x PREFIX foo", "a CLIENT TRACKING ON BCAST PREFIX foo PREFIX m", "a CLIENT TRACKING ON BCAST PREFIX foo", "a CLIENT TRACKING ON BCAST PREFIX q PREFIX mm", "a CLIENT TRACKING ON BCAST PREFIX f",
                 "a CLIENT TRACKING ON BCAST PREFIX ", "a CLIENT TRACKINGINFO"],
    "bcast": ["a CLIENT TRACKING ON BCAST", "b SET k 1", "a SET j 2", "b MULTI", "b INCR b", "b INCR c", "b INCR a", "b INCR b", "b EXEC", "a MULTI", "a SET x 1", "a EXEC"],
    "bcast prefixes": ["a CLIENT TRACKING ON BCAST PREFIX b: PREFIX a: PREFIX long:", "b MULTI", "b SET a:1 1", "b SET b:2 2", "b SET c:3 3", "b SET b:1 1", "b SET a 1", "b SET b: 1", "b EXEC", "b SET a:1 2", "b SET c:3 1"],
    "bcast noloop": ["a CLIENT TRACKING ON BCAST NOLOOP", "a SET k 1", "b SET k 2", "a MULTI", "a SET x 1", "a EXEC", "b SET y 1"],
    "bcast of two": ["a CLIENT TRACKING ON BCAST PREFIX x", "c CLIENT TRACKING ON BCAST NOLOOP PREFIX x", "c MSET x1 1 x2 2 y 1", "b MSET x2 1 x3 2", "."],
    "bcast after default": ["a CLIENT TRACKING ON", "a GET k", "a CLIENT TRACKING OFF", "a CLIENT TRACKING ON BCAST", "b SET k 1"],
    "bcast lazy noloop": ["a CLIENT TRACKING ON BCAST NOLOOP", "a SET k 1 PX 30", "a SET other 1", "long", "a PING"],
    "redirect": ["b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON REDIRECT @b", "a GET k", "c SET k 1", "c SET k 2", "a MGET x y", "c MSET x 1 y 1", "a GET k", "a SET k 1"],
    # To another protocol than the tracking client's 7.0 sends the wrong null.
    "redirect flush": ["b 3", "b SUBSCRIBE __redis__:invalidate", "a 3", "a CLIENT TRACKING ON REDIRECT @b", "a GET k", "c FLUSHALL"],
    "redirect to a subscriber of something": ["b PSUBSCRIBE x", "a CLIENT TRACKING ON REDIRECT @b", "a GET k", "c SET k 1"],
    "redirect to nobody's subscriber": ["a CLIENT TRACKING ON REDIRECT @b", "a GET k", "c SET k 1", "b PING"],
    "redirect bcast": ["b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON REDIRECT @b BCAST PREFIX x", "c MSET x1 1 x2 1 y 1", "."],
    "redirect to oneself": ["a CLIENT TRACKING ON REDIRECT @a", "a GET k", "c SET k 1", "a CLIENT GETREDIR"],
    "redirected anew": ["b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON", "a GET k", "a CLIENT TRACKING ON REDIRECT @b", "c SET k 1", "a CLIENT GETREDIR"],
    "broken redirection": ["b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON REDIRECT @b", "a GET k", "b -", "sleep", "c SET k 1", "a CLIENT TRACKINGINFO", "a CLIENT GETREDIR",
                           "a CLIENT TRACKING ON", "a CLIENT TRACKINGINFO"],
    "broken bcast": ["b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON BCAST REDIRECT @b", "b -", "sleep", "c SET k 1", ".", "a CLIENT TRACKINGINFO"],
    "reset": ["a CLIENT TRACKING ON", "a GET k", "a RESET", "a CLIENT TRACKINGINFO", "a HELLO 3 SETNAME x", "b SET k 1", "a PING"],
    "reset bcast": ["a CLIENT TRACKING ON BCAST", "a RESET", "a CLIENT TRACKINGINFO", "b SET k 1", "a PING"],
    "protocol": ["a CLIENT TRACKING ON", "a 2", "a GET k", "a 3", "b SET k 1", "a GET k", "a 2", "b SET k 2"],
    "reply off": ["a CLIENT TRACKING ON", "a GET k", "a! CLIENT REPLY OFF", "b SET k 1", "a! GET k", "b SET k 2", "a CLIENT REPLY ON"],
    "reply skip": ["a CLIENT TRACKING ON", "a GET k", "a! CLIENT REPLY SKIP", "a! SET k 1", "a PING"],
    "own change in a script": ["a CLIENT TRACKING ON", "a GET k", "a EVAL return{redis.call('set','k','2'),redis.call('get','k')} 1 k", "a PING", "b SET k 3"],
    "own change in a script noloop": ["a CLIENT TRACKING ON NOLOOP", "a GET k", "a EVAL return(redis.call('set','k','2')) 1 k", "a PING", "a GET k", "b SET k 3"],
    "script in multi": ["a CLIENT TRACKING ON", "a MULTI", "a EVAL return(redis.call('get','k')) 1 k", "a SET k 1", "a EXEC", "a PING", "b SET k 2"],
    "sort store": ["a CLIENT TRACKING ON", "b RPUSH l 3 1 2", "a SORT l", "b RPUSH l 4", "a GET d", "b SORT l STORE d"],
    "blocking": ["a CLIENT TRACKING ON", "a LRANGE q 0 -1", "b! BLPOP q 0", "c RPUSH q 1", "a LRANGE q 0 -1", "."],
    "own blocking": ["a CLIENT TRACKING ON", "a LRANGE q 0 -1", "a! BLPOP q 0", "c RPUSH q 1", ".", "a PING"],
    "scan": ["a CLIENT TRACKING ON", "b SET k 1", "a SCAN 0", "a KEYS *", "a DBSIZE", "a RANDOMKEY", "b SET k 2"],
    "object": ["a CLIENT TRACKING ON", "b SET k 1", "a OBJECT ENCODING k", "a TYPE k", "b SET k 2", "a DUMP j", "b SET j 1", "a TOUCH i", "b SET i 1"],
}


def ids_meet(*pair):
    """Have both servers give the same ids to the connections that come next."""
    while True:
        ids = []
        for s in pair:
            with s.conn() as c:
                ids.append(c.do("CLIENT", "ID"))
        if ids[0] == ids[1]:
            return
        low = pair[ids[0] > ids[1]]
        for _ in range(abs(ids[0] - ids[1])):
            with low.conn() as c:
                c.do("PING")


def drain(conn, seconds):
    conn.sock.settimeout(seconds)
    out = bytes(conn.buf)
    conn.buf.clear()
    try:
        while got := conn.sock.recv(1 << 20):
            out += got
    except TimeoutError:
        pass
    return out


def play(server, script, protos, slowness):
    conns = {}
    ids = {}
    for name, proto in zip("abc", protos):
        conns[name] = server.conn()
        conns[name].do("HELLO", str(proto))
        ids["@" + name] = str(conns[name].do("CLIENT", "ID"))
    conns["c"].do("FLUSHALL")
    for step in script:
        if step in (".", "sleep", "long"):
            time.sleep({".": 0.02, "sleep": 0.06, "long": 0.3}[step] * slowness)
            continue
        who, *words = step.split(" ")
        c = conns[who[0]]
        if words == ["-"]:
            c.close()
            continue
        if words in (["2"], ["3"]):
            words = ["HELLO", words[0]]
        words = [str(int(w) * slowness) if before == "PX" else w for before, w in zip([""] + words, words)]
        c.send(*[ids.get(w, w) for w in words])
        if who[-1] == "!":
            time.sleep(0.01 * slowness)
            continue
        c.buf += c.sock.recv(1 << 20)
        time.sleep(0.002 * slowness)
    got = {}
    for name, c in conns.items():
        if c.sock.fileno() >= 0:
            got[name] = drain(c, 0.03 * slowness)
            c.close()
    return {k: v.replace(b"$6\r\n7.0.15", b"$5\r\n7.2.4") for k, v in got.items()}


@pytest.mark.parametrize("protos", [(3, 3, 3), (2, 2, 2), (3, 2, 2), (2, 3, 3)])
@pytest.mark.parametrize("name", list(SCRIPTS))
def test_caching_clients_are_told_what_redis_tells(pair, name, protos):
    ids_meet(*pair)
    for slowness in (1, 4):  # keys that expire while a busy machine has others to serve expire before another step in one of them
        mine, theirs = (play(s, SCRIPTS[name], protos, slowness) for s in pair)
        if mine == theirs:
            break
    assert mine == theirs


def tracker(server, *options, proto=3):
    c = server.conn()
    c.do("HELLO", proto)
    c.do("CLIENT", "TRACKING", "ON", *options)
    return c


def stats(conn):
    text = conn.do("INFO", "everything").decode()
    return {k: int(v) for k, v in (line.split(":", 1) for line in text.splitlines() if line.startswith("tracking_"))}


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def push(conn):
    return conn.read().plain()


def test_figures_count_clients_keys_items_and_prefixes(server, conn):
    assert stats(conn) == {"tracking_clients": 0, "tracking_total_keys": 0, "tracking_total_items": 0, "tracking_total_prefixes": 0}
    with tracker(server) as a, tracker(server) as b, tracker(server, "BCAST", "PREFIX", "x", "PREFIX", "y"):
        a.do("MGET", "k", "j")
        b.do("GET", "k")
        assert stats(conn) == {"tracking_clients": 3, "tracking_total_keys": 2, "tracking_total_items": 3, "tracking_total_prefixes": 2}
        conn.do("SET", "k", 1)
        assert stats(conn)["tracking_total_items"] == 1
        assert push(a) == push(b) == [b"invalidate", [b"k"]]
        conn.do("FLUSHALL", "ASYNC")
        assert stats(conn)["tracking_total_keys"] == 0
        assert push(a) == push(b) == [b"invalidate", None]


def test_what_a_dead_client_read_is_forgotten(server, conn):
    with tracker(server) as stays:
        stays.do("MGET", *range(500))
        with tracker(server) as goes:
            for i in range(20):
                goes.do("MGET", *range(i * 1000, i * 1000 + 1000))
            assert stats(conn)["tracking_total_keys"] == 20000
        wait_for(lambda: stats(conn)["tracking_total_items"] == 500)
        conn.do("SET", "499", "x")
        assert push(stays) == [b"invalidate", [b"499"]]
    wait_for(lambda: stats(conn)["tracking_total_keys"] == 0)


def test_the_table_is_bounded_and_who_loses_a_key_is_told(server, conn):
    conn.do("CONFIG", "SET", "tracking-table-max-keys", 100)
    with tracker(server, "NOLOOP") as a:
        # One call's keys at a time may be over.
        a.send("MGET", *range(1000))
        assert len(push(a)) == 1000
        assert stats(conn)["tracking_total_keys"] == 100
        told = {push(a)[1][0] for _ in range(900)}
        assert len(told) == 900
        conn.do("CONFIG", "SET", "tracking-table-max-keys", 1)
        more = {push(a)[1][0] for _ in range(99)}
        assert not told & more and len(more) == 99
        assert stats(conn)["tracking_total_keys"] == 1


def test_huge_names_do_not_grow_the_table_without_bound(server, conn):
    conn.do("CONFIG", "SET", "tracking-table-max-keys", 1000)
    with tracker(server) as a:
        for i in range(100):
            a.send("GET", b"%d" % i + b"k" * (2 << 20))
            while not isinstance(push(a), type(None)):
                pass
        assert stats(conn)["tracking_total_keys"] < 40


def test_an_evicted_key_is_told_before_the_reply_of_the_command_that_needed_room(server, conn):
    conn.do("CONFIG", "SET", "maxmemory-policy", "volatile-random")
    conn.do("SETEX", "volatile", 10000, "x")
    with tracker(server) as a:
        assert a.do("GET", "volatile") == b"x"
        used = int(conn.do("INFO", "memory").decode().split("used_memory:")[1].split("\r")[0])
        conn.do("CONFIG", "SET", "maxmemory", used + 100 * 1024)
        conn.do("SETBIT", "big", 1600000, 0)
        a.send("INCR", "n")
        assert push(a) == [b"invalidate", [b"volatile"]]
        a.read()


def test_a_caching_client_that_never_reads_is_closed(server, conn):
    conn.do("CONFIG", "SET", "client-output-buffer-limit", "normal 1000000 0 0")
    with tracker(server, "BCAST") as a:
        wait_for(lambda: not conn.do("MSET", *(w for i in range(1000) for w in (b"%d" % i + b"k" * 1000, 1))) or stats(conn)["tracking_clients"] == 0, 60)
        with pytest.raises(Closed):
            while True:
                a.read()
    assert "scheduled to be closed ASAP for overcoming of output buffer limits" in server.log()


def test_own_writes_that_are_never_read_close_too(server, conn):
    conn.do("CONFIG", "SET", "client-output-buffer-limit", "normal 100000 0 0")
    with tracker(server) as a:
        for word in ("GET", "SET"):
            try:
                a.send_raw(b"".join(pack([word, b"%d" % i + b"k" * 20000] + ["1"] * (word == "SET")) for i in range(2000)))
            except ConnectionError:
                pass
        wait_for(lambda: stats(conn)["tracking_clients"] == 0)


def test_many_prefixes_are_checked_in_time_that_grows_with_their_number(server, conn):
    with server.conn() as a:
        words = ["CLIENT", "TRACKING", "ON", "BCAST"]
        for i in range(200000):
            words += ["PREFIX", "p%06d" % i]
        assert a.do(*words) == b"OK"
        assert a.call(*words[:4], "PREFIX", "x", "PREFIX", "y", "PREFIX", "yy").error.startswith("ERR Prefix 'y' overlaps with another provided prefix 'yy'")
        assert a.call(*words[:4], "PREFIX", "p00001").error.startswith("ERR Prefix 'p00001' overlaps with an existing prefix 'p000010'")
        begin = time.monotonic()
        for i in range(1000):
            conn.do("SET", "p%06d" % i, 1)
        assert time.monotonic() - begin < 10
    assert conn.do("PING") == b"PONG"
    wait_for(lambda: stats(conn)["tracking_total_prefixes"] == 0)


def test_client_list_shows_who_tracks_and_how(server, conn):
    def fields(c):
        return dict(w.split("=", 1) for w in c.do("CLIENT", "INFO").decode().split())

    mine = str(conn.do("CLIENT", "ID"))
    assert (fields(conn)["flags"], fields(conn)["redir"]) == ("N", "-1")
    with tracker(server) as a:
        assert (fields(a)["flags"], fields(a)["redir"], fields(a)["resp"]) == ("t", "0", "3")
    with tracker(server, "BCAST", "REDIRECT", mine, proto=2) as a:
        assert (fields(a)["flags"], fields(a)["redir"], fields(a)["resp"]) == ("tB", mine, "2")
    with server.conn() as gone:
        gone_id = str(gone.do("CLIENT", "ID"))
        a = tracker(server, "REDIRECT", gone_id, proto=2)
        a.do("GET", "k")
    time.sleep(0.05)
    conn.do("SET", "k", 1)
    assert (fields(a)["flags"], fields(a)["redir"]) == ("tR", gone_id)
    a.close()


def test_swapdb_and_reload_tell_everybody_to_forget(server, conn):
    with tracker(server) as a:
        a.do("GET", "k")
        conn.do("SWAPDB", 0, 1)
        assert push(a) == [b"invalidate", None]
        conn.do("DEBUG", "RELOAD")
        assert push(a) == [b"invalidate", None]


def test_of_a_script_only_what_its_commands_read_is_tracked(server, conn):
    """As 7.2 has it; 7.0 takes the script's own keys."""
    with tracker(server) as a:
        for eval in ("EVAL", "EVAL_RO"):
            a.do(eval, "return redis.call('strlen', 'k2')", 2, "k1", "k2")
            assert stats(conn)["tracking_total_items"] == 1
            conn.do("MSET", "k1", 1, "k2", 1)
            assert push(a) == [b"invalidate", [b"k2"]]
        a.do("EVAL", "redis.call('set', 'k3', 'x')", 1, "k3")
        assert stats(conn)["tracking_total_items"] == 0


def test_a_script_s_changes_are_its_caller_s(server, conn):
    with tracker(server, "BCAST", "NOLOOP") as a:
        a.do("EVAL", "redis.call('set', 'mine', 1)", 1, "mine")
        conn.do("EVAL", "redis.call('mset', 'k', 1, 'j', 1)", 2, "k", "j")
        assert push(a) == [b"invalidate", [b"j", b"k"]]


def test_a_write_through_the_mount_is_told(start, tmp_path):
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    try:
        server = start("--mount", str(mnt))
    except AssertionError:
        pytest.skip("no FUSE here")
    if not (mnt / "string").is_dir():
        pytest.skip("no FUSE here")
    with tracker(server) as a:
        a.do("GET", "name")
        (mnt / "string" / "name").write_text("Suyeon\n")
        assert push(a) == [b"invalidate", [b"name"]]
        assert a.do("GET", "name") == b"Suyeon"
        # Reading a file is no client's reading.
        (mnt / "string" / "name").read_text()
        (mnt / "string" / "name").unlink()
        assert push(a) == [b"invalidate", [b"name"]]
