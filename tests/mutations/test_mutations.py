"""A part of the ten thousand changes, on each database: all found, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mutations.trial import TABLES, tried
from tests.served import KINDS

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {"sqlite": 150, "postgresql": 75, "mysql": 75}
SEED = 110


@pytest.mark.parametrize("kind", KINDS)
def test_h110_every_change_of_a_loaded_database_is_found(kind: str, tmp_path: Path) -> None:
    """One cell, two swapped, a row lost and another doubled: found, and by its name."""
    trial = tried(kind, tmp_path / "shop", COUNTS[kind], SEED)
    assert (trial.missed, trial.misnamed, trial.false) == ([], [], [])
    assert sum(trial.caught.values()) == COUNTS[kind]
    assert trial.identical == 2 * len(TABLES)
