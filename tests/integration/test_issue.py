"""What a first-time user does, as the README shows it: a shell, redis-cli and Python, at one store."""
import os
import subprocess
import time

import pytest

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="no /dev/fuse")


@pytest.fixture
def mounted(start, tmp_path):
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    s = start("--mount", mnt)
    end = time.monotonic() + 20
    while not (mnt / "string").is_dir():
        assert time.monotonic() < end, s.log()
        time.sleep(0.02)
    return s, mnt


def shell(server, mnt, line):
    line = line.replace("redis-cli", f"redis-cli -p {server.port}")
    done = subprocess.run(["bash", "-c", line], cwd=mnt.parent, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout


def test_shell_and_redis_cli_meet(mounted):
    def sh(line):
        return shell(*mounted, line)

    assert sh('redis-cli SET name "Suyeon"') == "OK\n"
    assert sh("cat mnt/string/name") == "Suyeon"
    assert sh("redis-cli LPUSH tasks task1") == "1\n"
    sh("echo task2 >> mnt/list/tasks")
    assert sh("redis-cli LRANGE tasks 0 -1") == "task1\ntask2\n"
    sh("rm mnt/string/name")
    assert sh("redis-cli EXISTS name") == "0\n"
    assert not (mounted[1] / "string/name").exists()


def test_python_and_files_meet(mounted):
    redis = pytest.importorskip("redis")
    server, mnt = mounted
    r = redis.Redis(port=server.port, decode_responses=True)
    r.set("model1_status", "running")
    assert r.get("model1_status") == "running"
    assert shell(server, mnt, "cat mnt/string/model1_status") == "running"
    shell(server, mnt, "echo completed > mnt/string/model1_status")
    assert r.get("model1_status") == "completed"


def test_the_readme_s_other_lines(mounted):
    def sh(line):
        return shell(*mounted, line)

    sh("echo 5 > mnt/string/visits")
    assert sh("redis-cli INCR visits") == "6\n"
    sh(r"printf 'colour\tblue\nsize\t7\n' > mnt/hash/shirt")
    assert sh("redis-cli HGET shirt colour") == "blue\n"
    assert sh("cat mnt/hash.d/shirt/size").strip() == "7"
    assert sh("exec 3<>mnt/ctl; echo 'INCR hits' >&3; read n <&3; echo $n") == "1\n"


def test_the_mount_is_gone_after_the_server(mounted):
    server, mnt = mounted
    assert os.path.ismount(mnt)
    server.stop()
    assert not os.path.ismount(mnt)
    assert os.listdir(mnt) == []


def test_a_stale_mount_is_cleared_at_start(start, tmp_path):
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    first = start("--mount", mnt)
    first.proc.kill()
    first.proc.wait()
    first.proc.returncode = 0  # this end is the test's own
    second = start("--mount", mnt)
    with second.conn() as c:
        c.do("SET", "a", "alive")
    assert (mnt / "string/a").read_bytes() == b"alive"


@pytest.mark.parametrize("words", [["--dir", "{mnt}"], ["--logfile", "{mnt}/log"], ["--unixsocket", "{mnt}/sock"]])
def test_paths_inside_the_mount_are_refused(start, tmp_path, words):
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    s = start("--mount", mnt, *[w.format(mnt=mnt) for w in words], wait=False)
    assert s.proc.wait(20) != 0
    assert not os.path.ismount(mnt)
    s.proc.returncode = 0
