"""The Celery application of test_celery.py: broker in database 0, results in 1, what tasks note down in 5."""
import os
import time

import redis
from celery import Celery

PORT = os.environ["SERVER_PORT"]
app = Celery("clients", broker=f"redis://127.0.0.1:{PORT}/0", backend=f"redis://127.0.0.1:{PORT}/1")
app.conf.update(
    task_track_started=True,
    worker_prefetch_multiplier=int(os.environ.get("PREFETCH", 4)),
    result_expires=3600,
    broker_transport_options={"visibility_timeout": float(os.environ.get("VISIBILITY", 3600)),
                              "priority_steps": [0, 3, 6, 9], "queue_order_strategy": "priority"},
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
notes = redis.Redis(port=int(PORT), db=5, decode_responses=True)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def fail(text):
    raise ValueError(text)


@app.task(bind=True, max_retries=5, default_retry_delay=0.05)
def flaky(self, key, failures):
    if notes.incr(key) <= failures:
        raise self.retry(exc=ValueError("not yet"))
    return self.request.retries


@app.task
def note(key, text):
    """What ran, in the order it ran in, and when."""
    notes.rpush(key, text)
    notes.rpush(key + ":at", repr(time.time()))


@app.task(acks_late=True, reject_on_worker_lost=True)
def wait_for(key):
    """Runs until somebody pushes to @key."""
    notes.rpush(key + ":started", os.getpid())
    return notes.blpop(key, timeout=60)[1]


@app.task(rate_limit="10/s")
def limited(key):
    notes.rpush(key, repr(time.time()))


@app.task
def train(name, epochs):
    """Says where it is in a hash, and goes on to the next epoch when it is told."""
    states = redis.Redis(port=int(PORT))
    states.hset(f"job:{name}", "state", "running")
    for epoch in range(1, epochs + 1):
        notes.blpop(f"go:{name}", timeout=60)
        states.hset(f"job:{name}", "epoch", epoch)
    states.hset(f"job:{name}", "state", "completed")
