"""Ranges of the rowid, and keys that look like one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrators.backends import ranges
from migrators.backends.interface import Cut
from tests.backends.sqlite.conftest import ROWS, asked, backend, run

if TYPE_CHECKING:
    from pathlib import Path

COUNT = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
    "INSERT INTO t (a) SELECT i FROM n"
)
TABLES = {
    "rowid": "a INTEGER PRIMARY KEY",
    "rowid, said at the end": "b TEXT, a integer NOT NULL, PRIMARY KEY (a)",
    "an index beside the rowid": "a INT PRIMARY KEY",
    "descending, by an old mistake": "a INTEGER PRIMARY KEY DESC",
    "one of two": "a INTEGER, b INTEGER DEFAULT 0, PRIMARY KEY (a, b)",
    "no key": "a INTEGER",
}


@pytest.mark.parametrize("columns", TABLES)
def test_only_a_rowid_is_cut(columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of any other kind may hold NULL, which no range of numbers does."""
    monkeypatch.setattr(ranges, "ROWS", 150)
    path = tmp_path / "old.db"
    run(path, f"CREATE TABLE t ({TABLES[columns]})", COUNT)
    with backend(path).snapshot(tmp_path) as snapshot:
        pieces = snapshot.pieces(replace(ROWS, cut=Cut("", "t", "a")))
        found = [n for p in pieces for b in snapshot.batches(p) for n in b.column(0).to_pylist()]
    assert found == [n for (n,) in asked(path, "SELECT a FROM t ORDER BY a")]
    assert (len(pieces) > 1) == columns.startswith("rowid")


def test_a_piece_is_searched_for_and_not_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite goes to its first row, and stops after its last."""
    monkeypatch.setattr(ranges, "ROWS", 150)
    path = tmp_path / "old.db"
    run(path, f"CREATE TABLE t ({TABLES['rowid']})", COUNT)
    with backend(path).snapshot(tmp_path) as snapshot:
        piece = snapshot.pieces(replace(ROWS, cut=Cut("", "t", "a")))[1]
    plan = asked(path, f"EXPLAIN QUERY PLAN {piece.sql} ORDER BY a")
    assert [row[3] for row in plan] == ["SEARCH t USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
