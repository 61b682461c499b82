"""maxmemory-clients: the biggest clients go, whatever they grew by, and the others notice nothing."""
import socket
import time

import pytest

from resp import Closed, pack
from servers import free_port

MB = 1 << 20
LIMIT = 10 * MB


def fields(conn, name):
    """CLIENT LIST's fields of the client of this name, or None."""
    for line in conn.do("CLIENT", "LIST").decode().splitlines():
        f = dict(w.split("=", 1) for w in line.split(" ") if "=" in w)
        if f["name"] == name:
            return f
    return None


def wait(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def control(server):
    with server.conn() as c:
        c.do("CLIENT", "SETNAME", "control")
        c.do("CLIENT", "NO-EVICT", "on")
        c.do("CONFIG", "SET", "maxmemory-clients", LIMIT)
        yield c


@pytest.fixture
def victim(server):
    with server.conn() as c:
        c.do("CLIENT", "SETNAME", "victim")
        yield c


def half_argument(n):
    return b"*1\r\n$%d\r\n" % n + b"v" * n


def grow_query(c):
    c.send_raw(half_argument(LIMIT + MB))


def grow_words(c):
    c.send_raw(b"*1000000\r\n" + b"$10\r\n0123456789\r\n" * 600000)


def grow_multi(c):
    c.do("MULTI")
    for _ in range(50):
        c.do("SET", "k", b"v" * (LIMIT // 40))


def grow_pipeline_behind_a_wait(c):
    c.send("BLPOP", "nothing", 0)
    for _ in range(50):
        c.send("SET", "k", b"v" * (LIMIT // 40))
        time.sleep(0.002)


def grow_watched(c):
    for i in range(0, 400000, 1000):
        c.do("WATCH", *range(i, i + 1000))


def grow_channels(c):
    for i in range(0, 400000, 1000):
        c.send("SUBSCRIBE", *range(i, i + 1000))
        for _ in range(1000):
            c.read()


def grow_patterns(c):
    for i in range(0, 400000, 1000):
        c.send("PSUBSCRIBE", *range(i, i + 1000))
        for _ in range(1000):
            c.read()


def grow_tracking(c):
    c.do("HELLO", 3)
    for i in range(400000):
        c.do("CLIENT", "TRACKING", "ON", "BCAST", *[w for j in range(100) for w in ("PREFIX", f"{j:04}.{i:012}" * 600)])


def grow_output(c):
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(200):
        c.send("GET", "big")
        time.sleep(0.001)
    c.sock.settimeout(10)
    while c.sock.recv(MB):
        pass
    raise Closed


@pytest.mark.parametrize("grow", [grow_query, grow_words, grow_multi, grow_pipeline_behind_a_wait, grow_watched, grow_channels, grow_patterns,
                                  grow_tracking, grow_output], ids=lambda g: g.__name__[5:])
def test_a_client_that_grows_is_evicted(server, control, victim, grow):
    control.do("SET", "big", b"x" * 200000)
    with server.conn() as bystander:
        bystander.do("CLIENT", "SETNAME", "bystander")
        with pytest.raises((Closed, OSError)):
            grow(victim)
            victim.call("PING")
            victim.call("PING")
        wait(lambda: fields(control, "victim") is None)
        assert bystander.do("PING") == b"PONG"
        info = server.info(control)
        assert info["evicted_clients"] == "1"
        log = server.log()
        assert log.count("Evicting client: ") == 1 and "name=victim" in log.split("Evicting client: id=")[1].splitlines()[0]
    victim.close()
    wait(lambda: int(server.info(control)["mem_clients_normal"]) < MB)


def test_a_share_of_maxmemory_is_a_limit_too(server, control, victim):
    control.do("CONFIG", "SET", "maxmemory", 100 * MB, "maxmemory-clients", "5%")
    assert control.do("CONFIG", "GET", "maxmemory-clients") == [b"maxmemory-clients", b"5%"]
    victim.send_raw(half_argument(2 * MB))
    wait(lambda: int(fields(control, "victim")["tot-mem"]) >= 2 * MB)
    assert int(fields(control, "victim")["tot-mem"]) < 5 * MB
    # The share shrinks with the whole.
    control.do("CONFIG", "SET", "maxmemory", 20 * MB)
    assert fields(control, "victim") is None
    # A share of no limit is none.
    control.do("CONFIG", "SET", "maxmemory", 0)
    with server.conn() as c:
        c.do("CLIENT", "SETNAME", "free")
        c.send_raw(half_argument(20 * MB))
        wait(lambda: int(fields(control, "free")["tot-mem"]) >= 20 * MB)


def test_lowering_the_limit_evicts_the_biggest_until_it_fits(server, control):
    many = []
    for i in range(10):
        c = server.conn()
        c.do("CLIENT", "SETNAME", f"c{i}")
        c.send_raw(half_argument(MB // 2 + i * MB // 20))
        many.append(c)
    for i in range(10):
        wait(lambda: int(fields(control, f"c{i}")["qbuf"]) == MB // 2 + i * MB // 20)
    limit = 4 * MB
    control.do("CONFIG", "SET", "maxmemory-clients", limit)
    alive = [i for i in range(10) if fields(control, f"c{i}")]
    total = sum(int(line.split(" tot-mem=")[1].split(" ")[0]) for line in control.do("CLIENT", "LIST").decode().splitlines())
    assert total <= limit
    # No more than had to, and the big ones: a client of the next size would not have fitted.
    assert alive and alive == list(range(len(alive)))
    assert total + MB // 2 + MB > limit
    assert server.info(control)["evicted_clients"] == str(10 - len(alive))
    for c in many:
        c.close()


def test_the_big_go_before_the_small(server, control):
    sizes = [128 << 10, MB, 3 * MB]
    many = {}
    for size in sizes:
        for i in range(3):
            name = f"{size}-{i}"
            many[name] = server.conn()
            many[name].do("CLIENT", "SETNAME", name)
            many[name].send_raw(half_argument(size))
            wait(lambda: int((fields(control, name) or {"tot-mem": 0})["tot-mem"]) >= size or fields(control, name) is None)
    # 3 x 3 MB and 3 x 1 MB do not fit into 10 MB: of the biggest some had to go, of the others none.
    left = [sum(fields(control, f"{size}-{i}") is not None for i in range(3)) for size in sizes]
    assert left[0] == 3 and left[1] == 3 and left[2] == 2
    control.do("CONFIG", "SET", "maxmemory-clients", 2 * MB)
    left = [sum(fields(control, f"{size}-{i}") is not None for i in range(3)) for size in sizes]
    assert left == [3, 1, 0]
    for c in many.values():
        c.close()


@pytest.mark.parametrize("no_evict", ["on", "off"])
def test_client_no_evict_spares(server, control, victim, no_evict):
    control.do("SET", "big", b"x" * 200000)
    victim.do("CLIENT", "NO-EVICT", no_evict)
    try:
        for _ in range(200):
            victim.send("GET", "big")
            time.sleep(0.002)
    except OSError:
        assert no_evict == "off"
    if no_evict == "on":
        wait(lambda: int(fields(control, "victim")["tot-mem"]) > LIMIT)
        assert fields(control, "victim")["flags"] == "e"
        assert "Over client maxmemory after evicting all evictable clients" in server.log()
        for _ in range(200):
            assert len(victim.read().plain()) == 200000
    else:
        wait(lambda: fields(control, "victim") is None)


def test_the_output_limit_comes_first(server, control):
    control.do("CONFIG", "SET", "client-output-buffer-limit", f"normal {3 * MB} 0 0")
    control.do("SETRANGE", "k", 8 * MB, "v")
    with server.conn() as holder:
        holder.do("CLIENT", "SETNAME", "holder")
        holder.send_raw(half_argument(LIMIT - 3 * MB))
        wait(lambda: int(fields(control, "holder")["qbuf"]) == LIMIT - 3 * MB)
        greedy = [server.conn() for _ in range(2)]
        for c in greedy:
            c.send("GET", "k")
        for c in greedy:
            assert c.closed_by_server()
        assert fields(control, "holder")
        info = server.info(control)
        assert info["evicted_clients"] == "0" and info["client_output_buffer_limit_disconnections"] == "2"


def test_a_reply_without_bound_is_cut_in_the_turn_that_makes_it(server, control, victim):
    """One read may hold thousands of commands, each with a big answer."""
    control.do("RPUSH", "list", *[b"element %060d" % i for i in range(20000)])
    before = server.rss()
    victim.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    victim.send_raw(pack(["LRANGE", "list", 0, -1]) * 1500)  # two gigabytes
    wait(lambda: fields(control, "victim") is None)
    assert server.info(control)["evicted_clients"] == "1"
    assert server.rss() < before + (250 << 20)


def test_switching_it_off_spares_everybody(server, control, victim):
    victim.send_raw(half_argument(4 * MB))
    wait(lambda: int(fields(control, "victim")["qbuf"]) == 4 * MB)
    control.do("CONFIG", "SET", "maxmemory-clients", 0)
    with server.conn() as other:
        other.do("CLIENT", "SETNAME", "other")
        other.send_raw(half_argument(20 * MB))
        wait(lambda: int(fields(control, "other")["qbuf"]) == 20 * MB)
        assert fields(control, "victim")
        control.do("CONFIG", "SET", "maxmemory-clients", LIMIT)
        assert fields(control, "other") is None and fields(control, "victim")


def test_it_may_be_set_at_start_and_survives_a_rewrite(start):
    s = start(conf=["maxmemory-clients 3%", "maxmemory 200mb"])
    with s.conn() as c:
        assert c.do("CONFIG", "GET", "maxmemory-clients") == [b"maxmemory-clients", b"3%"]
        with s.conn() as big:
            big.send_raw(half_argument(7 * MB))
            assert big.closed_by_server()
        assert c.do("CONFIG", "SET", "maxmemory-clients", "4mb") == b"OK"
        assert c.do("CONFIG", "REWRITE") == b"OK"
    assert "maxmemory-clients 4mb" in open(s.conf).read()


def test_tls_clients_are_counted_and_evicted(start, tmp_path):
    import shutil
    if not shutil.which("openssl"):
        pytest.skip("no openssl here")
    from certificates import Certificates
    from test_tls import TlsConn, context
    certs, port = Certificates(tmp_path), free_port()
    s = start(*certs.options(port), "--maxmemory-clients", LIMIT)
    with s.conn() as control, TlsConn(port, context(certs)) as victim:
        victim.do("CLIENT", "SETNAME", "victim")
        with pytest.raises((Closed, OSError)):
            grow_query(victim)
            victim.call("PING")
        wait(lambda: fields(control, "victim") is None)
        assert s.info(control)["evicted_clients"] == "1"
