"""A big table read by several readers: nothing tells how many there were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from migrators import plan as plans
from migrators.backends import backend_for, ranges
from migrators.errors import MigrateError
from migrators.events import silent
from migrators.extract import extract
from migrators.extracts.directory import ExtractWriter
from tests.acceptance.engines import ENGINES, asked, shops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

ODD = {
    "sqlite": ("UPDATE releases SET size = 'many' WHERE id IN (7, 21, 49, 77)",),
    "postgresql": ("UPDATE releases SET uploaded = 'infinity' WHERE id IN (7, 21, 49, 77)",),
    "mysql": (
        "SET sql_mode = ''",
        "UPDATE releases SET uploaded = '0000-00-00' WHERE id IN (7, 21, 49, 77)",
    ),
}
"""Values that are refused, or that Arrow's type does not hold: in several pieces."""


@dataclass(frozen=True)
class Big:
    """A shop on a kind of database, with tables that count as big."""

    kind: str
    cheese: Cheeseshop
    folder: Path

    def extracted(self, jobs: int) -> dict[str, bytes] | str:
        """Return the files of 2to3's extract, or what is said where there is none."""
        project, place = self.cheese.project, self.folder / f"{jobs} jobs"
        scratch = place / "scratch"
        scratch.mkdir(parents=True, mode=0o700)
        plan = plans.make(project, 2, 3)
        writer = ExtractWriter(place / "extract", plan.new)
        database = backend_for(project.url(2))
        try:
            extract(plan, database, writer, scratch=scratch, emit=silent, jobs=jobs)
        except MigrateError as error:
            return str(error)
        return {file.name: file.read_bytes() for file in (place / "extract").iterdir()}


@pytest.fixture(params=ENGINES)
def big(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Big]:
    """A shop of which tables of twenty rows are read in pieces."""
    monkeypatch.setattr(ranges, "ROWS", 10)
    with shops(request.param, tmp_path / "cheeseshop") as cheese:
        cheese.ran("load", str(cheese.fixtures(2)))
        yield Big(request.param, cheese, tmp_path)


def test_the_extract_is_the_same_byte_for_byte(big: Big) -> None:
    """Files, counts and answers, of one reader and of four."""
    assert isinstance(big.extracted(1), dict)
    assert big.extracted(4) == big.extracted(3) == {**big.extracted(2)}  # type: ignore[dict-item]


def test_the_largest_tables_are_read_in_pieces(big: Big) -> None:
    """Carried, renamed and split ones; of all their rows, or of some."""
    plan = plans.make(big.cheese.project, 2, 3)
    with backend_for(big.cheese.project.url(2)).snapshot(big.folder) as snapshot:
        cut = {t.name for t in plan.tables for p in t.parts if len(snapshot.pieces(p.query)) > 1}
    assert {"projects", "releases", "files", "roles"} <= cut


def test_what_is_refused_or_held_as_text_is_said_of_the_whole_table(big: Big) -> None:
    """Not of the first piece that has such a value."""
    asked(big.cheese, 2, *ODD[big.kind])
    alone = big.extracted(1)
    assert big.extracted(4) == alone
    if isinstance(alone, str):
        (rows,) = asked(big.cheese, 2, "SELECT count(*) FROM releases WHERE id IN (7, 21, 49, 77)")
        assert f"{rows[0]} rows" in alone
    else:
        assert b'"form": "text"' in alone["manifest.json"]
