"""Creating a staging database: its tables have no keys, no constraints and no indexes yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from migrators.backends.postgresql import connect, ddl, failures, sql
from migrators.errors import DatabaseError
from migrators.failpoints import act

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection
    from migrators.schema import SchemaVersion

BULK = "SET synchronous_commit = off"
"""A staging database is thrown away after a crash; publishing waits for the disk."""


def create(url: sa.URL, schema: SchemaVersion, dialect: str, options: str) -> None:
    """Create the database from `template0`, run the `before` SQL, create the tables.

    Nobody else may connect until it is published.

    Parameters
    ----------
    options : str
        What CREATE DATABASE says of encoding, locale and tablespace, beside the template.

    Raises
    ------
    TargetExists
        If there is a database of that name.
    DatabaseError
    """
    named = sql.name(url.database or "")
    with connect.maintenance(url, "creating") as connection:
        with act("staging made"):
            connection.execute(f"CREATE DATABASE {named} TEMPLATE template0{options}")
        connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {named} FROM PUBLIC")
    tables(url, schema, dialect)


@act("staging tables made")
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
