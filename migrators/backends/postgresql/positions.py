"""Sequences: the highest number ever given, read and carried on.

A sequence belongs to a column by ownership (serial, identity), or because the column's
default takes from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrators.backends.postgresql import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.backends.postgresql.connect import Connection

_OWNED = """
SELECT DISTINCT ON (s.oid) sn.nspname, s.relname, tn.nspname, t.relname, a.attname,
    EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = t.oid AND i.indisprimary
        AND a.attnum = ANY (i.indkey)) OR a.attidentity <> '', a.attnum
FROM pg_class AS s
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
LEFT JOIN pg_depend AS o ON o.classid = 'pg_class'::regclass AND o.objid = s.oid
    AND o.refclassid = 'pg_class'::regclass AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i')
LEFT JOIN pg_depend AS u ON u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid
    AND u.classid = 'pg_attrdef'::regclass
LEFT JOIN pg_attrdef AS d ON d.oid = u.objid
JOIN pg_class AS t ON t.oid = coalesce(o.refobjid, d.adrelid)
JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = coalesce(o.refobjsubid, d.adnum)
WHERE s.relkind = 'S'
ORDER BY s.oid, t.oid
"""


@dataclass(frozen=True)
class _Sequence:
    """A sequence, its table and the column that takes from it.

    Attributes
    ----------
    quoted, table : str
        Names in SQL.
    key : str
        Of the table, in the metadata.
    gives_keys : bool
        Whether it is the one of the table whose position is carried: that of its key. A
        further one goes on after the highest number of its column.
    """

    quoted: str
    key: str
    table: str
    column: str
    gives_keys: bool


def _sequences(connection: Connection) -> list[_Sequence]:
    found = []
    seen: set[str] = set()
    rows = connection.execute(_OWNED).fetchall()
    for schema, sequence, of, table, column, _, _ in sorted(rows, key=lambda r: (not r[5], r[6])):
        key = table if of == "public" else f"{of}.{table}"
        quoted = f"{sql.name(schema)}.{sql.name(sequence)}"
        of_table = f"{sql.name(of)}.{sql.name(table)}"
        found.append(_Sequence(quoted, key, of_table, column, key not in seen))
        seen.add(key)
    return found


def given(connection: Connection) -> dict[str, int]:
    """Return the highest number given, by table, of those that gave any."""
    found: dict[str, int] = {}
    for each in _sequences(connection):
        text = f"SELECT last_value FROM {each.quoted} WHERE is_called"
        row = connection.execute(text).fetchone() if each.gives_keys else None
        if row is not None:
            found[each.key] = row[0]
    return found


def carry_on(connection: Connection, old: Mapping[str, int]) -> str:
    """Let each sequence go on past the highest key, and past its old position.

    Returns
    -------
    str
        Which tables have no sequence to carry an old position on; empty if none.
    """
    counted = set()
    for each in _sequences(connection):
        counted.add(each.key)
        text = f"SELECT max({sql.name(each.column)}) FROM {each.table}"
        row = connection.execute(text).fetchone()
        before = old.get(each.key, 0) if each.gives_keys else 0
        highest = max(row[0] if row and row[0] is not None else 0, before)
        if highest > 0:
            connection.execute(f"SELECT setval({sql.text(each.quoted)}, {highest})")
    lost = sorted(set(old) - counted)
    return f"no sequence, goes on after the highest key: {', '.join(lost)}" if lost else ""
