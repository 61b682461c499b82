#!/usr/bin/python3
"""Random operations on one file against what a file is: model.py MOUNT PATH OTHER SEED STEPS [direct] [disk] [pagecache]

Writes, reads, truncates, mappings, copies, renames and removals of MOUNT/PATH through several open files at once; after each step
the sizes and contents are compared with a model in memory. OTHER is a second name in the same directory. The model knows one
thing that a disk file system does not have: what a truncating handle wrote is seen by others when it is flushed (a dup of it
closed, fsync, close), and by its own process in the size at once. With the word "disk" it does not: the model itself is tried on tmpfs.
With "pagecache" an open file that reads from the kernel's pages, as the server's figures tell, keeps what it was opened with.
"""
import errno
import mmap
import os
import random
import sys

MAX = 300_000


class Content:
    """What one inode holds: shared by its handles, whatever its name is."""

    def __init__(self, data=b""):
        self.data = bytearray(data)
        self.linked, self.version = True, 0  # counts changes


class Handle:
    def __init__(self, fd, flags, content, stage=None):
        self.fd, self.flags, self.content, self.stage, self.written = fd, flags, content, stage, False
        # The kernel leaves O_TRUNC out of an open with O_EXCL.
        self.unsaved, self.version = stage is not None and flags & (os.O_TRUNC | os.O_EXCL) == os.O_TRUNC, content.version
        self.edition = None

    def view(self):
        """What it reads. A stage that was stored is dropped when somebody else changed the file since then."""
        if self.edition is not None:
            return self.edition
        if self.stage is not None and not self.unsaved and self.version != self.content.version:
            self.stage = None
        return self.content.data if self.stage is None else self.stage


class Failure(Exception):
    pass


class Run:
    def __init__(self, root, path, other, seed, words):
        self.name, self.other = os.path.join(root, path), os.path.join(root, other)
        self.rnd = random.Random(seed)
        self.direct, self.disk = "direct" in words, "disk" in words
        self.stats = os.path.join(root, "server/stats") if "pagecache" in words else None
        self.file = None  # Content at self.name
        self.handles = []
        self.log = []

    # --- words

    def note(self, *words):
        self.log.append(" ".join(str(w) for w in words))

    def want(self, got, want, what):
        if got == want:
            return
        if isinstance(want, (bytes, bytearray)):
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            raise Failure(f"{what}: {len(got)} bytes, want {len(want)}; differ at {at}: {bytes(got[at:at + 20])!r} {bytes(want[at:at + 20])!r}")
        raise Failure(f"{what}: {got}, want {want}")

    def bytes(self, limit=70_000):
        n = self.rnd.choice([0, 1, 7, 511, 512, 4095, 4096, 4097, self.rnd.randrange(limit)])
        return self.rnd.randbytes(n) if self.rnd.random() < 0.8 else b"\n" * n

    def paged_opens(self):
        if not self.stats:
            return 0
        with open(self.stats) as f:
            return int(next(line for line in f if line.startswith("mount_editions_opened:")).split(":")[1])

    def pick(self, writing=False):
        some = [h for h in self.handles if not writing or h.flags & os.O_ACCMODE != os.O_RDONLY]
        return self.rnd.choice(some) if some else None

    def staged(self):
        return next((h for h in self.handles if h.stage is not None and h.unsaved and h.content is self.file), None)

    def others_stage(self, *mine):
        """What is seen of the size then is that of one of them."""
        return any(h.stage is not None and h.unsaved and h.content is self.file and h not in mine for h in self.handles)

    def patch(self, h, off, data):
        v = h.view()
        if not data:
            return
        if off > len(v):
            v.extend(bytes(off - len(v)))
        v[off:off + len(data)] = data
        self.changed(h)

    @staticmethod
    def changed(h):
        if h.stage is None:
            h.content.version += 1
        else:
            h.written = h.unsaved = True

    def commit(self, h, needs_write=False):
        if h.stage is not None and (h.written or not needs_write):
            if h.content.linked and h.unsaved:
                h.content.data = bytearray(h.stage)
                h.content.version += 1
                h.version = h.content.version
            h.written = h.unsaved = False

    def several_stages(self):
        """Whose is seen when the name goes is not said anywhere."""
        return sum(h.unsaved and h.stage is not None and h.content is self.file for h in self.handles) > 1

    def unlinked(self, content):
        """Its name is gone: all its handles see one content, the one that was staged last."""
        content.linked = False
        for h in self.handles:
            if h.content is content and h.stage is not None and h.unsaved:
                content.data = h.stage
        for h in self.handles:
            if h.content is content:
                h.stage = None

    # --- steps

    def open(self):
        if len(self.handles) >= 6:
            return self.close()
        flags = self.rnd.choice([os.O_RDONLY, os.O_RDWR, os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_APPEND, os.O_RDWR | os.O_TRUNC])
        if flags & os.O_TRUNC and self.staged():
            flags &= ~os.O_TRUNC
        if flags & os.O_ACCMODE != os.O_RDONLY and self.rnd.random() < 0.8:
            flags |= os.O_CREAT
        if self.direct and self.rnd.random() < 0.3:
            flags |= os.O_DIRECT
        if flags & os.O_CREAT and self.rnd.random() < 0.2:
            flags |= os.O_EXCL
        self.note("open", oct(flags), "there" if self.file else "")
        before = self.paged_opens()
        try:
            fd = os.open(self.name, flags, 0o644)
        except OSError as e:
            want = errno.ENOENT if self.file is None and not flags & os.O_CREAT else errno.EEXIST if self.file and flags & os.O_EXCL else 0
            self.want(e.errno, want, "open")
            return
        if self.file is None and not flags & os.O_CREAT or self.file and flags & os.O_EXCL:
            raise Failure("open should have failed")
        fresh = self.file is None
        if fresh:
            self.file = Content()
        stage = bytearray() if flags & os.O_TRUNC or (fresh and flags & os.O_EXCL) else None
        if self.disk and stage is not None:
            stage, self.file.data[:] = None, b""
        self.handles.append(Handle(fd, flags, self.file, stage))
        if self.paged_opens() > before:
            self.want(flags & os.O_ACCMODE, os.O_RDONLY, "an edition is open")
            self.handles[-1].edition = bytes(self.file.data)
            self.note("of an edition:", fd)

    def close(self):
        h = self.pick()
        if not h:
            return
        self.note("close", h.fd)
        os.close(h.fd)
        self.handles.remove(h)
        self.commit(h)

    def flush(self):
        h = self.pick(True)
        if not h:
            return
        self.note("dup, close", h.fd)
        os.close(os.dup(h.fd))
        self.commit(h, True)

    def fsync(self):
        h = self.pick(True)
        if not h:
            return
        self.note("fsync", h.fd)
        (os.fsync if self.rnd.random() < 0.5 else os.fdatasync)(h.fd)
        self.commit(h)

    def write(self):
        h = self.pick(True)
        if not h:
            return
        data, v = self.bytes(), h.view()
        off = self.rnd.choice([0, len(v), self.rnd.randrange(len(v) + 1), self.rnd.randrange(MAX)])
        if h.flags & os.O_APPEND:
            if len(v) > MAX:
                return
            self.note("append", h.fd, len(data))
            off = len(v)
            got = os.write(h.fd, data)
        elif self.rnd.random() < 0.3:
            cut = self.rnd.randrange(len(data) + 1)
            self.note("pwritev", h.fd, off, len(data))
            got = os.pwritev(h.fd, [data[:cut], data[cut:]], off)
        else:
            self.note("pwrite", h.fd, off, len(data))
            got = os.pwrite(h.fd, data, off)
        self.want(got, len(data), "written")
        self.patch(h, off, data)

    def read(self):
        h = self.pick()
        if not h or h.flags & os.O_ACCMODE == os.O_WRONLY:
            return
        v = h.view()
        off, n = self.rnd.randrange(len(v) + 100), self.rnd.choice([0, 1, 4096, 200_000])
        # A reader looks for changes at the start and past the end: FS.md section 3.
        if h.flags & os.O_ACCMODE == os.O_RDONLY:
            os.pread(h.fd, 1, 0)
        self.note("pread", h.fd, off, n)
        if self.rnd.random() < 0.3:
            parts = [bytearray(n // 2), bytearray(n - n // 2)]
            got = os.preadv(h.fd, parts, off)
            self.want((bytes(parts[0]) + bytes(parts[1]))[:got], bytes(v[off:off + n]), "preadv")
        else:
            self.want(os.pread(h.fd, n, off), bytes(v[off:off + n]), "pread")

    def truncate(self):
        h = self.pick(True)
        if not h or self.rnd.random() < 0.3:
            return self.truncate_path()
        size = self.rnd.choice([0, len(h.view()), self.rnd.randrange(MAX), self.rnd.randrange(len(h.view()) + 1)])
        if size == 0 and h.content.linked and h.stage is None and self.staged():
            return
        self.note("ftruncate", h.fd, size)
        os.ftruncate(h.fd, size)
        if size == 0 and h.content.linked and h.stage is None and not self.disk:
            h.stage, h.written, h.unsaved = bytearray(), False, True
        v = h.view()
        if h.stage is None and size != len(v):  # the same size is no change
            h.content.version += 1
        self.resize(v, size)
        h.unsaved = True

    @staticmethod
    def resize(v, size):
        del v[size:]
        v.extend(bytes(size - len(v)))

    def truncate_path(self):
        size = self.rnd.choice([0, self.rnd.randrange(MAX)])
        if self.staged():
            return
        self.note("truncate", size)
        try:
            os.truncate(self.name, size)
        except FileNotFoundError:
            self.want(None, self.file, "truncate")
            return
        if self.file is None:
            raise Failure("truncate of nothing")
        self.file.version += size != len(self.file.data)
        self.resize(self.file.data, size)

    def map_read(self):
        h = self.pick()
        if not h or h.flags & os.O_ACCMODE == os.O_WRONLY or not h.view() or self.others_stage(h):
            return
        os.pread(h.fd, 1, 0)
        shared = self.rnd.random() < 0.5
        self.note("mmap read", h.fd, "shared" if shared else "private")
        with mmap.mmap(h.fd, len(h.view()), mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE, mmap.PROT_READ) as m:
            at = self.rnd.randrange(len(h.view()))
            self.want(m[at:at + 30_000], bytes(h.view()[at:at + 30_000]), "mapped")
        self.commit(h, True)  # python maps a dup of it, and closes that

    def map_write(self):
        h = self.pick(True)
        if not h or h.flags & os.O_ACCMODE != os.O_RDWR or h.flags & os.O_DIRECT or not h.view():
            return
        # Which open file the kernel writes a page back through is its own choice.
        if h.content.linked and self.staged() or any(o.stage is not None for o in self.handles):
            return
        v = h.view()
        at = self.rnd.randrange(len(v))
        data = self.rnd.randbytes(min(len(v) - at, self.rnd.choice([1, 100, 5000, 20_000])))
        self.note("mmap write", h.fd, at, len(data))
        os.pread(h.fd, 1, 0)
        with mmap.mmap(h.fd, len(v), mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as m:
            m[at:at + len(data)] = data
            if self.rnd.random() < 0.5:
                m.flush()
        os.close(os.dup(h.fd))
        self.patch(h, at, data)

    def copy_range(self):
        a, b = self.pick(), self.pick(True)
        if not a or not b or a is b or a.flags & os.O_ACCMODE == os.O_WRONLY or b.flags & os.O_APPEND or (a.flags | b.flags) & os.O_DIRECT:
            return
        if a.content is b.content or not a.view() or self.others_stage(a, b):
            return
        off, to, n = self.rnd.randrange(len(a.view())), self.rnd.randrange(len(b.view()) + 1), self.rnd.randrange(50_000)
        os.pread(a.fd, 1, 0)
        want = bytes(a.view()[off:off + n])
        self.note("copy_file_range", a.fd, off, n, b.fd, to)
        done = 0
        while done < len(want):
            got = os.copy_file_range(a.fd, b.fd, n - done, off + done, to + done)
            if got == 0:
                raise Failure("copy_file_range copied nothing")
            done += got
        self.patch(b, to, want)

    def seek(self):
        h = self.pick()
        if not h or self.others_stage(h):
            return
        size = len(h.view())
        self.note("lseek", h.fd)
        self.want(os.lseek(h.fd, 0, os.SEEK_END), size, "SEEK_END")
        if size:
            at = self.rnd.randrange(size)
            if not self.disk:
                self.want(os.lseek(h.fd, at, os.SEEK_DATA), at, "SEEK_DATA")
                self.want(os.lseek(h.fd, at, os.SEEK_HOLE), size, "SEEK_HOLE")

    def fallocate(self):
        h = self.pick(True)
        if not h:
            return
        size = self.rnd.randrange(1, MAX)
        self.note("posix_fallocate", h.fd, size)
        try:
            os.posix_fallocate(h.fd, 0, size)
        except OSError as e:
            if e.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF):
                raise
            return
        if len(h.view()) < size:
            self.resize(h.view(), size)
            self.changed(h)

    def unlink(self):
        if self.file is None or self.rnd.random() < 0.5 or self.several_stages():
            return
        self.note("unlink")
        os.unlink(self.name)
        self.unlinked(self.file)
        self.file = None

    def rename_away(self):
        """The file gets another name and comes back."""
        if self.file is None:
            return
        self.note("rename there and back")
        os.rename(self.name, self.other)
        self.want(os.path.exists(self.name), False, "the old name is gone")
        os.rename(self.other, self.name)
        self.file.version += 1

    def rename_over(self):
        data = self.bytes()
        if self.several_stages():
            return
        self.note("rename over", len(data))
        with open(self.other, "wb") as f:
            f.write(data)
        os.rename(self.other, self.name)
        if self.file:
            self.unlinked(self.file)
        self.file = Content(data)

    def reopen(self):
        for h in self.handles:
            self.note("close", h.fd)
            os.close(h.fd)
            self.commit(h)
        self.handles = []

    # --- laws

    def check(self):
        staged = self.staged()
        if self.file is None:
            self.want(os.path.exists(self.name), False, "exists")
        elif sum(h.unsaved and h.stage is not None and h.content.linked for h in self.handles) < 2:
            st = os.stat(self.name)
            self.want(st.st_size, len(staged.view() if staged else self.file.data), "stat's size")
            self.want(st.st_nlink, 1, "links")
        for h in self.handles:
            st = os.fstat(h.fd)
            if h.edition is None or h.version == h.content.version:
                self.want(st.st_nlink, 1 if h.content.linked else 0, "links of an open file")
            if not h.content.linked or staged is None or h.edition is not None:
                self.want(st.st_size, len(h.view()), f"fstat's size of {h.fd}")
        if self.file and self.rnd.random() < 0.2 and not staged:
            with open(self.name, "rb") as f:
                self.want(f.read(), bytes(self.file.data), "the file read anew")

    def step(self):
        self.rnd.choices(
            [self.open, self.close, self.write, self.read, self.truncate, self.map_read, self.map_write, self.copy_range, self.seek,
             self.fallocate, self.unlink, self.rename_away, self.rename_over, self.reopen, self.flush, self.fsync],
            [8, 3, 14, 14, 6, 6, 6, 4, 3, 2, 2, 2, 2, 1, 3, 2])[0]()
        self.check()


def main():
    root, path, other, seed, steps = sys.argv[1:6]
    run = Run(root, path, other, int(seed), sys.argv[6:])
    try:
        for _ in range(int(steps)):
            run.step()
        run.reopen()
        if run.file:
            os.unlink(run.name)
    except (Failure, OSError, ValueError) as e:
        print(f"seed {seed}: {type(e).__name__}: {e}\n  after " + "\n        ".join(run.log[-int(os.environ.get('MODEL_LOG', '14')):]))
        sys.exit(1)


main()
