"""Old databases as other programs leave them."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.backends.sqlite import SQLiteBackend
from migrators.types import describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

ROWS = ReadQuery(
    "SELECT a FROM t", (ReadColumn("a", describe(sa.Integer()), "t", "a"),), ("a",), ("a",)
)


def backend(path: Path, timeout: float = 0.2) -> SQLiteBackend:
    """Return the backend of a file, impatient."""
    url = sa.URL.create("sqlite", database=str(path), query={"timeout": str(timeout)})
    return SQLiteBackend(url)


def run(path: Path, *statements: str) -> None:
    """Run SQL in a file by the stdlib."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def asked(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Return rows of a file by the stdlib."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def content(path: Path) -> dict[str, str]:
    """Return a digest of the main file, the WAL and the journal; an empty one is none."""
    found = {}
    for suffix in ("", "-wal", "-journal"):
        file = path.with_name(path.name + suffix)
        if file.exists() and file.stat().st_size:
            found[suffix] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def copy(source: Path, target: Path) -> Path:
    """Copy a database with its WAL and journal while its writer lives: a crash, seen from disk."""
    for suffix in ("", "-wal", "-journal"):
        file = source.with_name(source.name + suffix)
        if file.exists():
            shutil.copyfile(file, target.with_name(target.name + suffix))
    return target


def hot(folder: Path) -> Path:
    """Return a database of 1,000 rows with a hot journal over 200,000 unfinished ones."""
    live, crashed = folder / "live.db", folder / "hot.db"
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(1_000)))
        connection.commit()
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("UPDATE t SET a = a + 1000000")
        connection.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(200_000)))
        copy(live, crashed)
    return crashed


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A private directory."""
    made = tmp_path / "scratch"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def read(scratch: Path) -> Callable[[Path, ReadQuery], list[pa.RecordBatch]]:
    """Return a function that reads a query of a file."""

    def read(path: Path, query: ReadQuery = ROWS) -> list[pa.RecordBatch]:
        with backend(path).snapshot(scratch) as snapshot:
            return list(snapshot.batches(query))

    return read
