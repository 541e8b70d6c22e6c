"""Every cell is exact or refused by name; docs/types.md says which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from tests.grid import grid, page
from tests.grid.declared import DATABASES, declared, missing

if TYPE_CHECKING:
    from pathlib import Path


_DECLARES_ALL = tuple(map(int, sa.__version__.split(".")[:3])) >= (2, 1, 9)
"""Whether this SQLAlchemy has every type of the page: an older one has fewer, held as well."""


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.fault("B19", "B26", "B28", "B29", "E56", "E57", "E60", on="postgresql")
@pytest.mark.fault("B16", "B24", "B28", "B29", on="mysql")
@pytest.mark.fault("B15", "B18", "B30", "C36", "D49", "D54", "D55", "E58")
def test_every_cell_is_exact_or_refused_by_name(database: str, tmp_path: Path) -> None:
    """What plain SQL put in comes out as the other server's own text, or is named."""
    found = grid.outcomes(database, tmp_path)
    assert list(grid.wrong(found)) == []
    said = grid.count(found)
    assert said["exact"] + said["refused"] == grid.cells(database)
    assert said["exact"] > 10 * said["refused"]
    assert _formats_differ(found) == []
    made = page.section(database, found, grid.samples(database))
    if _DECLARES_ALL:
        assert made in page.PAGE.read_text("utf-8"), "python -m tests.grid     writes it again"


def _formats_differ(found: dict[grid.Way, grid.Outcome]) -> list[grid.Way]:
    ways = ((way, (way[0], way[1], "csv")) for way in found if way[2] == "parquet")
    return [way for way, other in ways if found[way] != found[other]]


def test_the_grid_has_more_than_a_thousand_cells() -> None:
    """Of database, type, value, target and format; the page says how many."""
    total = sum(map(grid.cells, DATABASES))
    assert total >= 1_000
    if _DECLARES_ALL:
        assert f"{total:,} cells" in page.PAGE.read_text("utf-8")


@pytest.mark.parametrize("database", DATABASES)
def test_every_type_of_the_dialect_is_in_the_grid_or_left_out_with_a_reason(database: str) -> None:
    """A type that SQLAlchemy adds to a dialect turns this red; older ones reflect fewer."""
    found = missing(database)
    assert (found if _DECLARES_ALL else found - {"TSQUERY"}) == set()


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("other", DATABASES)
def test_a_type_without_a_variant_is_a_type_there_or_named_by_the_plan(
    database: str, other: str
) -> None:
    """What another database's DDL cannot spell is said before anything is created."""
    target = backend_for(sa.URL.create(other, host="none", database="none.db"))
    silent = [
        type_
        for type_ in declared(database)
        if target.lint(type_) is None and not _compiles(type_, target.dialect)
    ]
    assert silent == []


def _compiles(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> bool:
    try:
        type_.compile(dialect=dialect)
    except (sa.exc.CompileError, AttributeError):
        return False
    return True
