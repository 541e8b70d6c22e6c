"""Large objects: bytes that no table holds, and that a column of type oid points to.

An oid is carried as a number, and means nothing in another database. So a column that
points to large objects is refused, and the bytes are carried by `lo_get` in the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends import refusals
from migrators.backends.postgresql import sql
from migrators.errors import ValueRefused
from migrators.types import Kind

if TYPE_CHECKING:
    from migrators.backends.interface import ReadColumn, ReadQuery
    from migrators.backends.postgresql.connect import Connection

_OID_BITS = 32


def refuse(connection: Connection, query: ReadQuery) -> None:
    """Refuse a query in which a column of type oid points to large objects.

    Raises
    ------
    ValueRefused
        Naming the column, how many rows, and sample keys.
    """
    asked = [c for c in query.columns if _is_oid(c)]
    if not asked or not count(connection):
        return
    for column in asked:
        _refuse_column(connection, query, column)


def count(connection: Connection) -> int:
    """Return how many large objects a database holds."""
    found = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    return int(found[0]) if found else 0


def _is_oid(column: ReadColumn) -> bool:
    """Whether a column is of type oid: nothing else has 32 bits without a sign here."""
    kind = column.type
    return kind.kind is Kind.INTEGER and kind.unsigned and kind.bits == _OID_BITS


def _refuse_column(connection: Connection, query: ReadQuery, column: ReadColumn) -> None:
    keys = ", ".join(f"q.{sql.name(label)}::text" for label in query.key) or "''"
    rows = connection.execute(
        f"SELECT count(*) OVER (), q.{sql.name(column.name)}::text, {keys} "
        f"FROM (\n{query.sql.strip().rstrip(';')}\n) AS q "
        f"WHERE q.{sql.name(column.name)}::oid IN (SELECT oid FROM pg_largeobject_metadata) "
        f"ORDER BY 2 LIMIT {refusals.SAMPLES}"
    ).fetchall()
    if not rows:
        return
    named = refusals.key_names(query)
    raise ValueRefused(
        column.table,
        column.source or column.name,
        "points to a large object, whose bytes no row holds",
        count=rows[0][0],
        samples=[(refusals.key_text(named, row[2 : 2 + len(named)]), row[1]) for row in rows],
        hint="carry the bytes into a column of bytes: "
        f"func.lo_get(old.{column.table}.c.{column.source or column.name})",
    )
