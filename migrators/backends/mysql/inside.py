"""Loading a database in place: see `backends.in_place`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.in_place import InPlace, refuse_filled
from migrators.backends.mysql import connect, events, sql
from migrators.backends.mysql.backend import MariaDBBackend, MySQLBackend
from migrators.backends.stamping import MARK
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection
    from migrators.schema import SchemaVersion

_OBJECTS = """
SELECT IF(table_type LIKE '%%VIEW', 'VIEW', IF(table_type = 'SEQUENCE', 'SEQUENCE', 'TABLE')),
    table_name FROM information_schema.tables WHERE table_schema = {name}
UNION ALL SELECT routine_type, routine_name FROM information_schema.routines
WHERE routine_schema = {name}
UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = {name}
"""


class Inside(InPlace, MySQLBackend):
    """A database that a run loads in place."""

    def create(self, schema: SchemaVersion) -> None:
        """Mark the database and create the tables."""
        from migrators.backends.mysql import staging

        begin(self.url, self._run)
        staging.tables(self.url, schema, self.dialect, self._scripts(schema, "before"))
        staging.between(self.url, self._scripts(schema, "between"))

    def ready(self) -> None:
        """Refuse a database that is not there, or not empty."""
        ready(self.url)

    def _marked(self) -> str | None:
        with connect.opened(self.url, "looking", database=False) as connection:
            return _mark(connection, str(self.url.database))

    def _end(self) -> None:
        with connect.opened(self.url, "stamping", connect.DEFINITIONS) as connection:
            name = str(self.url.database)
            events.let_run(connection, name, events.waiting(connection, name))
            connect.run(connection, f"DROP TABLE IF EXISTS {events.HELD}")
            connect.run(connection, f"DROP VIEW IF EXISTS {MARK}")

    def _empty(self) -> None:
        empty(self.url, self._run)


class InsideMariaDB(Inside, MariaDBBackend):
    """The same of a MariaDB server."""


def _mark(connection: Connection, database: str) -> str | None:
    if connect.kind_of(connection, database, MARK) is None:
        return None
    ((run,),) = connect.rows(connection, f"SELECT run FROM {sql.table(database, MARK)}")
    return str(run)


def ready(url: sa.URL) -> None:
    """Refuse a database that is not there, or not empty.

    Raises
    ------
    DatabaseError, TargetExists
    """
    name = str(url.database)
    with connect.opened(url, "looking", database=False) as connection:
        there = connect.rows(
            connection,
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s",
            (name,),
        )
        if not there:
            raise DatabaseError(
                f"{name} is not there, or nothing in it may be seen",
                hint="--into takes an empty database that is there; --to makes a new one",
            )
        _refuse_filled(connection, name)


def _refuse_filled(connection: Connection, name: str) -> None:
    refuse_filled(name, [found for _, found in _objects(connection, name)])


def begin(url: sa.URL, run: str) -> None:
    """Mark an empty database as a run's.

    Raises
    ------
    TargetExists
        If it is not empty.
    """
    with connect.opened(url, "creating", connect.DEFINITIONS) as connection:
        _refuse_filled(connection, str(url.database))
        view = f"SQL SECURITY INVOKER VIEW {MARK} AS SELECT {sql.text(run)} AS run"
        connect.run(connection, f"CREATE {view}")


def empty(url: sa.URL, run: str) -> None:
    """Remove all that a run made, its mark last; nothing where the mark is not its own."""
    name = str(url.database)
    with connect.opened(url, "emptying", connect.DEFINITIONS) as connection:
        if _mark(connection, name) != run:
            return
        connect.run(connection, "SET SESSION foreign_key_checks = 0")
        for kind, found in _objects(connection, name):
            if found != MARK:
                connect.run(connection, f"DROP {kind} IF EXISTS {sql.name(found)}")
        connect.run(connection, f"DROP VIEW IF EXISTS {MARK}")


def _objects(connection: Connection, database: str) -> list[tuple[str, str]]:
    query = _OBJECTS.format(name=sql.literal(database)).replace("%%", "%")
    return [(str(kind), str(name)) for kind, name in connect.rows(connection, query)]
