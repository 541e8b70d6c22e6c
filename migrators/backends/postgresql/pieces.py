"""A big table's query as ranges of its rows: of its integer key, or of where the rows are kept.

Rows in the order of the key are read by ranges of it, along the index. Rows in any order are
read by ranges of `ctid`, page after page, which no index is needed for (TID Range Scan, from
version 14 on).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from migrators.backends import ranges
from migrators.backends.postgresql import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.backends.interface import Cut, ReadQuery
    from migrators.backends.postgresql.connect import Connection

_TID_RANGES = 140_000
"""Version from which on a range of ctid reads no other pages."""
_ALONG = 0.5
"""Correlation of key and place from which on a range of the key is mostly pages of its own.

Updates move rows to the end: of a table in order, of which a third was written once more, it is
still more than that. Where rows lie anywhere each range would read most of the table, and one
sort is faster.
"""
_CORRELATION = """
SELECT max(abs(s.correlation)) FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname
WHERE c.oid = {table}::regclass AND s.attname = {column}
"""
_PAGES = """
SELECT pg_relation_size(c.oid) / current_setting('block_size')::int FROM pg_class AS c
WHERE c.oid = {table}::regclass AND c.relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)
"""


def pieces(connection: Connection, query: ReadQuery) -> tuple[ReadQuery, ...]:
    """Return queries that give a query's rows one after the other; see the interface.

    Raises
    ------
    psycopg.Error
    """
    if query.cut is None:
        return (query,)
    _, width = _planned(connection, query.sql)
    rows, _ = _planned(connection, f"SELECT FROM {_table(query.cut)}")  # of a condition it guesses
    most = ranges.most_rows(width)
    if rows <= most:
        return (query,)
    if not query.order_by:
        return _by_place(connection, query, query.cut, rows / most)
    if query.order_by[0] == query.cut.key and _lies_along(connection, query, query.cut):
        return _by_key(connection, query, query.cut, rows, most)
    return (query,)


def _planned(connection: Connection, asked: str) -> tuple[float, float]:
    """Return how many rows a query is expected to give, and the bytes of one."""
    found = connection.execute(f"EXPLAIN (FORMAT JSON) {asked}".encode()).fetchone()
    assert found is not None  # noqa: S101  EXPLAIN gives one row
    plan = (json.loads(found[0]) if isinstance(found[0], str) else found[0])[0]["Plan"]
    return float(plan["Plan Rows"]), float(plan["Plan Width"])


def _table(cut: Cut) -> str:
    own = sql.name(cut.table)
    return f"{sql.name(cut.schema)}.{own}" if cut.schema else own


def _key(query: ReadQuery, cut: Cut) -> str:
    return next(c.source for c in query.columns if c.name == cut.key)


def _lies_along(connection: Connection, query: ReadQuery, cut: Cut) -> bool:
    """Whether rows lie in the order of the key; those that nobody has looked at, probably."""
    asked = _CORRELATION.format(table=sql.text(_table(cut)), column=sql.text(_key(query, cut)))
    found = connection.execute(asked.encode()).fetchone()
    return found is None or found[0] is None or float(found[0]) >= _ALONG


def _by_key(
    connection: Connection, query: ReadQuery, cut: Cut, rows: float, most: float
) -> tuple[ReadQuery, ...]:
    column, table = sql.name(_key(query, cut)), _table(cut)
    asked = f"SELECT min({column}), max({column}) FROM {table}"
    found = connection.execute(asked.encode()).fetchone()
    if found is None or found[0] is None:
        return (query,)
    low, high = (int(n) for n in found)

    def estimate(first: int, below: int) -> float:
        between = f"{column} >= {first} AND {column} < {below}"
        return _planned(connection, f"SELECT FROM {table} WHERE {between}")[0]

    bounds = [str(b) for b in ranges.bounds(low, high, rows, most, estimate)]
    return _cut(query, query.sql, sql.name(cut.key), bounds)


def _by_place(
    connection: Connection, query: ReadQuery, cut: Cut, number: float
) -> tuple[ReadQuery, ...]:
    found = connection.execute(_PAGES.format(table=sql.text(_table(cut))).encode()).fetchone()
    if not found or connection.info.server_version < _TID_RANGES:
        return (query,)
    step = max(1, int(found[0] / number))
    pages = range(step, int(found[0]), step)
    return _cut(query, cut.placed, "place", [f"'({page},0)'::tid" for page in pages])


def _cut(query: ReadQuery, asked: str, column: str, bounds: Sequence[str]) -> tuple[ReadQuery, ...]:
    if not bounds:
        return (query,)
    return tuple(
        replace(query, sql=f"SELECT * FROM (\n{asked}\n) AS p WHERE {condition}", cut=None)
        for condition in ranges.conditions(f"p.{column}", bounds)
    )
