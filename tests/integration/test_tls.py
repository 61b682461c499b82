"""TLS: who is let in, that bytes arrive whole, that no peer can make it hang, and certificates that change while it runs."""
import os
import random
import shutil
import socket
import ssl
import subprocess
import time

import pytest

import servers
from certificates import Certificates
from resp import Closed, Conn, pack
from servers import free_port

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certs"))


def context(certs, who="client", low=None, high=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.load_verify_locations(certs["ca.crt"])
    if who:
        c.load_cert_chain(certs[who + ".crt"], certs[who + ".key"])
    if low:
        c.minimum_version = low
    if high:
        c.maximum_version = high
    return c


class TlsConn(Conn):
    """A Conn over TLS."""

    def __init__(self, port, ctx, timeout=30, session=None):
        super().__init__(port, timeout)
        try:
            self.sock = ctx.wrap_socket(self.sock, session=session)
        except BaseException:
            self.sock.close()
            raise


class Raw:
    """A TLS client whose records go out when and how the test wants."""

    def __init__(self, port, ctx):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.inbox, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = ctx.wrap_bio(self.inbox, self.out)

    def hello(self):
        """The client's first flight, not sent."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.out.read()

    def greet(self):
        """Do the handshake; its last flight stays in the outbox."""
        while True:
            try:
                self.tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                self.flush()
                self.inbox.write(self.sock.recv(65536))

    def flush(self):
        self.sock.sendall(self.out.read())

    def read(self, n):
        got = b""
        while len(got) < n:
            try:
                got += self.tls.read(1 << 16)
            except ssl.SSLWantReadError:
                more = self.sock.recv(1 << 16)
                if not more:
                    raise Closed(got) from None
                self.inbox.write(more)
        return got


@pytest.fixture
def tls_server(start, certs):
    """begin(**tls) -> (server, TLS port)."""
    def begin(*args, **tls):
        port = free_port()
        return start(*args, *certs.options(port, **tls)), port
    return begin


def wait_log(server, text, seconds=5):
    end = time.monotonic() + seconds
    while text not in server.log():
        assert time.monotonic() < end, server.log()
        time.sleep(0.02)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_tls_client_is_a_client_like_any(tls_server, certs, version):
    s, port = tls_server()
    with TlsConn(port, context(certs, low=version, high=version)) as c, s.conn() as plain:
        assert c.do("SET", "a", "over tls") == b"OK"
        assert plain.do("GET", "a") == b"over tls"
        info = c.do("CLIENT", "INFO").decode()
        assert f" laddr=127.0.0.1:{port} " in info and " addr=127.0.0.1:" in info and " flags=N " in info
        assert c.call("HELLO", 3).tree[0] == "%"
        c.do("SUBSCRIBE", "news")
        assert plain.do("PUBLISH", "news", "x" * 50000) == 1
        assert c.read().plain() == [b"message", b"news", b"x" * 50000]


def test_redis_cli_and_redis_py_speak_it(tls_server, certs):
    s, port = tls_server()
    cli = shutil.which("redis-cli")
    if cli:
        keys = ["--tls", "--cacert", certs["ca.crt"], "--cert", certs["client.crt"], "--key", certs["client.key"]]
        run = subprocess.run([cli, "-p", str(port), *keys, "SET", "k", "from the shell"], capture_output=True, timeout=20)
        assert run.stdout == b"OK\n", run
    redis = pytest.importorskip("redis")
    r = redis.Redis(port=port, ssl=True, ssl_ca_certs=certs["ca.crt"], ssl_certfile=certs["client.crt"],
                    ssl_keyfile=certs["client.key"], ssl_check_hostname=False)
    with r.pipeline() as p:
        for i in range(500):
            p.set(f"k{i}", "v" * i)
        assert all(p.execute())
    assert r.mget("k7", "k499") == [b"v" * 7, b"v" * 499]
    r.close()


def test_client_certificates_are_asked_for_as_configured(tls_server, certs):
    s, port = tls_server()

    def gets_in(who):
        try:
            with TlsConn(port, context(certs, who)) as c:
                return c.do("PING") == b"PONG"
        except (OSError, Closed):
            return False

    with s.conn() as c:
        for mode, answers in (("yes", [True, False, False]), ("optional", [True, True, False]), ("no", [True, True, True])):
            assert c.do("CONFIG", "SET", "tls-auth-clients", mode) == b"OK"
            assert [gets_in(who) for who in ("client", None, "stranger")] == answers, mode
    wait_log(s, "Error accepting a client connection: error:0A0000C7:SSL routines::peer did not return a certificate (addr=127.0.0.1:")


def test_a_hundred_pipelines_of_random_size_come_through_whole(tls_server, certs):
    s, port = tls_server()
    seed = int(time.time())
    rng = random.Random(seed)
    print("seed", seed)
    with TlsConn(port, context(certs)) as c:
        for _ in range(100):
            values = [rng.randbytes(rng.choice((0, 1, 50, 1000, 16000, 16384, 40000, 70000, 300000)) + rng.randrange(100))
                      for _ in range(rng.randrange(1, 30))]
            c.send_raw(b"".join(pack(["ECHO", v]) for v in values))
            for v in values:
                assert c.read().plain() == v


def test_a_big_value_goes_in_and_out(tls_server, certs):
    s, port = tls_server()
    value = os.urandom(1 << 20) * 64
    with TlsConn(port, context(certs)) as c, s.conn() as plain:
        assert c.do("SET", "big", value) == b"OK"
        assert plain.do("STRLEN", "big") == len(value)
        c.send("GET", "big")
        time.sleep(0.3)  # the socket fills, and others go on
        assert plain.do("PING") == b"PONG"
        assert c.read().plain() == value


def test_records_that_come_together_are_all_answered(tls_server, certs):
    """What OpenSSL has read ahead is not in the socket any more: nothing but the server itself can wake it."""
    s, port = tls_server()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        raw = Raw(port, context(certs, low=version, high=version))
        raw.greet()
        # The first commands ride with the handshake's last flight.
        for _ in range(300):
            raw.tls.write(b"PING\r\n")
        for i in range(20):
            raw.tls.write(pack(["ECHO", b"%04d" % i * 4000]))
        raw.tls.write(b"PING\r\n")
        raw.flush()
        want = b"+PONG\r\n" * 300 + b"".join(b"$16000\r\n" + b"%04d" % i * 4000 + b"\r\n" for i in range(20)) + b"+PONG\r\n"
        assert raw.read(len(want)) == want
        raw.sock.close()


def test_a_record_cut_anywhere_waits_without_burning_time(tls_server, certs):
    s, port = tls_server()
    raw = Raw(port, context(certs))
    raw.greet()
    raw.flush()
    raw.tls.write(pack(["ECHO", b"x" * 3000]))
    data = raw.out.read()
    raw.sock.sendall(data[:700])

    def cpu():
        with open(f"/proc/{s.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = cpu()
    time.sleep(1)
    assert cpu() - before < 50, "half a record keeps the server awake"
    raw.sock.sendall(data[700:])
    assert raw.read(3008).startswith(b"$3000\r\n")
    raw.sock.close()


def test_a_half_closed_connection_gets_its_replies(tls_server, certs):
    s, port = tls_server()
    for end in ("notify", "fin", "both"):
        raw = Raw(port, context(certs, high=ssl.TLSVersion.TLSv1_2))
        raw.greet()
        raw.tls.write(pack(["SET", "a", "1"]) + pack(["GET", "a"]))
        if end != "fin":
            with pytest.raises(ssl.SSLError):
                raw.tls.unwrap()
        raw.flush()
        if end != "notify":
            raw.sock.shutdown(socket.SHUT_WR)
        got = b""
        raw.sock.settimeout(10)
        while chunk := raw.sock.recv(65536):
            raw.inbox.write(chunk)
        try:
            while chunk := raw.tls.read():
                got += chunk
        except ssl.SSLError:
            pass
        # After its own good-bye OpenSSL reads no more; that the server closed is what counts there.
        assert end != "fin" or got == b"+OK\r\n$1\r\n1\r\n"
        raw.sock.close()
    with s.conn() as c:
        assert c.do("GET", "a") == b"1"


def test_the_wrong_protocol_is_turned_away_and_logged(tls_server, certs):
    s, port = tls_server()
    for data in (b"PING\r\n", pack(["SET", "a", "1"]), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        with Conn(port) as c:
            c.send_raw(data)
            assert c.closed_by_server()
    wait_log(s, "Error accepting a client connection: error:0A00010B:SSL routines::wrong version number (addr=127.0.0.1:")
    with pytest.raises(OSError):
        TlsConn(s.port, context(certs), timeout=1)
    with s.conn() as c:
        assert c.do("PING") == b"PONG"


def test_hostile_handshakes_do_no_harm(tls_server, certs):
    s, port = tls_server()
    seed = int(time.time())
    rng = random.Random(seed)
    print("seed", seed)
    hello = Raw(port, context(certs)).hello()
    for i in range(250):
        data = bytearray(hello)
        if i % 3 == 0:
            data = bytearray(rng.randbytes(rng.randrange(1, 2000)))
        elif i % 3 == 1:
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        else:
            data = data[: rng.randrange(len(data))] + rng.randbytes(rng.randrange(50))
        with Conn(port) as c:
            try:
                c.send_raw(bytes(data))
                if i % 5 == 0:
                    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            except OSError:
                pass
    # Garbage behind a good handshake.
    for _ in range(30):
        raw = Raw(port, context(certs))
        raw.greet()
        raw.flush()
        try:
            raw.sock.sendall(b"\x17\x03\x03" + rng.randbytes(rng.randrange(2, 400)))
        except OSError:
            pass
        raw.sock.close()
    with TlsConn(port, context(certs)) as c:
        assert c.do("PING") == b"PONG"
        end = time.monotonic() + 5
        while int(s.info(c)["connected_clients"]) > 1:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_slow_handshakes_hold_nobody_up_and_end(tls_server, certs):
    s, port = tls_server()
    mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    with TlsConn(port, context(certs)) as c:
        began = time.monotonic()
        for _ in range(100):
            assert c.do("PING") == b"PONG"
        assert time.monotonic() - began < 5
        # One byte at a time is slow, not wrong.
        raw = Raw(port, context(certs))
        for b in raw.hello():
            raw.sock.sendall(bytes([b]))
        raw.greet()
        raw.tls.write(b"PING\r\n")
        raw.flush()
        assert raw.read(7) == b"+PONG\r\n"
        raw.sock.close()
        wait_log(s, "TLS handshake timed out (addr=127.0.0.1:", 25)
        end = time.monotonic() + 10
        while int(s.info(c)["connected_clients"]) > 1:
            assert time.monotonic() < end
            time.sleep(0.1)
    for m in mute:
        m.close()


def test_a_reader_that_stops_is_cut_off_by_its_limit(tls_server, certs):
    s, port = tls_server()
    with s.conn() as plain:
        plain.do("CONFIG", "SET", "client-output-buffer-limit", "normal 8mb 0 0")
        plain.do("SET", "big", b"x" * (1 << 20))
        slow = TlsConn(port, context(certs))
        slow.send_raw(pack(["GET", "big"]) * 40)
        end = time.monotonic() + 10
        while int(s.info(plain)["connected_clients"]) > 1:
            assert time.monotonic() < end
            time.sleep(0.05)
        slow.close()
        assert s.info(plain)["client_output_buffer_limit_disconnections"] == "1"


def test_clients_that_vanish_leave_nothing_behind(tls_server, certs):
    s, port = tls_server()
    with s.conn() as plain:
        plain.do("SET", "big", b"x" * (4 << 20))
        for i in range(40):
            c = TlsConn(port, context(certs))
            c.send_raw(pack(["GET", "big"]) + b"*2\r\n$3\r\nGET\r\n$100000\r\npart")
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            c.close()
        end = time.monotonic() + 5
        while int(s.info(plain)["connected_clients"]) > 1:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_certificates_change_at_run_time_and_bad_ones_are_refused(tls_server, certs):
    s, port = tls_server()
    refusal = "ERR CONFIG SET failed (possibly related to argument '%s') - Unable to update TLS configuration. Check server logs."

    def subject():
        with TlsConn(port, context(certs)) as c:
            return dict(x[0] for x in c.sock.getpeercert()["subject"])["commonName"]

    with TlsConn(port, context(certs)) as old:
        assert subject() == "server"
        assert old.call("CONFIG", "SET", "tls-cert-file", "/nowhere").error == refusal % "tls-cert-file"
        assert old.call("CONFIG", "SET", "tls-cert-file", certs["second.crt"]).error == refusal % "tls-cert-file"
        assert old.call("CONFIG", "SET", "tls-ca-cert-file", certs["ca.key"]).error == refusal % "tls-ca-cert-file"
        assert old.call("CONFIG", "SET", "tls-protocols", "SSLv3").error == refusal % "tls-protocols"
        assert old.call("CONFIG", "SET", "tls-ciphers", "nonsense").error == refusal % "tls-ciphers"
        assert old.call("CONFIG", "SET", "tls-ciphersuites", "nonsense").error == refusal % "tls-ciphersuites"
        assert old.call("CONFIG", "SET", "tls-dh-params-file", certs["ca.crt"]).error == refusal % "tls-dh-params-file"
        assert subject() == "server"
        assert old.do("CONFIG", "GET", "tls-cert-file") == [b"tls-cert-file", certs["server.crt"].encode()]
        assert old.do("CONFIG", "SET", "tls-cert-file", certs["second.crt"], "tls-key-file", certs["second.key"]) == b"OK"
        assert subject() == "second"
        assert old.do("PING") == b"PONG"
        assert old.do("CONFIG", "SET", "tls-key-file", certs["locked.key"], "tls-key-file-pass", "open sesame",
                      "tls-cert-file", certs["server.crt"]) == b"OK"
        assert subject() == "server"
    log = s.log()
    for line in ("Failed to load certificate: /nowhere: error:80000002:system library::No such file or directory",
                 "Failed to load private key: ", "Failed to configure ciphers: nonsense", "Failed to configure ciphersuites: nonsense",
                 "ca.crt: failed to read DH params.", "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'."):
        assert line in log, line


def test_protocols_and_ciphers_are_those_configured(tls_server, certs):
    s, port = tls_server(protocols="TLSv1.2", ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    with TlsConn(port, context(certs)) as c:
        assert c.sock.version() == "TLSv1.2"
        assert c.sock.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    with pytest.raises(OSError):
        TlsConn(port, context(certs, low=ssl.TLSVersion.TLSv1_3))
    with s.conn() as c:
        assert c.do("CONFIG", "SET", "tls-protocols", "TLSv1.3", "tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256") == b"OK"
    with TlsConn(port, context(certs)) as c:
        assert c.sock.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256"


@pytest.mark.parametrize("caching", ["yes", "no"])
def test_sessions_are_resumed_only_where_caching_is_on(tls_server, certs, caching):
    s, port = tls_server(session_caching=caching)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        ctx = context(certs, low=version, high=version)
        with TlsConn(port, ctx) as c:
            assert c.do("PING") == b"PONG"
            session = c.sock.session
        with TlsConn(port, ctx, session=session) as c:
            assert c.do("PING") == b"PONG"
            assert c.sock.session_reused == (caching == "yes"), version


def test_the_tls_port_comes_and_goes_at_run_time(start, certs):
    s = start()
    port, other = free_port(), free_port()
    with s.conn() as c:
        assert c.call("CONFIG", "SET", "tls-port", port).error.endswith("Unable to update TLS configuration. Check server logs.")
        assert c.do("CONFIG", "GET", "tls-port") == [b"tls-port", b"0"]
        files = ["tls-cert-file", certs["server.crt"], "tls-key-file", certs["server.key"], "tls-ca-cert-file", certs["ca.crt"]]
        assert c.do("CONFIG", "SET", *files, "tls-port", port) == b"OK"
        stays = TlsConn(port, context(certs))
        taken = c.call("CONFIG", "SET", "tls-port", s.port).error
        assert taken == "ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to listen on this port. Check server logs."
        assert stays.do("CONFIG", "SET", "tls-port", other) == b"OK"
        with pytest.raises(ConnectionRefusedError):
            TlsConn(port, context(certs))
        with TlsConn(other, context(certs)) as new:
            assert new.do("PING") == b"PONG"
        assert stays.do("CONFIG", "SET", "tls-port", 0) == b"OK"
        with pytest.raises(ConnectionRefusedError):
            TlsConn(other, context(certs))
        assert stays.do("PING") == b"PONG"
        stays.close()


def test_it_may_be_the_only_door(start, certs):
    port = free_port()
    s = start(*certs.options(port), port=0, wait=False)
    end = time.monotonic() + 20
    while True:
        try:
            c = TlsConn(port, context(certs))
            break
        except ConnectionRefusedError:
            assert time.monotonic() < end and s.alive(), s.log()
            time.sleep(0.02)
    assert c.do("PING") == b"PONG"
    assert b"tcp_port:%d\r\n" % port in c.do("INFO", "server")
    c.close()
    assert "Ready to accept connections tls" in s.log() and "Ready to accept connections tcp" not in s.log()


@pytest.mark.parametrize("missing,why", [
    ("cert-file", "No tls-cert-file configured!"), ("key-file", "No tls-key-file configured!"),
    ("ca-cert-file", "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!"),
])
def test_it_does_not_start_without_what_it_needs(start, certs, missing, why):
    s = start(*certs.options(free_port(), **{missing: ""}), wait=False)
    assert s.proc.wait(20) == 1
    assert why in s.log() and "Failed to configure TLS. Check logs for more info." in s.log()
    s.proc.returncode = 0  # this end is the expected one


def test_beyond_maxclients_a_tls_client_is_dropped(tls_server, certs):
    s, port = tls_server("--maxclients", 3)
    time.sleep(0.2)
    inside = [TlsConn(port, context(certs)) for _ in range(3)]
    with pytest.raises(OSError):
        TlsConn(port, context(certs))
    assert s.info(inside[0])["rejected_connections"] == "1"
    for c in inside:
        c.close()


def test_protected_mode_is_told_through_the_handshake(tls_server, certs):
    from test_access import own_address
    address = own_address()
    if not address:
        pytest.skip("no address but loopback")
    s, port = tls_server("--bind", "0.0.0.0")
    sock = context(certs).wrap_socket(socket.create_connection((address, port), timeout=10))
    assert sock.recv(100).startswith(b"-DENIED Redis is running in protected mode")
    sock.close()


def test_renegotiation_is_refused(tls_server, certs):
    s, port = tls_server(protocols="TLSv1.2")
    run = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cert", certs["client.crt"], "-key", certs["client.key"],
                            "-CAfile", certs["ca.crt"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in (b"PING\n", b"R\n", b"PING\n"):  # s_client takes an R for its command only at the begin of a read
        try:
            run.stdin.write(line)
            run.stdin.flush()
        except BrokenPipeError:
            break
        time.sleep(0.3)
    out, _ = run.communicate(timeout=20)
    assert b"+PONG" in out and b"RENEGOTIATING" in out and b"no renegotiation" in out
    with TlsConn(port, context(certs)) as c:
        assert c.do("PING") == b"PONG"


def test_memory_of_connections_is_seen_and_comes_back(tls_server, certs):
    s, port = tls_server()
    with s.conn() as plain:
        def used():
            return int(s.info(plain)["used_memory"])
        ctx = context(certs)
        for _ in range(2):  # the second round finds OpenSSL's own tables filled
            before = used()
            many = [TlsConn(port, ctx) for _ in range(100)]
            for c in many:
                c.do("PING")
            if not servers.sanitized():
                assert used() - before > 100 * 5000
                assert all(int(x.split(b"tot-mem=")[1].split()[0]) > 5000 for x in plain.do("CLIENT", "LIST").splitlines() if b"laddr=127.0.0.1:%d " % port in x)
            for c in many:
                c.close()
            end = time.monotonic() + 5
            while int(s.info(plain)["connected_clients"]) > 1:
                assert time.monotonic() < end
                time.sleep(0.02)
        assert used() - before < 1 << 20
