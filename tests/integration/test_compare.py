"""Inodis answers as redis-server does: the comparison run (compare.py), a family at a time."""
import os

import pytest

from compare import ALONE, Run
from shapes import FAMILIES

# The same calls every time, so that a failure is the change's; COMPARE_SEED=$RANDOM goes looking for more.
SEED = os.environ.get("COMPARE_SEED", "1")
SEQUENCES = int(os.environ.get("COMPARE_SEQUENCES", "40"))
_seen = {}
_alone = []


@pytest.mark.parametrize("family", list(FAMILIES))
def test_replies_and_data_equal_those_of_redis(fresh_pair, family, capsys):
    run = Run(*fresh_pair, seed=SEED)
    run.family(family, SEQUENCES)
    _seen[family] = run
    with capsys.disabled():
        print(f"\nseed {SEED}, {family}: {sum(run.cases.values())} calls, {run.digests} digests, {sum(run.wrong.values())} differ")
    assert not run.wrong and not run.missing, f"seed {SEED}\n{run.report()}"


@pytest.mark.parametrize("proto", (2, 3))
def test_what_ends_a_conversation_answers_as_redis_does(pair, proto):
    run = Run(*pair, seed=SEED)
    for call in ALONE:
        run.alone(call, proto)
    _alone.append(run)
    assert not run.wrong, run.report()


def test_every_command_was_compared(pair, capsys):
    if len(_seen) < len(FAMILIES):
        pytest.skip("only with all the families before it")
    total = Run(*pair, seed=SEED)
    for run in [*_seen.values(), *_alone]:
        total.cases.update(run.cases)
    with pair[0].conn() as c:
        # A run may happen to leave out a subcommand, a short one a command: it is called once, bare. What is compared by a rule of its own, or
        # not in 7.0, may differ then.
        for name in total.table(c)[1]:
            if "|" in name or SEQUENCES < 40:
                total.alone(name.split("|"), 2)
        lines, none = total.table(c)
    with capsys.disabled():
        print("\ncalls compared, by command:\n" + "\n".join(lines))
    assert not none, f"never called: {none}"
