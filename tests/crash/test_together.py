"""Twenty runs at once, signals, and a holder that is killed: one wins, nothing is left."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from tests.crash import matrix
from tests.crash.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop

TOGETHER = 20
MOMENTS = 1
"""Seeded moments of each signal, once and twice, and of each kind of database."""
_STOPPED = (130, 0)


@pytest.mark.parametrize("checkouts", [1, 2])
@pytest.mark.fault("G88")
def test_many_at_once(made: Shop, plain: Undisturbed, tmp_path: Path, checkouts: int) -> None:
    """FAULTS G88: one wins; others exit 5 and say who it is and since when, or find it done."""
    if checkouts > 1 and not made.served:
        pytest.skip("two checkouts of a project with files have a database each")
    made.reset()
    roots = (made.root, *(made.checkout(tmp_path / f"{n}") for n in range(1, checkouts)))
    ended = made.run_together(TOGETHER, "1to2", "--yes", checkouts=roots)
    assert {each.code for each in ended} <= ({0, 5} if checkouts == 1 else {0, 1, 5})
    assert all(each.clear for each in ended)
    won = [each for each in ended if each.code == 0 and "already" not in each.said]
    assert len(won) == 1, [each.said for each in ended if each.code == 0]
    late = [each.said for each in ended if each.code == 1]
    assert all("exists already" in said for said in late), late  # the other checkout's journal
    lost = [each.said for each in ended if each.code == 5]
    assert lost != []
    told = ("migrate 1to2 since", "process") if checkouts == 1 else ("migrate 1to2",)
    assert [said for said in lost if not all(word in said for word in told)] == []
    assert list(matrix.converged(made, plain)) == []


@pytest.mark.fault("G90")
def test_a_holder_that_is_killed_leaves_nothing(made: Shop, plain: Undisturbed) -> None:
    """FAULTS G90: twenty come after it; one of them ends what it began."""
    made.reset()
    verified = Fault("after journal verified", 1, "kill")
    assert made.run("1to2", "--yes", fault=verified).code == -signal.SIGKILL
    ended = made.run_together(TOGETHER, "1to2", "--yes")
    assert {each.code for each in ended} <= {0, 5}
    assert len([e for e in ended if e.code == 0 and "already" not in e.said]) == 1
    assert list(matrix.converged(made, plain)) == []


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.fault("H93")
def test_a_signal_at_any_moment(
    made: Shop, plain: Undisturbed, number: signal.Signals, times: int
) -> None:
    """FAULTS H93: exit 130 and clear, once and twice; the same command ends it."""
    chance = random.Random(f"{made.kind} {number} {times}")
    made.reset()
    longest = made.run("1to2", "--yes").seconds
    for _ in range(MOMENTS):
        made.reset()
        moment = chance.uniform(0.05, longest)  # until then the command is not heard of
        sent = tuple((moment + 0.02 * n, int(number)) for n in range(times))
        done = made.run("1to2", "--yes", signals=sent)
        unheard = done.code == -number and not (made.root / ".migrate").exists()
        assert unheard or (done.code in _STOPPED and done.clear), (moment, done, done.said)
        assert list(matrix.stands(made, plain)) == [], moment
        again = made.run("1to2", "--yes")
        assert (again.code, again.clear) == (0, True), (moment, again.said)
        assert list(matrix.converged(made, plain)) == [], moment
