"""redis-py's asyncio half, with both parsers."""
import asyncio

import pytest
import redis
import redis.asyncio
from redis.asyncio.connection import HiredisParser, PythonParser

PARSERS = {"hiredis": HiredisParser, "python": PythonParser}


@pytest.fixture(params=PARSERS)
def run(request, server):
    """run(scenario): the coroutine @scenario(connect) in a loop of its own, all its connections closed."""
    def go(scenario):
        async def whole():
            pools = []

            def connect(pool=redis.asyncio.ConnectionPool, **options):
                pools.append(pool(host="127.0.0.1", port=server.port, parser_class=PARSERS[request.param],
                                  **{"decode_responses": True, **options}))
                return redis.asyncio.Redis(connection_pool=pools[-1])

            try:
                await asyncio.wait_for(scenario(connect), 30)
            finally:
                for pool in pools:
                    await pool.disconnect()
        asyncio.run(whole())
    return go


async def until(what):
    while not await what():
        await asyncio.sleep(0.01)


def test_many_tasks_share_a_few_connections(run):
    async def scenario(connect):
        r = connect(pool=redis.asyncio.BlockingConnectionPool, max_connections=5, timeout=20)

        async def work(i):
            for n in range(20):
                await r.set(f"k{i}", n)
                assert await r.get(f"k{i}") == str(n)
                await r.incr("n")

        await asyncio.gather(*(work(i) for i in range(50)))
        assert await r.get("n") == "1000" and len(await r.client_list()) <= 5

    run(scenario)


def test_pipelines_and_transactions(run):
    async def scenario(connect):
        r = connect()
        async with r.pipeline(transaction=False) as p:
            for i in range(2000):
                p.set(f"k{i}", i).get(f"k{i}")
            assert await p.execute() == [x for i in range(2000) for x in (True, str(i))]

        async def increment():
            for _ in range(20):
                async with r.pipeline() as p:
                    while True:
                        try:
                            await p.watch("counter")
                            value = int(await p.get("counter") or 0)
                            p.multi()
                            p.set("counter", value + 1)
                            await p.execute()
                            break
                        except redis.WatchError:
                            continue

        await asyncio.gather(*(increment() for _ in range(4)))
        assert await r.get("counter") == "80"

    run(scenario)


def test_subscribers_by_channel_pattern_and_keyspace_event(run):
    async def scenario(connect):
        r = connect()
        await r.config_set("notify-keyspace-events", "Kg$")
        async with r.pubsub() as p:
            await p.subscribe("news")
            await p.psubscribe("__keyspace@*__:*")
            seen = []

            async def listen():
                async for m in p.listen():
                    seen.append((m["type"], m["channel"], m["data"]))
                    if m["data"] == "end":
                        return

            task = asyncio.create_task(listen())

            async def ready():
                return len(seen) == 2
            await until(ready)
            await r.set("k", "v")
            await r.delete("k")
            await r.publish("news", "end")
            await task
            assert seen[2:] == [("pmessage", "__keyspace@0__:k", "set"), ("pmessage", "__keyspace@0__:k", "del"), ("message", "news", "end")]

    run(scenario)


def test_blocking_pops_and_stream_readers_wait_side_by_side(run):
    async def scenario(connect):
        r = connect()

        async def waiting(n):
            async def enough():
                return (await r.info("clients"))["blocked_clients"] == n
            await until(enough)

        pops = []
        for i in range(5):
            pops.append(asyncio.create_task(r.blpop("jobs", timeout=20)))
            await waiting(i + 1)
        reader = asyncio.create_task(r.xread({"s": "$"}, block=20_000))
        await waiting(6)
        await r.rpush("jobs", *range(5))
        assert await asyncio.gather(*pops) == [("jobs", str(i)) for i in range(5)]
        i = await r.xadd("s", {"f": "v"})
        assert await reader == [["s", [(i, {"f": "v"})]]]

    run(scenario)


def test_a_cancelled_wait_takes_nothing_with_it(run):
    async def scenario(connect):
        r, other = connect(), connect(max_connections=1)
        task = asyncio.create_task(other.blpop("jobs", timeout=0))

        async def blocked(n):
            async def so():
                return (await r.info("clients"))["blocked_clients"] == n
            await until(so)
        await blocked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await other.connection_pool.disconnect()
        await blocked(0)
        await r.rpush("jobs", "kept")
        assert await r.lrange("jobs", 0, -1) == ["kept"]

    run(scenario)


def test_scan_iterators(run):
    async def scenario(connect):
        r = connect()
        await r.mset({f"k{i}": i for i in range(1000)})
        assert sorted([k async for k in r.scan_iter(match="k*", count=50)]) == sorted(f"k{i}" for i in range(1000))
        await r.hset("h", mapping={f"f{i}": i for i in range(600)})
        assert {f async for f, _ in r.hscan_iter("h")} == {f"f{i}" for i in range(600)}

    run(scenario)


def test_a_stream_group_is_worked_off_by_several_consumers(run):
    async def scenario(connect):
        r = connect()
        await r.xgroup_create("s", "g", mkstream=True)
        done = []

        async def consume(name):
            while len(done) < 200:
                for _, entries in await r.xreadgroup("g", name, {"s": ">"}, count=7, block=50):
                    for i, fields in entries:
                        done.append(fields["n"])
                        assert await r.xack("s", "g", i) == 1

        workers = [asyncio.create_task(consume(f"c{i}")) for i in range(4)]
        for n in range(200):
            await r.xadd("s", {"n": n})
        await asyncio.gather(*workers)
        assert sorted(map(int, done)) == list(range(200)) and (await r.xpending("s", "g"))["pending"] == 0

    run(scenario)
