"""Big values through the mount against bytearrays: pieces one behind the other, into several files in turns, with holes, cuts and
returns in between, so that what the server expects next often does not come. MNT SEED ROUNDS."""
import os
import random
import sys

mnt, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
MOST = 24 << 20
failed = 0


def complain(what):
    global failed
    failed += 1
    print(f"not ok {what} (seed {seed})")


class File:
    def __init__(self, i):
        self.path = os.path.join(mnt, "raw/string", f"big{i}")
        self.fd = None

    def open(self):
        self.append = rng.random() < 0.2
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | (os.O_APPEND if self.append else 0))
        self.is_ = bytearray()
        self.at = 0

    def piece(self):
        n = rng.choice((4096, 65536, 131072, 131072, 1 << 20, rng.randrange(1, 3 << 20)))
        return rng.randbytes(64) * (n // 64 + 1), n

    def write(self):
        data, n = self.piece()
        if rng.random() < 0.07:
            self.at = rng.randrange(len(self.is_) + 1) if rng.random() < 0.5 else min(len(self.is_) + rng.randrange(4 << 20), MOST)
        at = len(self.is_) if self.append else self.at
        if at + n > MOST:
            return
        os.pwrite(self.fd, data[:n], at) if not self.append else os.write(self.fd, data[:n])
        if at > len(self.is_):
            self.is_.extend(bytes(at - len(self.is_)))
        self.is_[at : at + n] = data[:n]
        self.at = at + n

    def cut(self):
        n = rng.randrange(min(len(self.is_) * 5 // 4 + 1, MOST))
        os.ftruncate(self.fd, n)
        if n < len(self.is_):
            del self.is_[n:]
        else:
            self.is_.extend(bytes(n - len(self.is_)))
        self.at = n if rng.random() < 0.8 else self.at

    def look(self, whole=False):
        at = 0 if whole else rng.randrange(len(self.is_) + 1)
        n = len(self.is_) + 1 if whole else rng.randrange(2 << 20)
        got = b""
        while len(got) < n:
            more = os.pread(self.fd, n - len(got), at + len(got))
            if not more:
                break
            got += more
        if got != self.is_[at : at + n]:
            complain(f"{len(got)} bytes at {at} of {len(self.is_)}")

    def close(self):
        self.look(True)
        os.close(self.fd)
        with open(self.path, "rb") as f:
            if f.read() != self.is_:
                complain("what is read after close")
        if rng.random() < 0.5:
            os.unlink(self.path)
        self.fd = None


files = [File(i) for i in range(3)]
alone = None
for _ in range(rounds):
    if rng.random() < 0.05:
        alone = rng.choice([None, *files])
    f = alone or rng.choice(files)
    if f.fd is None:
        f.open()
    kind = rng.random()
    if kind < 0.86:
        f.write()
    elif kind < 0.90:
        f.cut()
    elif kind < 0.95:
        f.look()
    elif kind < 0.97:
        os.fsync(f.fd)
    else:
        f.close()
for f in files:
    if f.fd is not None:
        f.close()
if not failed:
    print(f"ok {rounds} operations on big files, seed {seed}")
sys.exit(failed > 0)
