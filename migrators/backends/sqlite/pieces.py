"""A big table's query as ranges of its rowid: of an INTEGER PRIMARY KEY, which is one.

Any other key may hold NULL or text (quirks.html, 3 and 5), which no range of numbers holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrators.backends import ranges
from migrators.backends.sqlite import sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.backends.interface import Cut, ReadQuery

_LEAST = 32
"""Bytes of a row, of which a file cannot have more than fit: keys may have gaps of any size."""


def pieces(
    query: ReadQuery, rows: Callable[[str], list[tuple[Any, ...]]], size: int
) -> tuple[ReadQuery, ...]:
    """Return queries that give a query's rows one after the other; see the interface.

    Parameters
    ----------
    rows : callable
        SQL → its rows: `Snapshot.rows`.
    size : int
        Bytes of the database.
    """
    cut = query.cut
    if cut is None or not cut.key or query.order_by[:1] not in ((), (cut.key,)):
        return (query,)
    column = next(c.source for c in query.columns if c.name == cut.key)
    if not rows(_is_rowid(cut, column)):
        return (query,)
    own = sql.name(column)
    ((low, high),) = rows(f"SELECT min({own}), max({own}) FROM main.{sql.name(cut.table)}")
    if low is None:
        return (query,)
    number = min(high - low + 1, size / _LEAST)
    found = ranges.bounds(low, high, number, ranges.ROWS, lambda _first, _below: 1.0)
    if not found:
        return (query,)
    return tuple(
        replace(query, sql=f"SELECT * FROM ({query.sql}) AS p WHERE {condition}", cut=None)
        for condition in ranges.conditions(f"p.{sql.name(cut.key)}", [str(b) for b in found])
    )


def _is_rowid(cut: Cut, column: str) -> str:
    """SQL: a row if a column is the rowid, and so its table's key without an index."""
    table = sql.text(cut.table)
    return (
        f"SELECT 1 FROM pragma_table_info({table}, 'main') WHERE pk = 1 AND name = "
        f"{sql.text(column)} AND upper(type) = 'INTEGER' "
        f"AND (SELECT max(pk) FROM pragma_table_info({table}, 'main')) = 1 "
        f"AND NOT EXISTS (SELECT 1 FROM pragma_index_list({table}, 'main') WHERE origin = 'pk')"
    )
