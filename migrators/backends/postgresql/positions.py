"""Sequences: the highest number ever given, read and carried on.

A sequence belongs to a column by ownership (serial, identity), or because the column's
default takes from it. Any other goes on where the one of its name stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrators.backends.model import LONE, lone, not_carried, taken
from migrators.backends.postgresql import sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

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

_LONE = """
SELECT n.nspname, c.relname, s.seqmin, s.seqmax
FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_class'::regclass
    AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY 1, 2
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


def _lone(connection: Connection, owned: Sequence[_Sequence]) -> list[tuple[str, str, int, int]]:
    """Return the sequences of no table: name, name in SQL, lowest and highest number."""
    known = {each.quoted for each in owned}
    return [
        (name if schema == "public" else f"{schema}.{name}", quoted, lowest, highest)
        for schema, name, lowest, highest in connection.execute(_LONE).fetchall()
        if (quoted := f"{sql.name(schema)}.{sql.name(name)}") not in known
    ]


def given(connection: Connection) -> dict[str, int]:
    """Return the number last given, by table or as `LONE`, of those that gave any."""
    found: dict[str, int] = {}
    owned = _sequences(connection)
    for name, quoted, _, _ in _lone(connection, owned):
        row = connection.execute(f"SELECT last_value FROM {quoted} WHERE is_called").fetchone()
        if row is not None:
            found[f"{LONE}{name}"] = row[0]
    for each in owned:
        text = f"SELECT last_value FROM {each.quoted} WHERE is_called"
        row = connection.execute(text).fetchone() if each.gives_keys else None
        if row is not None:
            found[each.key] = row[0]
    return found


def carry_on(connection: Connection, metadata: sa.MetaData, old: Mapping[str, int]) -> str:
    """Let each sequence go on past the highest key, and past its old position.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
        Says which sequences an application takes the values of a column from.
    old : mapping of table, or `LONE`, to position

    Returns
    -------
    str
        Which tables have no sequence to carry an old position on, and which sequences of no
        table are not there; empty if none.
    """
    counted = set()
    owned = _sequences(connection)
    for each in owned:
        counted.add(each.key)
        text = f"SELECT max({sql.name(each.column)}) FROM {each.table}"
        row = connection.execute(text).fetchone()
        before = old.get(each.key, 0) if each.gives_keys else 0
        highest = max(row[0] if row and row[0] is not None else 0, before)
        if highest > 0:
            connection.execute(f"SELECT setval({sql.text(each.quoted)}, {highest})")
    anew = not_carried(_carry_lone(connection, owned, lone(old)))
    counted |= _pass_taken(connection, metadata, old)
    lost = sorted(name for name in set(old) - counted if not name.startswith(LONE))
    said = f"no sequence, goes on after the highest key: {', '.join(lost)}" if lost else ""
    return "; ".join(filter(None, (said, anew)))


def _carry_lone(
    connection: Connection, owned: Sequence[_Sequence], old: dict[str, int]
) -> dict[str, int]:
    """Let sequences of no table go on; return those that are not there, or do not go so far."""
    left = dict(old)
    for name, quoted, lowest, highest in _lone(connection, owned):
        if lowest <= left.get(name, lowest - 1) <= highest:
            connection.execute(f"SELECT setval({sql.text(quoted)}, {left.pop(name)})")
    return left


def _pass_taken(connection: Connection, metadata: sa.MetaData, old: Mapping[str, int]) -> set[str]:
    """Let sequences go on past the columns that an application fills from them."""
    passed = set()
    for each in taken(metadata):
        of = f"{sql.name(each.table.schema or 'public')}.{sql.name(each.table.name)}"
        row = connection.execute(f"SELECT max({sql.name(each.column)}) FROM {of}").fetchone()
        own = old.get(each.table.key, 0) if each.column in each.table.primary_key.columns else 0
        highest = max(row[0] if row and row[0] is not None else 0, own)
        name = f"{sql.name(each.schema or 'public')}.{sql.name(each.name)}"
        passed.add(each.table.key)
        connection.execute(
            f"SELECT setval({sql.text(name)}, {highest}) FROM {name} "
            f"WHERE {highest} > 0 AND {highest} >= last_value"
        )
    return passed
