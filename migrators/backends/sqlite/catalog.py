"""What a database holds besides rows, in comparable form.

Read from sqlite_master and PRAGMA table_xinfo. A hand-written schema and the one that
SQLAlchemy creates from its reflection are alike: types are compared as SQLAlchemy writes
them, keys are not null, rowid tables' integer keys are what they are.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from migrators.backends.interface import Catalog
from migrators.backends.sqlite import references, sql, table_sql, tokens
from migrators.backends.sqlite.declared import held_text, storage_classes, type_text
from migrators.backends.stamping import OURS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    import sqlalchemy as sa

    from migrators.backends.sqlite.table_sql import Constraint

    Facts = Iterator[tuple[tuple[str, str], str]]

_FTS5 = ("data", "idx", "content", "docsize", "config")
_FTS4_AND_RTREE = ("segments", "segdir", "stat", "node", "parent", "rowid")
_SHADOWS = frozenset((*_FTS5, *_FTS4_AND_RTREE))
"""Endings of the tables that FTS and R-tree tables keep (fts5.html, rtree.html)."""
_GENERATED = (2, 3)  # PRAGMA table_xinfo: hidden = 2 virtual, 3 stored
_OF_TABLES = ("index", "trigger")
"""What is named with its table, so that `drift` sees what belongs to a further one."""


def read(connection: sqlite3.Connection, dialect: sa.Dialect) -> Catalog:
    """Return the catalogue of an open database."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    virtual = {n for k, n, _, s in rows if k == "table" and is_virtual(s)}
    objects: dict[tuple[str, str], str] = {}
    for kind, name, owner, statement in rows:
        if _is_left_out(name, owner, statement, virtual):
            continue
        full = f"{owner}.{name}" if kind in _OF_TABLES else name
        for key, facts in _facts(connection, dialect, kind, full, statement):
            objects[_free(objects, key)] = facts
    return Catalog(objects)


def is_virtual(statement: str | None) -> bool:
    """Whether a statement makes a virtual table."""
    return bool(re.match(r"\s*create\s+virtual\b", statement or "", re.IGNORECASE))


def is_store(name: str, virtual: set[str]) -> bool:
    """Whether a table is one that a virtual table keeps its rows in."""
    head, _, tail = name.rpartition("_")
    return head in virtual and tail in _SHADOWS


def _is_left_out(name: str, owner: str, statement: str | None, virtual: set[str]) -> bool:
    """Whether something is SQLite's own, ours, Alembic's, or a virtual table's store."""
    shadow = is_store(owner, virtual)
    own = name.startswith("sqlite_") or owner.startswith("sqlite_")
    return own or statement is None or shadow or name in OURS or owner in OURS


def _free(objects: dict[tuple[str, str], str], key: tuple[str, str]) -> tuple[str, str]:
    """Return a key that is not taken: two equal constraints are two objects."""
    kind, name = key
    again = 2
    while key in objects:
        key = (kind, f"{name} ({again})")
        again += 1
    return key


def _facts(
    connection: sqlite3.Connection, dialect: sa.Dialect, kind: str, name: str, statement: str
) -> Facts:
    if kind != "table":
        yield (kind, name), _definition(statement)
    elif is_virtual(statement):
        yield ("virtual table", name), tokens.joined(tokens.tokens(statement))
    else:
        yield from _table(connection, dialect, name, statement)


def _definition(statement: str) -> str:
    """Return a view's, trigger's or index's statement in normal form."""
    found = tokens.tokens(statement)
    if found[2:5] == ["if", "not", "exists"]:
        del found[2:5]
    return tokens.joined(found)


def _table(connection: sqlite3.Connection, dialect: sa.Dialect, name: str, statement: str) -> Facts:
    said = table_sql.parse(statement)
    yield ("table", name), ", ".join(sorted(said.options))
    rows = connection.execute(f"PRAGMA table_xinfo({sql.name(name)})").fetchall()
    for _, column, declared, notnull, _, key, hidden in rows:
        text = declared
        if "strict" in said.options:
            text = held_text(declared, partial(_stored, connection, name, column))
        needed = notnull or key
        extra = said.columns.get(tokens.quoted(column), "")
        facts = [
            type_text(text, dialect),
            "not null" if needed and hidden not in _GENERATED else "",
            extra,
        ]
        yield ("column", f"{name}.{column}"), ", ".join(filter(None, facts))
    for constraint in said.constraints:
        yield _constraint(connection, name, constraint)
    if not any(c.kind == "primary key" for c in said.constraints):
        yield ("primary key", name), ""


def _stored(connection: sqlite3.Connection, table: str, column: str) -> set[str]:
    asked = storage_classes(sql.name(table), sql.name(column))
    return {kind for (kind,) in connection.execute(asked)}


def _constraint(
    connection: sqlite3.Connection, table: str, constraint: Constraint
) -> tuple[tuple[str, str], str]:
    columns = ", ".join(constraint.columns)
    named = f"named {constraint.name}" if constraint.name else ""
    if constraint.kind == "primary key":
        name = table
    elif constraint.kind == "check":
        name = f"{table}.{constraint.name or constraint.text}"
    else:
        name = f"{table}({columns})"
    text = constraint.text
    if constraint.kind == "foreign key":
        text = references.normal(connection, text)
    shown = columns if constraint.kind == "primary key" else ""
    return (constraint.kind, name), ", ".join(filter(None, (shown, text, named)))
