"""Creating a staging database and writing tables into it in bulk.

Primary keys are inline, since InnoDB stores rows by them and they come in their order; all
other indexes and the foreign keys come after the data (`finish`).

`unique_checks` stays on. With that and `foreign_key_checks` off, MariaDB fills an empty table
by sorting first: 10.11 took twice the time for rows that are in order already (23 s of its
processor for 2,000,000, not 12).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pymysql

from migrators.backends import ledger
from migrators.backends.model import require_columns
from migrators.backends.mysql import connect, ddl, events, failures, feed, lone_sequences, sql
from migrators.errors import DatabaseError, TargetExists, UsageError
from migrators.failpoints import act
from migrators.stream import cancellable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection
    from migrators.schema import Column, SchemaVersion


def create(
    url: sa.URL, schema: SchemaVersion, dialect: sa.Dialect, scripts: Sequence[str], like: str
) -> None:
    """Create the database with `before` SQL and the tables, with primary keys only.

    Parameters
    ----------
    like : str
        A database whose character set and collation it takes, if that is there.

    Raises
    ------
    TargetExists
        If there is a database of that name with anything in it.
    DatabaseError
    """
    creating = connect.opened(url, "creating", connect.DEFINITIONS, database=False)
    with creating as connection, act("staging made"):
        make_database(connection, str(url.database), like)
    tables(url, schema, dialect, scripts)


@act("staging tables made")
def tables(url: sa.URL, schema: SchemaVersion, dialect: sa.Dialect, scripts: Sequence[str]) -> None:
    """Run the `before` SQL and create the tables, in a database that is there."""
    _require_names(schema.metadata)
    with connect.opened(url, "creating", connect.DEFINITIONS) as connection:
        connect.run(connection, "SET SESSION foreign_key_checks = 0")
        for script in scripts:
            run_script(connection, url, script, "before the tables")
        if connect.is_mariadb(connection):
            dialect.supports_sequences = True  # as SQLAlchemy finds out when it connects
            for statement in lone_sequences.statements(schema.metadata, dialect):
                connect.run(connection, statement)
        for table in schema.metadata.tables.values():
            _create_table(connection, url, table, ddl.create_table(table, dialect))


def between(url: sa.URL, scripts: Sequence[str]) -> None:
    """Run the SQL that comes between the tables and the data."""
    if scripts:
        with connect.opened(url, "creating", connect.DEFINITIONS) as connection:
            for script in scripts:
                run_script(connection, url, script, "between the tables and the data")


def make_database(connection: Connection, database: str, like: str) -> None:
    """Create a database, or take an empty one that an administrator has made.

    Raises
    ------
    TargetExists
    """
    if holds_anything(connection, database):
        raise TargetExists(f"{database}: exists already", hint="migrate discard")
    charset, collation = defaults(connection, like)
    connect.run(
        connection,
        f"CREATE DATABASE IF NOT EXISTS {sql.name(database)} "
        f"CHARACTER SET {charset} COLLATE {collation}",
    )


def defaults(connection: Connection, like: str) -> tuple[str, str]:
    """Return character set and collation of a database, else UTF-8 as the server orders it."""
    found = connect.rows(
        connection,
        "SELECT default_character_set_name, default_collation_name "
        "FROM information_schema.schemata WHERE schema_name = %s",
        (like,),
    )
    if not found:
        found = connect.rows(
            connection,
            "SELECT character_set_name, IF(@@character_set_server = 'utf8mb4', "
            "@@collation_server, default_collate_name) FROM information_schema.character_sets "
            "WHERE character_set_name = 'utf8mb4'",
        )
    charset, collation = found[0]
    return str(charset), str(collation)


def holds_anything(connection: Connection, database: str) -> bool:
    """Whether a database of this name is there, with a table, view or routine in it."""
    found = connect.rows(
        connection,
        "SELECT (SELECT count(*) FROM information_schema.tables WHERE table_schema = %s) + "
        "(SELECT count(*) FROM information_schema.routines WHERE routine_schema = %s)",
        (database, database),
    )
    return bool(found[0][0])


def _require_names(metadata: sa.MetaData) -> None:
    for table in metadata.tables.values():
        if table.schema is not None:
            raise UsageError(
                f"{table.fullname}: a table of another database cannot be loaded here",
                hint="declare it without schema=",
            )
        for name in (table.name, *(column.name for column in table.columns)):
            if len(name) > sql.LONGEST_NAME:
                raise UsageError(
                    f"{table.name}: the name {name} is longer than {sql.LONGEST_NAME} characters",
                    hint="shorten it in the schema module",
                )


def _create_table(connection: Connection, url: sa.URL, table: sa.Table, statement: str) -> None:
    try:
        connect.run(connection, statement)
    except pymysql.err.MySQLError as error:
        if failures.of_session(error):
            raise
        raise DatabaseError(
            f"{url.database}: cannot create {table.name}: {failures.said(error)}",
            hint="migrate plan     names declared types that this database does not take",
        ) from error


def run_script(connection: Connection, url: sa.URL, script: str, when: str) -> None:
    """Run the statements of a schema's own SQL; events that they make do not run yet.

    Raises
    ------
    DatabaseError
        Naming the statement.
    """
    for statement in sql.statements(script):
        event = events.held(statement)
        try:
            if event is None:
                connect.run(connection, statement)
            else:
                events.make(connection, event)
        except pymysql.err.MySQLError as error:
            if failures.of_session(error):
                raise
            begins = " ".join(statement.split())[:80]
            raise DatabaseError(
                f"{url.database}: the SQL that comes {when} fails: "
                f"{failures.said(error)}: {begins}",
                hint="mend the .sql file that stands beside the schema module",
            ) from error


def write(
    url: sa.URL,
    connection: Connection,
    table: str,
    columns: Sequence[Column],
    batches: Iterator[pa.RecordBatch],
    *,
    ledgered: bool = False,
) -> int:
    """Append batches to a table in one transaction; return how many rows were taken.

    Parameters
    ----------
    connection : Connection
        To the URL's database, `sending`; of no use after an error.
    ledgered : bool
        The ledger is told in the same transaction.

    Raises
    ------
    ValueRefused
        For a value that the server would change, or a broken constraint.
    DatabaseError
    """
    require_columns(table, columns)
    with (
        failures.told(url, f"writing {table}"),
        cancellable(partial(connect.kill, url, connection)),
    ):
        connect.run(connection, "START TRANSACTION")
        taken = feed.send(connection, str(url.database), table, columns, batches)
        if ledgered:
            connect.run(connection, ledger.of_table(table, taken, sql.text))
        with act("table loaded"):
            connect.run(connection, "COMMIT")
        return taken
