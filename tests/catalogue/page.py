"""The page: read, compared with what is covered, and written with its columns anew."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.catalogue.covered import DATABASES, TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.catalogue.covered import Covered

PAGE = TESTS / "CATALOGUE.md"
TESTED = "tested"
MISSING = "**no test, and no reason**"
LAST = {"A": 14, "B": 30, "C": 45, "D": 55, "E": 64, "F": 83, "G": 91, "H": 110, "I": 120}
"""The last case of each section; they are numbered through."""
_CASE = re.compile(r"\| ([A-I]\d+) \|")


@dataclass(frozen=True)
class Row:
    """A case: what it is, what becomes of it, and of each database "tested" or a reason."""

    case: str
    what: str
    outcome: str
    states: tuple[str, ...]

    def __str__(self) -> str:
        """As a line of the page."""
        return f"| {' | '.join((self.case, self.what, self.outcome, *self.states))} |"


def cases() -> list[str]:
    """Return the names of all cases, in order."""
    first, found = 1, []
    for section, last in LAST.items():
        found += [f"{section}{number}" for number in range(first, last + 1)]
        first = last + 1
    return found


def rows() -> dict[str, Row]:
    """Return the rows of the page, by case."""
    return {row.case: row for row in map(_row, PAGE.read_text("utf-8").splitlines()) if row}


def _row(line: str) -> Row | None:
    if not _CASE.match(line):
        return None
    case, what, outcome, *states = (cell.strip() for cell in line.strip("| ").split(" | "))
    return Row(case, what, outcome, tuple(states))


def states(row: Row, covered: Covered) -> tuple[str, ...]:
    """Return what the page should say of a case's databases: a reason stays where no test is."""
    there = covered.get(row.case, {})
    kept = dict(zip(DATABASES, row.states, strict=True))
    return tuple(
        TESTED if there.get(database) else _reason(kept[database]) for database in DATABASES
    )


def _reason(said: str) -> str:
    return MISSING if said in (TESTED, "") else said


def written(covered: Covered) -> str:
    """Return the page with its columns as they should be."""
    return "\n".join(_lines(covered)) + "\n"


def _lines(covered: Covered) -> Iterator[str]:
    for line in PAGE.read_text("utf-8").splitlines():
        row = _row(line)
        yield str(Row(row.case, row.what, row.outcome, states(row, covered))) if row else line
