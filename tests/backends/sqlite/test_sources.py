"""Old files: read whole, in one transaction, and left byte for byte as they were."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from migrators.backends.sqlite import connect, snapshot, source
from migrators.errors import DatabaseError, Locked
from tests.backends.sqlite.conftest import ROWS, asked, backend, content, copy, hot, run

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    Read = Callable[..., list[pa.RecordBatch]]


def count(batches: list[pa.RecordBatch]) -> int:
    """Return the number of rows."""
    return sum(batch.num_rows for batch in batches)


def wal(path: Path, rows: int = 1_000) -> sqlite3.Connection:
    """Return a live writer of a WAL database whose rows are in the WAL only."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(rows)))
    connection.commit()
    return connection


def test_a_rollback_journal_database_is_unchanged(tmp_path: Path, read: Read) -> None:
    """Reading, catalogue and stamp leave a plain file as it was, and nothing beside it."""
    path = tmp_path / "old.db"
    run(path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1), (2)")
    before, digest = content(path), backend(path).digest()
    assert count(read(path)) == 2
    backend(path).catalog()
    assert backend(path).stamp() is None
    assert (content(path), backend(path).digest()) == (before, digest)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.db", "scratch"]


def test_a_wal_with_a_live_writer_is_read_and_unchanged(tmp_path: Path, read: Read) -> None:
    """Rows that are in the WAL only are read; main file and WAL stay as they were."""
    path = tmp_path / "old.db"
    with closing(wal(path)):
        before = content(path)
        assert count(read(path)) == 1_000
        assert content(path) == before


def test_a_wal_left_by_a_crash_is_read_and_unchanged(tmp_path: Path, read: Read) -> None:
    """A WAL that nobody has open is part of the database."""
    with closing(wal(tmp_path / "live.db")):
        path = copy(tmp_path / "live.db", tmp_path / "crashed.db")
    before, digest = content(path), backend(path).digest()
    assert count(read(path)) == 1_000
    assert backend(path).catalog().objects
    assert (content(path), backend(path).digest()) == (before, digest)


def test_a_closed_wal_database_is_read_and_unchanged(tmp_path: Path, read: Read) -> None:
    """A WAL database without a WAL has the same digest after SQLite made an empty one."""
    path = tmp_path / "old.db"
    wal(path).close()
    before, digest = content(path), backend(path).digest()
    assert count(read(path)) == 1_000
    assert (content(path), backend(path).digest()) == (before, digest)


READINGS: dict[str, Callable[..., object]] = {
    "rows": lambda path, read: read(path),
    "stamp": lambda path, _: backend(path).stamp(),
    "catalogue": lambda path, _: backend(path).catalog(),
}


@pytest.mark.parametrize("how", READINGS)
def test_nothing_is_left_beside_a_closed_wal_database(tmp_path: Path, read: Read, how: str) -> None:
    """The WAL files that reading takes are SQLite's to remove; file and time stay."""
    path = tmp_path / "old.db"
    wal(path).close()
    before, stood = content(path), path.stat().st_mtime_ns
    READINGS[how](path, read)
    assert [p.name for p in tmp_path.glob("old.db*")] == ["old.db"]
    assert (content(path), path.stat().st_mtime_ns) == (before, stood)


@pytest.mark.parametrize("how", READINGS)
def test_the_files_of_an_application_that_came_meanwhile_stay(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It connects while we read: its WAL files are its own, and what it writes is kept."""
    path = tmp_path / "old.db"
    wal(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as application:
        monkeypatch.setattr(source, "settle", _after(application, source.settle))
        READINGS[how](path, read)
        assert sorted(p.name for p in tmp_path.glob("old.db-*")) == ["old.db-shm", "old.db-wal"]
        application.execute("INSERT INTO t VALUES (-7777)")
    assert asked(path, "SELECT count(*) FROM t WHERE a = -7777") == [(1,)]


def _after(
    application: sqlite3.Connection, settle: Callable[[Path], None]
) -> Callable[[Path], None]:
    def settled(path: Path) -> None:
        application.execute("SELECT count(*) FROM t").fetchone()
        settle(path)

    return settled


def test_nothing_is_left_where_readings_overlap(tmp_path: Path, scratch: Path) -> None:
    """As in verify: the last to end removes the files, and none while another one reads.

    One that was about to read found the files of another, which then took them away.
    """
    path = tmp_path / "old.db"
    wal(path).close()
    with ExitStack() as first, ExitStack() as second:
        for stack in (first, second):
            stack.enter_context(snapshot.opened(path, scratch, 0))
        first.close()
        assert sorted(p.name for p in tmp_path.glob("old.db-*")) == ["old.db-shm", "old.db-wal"]
    assert list(tmp_path.glob("old.db-*")) == []
    with ExitStack() as first, ExitStack() as second:
        for stack in (first, second):
            stack.enter_context(source.tidied(path))
            with connect.plain(path, "ro", 0) as reader:
                reader.execute("SELECT count(*) FROM sqlite_master")
            first.close()
    assert list(tmp_path.glob("old.db-*")) == []


def test_a_wal_that_was_written_meanwhile_is_not_written_back(tmp_path: Path) -> None:
    """A crash of the application while we read: its WAL is left for it to recover."""
    with closing(wal(tmp_path / "live.db")):
        path = copy(tmp_path / "live.db", tmp_path / "crashed.db")
    before = content(path)
    source.settle(path)
    assert content(path) == before


def test_a_hot_journal_is_rolled_back_in_a_copy(tmp_path: Path, read: Read) -> None:
    """A crash in the middle of a transaction: the rows before it are read, nothing changes."""
    path = hot(tmp_path)
    before = content(path)
    assert sorted(before) == ["", "-journal"]
    batches = read(path)
    assert (count(batches), batches[0]["a"][-1].as_py()) == (1_000, 999)
    assert "table" in {kind for kind, _ in backend(path).catalog().objects}
    assert backend(path).stamp() is None
    assert content(path) == before


_AS_NOBODY = """
import os, sys
from pathlib import Path
import adbc_driver_sqlite, sqlite3
from migrators.backends.sqlite import snapshot
from tests.backends.sqlite.conftest import ROWS, backend
from migrators.backends.sqlite import adbc
warm = adbc.Adbc(Path(sys.argv[2]) / "warm.db", "rwc")  # all imports, while they can be read
warm.table("SELECT 1")
warm.close()
backend(Path(sys.argv[2]) / "warm.db").catalog
os.setgroups([]); os.setgid(65534); os.setuid(65534)
scratch = Path(sys.argv[2])
with backend(Path(sys.argv[1])).snapshot(scratch) as snapshot:
    print(sum(b.num_rows for b in snapshot.batches(ROWS)))
backend(Path(sys.argv[1])).catalog()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_wal_in_a_folder_of_another_user_is_copied() -> None:
    """Who may not write beside a WAL database reads a copy, and leaves no file there."""
    with TemporaryDirectory() as made:  # pytest's own folders are closed to other users
        folder = Path(made)
        path, scratch = folder / "old.db", folder / "scratch"
        with closing(wal(folder / "live.db")):
            copy(folder / "live.db", path)
        scratch.mkdir()
        os.chown(scratch, 65534, 65534)
        folder.chmod(0o755)
        for file in folder.glob("old.db*"):
            file.chmod(0o644)
        before, names = content(path), sorted(p.name for p in folder.iterdir())
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, str(path), str(scratch)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert (done.stdout.strip(), done.returncode) == ("1000", 0), done.stderr
        assert (content(path), sorted(p.name for p in folder.iterdir())) == (before, names)


def test_a_copy_of_a_file_that_moves_is_refused(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is written to while it is copied is never taken for a copy."""
    path = hot(tmp_path)
    original = source._digest
    turns = iter(range(1_000))

    def moving(file: Path) -> str:
        if file == path:
            with path.open("ab") as handle:
                handle.write(bytes([next(turns) % 256]))
        return original(file)

    monkeypatch.setattr(source, "_digest", moving)
    with pytest.raises(Locked, match="is being written to"):
        source.copied(path, scratch)


def test_one_transaction_sees_one_moment(tmp_path: Path, scratch: Path) -> None:
    """What is written while a snapshot is open is not in it, on WAL."""
    path = tmp_path / "old.db"
    with closing(wal(path)) as writer, backend(path).snapshot(scratch) as snapshot:
        writer.execute("INSERT INTO t VALUES (5000)")
        writer.commit()
        assert snapshot.rows("SELECT count(*) FROM t") == [(1_000,)]
        assert count(list(snapshot.batches(ROWS))) == 1_000


def test_an_exclusive_lock_is_said(tmp_path: Path, scratch: Path) -> None:
    """A writer that holds the file: exit 5, and what to do."""
    path = tmp_path / "old.db"
    run(path, "CREATE TABLE t (a INTEGER)")
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"held\n"
        with pytest.raises(Locked, match="is locked by a writer"), backend(path).snapshot(scratch):
            pass
        with pytest.raises(Locked, match="is locked by a writer"):
            backend(path).catalog()
        writer.communicate()


def _missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def _directory(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.touch()


def _text(path: Path) -> None:
    path.write_text("id,name\n" * 1_000)


def _damaged(path: Path) -> None:
    run(path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    data = bytearray(path.read_bytes())
    data[4096:5000] = b"\xff" * 904
    path.write_bytes(data)


def _cut(path: Path) -> None:
    run(path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_missing, "there is no such database"),
        (_directory, "is a directory"),
        (_empty, "the file is empty"),
        (_text, "is not a SQLite database"),
        (_damaged, "is corrupt"),
        (_cut, "is corrupt"),
    ],
)
def test_what_is_no_database_is_said(
    tmp_path: Path, read: Read, make: Callable[[Path], None], said: str
) -> None:
    """Missing, directory, empty, not SQLite, corrupt: one sentence and what to do."""
    path = tmp_path / "old.db"
    make(path)
    with pytest.raises(DatabaseError, match=said) as caught:
        read(path)
    assert caught.value.hint


def _fewer_cells(path: Path) -> None:
    """Lower how many cells a leaf says that it has: SQLite reads on, and some rows less."""
    rows = ", ".join(f"({n}, 'row {n}')" for n in range(2000))
    run(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", f"INSERT INTO t VALUES {rows}")
    data = bytearray(path.read_bytes())
    leaf = next(at for at in range(4096, len(data), 4096) if data[at] == 13)
    cells = int.from_bytes(data[leaf + 3 : leaf + 5])
    data[leaf + 3 : leaf + 5] = (cells - 20).to_bytes(2)
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1980,)


def test_damage_that_no_reading_notices_is_found(tmp_path: Path) -> None:
    """A page that says it has fewer rows than it holds."""
    path = tmp_path / "old.db"
    _fewer_cells(path)
    with pytest.raises(DatabaseError, match=r"is corrupt: .*") as caught:
        backend(path).require_sound()
    assert caught.value.hint


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE t (a INTEGER CHECK (a > 0))", "PRAGMA ignore_check_constraints = ON",
         "INSERT INTO t VALUES (-1)"),
        ("CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (NULL), ('x')",
         "PRAGMA writable_schema = ON",
         "UPDATE sqlite_master SET sql = 'CREATE TABLE t (a INTEGER NOT NULL)'"),
        ("CREATE VIRTUAL TABLE t USING fts5(x)", "INSERT INTO t VALUES ('cheese')"),
    ],
    ids=["a CHECK", "NOT NULL", "full text"],
)  # fmt: skip
def test_values_that_break_a_rule_are_no_damage(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    """`check` names their rows, and a rule may mend them."""
    path = tmp_path / "old.db"
    run(path, *statements)
    backend(path).require_sound()


def test_a_collation_of_the_applications_own_is_no_damage(tmp_path: Path) -> None:
    """Nor can its index be looked at."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_collation("own", lambda a, b: (a > b) - (a < b))
        connection.execute("CREATE TABLE t (a TEXT COLLATE own UNIQUE)")
        connection.execute("INSERT INTO t VALUES ('a'), ('b')")
        connection.commit()
    backend(path).require_sound()


def test_a_snapshot_and_work_on_its_file_exclude_each_other(tmp_path: Path, scratch: Path) -> None:
    """Opening the file would drop the snapshot's locks: it is refused, loudly."""
    path = tmp_path / "old.db"
    run(path, "CREATE TABLE t (a INTEGER)")
    database = backend(path)
    with database.snapshot(scratch), pytest.raises(RuntimeError, match="a snapshot is open"):
        database.digest()
    assert len(database.digest()) == 64


def test_a_snapshot_holds_its_lock(tmp_path: Path, scratch: Path) -> None:
    """No writer of another process commits to a rollback-journal file that is being read."""
    path = tmp_path / "old.db"
    run(path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    write = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0.1); "
        "c.execute('INSERT INTO t VALUES (2)'); c.commit()"
    )
    with backend(path).snapshot(scratch) as snapshot:
        done = subprocess.run(
            [sys.executable, "-c", write, str(path)], capture_output=True, text=True, check=False
        )
        assert "database is locked" in done.stderr
        assert snapshot.rows("SELECT a FROM t") == [(1,)]


def test_a_snapshot_reads_only_and_sorts_in_scratch(tmp_path: Path, scratch: Path) -> None:
    """Sessions are pinned: LIKE by bytes, no writing, spills in the private folder."""
    path = tmp_path / "old.db"
    run(path, "CREATE TABLE t (a INTEGER)")
    with backend(path).snapshot(scratch) as snapshot:
        assert snapshot.rows("SELECT 'A' LIKE 'a'") == [(0,)]
        found = snapshot._connection.table("PRAGMA temp_store_directory")  # type: ignore[attr-defined]
        assert found.column(0).to_pylist() == [str(scratch)]
        with pytest.raises(Exception, match="readonly database"):
            snapshot._connection.run("DELETE FROM t")  # type: ignore[attr-defined]


def test_a_name_with_every_odd_character(tmp_path: Path, read: Read) -> None:
    """Spaces, quotes, percent and question marks are part of a file's name."""
    path = tmp_path / "a b%20'\"?#é.db"
    run(path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    assert count(read(path)) == 1


def test_positions_of_autoincrement_are_read(tmp_path: Path, scratch: Path) -> None:
    """The highest key ever given is known after its row is gone."""
    path = tmp_path / "old.db"
    run(
        path,
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO t VALUES (41)",
        "DELETE FROM t",
    )
    with backend(path).snapshot(scratch) as snapshot:
        assert snapshot.sequences() == {"t": 41}


def test_a_backend_travels_to_a_worker(tmp_path: Path) -> None:
    """A backend is pickled with its URL and touches nothing."""
    database = backend(tmp_path / "old.db")
    assert pickle.loads(pickle.dumps(database)).url == database.url  # noqa: S301
