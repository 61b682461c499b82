"""Waiting for what must become true, and processes that end with their test."""
import os
import signal
import subprocess
import time

PYTHON = "/usr/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))


def eventually(what, timeout=20, every=0.02):
    """@what() until it is true, answering what it said. Its own exceptions are not hidden."""
    end = time.monotonic() + timeout
    while True:
        said = what()
        if said:
            return said
        assert time.monotonic() < end, f"not within {timeout} s: {getattr(what, '__doc__', None) or what}"
        time.sleep(every)


class Process:
    """A program with its output in a file, in a session of its own: ending it ends its children too."""

    def __init__(self, cmd, output, env=None, cwd=HERE):
        self.output = str(output)
        self.cmd = [str(c) for c in cmd]
        with open(self.output, "ab") as out:
            self.proc = subprocess.Popen(self.cmd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                         env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **(env or {})), start_new_session=True)

    @property
    def pid(self):
        return self.proc.pid

    def log(self):
        with open(self.output, errors="replace") as f:
            return f.read()

    def wait_for(self, text, timeout=30):
        def said():
            log = self.log()
            assert text in log or self.proc.poll() is None, f"{self.cmd} ended with {self.proc.returncode}:\n{log[-4000:]}"
            return text in log
        said.__doc__ = f"{text!r} in {self.output}"
        eventually(said, timeout)

    def kill(self):
        """At once, with everything it started: nobody gets to clean up."""
        try:
            os.killpg(self.proc.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.proc.wait()

    def stop(self, timeout=20):
        """End it as a supervisor would; answer its exit code."""
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
        self.kill()
        return self.proc.returncode

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
