"""`step.same`: the new database's answers against those kept in the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.extract.answers import answers
from migrators.plan.sames import answers_query
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrators.backends.interface import Backend, ReadQuery, Snapshot
    from migrators.extract.answers import Answers
    from migrators.plan.model import SamePlan


def differing_answers(
    kept: Mapping[str, Any], sames: Sequence[SamePlan], database: Backend, snapshot: Snapshot
) -> Iterator[str]:
    """Yield a line for each statement whose answer differs."""
    for same in sames:
        query = answers_query(same.new, database)
        new = answers(same.title, snapshot, query)
        old = [list(row) for row in kept.get(same.title, [])]
        if _plain(old, same.old) != _plain(new, query):
            shown = [_short(rows, query) for rows in (old, new)]
            yield f"step.same({same.title!r}): old {shown[0]}, new {shown[1]}"


def _plain(rows: Answers, query: ReadQuery) -> Answers:
    """Return answers without zeros that a decimal's declared places add: 12.50 is 12.5."""
    decimal = [column.type.kind is Kind.DECIMAL for column in query.columns]
    return [
        [_without_zeros(x) if d and x else x for x, d in zip(row, decimal, strict=True)]
        for row in rows
    ]


def _without_zeros(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


_COUNTED = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN)


def _short(rows: Answers, query: ReadQuery) -> str:
    """Return the first rows: numbers, which are counts and sums, and of the rest only NULLs.

    What else an answer holds is a value as it stands in a row, which may be personal data.
    """
    told = [column.type.kind in _COUNTED for column in query.columns]
    shown = repr(
        [
            tuple(x if t or x is None else "..." for x, t in zip(row, told, strict=False))
            for row in rows[:3]
        ]
    )
    return shown if len(rows) <= 3 else f"{shown} and {len(rows) - 3} rows more"  # noqa: PLR2004
