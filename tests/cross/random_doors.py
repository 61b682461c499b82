#!/usr/bin/python3
"""Random changes through either door, and a model of what must be there: both doors are asked after each step.

Run by random.sh with the mount point and the socket; prints one line a type.
"""
import os
import random
import sys

import redis

mnt, sock = sys.argv[1], sys.argv[2]
seed = int(sys.argv[3]) if len(sys.argv) > 3 else int.from_bytes(os.urandom(4), "big")
rng = random.Random(seed)
r = redis.Redis(unix_socket_path=sock)
bad = 0


def check(ok, what):
    global bad
    print(("ok " if ok else "not ok ") + what + ("" if ok else f" (seed {seed})"))
    bad |= not ok


def path(*parts):
    return os.path.join(mnt, *parts)


def read(*parts):
    with open(path(*parts), "rb") as f:
        return f.read()


def write(mode, data, *parts):
    with open(path(*parts), mode) as f:
        f.write(data)


def line_rule(content):
    """What is stored for content written through the mount."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    if text.endswith("\n") and text.count("\n") == 1 and all(ord(c) >= 32 and not 127 <= ord(c) < 160 for c in text[:-1]):
        return content[:-1]
    return content


def random_bytes():
    kind = rng.randrange(4)
    if kind == 0:
        return b"%d\n" % rng.randrange(10**6)
    if kind == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40)))
    if kind == 2:
        return ("é" * rng.randrange(5)).encode() + rng.choice([b"", b"\n", b"\n\n"])
    return b"x" * rng.randrange(1, 60000)


def strings():
    file = stored = None  # what the file reads as, and what RESP has
    for step in range(400):
        k, what = "s", rng.randrange(7)
        data = random_bytes()
        written = True  # by the file's door: the newline rule holds
        if what == 0:
            r.set(k, data)
            file = stored = data
            written = False
        elif what == 1:
            write("wb", data, "string", k)
            file = data
        elif what == 2:
            write("ab", data, "string", k)
            written = bool(data) or file is None
            file = (file or b"") + data
        elif what == 3 and file is not None:
            r.append(k, data)
            file = stored = stored + data
            written = False
        elif what == 4 and file and data:
            at = rng.randrange(len(file))
            with open(path("string", k), "r+b") as f:
                f.seek(at)
                f.write(data)
            file = file[:at] + data + file[at + len(data):]
        elif what == 5 and file is not None:
            n = rng.randrange(len(file) + 10)
            os.truncate(path("string", k), n)
            written = n != len(file)
            file = file[:n] + bytes(max(0, n - len(file)))
        elif what == 6 and file is not None and rng.random() < 0.2:
            os.unlink(path("string", k))
            file = stored = None
            written = False
        else:
            continue
        if written:
            stored = line_rule(file)
        got_stored = r.get(k)
        got = read("string", k) if os.path.exists(path("string", k)) else None
        size = os.stat(path("string", k)).st_size if got is not None else None
        if got_stored != stored or got != file or (got is not None and size != len(got)):
            return check(False, f"strings: step {step}, action {what}: RESP {got_stored!r:.80} file {got!r:.80} want {stored!r:.80} and {file!r:.80}")
    check(True, "strings")


def lists():
    model = []
    for step in range(300):
        what, items = rng.randrange(4), [bytes(rng.choice(b"ab\n\t\\'$\0\xff") for _ in range(rng.randrange(6))) for _ in range(rng.randrange(1, 5))]
        if what == 0:
            r.rpush("l", *items)
            model += items
        elif what == 1 and model:
            r.lpop("l")
            model.pop(0)
        elif what == 2 and model:
            copy = read("list", "l")
            write("wb", copy, "list", "l")
        elif what == 3:
            plain = [bytes(rng.choice(b"abc $'") for _ in range(5)) + b"." for _ in range(3)]
            write("ab", b"".join(p + b"\n" for p in plain), "list", "l")
            model += plain
        if r.lrange("l", 0, -1) != model:
            return check(False, f"lists: step {step}, action {what}")
        if model and os.stat(path("list", "l")).st_size != len(read("list", "l")):
            return check(False, f"lists: size, step {step}")
    check(True, "lists")


def hashes():
    model = {}
    for step in range(300):
        what = rng.randrange(5)
        field, value = rng.choice("abcdef"), str(rng.randrange(1000))
        if what == 0:
            r.hset("h", field, value)
            model[field] = value
        elif what == 1:
            os.makedirs(path("hash.d", "h"), exist_ok=True)
            write("wb", value.encode() + b"\n", "hash.d", "h", field)
            model[field] = value
        elif what == 2 and field in model:
            os.unlink(path("hash.d", "h", field))
            del model[field]
        elif what == 3:
            write("ab", f"{field}\t{value}\n".encode(), "hash", "h")
            model[field] = value
        elif what == 4 and model:
            write("wb", read("hash", "h"), "hash", "h")
        got = {k.decode(): v.decode() for k, v in r.hgetall("h").items()}
        listed = sorted(os.listdir(path("hash.d", "h"))) if model else []
        if got != model or listed != sorted(model):
            return check(False, f"hashes: step {step}, action {what}: {got} {listed} want {model}")
    check(True, "hashes")


def zsets():
    model = {}
    for step in range(300):
        what = rng.randrange(4)
        m, score = rng.choice("abcdef"), rng.choice([1, 2.5, -3, 1e20, float("inf"), 0.1])
        if what == 0:
            r.zadd("z", {m: score})
            model[m] = score
        elif what == 1:
            write("ab", f"{score!r}\t{m}\n".encode(), "zset", "z")
            model[m] = score
        elif what == 2 and model:
            write("wb", f"{score!r}\n".encode(), "zset.d", "z", m)
            model[m] = score
        elif what == 3 and model:
            write("wb", read("zset", "z"), "zset", "z")
        got = {k.decode(): v for k, v in r.zrange("z", 0, -1, withscores=True)}
        rows = [line.split("\t") for line in read("zset", "z").decode().splitlines()] if model else []
        if got != model or {m: float(s) for s, m in rows} != model:
            return check(False, f"zsets: step {step}, action {what}: {got} want {model}")
    check(True, "zsets")


def positions():
    model = []
    for step in range(400):
        what, value = rng.randrange(7), bytes(rng.choice(b"ab\n\t\\'$\0\xff") for _ in range(rng.randrange(6)))
        if what == 0:
            r.rpush("p", value)
            model.append(value)
        elif what == 1 and model:
            at = rng.randrange(-len(model), len(model))
            write("wb", value, "raw", "list.d", "p", str(at))
            model[at] = value
        elif what == 2 and model:
            at = rng.randrange(-len(model), len(model))
            os.unlink(path("list.d", "p", str(at)))
            del model[at]
        elif what == 3 and model:
            write("wb", value, "raw", "list.d", "p", str(len(model)))
            model.append(value)
        elif what == 4 and model:
            fd = os.open(path("raw", "queue", "p"), os.O_RDONLY)
            if os.read(fd, 100) != model.pop(0):
                return check(False, f"positions: step {step}, queue")
            os.close(fd)
        elif what == 5 and len(model) > 1:
            a, b = rng.sample(range(len(model)), 2)
            os.rename(path("list.d", "p", str(a)), path("list.d", "p", str(b)))
            model[b] = model[a]
            del model[a]
        elif what == 6:
            write("wb", b"x" + value, "raw", "queue", "p")
            model.append(b"x" + value)
        if r.lrange("p", 0, -1) != model:
            return check(False, f"positions: step {step}, action {what}: {r.lrange('p', 0, -1)} want {model}")
        names = sorted(os.listdir(path("list.d", "p")), key=int) if model else []
        if names != [str(i) for i in range(len(model))]:
            return check(False, f"positions: step {step}, names {names}")
        at = rng.randrange(len(model)) if model else 0
        if model and (read("raw", "list.d", "p", str(at)) != model[at] or os.stat(path("raw", "list.d", "p", str(at))).st_size != len(model[at])):
            return check(False, f"positions: step {step}, reading {at}")
    check(True, "positions")


def streams():
    model, last = [], 0
    for step in range(300):
        what = rng.randrange(5)
        cols = [bytes(rng.choice(b"ab\n\t\\'$\0\xff") for _ in range(rng.randrange(6))) for _ in range(2 * rng.randrange(1, 4))]
        last += 1
        entry = (b"%d-1" % last, cols)
        if what == 0:
            r.execute_command("XADD", "x", entry[0], *cols)
            model.append(entry)
        elif what == 1:
            plain = [b"f%d" % i for i in range(len(cols))]
            write("ab", b"\t".join([entry[0]] + plain) + b"\n", "stream", "x")
            model.append((entry[0], plain))
        elif what == 2 and model:
            gone = rng.choice(model)
            os.unlink(path("stream.d", "x", gone[0].decode()))
            model.remove(gone)
        elif what == 3 and model:
            write("wb", read("stream", "x"), "stream", "x")
        elif what == 4 and model:
            r.xtrim("x", maxlen=len(model) - 1, approximate=False)
            model.pop(0)
        got = [(i, f) for i, f in r.execute_command("XRANGE", "x", "-", "+")]
        flat = [(i, [w for pair in f.items() for w in pair] if isinstance(f, dict) else f) for i, f in got]
        want = [(i, list(w for pair in dict(zip(f[::2], f[1::2])).items() for w in pair)) for i, f in model]
        if flat != want:
            return check(False, f"streams: step {step}, action {what}: {flat} want {want}")
        if model:
            if os.stat(path("stream", "x")).st_size != len(read("stream", "x")):
                return check(False, f"streams: step {step}, size")
            if sorted(os.listdir(path("stream.d", "x"))) != sorted(i.decode() for i, _ in model):
                return check(False, f"streams: step {step}, names")
    check(True, "streams")


strings()
lists()
hashes()
zsets()
positions()
streams()
sys.exit(bad)
