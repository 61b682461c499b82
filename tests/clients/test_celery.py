"""Celery with the server as its broker and as its result backend: real workers, as processes of their own."""
import datetime
import json
import os
import threading
import time

import pytest
import redis

from tools import PYTHON, Process, eventually

celery = pytest.importorskip("celery")


@pytest.fixture(scope="module")
def app(shared):
    os.environ["SERVER_PORT"] = str(shared.port)
    import celery_app
    return celery_app


@pytest.fixture(scope="module")
def new_worker(shared, tmp_path_factory):
    """new_worker(name, pool, queues, **env): a worker that is ready."""
    running = []
    folder = tmp_path_factory.mktemp("celery")

    def begin(name, pool="solo", queues="celery", **env):
        w = Process([PYTHON, "-m", "celery", "-A", "celery_app", "worker", "-P", pool, "-c", "2", "-l", "INFO", "-E", "-n", f"{name}@test", "-Q", queues],
                    folder / f"{name}.log", env={"SERVER_PORT": str(shared.port), **env})
        running.append(w)
        w.wait_for("ready.")
        return w

    yield begin
    for w in running:
        w.stop()


@pytest.fixture(scope="module")
def worker(new_worker, app):
    return new_worker("main", "prefork")


def unacked(broker, queue):
    """How many messages of @queue workers hold and have not acknowledged."""
    return sum(json.loads(message)[2] == queue for message in broker.hvals("unacked"))


def test_a_result_comes_back_with_its_value_and_its_state(app, worker):
    result = app.add.delay(2, 3)
    assert result.get(timeout=20) == 5 and result.state == "SUCCESS"
    assert [r.get(timeout=20) for r in [app.add.delay(i, i) for i in range(50)]] == [2 * i for i in range(50)]
    big = "x" * 3_000_000
    assert app.add.delay(big, "y").get(timeout=20) == big + "y"


def test_an_exception_comes_back_as_what_it_was(app, worker):
    result = app.fail.delay("too bad")
    with pytest.raises(ValueError, match="too bad"):
        result.get(timeout=20)
    assert result.state == "FAILURE" and "ValueError" in result.traceback


def test_a_started_task_is_seen_as_started(app, worker):
    result = app.wait_for.delay("seen")
    eventually(lambda: result.state == "STARTED")
    app.notes.rpush("seen", "done")
    assert result.get(timeout=20) == "done"


def test_a_task_is_retried_until_it_succeeds_or_may_not_any_more(app, worker):
    assert app.flaky.delay("flaky:1", 3).get(timeout=20) == 3
    result = app.flaky.delay("flaky:2", 100)
    with pytest.raises(ValueError, match="not yet"):
        result.get(timeout=20)
    assert app.notes.get("flaky:2") == "6"


def test_countdown_and_eta_hold_a_task_back(app, worker):
    began = time.time()
    eta = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.4)
    results = [app.note.apply_async(("countdown", "x"), countdown=0.7), app.note.apply_async(("eta", "x"), eta=eta), app.note.delay("now", "x")]
    for r in results:
        r.get(timeout=20)
    now, eta, countdown = (float(app.notes.lindex(key + ":at", 0)) for key in ("now", "eta", "countdown"))
    assert now < countdown and eta >= began + 0.4 and countdown >= began + 0.7


def test_chains_groups_and_chords(app, worker):
    add, total = app.add, app.total
    assert celery.chain(add.s(1, 2), add.s(4), add.s(8)).delay().get(timeout=20) == 15
    group = celery.group(add.s(i, i) for i in range(10)).delay()
    assert group.get(timeout=20) == [2 * i for i in range(10)] and group.completed_count() == 10
    assert celery.chord((add.s(i, i) for i in range(10)), total.s()).delay().get(timeout=20) == 90
    assert celery.chord([celery.chain(add.s(i, 1), add.s(1)) for i in range(5)], total.s()).delay().get(timeout=20) == 20
    saved = celery.group(add.s(i, 0) for i in range(3)).delay()
    saved.save()
    assert saved.get(timeout=20) == [0, 1, 2]
    assert celery.result.GroupResult.restore(saved.id, app=app.app) == saved


def test_a_chord_whose_member_fails_fails(app, worker):
    result = celery.chord([app.add.s(1, 1), app.fail.s("member")], app.total.s()).delay()
    with pytest.raises(Exception, match="member"):
        result.get(timeout=20)
    eventually(lambda: result.state == "FAILURE")  # said first, stored then


def test_a_revoked_task_does_not_run_and_a_running_one_is_ended(app, worker):
    later = app.note.apply_async(("revoked", "x"), countdown=0.3)
    later.revoke()
    with pytest.raises(celery.exceptions.TaskRevokedError):
        later.get(timeout=20)
    assert later.state == "REVOKED"
    running = app.wait_for.delay("terminated")
    eventually(lambda: app.notes.llen("terminated:started"))
    running.revoke(terminate=True, signal="SIGKILL")
    eventually(lambda: running.state in ("REVOKED", "FAILURE"))
    assert app.notes.llen("revoked") == 0


def test_a_rate_limit_is_kept(app, worker):
    results = [app.limited.delay("limited") for _ in range(8)]
    for r in results:
        r.get(timeout=20)
    at = sorted(float(t) for t in app.notes.lrange("limited", 0, -1))
    assert len(at) == 8 and at[-1] - at[0] > 0.5


def test_results_expire(app, worker, shared):
    backend = redis.Redis(port=shared.port, db=1)
    one, two = app.add.delay(1, 1), app.add.apply_async((2, 2))
    assert one.get(timeout=20) == 2 and two.get(timeout=20) == 4
    assert 3500 < backend.ttl(f"celery-task-meta-{one.id}") <= 3600
    one.forget()
    assert not backend.exists(f"celery-task-meta-{one.id}") and one.state == "PENDING"
    backend.pexpire(f"celery-task-meta-{two.id}", 1)
    eventually(lambda: not backend.exists(f"celery-task-meta-{two.id}"))


def test_remote_control_reaches_the_worker_and_its_answer_comes_back(app, worker):
    control = app.app.control
    assert control.ping(timeout=5, destination=["main@test"]) == [{"main@test": {"ok": "pong"}}]
    inspect = control.inspect(destination=["main@test"], timeout=5)
    assert "celery_app.add" in inspect.registered()["main@test"] and inspect.stats()["main@test"]["pool"]["max-concurrency"] == 2
    later = app.note.apply_async(("inspected", "x"), countdown=30)
    eventually(lambda: any(t["request"]["id"] == later.id for t in inspect.scheduled()["main@test"]))
    later.revoke()
    assert control.rate_limit("celery_app.add", "1000/s", reply=True, destination=["main@test"], timeout=5) == [{"main@test": {"ok": "new rate limit set successfully"}}]
    assert control.add_consumer("extra", reply=True, destination=["main@test"], timeout=5)[0]["main@test"]["ok"]
    assert app.add.apply_async((1, 2), queue="extra").get(timeout=20) == 3


def test_events_reach_every_listener(app, worker):
    """Two receivers both see the whole life of a task that began when they were listening."""
    seen = [[], []]

    def whole(into):
        lives = {}
        for e in into:
            lives.setdefault(e.get("uuid"), set()).add(e["type"])
        return any({"task-received", "task-started", "task-succeeded"} <= kinds for kinds in lives.values())

    def listen(into):
        with app.app.connection_for_read() as connection:
            receiver = app.app.events.Receiver(connection, handlers={"*": into.append})
            for _ in receiver.itercapture(limit=None, timeout=15, wakeup=True):
                if whole(into):
                    return

    threads = [threading.Thread(target=listen, args=(into,), daemon=True) for into in seen]
    for t in threads:
        t.start()
    end = time.monotonic() + 20
    while any(t.is_alive() for t in threads) and time.monotonic() < end:
        assert app.add.delay(1, 1).get(timeout=20) == 2
    for into in seen:
        assert whole(into), into


def test_the_more_urgent_queue_is_emptied_first(app, new_worker):
    for priority in (9, 6, 3, 0, 9, 3):
        app.note.apply_async(("urgent", str(priority)), queue="urgent", priority=priority)
    w = new_worker("priorities", queues="urgent", PREFETCH="1")
    eventually(lambda: app.notes.llen("urgent") == 6)
    assert app.notes.lrange("urgent", 0, -1) == ["0", "3", "3", "6", "9", "9"]
    assert w.stop() == 0


def test_a_task_of_a_killed_worker_is_done_by_another_after_the_visibility_timeout(app, new_worker, shared):
    broker = redis.Redis(port=shared.port)
    result = app.wait_for.apply_async(("lost",), queue="lost")
    also = app.wait_for.apply_async(("lost",), queue="lost")
    w = new_worker("killed", "prefork", queues="lost", VISIBILITY="1")
    eventually(lambda: app.notes.llen("lost:started") == 2 and unacked(broker, "lost") == 2)
    w.kill()
    assert unacked(broker, "lost") == 2 and result.state == "STARTED" and broker.llen("lost") == 0
    newest = max(at for _, at in broker.zrange("unacked_index", 0, -1, withscores=True))
    eventually(lambda: time.time() > newest + 1)
    new_worker("heir", "prefork", queues="lost", VISIBILITY="1")
    eventually(lambda: app.notes.llen("lost:started") == 4)
    app.notes.rpush("lost", "done", "done")
    assert result.get(timeout=20) == "done" and also.get(timeout=20) == "done"
    eventually(lambda: unacked(broker, "lost") == 0 and broker.hlen("unacked") == broker.zcard("unacked_index"))


def test_a_worker_that_ends_gives_back_what_it_did_not_do(app, new_worker, shared):
    broker = redis.Redis(port=shared.port)
    w = new_worker("ends", "threads", queues="left")
    later = [app.note.apply_async(("left", str(i)), queue="left", countdown=2) for i in range(5)]
    eventually(lambda: unacked(broker, "left") == 5)
    assert w.stop() == 0
    assert unacked(broker, "left") == 0 and broker.llen("left") == 5
    new_worker("again", queues="left")
    for r in later:
        r.get(timeout=20)
    assert sorted(app.notes.lrange("left", 0, -1)) == list("01234")


def test_a_worker_goes_on_when_its_connections_are_cut(app, worker, shared):
    r = redis.Redis(port=shared.port, db=5)
    assert app.add.delay(1, 1).get(timeout=20) == 2
    for kind in ("pubsub", "normal"):
        assert r.client_kill_filter(_type=kind, skipme=True) >= 1

    def answered():
        """The connections of this process were cut too, and kombu does not repair all of its own."""
        try:
            return app.app.control.ping(timeout=1, destination=["main@test"])
        except redis.ConnectionError:
            return False
    eventually(answered)
    assert app.add.delay(20, 1).get(timeout=30) == 21
