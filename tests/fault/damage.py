#!/usr/bin/python3
"""Damaged files: bits flipped, ends cut off, pieces put elsewhere, in RDB files, DUMP payloads and append-only files.

    damage.py [--files N] [--seed N]

A file that is damaged is refused, with the offset in the log, or loads as something that was true: where there is a checksum the data set must be
the one that was saved, or, for the log's torn end, one that it had earlier. Nothing may crash, hang, leave a key half made or ask
for more memory than the file is worth. A third of the files each way; prints one line "ok" or "not ok" for each.
"""
import argparse
import glob
import os
import random
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), HERE]

from resp import Closed, Conn  # noqa: E402
from servers import REPORTS, Server  # noqa: E402

SECONDS = 30  # no file takes so long


class Bad(Exception):
    pass


def fill(c):
    """Every type in every encoding, small, so that each byte is hit now and then. One call a change."""
    yield c.do("SET", "int", 12345)
    yield c.do("SET", "text", "hello")
    yield c.do("SET", "long", "abc" * 500)
    yield c.do("SET", "later", "x", "EX", 100000)
    yield c.do("RPUSH", "list", *range(5), "e" * 70)
    yield c.do("RPUSH", "biglist", *("element %d" % i for i in range(300)), "x" * 9000)
    yield c.do("SADD", "ints", *range(20))
    yield c.do("SADD", "few", "a", "b", "c")
    yield c.do("SADD", "many", *("member %d" % i for i in range(150)))
    yield c.do("HSET", "hash", "f", 1, "g", "two")
    yield c.do("HSET", "bighash", *(w for i in range(140) for w in ("field %d" % i, i)))
    yield c.do("ZADD", "zset", 1, "one", 2.5, "two", "-inf", "least")
    yield c.do("ZADD", "bigzset", *(w for i in range(140) for w in (i / 7, "m%d" % i)))
    yield c.do("XADD", "stream", "1-1", "f", "v")
    for i in range(30):
        yield c.do("XADD", "stream", f"{i + 2}-0", "f", i, "g", "v" * i)
    yield c.do("XDEL", "stream", "5-0")
    yield c.do("PFADD", "hll", *range(100))
    yield c.do("SETBIT", "bits", 1000, 1)
    if c.do("COMMAND", "INFO", "xgroup") != [None]:
        yield c.do("XGROUP", "CREATE", "stream", "g", "0")
        yield c.do("XREADGROUP", "GROUP", "g", "consumer", "COUNT", "7", "STREAMS", "stream", ">")
        yield c.do("XACK", "stream", "g", "2-0")
    if c.do("COMMAND", "INFO", "hexpire") != [None]:
        yield c.do("HSET", "fields", "a", 1, "b", 2, "c", 3)
        yield c.do("HEXPIRE", "fields", 100000, "FIELDS", 2, "a", "b")
    if c.do("COMMAND", "INFO", "function") != [None]:
        yield c.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
    c.do("SELECT", 3)
    yield c.do("SET", "elsewhere", 1)
    c.do("SELECT", 0)


def digest(c):
    return c.do("DEBUG", "DIGEST")


def mutate(data, rnd, others=()):
    """@data with something wrong; never the same."""
    data, was = bytearray(data), bytes(data)
    while bytes(data) == was:
        for _ in range(rnd.choice((1, 1, 1, 2, 4))):
            at = rnd.randrange(len(data) + 1)
            how = rnd.randrange(7)
            piece = bytes(data[at : at + rnd.randrange(1, 40)])
            if how <= 1 and at < len(data):
                data[at] ^= 1 << rnd.randrange(8)
            elif how == 2 and at < len(data):
                data[at] = rnd.choice((0, 0xFF, 0x80, 0x7F, 0xC0, 0xFD, rnd.randrange(256)))
            elif how == 3:
                del data[at:]
            elif how == 4:
                del data[at : at + len(piece)]
            elif how == 5:
                to = rnd.randrange(len(data) + 1)
                data[to:to] = piece
            elif how == 6:
                source = rnd.choice(others) if others else was
                start = rnd.randrange(len(source) or 1)
                data[at : at + len(piece)] = source[start : start + len(piece)]
        if not data:
            data = bytearray(b"x")
    return bytes(data)


def crc64_table():
    table = []
    for i in range(256):
        crc = i
        for _ in range(8):
            crc = crc >> 1 ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = crc64_table()


def crc64(data):
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc


def check_alive(s, what):
    if s.proc.poll() is not None:
        raise Bad(f"{what}: the server ended with {s.proc.returncode}\n" + s.log()[-3000:])


def check_reports(s):
    log = s.log().encode()
    for report in REPORTS:
        if report in log:
            raise Bad("a report of a sanitizer\n" + s.log()[-6000:])


def rdb_files(n, rnd, work):
    """DEBUG RELOAD of damaged files, half of them with the checksum switched off, as a server with rdbchecksum no writes them."""
    folder = os.path.join(work, "rdb")
    os.mkdir(folder)
    refused = same = other = 0
    with Server(args=[], folder=folder) as s, s.conn(timeout=SECONDS) as c:
        for _ in fill(c):
            pass
        want = digest(c)
        c.do("SAVE")
        path = os.path.join(folder, "dump.rdb")
        with open(path, "rb") as f:
            whole = f.read()
        for i in range(n):
            unchecked = i % 2
            bad = mutate(whole[:-8], rnd) + bytes(8) if unchecked else mutate(whole, rnd)
            with open(path, "wb") as f:
                f.write(bad)
            logged = len(s.log())
            try:
                reply = c.call("DEBUG", "RELOAD", "NOSAVE")
                error = reply.error
                found = digest(c)
            except (OSError, Closed) as e:
                with open(os.path.join(work, "bad.rdb"), "wb") as f:
                    f.write(bad)
                check_alive(s, f"file {i}")
                raise Bad(f"file {i}: {e!r}") from e
            if error:
                refused += 1
                if "offset" not in s.log()[logged:]:
                    raise Bad(f"file {i}: no offset in the log: {s.log()[logged:]}")
            elif found == want:
                same += 1
            elif unchecked or bad[-8:] == bytes(8):
                other += 1
            else:
                raise Bad(f"file {i}: other data in spite of the checksum")
        check_reports(s)
        if s.rss() > 2 << 30:
            raise Bad(f"{s.rss()} bytes are in use")
    return f"{refused} refused, {same} unharmed, {other} others without a checksum"


def payloads(n, rnd, work):
    """RESTORE of damaged payloads with a checksum that fits."""
    refused = taken = 0
    with Server(args=["--sanitize-dump-payload", "yes"]) as s, s.conn(timeout=SECONDS) as c:
        for _ in fill(c):
            pass
        whole = [c.do("DUMP", key)[:-8] for key in sorted(c.do("KEYS", "*"))]
        for i in range(n):
            bad = mutate(rnd.choice(whole), rnd, whole)
            if i % 10:
                bad += crc64(bad).to_bytes(8, "little")
            try:
                error = c.call("RESTORE", "restored", 0, bad, "REPLACE").error
                if not error:
                    taken += 1
                    for words in (["DEBUG", "DIGEST-VALUE", "restored"], ["DUMP", "restored"], ["COPY", "restored", "copy", "REPLACE"], ["DEL", "copy"]):
                        c.call(*words)
                elif "Bad data format" in error or "checksum are wrong" in error:
                    refused += 1
                else:
                    raise Bad(f"payload {i} {bad!r}: {error}")
            except (OSError, Closed) as e:
                check_alive(s, f"payload {i} {bad!r}")
                raise Bad(f"payload {i} {bad!r}: {e!r}") from e
        check_reports(s)
        if s.rss() > 2 << 30:
            raise Bad(f"{s.rss()} bytes are in use")
    return f"{refused} refused, {taken} values that are whole"


def starts(folder, log):
    """Start the server on @folder; (its exit code, what it logged, digest) - the code is None when it serves."""
    s = Server(args=["--appendonly", "yes"], folder=folder, wait=False)
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if s.proc.poll() is not None:
                return s.proc.returncode, s.log(), None
            try:
                with Conn(s.port, timeout=SECONDS) as c:
                    if not (c.call("PING").error or "").startswith("LOADING"):
                        return None, s.log(), digest(c)
            except (OSError, Closed):
                pass
            time.sleep(0.002)
        raise Bad("it hangs\n" + s.log())
    finally:
        if s.proc.poll() is None:
            s.proc.kill()
            s.proc.wait()
        log.append(s.log())
        s.discard()


def logs(n, rnd, work):
    """Damaged append-only files: manifest, base and increment."""
    folder = os.path.join(work, "aof")
    os.mkdir(folder)
    truths = set()
    with Server(args=["--appendonly", "yes", "--appendfsync", "always", "--aof-timestamp-enabled", "yes"], folder=folder) as s:
        with s.conn() as c:
            truths.add(digest(c))
            for _ in fill(c):
                truths.add(digest(c))
            want = digest(c)
            truths.add(want)
        s.stop()
    files = {path: open(path, "rb").read() for path in glob.glob(folder + "/appendonlydir/*")}
    increment = next(p for p in files if p.endswith(".incr.aof"))
    refused = same = earlier = 0
    for i in range(n):
        path = increment if rnd.random() < 0.85 else rnd.choice(list(files))
        bad = mutate(files[path], rnd)
        for name, data in files.items():
            with open(name, "wb") as f:
                f.write(bad if name == path else data)
        said = []
        code, log, found = starts(folder, said)
        for report in REPORTS:
            if report.decode() in said[-1]:
                raise Bad(f"file {i}: a report of a sanitizer\n" + said[-1][-6000:])
        if code is None and found == want:
            same += 1
        elif code is None and found in truths:
            earlier += 1
            if path == increment and "Truncating the AOF" not in log:
                raise Bad(f"file {i}: an earlier state without a word\n" + log)
        elif code is None:
            with open(os.path.join(work, "bad.aof"), "wb") as f:
                f.write(bad)
            raise Bad(f"file {i} ({os.path.basename(path)}): data that never was\n" + log)
        elif code == 1:
            refused += 1
            if path == increment and "offset" not in log:
                raise Bad(f"file {i}: no offset in the log\n" + log)
        else:
            raise Bad(f"file {i}: it ended with {code}\n" + log)
    return f"{refused} refused, {same} unharmed, {earlier} cut to an earlier state, with a message"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--files", type=int, default=900)
    args.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    args = args.parse_args()
    print(f"seed {args.seed}", flush=True)
    failed = 0
    for name, run in (("RDB files", rdb_files), ("DUMP payloads", payloads), ("append-only files", logs)):
        work = tempfile.mkdtemp(prefix="inodis-damage-")
        try:
            n = args.files // 3
            print(f"ok - {n} damaged {name}: {run(n, random.Random(f'{args.seed} {name}'), work)}", flush=True)
        except (Bad, AssertionError) as e:
            failed += 1
            print(f"not ok - damaged {name}: {e}", flush=True)
        finally:
            if not os.environ.get("KEEP") or not failed:
                shutil.rmtree(work, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
