"""Clients that mean harm or are broken: Redis's error or a closed connection, and nobody else notices."""
import random
import resource
import socket
import time

import pytest

import servers
from resp import Closed, Conn, pack

# What is sent -> both servers must answer the same bytes, and close or not close the same way.
RAW = {
    "bulk too long": b"*1\r\n$536870913\r\n",
    "bulk of maximal length": b"*1\r\n$9223372036854775807\r\n",
    "bulk length overflow": b"*1\r\n$99999999999999999999\r\n",
    "negative bulk": b"*1\r\n$-1\r\n",
    "bulk is no number": b"*1\r\n$abc\r\n",
    "empty bulk length": b"*1\r\n$\r\n",
    "negative count, then ping": b"*-1\r\n*1\r\n$4\r\nPING\r\n",
    "very negative count": b"*-2147483648\r\nPING\r\n",
    "zero count, then ping": b"*0\r\n*1\r\n$4\r\nPING\r\n",
    "count too big": b"*2147483648\r\n",
    "count overflow": b"*99999999999999999999999\r\n",
    "count is no number": b"*x\r\n",
    "count with a plus": b"*+1\r\n$4\r\nPING\r\n",
    "no dollar": b"*1\r\n+PING\r\n",
    "no dollar, binary": b"*1\r\n\xfe\xff\r\n",
    "no dollar for the second": b"*2\r\n$4\r\nECHO\r\nhello\r\n",
    "inline": b"PING\r\n",
    "inline with bare newline": b"PING\nPING\n",
    "inline with spaces": b"   SET   a    b   \r\nGET a\r\n",
    "inline quotes": b"SET q \"a\\x41\\n\\\"\"\r\nGET q\r\nSET q 'it\\'s'\r\nGET q\r\n",
    "inline unbalanced": b"SET a \"b\r\n",
    "inline unbalanced single": b"SET a 'b\r\n",
    "inline quote in the middle": b"SET a \"b\"c\r\n",
    "inline empty lines": b"\r\n\r\n\nPING\r\n",
    "inline too long": b"A" * 70000,
    "inline just under the limit": b"ECHO " + b"A" * 60000 + b"\r\n",
    "count line too long": b"*" + b"1" * 70000,
    "bulk line too long": b"*1\r\n$" + b"1" * 70000,
    "wrong bytes after bulk": b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "http post": b"POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n",
    "host header": b"Host: x\r\n\r\n",
    "many arguments": b"*1001\r\n$4\r\nMGET\r\n" + b"$1\r\nk\r\n" * 1000,
    "empty command name": b"*1\r\n$0\r\n\r\n",
    "long unknown command": pack([b"z" * 500, b"a" * 200, b"b"]),
    "newline in unknown command": pack([b"a\r\nb", b"c\r\nd"]),
    "zero bytes": b"\x00\x00\x00\r\n",
    "quit": b"*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n",
}


def answer(server, data, patience):
    """(bytes answered, closed by the server?) - a PING behind a good request shows that it is still served."""
    s = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    out = b""
    closed = False
    try:
        s.sendall(data)
        s.settimeout(patience)
        while True:
            got = s.recv(65536)
            if not got:
                closed = True
                break
            out += got
    except TimeoutError:
        pass
    except (ConnectionResetError, BrokenPipeError):
        closed = True
    s.close()
    return out, closed


@pytest.mark.parametrize("name", list(RAW))
def test_broken_requests_are_answered_as_redis_does(pair, name):
    for patience in (0.35, 4):  # a busy machine answers late
        mine, theirs = (answer(s, RAW[name], patience) for s in pair)
        if mine == theirs:
            break
    assert mine == theirs
    with pair[0].conn() as c:
        assert c.do("PING") == b"PONG"


@pytest.mark.parametrize("name", ["many arguments", "inline quotes", "quit", "wrong bytes after bulk"])
def test_requests_split_at_every_byte(pair, name):
    data = RAW[name][:300] if len(RAW[name]) > 400 else RAW[name]
    if name == "many arguments":
        data = b"*11\r\n$4\r\nMGET\r\n" + b"$1\r\nk\r\n" * 10
    outs = []
    for server in pair:
        s = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        out = b""
        try:
            for i in range(len(data)):
                s.sendall(data[i : i + 1])
                time.sleep(0.0005)
            s.settimeout(0.3)
            while True:
                got = s.recv(65536)
                if not got:
                    break
                out += got
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
        s.close()
        outs.append(out)
    assert outs[0] == outs[1]


def pushed_until_closed(server, chunk, total):
    """Send @chunk again and again; how many bytes went before the server closed."""
    s = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    sent = 0
    try:
        while sent < total:
            sent += s.send(chunk)
    except (ConnectionResetError, BrokenPipeError):
        pass
    finally:
        s.close()
    return sent


def test_an_inline_line_of_1_gb_is_refused_and_costs_nothing(server):
    before = server.rss()
    sent = pushed_until_closed(server, b"A" * 65536, 1 << 30)
    assert sent < 1 << 30
    with server.conn() as c:
        assert c.do("PING") == b"PONG"
    assert server.rss() < before + (32 << 20)


def test_a_query_buffer_beyond_its_limit_ends_the_connection(server, conn):
    conn.do("CONFIG", "SET", "client-query-buffer-limit", 1 << 20)
    s = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    closed = False
    try:
        s.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000000\r\n")
        for _ in range(2000):
            s.sendall(b"x" * 4096)
        s.settimeout(5)
        closed = s.recv(100) == b""
    except (ConnectionResetError, BrokenPipeError):
        closed = True
    s.close()
    assert closed
    assert conn.do("PING") == b"PONG"


def test_announced_but_unsent_bulks_reserve_no_memory(server, conn):
    before = server.rss()
    others = []
    for _ in range(50):
        c = server.conn()
        c.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc")
        others.append(c)
    time.sleep(0.3)
    assert conn.do("PING") == b"PONG"
    assert server.rss() < before + (256 << 20)
    for c in others:
        c.close()
    conn.do("SET", "after", "1")


def test_a_half_closed_socket_gets_its_replies(server):
    with server.conn() as c:
        c.send_raw(pack(["SET", "a", "1"]) + pack(["GET", "a"]))
        c.sock.shutdown(socket.SHUT_WR)
        assert c.read().raw == b"+OK\r\n"
        assert c.read().raw == b"$1\r\n1\r\n"
        with pytest.raises(Closed):
            c.read()


def test_a_client_that_never_reads_is_disconnected_and_harms_nobody(server, conn):
    conn.do("CONFIG", "SET", "client-output-buffer-limit", "normal 8mb 0 0")
    conn.do("RPUSH", "list", *[b"element %d" % i for i in range(20000)])
    conn.do("SET", "big", b"x" * (1 << 20))
    used = int(server.info(conn)["used_memory"])
    slow = server.conn()
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        for _ in range(200):
            slow.send_raw(pack(["LRANGE", "list", 0, -1]) + pack(["GET", "big"]))
    except OSError:
        pass
    worst = 0.0
    end = time.monotonic() + 10
    while time.monotonic() < end:
        began = time.monotonic()
        assert conn.do("PING") == b"PONG"
        worst = max(worst, time.monotonic() - began)
        if int(server.info(conn)["connected_clients"]) == 1:
            break
        time.sleep(0.05)
    info = server.info(conn)
    assert int(info["connected_clients"]) == 1, "the slow reader is still connected"
    assert worst < 5
    assert int(info["used_memory"]) < used + (8 << 20)
    slow.close()


def test_the_soft_limit_counts_seconds(server, conn):
    conn.do("CONFIG", "SET", "client-output-buffer-limit", "normal 0 1mb 1")
    conn.do("SET", "big", b"x" * (1 << 20))
    slow = server.conn()
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.send_raw(pack(["GET", "big"]) * 30)
    end = time.monotonic() + 15
    while time.monotonic() < end and int(server.info(conn)["connected_clients"]) > 1:
        time.sleep(0.1)
    assert int(server.info(conn)["connected_clients"]) == 1
    slow.close()


def test_clients_that_vanish_leave_nothing_behind(server, conn):
    for _ in range(50):
        c = server.conn()
        c.send_raw(pack(["SET", "k", "v"]) + b"*2\r\n$3\r\nGET\r\n$100\r\npart")
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        c.close()
    end = time.monotonic() + 5
    while time.monotonic() < end and int(server.info(conn)["connected_clients"]) > 1:
        time.sleep(0.05)
    assert int(server.info(conn)["connected_clients"]) == 1


def test_random_bytes_and_damaged_pipelines_do_no_harm(server):
    seed = int(time.time())
    rng = random.Random(seed)
    print("seed", seed)
    good = b"".join(pack(c) for c in (["SET", "a", "1"], ["MSET", "a", "b", "c", "d"], ["ZADD", "z", "1", "m"], ["HSET", "h", "f", "v"],
                                      ["LRANGE", "l", "0", "-1"], ["SCAN", "0"], ["OBJECT", "ENCODING", "a"], ["CLIENT", "LIST"]))
    for _ in range(300):
        if rng.random() < 0.4:
            data = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400)))
        else:
            data = bytearray(good)
            for _ in range(rng.randrange(1, 6)):
                data[rng.randrange(len(data))] = rng.choice(b"\r\n$*:0123456789-+\x00\xffA")
        try:
            with Conn(server.port, timeout=5) as c:
                c.send_raw(bytes(data))
                c.sock.settimeout(0.01)
                try:
                    c.sock.recv(65536)
                except TimeoutError:
                    pass
        except OSError:
            pass
    with server.conn() as c:
        assert c.do("PING") == b"PONG"


@pytest.mark.skipif(servers.sanitized(), reason="a sanitizer reserves all address space")
@pytest.mark.parametrize("command", [["RPUSH", "l"], ["HSET", "h", "f"], ["SADD", "s"], ["ZADD", "z", "1"], ["INCR"], ["LPUSH", "l", "x"]], ids=lambda c: c[0])
def test_a_machine_without_memory_for_an_argument_is_an_error(server, conn, command):
    """What a client sends may be more than there is memory left to keep: it is told so, and nobody else notices."""
    with open(f"/proc/{server.pid}/status") as f:
        size = next(int(line.split()[1]) << 10 for line in f if line.startswith("VmSize"))
    room = 200 << 20
    resource.prlimit(server.pid, resource.RLIMIT_AS, (size + room, size + room))
    replies = []
    for i in range(4):
        try:
            replies.append(server.conn().call(*command, b"%d" % i + b"v" * (60 << 20)).error)
        except (Closed, OSError):
            replies.append("closed")
    assert any(replies)
    assert conn.do("PING") == b"PONG"


def test_config_get_looks_at_a_long_pattern_once(server, conn):
    """A pattern of megabytes is not read through again for each of the directives."""
    assert conn.do("CONFIG", "GET", b"v" * (20 << 20)) == []
    assert conn.do("CONFIG", "GET", b"MAXMEMORY", b"maxm?mory") == [b"MAXMEMORY", b"0"]
    assert conn.do("CONFIG", "GET", b"maxm\\emory") == []
