"""Cases of the scripts of this folder: is_(got, want, what) prints an ok or a not ok line, end() ends with what came of them."""
import sys

failures = []


def is_(got, want, what):
    if got != want:
        failures.append(what)
    print(f"{'ok' if got == want else 'not ok'} {what}" + ("" if got == want else f": got {got!r}, want {want!r}"), flush=True)


def end():
    sys.exit(1 if failures else 0)
