"""After the data: unique constraints, indexes, foreign keys, counters, the schema's own SQL.

A table's indexes are built by one ALTER, which reads it once; several tables at a time, each in
a session of its own. Foreign keys are added unchecked (two million rows: 17.8 s checked, 0.01 s
unchecked), one after the other since each locks two tables, and proven by anti-join
(`foreign_keys`).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pymysql
import sqlalchemy as sa
from pymysql.constants import ER

from migrators.backends import ledger
from migrators.backends.model import not_carried
from migrators.backends.mysql import connect, failures, feed, lone_sequences, sql, staging
from migrators.backends.mysql.broken import duplicates
from migrators.errors import DatabaseError
from migrators.failpoints import act
from migrators.stream import cancellable, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrators.backends.mysql.wire import Connection
    from migrators.schema import SchemaVersion

_STORED = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = %s AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1
"""
_UNCHECKED = "SET SESSION foreign_key_checks = 0, unique_checks = 1"


def finish(
    url: sa.URL,
    schema: SchemaVersion,
    sequences: Mapping[str, int],
    dialect: sa.Dialect,
    scripts: Sequence[str],
    jobs: int = 1,
) -> tuple[str, ...]:
    """Do all that comes after the data; return facts for the report.

    Parameters
    ----------
    jobs : int
        Tables at a time.

    Raises
    ------
    ValueRefused
        For rows that break a unique index.
    DatabaseError
    """
    tables = _copied(schema.metadata)
    with ExitStack() as stack:
        sessions = [stack.enter_context(_session(url)) for _ in range(jobs)]
        connection = sessions[0]
        with act("load ended"):
            connect.run(connection, ledger.DROP)
        sizes = _sizes(connection, str(url.database))

        def indexed(table: sa.Table, session: Connection, _: object) -> int:
            with cancellable(partial(connect.kill, url, session)):
                return _indexes(session, url, table, dialect)

        with act("indexes built"):
            built = sum(
                side_by_side(
                    tables, sessions, indexed, lambda _: None, weigh=lambda t: sizes.get(t.name, 0)
                )
            )
        for table in tables:
            _foreign_keys(connection, url, table, dialect)
        with act("counters set"):
            left = lone_sequences.carry_on(connection, str(url.database), sequences)
            passed = lone_sequences.pass_taken(
                connection, str(url.database), schema.metadata, sequences
            )
            counted = [table for table in tables if table.key not in passed]
            anew = not_carried(left)
            kept = "; ".join(filter(None, (_counters(connection, counted, sequences), anew)))
        with act("own SQL run"):
            for script in scripts:
                staging.run_script(connection, url, script, "after the data")
        slow = () if feed.takes_files(connection) else (_SLOW,)
    indexes = f"{built} {'index' if built == 1 else 'indexes'} built" if built else ""
    return (*(fact for fact in (indexes, kept) if fact), *slow)


@contextmanager
def _session(url: sa.URL) -> Iterator[Connection]:
    with connect.opened(url, "finishing", connect.DEFINITIONS) as connection:
        connect.run(connection, _UNCHECKED)
        yield connection


def _sizes(connection: Connection, database: str) -> dict[str, int]:
    """Return each table's bytes, as far as the server knows."""
    query = "SELECT table_name, data_length FROM information_schema.tables WHERE table_schema = %s"
    return {
        str(name): int(size or 0) for name, size in connect.rows(connection, query, (database,))
    }


def _copied(metadata: sa.MetaData) -> list[sa.Table]:
    """Return the tables anew: AddConstraint takes a constraint out of its CREATE TABLE for good."""
    copy = sa.MetaData()
    return [table.to_metadata(copy) for table in metadata.tables.values()]


_SLOW = (
    "local_infile is off on the server: rows went in by INSERT, which takes several times longer"
)


def _indexes(connection: Connection, url: sa.URL, table: sa.Table, dialect: sa.Dialect) -> int:
    """Build a table's unique constraints and indexes; return how many."""
    uniques = [c for c in _declared(table) if isinstance(c, sa.UniqueConstraint)]
    indexes = sorted(table.indexes, key=lambda index: str(index.name or ""))
    parts = [_part(sa.schema.AddConstraint(c), table, dialect) for c in uniques]
    parts += [_index_part(index, table, dialect) for index in indexes]
    _alter(connection, url, table, parts)
    return len(parts)


def _declared(table: sa.Table) -> list[sa.Constraint]:
    """Return a table's constraints in the order in which CREATE TABLE has them."""
    return sorted(table.constraints, key=lambda c: getattr(c, "_creation_order", 0))


def _part(add: sa.schema.AddConstraint, table: sa.Table, dialect: sa.Dialect) -> str:
    """Return what stands behind ALTER TABLE t."""
    text = str(add.compile(dialect=dialect)).strip()
    begins = f"ALTER TABLE {dialect.identifier_preparer.format_table(table)} "
    return text.removeprefix(begins)


def _index_part(index: sa.Index, table: sa.Table, dialect: sa.Dialect) -> str:
    """Return CREATE INDEX as a part of an ALTER TABLE."""
    text = str(sa.schema.CreateIndex(index).compile(dialect=dialect)).strip()
    preparer = dialect.identifier_preparer
    named = preparer.format_index(index)
    head, _, tail = text.partition(f"{named} ON {preparer.format_table(table)} ")
    return f"{head.replace('CREATE', 'ADD', 1)}{named} {tail}"


def _alter(connection: Connection, url: sa.URL, table: sa.Table, parts: Sequence[str]) -> None:
    if not parts:
        return
    try:
        connect.run(connection, f"ALTER TABLE {sql.name(table.name)} {', '.join(parts)}")
    except pymysql.err.MySQLError as error:
        if failures.of_session(error):
            raise
        if failures.code(error) not in (ER.DUP_ENTRY, 1586, 1859):
            raise DatabaseError(
                f"{url.database}: {table.name} cannot get its indexes and keys: "
                f"{failures.said(error)}",
                hint="mend their declaration in the schema module",
            ) from error
        raise _twice(connection, table) or failures.translated(error, url) from error


def _twice(connection: Connection, table: sa.Table) -> Exception | None:
    """Return the rows that a unique key of the table makes one."""
    keys: list[Any] = [c for c in _declared(table) if isinstance(c, sa.UniqueConstraint)]
    keys += [index for index in table.indexes if index.unique]
    for key in keys:
        columns = [column.name for column in key.columns]
        found = duplicates(connection, table, columns) if columns else None
        if found is not None:
            return found
    return None


@act("references added")
def _foreign_keys(
    connection: Connection, url: sa.URL, table: sa.Table, dialect: sa.Dialect
) -> None:
    keys = [c for c in _declared(table) if isinstance(c, sa.ForeignKeyConstraint)]
    _alter(
        connection,
        url,
        table,
        [_part(sa.schema.AddConstraint(key), table, dialect) for key in keys],
    )


def _counters(
    connection: Connection, tables: Sequence[sa.Table], sequences: Mapping[str, int]
) -> str:
    """Let AUTO_INCREMENT go on after the old position; InnoDB keeps it above the highest key."""
    lost = []
    for table in tables:
        position = sequences.get(table.key)
        if position is None:
            continue
        if table.autoincrement_column is None:
            lost.append(table.name)
            continue
        connect.run(
            connection, f"ALTER TABLE {sql.name(table.name)} AUTO_INCREMENT = {position + 1}"
        )
    return f"no AUTO_INCREMENT, goes on after the highest key: {', '.join(lost)}" if lost else ""


def settle(url: sa.URL) -> None:
    """ANALYZE every table of a database that will be published; refuse what could not be.

    Raises
    ------
    DatabaseError
    """
    with connect.opened(url, "finishing") as connection, act("statistics gathered"):
        lone_sequences.refuse(connection, str(url.database))
        found = connect.rows(connection, _STORED, (str(url.database),))
        for names in _chunks([sql.name(table) for (table,) in found]):
            connect.rows(connection, f"ANALYZE TABLE {', '.join(names)}")


def _chunks(names: list[str], size: int = 100) -> Iterator[list[str]]:
    for at in range(0, len(names), size):
        yield names[at : at + size]
