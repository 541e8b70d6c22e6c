"""Which cells of a query are not what is declared: counted exactly, with sample keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.refusals import (
    SAMPLES,
    Tally,
    key_names,
    key_text,
    shown,
)
from migrators.backends.sqlite import sql
from migrators.backends.sqlite.scan import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrators.backends.interface import ReadColumn, ReadQuery
    from migrators.errors import ValueRefused

__all__ = ["SAMPLES", "Tally", "key_names", "key_text", "shown", "wrong_class"]

_AT_ONCE = 200
"""Columns looked at in one scan; SQLite has 2,000 terms of a SELECT, and `rows` takes two each."""


def wrong_class(
    query: ReadQuery, rows: Callable[[str], list[tuple[Any, ...]]]
) -> ValueRefused | None:
    """Return the refusal of the first column with cells of another storage class.

    Parameters
    ----------
    rows : callable
        Runs SQL in the same snapshot.
    """
    column = _first(query, rows)
    if column is None:
        return None
    cell = sql.name(column.name)
    where = f"FROM ({query.sql}) WHERE NOT {clean(column, cell)}"
    kinds = rows(f"SELECT typeof({cell}), count(*) {where} GROUP BY 1 ORDER BY 2 DESC, 1")
    return _refused(query, column, kinds, rows(_samples(query, cell, where)))


def _first(query: ReadQuery, rows: Callable[[str], list[tuple[Any, ...]]]) -> ReadColumn | None:
    """Return the first column with such a cell; a scan for many columns, not one for each."""
    for at in range(0, len(query.columns), _AT_ONCE):
        columns = query.columns[at : at + _AT_ONCE]
        odd = ", ".join(f"max(NOT {clean(c, sql.name(c.name))})" for c in columns)
        (found,) = rows(f"SELECT {odd} FROM ({query.sql})")
        for column, some in zip(columns, found, strict=True):
            if some:
                return column
    return None


def _samples(query: ReadQuery, cell: str, where: str) -> str:
    cells = [*(sql.name(label) for label in query.key), _cut(cell)]
    return f"SELECT {', '.join(cells)} {where} LIMIT {SAMPLES}"


def _cut(cell: str) -> str:
    """SQL: the beginning of a long text or blob."""
    return (
        f"CASE WHEN typeof({cell}) IN ('text', 'blob') THEN substr({cell}, 1, 80) ELSE {cell} END"
    )


def _refused(
    query: ReadQuery,
    column: ReadColumn,
    kinds: Sequence[tuple[str, int]],
    found: Sequence[tuple[Any, ...]],
) -> ValueRefused:
    told = " or ".join(kind for kind, _ in kinds)
    tally = Tally(
        column.table,
        column.source or column.name,
        f"is {told} where {column.type} is declared",
        sum(count for _, count in kinds),
        [(key_text(key_names(query), row[:-1]), shown(row[-1])) for row in found],
    )
    return tally.error()
