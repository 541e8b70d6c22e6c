"""A sample of the crash matrix, by a fixed seed; all of it: `python -m tests.crash`."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.crash import kills, matrix
from tests.crash.faults import FAULTS

if TYPE_CHECKING:
    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop

SAMPLE = 1
"""Cells of each way to fail, and of each kind of database."""
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
