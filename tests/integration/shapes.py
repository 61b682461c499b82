"""What commands look like: the tables from which the comparison run makes its calls.

A shape is a command in a small notation: a word that names a method of Args makes an argument,
any other stands for itself, [a|b] is optional, (a|b) is a choice, x... is one or several. FAMILIES lists the shapes, a
command may have several. How its replies are compared stands in RULES, "exact" where nothing is said.
"""
import hashlib
import re
import struct

TOKEN = re.compile(r"\.\.\.|[\[\]()|]|(?:(?!\.\.\.)[^\s\[\]()|])+")


def read_shape(text):
    """The notation as a tree: lists of ("word", w), ("opt", alternatives), ("alt", alternatives), ("many", node)."""
    tokens = TOKEN.findall(text)

    def sequence(pos, ends):
        alternatives, row = [], []
        while pos < len(tokens) and tokens[pos] not in ends:
            t = tokens[pos]
            if t == "|":
                alternatives.append(row)
                row = []
            elif t in "[(":
                inner, pos = sequence(pos + 1, "]" if t == "[" else ")")
                row.append(("opt" if t == "[" else "alt", inner))
            elif t == "...":
                row.append(("many", row.pop()))
            else:
                row.append(("word", t))
            pos += 1
        return alternatives + [row], pos

    (row,), _ = sequence(0, ())
    return row


def expand(row, args):
    out = []
    for kind, what in row:
        if kind == "word":
            if not hasattr(args, what):
                out.append(what.lower().encode() if args.rng.random() < 0.1 else what.encode())
            else:
                made = getattr(args, what)()
                out += made if isinstance(made, list) else [made]
        elif kind == "opt":
            if args.rng.random() < 0.4:
                out += expand(args.rng.choice(what), args)
        elif kind == "alt":
            out += expand(args.rng.choice(what), args)
        else:
            for _ in range(args.rng.choice((1, 1, 2, 3, 8))):
                out += expand([what], args)
    return out


def text(value):
    return value if isinstance(value, bytes) else str(value).encode()


class Args:
    """Makers of arguments. Keys are few, so that calls meet; each type has its own, and now and then another's is used."""

    # Positive seconds and milliseconds that are small would let a key expire between the two servers' runs.
    EDGES = [b"0", b"-1", b"", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"+1", b" 1",
             b"1 ", b"01", b"-0", b"1e3", b"1.5", b"inf", b"-inf", b"nan", b"0x10", b"abc", b"\x00", b"1\x002",
             b"\r\n", b"18446744073709551615", b"-9223372036854775809", b"1" * 40, b"\xff\xfe", b"*", b"(", b"[", b"-", b"+"]

    def __init__(self, rng):
        self.rng = rng

    # keys
    def _key(self, kind):
        if self.rng.random() < 0.05:
            # x keeps to itself: its scores have to stay equal, lexical ranges mean nothing otherwise.
            return b"notlex" if kind == "x" else self.rng.choice(KEYS[self.rng.choice("snlahz")])
        return self.rng.choice(KEYS[kind])

    def skey(self):
        return self._key("s")

    def nkey(self):
        return self._key("n")

    def lkey(self):
        return self._key("l")

    def akey(self):
        return self._key("a")

    def hkey(self):
        return self._key("h")

    def zkey(self):
        return self._key("z")

    def xkey(self):
        return self._key("x")

    def tkey(self):
        return self._key("t")

    def xid(self):
        """Ids mostly grow, so that entries are added; sometimes one that was given, or an odd one."""
        r = self.rng
        pick = r.random()
        if pick < 0.6:
            self.ms = getattr(self, "ms", 0) + r.choice((0, 1, 1, 2, 300, 70000))
            return text(f"{self.ms}{r.choice(('-*', '-*', '-1', '-7', ''))}")
        if pick < 0.9:
            return text(f"{r.randint(0, getattr(self, 'ms', 5) + 1)}{r.choice(('-0', '-1', '-7', '', '-2'))}")
        return r.choice((b"0-0", b"0-1", b"0-*", b"5-", b"-5", b"-", b"+", b"x", b"1-x", b"01-1", b" 1-1", b"1- 1", b"+3-+3", b"1--1", b"1-2-3",
                         b"9-18446744073709551616", b"", b"(", b"$", b">", b"7" * 130, b"0x1-1", b"1-*2", b"1 - 1"))

    def xlast(self):
        return text(f"{getattr(self, 'ms', 5) + 1}-{self.rng.randrange(3)}")

    def xend(self):
        return self.rng.choice((b"-", b"+", b"(", b"(-", b"(+", b"(0", b"(18446744073709551615-18446744073709551615", b"18446744073709551615-18446744073709551615",
                                b"(0-0")) if self.rng.random() < 0.3 else self.rng.choice((b"", b"(")) + self.xid()

    def xafter(self):
        return self.rng.choice((b"0", b"0-0", b"$", b">", b"+")) if self.rng.random() < 0.5 else self.xid()

    def xmax(self):
        return text(self.rng.randrange(12))

    def group(self):
        return self.rng.choice((b"g1", b"g1", b"g1", b"g2", b"g2", b"")) if self.rng.random() < 0.95 else b"no\x00group"

    def consumer(self):
        return self.rng.choice((b"c1", b"c1", b"c2", b"c3", b"", b"\x00"))

    def xnow(self):
        """An id near the last ones that were given."""
        return text(f"{max(0, getattr(self, 'ms', 5) - self.rng.randrange(9))}-{self.rng.choice((0, 1, 7))}")

    def xnext(self):
        return self.rng.choice((b">", b">", b">", b"0", b"0", self.xnow(), self.xafter()))

    def idle(self):
        """Idle times are either none or far from each other."""
        return text(self.rng.choice((0, 0, 0, 100000, 5000000, -1)))

    def azkey(self):
        return self._key(self.rng.choice("az"))

    def key(self):
        return self.rng.choice(KEYS[self.rng.choice("snlahzxt")] + [b"nokey"])

    def _numbered(self, make):
        n = self.rng.choice((1, 1, 2, 3))
        keys = [make() for _ in range(n)]
        if self.rng.random() < 0.07:
            n = self.rng.choice((0, -1, n + 1, n - 1, 1 << 40))
        return [text(n), *keys]

    def lkeys(self):
        return self._numbered(self.lkey)

    def akeys(self):
        return self._numbered(self.akey)

    def azkeys(self):
        return self._numbered(self.azkey)

    def zkeys(self):
        return self._numbered(self.zkey)

    def stored(self):
        """As weighted, with no way to a negative zero: what is stored would keep it or not by its encoding and version."""
        return self.weighted((1, 2, 0.5, 10))

    def weighted(self, among=(0, 1, 2, -1, 0.5, 10)):
        """numkeys key... with weights of the same count."""
        n = self.rng.choice((1, 2, 3))
        weights = [text(self.rng.choice(among)) for _ in range(n)]
        if self.rng.random() < 0.08:
            weights[0] = b"x"
        if self.rng.random() < 0.08:
            weights.pop()
        return [text(n), *[self.azkey() for _ in range(n)], b"WEIGHTS", *weights]

    # values
    def script(self):
        return self.rng.choice(SCRIPTS)

    def lib(self):
        """One library: Redis gives several in the order of a hash table."""
        return f"#!lua name=liba\nredis.register_function('f{self.rng.choice('abx')}', function(keys, args) return {{keys, args}} end)".encode()

    def sha(self):
        return self.rng.choice((hashlib.sha1(self.rng.choice(SCRIPTS)).hexdigest().encode(), b"f" * 40, b"x"))

    def val(self):
        r = self.rng
        pick = r.random()
        if pick < 0.25:
            return text(r.randint(-20000, 20000))
        if pick < 0.5:
            return r.choice(WORDS)
        if pick < 0.6:
            return bytes(r.randrange(256) for _ in range(r.choice((1, 5, 43, 44, 45, 60))))
        if pick < 0.7:
            return text(r.choice((0, 9999, 10000, -1, 127, 128, -128, -129, 4095, 4096, 32767, 32768, 8388607, 8388608,
                                  2147483647, 2147483648, -2147483649, 9223372036854775807, -9223372036854775808)))
        if pick < 0.8:
            return text(r.choice((1.5, -2.25, "3.0e3", "007", "+5", "-0", " 7", "1.", ".5")))
        if pick < 0.9:
            return bytes([r.choice(b"abcdef")]) * r.choice((0, 1, 63, 64, 65, 200))
        return text(f"v{r.randrange(1000)}") * r.choice((1, 1, 1, 300))

    lval = aval = fval = lambda self: self.rng.choice(WORDS) if self.rng.random() < 0.7 else self.val()

    def field(self):
        return self.rng.choice(FIELDS) if self.rng.random() < 0.9 else self.val()

    def nfield(self):
        return self.rng.choice((b"n1", b"n2", b"n3"))

    def member(self):
        return self.rng.choice(FIELDS + WORDS) if self.rng.random() < 0.9 else self.val()

    def lexmember(self):
        return self.rng.choice((b"a", b"b", b"c", b"aa", b"ab", b"z", b"", b"\x00", b"\xff", b"B", b"foo", b"bar"))

    def bulk(self, first=None, second=None):
        """Enough to leave every small encoding; no name twice, as 7.2 counts the arguments and 7.0 what they add."""
        names = [text(n) for n in self.rng.sample(range(5000), self.rng.choice((40, 130, 600)))]
        out = []
        for n in names:
            out += [first()] if first else []
            out.append(n)
            out += [second()] if second else []
        return out

    def bulkpairs(self):
        return self.bulk(second=self.val)

    def bulkscores(self):
        return self.bulk(first=lambda: text(self.rng.randrange(-50, 50)))

    # numbers
    def int(self):
        r = self.rng
        return text(r.choice((0, 1, -1, 2, 7, -13, 1000, 9223372036854775807, -9223372036854775808, 4611686018427387904)))

    def sint(self):
        return text(self.rng.randint(-30, 30))

    def idx(self):
        return text(self.rng.choice((0, 1, 2, 3, -1, -2, -3, 5, -5, 20, -20, 100, -100, 1000000)))

    def off(self):
        return text(self.rng.choice((0, 1, 3, 10, 100, 2000, -1, 1 << 40)))

    # access lists
    def acluser(self):
        return self.rng.choice((b"u1", b"u2", b"u3", b"u4"))

    def acllogin(self):
        user = self.acluser()
        return [user, self.rng.choice((b"p1", b"p2", b"p3"))]

    def aclpattern(self):
        r = self.rng
        return r.choice((b"*", b"s*", b"?*", b"s1", b"[sn]*", b"l*", b"nokey", b"a", b"", b"\\*", b"c*", b"x y", b"\xc3\xa9*", b"*1"))

    def aclcommand(self):
        r = self.rng
        if r.random() < 0.35:
            return b"@" + r.choice((b"all", b"read", b"write", b"string", b"fast", b"slow", b"admin", b"dangerous", b"connection", b"keyspace", b"pubsub", b"LIST", b"transaction",
                                    b"set", b"hash", b"sortedset", b"blocking", b"bitmap", b"geo", b"hyperloglog", b"nosuch", b""))
        return r.choice((b"get", b"GET", b"set", b"mget", b"del", b"rpush", b"lrange", b"ping", b"select", b"select|0", b"select|1", b"client", b"client|list", b"client|id", b"CLIENT|Id", b"config|get",
                         b"config", b"acl|whoami", b"acl", b"object|encoding", b"object", b"copy", b"bitfield", b"sort", b"lmove", b"eval2", b"client|nosuch", b"nosuch", b"client|", b"get|", b"get|k",
                         b"config|get|x", b"publish", b"subscribe", b"psubscribe", b"command", b"command|count", b"auth", b"hello", b"echo|a", b"echo", b"exists", b"ttl", b"keys", b"dbsize", b"setrange"))

    def aclinner(self):
        """A rule that a selector may have."""
        r = self.rng
        way = r.random()
        if way < 0.5:
            return r.choice((b"+", b"+", b"-")) + self.aclcommand()
        if way < 0.65:
            return b"~" + self.aclpattern()
        if way < 0.78:
            return b"%" + r.choice((b"R", b"W", b"RW", b"WR", b"r", b"w", b"RR", b"X", b"")) + b"~" + self.aclpattern()
        if way < 0.86:
            return b"&" + self.aclpattern()
        return r.choice((b"allkeys", b"resetkeys", b"allchannels", b"resetchannels", b"allcommands", b"nocommands", b"AllKeys", b"ResetKeys", b"-@all", b"+@all", b"~*", b"&*"))

    def aclrule(self):
        r = self.rng
        way = r.random()
        if way < 0.62:
            return self.aclinner()
        if way < 0.72:
            inner = b" ".join(rule for rule in (self.aclinner() for _ in range(r.choice((0, 1, 2, 3)))) if b" " not in rule)
            return b"(" + inner + r.choice((b")", b")", b" )"))
        if way < 0.76:
            return [b"(" + self.aclinner().replace(b" ", b"_"), self.aclinner(), self.aclinner() + b")"]
        if way < 0.9:
            return r.choice((b"on", b"on", b"on", b"off", b"ON", b"nopass", b">p1", b">p1", b">p2", b"<p1", b"<p2", b"resetpass", b">", b"<"))
        return r.choice((b"reset", b"clearselectors", b"skip-sanitize-payload", b"", b"junk", b"#", b"!", b"#" + b"a" * 64, b"!" + b"a" * 64, b"#" + b"A" * 64, b"#" + b"a" * 63, b")", b"(on)", b"(>x)",
                         b"+", b"-", b"%", b"~", b"&", b"+@"))

    def aclopen(self):
        """Never closed; where another opens behind it 7.0 goes wrong."""
        return [b"(+get", self.rng.choice((b"", b"+set", b"~a", b"on"))]

    def aclgood(self):
        """Rules that make a user who can do something."""
        r = self.rng
        return [b"on", r.choice((b">p1", b"nopass", b">p2")), b"resetkeys", b"~" + r.choice((b"s*", b"n*", b"[snl]*")), r.choice((b"%R~l*", b"%W~a*", b"%RW~h*", b"&c*")),
                r.choice((b"+@all", b"+@read", b"+@write", b"+@string", b"+get")), r.choice((b"-@dangerous", b"+@connection", b"+acl|whoami", b"(+@all %R~* &*)", b"(+set ~* -@slow)"))]

    def aclcall(self):
        r = self.rng
        k = self.key
        return r.choice((lambda: [b"GET", k()], lambda: [b"SET", k(), b"v"], lambda: [b"SET", k(), b"v", b"GET"], lambda: [b"MGET", k(), k(), k()], lambda: [b"MSET", k(), b"1", k(), b"2"], lambda: [b"DEL", k(), k()],
                         lambda: [b"COPY", k(), k()], lambda: [b"LMOVE", k(), k(), b"LEFT", b"LEFT"], lambda: [b"BITFIELD", k(), b"GET", b"u4", b"0"], lambda: [b"BITFIELD", k(), b"SET", b"u4", b"0", b"1"],
                         lambda: [b"BITFIELD", k(), b"GET", b"u4", b"0", b"OVERFLOW", b"SAT", b"INCRBY", b"u4", b"0", b"1"], lambda: [b"BITFIELD_RO", k(), b"GET", b"u4", b"0"], lambda: [b"BITFIELD", k()],
                         lambda: [b"SORT", k()], lambda: [b"SORT", k(), b"STORE", k()], lambda: [b"SORT_RO", k(), b"BY", b"s*"], lambda: [b"ZUNIONSTORE", k(), b"2", k(), k()], lambda: [b"ZINTER", b"2", k(), k()],
                         lambda: [b"ZUNIONSTORE", k(), b"9", k(), k()], lambda: [b"XREAD", b"STREAMS", k(), k(), b"0", b"0"], lambda: [b"XREAD", b"STREAMS", k(), k(), b"0"], lambda: [b"LMPOP", b"2", k(), k(), b"LEFT"],
                         lambda: [b"GEORADIUS", k(), b"1", b"1", b"1", b"m"], lambda: [b"GEORADIUS", k(), b"1", b"1", b"1", b"m", b"STORE", k()], lambda: [b"GEOSEARCHSTORE", k(), k(), b"FROMLONLAT", b"1", b"1", b"BYRADIUS", b"1", b"m"],
                         lambda: [b"PUBLISH", r.choice((b"c1", b"d")), b"m"], lambda: [b"SPUBLISH", b"c1", b"m"], lambda: [b"SUBSCRIBE", b"c1", b"d"], lambda: [b"PSUBSCRIBE", b"c*"], lambda: [b"PSUBSCRIBE", b"c1*"], lambda: [b"UNSUBSCRIBE", b"d"],
                         lambda: [b"SSUBSCRIBE", b"c1"], lambda: [b"PING"], lambda: [b"ECHO", b"a"], lambda: [b"SELECT", b"0"], lambda: [b"SELECT", b"1"], lambda: [b"CLIENT", b"ID"], lambda: [b"CLIENT", b"LIST"], lambda: [b"CONFIG", b"GET", b"x"],
                         lambda: [b"ACL", b"WHOAMI"], lambda: [b"AUTH", b"x"], lambda: [b"KEYS", b"*"], lambda: [b"DBSIZE"], lambda: [b"OBJECT", b"ENCODING", k()], lambda: [b"EXISTS", k()], lambda: [b"TTL", k()], lambda: [b"TYPE", k()],
                         lambda: [b"STRLEN", k()], lambda: [b"SETRANGE", k(), b"0", b"v"], lambda: [b"GETDEL", k()], lambda: [b"GETEX", k()], lambda: [b"GETSET", k(), b"v"], lambda: [b"APPEND", k(), b"v"], lambda: [b"INCR", k()],
                         lambda: [b"RENAME", k(), k()], lambda: [b"SMOVE", k(), k(), b"m"], lambda: [b"SINTERCARD", b"2", k(), k()], lambda: [b"PFCOUNT", k(), k()], lambda: [b"PFMERGE", k(), k()], lambda: [b"BITOP", b"AND", k(), k()],
                         lambda: [b"LCS", k(), k()], lambda: [b"BLPOP", k(), k(), b"0"], lambda: [b"BLMPOP", b"0", b"1", k(), b"LEFT"], lambda: [b"XADD", k(), b"*", b"a", b"b"], lambda: [b"XINFO", b"STREAM", k()], lambda: [b"MEMORY", b"USAGE", k()],
                         lambda: [b"EXPIRE", k(), b"9999"], lambda: [b"WATCH", k()], lambda: [b"TOUCH", k(), k()], lambda: [b"MOVE", k(), b"1"], lambda: [b"NOSUCH"], lambda: [b"GET"], lambda: [b"CLIENT", b"NOSUCH"], lambda: [b"CLIENT"]))()

    # HyperLogLogs
    def pkey(self):
        return self._key("p")

    def qkey(self):
        return self._key("q")

    def pqkey(self):
        return self._key(self.rng.choice("ppq"))

    def element(self):
        return text(self.rng.randrange(400)) if self.rng.random() < 0.8 else self.val()

    def hll(self):
        """Bytes that are a HyperLogLog, or nearly."""
        r = self.rng
        cache = r.choice((bytes(8), bytes(7) + b"\x80", struct.pack("<Q", r.randrange(1000)), b"\xff" * 8))
        head = b"HYLL" + r.choice((b"\x00", b"\x01", b"\x01", b"\x01", b"\x02")) + bytes(3) + cache
        way = r.random()
        if way < 0.3:
            dense = r.choice((b"\xff", b"\x00", b"\x41\x10\x04", bytes(r.randrange(256) for _ in range(9)))) * 12288
            return b"HYLL\x00" + bytes(3) + cache + dense[: r.choice((12288, 12288, 12288, 12287))]
        if way < 0.7:
            # Runs that end where they should, or not.
            runs, left = b"", 16384
            while left > 0 and len(runs) < 200:
                n = min(left, r.choice((1, 2, 3, 4)))
                if r.random() < 0.6:
                    runs += bytes([0x80 | r.randrange(32) << 2 | (n - 1)])
                else:
                    n = min(left, r.choice((1, 3, 64, 100, 5000, 16384)))
                    runs += bytes([n - 1]) if n <= 64 and r.random() < 0.8 else bytes([0x40 | (n - 1) >> 8, (n - 1) & 255])
                left -= n
            return head + runs + r.choice((b"", b"", b"", b"\x00", b"\x80", b"\xff\xff"))
        return head[: r.choice((16, 16, 15, 4))] + r.choice((b"\x7f\xff", b"\x7f\xfe", b"", b"\x00", b"\x80\x7f\xfe", b"\x7f\xff\x7f\xff"))

    # places
    def gkey(self):
        return self._key("g")

    def gout(self):
        """What is stored may have equal distances for its scores: it is not asked for the nearest few."""
        return b"gout"

    def gmember(self):
        return self.rng.choice((b"m0", b"m1", b"m2", b"m3", b"m4", b"5", b"-6", b"m7", b"m8")) if self.rng.random() < 0.98 else self.val()

    def place(self):
        """Places are all different: what is equally far away comes in each server's own order where only some are asked for."""
        r = self.rng
        way = r.random()
        if way < 0.04:
            return [r.choice((b"181", b"-180.1", b"x", b"nan", b"inf")), r.choice((b"86", b"0", b"-85.06", b""))]
        if way < 0.08:
            return [r.choice((b"180", b"-180", b"0")), r.choice((b"85.05112878", b"-85.05112878", b"0", b"84.9"))]
        if way < 0.4:
            return [text(r.uniform(-180, 180)), text(r.uniform(-85, 85))]
        return [text(13 + r.gauss(0, 2)), text(38 + r.gauss(0, 1))]

    def gbulk(self):
        out = []
        for i in range(self.rng.choice((20, 150, 400))):
            out += [text(13 + self.rng.gauss(0, 1)), text(38 + self.rng.gauss(0, 1)), text(f"b{i}")]
        return out

    def dist(self):
        r = self.rng
        return text(r.choice((0, 1, 50, 100.5, 300, 1000, 5000, 20000, 1e6, "1e308", "inf", -1, "x", "nan"))) if r.random() < 0.3 else text(10 ** r.uniform(-2, 7))

    def unit(self):
        return self.rng.choice((b"m", b"km", b"km", b"ft", b"mi", b"KM")) if self.rng.random() < 0.96 else b"yd"

    # SORT: lists, a set and a sorted set of elements for which there are weights
    def okey(self):
        return self.rng.choice((b"o1", b"o1", b"o2", b"ot", b"oz")) if self.rng.random() < 0.97 else self.key()

    def olist(self):
        return self.rng.choice((b"o1", b"o2"))

    def oelement(self):
        r = self.rng
        if r.random() < 0.97:
            return text(r.choice((r.randrange(15), r.randrange(15), r.randrange(-100, 100), 1.5, "1e3", 7)))
        # None is out of range: Redis looks at an errno that it did not clear, then.
        return r.choice((b"x", b"", b" 3", b"nan", b"inf"))

    def oword(self):
        return self.rng.choice((b"apple", b"Apple", b"pear", b"fig", b"fi", b"10", b"9", b"\xc3\xbc", b"~", b"zz"))

    def wkey(self):
        return text(f"w_{self.rng.randrange(15)}")

    def wval(self):
        return self.rng.choice((text(self.rng.randrange(-50, 50)), text(self.rng.randrange(100)), b"0.5", b" 2", b"word", b"")) if self.rng.random() < 0.5 else text(self.rng.randrange(-9, 9))

    def whash(self):
        return text(f"h_{self.rng.randrange(15)}")

    def opattern(self):
        return self.rng.choice((b"w_*", b"w_*", b"h_*->f", b"h_*->g", b"h_*->", b"h_*", b"#", b"nosuch", b"nosuch_*", b"w_*->f", b"*", b"->", b"h_*->f->g", b"o*"))

    def byweight(self):
        return self.rng.choice((b"w_*", b"h_*->f", b"nosuch_*", b"h_*->nosuch"))

    # bits
    def bitoff(self):
        return text(self.rng.choice((self.rng.randrange(20), self.rng.randrange(200), self.rng.randrange(200), 4000, 100000, 1 << 35, -1)))

    def bit(self):
        return self.rng.choice((b"0", b"1")) if self.rng.random() < 0.95 else self.rng.choice((b"2", b"-1", b"x", b""))

    def bidx(self):
        return text(self.rng.choice((0, 0, 1, 2, 3, 9, 17, 40, 100, 5000, -1, -1, -2, -3, -9, -18, -100)))

    def bitstring(self):
        r = self.rng
        return b"".join(bytes([r.choice((0, 0, 255, 255, 1, 128, 127, 254, r.randrange(256)))]) * r.choice((1, 1, 2, 9, 33)) for _ in range(r.randrange(5)))

    def ftype(self):
        r = self.rng
        return text(f"{r.choice('iu')}{r.choice((1, 2, 5, 8, 8, 13, 16, 32, 33, 57, 63, 64, r.randint(1, 64)))}") if r.random() < 0.97 else \
            r.choice((b"i65", b"u64", b"i0", b"x8", b"i", b"", b"I8", b"i08", b"u-1"))

    def foff(self):
        r = self.rng
        return text(f"{r.choice(('', '#'))}{r.choice((0, 1, 2, 3, 7, 8, 20, 100))}") if r.random() < 0.97 else r.choice((b"#-1", b"#", b"-1", b"#x", b"#99999999999999"))

    def fint(self):
        r = self.rng
        return text(r.choice((0, 1, -1, 2, -3, 100, 127, 128, -128, -129, 255, 256, 65535, 1 << 31, -(1 << 31), (1 << 63) - 1, -(1 << 63), r.randint(-1000, 1000))))

    def cnt(self):
        return text(self.rng.choice((0, 1, 1, 2, 3, 5, 100, -1, -2)))

    def pcnt(self):
        return text(self.rng.choice((1, 1, 2, 3, 5, 100, 1000000000, 0)))

    def rcount(self):
        return text(self.rng.choice((0, 1, 2, 3, 7, -1, -2, -7, 50, -50)))

    def flt(self):
        return text(self.rng.choice((0, 1, -1, 0.5, 3.25, "1e2", -1000.125, "5.0e-1", "1e17", "3.0", "-0", "0.1", "100000000000")))

    def score(self):
        r = self.rng
        if r.random() < 0.06:
            return r.choice((b"inf", b"-inf", b"+inf", b"nan", b"1e400", b"x", b"", b"0x10", b"1e-5", b"Infinity"))
        if r.random() < 0.3:
            return text(r.choice((0.5, 1.25, -3.75, "1e3", 123456789012, 0.1, 3.3, 2.0 ** 53, 1e17)))
        return text(r.randint(-10, 10))

    def smin(self):
        return self.rng.choice((b"-inf", b"0", b"-5", b"(1", b"(-3", b"2", b"(inf", b"-1e3", b"(nan", b"x", b"( 1"))\
            if self.rng.random() < 0.5 else b"-inf"

    def smax(self):
        return self.rng.choice((b"+inf", b"inf", b"0", b"5", b"(1", b"(8", b"2", b"1e3", b"(-inf", b"y"))\
            if self.rng.random() < 0.5 else b"+inf"

    def lexmin(self):
        return self.rng.choice((b"-", b"[a", b"(a", b"[b", b"(aa", b"[", b"(", b"+", b"a", b"[\x00", b"[foo"))

    def lexmax(self):
        return self.rng.choice((b"+", b"[z", b"(z", b"[b", b"(c", b"[\xff", b"-", b"", b"(foo"))

    def ttl(self):
        return text(self.rng.randint(1000, 10**7)) if self.rng.random() < 0.85 else \
            self.rng.choice((b"0", b"-1", b"-100", b"9223372036854775807", b"-9223372036854775808", b"9223372036854776"))

    def pttl(self):
        return text(self.rng.randint(10**6, 10**10)) if self.rng.random() < 0.85 else self.ttl()

    def at(self):
        return text(self.rng.randint(4 * 10**9, 5 * 10**9)) if self.rng.random() < 0.85 else self.ttl_past()

    def pat(self):
        return text(self.rng.randint(4 * 10**12, 5 * 10**12)) if self.rng.random() < 0.85 else self.ttl_past()

    def ttl_past(self):
        return self.rng.choice((b"0", b"-1", b"1000", b"1000000000", b"9223372036854775807", b"x"))

    def db(self):
        return self.rng.choice((b"0", b"1", b"2", b"15", b"16", b"-1", b"x", b"9999999999999")) \
            if self.rng.random() < 0.3 else self.rng.choice((b"1", b"2", b"3"))

    def pattern(self):
        return self.rng.choice((b"*", b"s*", b"?1", b"[a-h]*", b"[^s]1", b"*1", b"nokey", b"\\*", b"", b"**", b"s[", b"h[1-", b"k\x00*",
                                b"[^a]", b"*\xff*"))

    def type(self):
        return self.rng.choice((b"string", b"list", b"set", b"hash", b"zset", b"ZSET", b"stream", b"nothing"))

    def name(self):
        return self.rng.choice((b"app", b"x1", b"", b"with space", b"new\nline", b"\x00", b"~", b"long" * 50))

    def payload(self):
        """What a 7.0 server's DUMP answered, now and then with a byte changed."""
        made = self.rng.choice(PAYLOADS)
        if self.rng.random() < 0.15:
            at = self.rng.randrange(len(made))
            made = made[:at] + bytes([made[at] ^ 1 << self.rng.randrange(8)]) + made[at + 1 :]
        return made

    def junk(self):
        return self.rng.choice(WORDS + self.EDGES)


WORDS = [b"one", b"two", b"three", b"four", b"five", b"Six", b"", b"with space", b"1", b"2", b"-7", b"\x00\x01\xff", b"\r\n", b"$5\r\nx",
         "Suyeon \u00fc \u6c34".encode(), b"x" * 64, b"y" * 65, struct.pack("<q", -1)]
FIELDS = [b"f%d" % i for i in range(14)] + [b"", b"\x00", b"1", b"3", b"-12", b"field with space", b"F" * 70]
KEYS = {
    "s": [b"s1", b"s2", b"s3", b"k\x00\xff\r\n", b""],
    "n": [b"n1", b"n2", b"n3"],
    "l": [b"l1", b"l2", b"l3", b"l" * 300],
    "a": [b"a1", b"a2", b"a3", b"a4"],
    "h": [b"h1", b"h2", b"h3"],
    "g": [b"g1", b"g2"],
    "p": [b"p1", b"p2", b"p3"],
    "q": [b"q1", b"q2"],  # HyperLogLogs that may be damaged: one element at a time, as Redis keeps those before the damage it finds
    "z": [b"z1", b"z2", b"z3", b"z4"],
    "t": [b"t1", b"t2"],
    "x": [b"x1", b"x2"],  # sorted sets with equal scores, where lexical ranges mean something
}

PAYLOADS = [bytes.fromhex(text) for text in (
    "000568656c6c6f0a006372df766534200a",
    "00c139300a009d94ea2793fc08b9",
    "00c30a407802616261e06a010161620a00b288708c530716d2",
    "120102c3223017300000000a00000101010201030104010501060107019478e00a000415817902ff0a00853d7b8518356906",
    "0b1404000000030000000100000002000000701101000a0085d5c1065b1dd055",
    "02030163c00201610a00b97cebaa8d132727",
    "101414000000040081610201018162028378797a04ff0a002e2c226e653d1fc4",
    "04010166c3094041017676e034000176760a003d71be523786cf45",
    "1114140000000400816102010181620283322e3504ff0a00d44c6ea4f644d9d7",
    "0501c3094041016d6de03400016d6d000000000000f83f0a00f782f77e140ddf23",
)]

EXPIRY = "EX ttl|PX pttl|EXAT at|PXAT pat"
SCRIPTS = [
    b"return redis.call('get',KEYS[1])", b"return redis.pcall('incr',KEYS[1])", b"return {KEYS,ARGV,#KEYS}", b"return redis.call('set',KEYS[1],ARGV[1])",
    b"redis.call('rpush',KEYS[1],unpack(ARGV)) return redis.call('lrange',KEYS[1],0,-1)", b"redis.setresp(3) return redis.call('hgetall',KEYS[1])",
    b"#!lua flags=no-writes\nreturn redis.call('strlen',KEYS[1])", b"return redis.call(ARGV[1],KEYS[1])", b"return cjson.encode(ARGV)", b"x =", b"error('x')",
    b"redis.call('del',KEYS[1]) error('after')", b"return {map={n=#ARGV}}",
]

FAMILIES = {
    "scripting": [
        "EVAL script 1 skey [val...]", "EVAL script 1 lkey val...", "EVAL script (0|1|2|-1|x)", "EVAL script 2 skey key val", "EVAL_RO script 1 skey [val]", "EVALSHA sha 1 skey [val...]",
        "EVALSHA sha (0|1|x)", "EVALSHA_RO sha 1 skey", "SCRIPT LOAD script", "SCRIPT EXISTS sha...", "SCRIPT FLUSH [ASYNC|SYNC|junk]", "SCRIPT KILL", "SCRIPT DEBUG (NO|junk)", "SCRIPT HELP", "SCRIPT junk",
        "SET skey val", "RPUSH lkey lval...", "HSET hkey field fval", "GET skey", "DEL key", "MULTI", "EXEC", "DISCARD",
    ],
    "functions": [
        "FUNCTION LOAD lib", "FUNCTION LOAD REPLACE lib", "FUNCTION LOAD junk lib", "FUNCTION DELETE (liba|libb|x)", "FUNCTION FLUSH [ASYNC|SYNC|junk]", "FUNCTION LIST [LIBRARYNAME (liba|x)] [WITHCODE]",
        "FUNCTION LIST (junk|LIBRARYNAME)", "FUNCTION STATS", "FUNCTION KILL", "FUNCTION HELP", "FUNCTION DUMP", "FUNCTION RESTORE val [FLUSH|APPEND|REPLACE|junk]", "FUNCTION junk",
        "FCALL (fa|fb|fx|FA|no) 1 skey [val...]", "FCALL (fa|fx) (0|2|-1|x)", "FCALL_RO (fa|fx) 1 skey val", "MULTI", "EXEC", "DISCARD",
    ],
    "string": [
        "SET skey val", f"SET skey val [NX|XX] [GET] [{EXPIRY}|KEEPTTL]", f"SET skey val [{EXPIRY}|KEEPTTL] [GET|NX|XX] [GET|NX|XX]",
        "SET skey val (EX ttl EX ttl|PXAT pat PXAT pat|EX ttl PX pttl)", "GETEX skey (PERSIST PERSIST|EX ttl EX ttl|EX ttl PERSIST)",
        "SET nkey sint", "SET nkey int", "GET skey", "GETSET skey val", "GETDEL skey", f"GETEX skey [{EXPIRY}|PERSIST]",
        "SETNX skey val", "SETEX skey ttl val", "PSETEX skey pttl val", "MSET (skey val)...", "MSETNX (skey val)...",
        "MGET key...", "APPEND skey val", "STRLEN skey", "GETRANGE skey idx idx", "SUBSTR skey idx idx", "SETRANGE skey off val",
        "OBJECT ENCODING skey", "OBJECT ENCODING nkey", "OBJECT REFCOUNT nkey", "INCR nkey", "DECR nkey", "INCRBY nkey int", "DECRBY nkey int", "INCRBY nkey sint", "INCRBYFLOAT nkey flt",
        "LCS skey skey [LEN|IDX] [MINMATCHLEN cnt] [WITHMATCHLEN]", "LCS skey skey IDX [MINMATCHLEN sint] [WITHMATCHLEN] [LEN]",
    ],
    "bitmap": [
        "SETBIT skey bitoff bit", "SETBIT skey bitoff bit", "GETBIT skey bitoff", "SET skey bitstring", "SET skey val", "GET skey", "OBJECT ENCODING skey",
        "BITCOUNT skey", "BITCOUNT skey bidx bidx [BYTE|BIT]", "BITCOUNT skey bidx [bidx] [junk]", "BITPOS skey bit", "BITPOS skey bit bidx", "BITPOS skey bit bidx bidx [BYTE|BIT]",
        "BITPOS skey bit bidx bidx junk", "BITOP (AND|OR|XOR) skey skey...", "BITOP (AND|OR|XOR|NOT|NAND) skey skey", "BITOP NOT skey skey [skey]",
        "BITFIELD skey [OVERFLOW (WRAP|SAT|FAIL)] (GET ftype foff|SET ftype foff fint|INCRBY ftype foff fint)...", "BITFIELD skey (GET ftype foff|SET ftype foff fint|INCRBY ftype foff fint|OVERFLOW (WRAP|SAT|FAIL|junk))...",
        "BITFIELD skey OVERFLOW FAIL SET ftype foff fint", "BITFIELD skey (GET ftype foff)...", "BITFIELD_RO skey (GET ftype foff)...", "BITFIELD_RO skey GET ftype foff (SET|INCRBY) ftype foff fint", "BITFIELD skey", "BITFIELD_RO skey",
        "DEL skey", "APPEND skey bitstring",
    ],
    "payload": [
        "MIGRATE 127.0.0.1 1 nosuchkey 0 100 [COPY] [REPLACE] [AUTH val|AUTH2 val val|junk|AUTH|KEYS key]", "MIGRATE 127.0.0.1 1 key (0|x) (100|x)", "MIGRATE 127.0.0.1 1 (key|) 0 100 KEYS [key...]",
        "RESTORE skey pttl payload", "RESTORE skey 0 payload", "RESTORE lkey 0 payload REPLACE", "RESTORE key pttl payload REPLACE [ABSTTL] [IDLETIME cnt|FREQ cnt]",
        "RESTORE skey (0|-1|pttl|junk) payload [REPLACE|IDLETIME sint|FREQ sint|junk]", "RESTORE key 0 val", "RESTORE skey pat payload ABSTTL REPLACE", "DUMP key", "DUMP skey", "LASTSAVE", "LASTSAVE junk", "BGREWRITEAOF junk",
        "TYPE skey", "LRANGE lkey 0 -1", "DEL skey", "DEL key",
    ],
    "hyperloglog": [
        "PFADD pkey element...", "PFADD pkey element...", "PFADD pkey element", "PFADD pkey", "PFADD pkey bulk", "PFADD qkey element", "PFCOUNT pqkey", "PFCOUNT pqkey", "PFCOUNT pkey...", "PFCOUNT pqkey...",
        "PFMERGE pkey pkey...", "PFMERGE pkey pqkey...", "PFMERGE qkey pqkey...", "PFMERGE pkey", "GET pkey", "GET pkey", "GET pqkey", "STRLEN pqkey", "OBJECT ENCODING pqkey",
        "SET qkey hll", "SET qkey hll", "SET pkey val", "DEL pkey", "PFDEBUG (ENCODING|DECODE|GETREG|TODENSE|junk) pqkey", "PFDEBUG (ENCODING|DECODE) pqkey", "PFSELFTEST junk",
        "CONFIG SET hll-sparse-max-bytes (3000|3000|100|20|0)", "SETRANGE qkey 15 (x|y)", "COPY pkey qkey REPLACE",
    ],
    "geo": [
        "GEOADD gkey [NX|XX] [CH] (place gmember)...", "GEOADD gkey (place gmember)...", "GEOADD gkey gbulk", "GEOADD gkey [NX|XX] [NX|XX] [CH] place gmember [junk]", "GEODIST gkey gmember gmember [unit]", "GEODIST gkey gmember gmember", "GEODIST gkey gmember gmember unit [junk]",
        "GEOHASH gkey gmember...", "GEOPOS gkey gmember...", "GEOPOS gkey", "ZADD gout score gmember", "ZRANGE gkey 0 -1", "ZRANGE gout 0 -1", "GEOPOS gout gmember...", "GEOSEARCH gout (FROMMEMBER gmember|FROMLONLAT place) (BYRADIUS dist unit|BYBOX dist dist unit) [ASC|DESC] [WITHCOORD] [WITHDIST] [WITHHASH]", "OBJECT ENCODING gkey",
        "GEOSEARCH gkey (FROMMEMBER gmember|FROMLONLAT place) (BYRADIUS dist unit|BYBOX dist dist unit) [ASC|DESC] [COUNT pcnt [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
        "GEOSEARCH gkey (FROMMEMBER gmember|FROMLONLAT place) (BYRADIUS dist unit|BYBOX dist dist unit) [ASC|DESC] [COUNT pcnt [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
        "GEOSEARCH gkey (FROMMEMBER gmember|FROMLONLAT place|BYRADIUS dist unit|BYBOX dist dist unit|ASC|COUNT cnt|ANY|WITHDIST|STOREDIST|junk)...",
        "GEOSEARCHSTORE gout gkey (FROMMEMBER gmember|FROMLONLAT place) (BYRADIUS dist unit|BYBOX dist dist unit) [ASC|DESC] [COUNT pcnt [ANY]] [STOREDIST]",
        "GEOSEARCHSTORE gout gkey FROMLONLAT place BYRADIUS dist unit [WITHDIST|WITHHASH|WITHCOORD|STORE gout]",
        "GEORADIUS gkey place dist unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT pcnt [ANY]] [ASC|DESC] [STORE gout|STOREDIST gout]", "GEORADIUS gkey place dist unit [STORE gout|STOREDIST gout] [COUNT pcnt]",
        "GEORADIUS_RO gkey place dist unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT pcnt [ANY]] [ASC|DESC] [STORE gout]", "GEORADIUSBYMEMBER gkey gmember dist unit [WITHDIST] [COUNT pcnt [ANY]] [ASC|DESC] [STORE gout|STOREDIST gout]",
        "GEORADIUSBYMEMBER_RO gkey gmember dist unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT pcnt [ANY]] [ASC|DESC]", "DEL gkey",
    ],
    "sort": [
        "RPUSH olist oelement...", "RPUSH o1 (1 3 2 7 5)", "RPUSH olist oword...", "SADD ot oelement...", "SADD ot oword...", "ZADD oz (sint oelement)...", "DEL okey", "DEL ot", "SET wkey wval", "SET wkey wval", "HSET whash f wval g wval", "DEL wkey",
        "SORT okey", "SORT okey [ASC|DESC] [LIMIT idx cnt]", "SORT okey ALPHA [ASC|DESC] [LIMIT idx cnt]", "SORT olist BY byweight [ASC|DESC] [LIMIT idx cnt] [GET opattern] [GET opattern]",
        "SORT olist BY byweight ALPHA [ASC|DESC] [GET opattern]", "SORT olist BY nosort [ASC|DESC] [LIMIT idx cnt] [GET opattern]", "SORT oz BY nosort [ASC|DESC] [LIMIT idx cnt] [GET opattern]", "SORT ot BY nosort STORE olist",
        "SORT okey [ASC|DESC] [LIMIT idx cnt] [ALPHA] (GET opattern)...", "SORT okey [ALPHA] [BY nosort] [GET opattern] STORE olist", "SORT okey [BY byweight] STORE olist [LIMIT idx cnt]", "LRANGE olist 0 -1",
        "SORT_RO okey [ASC|DESC] [LIMIT idx cnt] [ALPHA] [GET opattern]", "SORT_RO olist BY byweight [LIMIT idx cnt] [GET opattern]", "SORT_RO okey [ALPHA] STORE olist", "SORT okey (ASC|DESC|ALPHA|LIMIT cnt cnt|GET opattern|STORE olist|junk)...",
        "COMMAND GETKEYS (SORT a BY b GET c STORE d|SORT a STORE b LIMIT 1 2 STORE c|SORT_RO a STORE b|SORT a)", "COMMAND GETKEYSANDFLAGS SORT a STORE b",
    ],
    "list": [
        "LPUSH lkey lval...", "RPUSH lkey lval...", "RPUSH lkey lval...", "LPUSHX lkey lval...", "RPUSHX lkey lval...", "LPOP lkey [cnt]", "RPOP lkey [cnt]",
        "RPUSH lkey bulk", "OBJECT ENCODING lkey", "LLEN lkey", "LINDEX lkey idx", "LINSERT lkey (BEFORE|AFTER) lval lval", "LRANGE lkey idx idx", "LRANGE lkey 0 -1", "LREM lkey cnt lval",
        "LSET lkey idx lval", "LTRIM lkey idx idx", "RPOPLPUSH lkey lkey", "LMOVE lkey lkey (LEFT|RIGHT) (LEFT|RIGHT)",
        "LPOS lkey lval [RANK sint] [COUNT cnt] [MAXLEN cnt]", "LMPOP lkeys (LEFT|RIGHT) [COUNT pcnt]",
        "BLPOP lkey... (0.001|x|-1)", "BRPOP lkey... 0.001", "BLMOVE lkey lkey (LEFT|RIGHT) (LEFT|RIGHT) (0.001|-1)", "BRPOPLPUSH lkey lkey 0.001",
        "BLMPOP 0.001 lkeys (LEFT|RIGHT) [COUNT pcnt]",
    ],
    "set": [
        "SADD akey aval...", "SADD akey sint...", "SADD akey int...", "SREM akey aval...", "SISMEMBER akey aval", "SMISMEMBER akey aval...",
        "SADD akey bulk", "OBJECT ENCODING akey", "SMEMBERS akey", "SCARD akey", "SMOVE akey akey aval", "SPOP akey", "SPOP akey rcount", "SRANDMEMBER akey [rcount]", "SUNION akey...", "SINTER akey...", "SDIFF akey...",
        "SUNIONSTORE akey akey...", "SINTERSTORE akey akey...", "SDIFFSTORE akey akey...", "SINTERCARD akeys [LIMIT cnt]",
        "SSCAN akey 0 COUNT 100000 [MATCH pattern]",
    ],
    "hash": [
        "HSET hkey (field fval)...", "HSET hkey (field fval)...", "HSETNX hkey field fval", "HMSET hkey (field fval)...", "HGET hkey field", "HMGET hkey field...",
        "HSET hkey bulkpairs", "OBJECT ENCODING hkey", "HGETALL hkey", "HKEYS hkey", "HVALS hkey", "HLEN hkey", "HSTRLEN hkey field", "HDEL hkey field...", "HEXISTS hkey field",
        "HINCRBY hkey nfield int", "HINCRBY hkey nfield sint", "HINCRBYFLOAT hkey nfield flt", "HRANDFIELD hkey [rcount] [WITHVALUES]", "HRANDFIELD hkey rcount [WITHVALUES]",
        "HSCAN hkey 0 COUNT 100000 [MATCH pattern]",
    ],
    "zset": [
        "ZADD zkey (score member)...", "ZADD zkey (score member)...", "ZADD zkey [NX|XX] [GT|LT] [CH] (score member)...", "ZADD zkey [NX|XX|GT|LT] INCR score member [score member]",
        "ZADD xkey (0 lexmember)...", "ZINCRBY zkey score member", "ZREM zkey member...", "ZCARD zkey", "ZSCORE zkey member", "ZMSCORE zkey member...",
        "ZCOUNT zkey smin smax", "ZLEXCOUNT xkey lexmin lexmax", "ZRANK zkey member", "ZREVRANK zkey member",
        "ZRANGE zkey idx idx [REV] [WITHSCORES]", "ZRANGE zkey 0 -1 WITHSCORES", "ZRANGE zkey smin smax BYSCORE [LIMIT idx cnt] [WITHSCORES]",
        "ZRANGE zkey smax smin BYSCORE REV [LIMIT idx cnt] [WITHSCORES]", "ZRANGE xkey lexmin lexmax BYLEX [LIMIT idx cnt]",
        "ZRANGE xkey lexmax lexmin BYLEX REV [LIMIT idx cnt] [WITHSCORES]", "ZRANGE zkey idx idx [LIMIT idx cnt]",
        "ZREVRANGE zkey idx idx [WITHSCORES]", "ZRANGEBYSCORE zkey smin smax [WITHSCORES] [LIMIT idx cnt]",
        "ZREVRANGEBYSCORE zkey smax smin [WITHSCORES] [LIMIT idx cnt]", "ZRANGEBYLEX xkey lexmin lexmax [LIMIT idx cnt]",
        "ZREVRANGEBYLEX xkey lexmax lexmin [LIMIT idx cnt]", "ZRANGESTORE zkey zkey idx idx [REV]",
        "ZRANGESTORE zkey zkey smin smax BYSCORE [LIMIT idx cnt]", "ZRANGESTORE xkey xkey lexmin lexmax BYLEX [LIMIT idx cnt] [WITHSCORES]",
        "ZREMRANGEBYRANK zkey idx idx", "ZREMRANGEBYSCORE zkey smin smax", "ZREMRANGEBYLEX xkey lexmin lexmax", "ZPOPMIN zkey [cnt]", "ZPOPMAX zkey [cnt]",
        "BZPOPMIN zkey... (0.001|x)", "BZPOPMAX zkey... 0.001", "BZMPOP 0.001 zkeys (MIN|MAX) [COUNT pcnt]",
        "ZMPOP zkeys (MIN|MAX) [COUNT pcnt]", "ZUNION azkeys [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "ZUNION weighted [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]",
        "ZINTER azkeys [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "ZINTER weighted [WITHSCORES]", "ZDIFF azkeys [WITHSCORES]",
        "ZUNIONSTORE zkey azkeys [AGGREGATE (SUM|MIN|MAX)]", "ZUNIONSTORE zkey stored [AGGREGATE (SUM|MIN|MAX)]",
        "ZINTERSTORE zkey azkeys [AGGREGATE (SUM|MIN|MAX|AVG)]", "ZINTERSTORE zkey stored [AGGREGATE (SUM|MIN|MAX)]", "ZDIFFSTORE zkey azkeys", "ZINTERCARD azkeys [LIMIT cnt]",
        "ZRANDMEMBER zkey [rcount]", "ZRANDMEMBER zkey rcount [WITHSCORES]", "ZSCAN zkey 0 COUNT 100000 [MATCH pattern]",
        "SADD a1 member...", "SADD a2 sint...", "SADD notlex aval", "ZADD zkey bulkscores", "OBJECT ENCODING zkey",
    ],
    "stream": [
        "XADD tkey xid (field fval)...", "XADD tkey xid (field fval)...", "XADD tkey xid f1 val f2 val", "XADD tkey xid f1 val f2 val",
        "XADD tkey [NOMKSTREAM] [(MAXLEN [=|~] cnt|MINID [=|~] xid) [LIMIT cnt]] xid field fval", "XADD tkey (MAXLEN|MINID) [~] cnt (field fval)...", "XADD tkey xid (field)...",
        "XLEN tkey", "XRANGE tkey - +", "XRANGE tkey xend xend [COUNT cnt]", "XREVRANGE tkey + - [COUNT cnt]", "XREVRANGE tkey xend xend [COUNT cnt]", "XDEL tkey xid...", "XDEL tkey xid",
        "XTRIM tkey (MAXLEN [=|~] xmax|MINID [=|~] xid) [LIMIT cnt]", "XTRIM tkey (MAXLEN [=|~] cnt|MINID [=|~] xid|junk)", "XSETID tkey xid [ENTRIESADDED cnt] [MAXDELETEDID xid]", "XSETID tkey xlast",
        "XREAD [COUNT cnt] STREAMS tkey xafter", "XREAD (COUNT junk|junk|) [STREAMS] tkey junk [junk]", "SET s1 val", "RPUSH l1 val", "XREAD [COUNT cnt] STREAMS tkey tkey xafter xafter", "XREAD [COUNT cnt] [BLOCK 1] STREAMS tkey xafter", "XREAD [NOACK|GROUP g c|BLOCK (-1|x)] STREAMS tkey [tkey] xafter",
        "XINFO STREAM tkey [FULL [COUNT cnt]]", "XINFO STREAM tkey FULL", "XINFO HELP", "XINFO (junk|STREAM tkey junk)", "XINFO", "OBJECT ENCODING tkey", "TYPE tkey", "DEL tkey", "COPY tkey tkey [REPLACE]",
    ],
    "groups": [
        "XADD tkey xid f1 val", "XADD tkey xid f1 val f2 val", "XADD tkey xid f1 val", "XADD tkey [MAXLEN cnt] xid f1 val", "XDEL tkey xnow...", "XTRIM tkey MAXLEN xmax", "XSETID tkey xlast [ENTRIESADDED cnt] [MAXDELETEDID xnow]",
        "XGROUP CREATE tkey group (0|$|xnow|xid) [MKSTREAM] [ENTRIESREAD cnt]", "XGROUP CREATE tkey group (0|$) MKSTREAM", "XGROUP SETID tkey group (0|$|xnow|xid|-|+) [ENTRIESREAD cnt]", "XGROUP DESTROY tkey group", "XGROUP CREATECONSUMER tkey group consumer",
        "XGROUP DELCONSUMER tkey group consumer", "XGROUP (CREATE|SETID|DESTROY|CREATECONSUMER|DELCONSUMER|junk) tkey group (0|junk) [junk] [junk] [MKSTREAM]", "XGROUP HELP", "XGROUP",
        "XREADGROUP GROUP group consumer [COUNT cnt] STREAMS tkey xnext", "XREADGROUP GROUP group consumer COUNT 2 STREAMS tkey >", "XREADGROUP GROUP group consumer [NOACK] [COUNT cnt] [BLOCK 1] STREAMS tkey tkey xnext xnext",
        "XREADGROUP GROUP group consumer STREAMS tkey 0", "XREADGROUP [GROUP group consumer] [NOACK] [BLOCK (-1|x)] STREAMS tkey [tkey] xnext", "XACK tkey group xnow...", "XACK tkey group xid",
        "XPENDING tkey group", "XPENDING tkey group - + 100", "XPENDING tkey group [IDLE idle] (-|xend) (+|xend) cnt [consumer]", "XPENDING tkey group (junk|IDLE) [junk] [junk] [junk]",
        "XCLAIM tkey group consumer idle xnow... [IDLE idle] [RETRYCOUNT xmax] [JUSTID]", "XCLAIM tkey group consumer idle xnow... [TIME (0|1000|1500000000000|99999999999999)] [FORCE] [LASTID xnow] [JUSTID]", "XCLAIM tkey group consumer 0 xnow FORCE",
        "XCLAIM tkey group consumer (idle|junk) xid (FORCE|JUSTID|IDLE junk|TIME junk|RETRYCOUNT junk|LASTID junk|junk)...", "XAUTOCLAIM tkey group consumer idle (0|xend) [COUNT cnt] [JUSTID]", "XAUTOCLAIM tkey group consumer 0 0 COUNT 2", "XAUTOCLAIM tkey group consumer (idle|junk) 0 (COUNT junk|JUSTID|junk)",
        "XINFO GROUPS tkey", "XINFO GROUPS tkey", "XINFO CONSUMERS tkey group", "XINFO STREAM tkey FULL [COUNT cnt]", "XINFO STREAM tkey", "XINFO (GROUPS|CONSUMERS tkey|CONSUMERS tkey group junk)", "SET s1 val", "RPUSH l1 val", "DEL tkey", "COPY tkey tkey REPLACE", "RENAME tkey tkey",
    ],
    "keys": [
        "DEL key...", "UNLINK key...", "EXISTS key...", "TYPE key", "TOUCH key...", "EXPIRE key ttl [NX|XX|GT|LT]", "PEXPIRE key pttl [NX|XX|GT|LT]",
        "EXPIREAT key at [NX|XX|GT|LT]", "PEXPIREAT key pat [NX|XX|GT|LT]", "EXPIRE key ttl [NX|XX|GT|LT] [NX|XX|GT|LT]", "TTL key", "PTTL key", "EXPIRETIME key", "PEXPIRETIME key",
        "PERSIST key", "RENAME key key", "RENAMENX key key", "COPY key key [DB db] [REPLACE]", "MOVE key db", "KEYS pattern",
        "SCAN 0 COUNT 100000 [MATCH pattern] [TYPE type]", "SCAN junk [COUNT junk]", "RANDOMKEY", "OBJECT (ENCODING|REFCOUNT|IDLETIME|FREQ) key", "OBJECT ENCODING key", "DBSIZE",
        "SWAPDB db db", "SELECT (0|0|0|1|db)", "OBJECT HELP", "MEMORY USAGE key [SAMPLES cnt]",
        # data to work on
        "SET skey val", "SET nkey int", "RPUSH lkey lval...", "SADD akey aval...", "SADD akey sint...", "HSET hkey (field fval)...", "ZADD zkey (score member)...",
    ],
    "flush": ["FLUSHDB [ASYNC|SYNC|junk]", "FLUSHALL [ASYNC|SYNC|junk]", "SET skey val", "SELECT (0|1|2)", "DBSIZE", "RPUSH lkey lval...", "SWAPDB (0|1) (1|2)", "GET skey", "LLEN lkey"],
    "transaction": [
        "MULTI", "MULTI", "EXEC", "EXEC", "DISCARD", "WATCH skey...", "WATCH nkey", "UNWATCH", "SET skey val", "SET nkey sint", "INCR nkey", "GET skey", "RPUSH lkey lval...",
        "LRANGE lkey 0 -1", "LPOP lkey", "DEL key", "NOSUCH x", "GET", "INCR skey", "SELECT (0|1)", "PING", "ECHO val", "HSET hkey field fval", "HGET hkey field", "ZADD zkey 1 member", "ZCARD zkey",
        "FLUSHDB", "EXPIRE key ttl", "DBSIZE", "SADD akey aval...", "SMEMBERS akey", "SUNION akey akey", "HGETALL hkey", "KEYS *", "ZRANGE zkey 0 -1 WITHSCORES", "OBJECT ENCODING key",
        "BLPOP lkey 0.001", "XADD tkey xid f1 val", "XREAD BLOCK 1 STREAMS tkey xafter", "XINFO STREAM tkey", "SORT lkey ALPHA", "SCAN 0 COUNT 100000", "RESET", "HELLO (2|3)", "CONFIG GET timeout", "CLIENT ID",
    ],
    "alone": [
        "ROLE", "ROLE x", "FAILOVER", "FAILOVER (ABORT|FORCE|x)", "FAILOVER (TO h|TO h 1|TO h p|ABORT x) (FORCE|TIMEOUT 10|TIMEOUT 0|TIMEOUT x|)", "WAIT (0|-1|x) (0|10|-1|x|1.5|99999999999999999999)", "WAIT 1 (1|5|-1|x)", "WAIT 1", "REPLICAOF (NO|no) (ONE|one)", "SLAVEOF NO ONE", "REPLICAOF 127.0.0.1 (x|-1|65536|)", "REPLICAOF x",
        "WAITAOF (0|1|2|x) (0|-1) (0|1|-1|x)", "CLUSTER (INFO|NODES|MYID|SLOTS|SHARDS|HELP|LINKS|junk)", "CLUSTER (KEYSLOT key|MEET 127.0.0.1|ADDSLOTS 1|RESET HARD|COUNTKEYSINSLOT|GETKEYSINSLOT 1 1|SETSLOT 1|FAILOVER)", "CLUSTER",
        "READONLY", "READWRITE", "ASKING", "READONLY x", "LATENCY (LATEST|HISTORY command|HISTORY|RESET|RESET nosuch|GRAPH nosuch|HISTOGRAM nosuch|HISTOGRAM set|DOCTOR|HELP|junk)", "LATENCY",
        "MEMORY (STATS|DOCTOR|PURGE|MALLOC-STATS|junk)", "MEMORY STATS x", "LOLWUT [VERSION (5|6|x) [10 [2 [2]]]]", "CLUSTER (ADDSLOTS|ADDSLOTSRANGE|BUMPEPOCH|COUNT-FAILURE-REPORTS|COUNTKEYSINSLOT|DELSLOTS|DELSLOTSRANGE|FAILOVER|FLUSHSLOTS|FORGET|GETKEYSINSLOT|HELP|INFO|KEYSLOT|LINKS|MEET|MYID|NODES|REPLICAS|REPLICATE|RESET|SAVECONFIG|SET-CONFIG-EPOCH|SETSLOT|SHARDS|SLAVES|SLOTS) [1] [2]", "CLUSTER MYSHARDID", "MODULE (LOAD|LOADEX) /none.so", "MODULE LIST", "MODULE HELP", "MODULE UNLOAD x", "MODULE junk", "MODULE", "MODULE LOAD", "RESTORE-ASKING key ttl junk",
        "SET skey val",
    ],
    # Nobody publishes where it listens itself: 7.2 answers first and sends the message then, 7.0 the other way round.
    "pubsub": [
        "SUBSCRIBE (c1|c2|c3)", "PSUBSCRIBE (p*|c?|[ab])", "SSUBSCRIBE (c1|s2)", "UNSUBSCRIBE (c1|c2|c3)", "UNSUBSCRIBE (c1|c2|c3)", "PUNSUBSCRIBE (p*|c?|[ab])",
        "SUNSUBSCRIBE (c1|s2)", "RESET", "PUBLISH nobody val", "SPUBLISH nobody val", "PUBSUB CHANNELS [(*|c*|c1|x)]", "PUBSUB SHARDCHANNELS [(*|s*)]", "PUBSUB NUMPAT",
        "PUBSUB NUMSUB [(c1|c2|s2|)...]", "PUBSUB SHARDNUMSUB [(c1|s2)...]", "PUBSUB HELP", "PUBSUB junk", "PUBSUB", "PING [val]", "GET skey", "MULTI", "EXEC", "PUBLISH nobody", "SUBSCRIBE",
    ],
    "connection": [
        # Newer than redis-server 7.0: their data could not be compared (test_hash_fields.py has their tests), so the key is none.
        "HEXPIRE nohash sint [NX|XX|GT|LT] FIELDS 1 val", "HPEXPIRE nohash sint [NX|XX|GT|LT] FIELDS 1 val", "HEXPIREAT nohash sint [NX|XX|GT|LT] FIELDS 1 val", "HPEXPIREAT nohash sint [NX|XX|GT|LT] FIELDS 1 val",
        "HTTL nohash FIELDS 1 val", "HPTTL nohash FIELDS 1 val", "HEXPIRETIME nohash FIELDS 1 val", "HPEXPIRETIME nohash FIELDS 1 val", "HPERSIST nohash FIELDS 1 val", "HGETDEL nohash FIELDS 1 val", "HGETEX nohash FIELDS 1 val",
        "HSETEX nohash FXX FIELDS 1 val val",
        "PING [val]", "ECHO val", "HELLO (2|3)", "HELLO", "HELLO (1|4|x|2 SETNAME name|3 SETNAME app|3 AUTH default pw|2 junk|3 AUTH junk|3 SETNAME)",
        "AUTH junk", "AUTH default junk", "SELECT db", "RESET", "CLIENT ID", "CLIENT GETNAME", "CLIENT SETNAME name", "CLIENT INFO", "CLIENT LIST",
        "CLIENT LIST (TYPE (normal|master|replica|pubsub|x)|ID (1|0|x)|junk)", "CLIENT NO-EVICT (ON|OFF|x)", "CLIENT NO-TOUCH (ON|OFF)", "CLIENT KILL (1:1|ID 0|ID x|ID 999999|TYPE x|ADDR 1:1|LADDR 1:1|USER nobody|SKIPME x ID 99999)",
        "CLIENT TRACKING (ON|OFF|x) [NOLOOP] [(BCAST|OPTIN|OPTOUT|x|REDIRECT (0|999999|x))...] [PREFIX (foo|bar|b|)]",
        "CLIENT TRACKING (ON BCAST|ON OPTIN|ON OPTOUT|OFF)", "CLIENT CACHING (YES|NO|x)", "CLIENT GETREDIR", "CLIENT TRACKINGINFO",
        "CLIENT PAUSE (x|-1|0|1|1 ALL|1 WRITE|10 junk)", "CLIENT UNPAUSE",
        "CLIENT REPLY (ON|x)", "CLIENT UNBLOCK (999999|x) [(TIMEOUT|ERROR|x)]", "CLIENT HELP", "CLIENT junk", "CLIENT", "COMMAND COUNT", "COMMAND INFO GET nosuch", "COMMAND GETKEYS (MSET a 1 b 2|GET k|ZUNION 2 a b|nosuch x|LMPOP 1 l LEFT|ZUNIONSTORE d 1 s)",
        "COMMAND", "COMMAND DOCS GET", "COMMAND LIST", "CLIENT SETINFO", "MEMORY USAGE", "COMMAND GETKEYS (SET k v|SINTERCARD 2 a b|OBJECT ENCODING k|MEMORY USAGE k|COPY a b|SMOVE a b m)", "COMMAND GETKEYSANDFLAGS (SET k v|SET k v GET|DEL a b|LMOVE a b LEFT LEFT|COPY a b|GETEX k|SINTERSTORE a b c)",
        "COMMAND LIST (FILTERBY (PATTERN xget|ACLCAT nosuch|x y))", "COMMAND DOCS nosuch", "COMMAND HELP", "COMMAND junk", "NOSUCHCOMMAND val...", "junk val",
    ],
    "acl": [
        "ACL SETUSER acluser aclrule...", "ACL SETUSER acluser aclrule", "ACL SETUSER acluser aclgood", "ACL SETUSER acluser aclgood aclrule", "ACL SETUSER acluser on aclopen", "ACL SETUSER acluser reset aclgood aclrule...", "ACL SETUSER acluser reset aclrule...",
        "ACL GETUSER acluser", "ACL GETUSER nobody", "ACL LIST", "ACL USERS", "ACL DELUSER acluser [acluser]", "ACL DELUSER (default|nobody)", "ACL WHOAMI", "ACL CAT", "ACL CAT (read|nosuch|SLOW|x y)", "ACL GENPASS [(4097|0|-1|x|8 8|1|8|255|256|4096)]",
        "ACL LOG [(0|-1|x|3|RESET|3 3)]", "ACL DRYRUN acluser aclcall", "ACL DRYRUN acluser aclcall", "ACL DRYRUN acluser aclcall", "ACL DRYRUN nobody aclcall", "ACL (LOAD|SAVE|HELP|junk)", "ACL", "ACL SETUSER", "ACL GETUSER", "ACL DELUSER",
        "AUTH acllogin", "AUTH acllogin", "AUTH (p1|nobody p1|default x|a b c)", "AUTH", "HELLO (2|3) AUTH acllogin", "RESET", "RESET",
        "GET skey", "SET skey val", "DEL key", "MGET key...", "RPUSH lkey lval", "LRANGE lkey 0 -1", "SADD akey aval", "HSET hkey field fval", "COPY key key", "SORT lkey BY w_x LIMIT 0 0", "SORT lkey GET x_a LIMIT 0 0",
        "MULTI", "EXEC", "DISCARD", "PUBLISH (c1|d) val", "CLIENT GETNAME", "CONFIG GET requirepass", "SELECT 0", "PING", "EXISTS key", "CLIENT KILL USER nobody",
    ],
    "config": [
        "CONFIG GET (maxmemory|maxmemory-policy|timeout|hz|databases|port2|hash-max-listpack-entries|list-max-listpack-size|slowlog-max-len|maxmemory maxmemory-policy|hash-max-ziplist*)",
        "CONFIG SET (maxmemory-policy (allkeys-lru|noeviction|volatile-ttl|allkeys-random|x)|timeout (0|10|-1|x|99999999999)|maxmemory-samples (5|0|x|10)|slowlog-max-len (128|-1|100)"
        "|slowlog-log-slower-than (10000|-1|-2|x)|hash-max-listpack-entries (512|x|-1)|nosuch 1|port2 1|databases 4|tcp-keepalive (300|0|x)|timeout 0 timeout 1|timeout|lfu-log-factor (10|-1)"
        "|client-output-buffer-limit (x|normal 0 0 0|normal 1 2)|notify-keyspace-events (KEA|q|K1)|lazyfree-lazy-expire maybe|activerehashing (yes|no|maybe)|loglevel (notice|x))",
        "CONFIG GET", "CONFIG SET", "CONFIG RESETSTAT", "CONFIG RESETSTAT x", "CONFIG REWRITE", "CONFIG HELP", "CONFIG junk", "CONFIG",
        "INFO", "INFO (server|clients|memory|stats|keyspace|commandstats|errorstats|cpu|everything|all|default|nosuch|persistence|replication)", "TIME", "TIME x", "SLOWLOG GET [cnt]", "SLOWLOG LEN", "SLOWLOG RESET", "SLOWLOG HELP",
        "SLOWLOG junk", "MEMORY USAGE key", "MEMORY HELP", "MEMORY junk", "DEBUG SLEEP 0", "DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG DIGEST", "DEBUG junk", "DEBUG HELP", "DBSIZE",
        "SHUTDOWN junk", "SHUTDOWN SAVE NOSAVE", "MONITOR x", "QUIT2", "OBJECT junk", "OBJECT", "CLIENT KILL", "DEBUG", "MEMORY", "SLOWLOG", "COMMAND x y",
    ],
}

# Commands whose mutation could do harm or never end: they are only called as their shape says.
HASH_FIELDS = "HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HTTL HPTTL HEXPIRETIME HPEXPIRETIME HPERSIST HGETDEL HGETEX HSETEX"
NO_MUTATION = {"MIGRATE", "XREAD", "XREADGROUP", "XCLAIM", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "PUBLISH", "SPUBLISH", "BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "SHUTDOWN", "DEBUG", "MONITOR", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "SPOP", "CLIENT", "COMMAND", "CONFIG", "HELLO", "FLUSHALL", "EXPIRE", "PEXPIRE", "SETRANGE", "RESET", "PFSELFTEST", "RESTORE", "BGREWRITEAOF", "WAIT", "WAITAOF", "REPLICAOF", "SLAVEOF", "FAILOVER", "RESTORE-ASKING", "MODULE", "LATENCY", "MEMORY", "LOLWUT"} | set(HASH_FIELDS.split())
NO_MUTATION |= {"AUTH", "ACL"}
NO_MUTATION |= {"SCRIPT", "FUNCTION"}

# How replies are compared. "exact" is the default; the reason for each other rule:
RULES = {
    # Redis gives these in the order of a hash table with its own seed.
    "unordered": "PUBSUB|CHANNELS PUBSUB|SHARDCHANNELS SMEMBERS SUNION SINTER SDIFF KEYS HKEYS HVALS",
    "pairs": "HGETALL CONFIG|GET",
    "scan": "SCAN SSCAN",
    "scanpairs": "HSCAN ZSCAN",
    # Chosen at random.
    "shape": "SRANDMEMBER SPOP RANDOMKEY HRANDFIELD ZRANDMEMBER",
    # Clocks.
    "seconds": "TTL EXPIRETIME",
    "milliseconds": "PTTL PEXPIRETIME",
    # 7.0 prints a score with 17 digits, 7.2 with as few as give it back.
    "scores": "ZADD ZINCRBY ZSCORE ZMSCORE ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZPOPMIN ZPOPMAX ZMPOP BZPOPMIN BZPOPMAX BZMPOP ZUNION ZINTER ZDIFF ZRANGEBYLEX ZREVRANGEBYLEX ZRANK ZREVRANK",
    # Idle times; and 7.2 tells since when a consumer got nothing.
    "groups": "XPENDING XINFO|CONSUMERS XINFO|STREAM XINFO|GROUPS",
    # What a server says of itself.
    "kind": "FUNCTION|HELP ACL|CAT ACL|LOG ACL|HELP XGROUP|CREATECONSUMER DUMP LASTSAVE COMMAND COMMAND|DOCS HELLO INFO TIME SLOWLOG CLIENT|ID CLIENT|INFO CLIENT|LIST MEMORY|USAGE OBJECT|HELP CLIENT|HELP XINFO|HELP CONFIG|HELP SLOWLOG|HELP MEMORY|HELP DEBUG|HELP COMMAND|HELP PUBSUB|HELP MODULE|HELP LATENCY|HELP LATENCY|HISTOGRAM LATENCY|DOCTOR MEMORY|STATS MEMORY|DOCTOR MEMORY|MALLOC-STATS LOLWUT "
            "OBJECT|IDLETIME OBJECT|FREQ COMMAND|COUNT COMMAND|LIST COMMAND|INFO DEBUG",
    # Not in 7.0; test_clients.py and test_hash_fields.py have their tests.
    "newer": "CLIENT|SETINFO CLIENT|NO-TOUCH WAITAOF CLUSTER|MYSHARDID " + HASH_FIELDS,
    # 7.2 knows listpacks for small sets and lists, 7.0 does not; and it chooses by the number of arguments when it creates.
    "encoding": "OBJECT|ENCODING",
}
RULE = {name: rule for rule, names in RULES.items() for name in names.split()}
