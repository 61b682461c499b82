#!/usr/bin/python3
"""The server is killed in the middle of everything: deaths.py MOUNT SOCKET SERVER-PID

Processes that read in waiting files, list a large directory, touch a mapping, sync, write, poll and hold what they opened are all at work
when the server gets SIGKILL. Each has to come to its end, with an error, within a second. A page of a mapping that cannot be had is
SIGBUS. Prints ok and not ok lines.
"""
import errno
import mmap
import os
import select
import signal
import sys
import time

M, SOCK, SERVER = sys.argv[1], sys.argv[2], int(sys.argv[3])
SOON = 1.0
failed = False


def tell(good, what):
    global failed
    failed |= not good
    print(("ok " if good else "not ok ") + what, flush=True)


def endless(step):
    while True:
        step()


def reads(path):
    def work():
        fd = os.open(path, os.O_RDONLY)
        endless(lambda: os.read(fd, 100))
    return work


def lists():
    endless(lambda: os.listdir(f"{M}/string"))


def lists_slowly():
    while True:
        for n, _ in enumerate(os.scandir(f"{M}/string")):
            if n % 500 == 0:
                time.sleep(0.01)


def maps():
    """Pages that the kernel has are read on; new ones are not to be had."""
    while True:
        fd = os.open(f"{M}/raw/string/big", os.O_RDONLY)
        try:
            m = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        except OSError as e:  # Python passes over an fstat that failed, and maps 0 bytes
            os._exit(3 if e.errno == errno.EINVAL else 4)
        os.close(fd)
        sum(m[i] for i in range(0, len(m), 4096))
        m.close()


def maps_and_syncs():
    fd = os.open(f"{M}/raw/string/shared", os.O_RDWR)
    m = mmap.mmap(fd, 100000)
    n = 0
    while True:
        n = (n + 1) % 256
        for i in range(0, 100000, 4096):
            m[i] = n
        m.flush()
        os.fstat(fd)


def syncs():
    fd = os.open(f"{M}/string/synced", os.O_CREAT | os.O_WRONLY)
    endless(lambda: (os.pwrite(fd, b"x", 0), os.fsync(fd)))


def appends():
    fd = os.open(f"{M}/string/log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    endless(lambda: os.write(fd, b"x" * 1000))


def publishes():
    endless(lambda: open(f"{M}/string/whole", "w").write("x" * 300000))


def copies():
    endless(lambda: os.system(f"cp '{M}/raw/string/big' '{M}/raw/string/copy' 2>/dev/null") and os._exit(3))


def names():
    def step():
        os.close(os.open(f"{M}/string/n1", os.O_CREAT | os.O_WRONLY))
        os.rename(f"{M}/string/n1", f"{M}/string/n2")
        os.unlink(f"{M}/string/n2")
    endless(step)


def stats():
    """Of names that the kernel has not asked for yet: what it has it tells without the server."""
    def step():
        try:
            os.stat(f"{M}/string/none{time.monotonic()}")
        except FileNotFoundError:
            pass
    endless(step)


def asks():
    fd = os.open(f"{M}/ctl", os.O_RDWR)
    def step():
        os.write(fd, b"PING\n")
        os.read(fd, 100)
    endless(step)


def polls():
    fd = os.open(f"{M}/queue/polled", os.O_RDONLY | os.O_NONBLOCK)
    p = select.poll()
    p.register(fd, select.POLLIN)
    while True:
        for _, what in p.poll(100):
            if what & (select.POLLERR | select.POLLHUP):
                os._exit(3)
        try:
            os.read(fd, 10)
        except BlockingIOError:
            pass


WORK = {"a queue's reader": reads(f"{M}/queue/q1"), "another": reads(f"{M}/queue/q2"), "a channel's": reads(f"{M}/pubsub/c"), "a file read over and over": reads(f"{M}/string/k"),
        "readdir": lists, "a directory read slowly": lists_slowly, "a fault in a mapping": maps, "msync": maps_and_syncs, "fsync": syncs, "appending": appends,
        "publishing": publishes, "cp": copies, "create, rename, unlink": names, "stat": stats, "ctl": asks, "poll": polls}


def start(work):
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGBUS, signal.SIG_DFL)
    try:
        work()
    except OSError as e:
        os._exit(2 if e.errno in (errno.EIO, errno.ENOENT, errno.EINTR) else 3 if e.errno in (errno.ENOTCONN, errno.ECONNABORTED) else 100 + e.errno)  # one that is not expected is told in the status
    os._exit(1)


import resource

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
pids = {start(work): what for what, work in WORK.items()}
held = [os.open(f"{M}/{p}", os.O_RDONLY) for p in ("string/k", "queue/held", "string", "raw/string/big", "server/info/memory")]
if not os.environ.get("DEATHS_AT_ONCE"):
    time.sleep(0.5)
early = []
for pid in list(pids):
    if os.waitpid(pid, os.WNOHANG)[0]:
        early.append(pids.pop(pid))
tell(not early, "all are at work" + (": but " + ", ".join(early) if early else ""))
os.kill(SERVER, signal.SIGKILL)
began = time.monotonic()
slowest = 0
while pids and time.monotonic() - began < 5 * SOON:
    pid, status = os.waitpid(-1, os.WNOHANG)
    if not pid:
        time.sleep(0.002)
        continue
    took = time.monotonic() - began
    slowest = max(slowest, took)
    what = pids.pop(pid, "?")
    ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGBUS or os.WIFEXITED(status) and os.WEXITSTATUS(status) in (2, 3)
    tell(ended and took < SOON, f"{what}: an error" + ("" if ended and took < SOON else f" (status {status:#x} after {took:.2f} s)"))
for pid, what in pids.items():
    tell(False, f"{what}: still there after {5 * SOON} s")
    os.kill(pid, signal.SIGKILL)
tell(slowest < SOON, f"the last of {len(WORK)} ended {slowest * 1000:.0f} ms after the server's death")
for fd, call in zip(held, (os.read, os.read, None, os.read, os.read)):
    try:
        os.listdir(fd) if call is None else call(fd, 10)
        tell(False, "what is held open answers still")
    except OSError as e:
        tell(e.errno in (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO), f"what is held open: {errno.errorcode[e.errno]}")
    os.close(fd)
try:
    os.stat(f"{M}/string")
    tell(False, "stat of a dead mount")
except OSError as e:
    tell(e.errno == errno.ENOTCONN, f"stat of what is dead: {errno.errorcode[e.errno]}")
sys.exit(failed)
