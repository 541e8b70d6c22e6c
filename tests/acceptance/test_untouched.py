"""The old database is byte for byte what it was, and nothing that it holds is missed.

FAULTS C87: what stands in a WAL or is undone by a hot journal is part of its content.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.cheeseshop import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

READERS = (
    ("plan", "2to3"),
    ("check", "2to3"),
    ("status",),
    ("extract", "2to3"),
    ("extract", "2"),
    ("2to3", "--dry-run"),
    ("2to3", "--rehearse"),
    ("2to3",),
    ("2to3",),
)
"""Every command that reads the old database, in an order that lets all succeed."""


def _beside(shop: Cheeseshop) -> list[Path]:
    """Return the old database and what holds content beside it."""
    return sorted(p for p in shop.data.glob("cheeseshop_v2.db*") if not p.name.endswith("-shm"))


def _all_read_and_nothing_changes(shop: Cheeseshop) -> None:
    before = dict(zip(_beside(shop), sha256(*_beside(shop)), strict=True))
    for typed in READERS:
        done = shop.run(*typed)
        assert (done.code, done.clear) in {(0, True), (3, True)}, done.said
        assert dict(zip(_beside(shop), sha256(*_beside(shop)), strict=True)) == before, typed
    assert shop.database(3).exists()


def test_a_closed_file(two: Cheeseshop) -> None:
    """Not one byte, nor its time, is changed; nothing appears beside it."""
    stood = two.database(2).stat()
    _all_read_and_nothing_changes(two)
    now = two.database(2).stat()
    assert (now.st_mtime_ns, now.st_ino, now.st_mode) == (
        stood.st_mtime_ns,
        stood.st_ino,
        stood.st_mode,
    )
    assert _beside(two) == [two.database(2)]


def test_a_closed_file_in_wal_mode(two: Cheeseshop) -> None:
    """The same: what reading it takes is gone after it."""
    two.sql(2, "PRAGMA journal_mode = WAL")
    _all_read_and_nothing_changes(two)
    assert sorted(two.data.glob("cheeseshop_v2.db*")) == [two.database(2)]


@pytest.mark.fault("G87")
def test_a_wal_that_an_application_holds_open(two: Cheeseshop) -> None:
    """What is committed there is carried; the application goes on writing afterwards."""
    with closing(sqlite3.connect(two.database(2), isolation_level=None)) as application:
        application.execute("PRAGMA journal_mode = WAL")
        application.execute("PRAGMA wal_autocheckpoint = 0")
        application.execute("UPDATE users SET username = 'in-the-wal' WHERE id = 1")
        assert [p.name for p in _beside(two)] == ["cheeseshop_v2.db", "cheeseshop_v2.db-wal"]
        _all_read_and_nothing_changes(two)
        application.execute("UPDATE users SET username = 'later' WHERE id = 1")
    query = "SELECT count(*) FROM users WHERE username = 'in-the-wal'"
    assert two.rows(3, query) == [(1,)]


@pytest.mark.fault("G87")
def test_a_wal_that_a_crash_left(two: Cheeseshop) -> None:
    """No process holds it and its index is gone: it is read all the same, and stays."""
    _crashed(two, "journal_mode = WAL", "UPDATE users SET username = 'in-the-wal' WHERE id = 1")
    assert [p.name for p in _beside(two)] == ["cheeseshop_v2.db", "cheeseshop_v2.db-wal"]
    _all_read_and_nothing_changes(two)
    query = "SELECT count(*) FROM users WHERE username = 'in-the-wal'"
    assert two.rows(3, query) == [(1,)]


@pytest.mark.fault("G87")
def test_a_hot_journal(two: Cheeseshop) -> None:
    """What a crashed transaction wrote into the file is not content, and is not carried."""
    _crashed(
        two,
        "cache_size = 1",
        "BEGIN",
        "UPDATE users SET username = 'half-written' || id",
        "UPDATE releases SET version = 'half-written' || id",
    )
    names = [p.name for p in _beside(two)]
    assert names == ["cheeseshop_v2.db", "cheeseshop_v2.db-journal"]
    assert b"half-written" in two.database(2).read_bytes()
    _all_read_and_nothing_changes(two)
    assert b"half-written" not in two.database(3).read_bytes()
    assert two.rows(3, "SELECT count(*) FROM users") == two.rows(2, "SELECT count(*) FROM users")


def _crashed(shop: Cheeseshop, pragma: str, *statements: str) -> None:
    """Leave the old database as a power cut would have left it after some statements."""
    path = shop.database(2)
    with closing(sqlite3.connect(path, isolation_level=None)) as application:
        application.execute(f"PRAGMA {pragma}")
        for statement in statements:
            application.execute(statement)
        caught = shop.root / "crash"
        caught.mkdir()
        for file in _beside(shop):
            shutil.copy(file, caught / file.name)
    for file in (*_beside(shop), *shop.data.glob("*-shm")):
        file.unlink()
    for file in caught.iterdir():
        shutil.move(file, shop.data / file.name)


def test_the_mode_of_an_old_file_is_the_new_ones(two: Cheeseshop) -> None:
    """Who could read the old one can read the new one; a replaced one keeps its own."""
    two.database(2).chmod(0o640)
    two.ran("2to3")
    assert two.database(3).stat().st_mode & 0o777 == 0o640
    two.database(3).chmod(0o660)
    two.ran("2to3", "--fresh", "--replace", "--yes")
    assert two.database(3).stat().st_mode & 0o777 == 0o660


def _private(root: Path) -> Iterator[tuple[Path, int]]:
    for path in (root / ".migrate").rglob("*"):
        yield path, path.stat().st_mode & 0o077


def test_what_a_run_keeps_is_private(two: Cheeseshop) -> None:
    """An extract is all of production: nobody else may read it, whatever the umask."""
    two.ran("2to3")
    assert [path for path, others in _private(two.root) if others] == []


@pytest.mark.parametrize("fence", [(), ("--fence",)])
def test_settings_that_stay_in_a_file_are_carried(two: Cheeseshop, fence: tuple[str, ...]) -> None:
    """Release 3 finds WAL where release 2 had it; what the schema's own SQL says comes first."""
    two.sql(2, "PRAGMA journal_mode = WAL", "PRAGMA user_version = 77", "PRAGMA application_id = 9")
    own = two.root / "schemas" / "v3.after.sqlite.sql"
    own.write_text(f"{own.read_text() if own.exists() else ''}\nPRAGMA user_version = 3;\n")
    two.ran("2to3", *fence)
    found = [two.rows(3, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "user_version")]
    assert found == ["wal", 3]
    assert two.rows(3, "PRAGMA application_id") == [(9,)]
    two.ran("verify", str(two.fixtures(3)))


def test_a_file_without_settings_gets_none(two: Cheeseshop) -> None:
    """As most are."""
    two.ran("2to3")
    found = [two.rows(3, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "user_version")]
    assert found == ["delete", 0]
