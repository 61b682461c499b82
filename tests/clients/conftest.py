import os
import sys

import pytest
import redis
from redis.connection import HiredisParser, PythonParser

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import servers  # noqa: E402

# CLIENTS_SERVER=redis runs the room against redis-server: what fails there too is no fault of ours.
KIND = os.environ.get("CLIENTS_SERVER", "inodis")
PARSERS = {"hiredis": HiredisParser, "python": PythonParser}


@pytest.fixture
def server():
    """A fresh server of its own."""
    with servers.Server(kind=KIND) as s:
        yield s


@pytest.fixture(scope="module")
def shared():
    """One server for all tests of a file, for those whose workers are slow to start."""
    with servers.Server(kind=KIND) as s:
        yield s


@pytest.fixture
def start():
    """start(*args, conf=None): further servers, ended with the test."""
    running = []

    def begin(*args, **kw):
        s = servers.Server(args=args, kind=KIND, **kw)
        running.append(s)
        return s

    yield begin
    for s in running:
        try:
            s.stop()
        finally:
            s.discard()


@pytest.fixture(params=PARSERS)
def connect(request, server):
    """connect(**options): a client of the server with its own pool."""
    pools = []

    def new(pool=redis.ConnectionPool, **options):
        pools.append(pool(host="127.0.0.1", port=server.port, parser_class=PARSERS[request.param], **{"socket_timeout": 30, **options}))
        return redis.Redis(connection_pool=pools[-1])

    yield new
    for pool in pools:
        pool.disconnect()


@pytest.fixture
def r(connect):
    return connect(decode_responses=True)
