"""A disk that is full, in the middle of anything: a file system of two megabytes, and a countdown to each call that changes a disk.

Writes are refused with MISCONF (ENOSPC in the mount), reads go on, no file is there in half, no temporary one is left, and with room again
all goes on by itself.
"""
import errno
import glob
import os
import random
import shutil
import subprocess
import tempfile

import pytest

import servers
from test_aof import info, log_of
from test_faults import COUNT, ERROR, FIRST, MANY, Faults, faults, preload  # noqa: F401
from test_rdb import digest, kill, wait_for

FULL = "No space left on device"


class Disk:
    """A file system that can be filled to its last page and its last inode."""

    def __init__(self, folder):
        self.folder = str(folder)

    def fill(self):
        fd = os.open(self.folder + "/filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while True:
                os.write(fd, b"x" * 4096)
        except OSError as e:
            assert e.errno == errno.ENOSPC
        os.close(fd)

    def fill_names(self):
        os.mkdir(self.folder + "/fillers")
        try:
            for i in range(1000):
                os.close(os.open(f"{self.folder}/fillers/{i}", os.O_WRONLY | os.O_CREAT))
        except OSError as e:
            assert e.errno == errno.ENOSPC

    def free(self):
        shutil.rmtree(self.folder + "/fillers", ignore_errors=True)
        if os.path.exists(self.folder + "/filler"):
            os.unlink(self.folder + "/filler")

    def names(self):
        """All files but what the test put there."""
        return sorted(os.path.relpath(f, self.folder) for f in glob.glob(self.folder + "/**", recursive=True) if os.path.isfile(f) and "/filler" not in f and "/output" not in f)


@pytest.fixture
def disk():
    # Not below tmp_path: pytest would look into it while it is being taken away.
    folder = tempfile.mkdtemp(prefix="inodis-full-")
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=64", "none", folder], capture_output=True).returncode:
        os.rmdir(folder)
        pytest.skip("no tmpfs may be mounted here")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        os.rmdir(folder)


@pytest.fixture
def begin(disk):
    """begin(*words, conf=None): servers on the small disk."""
    running = []

    def start(*words, **kw):
        s = servers.Server(args=words, folder=disk.folder, **kw)
        running.append(s)
        return s

    yield start
    disk.free()
    for s in running:
        s.stop()


def fill_some(c, n=50):
    for i in range(n):
        c.do("SET", f"k{i}", "v" * 200)


def is_refused(s):
    with s.conn() as c:
        return (c.call("SET", "probe", 1).error or "").startswith("MISCONF")


@pytest.mark.parametrize("policy", ("always", "everysec", "no"))
def test_the_log_of_a_full_disk_goes_on_where_there_is_room(begin, disk, policy):
    s = begin("--appendonly", "yes", "--appendfsync", policy)
    with s.conn(timeout=60) as c:
        fill_some(c)
        disk.fill()
        c.send("SET", "big", "x" * 300000)  # with always nobody is told OK before it is on the disk
        wait_for(lambda: is_refused(s))
        with s.conn() as other:
            assert other.call("SET", "a", 1).error == f"MISCONF Errors writing to the AOF file: {FULL}"
            assert other.do("GET", "k1") == b"v" * 200
            assert other.call("PING").error.startswith("MISCONF")
            assert info(s, "aof_last_write_status") == "err"
        disk.free()
        wait_for(lambda: not is_refused(s))
        assert c.read().plain() == b"OK"
    wait_for(lambda: info(s, "aof_buffer_length") == "0")
    want = digest(s)
    kill(s)
    s.start()
    assert digest(s) == want


@pytest.mark.parametrize("what", ("pages", "names"))
def test_a_rotation_without_room_changes_nothing(begin, disk, what):
    s = begin("--appendonly", "yes", "--appendfsync", "always")
    with s.conn() as c:
        fill_some(c)
        names = disk.names()
        disk.fill() if what == "pages" else disk.fill_names()
        refusal = c.call("BGREWRITEAOF").error
        wait_for(lambda: info(s, "aof_last_bgrewrite_status") == "err" and info(s, "aof_rewrite_in_progress") == "0")
        assert refusal in (None, "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.")
        assert not [n for n in disk.names() if "temp-" in n], "no temporary file is left"
        assert set(names) <= set(disk.names())
        if what == "names":
            assert c.do("SET", "meanwhile", 1) == b"OK", "the old file has all the room it needs"
        disk.free()
        wait_for(lambda: not is_refused(s))
        c.do("BGREWRITEAOF")
        wait_for(lambda: info(s, "aof_last_bgrewrite_status") == "ok" and info(s, "aof_rewrite_in_progress") == "0")
        c.do("SET", "after", 1)
    wait_for(lambda: len(disk.names()) == 3)
    want = digest(s)
    kill(s)
    s.start()
    assert digest(s) == want


def test_a_log_that_is_switched_on_without_room_is_refused_or_tried_again(begin, disk):
    s = begin()
    with s.conn() as c:
        fill_some(c)
        disk.fill_names()
        assert c.call("CONFIG", "SET", "appendonly", "yes").error == "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs."
        assert c.do("CONFIG", "GET", "appendonly") == [b"appendonly", b"no"]
        assert c.do("SET", "a", 1) == b"OK"
        disk.free()
        disk.fill()
        c.call("CONFIG", "SET", "appendonly", "yes")
        c.call("SET", "b", "x" * 10000)
        disk.free()
        if c.do("CONFIG", "GET", "appendonly")[1] == b"no":
            c.do("CONFIG", "SET", "appendonly", "yes")
        wait_for(lambda: info(s, "aof_enabled") == "1" and len([n for n in disk.names() if "base" in n]) == 1, timeout=90)
        wait_for(lambda: not is_refused(s))
        c.do("SET", "c", 1)
        wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0" and info(s, "aof_buffer_length") == "0")
    want = digest(s)
    kill(s)
    s.cmd += ["--appendonly", "yes"]
    s.start()
    assert digest(s) == want


def test_save_points_go_on_by_themselves(begin, disk):
    s = begin("--save", "1 1")
    with s.conn() as c:
        fill_some(c)
        wait_for(lambda: info(s, "rdb_changes_since_last_save") == "0")
        disk.fill()
        c.do("SET", "a", 1)
        wait_for(lambda: info(s, "rdb_last_bgsave_status") == "err")
        assert is_refused(s)
        assert c.do("GET", "a") == b"1"
        assert not [n for n in disk.names() if "temp-" in n]
        disk.free()
        wait_for(lambda: not is_refused(s))
    assert info(s, "rdb_last_bgsave_status") == "ok"


def test_a_save_that_failed_is_made_up_for_though_no_save_point_is_reached(begin, disk):
    s = begin("--save", "3600 1000000")
    with s.conn() as c:
        fill_some(c)
        disk.fill()
        c.do("BGSAVE")
        wait_for(lambda: is_refused(s))
        disk.free()
        wait_for(lambda: not is_refused(s))
        # Who does not want writes to stop is not saved for either.
        disk.fill()
        c.do("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        saves = info(s, "rdb_saves")
        c.call("BGSAVE")
        wait_for(lambda: info(s, "rdb_last_bgsave_status") == "err")
        assert c.do("SET", "b", 1) == b"OK"
        assert int(info(s, "rdb_saves")) <= int(saves) + 1


def test_what_is_asked_for_is_an_error_and_the_old_files_stay(begin, disk):
    with open(disk.folder + "/users.acl", "w") as f:
        f.write("user default on nopass ~* &* +@all\n")
    s = begin("--save", "3600 1000000", conf=["aclfile " + disk.folder + "/users.acl"])
    with s.conn() as c:
        fill_some(c)
        c.do("SAVE")
        conf, acl = open(s.conf).read(), open(disk.folder + "/users.acl").read()
        c.do("SET", "more", 1)
        want, names = c.do("DEBUG", "DIGEST"), disk.names()
        disk.fill()
        c.do("CONFIG", "SET", "maxclients", 5000)
        c.do("ACL", "SETUSER", "joe", "on")
        assert c.call("CONFIG", "REWRITE").error == f"ERR Rewriting config file: {FULL}"
        assert c.call("ACL", "SAVE").error == "ERR There was an error trying to save the ACLs. Please check the server logs for more information"
        assert c.call("SAVE").error == "ERR"
        assert c.call("DEBUG", "RELOAD").error.startswith("ERR Error trying to load the RDB dump")
        assert c.call("SHUTDOWN", "SAVE").error == "ERR Errors trying to SHUTDOWN. Check logs."
        assert c.do("DEBUG", "DIGEST") == want, "nothing was emptied that could not be saved"
        assert (open(s.conf).read(), open(disk.folder + "/users.acl").read(), disk.names()) == (conf, acl, names)
        assert c.do("SET", "yet more", 1) == b"OK", "none of these was in the background"
        disk.free()
        for words in (["CONFIG", "REWRITE"], ["ACL", "SAVE"], ["SAVE"], ["DEBUG", "RELOAD"]):
            assert c.do(*words) == b"OK"
        assert "maxclients 5000" in open(s.conf).read() and "joe" in open(disk.folder + "/users.acl").read()
    assert disk.names() == names


def shell(line):
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_in_the_mount_it_is_enospc_and_reading_goes_on(begin, disk, tmp_path):
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no mounts here")
    mnt = tempfile.mkdtemp(prefix="inodis-full-mnt-")
    big = tmp_path / "big"
    big.write_bytes(os.urandom(400000))
    s = begin("--appendonly", "yes", "--appendfsync", "always", "--save", "3600 1000000", "--mount", mnt)
    try:
        look_into_a_full_mount(s, disk, mnt, big)
        want = digest(s)
        kill(s)
        subprocess.run(["umount", "-l", mnt], check=True)
        s.start()
        assert digest(s) == want
        s.stop()
    finally:
        disk.free()
        if s.alive():
            s.stop(check=False)
        subprocess.run(["umount", "-l", mnt], stderr=subprocess.DEVNULL)
        os.rmdir(mnt)


def look_into_a_full_mount(s, disk, mnt, big):
    with s.conn() as c:
        fill_some(c)
        disk.fill()
        code, said = shell(f"cp {big} {mnt}/string/big")
        assert code and FULL in said, "what did not reach the log is not answered for"
        for line in (f"echo hi > {mnt}/string/new", f"echo hi >> {mnt}/string/k1", f"rm {mnt}/string/k2", f"mv {mnt}/string/k3 {mnt}/string/moved", f"echo x > {mnt}/list/l"):
            code, said = shell(line)
            assert code and FULL in said, line
        assert shell(f"cat {mnt}/string/k1") == (0, "v" * 200)
        assert shell(f"ls {mnt}/string | grep -c k")[1].strip() == "50"
        assert shell(f"echo 1 > {mnt}/server/save")[0] == 0, "it begins"
        wait_for(lambda: info(s, "rdb_last_bgsave_status") == "err")
        disk.free()
        wait_for(lambda: not is_refused(s))
        big.write_bytes(big.read_bytes()[:200000])
        assert shell(f"cp {big} {mnt}/string/big && cmp {big} {mnt}/string/big && sync {mnt}/string/big") == (0, "")
        assert shell(f"echo 1 > {mnt}/server/save")[0] == 0
        wait_for(lambda: info(s, "rdb_bgsave_in_progress") == "0")
        assert info(s, "rdb_last_bgsave_status") == "ok"


# --- each call that may fail, one after the other ---


def steps(c, folder):
    """A life with everything that touches the disk. Answers what was acknowledged."""
    kept = {}

    def write(i):
        reply = c.call("SET", f"n{i}", i)
        if not reply.error:
            kept[b"n%d" % i] = b"%d" % i

    def finish():
        wait_for(lambda: all(b"%s:0" % word in c.do("INFO", "persistence") for word in (b"rdb_bgsave_in_progress", b"aof_rewrite_in_progress")))

    write(1)
    c.call("BGREWRITEAOF")
    write(2)
    finish()
    c.call("SAVE")
    write(3)
    c.call("BGSAVE")
    finish()
    c.call("CONFIG", "SET", "appendonly", "no")
    c.call("CONFIG", "SET", "appendonly", "yes")
    write(4)
    finish()
    c.call("CONFIG", "REWRITE")
    c.call("BGREWRITEAOF")
    finish()
    write(5)
    return kept


def live(folder, faults, first, many):  # noqa: F811
    """One such life, with these calls failing; then another, on what it left."""
    faults[COUNT] = faults[FIRST] = 0
    s = servers.Server(args=["--appendonly", "yes", "--appendfsync", "always"], conf=["save 3600 1000000"], folder=folder)
    try:
        faults[COUNT], faults[MANY], faults[ERROR], faults[FIRST] = 0, many, errno.ENOSPC, first
        with s.conn(timeout=20) as c:
            try:
                kept = steps(c, folder)
            except TimeoutError:  # an answer that waits for the disk: it comes with room
                kept = {}
            calls = faults[COUNT]
            faults[FIRST] = 0
            wait_for(lambda: not is_refused(s))
            if info(s, "aof_enabled") == "0":
                with s.conn() as other:
                    other.do("CONFIG", "SET", "appendonly", "yes")
            wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0" and info(s, "aof_rewrite_scheduled") == "0")
            with s.conn() as other:
                if info(s, "aof_last_bgrewrite_status") == "err":
                    other.do("BGREWRITEAOF")
                    wait_for(lambda: info(s, "aof_rewrite_in_progress") == "0")
                assert info(s, "aof_last_bgrewrite_status") == "ok", log_of(s)
                other.do("SET", "last", 1)
                kept[b"last"] = b"1"
                want = digest(s)
        kill(s)
        s.start()
        with s.conn() as c:
            found = dict(zip(kept, c.do("MGET", *kept)))
        assert found == kept, log_of(s)
        assert digest(s) == want, log_of(s)
        left = [f for f in glob.glob(f"{folder}/**", recursive=True) if "temp-" in f]
        assert not left, log_of(s)
        s.stop()
        return calls
    finally:
        if s.proc.poll() is None:
            s.proc.kill()
            s.proc.wait()


def test_whatever_call_fails_nothing_is_lost_and_all_goes_on(faults, tmp_path):  # noqa: F811
    """FAULT_EVERY=1 fails each call of the life once; without, some of them, as a seed that is printed says."""
    seed = int(os.environ.get("FAULT_SEED", random.randrange(10**6)))
    print("seed", seed)
    (tmp_path / "0").mkdir()
    calls = live(tmp_path / "0", faults, 0, 0)
    assert calls > 40
    every = int(os.environ.get("FAULT_EVERY", 0)) or calls // 5
    for first in range(1 + random.Random(seed).randrange(every), calls + 1, every):
        for many in (1, 25):
            folder = tmp_path / f"{first}-{many}"
            folder.mkdir()
            try:
                live(folder, faults, first, many)
            except AssertionError as e:
                raise AssertionError(f"with call {first} and {many - 1} more failing: {e}") from e
            shutil.rmtree(folder)
