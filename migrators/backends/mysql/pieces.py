"""A big table's query as ranges of the leading column of its key, where InnoDB keeps it by that.

Other engines read a table under one lock, as it is at one moment, if it is read at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrators.backends import ranges
from migrators.backends.mysql import connect, sql

if TYPE_CHECKING:
    from migrators.backends.interface import Cut, ReadQuery
    from migrators.backends.mysql.wire import Connection

_KEPT = f"""
SELECT t.table_rows, t.avg_row_length
FROM information_schema.tables AS t JOIN information_schema.statistics AS s
  ON s.table_schema = t.table_schema AND {sql.same_name("s", "t")}
WHERE t.table_schema = coalesce(nullif(%s, ''), database()) AND t.table_name = %s
  AND t.engine = 'InnoDB' AND s.index_name = 'PRIMARY' AND s.seq_in_index = 1
  AND s.column_name = %s
"""


def pieces(connection: Connection, query: ReadQuery) -> tuple[ReadQuery, ...]:
    """Return queries that give a query's rows one after the other; see the interface.

    Raises
    ------
    pymysql.err.MySQLError
    """
    cut = query.cut
    if cut is None or not cut.key or query.order_by[:1] not in ((), (cut.key,)):
        return (query,)
    column = next(c.source for c in query.columns if c.name == cut.key)
    known = connect.rows(connection, _KEPT, (cut.schema, cut.table, column))
    if not known:
        return (query,)
    rows, width = (float(n or 0) for n in known[0])
    most = ranges.most_rows(width)
    if rows <= most:
        return (query,)
    found = _bounds(connection, cut, sql.name(column), rows, most)
    if not found:
        return (query,)
    return tuple(
        replace(query, sql=f"SELECT * FROM ({query.sql}) AS p WHERE {condition}", cut=None)
        for condition in ranges.conditions(f"p.{sql.name(cut.key)}", found)
    )


def _bounds(connection: Connection, cut: Cut, column: str, rows: float, most: float) -> list[str]:
    table = sql.table(cut.schema, cut.table) if cut.schema else sql.name(cut.table)
    ((low, high),) = connect.rows(connection, f"SELECT min({column}), max({column}) FROM {table}")
    if low is None:
        return []

    def estimate(first: int, below: int) -> float:
        return _estimated(
            connection,
            f"SELECT {column} FROM {table} FORCE INDEX (PRIMARY) "
            f"WHERE {column} >= {first} AND {column} < {below}",
        )

    return [str(b) for b in ranges.bounds(int(low), int(high), rows, most, estimate)]


def _estimated(connection: Connection, asked: str) -> float:
    """Return how many rows the server expects to look at: it dives into the index."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked}")
        names = [name for name, *_ in cursor.description]
        return float(cursor.fetchall()[0][names.index("rows")] or 0)
