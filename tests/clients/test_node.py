"""Clients of Node: each script of tests/clients/node runs once, and each line that it prints is a case."""
import fcntl
import os
import re
import shutil
import subprocess

import pytest
import servers

from conftest import HERE, KIND

NODE = os.path.join(HERE, "node")
MODULES = os.path.join(servers.ROOT, "build-clients")


def cases(script):
    """The names of a script's tests, which are there to be asked for before it runs."""
    with open(os.path.join(NODE, script)) as f:
        return re.findall(r'^test\("([^"]+)"', f.read(), re.M)


@pytest.fixture(scope="session")
def modules():
    """The folder with the packages of package-lock.json, installed unless they are there.

    Not "npm ci": it refuses a lock without an entry for each platform of an optional package, and none of these is wanted.
    "npm install" takes the versions of the lock too, and compares each package with its sum there."""
    if not shutil.which("npm"):
        pytest.skip("needs npm")
    os.makedirs(MODULES, exist_ok=True)
    with open(os.path.join(NODE, "package-lock.json"), "rb") as f:
        lock = f.read()
    stamp = os.path.join(MODULES, "installed.json")
    with open(os.path.join(MODULES, ".busy"), "w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if os.path.exists(stamp):
            with open(stamp, "rb") as f:
                if f.read() == lock:
                    return MODULES
            os.unlink(stamp)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(NODE, name), MODULES)
        p = subprocess.run(["npm", "install", "--ignore-scripts", "--omit=optional", "--no-save", "--no-audit", "--no-fund"], cwd=MODULES,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180)
        assert p.returncode == 0, p.stdout.decode("utf-8", "replace")
        with open(stamp, "wb") as f:
            f.write(lock)
    return MODULES


@pytest.fixture(scope="session")
def said(modules, tmp_path_factory):
    """said(script): {case: (whether it passed, the line of it)}, and all that the script printed under None."""
    known = {}

    def run(script):
        if script not in known:
            output = tmp_path_factory.mktemp("node") / "output"
            with servers.Server(kind=KIND) as s, open(output, "wb") as out:
                env = dict(os.environ, SERVER_PORT=str(s.port), CLIENTS_MODULES=modules)
                try:
                    subprocess.run(["node", os.path.join(NODE, script)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, timeout=60)
                except subprocess.TimeoutExpired:
                    pass  # the cases without a line say so
            text = output.read_text(errors="replace")
            known[script] = {name: (state == "ok", state + " " + name + rest) for state, name, rest in re.findall(r"^(ok|not ok) ([^:\n]+)(.*)$", text, re.M)}
            known[script][None] = text
        return known[script]
    return run


@pytest.mark.parametrize("script, case", [(s, c) for s in sorted(os.listdir(NODE)) if s.endswith(".mjs") for c in cases(s)])
def test_node(said, script, case):
    lines = said(script)
    assert case in lines, lines[None][-4000:]
    passed, line = lines[case]
    assert passed, line
