"""Views, routines, triggers and events of a database, as statements that make them elsewhere.

RENAME TABLE moves tables from one database to another; these cannot be moved (errors 1435,
1450) and are made anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pymysql
from pymysql.constants import ER

from migrators.backends.mysql import connect, rights, sql
from migrators.errors import DatabaseError
from migrators.failpoints import act
from migrators.guard import STAMP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.backends.mysql.wire import Connection

_BODY = {"VIEW": 1, "PROCEDURE": 2, "FUNCTION": 2, "TRIGGER": 2, "EVENT": 3}
"""Which column of SHOW CREATE holds the statement."""
_MODE = {"PROCEDURE": 1, "FUNCTION": 1, "TRIGGER": 1, "EVENT": 1}
_ZONE = 2
_NOT_YET = (ER.NO_SUCH_TABLE, ER.VIEW_INVALID, ER.SP_DOES_NOT_EXIST)
"""What a view says that reads another one which is not made yet."""


@dataclass(frozen=True)
class Program:
    """A view, routine, trigger or event.

    Attributes
    ----------
    kind, name : str
        "VIEW", "TRIGGER" …
    mode : str
        SQL mode that it was made in, and keeps.
    text : str
        The statement that makes it, in its own database.
    zone : str
        Time zone in which an event's times are meant.
    """

    kind: str
    name: str
    mode: str
    text: str
    zone: str = ""

    @act("programs made")
    def make(self, connection: Connection) -> None:
        """Make it in the session's database, in place of one of the same name."""
        mode = self.mode or connect.DEFINITIONS
        connect.run(connection, f"SET SESSION sql_mode = {sql.text(mode)}")
        self.drop(connection)
        if self.zone:
            connect.run(connection, f"SET SESSION time_zone = {sql.text(self.zone)}")
        try:
            connect.run(connection, self.text)
        finally:
            if self.zone:
                connect.run(connection, "SET SESSION time_zone = '+00:00'")

    @act("programs dropped")
    def drop(self, connection: Connection) -> None:
        """Drop it from the session's database, if it is there."""
        connect.run(connection, f"DROP {self.kind} IF EXISTS {sql.name(self.name)}")


def of(connection: Connection, database: str) -> list[Program]:
    """Return the programs of a database, in the order in which they can be made.

    Routines first, then views, triggers in the order in which they fire, events; the stamp
    last of all.
    """
    connection.select_db(database)
    found = [
        _shown(connection, database, kind, name) for kind, name in _names(connection, database)
    ]
    return sorted(found, key=lambda each: each.name == STAMP and each.kind == "VIEW")


def _names(connection: Connection, database: str) -> Iterator[tuple[str, str]]:
    for query in (
        "SELECT routine_type, routine_name FROM information_schema.routines "
        "WHERE routine_schema = %s ORDER BY 1, 2",
        "SELECT 'VIEW', table_name FROM information_schema.views "
        "WHERE table_schema = %s ORDER BY 2",
        "SELECT 'TRIGGER', trigger_name FROM information_schema.triggers "
        "WHERE trigger_schema = %s ORDER BY event_object_table, action_order",
        "SELECT 'EVENT', event_name FROM information_schema.events "
        "WHERE event_schema = %s ORDER BY 2",
    ):
        for kind, name in connect.rows(connection, query, (database,)):
            yield str(kind), str(name)


def _shown(connection: Connection, database: str, kind: str, name: str) -> Program:
    (row,) = connect.rows(connection, f"SHOW CREATE {kind} {sql.name(name)}")
    if row[_BODY[kind]] is None:
        ((me,),) = connect.rows(connection, "SELECT CURRENT_USER()")
        raise DatabaseError(
            f"{database}: what {kind.lower()} {name} does may not be seen by {me}",
            hint=(
                "an administrator types:",
                f"GRANT SELECT ON mysql.proc TO {rights.quoted(str(me))};     MariaDB",
                f"GRANT SHOW_ROUTINE ON *.* TO {rights.quoted(str(me))};     MySQL",
            ),
        )
    text = str(row[_BODY[kind]]).replace(f"{sql.name(database)}.", "")
    if kind == "TRIGGER":  # its name may be written with the database's
        text = re.sub(rf"\b{re.escape(database)}\.", "", text)
    mode = str(row[_MODE[kind]]) if kind in _MODE else ""
    return Program(kind, name, mode, text, str(row[_ZONE]) if kind == "EVENT" else "")


def make_all(connection: Connection, database: str, programs: Sequence[Program]) -> None:
    """Make programs in a database; views that read one another come in the order that works."""
    connection.select_db(database)
    waiting = list(programs)
    while waiting:
        later = []
        for program in waiting:
            try:
                program.make(connection)
            except pymysql.err.MySQLError as error:
                if error.args[0] not in _NOT_YET:
                    raise
                later.append(program)
                failed = error
        if len(later) == len(waiting):
            raise failed
        waiting = later
