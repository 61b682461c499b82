"""The manual, the completion, what is installed: made from the tables, complete, and clean."""
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MADE = os.path.join(ROOT, "build", "manual")
PAGES = ("inodis.1", "inodis.conf.5", "inodis-mount.5")


def make(*words):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", "-s", "--no-print-directory", *words], cwd=ROOT, env=env, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def manual():
    make("man")
    return {p: open(os.path.join(MADE, p)).read() for p in PAGES}


def test_each_directive_has_an_entry_with_its_default(manual, start):
    pairs = start().conn().do("CONFIG", "GET", "*")
    entries = dict(re.findall(r"^\.TP\n\.B (\S+)\n((?:(?!\.TP).*\n)*)", manual["inodis.conf.5"], re.M))
    for name in (n.decode() for n in (pairs if isinstance(pairs, dict) else pairs[::2])):
        escaped = name.replace("-", "\\-")
        entry = entries.get(escaped) or next((e for e in entries.values() if f"Also called {escaped}." in e), None)
        assert entry and "Default: " in entry and "Takes " in entry, name


def test_each_kind_of_file_has_an_entry(manual):
    with open(os.path.join(ROOT, "fs", "kinds", "kinds.c")) as f:
        names = re.findall(r'^\t\t\.name = "([^"]+)"', f.read(), re.M)
    assert len(names) > 15
    for name in names:
        assert re.search(rf"^\.BI (server/)?{re.escape(name)}/ ", manual["inodis-mount.5"], re.M), name


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_clean(manual, page):
    if not shutil.which("groff"):
        pytest.skip("no groff")
    run = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", os.path.join(MADE, page)], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert "@" not in re.sub(r"inodis@|@\S*\.service", "", manual[page])


def complete(*words):
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _inodis 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    run = subprocess.run(["bash", "-c", script, "bash", os.path.join(MADE, "inodis.bash"), "inodis", *words], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_bash_completes_directives_words_and_files(manual, tmp_path):
    assert complete("--maxmemory-p") == ["--maxmemory-policy"]
    assert {"--port", "--mount", "--rdb", "--version"} <= set(complete("--"))
    assert complete("--appendonly", "") == ["yes", "no"]
    assert complete("--maxmemory-policy", "allkeys-l") == ["allkeys-lru", "allkeys-lfu"]
    (tmp_path / "a.conf").touch()
    (tmp_path / "d").mkdir()
    assert complete(f"{tmp_path}/a") == [f"{tmp_path}/a.conf"]
    assert complete("--mount", f"{tmp_path}/") == [f"{tmp_path}/d"]
    assert complete("--mount", "/d", "-o", "ro,um") == ["ro,umask="]


def test_what_is_installed_is_whole_and_can_be_taken_away(manual, tmp_path):
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    there = {str(p.relative_to(tmp_path / "usr")) for p in tmp_path.rglob("*") if p.is_file()}
    assert there >= {"bin/inodis", "sbin/mount.inodis", "lib/systemd/system/inodis.service", "lib/systemd/system/inodis@.service", "share/man/man1/inodis.1",
                     "share/man/man5/inodis.conf.5", "share/man/man5/inodis-mount.5", "share/bash-completion/completions/inodis"}
    for name in there - {"bin/inodis"}:
        assert "@PREFIX@" not in (tmp_path / "usr" / name).read_text(), name
    for unit in ("inodis.service", "inodis@.service"):
        text = (tmp_path / "usr/lib/systemd/system" / unit).read_text()
        assert re.findall(r"^\[(\w+)\]$", text, re.M) == ["Unit", "Service", "Install"]
        assert "Type=notify" in text and "--supervised systemd" in text
    subprocess.run(["sh", "-n", tmp_path / "usr/sbin/mount.inodis"], check=True)
    make("uninstall", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_systemd_takes_the_units(manual, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    units = tmp_path / "usr/lib/systemd/system"
    shutil.copy(units / "inodis@.service", units / "inodis@srv-keys.service")
    run = subprocess.run(["systemd-analyze", "verify", units / "inodis.service", units / "inodis@srv-keys.service"], capture_output=True, text=True,
                         env=dict(os.environ, MANPATH=str(tmp_path / "usr/share/man")))
    said = [line for line in run.stderr.splitlines() if "inodis" in line]
    assert said == []
