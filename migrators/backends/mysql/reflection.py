"""A live database as SQLAlchemy declares it, and SQL for what it does not model.

`freeze --from URL` asks. SQLAlchemy reads SHOW CREATE TABLE by patterns: defaults that are
expressions come cut, descending indexes ascending; these are read from the server again.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.reserved_words import RESERVED_WORDS_MARIADB, RESERVED_WORDS_MYSQL
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from migrators.backends.mysql import beside, connect, lone_sequences, programs, sql
from migrators.errors import DatabaseError
from migrators.guard import STAMP
from migrators.schema.fingerprint import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.mysql.programs import Program

_COLUMNS = """
SELECT table_name, column_name, column_default, extra, is_nullable
FROM information_schema.columns WHERE table_schema = DATABASE()
AND coalesce(generation_expression, '') NOT IN ('ROW START', 'ROW END')
"""
_CHECKS = """
SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints
WHERE constraint_schema = DATABASE() AND level = 'Column'
"""
_NAMES = """
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()
UNION SELECT table_name, index_name FROM information_schema.statistics
WHERE table_schema = DATABASE()
UNION SELECT table_name, constraint_name FROM information_schema.table_constraints
WHERE table_schema = DATABASE()
"""
_WIDTHS = {
    "TINYINT": (4, 3), "SMALLINT": (6, 5), "MEDIUMINT": (9, 8), "INTEGER": (11, 10),
    "BIGINT": (20, 20), "YEAR": (4, 4),
}  # fmt: skip
"""What a type shows by itself, with a sign and without; TINYINT(1) is a boolean to many."""
_NAMED = re.compile(r"'(?:[^'\\]|''|\\.)*'|`([a-z_][a-z0-9_]*)`")
_WORDS = RESERVED_WORDS_MARIADB | RESERVED_WORDS_MYSQL | RESERVED_WORDS
"""Names that mean something else in MariaDB, MySQL or PostgreSQL unless they are quoted."""
_JSON = re.compile(r"^  `((?:[^`]|``)+)` longtext .*CHECK \(json_valid\(`\1`\)\)", re.MULTILINE)
_DEFINER = re.compile(r"\bDEFINER=(?:`([^`]*)`|'([^']*)')@(?:`([^`]*)`|'([^']*)')\s*")


def check_names(connection: sa.Connection) -> None:
    """Refuse names that SQLAlchemy does not find again in SHOW CREATE TABLE.

    It reads that line by line, and leaves two backticks what the server made of one.

    Raises
    ------
    DatabaseError
        The first of them; it is not that a column is left out.
    """
    found = connection.exec_driver_sql(_NAMES).all()
    broken = sorted((t, name) for t, name in found if "`" in name or len(name.splitlines()) > 1)
    if broken:
        table, name = broken[0]
        raise DatabaseError(
            f"table {table!r}: the name {name!r} has a line break or a backtick: it cannot be read",
            hint="write the schema module by hand; a step may carry such names",
        )


def amend(connection: sa.Connection, metadata: sa.MetaData) -> tuple[dict[str, str], list[str]]:
    """Complete reflected tables; return SQL beside them, by when it runs, and notes."""
    found = []
    for table in metadata.tables.values():
        ((_, text),) = connection.exec_driver_sql(f"SHOW CREATE TABLE {_quoted(table)}").all()
        _json(table, str(text))
        _options(table)
        found.append(beside.read(table, str(text)))
    if "mariadb" in str(connection.exec_driver_sql("SELECT version()").scalar()).lower():
        _defaults(connection, metadata)
        _checks(connection, metadata)
    for table in metadata.tables.values():
        _bare(table)
        for column in table.columns:
            _narrow(column)
    said = {
        "before": _sequences(connection),
        "between": [statement for each in found for statement in each.between],
        "after": [statement for each in found for statement in each.after],
    }
    said["after"] += _programs(connection)
    scripts = {
        when: "\n\n".join(f"{s};" for s in listed) for when, listed in said.items() if listed
    }
    return scripts, [note for each in found for note in each.notes]


def _sequences(connection: sa.Connection) -> list[str]:
    """Return MariaDB's sequences as SQL; a table's default may take from one."""
    link: Any = connection.connection.driver_connection
    found = lone_sequences.of(link, _database(connection))
    return [f"CREATE SEQUENCE {sql.name(each.name)} {each.said}" for each in found]


def _database(connection: sa.Connection) -> str:
    return str(connection.engine.url.database)


def _quoted(table: sa.Table) -> str:
    return sql.name(table.name).replace("%", "%%")


def _defaults(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Give columns their defaults as MariaDB tells them, which is as SQL."""
    for key, name, default, extra, nullable in connection.exec_driver_sql(_COLUMNS).all():
        table = metadata.tables.get(key)
        if table is None:
            continue
        if name not in table.columns:  # a warning of SQLAlchemy's, and a column that is lost
            raise DatabaseError(
                f"{key}.{name}: SQLAlchemy cannot read how this column is defined",
                hint="write the schema module by hand",
            )
        if table.columns[name].computed is not None:
            continue
        made = re.search(r"on update (\S+)", extra or "", re.IGNORECASE)
        plain = default is None or (default == "NULL" and nullable == "YES")
        told = ("NULL" if made else "") if plain else str(default)
        told = lone_sequences.without_place(told, _database(connection))
        told += f" ON UPDATE {made[1]}" if made else ""
        table.columns[name].server_default = sa.DefaultClause(sa.text(told)) if told else None


def _checks(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Give columns the CHECK that stands in them, which has no name but theirs."""
    for key, name, clause in connection.exec_driver_sql(_CHECKS).all():
        table = metadata.tables.get(key)
        if table is not None and not isinstance(table.columns[name].type, sa.JSON):
            check = sa.CheckConstraint(sa.text(clause))
            check._set_parent_with_dispatch(table.columns[name])  # noqa: SLF001  as in its Column


def _bare(table: sa.Table) -> None:
    """Let the SQL of a table name columns as every database reads them, without backticks."""
    for constraint in constraints(table):
        if isinstance(constraint, sa.CheckConstraint):
            constraint.sqltext = _without_backticks(constraint.sqltext)
    for column in table.columns:
        if column.computed is not None:
            column.computed.sqltext = _without_backticks(column.computed.sqltext)
        if isinstance(column.server_default, sa.DefaultClause):
            column.server_default.arg = _without_backticks(column.server_default.arg)


def _without_backticks(found: Any) -> Any:
    if not isinstance(found, sa.TextClause):
        return found
    return sa.text(_NAMED.sub(lambda m: m[0] if m[1] in _WORDS else m[1] or m[0], found.text))


def _narrow(column: sa.Column[Any]) -> None:
    """Leave out the width that an integer type shows by itself."""
    found: Any = column.type
    widths = _WIDTHS.get(found.__visit_name__)
    unsigned = bool(getattr(found, "unsigned", False))
    if (
        widths
        and getattr(found, "display_width", None) == widths[unsigned]
        and not getattr(found, "zerofill", False)
    ):
        found.display_width = None


def _json(table: sa.Table, text: str) -> None:
    """Declare as JSON what MariaDB makes of it: a long text with a check."""
    for match in _JSON.finditer(text):
        table.columns[match[1].replace("``", "`")].type = sa.JSON()


def _options(table: sa.Table) -> None:
    """Keep engine, character set, collation and the like under names that can be written."""
    for option in list(table.dialect_kwargs):
        value = table.dialect_kwargs[option]
        database, _, name = option.partition("_")
        if name in ("comment", "checksum") or name.startswith("partition"):
            del table.dialect_kwargs[option]
        elif name == "default charset":
            del table.dialect_kwargs[option]
            table.dialect_kwargs[f"{database}_charset"] = value


def _programs(connection: sa.Connection) -> Iterator[str]:
    """Yield views, routines, triggers and events.

    What is of the account that asks is of whoever makes it; what runs with the rights of another
    account goes on doing so.
    """
    driver: Any = connection.connection.dbapi_connection
    mode = connect.DEFINITIONS
    database, me = connection.exec_driver_sql("SELECT DATABASE(), CURRENT_USER()").one()

    def without_mine(definer: re.Match[str]) -> str:
        user, host = (definer[1] or definer[2] or ""), (definer[3] or definer[4] or "")
        return "" if f"{user}@{host}" == me else definer[0]

    found = [each for each in programs.of(driver, database) if each.name != STAMP]
    for program in _ordered(found):
        if program.mode and set(program.mode.split(",")) != set(mode.split(",")):
            mode = program.mode
            yield f"SET SESSION sql_mode = {sql.text(mode)}"
        zoned = program.zone not in ("", "+00:00")
        if zoned:
            yield f"SET SESSION time_zone = {sql.text(program.zone)}"
        yield _DEFINER.sub(without_mine, program.text, count=1)
        if zoned:
            yield "SET SESSION time_zone = '+00:00'"


def _ordered(found: list[Program]) -> list[Program]:
    """Return programs so that a view comes after the views that it names."""
    views = {each.name: each for each in found if each.kind == "VIEW"}
    named = {
        name: {other for other in views if other != name and sql.name(other) in view.text}
        for name, view in views.items()
    }
    try:
        order = iter(TopologicalSorter(named).static_order())
    except CycleError:  # a view that names a column as another view is named, and back
        return found
    return [views[next(order)] if each.kind == "VIEW" else each for each in found]
