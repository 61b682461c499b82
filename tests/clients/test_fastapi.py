"""A FastAPI application posts a job to Celery and polls its state, while a shell watches the same state through the mount."""
import os
import subprocess

import pytest
import redis
import requests
import servers

from conftest import KIND
from tools import PYTHON, Process, eventually


@pytest.mark.skipif(KIND != "inodis" or not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="needs a mount")
def test_a_job_is_seen_alike_by_the_web_and_by_a_shell_at_the_mount(start, tmp_path):
    mount = tmp_path / "mnt"
    mount.mkdir()
    s = start("--mount", mount)
    env = {"SERVER_PORT": str(s.port)}
    web = servers.free_port()
    state = mount / "hash.d" / "job:m1" / "state"
    seen = tmp_path / "seen"
    watch = f"last=; until [ \"$last\" = completed ]; do now=$(cat {state} 2>/dev/null); [ \"$now\" = \"$last\" ] || echo \"$now\"; last=$now; sleep 0.01; done"
    with Process([PYTHON, "-m", "celery", "-A", "celery_app", "worker", "-P", "solo", "-l", "INFO"], tmp_path / "worker.log", env=env) as worker, \
            Process([PYTHON, "-m", "uvicorn", "fastapi_app:app", "--port", web], tmp_path / "web.log", env=env) as uvicorn, \
            Process(["sh", "-c", watch], seen) as shell:
        worker.wait_for("ready.")
        uvicorn.wait_for("Application startup complete")
        url = f"http://127.0.0.1:{web}/jobs/m1"
        assert requests.post(url, timeout=20).json()["id"]
        eventually(lambda: requests.get(url, timeout=20).json()["state"] == "running")
        shell.wait_for("running")
        notes = redis.Redis(port=s.port, db=5)
        for epoch in ("1", "2"):
            notes.rpush("go:m1", "on")
            eventually(lambda epoch=epoch: requests.get(url, timeout=20).json() == {"state": "running", "epoch": epoch})
            assert subprocess.run(["cat", state.parent / "epoch"], stdout=subprocess.PIPE, timeout=20).stdout.decode().strip() == epoch
        notes.rpush("go:m1", "on")
        eventually(lambda: requests.get(url, timeout=20).json() == {"state": "completed", "epoch": "3"})
        eventually(lambda: shell.proc.poll() == 0)
        assert shell.log().split()[-2:] == ["running", "completed"]
