"""RQ: jobs put into queues here, worked off by workers that are processes of their own."""
import datetime
import os
import signal
import time

import pytest
import redis

import rq_jobs
from tools import PYTHON, Process, eventually

rq = pytest.importorskip("rq")
from rq.command import send_shutdown_command, send_stop_job_command  # noqa: E402
from rq.job import Job, JobStatus  # noqa: E402
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry, StartedJobRegistry  # noqa: E402


@pytest.fixture
def r(server, monkeypatch):
    monkeypatch.setenv("SERVER_PORT", str(server.port))
    with redis.Redis(port=server.port) as r:
        yield r


@pytest.fixture
def q(r):
    return rq.Queue(connection=r)


@pytest.fixture
def worker(server, tmp_path):
    """worker(*options): a worker of the queue "default"; with --burst it ends when there is nothing left to do."""
    running = []

    def begin(*options, queues=("default",)):
        running.append(Process([PYTHON, "-m", "rq.cli", "worker", "--url", f"redis://127.0.0.1:{server.port}/0", *options, *queues],
                               tmp_path / f"worker{len(running)}.log"))
        return running[-1]

    yield begin
    for w in running:
        w.stop()


def burst(worker, *options, **kw):
    w = worker("--burst", *options, **kw)
    eventually(lambda: w.proc.poll() is not None, 60)
    assert w.proc.returncode == 0, w.log()
    return w


def test_a_burst_works_off_what_was_queued(q, r, worker):
    jobs = [q.enqueue(rq_jobs.add, i, i) for i in range(5)]
    many = q.enqueue_many([rq.Queue.prepare_data(rq_jobs.note, ("seen", str(i))) for i in range(3)])
    first = q.enqueue(rq_jobs.note, "seen", "first", at_front=True)
    assert len(q) == 9 and q.get_job_ids()[0] == first.id
    burst(worker)
    assert [j.return_value() for j in jobs] == [0, 2, 4, 6, 8] and all(j.get_status() == JobStatus.FINISHED for j in many)
    assert rq_jobs.notes().lrange("seen", 0, -1) == ["first", "0", "1", "2"]
    assert len(q) == 0 and len(FinishedJobRegistry(queue=q)) == 9 and rq.Worker.all(connection=r) == []


def test_a_failed_job_is_kept_with_its_reason_and_can_be_queued_again(q, worker):
    job = q.enqueue(rq_jobs.fails, "f", 1)
    burst(worker)
    failed = FailedJobRegistry(queue=q)
    assert job.get_status() == JobStatus.FAILED and "ValueError: not yet" in job.latest_result().exc_string
    assert failed.get_job_ids() == [job.id]
    failed.requeue(job)
    burst(worker)
    assert job.get_status() == JobStatus.FINISHED and job.latest_result().return_value == "at last" and len(failed) == 0


def test_a_job_is_retried_as_often_as_it_may(q, worker):
    enough = q.enqueue(rq_jobs.fails, "a", 2, retry=rq.Retry(max=3))
    scarce = q.enqueue(rq_jobs.fails, "b", 5, retry=rq.Retry(max=1))
    burst(worker)
    assert enough.get_status(refresh=True) == JobStatus.FINISHED and rq_jobs.notes().get("a") == "3"
    assert scarce.get_status(refresh=True) == JobStatus.FAILED and rq_jobs.notes().get("b") == "2"


def test_a_scheduled_job_waits_for_its_time(q, r, worker):
    at = time.time() + 1
    job = q.enqueue_in(datetime.timedelta(seconds=1), rq_jobs.now)
    assert job.get_status() == JobStatus.SCHEDULED and ScheduledJobRegistry(queue=q).get_job_ids() == [job.id]
    w = worker("--with-scheduler")
    eventually(lambda: job.get_status(refresh=True) == JobStatus.FINISHED)
    assert job.latest_result().return_value >= int(at)
    assert w.stop() == 0


def test_a_job_waits_for_those_it_depends_on(q, worker):
    last = q.enqueue(rq_jobs.note, "o", "third", depends_on=[
        q.enqueue(rq_jobs.note, "o", "second", depends_on=q.enqueue(rq_jobs.note, "o", "first")), q.enqueue(rq_jobs.add, 1, 1)])
    orphan = q.enqueue(rq_jobs.note, "o", "never", depends_on=q.enqueue(rq_jobs.fails, "f", 9))
    assert last.get_status() == orphan.get_status() == JobStatus.DEFERRED
    burst(worker)
    assert last.get_status(refresh=True) == JobStatus.FINISHED and orphan.get_status(refresh=True) == JobStatus.DEFERRED
    assert rq_jobs.notes().lrange("o", 0, -1) == ["first", "second", "third"]


def test_results_and_jobs_go_when_their_time_is_over(q, r, worker):
    kept, none, short, failed = (q.enqueue(rq_jobs.add, 1, 1, result_ttl=100), q.enqueue(rq_jobs.add, 1, 1, result_ttl=0),
                                 q.enqueue(rq_jobs.add, 1, 1, result_ttl=1), q.enqueue(rq_jobs.fails, "f", 1, failure_ttl=200))
    burst(worker)
    assert 90 < r.ttl(kept.key) <= 100 and not r.exists(none.key) and 190 < r.ttl(failed.key) <= 200
    eventually(lambda: not Job.exists(short.id, connection=r))
    assert kept.latest_result().return_value == 2


def test_queues_are_emptied_in_the_order_the_worker_names_them(r, worker):
    low, high = rq.Queue("low", connection=r), rq.Queue("high", connection=r)
    for queue in (low, high, low, high):
        queue.enqueue(rq_jobs.note, "o", queue.name)
    burst(worker, queues=("high", "low"))
    assert rq_jobs.notes().lrange("o", 0, -1) == ["high", "high", "low", "low"]


def test_a_worker_waits_for_jobs_and_obeys_commands(q, r, worker):
    """Commands to workers are messages of publish/subscribe."""
    w = worker()
    eventually(lambda: rq.Worker.all(connection=r) and rq.Worker.all(connection=r)[0].get_state() == "idle")
    job = q.enqueue(rq_jobs.wait_for, "k")
    eventually(lambda: rq_jobs.notes().llen("k:started") == 1)
    assert StartedJobRegistry(queue=q).get_job_ids() == [job.id] and job.get_status() == JobStatus.STARTED
    send_stop_job_command(r, job.id)
    eventually(lambda: job.get_status(refresh=True) in (JobStatus.FAILED, JobStatus.STOPPED))
    after = q.enqueue(rq_jobs.add, 2, 2)
    eventually(lambda: after.get_status(refresh=True) == JobStatus.FINISHED)
    send_shutdown_command(r, rq.Worker.all(connection=r)[0].name)
    eventually(lambda: w.proc.poll() is not None)
    assert w.proc.returncode == 0 and rq.Worker.all(connection=r) == []


def test_a_job_whose_process_is_killed_fails_and_the_worker_goes_on(q, worker):
    worker()
    job = q.enqueue(rq_jobs.wait_for, "k")
    horse = int(eventually(lambda: rq_jobs.notes().lindex("k:started", 0)))
    os.kill(horse, signal.SIGKILL)
    eventually(lambda: job.get_status(refresh=True) == JobStatus.FAILED)
    assert "terminated unexpectedly" in job.latest_result().exc_string
    after = q.enqueue(rq_jobs.add, 2, 2)
    eventually(lambda: after.get_status(refresh=True) == JobStatus.FINISHED)
