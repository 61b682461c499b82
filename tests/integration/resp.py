"""A RESP client that keeps the bytes: what a comparison needs and redis-py hides.

A reply is a Reply: its raw bytes and a tree of (type, value) pairs, where type is the wire's first byte ("+", "*", ...)
and value is bytes, None or a list.
"""
import socket


class Closed(Exception):
    """The server closed the connection."""


class Incomplete(Exception):
    """The buffer ends inside a reply."""


class Reply:
    __slots__ = ("raw", "tree")

    def __init__(self, raw, tree):
        self.raw = raw
        self.tree = tree

    @property
    def error(self):
        return self.raw[1:-2].decode("latin1") if self.raw[:1] in b"-!" else None

    def plain(self):
        """Nested bytes, ints, None and lists, types forgotten."""
        return plain(self.tree)

    def __repr__(self):
        return repr(self.raw if len(self.raw) < 400 else self.raw[:400] + b"...")


def plain(tree):
    kind, value = tree
    if isinstance(value, list):
        return [plain(v) for v in value]
    if kind == ":" and value is not None:
        return int(value)
    return value


def parse(buf, pos=0):
    """One reply of @buf from @pos: (tree, position after it). Raises Incomplete."""
    end = buf.find(b"\r\n", pos)
    if end < 0:
        raise Incomplete
    kind = chr(buf[pos])
    line = bytes(buf[pos + 1 : end])
    pos = end + 2
    if kind in "+-:,#(":
        return (kind, line), pos
    if kind == "_":
        return (kind, None), pos
    if kind in "$=!":
        n = int(line)
        if n < 0:
            return (kind, None), pos
        if len(buf) < pos + n + 2:
            raise Incomplete
        return (kind, bytes(buf[pos : pos + n])), pos + n + 2
    if kind in "*~%>|":
        n = int(line)
        if n < 0:
            return (kind, None), pos
        items = []
        for _ in range(n * 2 if kind in "%|" else n):
            item, pos = parse(buf, pos)
            items.append(item)
        return (kind, items), pos
    raise ValueError(f"not RESP: {kind!r}{line!r}")


def to_bytes(arg):
    return arg if isinstance(arg, bytes) else str(arg).encode()


def pack(args):
    """A command as a client sends it."""
    out = [b"*%d\r\n" % len(args)]
    for a in args:
        a = to_bytes(a)
        out.append(b"$%d\r\n%s\r\n" % (len(a), a))
    return b"".join(out)


class Conn:
    """One connection. @where is a port or the path of a unix socket."""

    def __init__(self, where, timeout=30, host="127.0.0.1"):
        if isinstance(where, int):
            self.sock = socket.create_connection((host, where), timeout=timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(str(where))
        self.buf = bytearray()

    def send(self, *args):
        self.sock.sendall(pack(args))

    def send_raw(self, data):
        self.sock.sendall(data)

    def read(self):
        while True:
            if self.buf:
                try:
                    tree, end = parse(self.buf)
                except Incomplete:
                    pass
                else:
                    raw = bytes(self.buf[:end])
                    del self.buf[:end]
                    return Reply(raw, tree)
            try:
                got = self.sock.recv(1 << 20)
            except ConnectionResetError:
                got = b""
            if not got:
                raise Closed(bytes(self.buf))
            self.buf += got

    def call(self, *args):
        """Send one command, read its reply."""
        self.send(*args)
        return self.read()

    def do(self, *args):
        """The plain value of the reply; an error raises."""
        reply = self.call(*args)
        if reply.error is not None:
            raise AssertionError(f"{args!r}: {reply.error}")
        return reply.plain()

    def closed_by_server(self, timeout=10):
        """True when the server ends the connection within @timeout (pending data is read and dropped)."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(1 << 20):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
