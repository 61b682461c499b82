#!/usr/bin/python3
"""One file through one descriptor, against its bytes in memory: onefile.py FILE SEED OPERATIONS [WORD ...]

Reads, writes, truncates, mappings that are read and written (also the rest of the last page, which has to be zeros), allocations, copies
within the file, closing and opening again; after each, the size by fstat and by lseek, and every read byte for byte. Words: "direct"
opens with O_DIRECT and keeps to blocks, "nomap" maps nothing, "notrunc" begins without O_TRUNC, "reader" has a second process read all
now and then. All the others run on tmpfs as well.
"""
import ctypes
import errno
import mmap
import os
import random
import subprocess
import sys

PATH, SEED, OPERATIONS, WORDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), set(sys.argv[4:])
LONGEST, PAGE = 262144, mmap.PAGESIZE
BLOCK = 512 if "direct" in WORDS else 1
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.msync.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
READ, WRITE, SHARED, MS_SYNC = 1, 2, 1, 4
rng = random.Random(SEED)
log = []


class Wrong(Exception):
    pass


def same(what, got, want):
    if got == want:
        return
    if isinstance(want, int):
        raise Wrong(f"{what}: {got}, want {want}")
    at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
    raise Wrong(f"{what}: {len(got)} bytes, want {len(want)}; at {at}: {bytes(got[at:at + 12])!r}, want {bytes(want[at:at + 12])!r}")


class File:
    def __init__(self):
        self.data = bytearray()
        self.open(os.O_CREAT | (0 if "notrunc" in WORDS else os.O_TRUNC))

    def open(self, more=0):
        self.fd = os.open(PATH, os.O_RDWR | more | (os.O_DIRECT if "direct" in WORDS else 0), 0o644)

    def span(self, end):
        """An offset and a length within [0, @end), in blocks."""
        off = rng.randrange(end // BLOCK) * BLOCK if end >= BLOCK else 0
        n = rng.choice([1, rng.randrange(1, 70000), rng.randrange(1, 5000)])
        n = max(BLOCK, n // BLOCK * BLOCK)
        return off, min(n, (end - off) // BLOCK * BLOCK)

    def memory(self, n):
        return mmap.mmap(-1, max(n, 1))  # on a page, as O_DIRECT wants it

    def grow(self, size):
        if size > len(self.data):
            self.data.extend(bytes(size - len(self.data)))

    def map(self, off, n, how):
        start = off - off % PAGE
        size = off + n - start
        at = LIBC.mmap(None, size, how, SHARED, self.fd, start)
        if at in (None, ctypes.c_void_p(-1).value):
            raise OSError(ctypes.get_errno(), "mmap")
        return at, size, at + off - start

    def unmap(self, at, size):
        end = (size + PAGE - 1) // PAGE * PAGE
        tail = ctypes.string_at(at + size, end - size)
        LIBC.munmap(at, size)
        return tail

    # --- operations

    def read(self):
        off, n = self.span(len(self.data))
        log.append(f"read {off} {n}")
        m = self.memory(n)
        got = os.preadv(self.fd, [memoryview(m)[:n]], off)
        same("read", m[:got], bytes(self.data[off:off + n]))

    def write(self):
        off, n = self.span(LONGEST)
        log.append(f"write {off} {n}")
        m = self.memory(n)
        m[:n] = data = rng.randbytes(n)
        same("written", os.pwritev(self.fd, [memoryview(m)[:n]], off), n)
        self.grow(off)
        self.data[off:off + n] = data

    def map_read(self):
        off, n = self.span(len(self.data))
        if not n:
            return
        log.append(f"map read {off} {n}")
        at, size, p = self.map(off, n, READ)
        got = ctypes.string_at(p, n)
        tail = self.unmap(at, size)
        same("mapped", got, bytes(self.data[off:off + n]))
        if off + n == len(self.data):
            same("the rest of the last page", tail, bytes(len(tail)))

    def map_write(self):
        off, n = self.span(LONGEST)
        log.append(f"map write {off} {n}")
        if off + n > len(self.data):
            os.ftruncate(self.fd, off + n)
            self.grow(off + n)
        data = rng.randbytes(n)
        at, size, p = self.map(off, n, READ | WRITE)
        ctypes.memmove(p, data, n)
        if LIBC.msync(at, size, MS_SYNC):
            raise OSError(ctypes.get_errno(), "msync")
        tail = self.unmap(at, size)
        self.data[off:off + n] = data
        if off + n == len(self.data):
            same("the rest of the last page", tail, bytes(len(tail)))

    def truncate(self):
        size = rng.choice([0, rng.randrange(LONGEST // BLOCK) * BLOCK, self.span(len(self.data))[0]])
        log.append(f"truncate {size}")
        os.ftruncate(self.fd, size)
        del self.data[size:]
        self.grow(size)

    def allocate(self):
        off, n = self.span(LONGEST)
        log.append(f"allocate {off} {n}")
        try:
            os.posix_fallocate(self.fd, off, max(n, 1))
        except OSError as e:
            if e.errno != errno.EOPNOTSUPP:
                raise
            return
        self.grow(off + max(n, 1))

    def copy(self):
        off, n = self.span(len(self.data))
        to = rng.randrange(LONGEST - n) // BLOCK * BLOCK
        if not n or off < to + n and to < off + n:
            return
        log.append(f"copy {off} {n} to {to}")
        done = 0
        try:
            while done < n:
                done += os.copy_file_range(self.fd, self.fd, n - done, off + done, to + done)
        except OSError as e:
            if e.errno not in (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP):
                raise
        self.grow(to)
        self.data[to:to + done] = self.data[off:off + done]

    def sync(self):
        log.append("sync")
        os.fsync(self.fd)

    def reopen(self):
        log.append("close, open")
        os.close(self.fd)
        self.open()

    def by_another(self):
        if "reader" not in WORDS:
            return
        self.reopen()
        log.append("cat")
        same("what another reads", subprocess.run(["cat", PATH], capture_output=True, check=True).stdout, bytes(self.data))

    def step(self):
        mapped = 0 if "nomap" in WORDS else 8
        rng.choices([self.read, self.write, self.map_read, self.map_write, self.truncate, self.allocate, self.copy, self.sync, self.reopen, self.by_another],
                    [12, 12, mapped, mapped, 6, 1, 2, 2, 4, 1])[0]()
        same("size by fstat", os.fstat(self.fd).st_size, len(self.data))
        same("size by lseek", os.lseek(self.fd, 0, os.SEEK_END), len(self.data))


try:
    f = File()
    for _ in range(OPERATIONS):
        f.step()
    f.reopen()
    m = f.memory(LONGEST + BLOCK)
    same("all of it", m[:os.preadv(f.fd, [m], 0)], bytes(f.data))
    os.unlink(PATH)
except (Wrong, OSError) as e:
    print(f"seed {SEED}: {type(e).__name__}: {e}\n  after " + "\n        ".join(log[-int(os.environ.get("MODEL_LOG", "14")):]))
    sys.exit(1)
