"""Who may connect: passwords, protected mode, limits of clients, timeouts, sockets of all families."""
import os
import socket
import stat
import time

import pytest

from resp import Closed, Conn
from servers import free_port


def own_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            address = s.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def test_requirepass_asks_for_auth(start):
    s = start("--requirepass", "secret")
    with s.conn() as c:
        assert c.call("GET", "a").error == "NOAUTH Authentication required."
        assert c.call("AUTH", "wrong").error == "WRONGPASS invalid username-password pair or user is disabled."
        assert c.call("AUTH", "default", "wrong").error.startswith("WRONGPASS")
        assert c.call("AUTH", "nobody", "secret").error.startswith("WRONGPASS")
        assert c.call("HELLO", 3).error.startswith("NOAUTH HELLO must be called with the client already authenticated")
        assert c.do("AUTH", "secret") == b"OK"
        assert c.do("SET", "a", "1") == b"OK"
        assert c.do("RESET") == b"RESET"
        assert c.call("GET", "a").error == "NOAUTH Authentication required."
        assert c.do("AUTH", "default", "secret") == b"OK"
    with s.conn() as c:
        assert c.call("HELLO", 3, "AUTH", "default", "secret", "SETNAME", "me").tree[0] == "%"
        assert c.do("CLIENT", "GETNAME") == b"me"
        assert c.do("CONFIG", "SET", "requirepass", "") == b"OK"
    with s.conn() as c:
        assert c.do("GET", "a") == b"1"
        assert c.call("AUTH", "x").error.startswith("ERR AUTH <password> called without any password configured")


def test_before_auth_big_requests_are_refused(start):
    s = start("--requirepass", "secret")
    with s.conn() as c:
        c.send_raw(b"*11\r\n")
        assert "unauthenticated multibulk length" in c.read().error
    with s.conn() as c:
        c.send_raw(b"*2\r\n$4\r\nAUTH\r\n$20000\r\n")
        assert "unauthenticated bulk length" in c.read().error


def test_protected_mode_refuses_strangers_and_says_why(start):
    address = own_address()
    if not address:
        pytest.skip("no address but loopback")
    s = start("--bind", "0.0.0.0", "--protected-mode", "yes")
    with Conn(s.port, host=address) as c:
        assert c.read().error.startswith("DENIED Redis is running in protected mode")
        with pytest.raises(Closed):
            c.read()
    with s.conn() as c:
        assert c.do("CONFIG", "SET", "protected-mode", "no") == b"OK"
    with Conn(s.port, host=address) as c:
        assert c.do("PING") == b"PONG"


def test_a_password_opens_protected_mode(start):
    address = own_address()
    if not address:
        pytest.skip("no address but loopback")
    s = start("--bind", "0.0.0.0", "--requirepass", "pw")
    with Conn(s.port, host=address) as c:
        assert c.call("PING").error.startswith("NOAUTH")
        assert c.do("AUTH", "pw") == b"OK"


def test_bind_keeps_other_addresses_out(start):
    address = own_address()
    if not address:
        pytest.skip("no address but loopback")
    s = start("--bind", "127.0.0.1")
    with pytest.raises(OSError):
        Conn(s.port, host=address)


def test_ipv6_is_listened_on(start):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    s = start("--bind", "127.0.0.1", "::1")
    with Conn(s.port, host="::1") as c:
        assert c.do("PING") == b"PONG"
        assert b"[::1]:" in c.do("CLIENT", "INFO")


def test_an_absent_address_may_be_optional(start):
    s = start("--bind", "127.0.0.1", "-203.0.113.7")
    with s.conn() as c:
        assert c.do("PING") == b"PONG"


def test_unix_socket_serves_with_its_permissions(start, tmp_path):
    path = tmp_path / "sock"
    s = start("--unixsocket", path, "--unixsocketperm", "700")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    with Conn(path) as c:
        assert c.do("SET", "over", "unix") == b"OK"
        assert b"addr=%s:0" % str(path).encode() in c.do("CLIENT", "INFO")
    with s.conn() as c:
        assert c.do("GET", "over") == b"unix"


def test_unix_socket_alone_with_port_0(start, tmp_path):
    path = tmp_path / "sock"
    s = start("--unixsocket", path, port=0, wait=False)
    end = time.monotonic() + 20
    while not path.exists() and time.monotonic() < end:
        assert s.alive(), s.log()
        time.sleep(0.02)
    with Conn(path) as c:
        assert c.do("PING") == b"PONG"


def test_maxclients_refuses_the_next_one(start):
    s = start("--maxclients", "5")
    time.sleep(0.2)  # the connection that saw it ready has to be gone
    open_ones = [s.conn() for _ in range(5)]
    for c in open_ones:
        assert c.do("PING") == b"PONG"
    with s.conn() as c:
        assert c.read().error == "ERR max number of clients reached"
    assert s.info(open_ones[0])["rejected_connections"] == "1"
    open_ones.pop().close()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with s.conn() as c:
            if c.call("PING").error is None:
                break
        time.sleep(0.05)
    else:
        raise AssertionError("no room after one left")
    for c in open_ones:
        c.close()


def test_idle_clients_are_timed_out(start):
    s = start("--timeout", "1")
    with s.conn() as c:
        assert c.do("PING") == b"PONG"
        began = time.monotonic()
        assert c.closed_by_server(10)
        assert time.monotonic() - began > 0.5


def test_a_taken_port_is_an_error_at_start(start):
    s = start()
    second = start(port=s.port, wait=False)
    assert second.proc.wait(20) != 0
    assert "Address already in use" in second.log()
    second.proc.returncode = 0  # this end is the expected one
    with s.conn() as c:
        assert c.do("PING") == b"PONG"


def test_the_port_can_be_changed_at_run_time(start):
    s = start()
    other = free_port()
    with s.conn() as c:
        reply = c.call("CONFIG", "SET", "port", other)
        if reply.error:
            pytest.skip(reply.error)
    with Conn(other) as c:
        assert c.do("PING") == b"PONG"
