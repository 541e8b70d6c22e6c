"""UNIQUE constraints built after the data are what SQLite would have made of them itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from migrators.backends.sqlite import uniques
from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from pathlib import Path

DIALECT = sqlite.dialect()


def tables() -> sa.MetaData:
    """Tables with every kind of unique key that a schema can declare."""
    metadata = sa.MetaData()
    sa.Table(
        "plain",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.String(10, collation="NOCASE"), unique=True),
        sa.Column("b", sa.Text),
        sa.Column("c", sa.Text),
        sa.UniqueConstraint("b", "c", name="uq_b_c"),
        sa.UniqueConstraint("id", name="uq_of_the_key"),
    )
    sa.Table(
        "keyed by 'text'",
        metadata,
        sa.Column("k", sa.Text, primary_key=True),
        sa.Column("u", sa.Text),
        sa.Column("p", sa.ForeignKey("plain.id")),
        sa.UniqueConstraint("u", sqlite_on_conflict="FAIL"),
        sa.UniqueConstraint("k"),
    )
    sa.Table(
        "bare",
        metadata,
        sa.Column("k", sa.Text, primary_key=True),
        sa.Column("u", sa.Text, unique=True),
        sqlite_with_rowid=False,
    )
    return metadata


def filled(path: Path, metadata: sa.MetaData, *, deferred: bool) -> list[tuple[object, ...]]:
    """Create, fill and finish a file; return its schema, sorted, without root pages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        whole = [
            str(sa.schema.CreateTable(t).compile(dialect=DIALECT)) for t in metadata.tables.values()
        ]
        for statement in uniques.statements(metadata, DIALECT) if deferred else whole:
            connection.execute(statement)
        connection.execute("BEGIN")
        rows = [(i, f"a{i * 7919 % 5000}", f"b{i % 100}", f"c{i // 100}") for i in range(5000)]
        connection.executemany("INSERT INTO plain VALUES (?, ?, ?, ?)", rows)
        texts = [(f"k{i:05}", f"u{i * 7919 % 5000}") for i in range(5000)]
        connection.executemany("INSERT INTO \"keyed by 'text'\" VALUES (?, ?, NULL)", texts)
        connection.executemany("INSERT INTO bare VALUES (?, ?)", texts)
        connection.execute("COMMIT")
        if deferred:
            assert uniques.add(connection, metadata.tables.values(), DIALECT) == 5
        catalog = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return sorted(catalog.fetchall(), key=repr)


def test_the_file_is_as_if_declared_so_from_the_start(tmp_path: Path) -> None:
    """Same schema, sound indexes, and the constraint holds for rows that come later."""
    expected = filled(tmp_path / "inline.db", tables(), deferred=False)
    assert expected == filled(tmp_path / "deferred.db", tables(), deferred=True)
    path = tmp_path / "deferred.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: plain\.a"):
            connection.execute("INSERT INTO plain VALUES (9999, 'A1', 'x', 'y')")
        (plan,) = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM plain WHERE a = 'a1'")
        assert "sqlite_autoindex_plain_" in plan[3]
        connection.execute("VACUUM")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_rows_that_break_it_are_refused(tmp_path: Path) -> None:
    """Two rows with one value: refused, naming table and columns."""
    metadata = tables()
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        for statement in uniques.statements(metadata, DIALECT):
            connection.execute(statement)
        rows = [(1, "x", "b", "c"), (2, "y", "b", "c")]
        connection.executemany("INSERT INTO plain VALUES (?, ?, ?, ?)", rows)
        with pytest.raises(ValueRefused, match=r"plain\.b, plain\.c|plain\.b"):
            uniques.add(connection, metadata.tables.values(), DIALECT)
