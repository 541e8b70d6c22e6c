"""Events of a schema's own SQL: made so that they do not run, and let run when it is published.

The scheduler runs an event wherever it stands, so also in a database that nobody has verified.
`staging` makes it DISABLEd and keeps its name beside it; `publish`, or the end of a load in
place, turns it on, last of all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from migrators.backends.mysql import connect, sql
from migrators.failpoints import act

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrators.backends.mysql.wire import Connection

HELD = "migrate_events"
"""The table of ours that names them."""
_VERSIONED = re.compile(r"/\*M?!\d*(.*?)\*/", re.DOTALL)
_NAME = re.compile(r"`((?:[^`]|``)*)`|([\w$]+)")
_HEAD = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?"
    r"(?:DEFINER\s*=\s*(?:(?!\b(?:VIEW|TRIGGER|FUNCTION|PROCEDURE|SQL|AGGREGATE|EVENT)\b)"
    r"(?:`[^`]*`|'[^']*'|.))+?\s*)?"
    r"\bEVENT\s+(?:IF\s+NOT\s+EXISTS\s+)?",
    re.DOTALL | re.IGNORECASE,
)


class Held(NamedTuple):
    """The statement that makes an event which does not run, and the event's name."""

    statement: str
    name: str


def held(statement: str) -> Held | None:
    """Return CREATE EVENT so that it waits; None for any other, and for one that is not to run.

    Its clauses come in one order (manual, "CREATE EVENT"): ENABLE or DISABLE, COMMENT, DO.
    """
    if statement.lstrip().startswith("/*"):  # as mysqldump writes it
        statement = _VERSIONED.sub(r"\1", statement)
    head = _HEAD.match(statement)
    if head is None:
        return None
    named = _NAME.match(statement, head.end())
    while named and (dot := re.compile(r"\s*\.\s*").match(statement, named.end())):
        named = _NAME.match(statement, dot.end())
    if named is None:
        return None
    name = named[1].replace("``", "`") if named[1] is not None else named[2]
    for token in sql.tokens(statement, named.end()):
        word = token[0].upper()
        if word == "DISABLE":
            return None
        if word in ("ENABLE", "COMMENT", "DO"):
            kept = statement[token.end() if word == "ENABLE" else token.start() :]
            return Held(f"{statement[: token.start()].rstrip()} DISABLE {kept.lstrip()}", name)
    return None


def make(connection: Connection, event: Held) -> None:
    """Make an event that does not run, in the session's database."""
    connect.run(
        connection,
        f"CREATE TABLE IF NOT EXISTS {HELD} (name VARCHAR(64) CHARACTER SET utf8mb4 PRIMARY KEY)",
    )
    connect.run(connection, f"REPLACE INTO {HELD} VALUES ({sql.literal(event.name)})")
    connect.run(connection, event.statement)


def waiting(connection: Connection, database: str) -> list[str]:
    """Return the events of a database that wait."""
    if connect.kind_of(connection, database, HELD) is None:
        return []
    found = connect.rows(connection, f"SELECT name FROM {sql.table(database, HELD)} ORDER BY 1")
    return [str(name) for (name,) in found]


def let_run(connection: Connection, database: str, names: Iterable[str]) -> None:
    """Turn events on; each stays with its account, its SQL mode and its time zone."""
    for name in names:
        found = connect.rows(
            connection,
            "SELECT definer, sql_mode, time_zone FROM information_schema.events "
            "WHERE event_schema = %s AND event_name = %s",
            (database, name),
        )
        for definer, mode, zone in found:  # none where a later statement dropped it
            user, _, host = str(definer).rpartition("@")
            connect.run(connection, _meant(mode, zone))
            with act("programs made"):
                connect.run(
                    connection,
                    f"ALTER DEFINER = {sql.name(user)}@{sql.name(host)} "
                    f"EVENT {sql.table(database, name)} ENABLE",
                )
            connect.run(connection, _meant(connect.DEFINITIONS, "+00:00"))


def _meant(mode: str, zone: str) -> str:
    return f"SET SESSION sql_mode = {sql.text(mode)}, time_zone = {sql.text(zone)}"
