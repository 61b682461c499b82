#!/usr/bin/python3
"""What `make check` proves: the layering, the size of files, the formatting.

fs -> resp -> store: a layer includes itself and what is below it, by root-relative paths. No file is longer than
1,200 lines. Every C file is as clang-format would write it. One line for each rule, exit 1 when one is broken.
"""
import os
import re
import subprocess
import sys

LAYERS = {"store": ("store",), "resp": ("store", "resp"), "fs": ("store", "resp", "fs")}
LONGEST = 1200
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)


def sources():
    files = ["main.c"] if os.path.exists("main.c") else []
    for top in (*LAYERS, "mount-scripts", "tests"):
        for folder, _, names in os.walk(top):
            files += [os.path.join(folder, n) for n in names if n.endswith((".c", ".h"))]
    return sorted(files)


def layering(files):
    """An include must not run upward, and must name its file from the root."""
    for path in files:
        layer = path.split("/")[0]
        if layer not in LAYERS:
            continue
        with open(path, "rb") as f:
            text = f.read()
        for inc in INCLUDE.findall(text):
            inc = inc.decode()
            if inc.split("/")[0] not in LAYERS[layer]:
                yield f"{path}: includes {inc}, which is not in {' or '.join(LAYERS[layer])}"
            elif not os.path.exists(inc):
                yield f"{path}: includes {inc}, which does not exist from the root"


def sizes(files):
    for path in files:
        with open(path, "rb") as f:
            lines = sum(1 for _ in f)
        if lines > LONGEST:
            yield f"{path}: {lines} lines, more than {LONGEST}"


def formatting(files):
    tool = os.environ.get("CLANG_FORMAT", "clang-format")
    try:
        run = subprocess.run([tool, "--dry-run", "-Werror", *files], capture_output=True, text=True)
    except FileNotFoundError:
        yield f"{tool} is not installed"
        return
    if run.returncode:
        seen = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "error:" in line})
        for path in seen:
            yield f"{path}: not as clang-format writes it (make format)"
        if not seen:
            yield run.stderr.strip()


def main():
    files = sources()
    broken = 0
    for rule in (layering, sizes, formatting):
        faults = list(rule(files))
        print(f"{'not ok' if faults else 'ok'} - {rule.__name__} of {len(files)} files")
        for fault in faults:
            print("    " + fault)
        broken += bool(faults)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
