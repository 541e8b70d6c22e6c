"""Comments on anything but tables and their columns: read with what they stand beside, and given.

What became of a table a step says; an index, a type, a function is carried by its name alone, as
the server spells it out (`pg_identify_object_as_address`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg

from migrators.access import Remark
from migrators.backends.postgresql import sql
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrators.backends.postgresql.connect import Connection

_READ = """
SELECT o.type, json_build_array(o.object_names, o.object_args)::text, d.description
FROM pg_description AS d
CROSS JOIN LATERAL pg_identify_object_as_address(d.classoid, d.objoid, 0) AS o
WHERE d.objsubid = 0 AND d.objoid >= 16384 AND d.classoid IN ('pg_class'::regclass,
    'pg_type'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_trigger'::regclass,
    'pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_rewrite'::regclass,
    'pg_collation'::regclass, 'pg_statistic_ext'::regclass)
AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.deptype = 'e' AND e.classid = d.classoid
    AND e.objid = d.objoid)
"""
_FOUND = """
SELECT o.identity, obj_description(a.objid, a.classid::regclass::text::name)
FROM pg_get_object_address(%s, %s, %s) AS a
CROSS JOIN LATERAL pg_identify_object(a.classid, a.objid, 0) AS o
"""
_SPELLED = {
    "index": "INDEX", "sequence": "SEQUENCE", "type": "TYPE", "composite type": "TYPE",
    "function": "FUNCTION", "procedure": "PROCEDURE", "aggregate": "AGGREGATE",
    "schema": "SCHEMA", "trigger": "TRIGGER", "table constraint": "CONSTRAINT",
    "policy": "POLICY", "rule": "RULE", "collation": "COLLATION",
    "statistics object": "STATISTICS",
}  # fmt: skip
"""By what the server calls them, what COMMENT ON does; the rest is not read."""


def read(connection: Connection) -> Iterator[Remark]:
    """Yield the comments of an open database."""
    for on, name, text in connection.execute(_READ):
        if on in _SPELLED:
            yield Remark(on, name, text)


def give(connection: Connection, remarks: Iterable[Remark]) -> Iterator[str]:
    """Write comments, in a transaction, where there is none; yield what they stood beside.

    Raises
    ------
    DatabaseError
        One is not as `read` gives it.
    """
    for remark in remarks:
        names, arguments = _address(remark)
        connection.execute("SAVEPOINT remark")
        try:
            row = connection.execute(_FOUND, (remark.on, names, arguments)).fetchone()
        except psycopg.ProgrammingError:
            connection.execute("ROLLBACK TO SAVEPOINT remark")
            yield f"there is no {remark.on} {'.'.join(names)}: its comment ends"
            continue
        if row is not None and row[1] is None:
            what = f"{_SPELLED[remark.on]} {row[0]}"
            connection.execute(f"COMMENT ON {what} IS {sql.text(remark.text)}")


def _address(remark: Remark) -> tuple[list[str], list[str]]:
    try:
        names, arguments = json.loads(remark.name)
    except ValueError:
        names, arguments = [0], []
    flat = isinstance(names, list) and isinstance(arguments, list) and [*names, *arguments]
    if not flat or not all(isinstance(part, str) for part in flat) or remark.on not in _SPELLED:
        raise DatabaseError(f"there is no comment on {remark.on!r} {remark.name!r}")
    return names, arguments
