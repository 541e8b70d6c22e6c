"""The fence of a file: writers wait, readers do not, no byte changes, and it ends with us."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migrators.backends.sqlite.fence import SQLiteFence
from migrators.errors import DatabaseError, Locked
from tests.backends.sqlite.conftest import ROWS, asked, backend, content, copy, hot, run

MODES = ("delete", "truncate", "persist", "wal")


def made(folder: Path, mode: str) -> Path:
    """Return a database in a journal mode, with one row."""
    path = folder / "old.db"
    run(path, f"PRAGMA journal_mode = {mode}")
    run(path, "CREATE TABLE t (a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    return path


@pytest.mark.parametrize("mode", MODES)
def test_writers_are_kept_out_and_readers_are_not(tmp_path: Path, scratch: Path, mode: str) -> None:
    """Also after this process has opened and closed the file, as digest and snapshot do."""
    path = made(tmp_path, mode)
    before = content(path)
    fence = backend(path).fence()
    fence.close(fence.before())
    backend(path).digest()
    with backend(path).snapshot(scratch) as snapshot:
        assert next(iter(snapshot.batches(ROWS))).num_rows == 1
    assert asked(path, "SELECT a FROM t") == [(1,)]
    with (
        closing(sqlite3.connect(path, timeout=0.05)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("INSERT INTO t VALUES (2)")
    assert (fence.closed({}), fence.holes({})) == (True, ())
    fence.open({})
    assert content(path) == before
    assert not fence.closed({})
    run(path, "INSERT INTO t VALUES (2)")


def test_a_wal_that_a_crash_left_stays_as_it_is(tmp_path: Path) -> None:
    """Whoever closes it last would write it to the main file."""
    path = made(tmp_path, "wal")
    crashed = tmp_path / "crashed.db"
    with closing(sqlite3.connect(path)) as live:
        live.execute("INSERT INTO t VALUES (2)")
        live.commit()
        copy(path, crashed)
    before = content(crashed)
    assert "-wal" in before
    fence = backend(crashed).fence()
    fence.close(fence.before())
    fence.open({})
    assert content(crashed) == before
    assert asked(crashed, "SELECT count(*) FROM t") == [(2,)]


def test_a_hot_journal_is_not_rolled_back_by_a_fence(tmp_path: Path) -> None:
    """It would be written to: refused, and what to type."""
    path = hot(tmp_path)
    before = content(path)
    with pytest.raises(DatabaseError, match="recover from a crash"):
        backend(path).fence().before()
    assert content(path) == before


def test_somebody_who_is_writing_is_waited_for_within_bounds(tmp_path: Path) -> None:
    """Then it is said; once he is done, the fence closes."""
    path = made(tmp_path, "delete")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        fence = backend(path).fence()
        with pytest.raises(Locked, match="is writing to it"):
            fence.close(fence.before())
        other.execute("COMMIT")
    fence.close(fence.before())
    fence.open({})


def test_a_holder_that_is_gone_is_a_hole(tmp_path: Path) -> None:
    """Killed from outside: it is noticed."""
    fence = backend(made(tmp_path, "delete")).fence()
    assert isinstance(fence, SQLiteFence)
    fence.close(fence.before())
    assert fence._holder is not None
    fence._holder.kill()
    fence._holder.wait()
    assert fence.holes({}) == ("the process that held it has ended",)
    fence.open({})


@pytest.mark.fault("I115")
def test_the_process_that_holds_it_knows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in its arguments nor in its environment."""
    for name in ("MIGRATE_PASSWORD", "PGPASSWORD", "MYSQL_PWD"):
        monkeypatch.setenv(name, "canary")
    fence = backend(made(tmp_path, "delete")).fence()
    assert isinstance(fence, SQLiteFence)
    fence.close(fence.before())
    assert fence._holder is not None
    holder = Path("/proc") / str(fence._holder.pid)
    seen = (holder / "environ").read_bytes() + (holder / "cmdline").read_bytes()
    fence.open({})
    assert b"BEGIN IMMEDIATE" in seen
    assert b"canary" not in seen
