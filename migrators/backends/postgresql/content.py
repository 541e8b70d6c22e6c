"""What is stored, by table: the server hashes its rows itself.

Two million rows of ten columns take it 0.9 s so, and 1.6 by their text. A type's own hash is
used where it is of every bit of the value, and what is sent to clients, or the text, elsewhere.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from migrators.backends.model import CATALOGUE, Contents
from migrators.backends.postgresql import catalog, connect, sql, stamp

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection

_COLUMNS = """
SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum),
    array_agg(CASE
        WHEN t.typnamespace <> 'pg_catalog'::regnamespace THEN '({x})::text'
        WHEN t.typname = ANY (%(whole)s)
            OR t.typname IN ('text', 'varchar') AND a.attcollation = ANY (%(plain)s::oid[])
            THEN '{x}'
        WHEN t.typname = ANY (%(sent)s) THEN t.typsend || '({x})'
        ELSE '({x})::text' END ORDER BY a.attnum)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type AS t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY 1, 2 ORDER BY 1, 2
"""
_WHOLE = ("bool", "int2", "int4", "oid", "date", "uuid", "bytea")
"""Not int8, nor what is one: its two halves are joined before they are hashed, so that -1 has
the hash of 4294967295. Not enums, whose hash is of a number that a restored database has another
of."""
_SENT = (
    "int8", "time", "timestamp", "timestamptz", "float4", "float8", "numeric", "text", "varchar",
    "bpchar",
)  # fmt: skip
"""A number's hash leaves out its sign and digits, -0.0 has that of 0.0, blanks at the end of
character(n) count for nothing, and a collation may call texts equal that are not."""
_PLAIN = 100, 950, 951
"""Collations that call nothing equal that is not: the database's own, "C" and "POSIX"."""
_BY_RECORD = 140_000
"""The version from which on records have a hash of 64 bits."""
_MIXED = "hash_record_extended(ROW(int8send(hash_record_extended(ROW({cells}), 0))), 0)"
"""Of a row. The inner hash adds up those of the cells, so that sums of it would stay the same
where two rows exchange a value; the outer one adds up nothing."""
_BY_TEXT = "hashtextextended(ROW(t.*)::text, 0)"


def contents(url: sa.URL) -> Contents:
    """Return a digest of catalogue and stamp, and the sum of the hashes of each table's rows.

    Rows count in any order. A change goes unnoticed where two sums of 64-bit hashes are the same
    by chance. The positions of sequences are left out: a number that was taken and not stored is
    none that is missing.
    """
    parts = {}
    with connect.opened(url, "reading") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        facts = sorted(catalog.read(connection).objects.items()), stamp.text(connection)
        parts[CATALOGUE] = hashlib.sha256(repr(facts).encode()).hexdigest()
        for quoted, hashed in _hashed(connection):
            row = connection.execute(
                f"SELECT count(*), sum({hashed}) FROM ONLY {quoted} AS t"
            ).fetchone()
            parts[quoted.removeprefix('"public".')] = repr(row)
    return Contents(parts)


def _hashed(connection: Connection) -> list[tuple[str, str]]:
    """Return each table that holds rows, quoted, and SQL for the hash of one."""
    given = {"whole": list(_WHOLE), "sent": list(_SENT), "plain": list(_PLAIN)}
    by_record = connection.info.server_version >= _BY_RECORD
    found = []
    for schema, table, names, forms in connection.execute(_COLUMNS, given).fetchall():
        hashed = _BY_TEXT
        if by_record and all(names):  # of a table without columns there is no name
            cells = (
                f.replace("{x}", f"t.{sql.name(n)}") for n, f in zip(names, forms, strict=True)
            )
            hashed = _MIXED.replace("{cells}", ", ".join(cells))
        found.append((f"{sql.name(schema)}.{sql.name(table)}", hashed))
    return found
