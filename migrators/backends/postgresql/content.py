"""What is stored, as one digest: the server hashes its rows itself.

Two million rows of ten columns take it 0.5 s by the hash functions of their types, and 1.7 by
their text. A type's own hash is of what its `=` calls equal, so it is used where that is the
same value to the last bit, and the form that is sent to clients, or the text, elsewhere.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from migrators.backends.postgresql import catalog, connect, sql, stamp

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection

_COLUMNS = """
SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum),
    array_agg(CASE
        WHEN t.typnamespace <> 'pg_catalog'::regnamespace THEN '({x})::text'
        WHEN t.typname = ANY (%(exact)s) OR t.typname = 'numeric' AND a.atttypmod >= 0
            OR t.typname IN ('text', 'varchar') AND a.attcollation = ANY (%(plain)s::oid[])
            THEN '{x}'
        WHEN t.typname = ANY (%(sent)s) THEN t.typsend || '({x})'
        ELSE '({x})::text' END ORDER BY a.attnum)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type AS t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY 1, 2 ORDER BY 1, 2
"""
_EXACT = (
    "bool", "int2", "int4", "int8", "oid", "date", "time", "timestamp", "timestamptz", "uuid",
    "bytea",
)  # fmt: skip
"""Not enums, whose hash is of a number that a restored database has another of."""
_SENT = ("float4", "float8", "text", "varchar", "bpchar")
"""-0.0 equals 0.0, blanks at the end of character(n) count for nothing, and a collation may
call texts equal that are not."""
_PLAIN = 100, 950, 951
"""Collations that call nothing equal that is not: the database's own, "C" and "POSIX"."""
_BY_RECORD = 140_000
"""The version from which on records have a hash of 64 bits."""


def digest(url: sa.URL) -> str:
    """Return SHA-256 over the catalogue, the stamp, and a 64-bit sum of each table's rows.

    Rows count in any order. The positions of sequences are left out: a number that was taken
    and not stored is none that is missing.
    """
    total = hashlib.sha256()
    with connect.opened(url, "reading") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for key, facts in sorted(catalog.read(connection).objects.items()):
            total.update(repr((key, facts)).encode())
        total.update(repr(stamp.text(connection)).encode())
        for quoted, hashed in _hashed(connection):
            row = connection.execute(
                f"SELECT count(*), sum({hashed}) FROM ONLY {quoted} AS t"
            ).fetchone()
            total.update(repr((quoted, row)).encode())
    return total.hexdigest()


def _hashed(connection: Connection) -> list[tuple[str, str]]:
    """Return each table that holds rows, quoted, and SQL for the hash of one."""
    given = {"exact": list(_EXACT), "sent": list(_SENT), "plain": list(_PLAIN)}
    by_record = connection.info.server_version >= _BY_RECORD
    found = []
    for schema, table, names, forms in connection.execute(_COLUMNS, given).fetchall():
        hashed = "hashtextextended(t::text, 0)"
        if by_record and all(names):  # of a table without columns there is no name
            cells = (
                f.replace("{x}", f"t.{sql.name(n)}") for n, f in zip(names, forms, strict=True)
            )
            hashed = f"hash_record_extended(ROW({', '.join(cells)}), 0)"
        found.append((f"{sql.name(schema)}.{sql.name(table)}", hashed))
    return found
