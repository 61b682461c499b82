"""Several processes do everything at once to a few names; whatever they get, the server lives and nothing is torn. Run by stress.sh."""
import os
import random
import sys

mnt, workers, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
DIRS = ["string", "list", "set", "zset", "hash", "raw/string", "ttl", "key", "db/1/string", "hash.d/k1", "set.d/k1", "zset.d/k1", "hash.d", "set.d"]
NAMES = ["k1", "k2", "k3", ".s1", ".s2", "%2Ex", "%", "b%00"]
DATA = [b"x\n", b"1\ta\n2\tb\n", b"", b"no newline", b"\0\xff" * 100, b"7\n", b"line\n" * 1000, b"$'\\n'\n", b"$'bad\\q'\n"]
FLAGS = [os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR | os.O_CREAT,
         os.O_WRONLY | os.O_CREAT | os.O_EXCL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, os.O_RDWR | os.O_TRUNC]


def work(seed):
    rng = random.Random(seed)
    held = []

    def path():
        return os.path.join(mnt, rng.choice(DIRS), rng.choice(NAMES))

    def step():
        what = rng.randrange(14)
        if what == 0:
            held.append(os.open(path(), rng.choice(FLAGS), 0o644))
        elif what == 1 and held:
            os.close(held.pop(rng.randrange(len(held))))
        elif what == 2 and held:
            os.pwrite(rng.choice(held), rng.choice(DATA), rng.choice([0, 0, 3, 100, 70000]))
        elif what == 3 and held:
            os.write(rng.choice(held), rng.choice(DATA))
        elif what == 4 and held:
            os.pread(rng.choice(held), 10000, rng.choice([0, 0, 3, 100, 1 << 40]))
        elif what == 5 and held:
            os.ftruncate(rng.choice(held), rng.choice([0, 0, 5, 1000]))
        elif what == 6:
            os.truncate(path(), rng.choice([0, 5, 1000]))
        elif what == 7:
            os.rename(path(), path())
        elif what == 8:
            os.unlink(path())
        elif what == 9:
            os.stat(path())
        elif what == 10:
            os.listdir(os.path.join(mnt, rng.choice(DIRS)))
        elif what == 11:
            os.mkdir(path())
        elif what == 12:
            os.rmdir(path())
        elif what == 13 and len(held) > 1:
            os.copy_file_range(held[0], held[1], 1 << 20, 0, 0)
        if len(held) > 20:
            os.close(held.pop(0))

    for _ in range(steps):
        try:
            step()
        except OSError as e:
            if e.errno in (5, 107, 103):  # EIO, ENOTCONN, ECONNABORTED: the server is at fault
                print("not ok", e, flush=True)
                os._exit(1)
    os._exit(0)


pids = []
for n in range(workers):
    pid = os.fork()
    if pid == 0:
        work(int(os.environ.get("SEED", "1")) * 1000 + n)
    pids.append(pid)
sys.exit(any([os.waitpid(pid, 0)[1] for pid in pids]))
