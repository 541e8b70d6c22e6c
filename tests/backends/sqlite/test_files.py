"""Files: staging, after the data, publishing, and what stops them."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators.backends.sqlite import connect, failures
from migrators.errors import DatabaseError, Locked, TargetExists, UsageError
from migrators.schema import SchemaVersion
from tests.backends.conftest import write
from tests.backends.sqlite.conftest import asked, backend, run

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.backends.sqlite import SQLiteBackend


def schema(folder: Path, **sql: Any) -> SchemaVersion:
    """Return a schema whose one table counts its keys."""
    metadata = sa.MetaData()
    sa.Table(
        "t", metadata, sa.Column("id", sa.Integer, primary_key=True), sqlite_autoincrement=True
    )
    return SchemaVersion(3, folder / "v3.py", metadata, **sql)


def staged(folder: Path, run_id: str = "r1") -> SQLiteBackend:
    """Return a finished staging database of shop_v3.db."""
    staging = backend(folder / "shop_v3.db").staging(run_id)
    staging.create(schema(folder))
    staging.finish(schema(folder), {})
    return staging


def sequence(database: SQLiteBackend) -> list[tuple[object, ...]]:
    """Return what sqlite_sequence holds."""
    with closing(connect.opened(database.path, "ro", 100)) as connection:
        return connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()


@pytest.mark.parametrize(("rows", "old", "expected"), [([5], 3, 5), ([5], 40, 40), ([], 40, 40)])
def test_autoincrement_goes_on(tmp_path: Path, rows: list[int], old: int, expected: int) -> None:
    """The next key is past the highest, and past the old position, in empty tables too."""
    database = backend(tmp_path / "shop.db")
    made = schema(tmp_path)
    database.create(made)
    write(database, made, "t", {"id": rows})
    database.finish(made, {"t": old})
    assert sequence(database) == [("t", expected)]


def test_a_position_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """A table without AUTOINCREMENT goes on after its highest key; the report says so."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    made = SchemaVersion(3, tmp_path / "v3.py", metadata)
    database = backend(tmp_path / "shop.db")
    database.create(made)
    assert database.finish(made, {"t": 9}) == (
        "no AUTOINCREMENT, goes on after the highest key: t",
    )


def test_sql_before_and_after_runs_in_its_place(tmp_path: Path) -> None:
    """Triggers come after the data, so that the load does not fire them."""
    after = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id); END;"
    made = schema(
        tmp_path, before={"sqlite": "CREATE TABLE log (a INTEGER)"}, after={"sqlite": after}
    )
    database = backend(tmp_path / "shop.db")
    database.create(made)
    write(database, made, "t", {"id": [1]})
    database.finish(made, {})
    run(database.path, "INSERT INTO t VALUES (2)")
    with closing(connect.opened(database.path, "ro", 100)) as connection:
        assert connection.execute("SELECT a FROM log").fetchall() == [(2,)]


def test_sql_that_fails_is_shown(tmp_path: Path) -> None:
    """The statement and SQLite's word for what is wrong with it."""
    made = schema(
        tmp_path, after={"sqlite": "CREATE VIEW v AS SELECT 1; CREATE INDEX i ON nowhere (a)"}
    )
    database = backend(tmp_path / "shop.db")
    database.create(made)
    with pytest.raises(
        DatabaseError, match=r"no such table: main\.nowhere: CREATE INDEX i ON nowhere"
    ):
        database.finish(made, {})


def test_a_staging_file_is_private_and_takes_the_old_ones_access(tmp_path: Path) -> None:
    """0600 until published; then as the old database is, or still 0600."""
    before = os.umask(0)
    try:
        staging = staged(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(staging.path.stat().st_mode) == 0o600
    old = backend(tmp_path / "shop_v2.db")
    run(old.path, "CREATE TABLE t (a INTEGER)")
    old.path.chmod(0o640)
    new = backend(tmp_path / "shop_v3.db")
    new.publish(staging, like=old)
    assert stat.S_IMODE(new.path.stat().st_mode) == 0o640


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_files_of_an_older_database_beside_the_name_stop_publishing(
    tmp_path: Path, suffix: str
) -> None:
    """A stale WAL would bring the old content back."""
    staging = staged(tmp_path)
    (tmp_path / f"shop_v3.db{suffix}").write_bytes(b"x")
    with pytest.raises(DatabaseError, match="lies beside the new name"):
        backend(tmp_path / "shop_v3.db").publish(staging)
    assert (staging.exists(), backend(tmp_path / "shop_v3.db").exists()) == (True, False)


def test_a_version_that_is_in_use_is_not_set_aside(tmp_path: Path) -> None:
    """A WAL or journal with content beside the old file stops the replacement."""
    new = backend(tmp_path / "shop_v3.db")
    new.publish(staged(tmp_path, "r1"))
    staging = staged(tmp_path, "r2")
    (tmp_path / "shop_v3.db-journal").write_bytes(b"x")
    with pytest.raises(DatabaseError, match="is not empty"):
        new.publish(staging, aside=new.aside("r2"))
    assert not new.aside("r2").exists()


@pytest.mark.parametrize("linked", [False, True], ids=["at first", "after a crash"])
def test_wal_files_of_a_live_application_are_never_removed(tmp_path: Path, *, linked: bool) -> None:
    """An empty WAL that somebody holds open stops the replacement, and what is written stays."""
    new = backend(tmp_path / "shop_v3.db")
    new.publish(staged(tmp_path, "r1"))
    run(new.path, "PRAGMA journal_mode = WAL", "CREATE TABLE notes (a)")
    staging, aside = staged(tmp_path, "r2"), new.aside("r2")
    if linked:
        os.link(new.path, aside.path)
    with closing(sqlite3.connect(new.path, isolation_level=None)) as application:
        application.execute("SELECT count(*) FROM notes").fetchone()
        for act in (new.ready, lambda: new.publish(staging, aside=aside)):
            with pytest.raises(DatabaseError, match="in use, or was not closed"):
                act()
        application.execute("INSERT INTO notes VALUES (1)")
    assert asked(new.path, "SELECT a FROM notes") == [(1,)]
    new.publish(staging, aside=aside)
    assert asked(aside.path, "SELECT a FROM notes") == [(1,)]
    assert not list(tmp_path.glob("shop_v3.db-*"))


def test_a_version_that_is_being_written_to_is_not_set_aside(tmp_path: Path) -> None:
    """A transaction without a journal yet is seen by its lock."""
    new = backend(tmp_path / "shop_v3.db")
    new.publish(staged(tmp_path, "r1"))
    staging = staged(tmp_path, "r2")
    with closing(sqlite3.connect(new.path, isolation_level=None)) as application:
        application.execute("BEGIN IMMEDIATE")
        with pytest.raises(Locked, match="in use"):
            new.publish(staging, aside=new.aside("r2"))
    new.publish(staging, aside=new.aside("r2"))


def test_publishing_goes_on_after_a_crash_between_its_acts(tmp_path: Path) -> None:
    """Linked but not unlinked; set aside but not replaced: the same call ends it."""
    new, staging = backend(tmp_path / "shop_v3.db"), staged(tmp_path, "r1")
    os.link(staging.path, new.path)
    new.publish(staging)
    assert (new.exists(), staging.exists()) == (True, False)
    second, aside = staged(tmp_path, "r2"), new.aside("r2")
    os.link(new.path, aside.path)
    new.publish(second, aside=aside)
    assert (new.exists(), aside.exists(), second.exists()) == (True, True, False)


@pytest.mark.fault("H92")
def test_a_set_aside_name_is_taken_back_where_nothing_replaced_it(tmp_path: Path) -> None:
    """A crash between the two acts: one file by two names would get two WAL files."""
    new = backend(tmp_path / "shop_v3.db")
    new.publish(staged(tmp_path, "r1"))
    former = new.aside("r0")
    former.path.write_bytes(new.path.read_bytes())
    os.link(new.path, new.aside("r2").path)
    new.recover()
    assert (new.exists(), former.exists(), new.aside("r2").exists()) == (True, True, False)


def test_an_aside_name_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    """Setting aside never removes what was set aside before."""
    new = backend(tmp_path / "shop_v3.db")
    new.publish(staged(tmp_path, "r1"))
    new.aside("r2").path.write_bytes(b"kept")
    with pytest.raises(TargetExists):
        new.publish(staged(tmp_path, "r2"), aside=new.aside("r2"))
    assert new.aside("r2").path.read_bytes() == b"kept"


def test_names_stand_beside_the_database(tmp_path: Path) -> None:
    """Staging and set-aside names keep the suffix; one that is too long is refused."""
    database = backend(tmp_path / "shop_v3.db")
    assert database.staging("ab").path == tmp_path / "shop_v3__loading_ab.db"
    assert database.aside("ab").path == tmp_path / "shop_v3__was_ab.db"
    with pytest.raises(UsageError, match="longer than 255 bytes"):
        backend(tmp_path / f"{'é' * 120}.db").staging("ab")


def test_discard_takes_all_files(tmp_path: Path) -> None:
    """What SQLite keeps beside a database goes with it; again does nothing."""
    path = tmp_path / "a.db"
    for suffix in ("", "-wal", "-shm", "-journal"):
        (tmp_path / f"a.db{suffix}").write_bytes(b"x")
    backend(path).discard()
    backend(path).discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        pa.ArrowMemoryError("malloc of size 500000000 failed"),
        OSError(12, "Cannot allocate memory"),
        sqlite3.OperationalError("out of memory"),
    ],
    ids=["Python", "Arrow", "system", "SQLite"],
)
def test_a14_too_little_memory_is_said(tmp_path: Path, error: Exception) -> None:
    """Which table was read, and how much a large value takes."""
    with (
        pytest.raises(DatabaseError, match="reading docs takes more memory") as refused,
        failures.told(tmp_path / "a.db", "reading docs"),
    ):
        raise error
    assert "six times the largest value" in refused.value.hint[0]


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """SQLite's own word for it becomes a plain sentence."""
    path = tmp_path / "a.db"
    run(path, "CREATE TABLE t (a)")
    with closing(connect.opened(path, "rw", 100)) as connection:
        connection.execute("PRAGMA max_page_count = 3")
        with pytest.raises(DatabaseError, match="no room left"), failures.told(path):
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")


@pytest.mark.parametrize("database", [None, ":memory:", "file:x.db?mode=ro"])
def test_a_url_that_names_no_file_is_refused(database: str | None) -> None:
    """Memory and URIs are no databases that can be published."""
    from migrators.backends.sqlite import SQLiteBackend

    with pytest.raises(UsageError, match="names no file"):
        SQLiteBackend(sa.URL.create("sqlite", database=database))
