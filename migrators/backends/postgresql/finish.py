"""After the data: keys, checks, indexes, references, sequences, the schema's own SQL, VACUUM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from migrators.backends.postgresql import broken, connect, ddl, failures, positions, staging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.backends.postgresql.connect import Connection
    from migrators.errors import ValueRefused
    from migrators.schema import SchemaVersion

_KEYS = (sa.PrimaryKeyConstraint, sa.UniqueConstraint, ExcludeConstraint)
_SORTS = """
SELECT set_config('maintenance_work_mem', '256MB', false)
WHERE (SELECT setting::int FROM pg_settings WHERE name = 'maintenance_work_mem') < 262144
"""
"""Memory of a sort on the server, unless it is set to have more."""


def finish(
    url: sa.URL, schema: SchemaVersion, sequences: Mapping[str, int], dialect: str
) -> tuple[str, ...]:
    """Do all that comes after the data; return facts for the report.

    Raises
    ------
    ValueRefused
        For rows that break a key, a CHECK, a unique index or a reference.
    DatabaseError
    """
    with connect.opened(url, "finishing") as connection:
        connection.execute(staging.BULK)
        connection.execute(_SORTS)
        built = _constraints(connection, schema.metadata, *_KEYS)
        _constraints(connection, schema.metadata, sa.CheckConstraint)
        built += _indexes(connection, schema.metadata)
        proven = _constraints(connection, schema.metadata, sa.ForeignKeyConstraint)
        lost = positions.carry_on(connection, sequences)
        for script in schema.scripts("after", dialect):
            staging.run_script(connection, url, script, "after the data")
        connection.execute("VACUUM (ANALYZE, FREEZE)")
    facts = (_counted(built, "index", "es built"), _counted(proven, "foreign key", "s proven"))
    return tuple(filter(None, (*facts, lost)))


def _counted(number: int, noun: str, plural: str) -> str:
    several, _, verb = plural.partition(" ")
    return f"{number} {noun}{'' if number == 1 else several} {verb}" if number else ""


def _constraints(connection: Connection, metadata: sa.MetaData, *kinds: type[Any]) -> int:
    added = 0
    for table, constraint, statement in ddl.constraints(metadata, *kinds):
        try:
            connection.execute(statement)
        except psycopg.IntegrityError as error:
            found = broken.by_constraint(connection, table, constraint)
            raise _refused(found, error, table) from error
        added += 1
    return added


def _indexes(connection: Connection, metadata: sa.MetaData) -> int:
    built = 0
    for index, statement in ddl.indexes(metadata):
        try:
            connection.execute(statement)
        except psycopg.IntegrityError as error:
            found = broken.by_index(connection, index)
            raise _refused(found, error, index.table) from error
        built += 1
    return built


def _refused(found: ValueRefused | None, error: psycopg.Error, table: sa.Table | None) -> Exception:
    key = "" if table is None else table.key
    return found or failures.constraint(error, key) or error
