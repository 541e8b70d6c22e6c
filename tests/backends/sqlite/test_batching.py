"""Batches hold what memory has room for, however long the values are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends.sqlite import batching
from tests.backends.conftest import query_of
from tests.backends.sqlite.conftest import backend

if TYPE_CHECKING:
    from pathlib import Path

MB = 2**20


def made(path: Path, lengths: list[int]) -> list[int]:
    """Return the bytes of each batch that a table of blobs of these lengths is read in."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
        connection.executemany("INSERT INTO t (v) VALUES (zeroblob(?))", [(n,) for n in lengths])
        connection.commit()
    table = sa.Table(
        "t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.BLOB)
    )
    with backend(path).snapshot(path.parent) as snapshot:
        return [batch.nbytes for batch in snapshot.batches(query_of(table))]


def test_rows_of_a_megabyte_come_a_few_at_a_time(tmp_path: Path) -> None:
    """80 MB of blobs come in batches of at most 16 MB of them."""
    sizes = made(tmp_path / "old.db", [MB] * 80)
    assert sum(sizes) >= 80 * MB
    assert max(sizes) <= batching.BYTES + MB


def test_a_few_long_values_slow_nothing_down(tmp_path: Path) -> None:
    """What is long fits a batch together: the rows come as many at a time as ever."""
    assert len(made(tmp_path / "old.db", [10] * 15_000 + [MB] * 10)) == 1


def test_one_value_beyond_a_batch_is_read(tmp_path: Path) -> None:
    """A value that no batch has room for comes with few others."""
    sizes = made(tmp_path / "old.db", [40 * MB, *([MB] * 20)])
    assert len(sizes) == 3
    assert max(sizes) < 48 * MB
