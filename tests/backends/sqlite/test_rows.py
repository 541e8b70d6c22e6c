"""Small queries: what `Snapshot.rows` makes of cells of any class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.backends.sqlite.conftest import backend, run

if TYPE_CHECKING:
    from pathlib import Path


def test_classes_may_be_mixed_in_one_column(tmp_path: Path, scratch: Path) -> None:
    """Each cell is of its own class, and a real keeps all its digits."""
    run(tmp_path / "t.db", "CREATE TABLE t (a)")
    with backend(tmp_path / "t.db").snapshot(scratch) as snapshot:
        found = snapshot.rows("SELECT 1 AS a, 0.1 + 0.2 AS b, NULL AS c UNION ALL SELECT 'x', 2, 3")
    assert found == [(1, 0.1 + 0.2, None), ("x", 2, 3)]
