import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import servers  # noqa: E402


@pytest.fixture
def server():
    """A fresh Inodis."""
    with servers.Server() as s:
        yield s


@pytest.fixture
def start(tmp_path):
    """start(*args, conf=None, kind="inodis"): further servers, ended with the test."""
    running = []

    def begin(*args, **kw):
        s = servers.Server(args=args, **kw)
        running.append(s)
        return s

    yield begin
    failed = None
    for s in running:
        try:
            s.stop()
        except AssertionError as e:
            failed = e
        s.discard()
    if failed:
        raise failed


@pytest.fixture
def conn(server):
    with server.conn() as c:
        yield c


def side_by_side():
    if not servers.redis_binary("/tmp"):
        pytest.skip("no redis-server here")
    with servers.Server(args=servers.OFTEN) as mine, servers.Server(kind="redis", args=servers.OFTEN) as theirs:
        yield mine, theirs


@pytest.fixture(scope="module")
def pair():
    """Inodis and redis-server side by side."""
    yield from side_by_side()


@pytest.fixture
def fresh_pair():
    """The same for one test: where one of them ends, no other test has to do without."""
    yield from side_by_side()
