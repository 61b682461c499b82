"""A web application that posts training jobs to Celery and tells their state, which the job keeps in a hash."""
import celery_app
import redis
from fastapi import FastAPI

app = FastAPI()
states = redis.Redis(port=int(celery_app.PORT), decode_responses=True)


@app.post("/jobs/{name}")
def post(name: str, epochs: int = 3):
    states.hset(f"job:{name}", mapping={"state": "queued", "epoch": 0})
    return {"id": celery_app.train.delay(name, epochs).id}


@app.get("/jobs/{name}")
def poll(name: str):
    return states.hgetall(f"job:{name}")
