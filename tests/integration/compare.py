#!/usr/bin/python3
"""The comparison run: the same generated calls to Inodis and to redis-server, replies equal byte for byte.

    tests/integration/compare.py [--seed N] [--sequences N] [--family NAME] [--only COMMAND,...] [--verbose]

Exceptions are the rules of shapes.py and nothing else. After each sequence DEBUG DIGEST must agree. The seed is printed; the
same seed makes the same calls. With only redis-server at hand, --self compares it with itself.
"""
import argparse
import collections
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import servers  # noqa: E402
from resp import Closed, Reply  # noqa: E402
from shapes import Args, FAMILIES, KEYS, NO_MUTATION, RULE, expand, read_shape  # noqa: E402

SHAPES = {family: [read_shape(s) for s in shapes] for family, shapes in FAMILIES.items()}
LENGTH = {"connection": 30, "config": 30, "flush": 40}
WORD = re.compile(r"[A-Z-]{2,}$")
SMALL = ["hash-max-listpack-entries", "hash-max-listpack-value", "set-max-intset-entries", "zset-max-listpack-entries",
         "zset-max-listpack-value", "list-max-listpack-size"]


# Arguments out of their order could become a short time to live, over on one server and not yet on the other.
TIMED = {b"SET", b"SETEX", b"PSETEX", b"GETEX", b"EXPIREAT", b"PEXPIREAT"}


def mutate(call, rng, args):
    """What a wrong client sends: an argument too few or too many, a number at the edge."""
    call = list(call)
    way = rng.random()
    if way < 0.3 and len(call) > 1:
        del call[rng.randrange(1, len(call)) if rng.random() < 0.5 else -1]
    elif way < 0.5:
        call.append(args.junk())
    elif way < 0.9 and len(call) > 1:
        if call[0].upper() == b"ZADD" and call[1] in KEYS["x"]:
            return call  # lexical ranges mean something among equal scores only
        edge = rng.choice(Args.EDGES)
        if edge == b"-0" and call[0][:1] in b"zZ":
            edge = b"0"  # which zero a sorted set keeps hangs on its encoding, and that on the version
        if edge == b"*" and call[0].upper() == b"XADD":
            edge = b"-"  # ids that each server makes of its own clock
        call[rng.randrange(1, len(call))] = edge
    elif len(call) > 2 and call[0].upper() not in TIMED:
        i, j = rng.randrange(1, len(call)), rng.randrange(1, len(call))
        call[i], call[j] = call[j], call[i]
    return call


def name_of(call):
    """The command's full name in upper case: GET, CLIENT|LIST."""
    name = call[0].upper().decode("latin1")
    if name in ("CLIENT", "CONFIG", "COMMAND", "OBJECT", "MEMORY", "SLOWLOG", "DEBUG", "PUBSUB", "XINFO", "XGROUP", "CLUSTER", "MODULE", "LATENCY", "ACL", "FUNCTION", "SCRIPT") and len(call) > 1:
        sub = call[1].upper().decode("latin1")
        return f"{name}|{sub}" if WORD.match(sub) else name
    return name


def rule_of(call):
    full = name_of(call)
    return RULE.get(full) or RULE.get(full.split("|")[0], "exact")


def number(value):
    try:
        return float(value) + 0.0  # no negative zero
    except (TypeError, ValueError):
        return value


def with_numbers(tree):
    kind, value = tree
    if isinstance(value, list):
        return kind, [with_numbers(v) for v in value]
    return (kind, number(value)) if kind in "$," and value is not None else tree


def shape_of(tree, deep):
    kind, value = tree
    if isinstance(value, list):
        return kind, len(value), [shape_of(v, deep) for v in value] if deep else None
    return kind, value is None


def in_order(items):
    return sorted(items, key=repr)


def paired(items):
    return in_order([items[i : i + 2] for i in range(0, len(items), 2)])


def near(a, b, by):
    try:
        return abs(int(a[1]) - int(b[1])) <= by and a[0] == b[0]
    except (TypeError, ValueError):
        return False


NEWER_TIMES = (b"inactive", b"active-time")


def is_idle_consumer(tree):
    """A consumer that nothing is pending at: from 7.2 on, one that asked in vain is there, too."""
    words = [v[1] for v in tree[1]] if isinstance(tree[1], list) and len(tree[1]) > 5 else []
    if b"idle" not in words and b"seen-time" not in words:
        return False
    count = b"pending" if b"idle" in words else b"pel-count"
    return words[words.index(count) + 1] == b"0"


def flat(tree, pending, out):
    """The reply in one list; times as ("time", ms), without what 7.0 does not tell."""
    kind, value = tree
    if not isinstance(value, list):
        big = kind == ":" and abs(int(value)) > 10**11
        out.append(("time", int(value)) if big else tree)
        return out
    value = [v for v in value if not is_idle_consumer(v)]
    newer = sum(v[1] in NEWER_TIMES for v in value if v[0] == "$")
    out.append((kind, len(value) - 2 * newer))
    for i, v in enumerate(value):
        before = value[i - 1][1] if i and value[i - 1][0] == "$" else None
        if before in NEWER_TIMES or v[1] in NEWER_TIMES or (before == b"consumers" and v[0] == ":"):
            continue
        idle = before in (b"idle", b"seen-time") or (pending and len(value) == 4 and i == 2)
        if idle and v[0] == ":":
            out.append(("time", int(v[1])))
        else:
            flat(v, pending, out)
    return out


def same_groups(a, b, pending):
    a, b = flat(a, pending, []), flat(b, pending, [])
    return len(a) == len(b) and all(x == y or (x[0] == y[0] == "time" and abs(x[1] - y[1]) < 5000) for x, y in zip(a, b))


NEWER_ENCODINGS = {
    "list": [(b"listpack", b"quicklist")],
    # The last: SDIFFSTORE may add there what it takes away again.
    "set": [(b"listpack", b"hashtable"), (b"listpack", b"intset"), (b"intset", b"hashtable")],
    "zset small": [(b"skiplist", b"listpack")],
}
NEWER_ENCODINGS["zset"] = NEWER_ENCODINGS["set"]  # its sets are operands
NEWER_ENCODINGS["zset small"] += NEWER_ENCODINGS["set"]
NEWER_ENCODINGS["geo small"] = [(b"skiplist", b"listpack")]
NEWER_ENCODINGS["keys"] = NEWER_ENCODINGS["list"] + NEWER_ENCODINGS["set"]
NEWER_ENCODINGS["keys small"] = NEWER_ENCODINGS["list"] + NEWER_ENCODINGS["zset small"]
NEWER_ENCODINGS["transaction"] = NEWER_ENCODINGS["keys"]
NEWER_ENCODINGS["transaction small"] = NEWER_ENCODINGS["keys small"]
for streams in ("stream", "stream small", "groups", "groups small"):
    NEWER_ENCODINGS[streams] = NEWER_ENCODINGS["list"]
NEWER_ENCODINGS["list small"], NEWER_ENCODINGS["set small"] = NEWER_ENCODINGS["list"], NEWER_ENCODINGS["set"]


def whole_scan(call):
    """Cursors are each server's own: only a scan from 0 that takes everything at once can be compared."""
    at = 1 if call[0].upper() == b"SCAN" else 2
    return call[at] == b"0" and b"100000" in call


# 7.2 tells refusals in other words, tells that payloads are checked, and keeps command rules as they were given, where 7.0 works out
# short ones (test_acl.py compares what they mean).
ACL_WORDS = [(re.compile(w), by) for w, by in (
    (rb"NOPERM (User \S* has|this user has) no permissions to run the", b"NOPERM no permissions to run the"),
    (rb"NOPERM (this user has no permissions to access one of the (key|channel)s used as arguments|No permissions to access a (key|channel))", rb"NOPERM no \2\3"),
    (rb"^(User \S*|This user) has no permissions", b"no permissions"),
    (rb"(?<!skip-)sanitize-payload ", b""),
    (rb"%RW~\*", b"~*"),
    (rb"([+-]@all)( [+-][^ )]+)*", rb"\1"),
)]


def acl_words(tree):
    kind, value = tree
    if isinstance(value, list):
        return kind, [acl_words(v) for v in value if v != ("$", b"sanitize-payload")]
    for w, by in ACL_WORDS if value is not None and not isinstance(value, (int, bool, float)) else ():
        value = w.sub(by, value.encode() if isinstance(value, str) else value)
    return kind, value


def same_rights(call, a, b):
    if name_of(call) == "ACL|GENPASS" and a[0] == "$":
        return b[0] == "$" and len(a[1]) == len(b[1])
    return a == b


def within(tree):
    """An element of a reply as a reply."""
    kind, value = tree
    return Reply(kind.encode() + (value if isinstance(value, bytes) else repr(value).encode()) + b"\r\n", tree)


def same_transaction(queued, mine, theirs, family):
    """Whether two replies to EXEC are, each reply by the rule of its call."""
    a, b = mine.tree[1], theirs.tree[1]
    return isinstance(a, list) and isinstance(b, list) and len(a) == len(b) == len(queued) and all(
        equal(call, within(x), within(y), family) for call, x, y in zip(queued, a, b))


def parted(mine, theirs):
    """An id that 7.2 refuses and 7.0 takes: from here on the streams are not the same."""
    return "smaller than current max_deleted" in (mine.error or "") and theirs.error is None


def equal(call, mine, theirs, family=""):
    """Whether two replies are equal by the call's rule."""
    if mine.raw == theirs.raw:
        return True
    rule, a, b = rule_of(call), mine.tree, theirs.tree
    if rule == "newer":
        return True
    if family.startswith("acl") and same_rights(call, acl_words(a), acl_words(b)):
        return True
    if rule_of(call) == "scores" and name_of(call) in ("ZRANK", "ZREVRANK") and len(call) == 4 and mine.error and theirs.error:
        return True  # 7.2 takes WITHSCORE here
    if name_of(call) == "OBJECT|REFCOUNT" and mine.raw == b":2147483647\r\n" and theirs.raw == b":1\r\n" and family.startswith("keys"):
        return True  # what COPY makes of a small number is not the shared one there
    if b"loglevel" in call and mine.error and theirs.error:
        return True  # 7.2 has a level more, "nothing"
    if "Unbalanced" in (mine.error or "") and "Unbalanced" in (theirs.error or ""):
        return True  # 7.2 names the command that it is
    if "smaller than current max_deleted" in (mine.error or "") and theirs.error:
        return True  # 7.2 looks at that first
    if name_of(call) == "LPOS" and b"-9223372036854775808" in call and mine.error:
        return True  # a RANK that 7.2 refuses
    if name_of(call) in ("COMMAND|GETKEYS", "COMMAND|GETKEYSANDFLAGS") and len(call) == 3 and mine.error and theirs.error:
        return True  # their arity was -4
    if mine.error is not None or theirs.error is not None:
        return False
    if name_of(call) in ("SORT", "SORT_RO") and call[1] == b"ot" and any(w.upper() == b"BY" for w in call):
        # A set that is not sorted comes in its own order.
        return isinstance(a[1], list) and isinstance(b[1], list) and in_order(a[1]) == in_order(b[1])
    if rule == "exact":
        return False
    if rule == "groups":
        return same_groups(a, b, name_of(call) == "XPENDING")
    if rule in ("scores", "scanpairs"):
        a, b = with_numbers(a), with_numbers(b)
        if repr(a) == repr(b):  # repr, as nan is not equal to itself
            return True
    if rule in ("unordered", "pairs"):
        if a[0] != b[0] or not isinstance(a[1], list) or not isinstance(b[1], list):
            return False
        order = paired if rule == "pairs" else in_order
        return order(a[1]) == order(b[1])
    if rule in ("scan", "scanpairs"):
        if not whole_scan(call):
            return shape_of(a, False) == shape_of(b, False)
        order = paired if rule == "scanpairs" else in_order
        return a[1][0] == b[1][0] and repr(order(a[1][1][1])) == repr(order(b[1][1][1]))
    if rule == "seconds":
        return near(a, b, 2)
    if rule == "milliseconds":
        return near(a, b, 2000)
    if rule == "shape":
        return shape_of(a, True) == shape_of(b, True)
    if rule == "kind":
        # RESP3's maps and strings must agree in type; their contents are each server's own.
        return a[0] == b[0]
    if rule == "encoding":
        return (a[1], b[1]) in NEWER_ENCODINGS.get(family, ())
    return False


class Run:
    def __init__(self, mine, theirs, seed, only=None, verbose=False):
        self.servers = (mine, theirs)
        self.seed = seed
        self.only = only
        self.verbose = verbose
        self.cases = collections.Counter()
        self.wrong = collections.Counter()
        self.examples = collections.defaultdict(list)
        self.digests = 0
        self.missing = set()

    def make(self, family, rng, length):
        """The calls of one sequence."""
        args = Args(rng)
        calls = []
        while len(calls) < length:
            call = expand(rng.choice(SHAPES[family]), args)
            name = call[0].upper().decode("latin1")
            if self.only and name not in self.only and rng.random() < 0.6:
                continue
            if rng.random() < 0.12 and name not in NO_MUTATION:
                call = mutate(call, rng, args)
            if name.startswith("RESTORE") and len(call) > 3 and call[2].isdigit() and 0 < int(call[2]) < 10**6 and b"ABSTTL" not in map(bytes.upper, call[4:]):
                call[2] += b"00000"  # nor may what is restored expire on one server before it does on the other
            if name == "SPOP":
                # What is popped is random: pop from a set of its own and drop it.
                call[1] = b"spop"
                filled = [b"SADD", b"spop", *[b"%d" % rng.randrange(99) for _ in range(9)]]
                calls += [filled, call, [b"DEL", b"spop"]]
                continue
            calls.append(call)
        return calls

    def begin(self, conns, family, rng):
        """Both servers empty, with the same settings and protocol."""
        small = rng.random() < 0.5
        proto = rng.choice((2, 3))
        for c in conns:
            c.do("FLUSHALL")
            for name in SMALL:
                if name == "list-max-listpack-size":
                    value = 4 if small else -2
                elif name == "set-max-intset-entries":
                    value = 5 if small else 512
                else:
                    value = 6 if small else 128 if "entries" in name else 64
                c.do("CONFIG", "SET", name, value)
            if proto == 3:
                c.call("HELLO", 3)
        return proto, small

    def note(self, name, what):
        self.wrong[name] += 1
        if len(self.examples[name]) < 2:
            self.examples[name].append(what)

    def sequence(self, family, index):
        rng = random.Random(f"{self.seed}/{family}/{index}")
        label = f"{family}/{index}"
        conns = [s.conn() for s in self.servers]
        try:
            proto, small = self.begin(conns, family, rng)
            settings = family + " small" if small else family
            calls = self.make(family, rng, LENGTH.get(family, 150))
            # In pieces: a piece goes out as one pipeline.
            done = 0
            queued = []
            while done < len(calls):
                piece = calls[done : done + rng.choice((1, 7, 50))]
                for c in conns:
                    c.send_raw(b"".join(self.packed(call, rng) for call in piece))
                for call in piece:
                    name = name_of(call).split("|")[0]
                    self.cases[name_of(call)] += 1
                    replies = []
                    for which, c in zip(("inodis", "redis"), conns):
                        try:
                            replies.append(c.read())
                        except (Closed, OSError, ValueError) as e:
                            if isinstance(e, Closed) and family == "acl" and (which == "redis" or self.closes(conns[1])) and self.closes(conns[0]):
                                return  # it removed its own user
                            self.note(name_of(call), f"{label}: {call!r}: {which}: {e!r}")
                            return
                    if (replies[0].error or "").startswith("ERR unknown command") and not (replies[1].error or "").startswith("ERR unknown command"):
                        self.missing.add(name)
                    elif parted(*replies):
                        return
                    elif all(r.tree == ("+", b"QUEUED") for r in replies):
                        queued.append(call)
                        continue
                    elif not (name == "EXEC" and same_transaction(queued, *replies, settings)) and not equal(call, *replies, settings):
                        self.note(name_of(call), f"{label} RESP{proto}{' small' if small else ''}: {show(call)}\n"
                                                 f"      inodis {replies[0]!r}\n      redis  {replies[1]!r}")
                    if name in ("EXEC", "DISCARD", "RESET") or (name == "MULTI" and not replies[0].error):
                        queued = []
                done += len(piece)
            self.digest(conns, label)
        finally:
            for c in conns:
                c.close()

    @staticmethod
    def closes(conn):
        try:
            while True:
                conn.read()
        except Closed:
            return True
        except OSError:
            return False

    @staticmethod
    def packed(call, _rng):
        return b"*%d\r\n" % len(call) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in call)

    def digest(self, conns, label):
        self.digests += 1
        for c in conns:
            # A call may have had several replies, of which one was read: what is left of them goes before the comparison.
            c.send("RESET")
            c.send("ECHO", label)
            while c.read().plain() != label.encode():
                pass
        a, b = (c.call("DEBUG", "DIGEST") for c in conns)
        if a.raw == b.raw and a.error is None:
            return
        self.note("DEBUG DIGEST", f"{label}: {a!r} and {b!r}; {self.difference(conns)}")

    @staticmethod
    def difference(conns):
        """Which key of the selected database differs."""
        reads = {b"string": ("GET",), b"list": ("LRANGE", 0, -1), b"set": ("SMEMBERS",), b"hash": ("HGETALL",), b"zset": ("ZRANGE", 0, -1, "WITHSCORES")}
        for db in range(16):
            keys = []
            for c in conns:
                c.call("SELECT", db)
                keys.append(set(c.do("KEYS", "*")))
            if keys[0] != keys[1]:
                return f"db {db}: only inodis has {keys[0] - keys[1]}, only redis {keys[1] - keys[0]}"
            for key in sorted(keys[0]):
                kinds = [c.do("TYPE", key) for c in conns]
                if kinds[0] != kinds[1]:
                    return f"db {db} key {key!r}: types {kinds}"
                read = reads.get(kinds[0])
                if not read:
                    continue
                values = [c.do(read[0], key, *read[1:]) for c in conns]
                if kinds[0] in (b"set",):
                    values = [sorted(v) for v in values]
                if kinds[0] == b"hash":
                    values = [paired(v) for v in values]
                if kinds[0] == b"zset":
                    values = [[number(x) for x in v] for v in values]
                if values[0] != values[1]:
                    return f"db {db} key {key!r} ({kinds[0]!r}): inodis {str(values[0])[:300]} redis {str(values[1])[:300]}"
                ttls = [c.do("TTL", key) for c in conns]
                if (ttls[0] < 0) != (ttls[1] < 0):
                    return f"db {db} key {key!r}: ttl {ttls}"
        return "no key differs by its reads"

    def family(self, family, sequences):
        for index in range(sequences):
            try:
                self.sequence(family, index)
            except (Closed, OSError) as e:
                self.note("(server)", f"{family}/{index}: {e!r}")
            if self.wrong and self.ended():
                self.note("(server)", self.ended())
                return

    def ended(self):
        """What a server that is gone said last: nobody listens at its port."""
        for server in self.servers:
            try:
                server.conn().close()
            except OSError:
                return server.epitaph()
        return None

    def table(self, conn):
        """Lines: cases a command, and the commands of COMMAND LIST that have none."""
        per = collections.Counter()
        for name, n in self.cases.items():
            per[name] += n
            if "|" in name:
                per[name.split("|")[0]] += n
        listed = conn.call("COMMAND", "LIST")
        known = sorted(n.decode().upper() for n in listed.plain()) if listed.error is None else sorted(per)
        lines = []
        row = []
        for name in known:
            row.append(f"{name} {per[name]}")
            if len(row) == 8:
                lines.append("  ".join(f"{r:<22}" for r in row).rstrip())
                row = []
        if row:
            lines.append("  ".join(f"{r:<22}" for r in row).rstrip())
        return lines, [n for n in known if not per[n]]

    def alone(self, call, proto):
        """Compare the first reply to a command that ends its connection, or after which the server is busy."""
        replies = []
        for server in self.servers:
            with server.conn() as c:
                while b"rdb_bgsave_in_progress:1" in c.do("INFO", "persistence"):
                    time.sleep(0.01)
                if proto == 3:
                    c.do("HELLO", 3)
                replies.append(c.call(*call).raw)
        self.cases[name_of([w.encode() for w in call])] += 1
        if replies[0] != replies[1]:
            self.wrong[call[0]] += 1
            self.examples[call[0]].append(f"{show([w.encode() for w in call])}: {replies}")

    def report(self):
        lines = [f"unknown to inodis: {' '.join(sorted(self.missing))}"] if self.missing else []
        for name, n in self.wrong.most_common():
            lines.append(f"{name}: {n} of {self.cases[name] or self.digests} differ")
            lines += ["    " + e for e in self.examples[name]]
        return "\n".join(lines)


# What stands in no sequence: it would end it.
ALONE = (["SAVE"], ["BGSAVE"], ["QUIT"], ["MONITOR"], ["SHUTDOWN", "ABORT"], ["SHUTDOWN", "NEVER"])


def show(call):
    return " ".join(repr(a)[1:] for a in call)[:600]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", default=str(int(time.time())))
    p.add_argument("--sequences", type=int, default=30)
    p.add_argument("--family", action="append", choices=sorted(FAMILIES))
    p.add_argument("--only", help="mostly these commands")
    p.add_argument("--self", action="store_true", help="compare redis-server with itself")
    p.add_argument("--verbose", action="store_true")
    o = p.parse_args()
    only = set(o.only.upper().split(",")) if o.only else None
    with servers.Server(kind="redis" if o.self else "inodis", args=servers.OFTEN) as mine, servers.Server(kind="redis", args=servers.OFTEN) as theirs:
        run = Run(mine, theirs, o.seed, only, o.verbose)
        print(f"seed {o.seed}")
        for family in o.family or FAMILIES:
            began = time.monotonic()
            run.family(family, o.sequences)
            print(f"{family}: {sum(run.cases.values())} cases so far, {sum(run.wrong.values())} differ, {time.monotonic() - began:.1f} s")
        if mine.alive():
            with mine.conn() as c:
                lines, none = run.table(c)
            print("\n".join(lines))
            if none:
                print("no cases:", " ".join(none))
        print((run.report() or "all equal").encode("ascii", "backslashreplace").decode())
        print(f"seed {o.seed}: {sum(run.cases.values())} cases, {run.digests} digests, {sum(run.wrong.values())} differ")
        return 1 if run.wrong or run.missing else 0


if __name__ == "__main__":
    sys.exit(main())
