"""A copy for tests is filled again from its template: a server that clones none is asked for rows.

Making the tables anew takes a second or more, a statement each with the disk waited for; the
rows of fixtures, in one transaction, milliseconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrators.backends.mysql import connect, sql
from migrators.guard import STAMP

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

_TABLES = f"""
SELECT table_name, table_type, auto_increment FROM information_schema.tables
WHERE table_schema = %s ORDER BY {sql.BY_NAME}
"""
_COLUMNS = f"""
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND coalesce(generation_expression, '') = ''
ORDER BY {sql.BY_NAME}, ordinal_position
"""
_PROGRAMS = (
    "SELECT table_name, view_definition, security_type FROM information_schema.views "
    f"WHERE table_schema = %s ORDER BY {sql.BY_NAME}",
    "SELECT routine_name, routine_type, routine_definition, sql_mode "
    "FROM information_schema.routines WHERE routine_schema = %s ORDER BY 1, 2",
    "SELECT event_name, event_definition, status FROM information_schema.events "
    "WHERE event_schema = %s ORDER BY 1",
    "SELECT trigger_name, event_object_table, action_statement, action_timing, "
    "event_manipulation, action_order, sql_mode FROM information_schema.triggers "
    "WHERE trigger_schema = %s ORDER BY 1",
)
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_KINDS = frozenset({"BASE TABLE", "VIEW"})


def rewind(url: sa.URL, template: str) -> bool:
    """Give a copy the rows and counters of its template again.

    Returns
    -------
    bool
        False where it is no copy any more, something in it having been made or altered.
    """
    name = str(url.database)
    with connect.opened(url, "re-seeding", connect.DEFINITIONS) as connection:
        if _shape(connection, name, name) != _shape(connection, template, name):
            return False
        connect.run(connection, f"SET SESSION foreign_key_checks = 0, sql_mode = '{connect.DATA}'")
        triggers = _triggers(connection, name)
        for trigger, _, _ in triggers:
            connect.run(connection, f"DROP TRIGGER {sql.name(trigger)}")
        _rows(connection, template)
        _counters(connection, name, template)
        for _, mode, statement in triggers:
            connect.run(connection, f"SET SESSION sql_mode = {sql.text(mode)}")
            connect.run(connection, statement)
    return True


def _shape(connection: Connection, name: str, shown: str) -> list[Any]:
    """Return what is in a database besides rows; its own name as `shown`."""
    found: list[Any] = []
    for table, kind, _ in connect.rows(connection, _TABLES, (name,)):
        if kind not in _KINDS:
            return [name]  # sequences: like nothing else, so that all is made anew
        found.append((table, kind))
        if kind != "VIEW":
            ((_, statement),) = connect.rows(
                connection, f"SHOW CREATE TABLE {sql.table(name, table)}"
            )
            found.append(_COUNTER.sub("", statement))
    for query in _PROGRAMS:
        rows = connect.rows(connection, query, (name,))
        found += [row for row in rows if row[0] != STAMP]  # it says when it was made
    return [repr(each).replace(name, shown) for each in found]


def _triggers(connection: Connection, name: str) -> list[tuple[str, str, str]]:
    """Return name, SQL mode and statement of each trigger, in the order that they fire."""
    named = connect.rows(
        connection,
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s "
        "ORDER BY event_object_table, action_timing, event_manipulation, action_order",
        (name,),
    )
    found = []
    for (trigger,) in named:
        row = connect.rows(connection, f"SHOW CREATE TRIGGER {sql.name(trigger)}")[0]
        found.append((str(trigger), str(row[1]), str(row[2])))
    return found


def _rows(connection: Connection, template: str) -> None:
    columns: dict[str, list[str]] = {}
    views = {t for t, kind, _ in connect.rows(connection, _TABLES, (template,)) if kind == "VIEW"}
    for table, column in connect.rows(connection, _COLUMNS, (template,)):
        if table not in views:
            columns.setdefault(table, []).append(sql.name(column))
    connect.run(connection, "START TRANSACTION")
    for table, named in columns.items():
        listed = ", ".join(named)
        connect.run(connection, f"DELETE FROM {sql.name(table)}")
        connect.run(
            connection,
            f"INSERT INTO {sql.name(table)} ({listed}) "
            f"SELECT {listed} FROM {sql.table(template, table)}",
        )
    connect.run(connection, "COMMIT")


def _counters(connection: Connection, name: str, template: str) -> None:
    """Let AUTO_INCREMENT stand where it does in the template."""
    there = {table: count for table, _, count in connect.rows(connection, _TABLES, (template,))}
    for table, _, count in connect.rows(connection, _TABLES, (name,)):
        if count != there[table] and there[table] is not None:
            connect.run(
                connection, f"ALTER TABLE {sql.name(table)} AUTO_INCREMENT = {int(there[table])}"
            )
