"""What SQLAlchemy's reflection leaves out on SQLite: `reflection` asks for it.

AUTOINCREMENT, collations, computed columns, defaults that are expressions, CHECKs and
names of constraints are added to the tables; views, triggers and the indexes that cannot
be declared are returned as SQL.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from migrators.backends.sqlite import constraints
from migrators.backends.sqlite.catalog import is_store, is_virtual
from migrators.backends.stamping import ALEMBIC_TABLE
from migrators.guard import STAMP

_TOKENS = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]""", re.DOTALL
)


_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"""\w+|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|'(?:[^']|'')*'""")
_CONTENT = re.compile(
    r"""\bcontent\s*=\s*(?:"[^"]+"|'[^']+'|\[[^\]]+\]|`[^`]+`|\w+)""", re.IGNORECASE
)
_LITERAL = re.compile(
    r"""[+-]?\s*[\d.]+(?:e[+-]?\d+)?|0x[0-9a-f]+|x?'(?:[^']|'')*'|"(?:[^"]|"")*"|[a-z_]+""",
    re.IGNORECASE,
)


def amend(connection: sa.Connection, metadata: sa.MetaData) -> str:
    """Add what SQLAlchemy does not reflect; return the SQL of what it does not model.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Read from only.
    metadata : sqlalchemy.MetaData
        As reflected; its tables are completed.
    """
    rows = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).all()
    collations = _Collations([(name, sql) for kind, name, _, sql in rows if kind == "table"])
    virtual = {name for kind, name, _, sql in rows if kind == "table" and is_virtual(sql)}
    for kind, name, _, sql in rows:
        table = metadata.tables.get(name) if kind == "table" else None
        if table is not None and name not in virtual:
            _amend_table(table, sql, collations)
            _amend_foreign_keys(connection, table, _definitions(sql))
            constraints.correct(table, sql)
    beside = []
    for kind, name, owner, sql in rows:
        if name in virtual:
            beside.append(_made_again(name, sql))
            continue
        declared = kind == "table" or name == STAMP or owner == ALEMBIC_TABLE
        if declared or (kind == "index" and _modelled(connection, metadata, owner, name, sql)):
            continue
        beside.append(f"{sql.strip()};\n")
    return "\n".join(beside)


def unread(connection: sa.Connection) -> dict[str, str]:
    """Return the tables that no schema module can declare, each with what to do about it.

    Virtual tables stand in the SQL beside it; what they keep their rows in is theirs.
    """
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    statements = {name: sql for name, sql in rows.all() if sql is not None}
    virtual = {name for name, sql in statements.items() if is_virtual(sql)}
    stores = {name: "" for name in statements if is_store(name, virtual)}
    return stores | {name: _not_read(name, statements[name]) for name in virtual}


def _not_read(name: str, sql: str) -> str:
    said = f"{name} is a virtual table, made by the SQL beside the schema"
    if _content(sql):
        return f"{said}, which fills it anew"
    return f"{said}: no step reads its rows, so fill it there, INSERT INTO {name} ..."


def _content(sql: str) -> bool:
    """Whether a full-text table is an index of another table's rows."""
    full_text = re.search(r"\bUSING\s+fts[345]\b", _masked(sql), re.IGNORECASE)
    return bool(full_text) and bool(_CONTENT.search(sql))


def _made_again(name: str, sql: str) -> str:
    made = f"{sql.strip()};\n"
    if not _content(sql):
        return made
    quoted = _quoted(name)
    return f"{made}\nINSERT INTO {quoted}({quoted}) VALUES ('rebuild');\n"


def _amend_table(table: sa.Table, sql: str, collations: _Collations) -> None:
    bare = _TOKENS.sub(" ", sql).upper()
    if re.search(r"\bAUTOINCREMENT\b", bare):
        table.dialect_kwargs["sqlite_autoincrement"] = True
    tail = bare[bare.rfind(")") :]
    if re.search(r"\bWITHOUT\s+ROWID\b", tail):
        table.dialect_kwargs["sqlite_with_rowid"] = False
    if re.search(r"\bSTRICT\b", tail):
        table.dialect_kwargs["sqlite_strict"] = True
    for column in table.primary_key.columns:
        column.nullable = False  # a key is never null, though SQLite would let it be
    definitions = _definitions(sql)
    for column in table.columns:
        _amend_column(column, definitions.get(column.name.lower(), ""))
        if (collation := collations.of(table.name, column.name)) != "BINARY":
            column.type = _collated(column.type, collation)


def _collated(found: Any, collation: str) -> Any:
    """Return a text type with a collation; other types sort by their values anyway."""
    if isinstance(found, sa.String):
        return type(found)(found.length, collation=collation)
    return found


def _modelled(
    connection: sa.Connection, metadata: sa.MetaData, owner: str, name: str, sql: str
) -> bool:
    """Whether a reflected index says all; else it is taken out of the table.

    Descending columns, collations and expressions are what it does not say.
    """
    table = metadata.tables.get(owner)
    if table is None:
        return owner == ALEMBIC_TABLE
    index = next((i for i in table.indexes if i.name == name), None)
    details = connection.exec_driver_sql(f"PRAGMA index_xinfo({_quoted(name)})").all()
    plain = all(
        column is not None and not descending and collation == _own_collation(table, column)
        for _, _, column, descending, collation, is_key in details
        if is_key
    )
    if index is not None and not plain:
        table.indexes.discard(index)
    _multiline_where(index, sql)
    return index is not None and plain


def _own_collation(table: sa.Table, column: str) -> str:
    return getattr(table.columns[column].type, "collation", None) or "BINARY"


def _multiline_where(index: sa.Index | None, sql: str) -> None:
    """Take a partial index's condition whole; reflection stops at the end of its line."""
    if index is None or index.dialect_kwargs.get("sqlite_where") is None:
        return
    masked = _masked(sql)
    match = re.search(r"\)\s*WHERE\b\s*", masked, re.IGNORECASE)
    if match:
        index.dialect_kwargs["sqlite_where"] = sa.text(sql[match.end() :].strip())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _amend_column(column: sa.Column[Any], definition: str) -> None:
    """Correct a computed column's expression, and a default that is an expression."""
    default = column.server_default
    if column.computed is not None:
        masked = _masked(definition)
        start = re.search(r"\bAS\s*\(", masked, re.IGNORECASE)
        if start:
            text = definition[start.end() : _closing(masked, start.end())]
            column.computed.sqltext = sa.text(text.strip())
    elif isinstance(default, sa.DefaultClause) and isinstance(default.arg, sa.TextClause):
        text = default.arg.text
        if not _LITERAL.fullmatch(text) and not text.startswith("("):
            column.server_default = sa.DefaultClause(sa.text(f"({text})"))


def _amend_foreign_keys(
    connection: sa.Connection, table: sa.Table, definitions: dict[str, str]
) -> None:
    """Add the actions of references that are written at their column."""
    pragma = connection.exec_driver_sql(f"PRAGMA foreign_key_list({_quoted(table.name)})").all()
    for row in pragma:
        columns = [other[3] for other in pragma if other[0] == row[0]]
        for constraint in table.foreign_key_constraints:
            if constraint.column_keys == columns:
                constraint.onupdate = row[5] if row[5] != "NO ACTION" else None
                constraint.ondelete = row[6] if row[6] != "NO ACTION" else None
                if len(columns) == 1:
                    _amend_deferral(constraint, definitions.get(columns[0].lower(), ""))


def _amend_deferral(constraint: sa.ForeignKeyConstraint, definition: str) -> None:
    said = re.search(
        r"(?<!NOT )\bDEFERRABLE\b(?:\s+INITIALLY\s+(DEFERRED|IMMEDIATE))?",
        _masked(definition).upper(),
    )
    if said:
        constraint.deferrable = True
        constraint.initially = said[1]


def _definitions(sql: str) -> dict[str, str]:
    """Return the text of each column's definition, by the column's name in lower case."""
    masked = _masked(sql)
    begin = masked.find("(") + 1
    end, depth, start = _closing(masked, begin), 0, begin
    found: dict[str, str] = {}
    for at in range(begin, end + 1):
        depth += {"(": 1, ")": -1}.get(masked[at], 0) if at < end else 0
        if at == end or (masked[at] == "," and depth == 0):
            text = _COMMENT.sub(" ", sql[start:at]).strip()
            if name := _NAME.match(text):
                found.setdefault(_unquoted(name[0]).lower(), text)
            start = at + 1
    return found


def _masked(sql: str) -> str:
    """Return the text with comments blank and quoted parts as letters, equally long."""
    return _TOKENS.sub(lambda m: (" " if m[0].startswith(("--", "/*")) else "x") * len(m[0]), sql)


def _closing(masked: str, start: int) -> int:
    """Return where the parenthesis that was open at `start` closes."""
    depth = 1
    for at in range(start, len(masked)):
        depth += {"(": 1, ")": -1}.get(masked[at], 0)
        if depth == 0:
            return at
    return len(masked)


def _unquoted(name: str) -> str:
    if name[0] in "\"`'" and len(name) > 1:
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[0] == "[" else name


class _Collations:
    """Declared collations, asked of SQLite itself: an index takes over its column's.

    No pragma tells a column's collation, so the tables are made again, empty, in memory.
    """

    def __init__(self, tables: list[tuple[str, str]]) -> None:
        self._found: dict[tuple[str, str], str] = {}
        for name, sql in tables:
            if "COLLATE" in _TOKENS.sub(" ", sql).upper() and not is_virtual(sql):
                self._ask(name, sql)

    def of(self, table: str, column: str) -> str:
        """Return a column's collation; BINARY where none is declared."""
        return self._found.get((table, column), "BINARY")

    def _ask(self, table: str, sql: str) -> None:
        with closing(sqlite3.connect(":memory:")) as scratch:
            scratch.execute(sql)
            for row in scratch.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall():
                scratch.execute(f"CREATE INDEX probe ON {_quoted(table)} ({_quoted(row[1])})")
                details = scratch.execute("PRAGMA index_xinfo(probe)").fetchone()
                scratch.execute("DROP INDEX probe")
                self._found[table, row[1]] = str(details[4])
