"""A sample of the crash matrix, by a fixed seed; all of it: `python -m tests.crash`."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from tests.crash import kills, matrix, others
from tests.crash.faults import FAULTS, Fault

if TYPE_CHECKING:
    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop

SAMPLE = 1
"""Cells of each way to fail, and of each kind of database."""
OTHER = {"sqlite": "chain", "postgresql": "in place", "mysql": "elsewhere"}
ALL = 400
KILLS = 7


@pytest.mark.fault("H92", "H93", "H98", "H104")
@pytest.mark.parametrize("how", FAULTS)
def test_a_run_that_fails_is_ended_by_the_same_command(
    made: Shop, plain: Undisturbed, how: str
) -> None:
    """FAULTS H92: the old as it was, the new absent or complete, nothing left."""
    cells = [cell for cell in matrix.cells(made, plain) if cell.how == how]
    if not cells:
        assert (how, made.served) == ("lost", False)
        return
    drawn = random.Random(f"{made.kind} {how}").sample(cells, SAMPLE)
    found = {str(cell): matrix.wrong(made, plain, cell) for cell in drawn}
    assert {cell: said for cell, said in found.items() if said} == {}


@pytest.mark.fault("H92")
def test_so_is_one_of_another_way(made: Shop) -> None:
    """FAULTS H92: a chain, one into a database that is there, a copy elsewhere."""
    plain = others.undisturbed(made, OTHER[made.kind])
    (cell,) = others.cells(made, plain, 1, 1)
    assert others.wrong(made, plain, cell) == []
    made.reset()


def test_the_matrix_is_large(made: Shop, plain: Undisturbed) -> None:
    """All cells of a kind of database, of which the tests above draw some."""
    cells = matrix.cells(made, plain)
    assert len(cells) == len(set(cells)) >= ALL


@pytest.mark.fault("H92")
def test_killed_at_random_moments(made: Shop, plain: Undisturbed) -> None:
    """FAULTS H92, wherever it is; every run after that ends what was begun."""
    tally = kills.Tally()
    assert list(kills.at_random(made, plain, KILLS, 1, tally)) == []
    assert (tally.killed, tally.wrong) == (KILLS, 0)


@pytest.mark.fault("H104")
@pytest.mark.parametrize("typed", [("check", "1to2"), ("1to2", "--yes")])
@pytest.mark.parametrize("point", ["after staging made", "after staging tables made"])
def test_what_a_killed_check_left_is_removed_by_the_next(
    made: Shop, point: str, typed: tuple[str, ...]
) -> None:
    """It has no journal; a second one that runs meanwhile keeps what it works on."""
    made.reset()
    killed = made.run("check", "1to2", fault=Fault(point, 1, "kill"))
    assert killed.code == -signal.SIGKILL
    assert [name for name in made.there() if "loading" in name] != [] or not made.served
    done = made.run(*typed)
    assert (done.code, done.clear) == (0, True), done.said
    assert made.left() == []
    made.reset()


def test_checks_at_once_leave_each_other_alone(made: Shop) -> None:
    """What one of them works on is not taken for what another one left."""
    made.reset()
    for done in made.run_together(4, "check", "1to2"):
        assert (done.code, done.clear) == (0, True), done.said
    assert made.left() == []
    assert made.run("1to2", "--yes").code == 0
    assert not made.project.checks.exists()
    made.reset()
