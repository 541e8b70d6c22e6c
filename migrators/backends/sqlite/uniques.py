"""UNIQUE constraints, built after the data by sorting, as any index is.

SQLite keeps a constraint's index up to date row by row; where rows do not come in its
order that is most of a load (two million rows: 8.1 s with a random unique key, 1.8 without,
and worse than linear beyond the cache), and ALTER TABLE cannot add one afterwards. But on
disk a constraint is an index like any other: a row in `sqlite_schema` named
`sqlite_autoindex_<table>_<n>`, without SQL of its own (sqlite.org/fileformat2.html, 2.6.1).

So tables are created without their UNIQUE constraints, SQLite builds unique indexes of the
same columns after the load (1.1 s), and then the schema's two texts are set: the
table's declaration with the constraint, and the index's name. What SQLite then reads of the
table must equal, fact for fact, what it reads of one declared so from the start.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler

from migrators.backends.sqlite import broken, failures, sql
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Index:
    """One index of a table as `PRAGMA index_list` and `index_xinfo` show it."""

    name: str
    unique: int
    origin: str
    partial: int
    keys: tuple[tuple[str, int, str], ...]

    @property
    def columns(self) -> str:
        """Its columns as CREATE INDEX takes them."""
        return ", ".join(
            f"{sql.name(name)} COLLATE {sql.name(collation)}{' DESC' if down else ''}"
            for name, down, collation in self.keys
        )


class _WithoutUniques(SQLiteDDLCompiler):
    """Writes a table as SQLAlchemy does, its UNIQUE constraints left out."""

    def visit_unique_constraint(self, constraint: Any, **_kw: Any) -> Any:
        """Return None, which is no line of the table."""
        del constraint


def statements(metadata: sa.MetaData, dialect: sa.Dialect) -> list[str]:
    """Return CREATE TABLE of every table, without the constraints that `add` adds later."""
    found = []
    for table in metadata.tables.values():
        whole = _create(table, dialect)
        less = str(_WithoutUniques(dialect, sa.schema.CreateTable(table)))
        found.append(less if _deferrable(whole, less, table.name) else whole)
    return found


def _create(table: sa.Table, dialect: sa.Dialect) -> str:
    return str(sa.schema.CreateTable(table).compile(dialect=dialect))


def _deferrable(whole: str, less: str, table: str) -> bool:
    """Whether the constraints left out are all that differs, and their indexes come last.

    A UNIQUE constraint on the primary key's own columns has no index; one that comes before
    another table constraint with an index would change that one's number.
    """
    if whole == less:
        return False
    full, rest = _indexes_of(whole, table), _indexes_of(less, table)
    uniques = [index for index in full if index.origin == "u"]
    return bool(uniques) and [i for i in full if i not in uniques] == rest


def _indexes_of(statement: str, table: str) -> list[Index]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(statement)
        return indexes(connection, table)


def indexes(connection: sqlite3.Connection, table: str) -> list[Index]:
    """Return the indexes of a table, by name."""
    found = []
    listed = connection.execute(f"PRAGMA index_list({sql.name(table)})").fetchall()
    for _, name, unique, origin, partial in listed:
        columns = connection.execute(f"PRAGMA index_xinfo({sql.name(name)})").fetchall()
        keys = tuple((c, down, coll) for _, _, c, down, coll, key in columns if key)
        found.append(Index(name, unique, origin, partial, keys))
    return sorted(found, key=lambda index: index.name)


def add(connection: sqlite3.Connection, tables: Iterable[sa.Table], dialect: sa.Dialect) -> int:
    """Add the UNIQUE constraints that `statements` left out; return how many.

    Parameters
    ----------
    connection : sqlite3.Connection
        In autocommit, on a staging file that nobody else has open.

    Raises
    ------
    ValueRefused
        Rows break a constraint.
    DatabaseError
        SQLite reads the finished table otherwise than one declared so from the start.
    """
    added = 0
    for table in tables:
        declared = _create(table, dialect)
        wanted = _indexes_of(declared, table.name)
        there = {index.name for index in indexes(connection, table.name)}
        missing = [i for i in wanted if i.origin == "u" and i.name not in there]
        for index in missing:
            _build(connection, table.name, index)
        if missing:
            _declare(connection, table.name, declared, missing)
            _prove(connection, table.name, wanted)
        added += len(missing)
    return added


def _temporary(index: Index) -> str:
    return f"unproven {index.name.removeprefix('sqlite_')}"


def _build(connection: sqlite3.Connection, table: str, index: Index) -> None:
    try:
        connection.execute(
            f"CREATE UNIQUE INDEX {sql.name(_temporary(index))} "
            f"ON {sql.name(table)} ({index.columns})"
        )
    except connection.IntegrityError as error:
        terms = [f"{sql.name(c)} COLLATE {sql.name(collation)}" for c, _, collation in index.keys]
        labels = [name for name, _, _ in index.keys]
        found = broken.duplicates(connection, table, terms, labels)
        raise found or failures.constraint(error, table) or error from error


def _declare(connection: sqlite3.Connection, table: str, declared: str, built: list[Index]) -> None:
    """Set the schema's texts, and let SQLite read them anew."""
    text = _stored(declared, table)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("BEGIN")
    connection.execute(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (text, table)
    )
    for index in built:
        connection.execute(
            "UPDATE sqlite_master SET name = ?, sql = NULL WHERE type = 'index' AND name = ?",
            (index.name, _temporary(index)),
        )
    (version,) = connection.execute("PRAGMA schema_version").fetchone()
    connection.execute(f"PRAGMA schema_version = {version + 1}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA writable_schema = RESET")


def _stored(declared: str, table: str) -> str:
    """Return a declaration as SQLite itself stores it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(declared)
        row = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,))
        return str(row.fetchone()[0])


def _prove(connection: sqlite3.Connection, table: str, wanted: list[Index]) -> None:
    there = [index for index in indexes(connection, table) if index.origin != "c"]
    if there != wanted:
        raise DatabaseError(
            f"{table}: its unique constraints were not taken: {there} instead of {wanted}"
        )
