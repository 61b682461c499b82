"""redis-cli at a terminal: what a person sees who types at its prompt."""
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
import servers


class Terminal:
    """A program at a terminal of its own. What it writes, without its colours, is read as far as a text that is waited for."""

    def __init__(self, cmd, home):
        self.raw, self.unread, self.read = b"", "", 0
        self.master, slave = pty.openpty()
        env = dict(os.environ, TERM="dumb", HOME=str(home), REDISCLI_HISTFILE="/dev/null")
        self.proc = subprocess.Popen(cmd, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
        os.close(slave)

    def until(self, pattern, timeout=20):
        """What came before @pattern; it and that are then read."""
        end = time.monotonic() + timeout
        while not (m := re.search(pattern, self.unread)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{pattern!r} not within {timeout} s: {self.unread!r}"
            try:
                self.raw += os.read(self.master, 65536)
            except OSError:  # its end closed
                raise AssertionError(f"{pattern!r} did not come before the end: {self.unread!r}") from None
            self.unread = re.sub("\x1b\\[[0-9;]*[A-Za-z]|\r", "", self.raw.decode("utf-8", "replace"))[self.read:]
        before, self.unread = self.unread[:m.start()], self.unread[m.end():]
        self.read += m.end()
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGKILL)
        code = self.proc.wait()
        os.close(self.master)
        return code


@pytest.fixture
def terminal(server, tmp_path):
    """terminal(*words): redis-cli with @words."""
    running = []

    def begin(*words):
        running.append(Terminal(["redis-cli", "-p", str(server.port), *words], tmp_path))
        return running[-1]

    yield begin
    for t in running:
        t.close()


@pytest.fixture
def ask(server, terminal):
    """ask(line, prompt=""): what redis-cli answers to @line before its prompt, whose end is then @prompt."""
    t = terminal()
    address = f"127\\.0\\.0\\.1:{server.port}"
    t.until(address + "> ")

    def say(line, prompt=""):
        t.type(line + "\r")
        said = t.until(f"(?m)^{address}{re.escape(prompt)}> ")
        return said[said.index("\n") + 1:]

    say.terminal = t
    return say


def test_answers_look_as_their_types(ask):
    assert ask("SET k 'a b'") == "OK\n" and ask("GET k") == '"a b"\n'
    assert ask("INCR n") == "(integer) 1\n" and ask("GET nothing") == "(nil)\n"
    assert ask("RPUSH l a b") == "(integer) 2\n" and ask("LRANGE l 0 -1") == '1) "a"\n2) "b"\n'
    assert ask("LRANGE none 0 -1") == "(empty array)\n"
    assert ask("LPUSH k x") == "(error) WRONGTYPE Operation against a key holding the wrong kind of value\n"
    assert ask("HELLO 3").startswith('1# "server" => "redis"\n')
    ask("HSET h f v")
    assert ask("HGETALL h") == '1# "f" => "v"\n' and ask("ZADD z INCR 1.5 m") == "(double) 1.5\n"


def test_the_prompt_names_the_database_and_the_transaction(ask):
    assert ask("SELECT 1", "[1]") == "OK\n"
    assert ask("MULTI", "[1](TX)") == "OK\n"
    assert ask("INCR n", "[1](TX)") == "QUEUED\n"
    assert ask("NOSUCH", "[1](TX)").startswith("(error) ERR unknown command 'NOSUCH'")
    assert ask("EXEC", "[1]") == "(error) EXECABORT Transaction discarded because of previous errors.\n"
    ask("MULTI", "[1](TX)")
    assert ask("SELECT 0", "(TX)") == "QUEUED\n"
    assert ask("EXEC", "") == "1) OK\n"
    ask("SELECT 1", "[1]")
    ask("MULTI", "[1](TX)")
    assert ask("DISCARD", "[1]") == "OK\n"


def test_help_comes_with_the_command(ask):
    said = ask("HELP GETEX")
    assert re.search(r"GETEX .*key", said) and "group: string" in said and "since: 6.2.0" in said


def test_a_subscriber_is_shown_its_messages(ask, server):
    ask.terminal.type("SUBSCRIBE news\r")
    ask.terminal.until(r'1\) "subscribe"\n2\) "news"\n3\) \(integer\) 1\n')
    with server.conn() as c:
        assert c.do("PUBLISH", "news", "hello") == 1
    ask.terminal.until(r'1\) "message"\n2\) "news"\n3\) "hello"\n')


def test_monitor_shows_what_others_do(ask, server):
    ask.terminal.type("MONITOR\r")
    ask.terminal.until(r"OK\n")
    with server.conn() as c:
        c.do("SET", "k", "v\n")
    ask.terminal.until(r'\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "k" "v\\n"\n')


def test_a_server_that_comes_back_is_connected_to_again(ask, server):
    port, folder = server.port, server.dir
    server.stop()
    ask.terminal.type("PING\r")
    ask.terminal.until("not connected> ")
    with servers.Server(kind=server.kind, port=port, folder=folder) as again:
        ask.terminal.type("INCR n\r")
        ask.terminal.until(r"\(integer\) 1\n")
        with again.conn() as c:
            assert c.do("GET", "n") == b"1"


def test_stat_prints_a_line_each_interval(terminal, server):
    with server.conn() as c:
        c.do("MSET", *(f"k{i}" for i in range(20)))
    t = terminal("--stat", "-i", "0.01")
    t.until(r"keys +mem +clients +blocked +requests +connections *\n")
    for _ in range(3):
        t.until(r"\n?10 +[\d.]+[BKMG] +\d+ +0 +\d+ \(\+\d+\) +\d+ *\n")


def test_latency_measures_as_long_as_it_runs(terminal):
    t = terminal("--latency")
    t.until(r"min: \d+, max: \d+, avg: [\d.]+ \(\d{2,} samples\)")
    t = terminal("--latency-history", "-i", "0.05")
    t.until(r"samples\) -- 0\.\d+ seconds range")


def test_raw_replies_are_written_as_they_came(terminal):
    t = terminal("--raw", "ECHO", "ä\t")
    t.until("ä\t\n")
    assert t.proc.wait(20) == 0
