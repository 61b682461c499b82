"""redis-py as applications use it, once with its parser in C (hiredis) and once with the one in Python."""
import threading

import pytest
import redis

from tools import eventually


def test_every_type_comes_back_as_python_knows_it(r):
    assert r.set("s", "text", ex=100) is True and r.get("s") == "text" and 0 < r.ttl("s") <= 100
    assert r.set("s", "other", nx=True) is None
    assert r.set("s", "third", get=True) == "text"
    assert r.incrbyfloat("f", 1.5) == 1.5
    assert r.rpush("l", 1, 2, 3) == 3 and r.lrange("l", 0, -1) == ["1", "2", "3"]
    assert r.hset("h", mapping={"a": 1, "b": "zwei"}) == 2 and r.hgetall("h") == {"a": "1", "b": "zwei"}
    assert r.sadd("u", "x", "y") == 2 and r.smembers("u") == {"x", "y"}
    assert r.zadd("z", {"one": 1, "two": 2.5}) == 2
    assert r.zrange("z", 0, -1, withscores=True) == [("one", 1.0), ("two", 2.5)]
    assert r.zadd("z", {"one": 3}, gt=True, incr=True) == 4.0
    assert r.setbit("b", 7, 1) == 0 and r.bitcount("b") == 1
    assert r.bitfield("b").set("u8", 0, 255).get("u4", 0).execute() == [1, 15]
    assert r.pfadd("p", "a", "b", "c") == 1 and r.pfcount("p") == 3
    assert r.geoadd("g", (126.978, 37.566, "Seoul", 129.075, 35.179, "Busan")) == 2
    assert 320 < r.geodist("g", "Seoul", "Busan", "km") < 330
    assert r.geosearch("g", longitude=127, latitude=37, radius=100, unit="km", withcoord=True)[0][0] == "Seoul"
    assert r.type("z") == "zset" and r.exists("s", "l", "nothing") == 2
    assert r.sort("l", desc=True) == ["3", "2", "1"]
    assert r.lmpop(2, "nothing", "l", direction="LEFT", count=2) == ["l", ["1", "2"]]


def test_bytes_are_kept_as_they_are(connect):
    r = connect()
    every = bytes(range(256))
    assert r.set(every, every) and r.get(every) == every
    assert r.hset("h", every, every * 1000) == 1 and r.hget("h", every) == every * 1000
    big = every * (1 << 14)
    assert r.set("big", big) and r.get("big") == big
    assert r.echo("é") == "é".encode()
    assert r.restore("copy", 0, r.dump("h")) and r.hgetall("copy") == r.hgetall("h")


def test_the_answers_of_the_server_about_itself_can_be_parsed(r):
    r.ping()
    info = r.info("everything")
    assert info["redis_version"].startswith("7.") and info["role"] == "master" and info["connected_clients"] >= 1
    assert isinstance(info["used_memory"], int)
    assert r.config_get("maxmemory*")["maxmemory"] == "0" and r.config_set("maxmemory", "1gb")
    assert r.client_setname("me") and r.client_getname() == "me"
    assert [c for c in r.client_list() if c["name"] == "me"][0]["id"] == str(r.client_id())
    assert r.client_info()["name"] == "me"
    assert r.command_count() > 200 and r.command()["get"]["arity"] == 2
    assert r.command_getkeys("MSET", "a", 1, "b", 2) == ["a", "b"]
    assert r.time()[0] > 1_600_000_000 and r.dbsize() == 0
    assert r.acl_whoami() == "default" and "@string" not in r.acl_list()[0] and "string" in r.acl_cat()
    assert r.memory_usage("nothing") is None and r.memory_stats()["keys.count"] == 0
    r.config_set("slowlog-log-slower-than", 0)
    r.get("slow")
    assert any(entry["command"] == b"GET slow" for entry in r.slowlog_get())
    assert r.object("encoding", "nothing") is None


def test_errors_are_the_exceptions_that_redis_py_knows_by_their_text(r, server):
    r.set("s", "text")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE Operation against a key holding the wrong kind of value"):
        r.lpush("s", 1)
    with pytest.raises(redis.ResponseError, match="value is not an integer or out of range"):
        r.incr("s")
    with pytest.raises(redis.ResponseError, match="unknown command"):
        r.execute_command("NOSUCHTHING", "a")
    r.config_set("maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="OOM command not allowed"):
        r.set("more", "x")
    r.config_set("maxmemory", 0)
    r.config_set("requirepass", "secret")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port).ping()
    with pytest.raises(redis.ResponseError, match="WRONGPASS"):
        redis.Redis(port=server.port, password="wrong").ping()
    assert redis.Redis(port=server.port, password="secret").ping()
    assert redis.Redis(port=server.port, username="default", password="secret").ping()
    r.acl_setuser("reader", enabled=True, nopass=True, keys=["public:*"], commands=["+get"])
    reader = redis.Redis(port=server.port, username="reader", password="any")
    with pytest.raises(redis.exceptions.NoPermissionError):
        reader.get("private")
    assert reader.get("public:x") is None


def test_a_pipeline_of_thousands_is_answered_in_order(r):
    with r.pipeline(transaction=False) as p:
        for i in range(5000):
            p.set(f"k{i}", i).get(f"k{i}")
        assert p.execute() == [x for i in range(5000) for x in (True, str(i))]
        p.set("s", "x").incr("s").get("s")
        answers = p.execute(raise_on_error=False)
    assert answers[0] is True and isinstance(answers[1], redis.ResponseError) and answers[2] == "x"


def test_a_transaction_is_all_or_nothing(r):
    with r.pipeline() as p:
        assert p.set("a", 1).incr("a").rpush("l", "x").execute() == [True, 2, 1]
        p.set("a", 9).execute_command("NOSUCHTHING")
        with pytest.raises(redis.ResponseError, match="unknown command"):
            p.execute()
    assert r.get("a") == "2"


def test_a_watch_loop_loses_no_increment(connect):
    r = connect(decode_responses=True)
    rounds, names = 40, 4

    def work():
        mine = connect(decode_responses=True)
        for _ in range(rounds):
            mine.transaction(increment, "counter")

    def increment(p):
        value = int(p.get("counter") or 0)
        p.multi()
        p.set("counter", value + 1)

    threads = [threading.Thread(target=work) for _ in range(names)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert r.get("counter") == str(rounds * names)


def test_a_watched_key_that_changes_is_a_watch_error(r):
    with r.pipeline() as p:
        p.watch("k")
        r.set("k", "someone else")
        p.multi()
        p.set("k", "mine")
        with pytest.raises(redis.WatchError):
            p.execute()
    assert r.get("k") == "someone else"


def messages(p, n, timeout=10):
    """The next @n things a subscriber gets, as (type, pattern, channel, data)."""
    got = []

    def next_one():
        m = p.get_message(timeout=0.1)
        if m:
            got.append((m["type"], m["pattern"], m["channel"], m["data"]))
        return len(got) >= n

    eventually(next_one, timeout, every=0)
    return got


def test_subscribers_get_messages_by_channel_and_by_pattern(r):
    with r.pubsub() as p:
        p.subscribe("news", "other")
        p.psubscribe("n*s")
        assert messages(p, 3) == [("subscribe", None, "news", 1), ("subscribe", None, "other", 2), ("psubscribe", None, "n*s", 3)]
        assert r.publish("news", "hello") == 2 and r.publish("nobody", "x") == 0
        assert messages(p, 2) == [("message", None, "news", "hello"), ("pmessage", "n*s", "news", "hello")]
        assert sorted(r.pubsub_channels()) == ["news", "other"] and r.pubsub_numpat() == 1 and r.pubsub_numsub("news") == [("news", 1)]
        p.ping("still there")
        assert messages(p, 1) == [("pong", None, None, "still there")]
        p.unsubscribe()
        p.punsubscribe("n*s")
        assert [(m[0], m[3]) for m in messages(p, 3)] == [("unsubscribe", 2), ("unsubscribe", 1), ("punsubscribe", 0)]
        eventually(lambda: not p.subscribed)


def test_handlers_run_in_a_thread_and_survive_a_lost_connection(r):
    heard = []
    p = r.pubsub(ignore_subscribe_messages=True)
    p.subscribe(**{"jobs": lambda m: heard.append(m["data"])})
    thread = p.run_in_thread(sleep_time=0.05, exception_handler=lambda e, p, t: None)
    try:
        eventually(lambda: r.publish("jobs", "one"))
        eventually(lambda: heard == ["one"])
        r.client_kill_filter(_type="pubsub")
        eventually(lambda: r.pubsub_numsub("jobs") == [("jobs", 1)] and r.publish("jobs", "two"))
        eventually(lambda: heard == ["one", "two"])
    finally:
        thread.stop()
        thread.join()
        p.close()


def test_keyspace_events_come_as_messages(r):
    r.config_set("notify-keyspace-events", "KEA")
    with r.pubsub(ignore_subscribe_messages=True) as p:
        p.psubscribe("__key*@0__:*")
        eventually(lambda: r.pubsub_numpat() == 1)
        r.set("k", "v", px=50)
        r.delete("other", "nothing")
        got = messages(p, 6)
        assert got[:4] == [("pmessage", "__key*@0__:*", c, d) for c, d in (
            ("__keyspace@0__:k", "set"), ("__keyevent@0__:set", "k"), ("__keyspace@0__:k", "expire"), ("__keyevent@0__:expire", "k"))]
        assert got[4:] == [("pmessage", "__key*@0__:*", c, d) for c, d in (("__keyspace@0__:k", "expired"), ("__keyevent@0__:expired", "k"))]


def test_a_consumer_group_shares_a_stream_and_takes_over_what_was_left(r):
    ids = [r.xadd("s", {"n": i}) for i in range(10)]
    assert r.xgroup_create("s", "g", id="0")
    with pytest.raises(redis.ResponseError, match="BUSYGROUP"):
        r.xgroup_create("s", "g")
    one = r.xreadgroup("g", "alice", {"s": ">"}, count=6)
    two = r.xreadgroup("g", "bob", {"s": ">"}, count=6)
    assert [i for i, _ in one[0][1]] == ids[:6] and two == [["s", [(i, {"n": str(n)}) for n, i in enumerate(ids)][6:]]]
    assert r.xack("s", "g", *ids[:4]) == 4
    pending = r.xpending("s", "g")
    assert pending["pending"] == 6 and pending["min"] == ids[4] and {(c["name"], c["pending"]) for c in pending["consumers"]} == {("alice", 2), ("bob", 4)}
    assert [p["message_id"] for p in r.xpending_range("s", "g", min="-", max="+", count=10, consumername="alice")] == ids[4:6]
    assert r.xclaim("s", "g", "bob", 0, [ids[4]], justid=True) == [ids[4]]
    assert [i for i, _ in r.xautoclaim("s", "g", "carol", 0, start_id="0-0")[1]] == ids[4:]
    assert r.xinfo_groups("s")[0]["pending"] == 6 and r.xinfo_stream("s")["length"] == 10
    assert {c["name"]: c["pending"] for c in r.xinfo_consumers("s", "g")} == {"alice": 0, "bob": 0, "carol": 6}
    assert r.xtrim("s", maxlen=3, approximate=False) == 7 and r.xlen("s") == 3 and r.xdel("s", ids[9]) == 1
    assert r.xrevrange("s", count=1) == [(ids[8], {"n": "8"})]
    assert r.xgroup_delconsumer("s", "g", "carol") == 6 and r.xgroup_destroy("s", "g") == 1


def test_a_reader_of_a_stream_waits_for_the_next_entry(connect):
    r, other = connect(decode_responses=True), connect(decode_responses=True)
    r.xadd("s", {"old": 1})
    got = []
    t = threading.Thread(target=lambda: got.append(other.xread({"s": "$"}, block=20_000)))
    t.start()
    eventually(lambda: r.info("clients")["blocked_clients"] == 1)
    i = r.xadd("s", {"new": 1})
    t.join()
    assert got == [[["s", [(i, {"new": "1"})]]]]


def test_scan_iterators_visit_everything_once_the_rest_is_filtered(r):
    with r.pipeline(transaction=False) as p:
        for i in range(2000):
            p.set(f"key:{i}", i)
        for i in range(500):
            p.hset("h", f"f{i}", i).sadd("s", f"m{i}").zadd("z", {f"m{i}": i})
        p.execute()
    assert sorted(set(r.scan_iter(match="key:*", count=100))) == sorted(f"key:{i}" for i in range(2000))
    assert set(r.scan_iter(_type="zset")) == {"z"}
    assert dict(r.hscan_iter("h", match="f*")) == {f"f{i}": str(i) for i in range(500)}
    assert set(r.sscan_iter("s", count=7)) == {f"m{i}" for i in range(500)}
    assert dict(r.zscan_iter("z")) == {f"m{i}": float(i) for i in range(500)}


def test_blocking_pops_are_served_in_the_order_they_came(connect):
    r = connect(decode_responses=True)
    got = []
    threads = []
    for i in range(3):
        mine = connect(decode_responses=True)
        threads.append(threading.Thread(target=lambda i=i, mine=mine: got.append((i, mine.blpop(["a", "b"], timeout=20)))))
        threads[-1].start()
        eventually(lambda: r.info("clients")["blocked_clients"] == i + 1)
    for i in range(3):
        r.rpush("b", f"v{i}")
        eventually(lambda: len(got) == i + 1)
    assert got == [(i, ("b", f"v{i}")) for i in range(3)]
    for t in threads:
        t.join()
    assert r.blpop("a", timeout=0.05) is None and r.brpoplpush("a", "b", timeout=0.05) is None
    r.zadd("z", {"m": 1})
    assert r.bzpopmin("z", timeout=1) == ("z", "m", 1.0)
    r.rpush("a", "x")
    assert r.blmove("a", "b", timeout=1) == "x"


def test_a_pool_hands_a_bounded_number_of_connections_around(connect, server):
    r = connect(pool=redis.BlockingConnectionPool, max_connections=4, timeout=20, decode_responses=True)
    answers = []

    def work(i):
        for _ in range(50):
            r.incr("n")
        answers.append(r.client_id())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert r.get("n") == "800" and len(set(answers)) <= 4
    assert r.info("stats")["total_connections_received"] <= 6  # one made the server ready


def test_a_dead_connection_is_noticed_by_the_health_check_and_replaced(connect):
    r = connect(health_check_interval=0.001, decode_responses=True)
    r.set("k", "v")
    other = connect()
    for _ in range(3):
        assert other.client_kill_filter(_type="normal", skipme=True) >= 1
        assert r.get("k") == "v"


def test_a_client_goes_on_after_the_server_was_restarted(connect, server):
    r = connect(decode_responses=True, retry_on_timeout=True)
    r.set("k", "v")
    r.save()
    server.stop()
    server.start()
    assert r.get("k") == "v"


def test_other_databases_are_chosen_by_the_connection(connect):
    one, two = connect(db=1), connect(db=2, client_name="two")
    one.set("k", "1")
    two.set("k", "2")
    assert one.get("k") == b"1" and two.get("k") == b"2" and connect().get("k") is None
    assert two.client_getname() in (b"two", "two")
    assert one.move("k", 3) and one.swapdb(3, 2) and two.get("k") == b"1"
    assert two.info("keyspace")["db2"]["keys"] == 1


def test_a_client_may_tell_what_library_it_is_or_be_refused_without_harm(connect):
    """Newer redis-py sends CLIENT SETINFO when it connects and ignores an error."""
    r = connect(decode_responses=True, max_connections=1)
    if r.info("server")["redis_version"] < "7.2":
        with pytest.raises(redis.ResponseError, match="[Uu]nknown subcommand"):
            r.execute_command("CLIENT", "SETINFO", "LIB-NAME", "redis-py")
        return
    assert r.execute_command("CLIENT", "SETINFO", "LIB-NAME", "redis-py") == "OK"
    assert r.execute_command("CLIENT", "SETINFO", "LIB-VER", "5.0.0") == "OK"
    with pytest.raises(redis.ResponseError):
        r.execute_command("CLIENT", "SETINFO", "LIB-NAME", "with space")
    assert r.ping()


def test_monitor_shows_what_others_do(r):
    with r.monitor() as m:
        r.set("k", "a b")
        seen = eventually(lambda: (lambda c: c if "SET" in c["command"] else None)(m.next_command()))
    assert seen["command"] == "SET k a b" and seen["db"] == 0 and seen["client_address"] == "127.0.0.1"
