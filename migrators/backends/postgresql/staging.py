"""Creating a staging database and writing tables into it in bulk.

Tables have no keys, no constraints and no indexes until the data is there (`finish`). Each
is filled in one transaction that empties it first, so that its pages are frozen as they are
written, and need no further pass.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pyarrow as pa

from migrators.backends.postgresql import connect, ddl, failures, feed, quick, sql
from migrators.backends.postgresql.adbc import Adbc
from migrators.errors import DatabaseError
from migrators.stream import ahead, cancellable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection
    from migrators.backends.postgresql.feed import Taken
    from migrators.schema import Column, SchemaVersion

BULK = "SET synchronous_commit = off"
"""A staging database is thrown away after a crash; publishing waits for the disk."""


def create(url: sa.URL, schema: SchemaVersion, dialect: str, locale: str) -> None:
    """Create the database from `template0`, run the `before` SQL, create the tables.

    Nobody else may connect until it is published.

    Parameters
    ----------
    locale : str
        What CREATE DATABASE says of encoding and locale, beside the template.

    Raises
    ------
    TargetExists
        If there is a database of that name.
    DatabaseError
    """
    named = sql.name(url.database or "")
    with connect.maintenance(url, "creating") as connection:
        connection.execute(f"CREATE DATABASE {named} TEMPLATE template0{locale}")
        connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {named} FROM PUBLIC")
    tables(url, schema, dialect)


def tables(url: sa.URL, schema: SchemaVersion, dialect: str) -> None:
    """Run the `before` SQL and create the tables, in a database that is there."""
    with connect.opened(url, "creating") as connection:
        connection.execute(BULK)
        for script in schema.scripts("before", dialect):
            run_script(connection, url, script, "before the tables")
        for statement in ddl.before(schema.metadata, connection.info.server_version):
            _create(connection, url, statement)
        for script in schema.scripts("between", dialect):
            run_script(connection, url, script, "between the tables and the data")


def _create(connection: Connection, url: sa.URL, statement: str) -> None:
    try:
        connection.execute(statement)
    except psycopg.errors.DuplicateObject as error:
        raise DatabaseError(f"{url.database}: {error.diag.message_primary}") from error
    except psycopg.errors.ProgrammingError as error:
        begins = " ".join(statement.split())[:80]
        raise DatabaseError(
            f"{url.database}: {error.diag.message_primary}: {begins}",
            hint="correct it in the schema module, or add it to the SQL before the tables",
        ) from error


def run_script(connection: Connection, url: sa.URL, script: str, when: str) -> None:
    """Run a schema's own SQL, all of it or nothing.

    Raises
    ------
    DatabaseError
        Naming the line.
    """
    try:
        connection.execute(script)
    except psycopg.Error as error:
        if failures.of_session(error):
            raise
        place = int(error.diag.statement_position or 0)
        line = f", line {script.count(chr(10), 0, place - 1) + 1}" if place else ""
        raise DatabaseError(
            f"{url.database}: the SQL that comes {when} fails{line}: {error.diag.message_primary}",
            hint="mend the .sql file that stands beside the schema module",
        ) from error


def write(
    url: sa.URL,
    table: str,
    columns: Sequence[Column],
    batches: Iterator[pa.RecordBatch],
    key: Sequence[str] = (),
) -> int:
    """Append batches to a table in one transaction; return how many rows were taken.

    Parameters
    ----------
    key : sequence of str
        Columns that name a row in messages; the first one unless given.

    Raises
    ------
    ValueRefused
        For a value that the column cannot hold exactly.
    DatabaseError
    """
    if not columns:
        raise DatabaseError(f"{table}: a table without stored columns cannot be loaded")
    with connect.opened(url, f"writing {table}") as connection:
        connection.execute(BULK)
        taken = feed.declared(connection, table)
        feeding = feed.Feed(taken, columns, batches, key or [columns[0].name])
        if taken.plain and quick.writes(columns, taken.types):
            return _ingested(url, connection, taken, columns, feeding)
        try:
            with connect.transaction(connection):
                return _copied(connection, taken, columns, feeding)
        except psycopg.Error as error:
            raise failures.constraint(error, table) or error from error


def _ingested(
    url: sa.URL,
    connection: Connection,
    taken: Taken,
    columns: Sequence[Column],
    feeding: feed.Feed,
) -> int:
    failed: list[BaseException] = []

    def given(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:  # the driver would tell of it in words of its own
            yield from (quick.encoded(batch, columns, taken.types) for batch in batches)
        except BaseException as error:
            failed.append(error)
            raise

    schema = quick.schema(columns, taken.types)
    with closing(Adbc(url, connection)) as adbc:
        adbc.run("BEGIN")  # VACUUM sees no rows whose commit is not on disk: no BULK here
        try:
            with ahead(feeding.checked()) as batches, cancellable(adbc.cancel):
                rows = pa.RecordBatchReader.from_batches(schema, given(batches))
                found = adbc.ingest(*taken.place, rows)
        except psycopg.Error as error:
            if failed:
                raise failed[0] from None
            raise failures.constraint(error, taken.table) or error from error
        if found != feeding.rows:
            raise DatabaseError(f"{taken.table}: {feeding.rows} rows were sent and {found} taken")
        adbc.run("COMMIT")
    return found


def _copied(
    connection: Connection, taken: Taken, columns: Sequence[Column], feeding: feed.Feed
) -> int:
    names = ", ".join(sql.name(c.name) for c in columns)
    alone = f"ONLY {taken.quoted}" if taken.plain else taken.quoted  # not what inherits from it
    empty = connection.execute(f"SELECT NOT EXISTS (SELECT FROM {alone})").fetchone()
    if empty is not None and empty[0]:
        connection.execute(f"TRUNCATE {alone}")
    freeze = ", FREEZE" if empty is not None and empty[0] and taken.plain else ""
    copy = f"COPY {taken.quoted} ({names}) FROM STDIN (FORMAT csv{freeze})"
    with connection.cursor() as cursor:
        with ahead(feeding.blocks()) as blocks, cursor.copy(copy) as sink:
            for block in blocks:
                sink.write(block)
        found = cursor.rowcount
    if found != feeding.rows:
        raise DatabaseError(f"{taken.table}: {feeding.rows} rows were sent and {found} taken")
    return found
