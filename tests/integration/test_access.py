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


def test_listeners_are_exchanged_without_dropping_clients(start):
    s = start("--bind", "127.0.0.1")
    one, two = free_port(), free_port()
    refused = "ERR CONFIG SET failed (possibly related to argument '%s') - %s"
    with s.conn() as c:
        assert c.do("CONFIG", "SET", "port", one, "bind", "127.0.0.1 127.0.0.2") == b"OK"
        for host in ("127.0.0.1", "127.0.0.2"):
            with Conn(one, host=host) as new:
                assert new.do("PING") == b"PONG"
        with pytest.raises(ConnectionRefusedError):
            Conn(s.port)
        # What cannot be had leaves what was there.
        assert c.call("CONFIG", "SET", "bind", "127.0.0.1 203.0.113.7").error == refused % ("bind", "Failed to bind to specified addresses.")
        assert c.call("CONFIG", "SET", "bind", "203.0.113.7", "port", two).error == refused % ("bind", "Failed to bind to specified addresses.")
        with socket.socket() as taken:
            taken.bind(("127.0.0.2", two))
            taken.listen()
            assert c.call("CONFIG", "SET", "port", two).error == refused % ("port", "Unable to listen on this port. Check server logs.")
        assert c.do("CONFIG", "GET", "port") == [b"port", b"%d" % one]
        for host in ("127.0.0.1", "127.0.0.2"):
            with Conn(one, host=host) as new:
                assert new.do("PING") == b"PONG"
        # One address of "*", and back.
        for bind in ("*", "127.0.0.1", "* -::*"):
            assert c.do("CONFIG", "SET", "bind", bind) == b"OK"
            with Conn(one) as new:
                assert new.do("PING") == b"PONG"
        assert c.do("CONFIG", "SET", "bind", "") == b"OK"
        with pytest.raises(ConnectionRefusedError):
            Conn(one)
        assert c.do("CONFIG", "SET", "bind", "127.0.0.1") == b"OK"
        with Conn(one) as new:
            assert new.do("PING") == b"PONG"
        assert b"listener0:name=tcp,bind=127.0.0.1,port=%d\r\n" % one in c.do("INFO", "server")


def test_a_stale_unix_socket_is_replaced_and_a_file_is_not(start, tmp_path):
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    s = start("--unixsocket", path)
    with Conn(path) as c:
        assert c.do("PING") == b"PONG"
        line = c.do("CLIENT", "LIST")
        assert b" addr=%s:0 laddr=%s:0 " % (bytes(path), bytes(path)) in line and b" flags=U " in line
    s.stop()
    assert not path.exists() and "Removing the unix socket file." in s.log()
    path.write_text("precious")
    s = start("--unixsocket", path, wait=False)
    assert s.proc.wait(20) == 1
    assert "Failed opening Unix socket: bind: Address already in use" in s.log()
    assert path.read_text() == "precious"
    s.proc.returncode = 0  # this end is the expected one


def test_maxclients_changes_at_run_time(start):
    s = start("--maxclients", "3")
    time.sleep(0.2)
    inside = [s.conn() for _ in range(3)]
    assert inside[0].do("CONFIG", "SET", "maxclients", 4) == b"OK"
    inside.append(s.conn())
    assert inside[3].do("PING") == b"PONG"
    # Fewer than there are: nobody has to go, nobody else comes.
    assert inside[0].do("CONFIG", "SET", "maxclients", 1) == b"OK"
    for c in inside:
        assert c.do("PING") == b"PONG"
    with s.conn() as c:
        assert c.read().error == "ERR max number of clients reached"
    too_many = inside[0].call("CONFIG", "SET", "maxclients", 4000000000).error
    assert too_many.startswith("ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle the specified number of clients, try with ")
    for c in inside:
        c.close()


def test_output_limits_change_at_run_time(start):
    s = start()
    with s.conn() as c, s.conn() as slow:
        c.do("SET", "big", b"x" * (1 << 20))
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.send_raw(b"GET big\r\n" * 20)
        time.sleep(0.5)
        assert s.info(c)["connected_clients"] == "2"
        assert c.do("CONFIG", "SET", "client-output-buffer-limit", "normal 4mb 0 0") == b"OK"
        end = time.monotonic() + 5
        while s.info(c)["connected_clients"] == "2":
            assert time.monotonic() < end
            time.sleep(0.05)
