"""The jobs of test_rq.py. A worker imports them by name."""
import os
import time

import redis


def notes():
    return redis.Redis(port=int(os.environ["SERVER_PORT"]), db=5, decode_responses=True)


def add(x, y):
    return x + y


def note(key, text):
    notes().rpush(key, text)
    return text


def fails(key, times):
    if notes().incr(key) <= times:
        raise ValueError("not yet")
    return "at last"


def wait_for(key):
    notes().rpush(key + ":started", os.getpid())
    return notes().blpop(key, timeout=60)[1]


def now():
    return time.time()
