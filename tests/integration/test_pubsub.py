"""Publish/subscribe: the same bytes as redis-server, in both protocols; subscribers that do not read; what it costs."""
import socket
import time

import pytest

import servers
from resp import Closed, pack

# Steps of connections a, b, c: what each receives from begin to end is compared. "." waits for what is on its way to c.
SCRIPTS = {
    "one channel": ["a SUBSCRIBE ch", "c PUBLISH ch hello", "c PUBLISH other x", "c PUBLISH ch ", "."],
    "several": ["a SUBSCRIBE x y z y", "b SUBSCRIBE y", "c PUBLISH x 1", "c PUBLISH y 2", "c PUBLISH z 3", "."],
    "pattern": ["a PSUBSCRIBE n*ws h?llo [ab]c", "c PUBLISH news 1", "c PUBLISH hello 2", "c PUBLISH bc 3", "c PUBLISH zz 4", "."],
    "channel and pattern": ["a SUBSCRIBE news", "a PSUBSCRIBE news", "c PUBLISH news 1", "."],
    "counts": ["a SUBSCRIBE x", "a PSUBSCRIBE x", "a SSUBSCRIBE x", "a SUBSCRIBE y", "a UNSUBSCRIBE x", "a PUNSUBSCRIBE x", "a SUNSUBSCRIBE x",
               "a UNSUBSCRIBE y"],
    "unsubscribe from nothing": ["a UNSUBSCRIBE", "a PUNSUBSCRIBE", "a SUNSUBSCRIBE", "a UNSUBSCRIBE x", "a PUNSUBSCRIBE x y", "a PING"],
    "unsubscribe from all": ["a SUBSCRIBE x", "a UNSUBSCRIBE", "a PSUBSCRIBE x", "a UNSUBSCRIBE", "a PUNSUBSCRIBE", "a SSUBSCRIBE s",
                             "a SUNSUBSCRIBE", "a GET k"],
    "context": ["a SUBSCRIBE x", "a GET k", "b PUBLISH x y", "a MULTI", "a SUBSCRIBE", "a NOSUCH", "a CLIENT ID", "a CLIENT LIST", "a PING", "a PING m",
                "a PING m m", "a HELLO 3 x", "a ECHO y", "a UNSUBSCRIBE x", "a GET k", "a PING"],
    "shard context": ["a SSUBSCRIBE x", "a GET k", "a PING", "a SUNSUBSCRIBE", "a GET k"],
    "reset": ["a SUBSCRIBE x", "a PSUBSCRIBE y", "a SSUBSCRIBE z", "a RESET", "c PUBLISH x 1", "c PUBLISH y 1", "c SPUBLISH z 1", "a PING"],
    "quit": ["a SUBSCRIBE x", "a QUIT", "c PUBLISH x 1"],
    "arity": ["a SUBSCRIBE", "a PSUBSCRIBE", "a SSUBSCRIBE", "c PUBLISH x", "c PUBLISH", "c SPUBLISH x", "c PUBSUB", "c PUBSUB NUMPAT 1",
              "c PUBSUB CHANNELS a b", "c PUBSUB NOSUCH", "c PUBSUB SHARDCHANNELS a b"],
    "shards": ["a SSUBSCRIBE s1 s2", "b SUBSCRIBE s1", "c SPUBLISH s1 m", "c PUBLISH s1 n", "c SPUBLISH s3 m", "a SUNSUBSCRIBE s1",
               "c SPUBLISH s1 m", "c SPUBLISH s2 m", "."],
    "pubsub": ["a SUBSCRIBE one", "b SUBSCRIBE one", "a PSUBSCRIBE p*", "b PSUBSCRIBE p*", "b PSUBSCRIBE q*", "a SSUBSCRIBE shard",
               "c PUBSUB CHANNELS", "c PUBSUB CHANNELS o*", "c PUBSUB CHANNELS x*", "c PUBSUB NUMSUB", "c PUBSUB NUMSUB one two one",
               "c PUBSUB NUMPAT", "c PUBSUB SHARDCHANNELS", "c PUBSUB SHARDCHANNELS x", "c PUBSUB SHARDNUMSUB", "c PUBSUB SHARDNUMSUB shard one",
               "c PUBSUB HELP"],
    "closed": ["a SUBSCRIBE one", "a PSUBSCRIBE p*", "a -", "sleep", "c PUBSUB CHANNELS", "c PUBSUB NUMPAT", "c PUBLISH one 1"],
    "multi": ["a MULTI", "a SUBSCRIBE x", "a PING", "a EXEC", "c PUBLISH x outside", "."],
    "multi publish": ["a SUBSCRIBE x", "c MULTI", "c PUBLISH x 1", "c SET k 1", "c PUBLISH x 2", "c EXEC", "."],
    "multi subscribe and back": ["a MULTI", "a SUBSCRIBE x", "a UNSUBSCRIBE", "a GET k", "a EXEC", "a PING"],
    "reply off": ["a CLIENT REPLY OFF", "a SUBSCRIBE x", "a PING", "c PUBLISH x 1", ".", "a UNSUBSCRIBE"],
    "empty names": ["a SUBSCRIBE ", "a PSUBSCRIBE ", "c PUBLISH  m", "."],
    "middle": ["a SUBSCRIBE x", "c PUBLISH x " + "m" * 15000, "c PUBLISH x " + "n" * 16384, "."],
    "big": ["a SUBSCRIBE x", "b SUBSCRIBE x", "a PSUBSCRIBE x*", "c PUBLISH x " + "m" * 300000, "c PUBLISH x " + "n" * 40000, "."],
    "long channel": ["a SUBSCRIBE " + "c" * 5000, "c PUBLISH " + "c" * 5000 + " m", "."],
}
# 7.2 sends a message that a command brings to its own connection after the command's reply; 7.0 sends it in front, which breaks the
# reply of EXEC. So these have no partner.
OWN_SUBSCRIBE = b">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n"
OWN = {
    "publish": ([["PUBLISH", "x", "1"], ["GET", "k"]],
                b":1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n_\r\n"),
    "in exec": ([["MULTI"], ["PUBLISH", "x", "1"], ["GET", "k"], ["PUBLISH", "x", "2"], ["EXEC"]],
                b"+OK\r\n" + b"+QUEUED\r\n" * 3 + b"*3\r\n:1\r\n_\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n"
                b">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n2\r\n"),
    "muted": ([["CLIENT", "REPLY", "SKIP"], ["PUBLISH", "x", "1"]], b">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n"),
    "big": ([["PUBLISH", "x", b"y" * 100000]],
            b":1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$100000\r\n" + b"y" * 100000 + b"\r\n"),
    "event": ([["CONFIG", "SET", "notify-keyspace-events", "KA"], ["PSUBSCRIBE", "__key*"], ["SET", "k", "v"]],
              b"+OK\r\n>3\r\n$10\r\npsubscribe\r\n$6\r\n__key*\r\n:2\r\n+OK\r\n"
              b">4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$16\r\n__keyspace@0__:k\r\n$3\r\nset\r\n"),
}

def drain(conn, seconds):
    conn.sock.settimeout(seconds)
    out = bytes(conn.buf)
    conn.buf.clear()
    try:
        while True:
            got = conn.sock.recv(1 << 20)
            if not got:
                out += b"<closed>"
                break
            out += got
    except TimeoutError:
        pass
    return out


def play(server, script, protos):
    conns = {}
    got = {}
    for name, proto in zip("abc", protos):
        conns[name] = server.conn()
        if proto == 3:
            conns[name].do("HELLO", "3")
    conns["c"].do("FLUSHALL")
    for step in script:
        if step in (".", "sleep"):
            time.sleep(0.03)
            continue
        who, *words = step.split(" ")
        c = conns[who]
        if words == ["-"]:
            c.close()
            continue
        # The connections act one after the other: what one did is done when a reply or a push of it is there, or a moment has passed.
        c.send(*words)
        muted = "REPLY" in words or got.get(who + "muted")
        if "REPLY" in words and words[-1] == "OFF":
            got[who + "muted"] = b"1"
        first = c.sock.recv(1 << 20) if not muted else b""
        if first:
            c.buf += first
        else:
            time.sleep(0.02)
        time.sleep(0.002)
    for name, c in conns.items():
        if c.sock.fileno() >= 0:
            got[name] = drain(c, 0.04)
            c.close()
    # What differs by nature: ids and versions.
    return {k: b"hello" if b"redis_version" in v else v for k, v in got.items()}


@pytest.mark.parametrize("protos", [(2, 2, 2), (3, 3, 3), (2, 3, 2)])
@pytest.mark.parametrize("name", list(SCRIPTS))
def test_subscribers_receive_what_redis_sends(pair, name, protos):
    script = [s for s in SCRIPTS[name] if protos[0] == 2 or s != "a CLIENT LIST"]
    if protos[0] == 3 and name == "context":
        script = [s for s in script if s not in ("a CLIENT ID",)]
    mine, theirs = (play(s, script, protos) for s in pair)
    assert mine == theirs


@pytest.mark.parametrize("name", list(OWN))
@pytest.mark.parametrize("pipelined", [False, True])
def test_messages_to_oneself_come_after_the_reply(server, name, pipelined):
    commands, want = OWN[name]
    with server.conn() as c:
        c.do("HELLO", "3")
        assert c.call("SUBSCRIBE", "x").raw == OWN_SUBSCRIBE
        if pipelined:
            c.send_raw(b"".join(pack(w) for w in commands + [["PING"]]))
        else:
            for words in commands:
                c.send(*words)
                time.sleep(0.005)
            c.send("PING")
        want += b"+PONG\r\n"
        got = b""
        while len(got) < len(want):
            got += c.sock.recv(1 << 20)
        assert got == want


def fields(conn, name):
    for line in conn.do("CLIENT", "LIST").decode().splitlines():
        f = dict(w.split("=", 1) for w in line.split(" "))
        if f["name"] == name:
            return f
    return None


def test_client_list_and_info_show_subscribers_as_redis_does(pair):
    got = []
    for s in pair:
        seen = []
        with s.conn() as c, s.conn() as other:
            c.do("CLIENT", "SETNAME", "sub")
            for words in (["SUBSCRIBE", "a"], ["SUBSCRIBE", "b"], ["PSUBSCRIBE", "p*"], ["SSUBSCRIBE", "s"], ["UNSUBSCRIBE", "a"],
                          ["SUNSUBSCRIBE", "s"]):
                c.call(*words)
                f = fields(other, "sub")
                info = s.info(other)
                seen.append([f[k] for k in ("flags", "sub", "psub", "ssub", "cmd", "resp")]
                            + [info[k] for k in ("pubsub_channels", "pubsub_patterns", "pubsubshard_channels")])
            seen.append(len(other.do("CLIENT", "LIST", "TYPE", "pubsub").splitlines()))
            seen.append(b"name=sub" in other.do("CLIENT", "LIST", "TYPE", "normal"))
            seen.append(other.do("CLIENT", "KILL", "TYPE", "pubsub"))
            seen.append(c.closed_by_server())
        got.append(seen)
    assert got[0] == got[1]


def test_redis_py_subscribes(server):
    redis = pytest.importorskip("redis")
    r = redis.Redis(port=server.port)
    with r.pubsub() as p:
        p.subscribe("a")
        p.psubscribe("b*")
        r.publish("a", "1")
        r.publish("bee", "2")
        got = []
        end = time.monotonic() + 5
        while len(got) < 4 and time.monotonic() < end:
            m = p.get_message(timeout=1)
            if m:
                got.append((m["type"], m["channel"], m["data"]))
        assert got == [("subscribe", b"a", 1), ("psubscribe", b"b*", 2), ("message", b"a", b"1"), ("pmessage", b"bee", b"2")]


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_subscriber_that_never_reads_is_let_go(server, size):
    with server.conn() as admin, server.conn() as good, server.conn() as pub:
        admin.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 2mb 1mb 60")
        used = int(server.info(admin)["used_memory"])
        stuck = socket.create_connection(("127.0.0.1", server.port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(pack(["SUBSCRIBE", "ch"]))
        good.do("SUBSCRIBE", "ch")
        while pub.do("PUBSUB", "NUMSUB", "ch")[1] < 2:
            time.sleep(0.01)
        peak = 0
        count = 0
        end = time.monotonic() + 60
        while pub.do("PUBSUB", "NUMSUB", "ch")[1] == 2 and time.monotonic() < end:
            for _ in range(50):
                pub.send("PUBLISH", "ch", b"x" * size)
            for _ in range(50):
                pub.read()
                assert good.read().plain()[2] == b"x" * size
                count += 1
            peak = max(peak, int(server.info(admin)["used_memory"]) - used)
        assert pub.do("PUBSUB", "NUMSUB", "ch")[1] == 1
        assert peak < 24 * 1024 * 1024
        assert int(server.info(admin)["client_output_buffer_limit_disconnections"]) == 1
        assert pub.do("PUBLISH", "ch", "still") == 1
        assert good.read().plain()[2] == b"still"
        stuck.close()


def test_a_subscriber_over_the_soft_limit_for_long_is_let_go(server):
    with server.conn() as admin, server.conn() as pub:
        admin.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 512mb 1mb 1")
        stuck = socket.create_connection(("127.0.0.1", server.port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(pack(["SUBSCRIBE", "ch"]))
        time.sleep(0.1)
        for _ in range(400):
            pub.do("PUBLISH", "ch", b"x" * 30000)
        end = time.monotonic() + 10
        while pub.do("PUBSUB", "NUMSUB", "ch")[1] and time.monotonic() < end:
            time.sleep(0.05)
        assert pub.do("PUBSUB", "NUMSUB", "ch")[1] == 0
        stuck.close()


def test_a_big_message_is_kept_once_for_all_subscribers(server):
    n = 20
    with server.conn() as admin, server.conn() as pub:
        admin.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0")
        subs = []
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", server.port))
            s.sendall(pack(["SUBSCRIBE", "ch"]))
            subs.append(s)
        while pub.do("PUBSUB", "NUMSUB", "ch")[1] < n:
            time.sleep(0.01)
        used = int(server.info(admin)["used_memory"])
        assert pub.do("PUBLISH", "ch", b"x" * (16 << 20)) == n
        grown = int(server.info(admin)["used_memory"]) - used
        assert grown < 40 << 20
        want = b"*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$%d\r\n" % (16 << 20)
        for s in subs[:3]:
            s.settimeout(20)
            got = 0
            head = b""
            while got < (16 << 20) + len(want) + 2:
                part = s.recv(1 << 20)
                assert part
                head = (head + part)[:200]
                got += len(part)
            assert want in head
        for s in subs:
            s.close()


def test_many_subscriptions_are_freed_with_their_client(server):
    n = 20_000 if servers.sanitized() else 200_000
    with server.conn() as other:
        used = int(server.info(other)["used_memory"])
        with server.conn() as c:
            for i in range(0, n, 10000):
                c.send("SUBSCRIBE", *range(i, i + 10000))
                for _ in range(10000):
                    c.read()
            assert other.do("PUBLISH", "77", "x") == 1
            assert int(server.info(other)["pubsub_channels"]) == n
        end = time.monotonic() + 30
        while int(server.info(other)["pubsub_channels"]) and time.monotonic() < end:
            time.sleep(0.05)
        assert int(server.info(other)["used_memory"]) - used < 3_000_000


def test_closed_connections_are_noticed_by_publish(server):
    with server.conn() as pub:
        subs = [server.conn() for _ in range(50)]
        for s in subs:
            s.do("SUBSCRIBE", "ch")
        for i, s in enumerate(subs):
            if i % 2:
                s.close()
        end = time.monotonic() + 5
        while pub.do("PUBLISH", "ch", "m") != 25 and time.monotonic() < end:
            time.sleep(0.02)
        assert pub.do("PUBLISH", "ch", "m") == 25
        for s in subs[::2]:
            s.close()


def test_monitors_and_subscribers_are_no_idle_clients(start):
    s = start("--timeout", "1")
    with s.conn() as sub, s.conn() as idle, s.conn() as pub:
        sub.do("SUBSCRIBE", "ch")
        assert idle.closed_by_server(timeout=8)
        with s.conn() as pub:
            assert pub.do("PUBLISH", "ch", "m") == 1
        assert sub.read().plain()[2] == b"m"


def test_a_killed_subscriber_gets_no_more(server):
    with server.conn() as sub, server.conn() as pub:
        cid = sub.do("CLIENT", "ID")
        sub.do("SUBSCRIBE", "ch")
        pub.send("MULTI")
        pub.send("CLIENT", "KILL", "ID", cid)
        pub.send("PUBLISH", "ch", "m")
        pub.send("EXEC")
        for _ in range(3):
            pub.read()
        pub.read()
        with pytest.raises(Closed):
            sub.read()
