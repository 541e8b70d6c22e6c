"""Bad input: databases that are missing, locked, corrupt, in the way, or written to meanwhile.

Each is refused with a plain sentence and the documented exit code; nothing half made is
visible, nothing is lost, and the same command works once the cause is gone.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrators.errors import Findings
from migrators.events import Event, StageStarted
from migrators.run import Options, migrate
from tests.acceptance.cheeseshop import sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop


@pytest.fixture
def two(two: Cheeseshop) -> Cheeseshop:
    """A shop with a database of version 2; a lock is waited for shortly."""
    settings = two.root / "pyproject.toml"
    settings.write_text(settings.read_text().replace(".db", ".db?timeout=0.2"))
    return two


# the old database ------------------------------------------------------------------------

READERS = ("2to3", "check 2to3", "extract 2", "2to3 --rehearse", "2to3 --replace --yes")


def test_an_old_database_that_is_missing(cheese: Cheeseshop) -> None:
    """Exit 1 names it and how to make one."""
    for command in READERS:
        done = cheese.refused(*command.split(), code=1, words=["cheeseshop_v2.db"])
        assert "does not exist: there is no database of version 2" in done.said
        assert "migrate load fixtures/v2" in done.said
    assert cheese.databases() == []
    cheese.ran("load", str(cheese.fixtures(2)))
    cheese.ran("2to3")


@pytest.mark.parametrize("command", [*READERS, "stamp 2"])
def test_fixtures_that_are_not_there_are_not_offered(cheese: Cheeseshop, command: str) -> None:
    """A user's project may have none: nothing to type that would fail."""
    shutil.rmtree(cheese.fixtures(2))
    done = cheese.refused(*command.split(), code=1, words=["does not exist"])
    assert "load fixtures" not in done.said


def test_check_refuses_a_database_whose_stamp_is_anothers(three: Cheeseshop) -> None:
    """As the run would; its drift from another schema is no news."""
    three.database(2).write_bytes(three.database(3).read_bytes())
    three.refused("check", "2to3", code=1, words=["stamped as version 3", "migrate status"])


def _text(path: Path) -> None:
    path.write_text("id,name\n1,brie\n" * 100)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 11 + 100])


def _cut_at_a_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 11])


def _scribbled(path: Path) -> None:
    """Over a page of rows: one of an index is not read, and nothing is lost without it."""
    with closing(sqlite3.connect(path)) as connection:
        ((page,),) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'releases'"
        )
    kept = path.read_bytes()
    at = (page - 1) * 4096
    path.write_bytes(kept[:at] + b"\xde\xad\xbe\xef" * 1024 + kept[at + 4096 :])


def _fewer_cells(path: Path) -> None:
    """A page of rows says that it has one less: SQLite reads on, and says nothing."""
    with closing(sqlite3.connect(path)) as connection:
        ((page,),) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'settings'"
        )
    data, at = bytearray(path.read_bytes()), (page - 1) * 4096
    assert data[at] in (10, 13)  # a leaf
    data[at + 3 : at + 5] = (int.from_bytes(data[at + 3 : at + 5]) - 1).to_bytes(2)
    path.write_bytes(data)


def _zeroed(path: Path) -> None:
    kept = path.read_bytes()
    path.write_bytes(kept[:4096] + bytes(len(kept) - 4096))


def _header(path: Path) -> None:
    kept = path.read_bytes()
    path.write_bytes(kept[:16] + b"\xff\xff" + kept[18:])


@pytest.mark.parametrize(
    "damage", [_text, _empty, _cut, _cut_at_a_page, _scribbled, _fewer_cells, _zeroed, _header]
)
def test_an_old_database_that_is_damaged(two: Cheeseshop, damage: Callable[[Path], None]) -> None:
    """Exit 1 names the file; restored from a backup, the same command works."""
    path = two.database(2)
    kept = path.read_bytes()
    damage(path)
    for command in ("2to3", "extract 2"):
        two.refused(*command.split(), code=1, words=["cheeseshop_v2.db"])
    assert two.run("check", "2to3").clear
    assert two.run("status").clear
    assert two.databases() == ["cheeseshop_v2.db"]
    path.write_bytes(kept)
    two.ran("2to3")
    two.ran("verify", str(two.fixtures(3)))


def test_an_old_database_that_is_a_folder(two: Cheeseshop) -> None:
    """Exit 1."""
    path, elsewhere = two.database(2), two.root / "elsewhere.db"
    path.rename(elsewhere)
    path.mkdir()
    two.refused("2to3", code=1, words=["is a directory"])
    path.rmdir()
    elsewhere.rename(path)
    two.ran("2to3")


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement)
print("ready", flush=True)
sys.stdin.read()
"""
"""A writer in a process of its own: locks within one process would not be seen."""


def _writer(path: Path, *statements: str) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, *statements],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_an_old_database_that_a_writer_locks(two: Cheeseshop, journal: str) -> None:
    """Exit 5; once the writer is gone, the same command works."""
    mode = ["PRAGMA locking_mode = EXCLUSIVE"] if journal == "WAL" else []
    two.sql(2, f"PRAGMA journal_mode = {journal}")
    change = "UPDATE users SET username = 'uncommitted' WHERE id = 1"
    with _writer(two.database(2), *mode, "BEGIN EXCLUSIVE", change) as writer:
        for command in ("2to3", "check 2to3", "extract 2"):
            two.refused(*command.split(), code=5, words=["locked"])
        assert two.run("status").clear
        writer.communicate()
    two.ran("2to3")
    query = "SELECT count(*) FROM users WHERE username = 'uncommitted'"
    assert two.rows(3, query) == [(0,)]


def test_a_writer_that_has_not_committed_does_not_lock_readers(two: Cheeseshop) -> None:
    """With a mere reserved lock there is a snapshot to read; what comes later is noticed."""
    with _writer(two.database(2), "BEGIN IMMEDIATE") as writer:
        two.ran("2to3")
        writer.communicate()


@pytest.mark.fault("G86")
def test_a_write_during_the_run_is_noticed(two: Cheeseshop) -> None:
    """FAULTS G86: exit 3, nothing is published; the same command carries what was written."""
    two.sql(2, "PRAGMA journal_mode = WAL")

    def write(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "finish":
            two.sql(2, "UPDATE users SET username = 'slipped-in' WHERE id = 1")

    project = two.project
    with pytest.raises(Findings, match="written to while it was migrated"):
        migrate(project, project.chain(2, 3), Options(), emit=write)
    assert not two.database(3).exists()
    assert [name for name in two.databases() if "loading" in name] == []
    two.ran("2to3")
    query = "SELECT count(*) FROM users WHERE username = 'slipped-in'"
    assert two.rows(3, query) == [(1,)]


@pytest.mark.fault("G84")
def test_a_write_during_the_extract_is_noticed(two: Cheeseshop) -> None:
    """Written before the first table was read, seen by the snapshot or not: not published."""
    two.sql(2, "PRAGMA journal_mode = WAL")

    def write(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "extract":
            script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
            script += "c.execute('DELETE FROM settings'); c.commit()"
            subprocess.run([sys.executable, "-c", script, two.database(2)], check=True)

    project = two.project
    with pytest.raises(Findings, match="written to while it was migrated"):
        migrate(project, project.chain(2, 3), Options(), emit=write)
    two.ran("2to3")
    assert two.rows(3, "SELECT count(*) FROM settings") == [(0,)]


def test_values_that_do_not_fit_are_named(two: Cheeseshop) -> None:
    """Exit 1 names table, column and key; corrected, the same command works."""
    two.sql(2, "UPDATE packages SET downloads = 'many' WHERE id = 3")
    two.refused("2to3", code=1, words=["packages.downloads", "3"])
    two.sql(2, "UPDATE packages SET downloads = 3 WHERE id = 3")
    two.ran("2to3")


@pytest.mark.fault("F70")
def test_references_that_lead_nowhere_are_named(two: Cheeseshop) -> None:
    """FAULTS F70: SQLite accepted them; the new version does not get them."""
    two.sql(2, "PRAGMA foreign_keys = OFF", "UPDATE releases SET package_id = 4711 WHERE id = 5")
    done = two.run("2to3")
    assert (done.code, done.clear) == (1, True)
    assert "releases" in done.said
    assert two.databases() == ["cheeseshop_v2.db"]
    two.sql(2, "UPDATE releases SET package_id = 1 WHERE id = 5")
    two.ran("2to3")


# the name of the new database ------------------------------------------------------------


def _file(path: Path) -> None:
    path.write_text("a person's notes")


def _folder(path: Path) -> None:
    path.mkdir()


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere.db")


def _linked(path: Path) -> None:
    path.symlink_to(path.parent / "cheeseshop_v2.db")


@pytest.mark.parametrize("make", [_file, _folder, _dangling, _linked])
def test_something_has_the_name_of_the_new_database(
    two: Cheeseshop, make: Callable[[Path], None]
) -> None:
    """Whatever it is, it is not overwritten: exit 1; once it is moved the command works."""
    path = two.database(3)
    make(path)
    two.refused("2to3", code=1, words=["cheeseshop_v3.db"])
    two.refused("load", str(two.fixtures(3)), code=1, words=["cheeseshop_v3.db"])
    two.refused("create", "3", code=1, words=["cheeseshop_v3.db"])
    two.refused("check", "2to3", code=3, words=["1 finding", "cheeseshop_v3.db"])
    assert [name for name in two.databases() if "loading" in name] == []
    path.rename(two.root / "moved")
    two.ran("2to3")


@pytest.mark.parametrize("command", ["2to3", "load {fixtures}/v3", "create 3"])
@pytest.mark.parametrize("content", [b"", b"a person's notes"])
def test_a_file_that_is_no_database_is_set_aside(
    two: Cheeseshop, command: str, content: bytes
) -> None:
    """What the refusal says to type works: an application that connects leaves an empty file."""
    two.database(3).write_bytes(content)
    typed = command.format(fixtures=two.root / "fixtures").split()
    two.refused(*typed, code=1, words=["nothing was overwritten", f"{typed[-1]} --replace"])
    two.ran(*typed, "--replace", "--yes")
    assert [path.read_bytes() for path in two.aside(3)] == [content]


def test_check_knows_a_run_that_has_nothing_to_do(two: Cheeseshop) -> None:
    """Its own database is not in its way; once the old one was written to, it is stale."""
    two.ran("2to3")
    assert "cheeseshop_v3.db is here already" in two.ran("check", "2to3").said
    two.sql(2, "UPDATE users SET name = 'later'")
    two.refused("check", "2to3", code=3, words=["1 finding", "stale", "2to3 --replace"])
    two.refused("2to3", code=3, words=["stale", "2to3 --replace"])


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("command", ["2to3", "load {fixtures}/v3", "create 3"])
def test_what_an_older_file_left_beside_the_new_name(
    two: Cheeseshop, command: str, suffix: str
) -> None:
    """A stale -wal would bring old content back: exit 1 says how to move it away."""
    stale = two.data / f"cheeseshop_v3.db{suffix}"
    stale.write_bytes(b"old content")
    typed = command.format(fixtures=two.root / "fixtures").split()
    done = two.refused(*typed, code=1, words=[stale.name, "mv "])
    assert "extract  " not in done.said  # before any work
    two.refused("check", "2to3", code=3, words=["1 finding", stale.name, "mv "])
    assert two.databases() == ["cheeseshop_v2.db", stale.name]
    stale.unlink()
    two.ran(*typed)


def test_replacing_a_version_that_is_in_use(two: Cheeseshop) -> None:
    """Its WAL holds what its file does not: refused; closed, it is set aside whole."""
    two.ran("2to3")
    with closing(sqlite3.connect(two.database(3), isolation_level=None)) as application:
        application.execute("PRAGMA journal_mode = WAL")
        application.execute("UPDATE users SET name = 'in-the-wal'")
        done = two.run("2to3", "--fresh", "--replace", "--yes")
        assert (done.code, done.clear) == (1, True)
        assert "in use" in done.said
        assert application.execute("SELECT DISTINCT name FROM users").fetchall() == [
            ("in-the-wal",)
        ]
    before = sha256(two.database(3))
    two.ran("2to3", "--fresh", "--replace", "--yes")
    assert sha256(*two.aside(3)) == before


def test_the_staging_name_of_another_run_is_left_alone(two: Cheeseshop) -> None:
    """A file that no journal names is nobody's to remove."""
    stranger = two.data / "cheeseshop_v3__loading_20200101-000000.db"
    stranger.write_bytes(b"a person's")
    two.ran("2to3")
    assert stranger.read_bytes() == b"a person's"
