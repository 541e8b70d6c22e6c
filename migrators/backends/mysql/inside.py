"""Loading a database in place, where none may be created: it is there and empty.

A view says which run is at work in it, so that what a crash leaves is emptied by that run's
project and by nobody else; it goes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, sql, stamp
from migrators.backends.mysql.backend import MariaDBBackend, MySQLBackend
from migrators.errors import DatabaseError, TargetExists

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.interface import Backend, Stamp
    from migrators.backends.mysql.wire import Connection
    from migrators.schema import SchemaVersion

MARK = "migrate_loading"
_OBJECTS = """
SELECT IF(table_type LIKE '%%VIEW', 'VIEW', IF(table_type = 'SEQUENCE', 'SEQUENCE', 'TABLE')),
    table_name FROM information_schema.tables WHERE table_schema = {name}
UNION ALL SELECT routine_type, routine_name FROM information_schema.routines
WHERE routine_schema = {name}
UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = {name}
"""
_SHOWN = 3


class Inside(MySQLBackend):
    """A database that a run loads in place.

    Parameters
    ----------
    run : str
        Whose mark it bears.
    """

    in_place = True

    def __init__(self, url: sa.URL, run: str) -> None:
        super().__init__(url)
        self._run = run

    def exists(self) -> bool:
        """Whether the run's mark is on it."""
        return marked(self.url, self._run)

    def like(self, old: Backend) -> Inside:  # noqa: ARG002
        """Return this database: character set and collation are what they are."""
        return self

    def create(self, schema: SchemaVersion) -> None:
        """Mark the database and create the tables."""
        from migrators.backends.mysql import staging

        begin(self.url, self._run)
        staging.tables(self.url, schema, self.dialect, self._scripts(schema, "before"))
        staging.between(self.url, self._scripts(schema, "between"))

    def write_stamp(self, stamp: Stamp) -> None:
        """Write the stamp, which publishes; then take the mark away."""
        super().write_stamp(stamp)
        end(self.url)

    def ready(self) -> None:
        """Refuse a database that is not there, or not empty."""
        ready(self.url)

    def discard(self) -> None:
        """Empty it, unless it is stamped: then only the mark is left of the run."""
        if self.stamp() is None:
            empty(self.url, self._run)
        else:
            end(self.url)


class InsideMariaDB(Inside, MariaDBBackend):
    """The same of a MariaDB server."""


def marked(url: sa.URL, run: str) -> bool:
    """Whether a run is, or was, at work in the database."""
    with connect.opened(url, "looking", database=False) as connection:
        return _mark(connection, str(url.database)) == run


def _mark(connection: Connection, database: str) -> str | None:
    if stamp.kind_of(connection, database, MARK) is None:
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
    found = _objects(connection, name)
    if found:
        shown = ", ".join(name for _, name in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise TargetExists(
            f"{name} is not empty: {shown}{more}; nothing was overwritten",
            hint="--into takes an empty database; --to makes a new one",
        )


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


def end(url: sa.URL) -> None:
    """Take the mark away."""
    with connect.opened(url, "stamping", connect.DEFINITIONS) as connection:
        connect.run(connection, f"DROP VIEW IF EXISTS {MARK}")


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
