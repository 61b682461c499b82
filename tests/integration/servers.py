"""Starting and ending servers for tests: Inodis, and the redis-server it is compared with.

A server runs in a private directory on a free port and is ended by its own pid. Inodis may be a sanitized build: a report
in its output, or an unclean end, fails the test that stops it.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from resp import Closed, Conn

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Redis looks at the times of blocked clients when its cron runs: the oftener, the shorter the comparisons with it, and our own cron comes
# between their calls.
OFTEN = ("--hz", "100")
REPORTS = (b"AddressSanitizer", b"LeakSanitizer", b"runtime error:", b"=== INODIS BUG", b"ssertion")


def inodis_binary():
    path = os.environ.get("INODIS", "build/inodis")
    return path if os.path.isabs(path) else os.path.join(ROOT, path)


def redis_binary(folder):
    """redis-server, or a link of that name to redis-check-rdb, which in Debian is the same program."""
    path = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    if path:
        return path
    other = shutil.which("redis-check-rdb")
    if not other:
        return None
    link = os.path.join(folder, "redis-server")
    if not os.path.lexists(link):
        os.symlink(other, link)
    return link


def sanitized():
    return "asan" in inodis_binary()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """@args: further words of the command line. @conf: lines of a configuration file, or None for none."""

    def __init__(self, kind="inodis", args=(), conf=None, folder=None, wait=True, port=None):
        self.kind = kind
        self.own_folder = folder is None
        self.dir = str(folder) if folder else tempfile.mkdtemp(prefix="inodis-test-")
        self.port = free_port() if port is None else port
        self.output = os.path.join(self.dir, f"output-{kind}-{self.port}")
        self.args = [str(a) for a in args]
        binary = inodis_binary() if kind == "inodis" else redis_binary(self.dir)
        self.conf = None
        cmd = [binary]
        if conf is not None:
            self.conf = os.path.join(self.dir, f"{kind}-{self.port}.conf")
            with open(self.conf, "w") as f:
                f.write("\n".join(conf) + "\n")
            cmd.append(self.conf)
        cmd += ["--port", str(self.port), "--dir", self.dir]
        if "--enable-debug-command" not in self.args:
            cmd += ["--enable-debug-command", "yes"]
        if "--save" not in self.args and (kind == "redis" or conf is None):
            cmd += ["--save", ""]
        self.cmd = cmd + self.args
        self.proc = None
        try:
            self.start(wait)
        except BaseException:
            if self.proc and self.proc.poll() is None:
                self.proc.kill()
                self.proc.wait()
            self.discard()
            raise

    def start(self, wait=True):
        # A test may have been started by a shell that ignores signals; a server must see its SIGTERM.
        with open(self.output, "ab") as out:
            self.proc = subprocess.Popen(self.cmd, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.dir)
        if wait:
            self.wait_ready()

    @property
    def pid(self):
        return self.proc.pid

    def wait_ready(self, timeout=30):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.proc.poll() is not None:
                raise AssertionError(f"{self.cmd} ended with {self.proc.returncode}:\n{self.log()}")
            try:
                with Conn(self.port, timeout=5) as c:
                    # Not that of another test, which took the port while this one was down.
                    if not (c.call("PING").error or "").startswith("LOADING") and self.is_own(c):
                        return
            except (OSError, Closed):
                pass
            time.sleep(0.02)
        raise AssertionError(f"{self.cmd} is not ready after {timeout} s:\n{self.log()}")

    def is_own(self, conn):
        info = conn.call("INFO", "server")
        return info.error is not None or b"process_id:%d\r" % self.pid in info.plain()

    def conn(self, **kw):
        return Conn(self.port, **kw)

    def log(self):
        with open(self.output, "rb") as f:
            return f.read().decode("latin1")

    def rss(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def info(self, conn=None):
        own = conn or self.conn()
        text = own.do("INFO", "all").decode("latin1")
        if not conn:
            own.close()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def alive(self):
        return self.proc.poll() is None

    def epitaph(self):
        """How it ended and what it said last, of a server that is ending or has ended."""
        try:
            code = self.proc.wait(30)
        except subprocess.TimeoutExpired:
            return f"{self.kind} {self.pid} still runs"
        return f"{self.kind} ended with {code}:\n{self.log()[-3000:]}"

    def stop(self, sig=signal.SIGTERM, check=True):
        """End it; answer its exit code. With @check the end has to be clean."""
        if self.proc.poll() is None:
            self.proc.send_signal(sig)
        try:
            code = self.proc.wait(30)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            code = "no end within 30 s of signal %d" % sig
        if check and self.kind == "inodis":
            with open(self.output, "rb") as f:
                text = f.read()
            for report in REPORTS:
                assert report not in text, f"{self.cmd}:\n{text[-8000:].decode('latin1')}"
            assert code == 0, f"{self.cmd}: exit {code}\n{text[-4000:].decode('latin1')}"
        return code

    def discard(self):
        if self.own_folder:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            self.stop(check=exc[0] is None)
        finally:
            self.discard()
