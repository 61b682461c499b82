#!/usr/bin/python3
"""What the kernel keeps of names and attributes, in cases that chance hardly makes.    cached.py MOUNT SOCKET

O_PATH descriptors and working directories are not looked up again by name: what they show comes from the kernel's own attributes.
Prints ok and not ok lines.
"""
import os
import sys
import time

from cases import end, is_
from coherence import Resp

mount, r = sys.argv[1], Resp(sys.argv[2])


def there(path):
    try:
        os.lstat(os.path.join(mount, path))
        return True
    except FileNotFoundError:
        return False


def here():
    """What the working directory holds, None where that is none."""
    try:
        return sorted(os.listdir("."))
    except OSError:
        return None


def figure(name):
    with open(os.path.join(mount, "server/stats")) as f:
        return int(next(line for line in f if line.startswith(name + ":")).split(":")[1])


def known(path, times=3):
    """Have the kernel keep it."""
    return [there(path) for _ in range(times)][-1]


def times_to_live():
    r("SET", "k", "v")
    known("string/k")
    r("PEXPIRE", "k", 60)
    is_(there("string/k"), True, "a name that was given for good is there while the key that got an end is")
    time.sleep(0.1)
    is_(there("string/k"), False, "and not a moment longer")
    r("SET", "k", "v", "PX", 100000)
    known("string/k")
    r("SET", "k", "v", "PX", 50)
    time.sleep(0.1)
    is_(there("string/k"), False, "nor where the end came nearer")
    r("HSET", "h", "f", "v")
    known("hash.d/h/f")
    if not isinstance(r("HPEXPIRE", "h", 50, "FIELDS", 1, "f"), RuntimeError):
        time.sleep(0.1)
        is_(there("hash.d/h/f"), False, "a field that got an end goes too")


def descriptors():
    r("SET", "k", "one")
    fd = os.open(os.path.join(mount, "raw/string/k"), os.O_PATH)
    wrong = 0
    for n in range(1, 300):
        wrong += os.fstat(fd).st_size != len(r("GET", "k"))
        r("SET", "k", "x" * n)
        wrong += os.fstat(fd).st_size != n
    is_(wrong, 0, "a descriptor that only knows the path shows each size")
    for n in range(20000):  # more than are left with the kernel
        r("SET", "many:%d" % n, "v")
    for n in range(20000):
        os.lstat(os.path.join(mount, "raw/string/many:%d" % n))
    r("SET", "k", "12345")
    is_(os.fstat(fd).st_size, 5, "also when many others were asked for since")
    before = figure("mount_withdrawn_attributes")
    for _ in range(3):
        for n in range(20000):
            r("SET", "many:%d" % n, "value")
    is_(figure("mount_withdrawn_attributes") - before <= 8192 + 100, True, "changing all that the kernel was given withdraws no more than it was left, once")
    wrong = sum(os.lstat(os.path.join(mount, "raw/string/many:%d" % n)).st_size != 5 for n in range(0, 20000, 7))
    is_(wrong, 0, "and all of them are as they are")
    os.close(fd)


def working_directory():
    for f in range(3):
        r("HSET", "dir", f, "v")
    os.chdir(os.path.join(mount, "hash.d/dir"))
    where = os.getcwd()
    r("SET", "gone", "v")
    known("string/gone")
    r("DEL", "gone")  # all names are asked for again
    is_(os.getcwd(), where, "a working directory keeps its path when names are withdrawn")
    is_(here(), ["0", "1", "2"], "and lists")
    before = os.stat(".").st_mtime_ns
    time.sleep(0.01)
    r("HSET", "dir", 3, "v")
    is_(os.stat(".").st_mtime_ns > before, True, "its own time is that of the last change")
    is_(there("hash.d/dir/3"), True, "what came is there")
    r("DEL", "dir")
    is_(here(), None, "when the key is deleted it is gone")
    r("HSET", "dir", "new", "v")
    is_(here(), ["new"], "when the key is made again it is that key's")
    with open("new", "rb") as f:
        is_(f.read(), b"v", "with what is in it")
    is_(os.getcwd(), where, "at its path")
    r("DEL", "dir")
    is_(there("hash.d/dir"), False, "deleted, and seen to be")
    r("SADD", "dir", "m")
    is_(here(), None, "a key of another type is not in it")
    r("DEL", "dir")
    r("HSET", "dir", "again", "v")
    os.chdir(where)
    is_(here(), ["again"], "after cd it is the new key's")
    os.chdir("/")


def members():
    for n in range(3000):
        r("HSET", "big", n, "v")
    for n in range(3000):
        os.lstat(os.path.join(mount, "raw/hash.d/big/%d" % n))
    before = figure("mount_withdrawn_names")
    r("HSET", "big", "5", "longer")
    is_(os.lstat(os.path.join(mount, "raw/hash.d/big/5")).st_size, 6, "of a hash with many known fields one changes")
    r("HDEL", "big", "7")
    is_(there("raw/hash.d/big/7"), False, "or goes")
    is_(figure("mount_withdrawn_names") - before <= 2, True, "without each being looked at")
    known("raw/hash.d/big/none")
    is_(there("raw/hash.d/big/none"), False, "a field that is not there is not")
    r("HSET", "big", "none", "v")
    is_(there("raw/hash.d/big/none"), True, "until it is")


def whole_databases():
    r("SET", "k", "v")
    fd = os.open(os.path.join(mount, "raw/string/k"), os.O_PATH)
    known("string/k")
    os.fstat(fd)
    r("SWAPDB", 0, 1)
    is_(there("string/k"), False, "SWAPDB takes names away")
    r("SWAPDB", 0, 1)
    is_(there("string/k"), True, "and brings them")
    r("SET", "k", "longer")
    is_(os.fstat(fd).st_size, 6, "a descriptor stays with its name")
    known("string/k")
    r("FLUSHALL")
    is_(there("string/k"), False, "FLUSHALL takes all")
    os.close(fd)


times_to_live()
descriptors()
working_directory()
members()
whole_databases()
end()
