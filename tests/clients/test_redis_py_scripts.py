"""What redis-py does with Lua: its locks, registered scripts, functions."""
import asyncio
import threading

import pytest
import redis
import redis.asyncio


def test_only_the_owner_of_a_lock_releases_and_extends_it(r):
    first, second = r.lock("l", timeout=20), r.lock("l", timeout=20, blocking_timeout=0.05)
    assert first.acquire() and first.owned() and not second.acquire()
    assert first.extend(20) and r.pttl("l") > 20_000
    assert first.reacquire() and r.pttl("l") <= 20_000
    second.local.token = b"stolen"
    with pytest.raises(redis.exceptions.LockError):
        second.release()
    first.release()
    assert not r.exists("l") and second.acquire()
    with pytest.raises(redis.exceptions.LockNotOwnedError):
        r.delete("l")
        second.release()


def test_a_lock_lets_one_thread_in_at_a_time(connect):
    r = connect(decode_responses=True)
    inside, most = [], []

    def work():
        mine = connect(decode_responses=True)
        for _ in range(10):
            with mine.lock("l", timeout=30, sleep=0.002):
                inside.append(1)
                most.append(len(inside))
                mine.incr("n")
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert r.get("n") == "30" and max(most) == 1


def test_a_registered_script_is_loaded_again_when_the_server_forgot_it(r):
    with pytest.raises(redis.exceptions.NoScriptError):
        r.evalsha("0" * 40, 0)
    script = r.register_script("return {KEYS[1], ARGV[1], redis.call('INCRBY', KEYS[1], ARGV[2])}")
    assert script(keys=["k"], args=["a", 5]) == ["k", "a", 5]
    r.script_flush()
    assert r.script_exists(script.sha) == [False]
    assert script(keys=["k"], args=["a", 5]) == ["k", "a", 10]
    r.script_flush()
    with r.pipeline() as p:
        script(keys=["k"], args=["b", 1], client=p)
        p.get("k")
        assert p.execute() == [["k", "b", 11], "11"]
    assert r.eval("return {1, {'two', false}, 3.9}", 0) == [1, ["two", None], 3]
    with pytest.raises(redis.ResponseError, match="my own"):
        r.eval("return redis.error_reply('ERR my own')", 0)


def test_functions_are_loaded_called_listed_and_dumped(r):
    code = "#!lua name=lib\nredis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)\n" \
           "redis.register_function{function_name='get', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'}}"
    assert r.function_load(code) == "lib"
    assert r.fcall("put", 1, "k", "v") == "OK" and r.fcall_ro("get", 1, "k") == "v"
    with pytest.raises(redis.ResponseError, match="Can not execute a script with write flag using \\*_ro command"):
        r.fcall_ro("put", 1, "k", "v")
    listed = r.function_list(library="lib", withcode=True)[0]
    assert listed[1] == "lib" and code in listed
    with pytest.raises(redis.ResponseError, match="Library 'lib' already exists"):
        r.function_load(code)
    assert r.function_load(code, replace=True) == "lib"
    assert r.function_delete("lib") and r.function_list() == []


def test_locks_and_scripts_of_asyncio(server):
    async def scenario():
        r = redis.asyncio.Redis(port=server.port, decode_responses=True)
        inside = []

        async def work():
            for _ in range(10):
                async with r.lock("l", timeout=30, sleep=0.002):
                    inside.append(1)
                    assert len(inside) == 1
                    await r.incr("n")
                    inside.pop()

        await asyncio.gather(*(work() for _ in range(4)))
        script = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        assert await script(keys=["n"], args=[2]) == 42
        await r.script_flush()
        assert await script(keys=["n"], args=[0]) == 42
        await r.close()

    asyncio.run(asyncio.wait_for(scenario(), 30))
