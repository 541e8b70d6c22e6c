"""The reference application's schemas, generator and first fixture are what they claim."""

from __future__ import annotations

import csv
import runpy
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from migrators.extracts.names import file_name
from tests.benchmarks.generate import counts, generate

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
VERSIONS = (1, 2, 3, 4)
every_version = pytest.mark.parametrize("version", VERSIONS)


def metadata_of(version: int) -> sa.MetaData:
    """Return a fresh copy of a schema's tables."""
    found = runpy.run_path(str(ROOT / "schemas" / f"v{version}.py"))["metadata"]
    assert isinstance(found, sa.MetaData)
    return found


def after_of(version: int) -> Iterator[str]:
    """Yield what runs on SQLite after the tables and their data."""
    for name in (f"v{version}.after.sql", f"v{version}.after.sqlite.sql"):
        path = ROOT / "schemas" / name
        if path.exists():
            yield path.read_text("utf-8")


def created(path: Path, version: int) -> sqlite3.Connection:
    """Create an empty database through SQLAlchemy; return it with foreign keys enforced."""
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata_of(version).create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(path, isolation_level=None)
    for script in after_of(version):
        connection.executescript(script)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@every_version
def test_schema_creates_on_sqlite(tmp_path: Path, version: int) -> None:
    """Every table is there, and the SQL beside the schema runs."""
    connection = created(tmp_path / "shop.db", version)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    expected = set(metadata_of(version).tables)
    if version > 1:
        expected.add("release_index")
    if version > 2:
        expected.add("files_touch_project")
    assert expected == {name for name in found if not name.startswith(("ix_", "sqlite_"))}


@every_version
@pytest.mark.parametrize("server", ["postgresql", "mysql", "mariadb"])
def test_tables_compile_for_servers(version: int, server: str) -> None:
    """Each table has DDL for servers too: lengths, variants and names of types are given."""
    dialect = sa.make_url(f"{server}://").get_dialect()()
    tables = metadata_of(version).tables.values()
    ddl = [str(CreateTable(table).compile(dialect=dialect)) for table in tables]
    assert len(tables) == sum("CREATE TABLE" in text for text in ddl)


@every_version
def test_every_reference_has_a_target(version: int) -> None:
    """A foreign key names a table and column that exist, of the same type as its own."""
    metadata = metadata_of(version)
    keys = [key for table in metadata.tables.values() for key in table.foreign_keys]
    assert keys
    for key in keys:
        assert str(key.parent.type) == str(key.column.type)


@every_version
def test_every_constraint_is_named(version: int) -> None:
    """No constraint's name is left to the database."""
    nameless = [
        f"{table}: {constraint!r}"
        for table in metadata_of(version).tables.values()
        for constraint in table.constraints
        # A table without a primary key holds an empty one.
        if constraint.name is None and not isinstance(constraint, sa.PrimaryKeyConstraint)
    ]
    unnamed_keys = [
        table.name
        for table in metadata_of(version).tables.values()
        if table.primary_key.name is None
    ]
    assert nameless == []
    assert unnamed_keys == (["DownloadLog"] if version < 4 else [])


def test_version_4_has_a_circle_and_a_self_reference() -> None:
    """Users and profiles refer to each other; projects to projects."""
    tables = metadata_of(4).tables
    refers = {(t.name, k.column.table.name) for t in tables.values() for k in t.foreign_keys}
    assert {("users", "profiles"), ("profiles", "users"), ("projects", "projects")} <= refers


@pytest.mark.parametrize("version", [3, 4])
def test_a_new_file_touches_its_project(tmp_path: Path, version: int) -> None:
    """The trigger writes a time as SQLAlchemy does, so one fired in a load would show."""
    connection = created(tmp_path / "shop.db", version)
    project = {
        "id": "0" * 32,
        "name": "brie",
        "tier": "basic",
        "downloads": 0,
        "status": "active",
        "created": "2020-01-01 00:00:00.000000",
        "last_updated": "2020-01-01 00:00:00.000000",
    } | ({"links": "{}"} if version == 4 else {})
    _insert(connection, "projects", project)
    release = {"id": 1, "project_id": "0" * 32, "version": "1", "cost": 0, "yanked": 0}
    _insert(connection, "releases", release | {"uploaded": project["created"]})
    _insert(connection, "files", {"id": 1, "release_id": 1, "filename": "brie.tar.gz"})
    ((touched,),) = connection.execute("SELECT last_updated FROM projects").fetchall()
    index = connection.execute("SELECT name, owner, releases FROM release_index").fetchall()
    connection.close()
    assert touched > "2024"
    assert len("2020-01-01 00:00:00.000000") == len(touched)
    assert index == [("brie", None, 1)]


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
    )


@pytest.mark.parametrize("version", [1, 2])
def test_generator_is_sound_and_repeatable(tmp_path: Path, version: int) -> None:
    """References hold, rows are as many as asked for, equal seeds give equal databases."""
    dumps = []
    for name in ("one.db", "two.db"):
        rows = generate(tmp_path / name, version=version, scale=0.001, seed=7)
        connection = sqlite3.connect(tmp_path / name)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        dumps.append(list(connection.iterdump()))
        connection.close()
        assert rows.items() >= counts(0.001).items()
        assert rows.keys() == metadata_of(version).tables.keys()
    assert dumps[0] == dumps[1]


def test_generator_differs_by_seed(tmp_path: Path) -> None:
    """Another seed gives other rows."""
    dumps = []
    for seed in (1, 2):
        generate(tmp_path / f"{seed}.db", version=2, scale=0.0001, seed=seed)
        connection = sqlite3.connect(tmp_path / f"{seed}.db")
        dumps.append(list(connection.iterdump()))
        connection.close()
    assert dumps[0] != dumps[1]


def test_generator_refuses_a_file_that_exists(tmp_path: Path) -> None:
    """Nothing is written over."""
    (tmp_path / "shop.db").write_text("precious")
    with pytest.raises(FileExistsError):
        generate(tmp_path / "shop.db", version=2, scale=0.001, seed=1)
    assert (tmp_path / "shop.db").read_text() == "precious"


def _fixture(version: int, table: str) -> list[dict[str, str]]:
    with _file(version, table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _file(version: int, table: str) -> Path:
    return ROOT / "fixtures" / f"v{version}" / file_name(table, ".csv")


def test_first_fixture_is_whole() -> None:
    """A file for each table with its columns, at most 200 rows, and no reference dangles."""
    for table in metadata_of(1).tables.values():
        with _file(1, table.name).open(encoding="utf-8", newline="") as file:
            assert list(table.c.keys()) == next(csv.reader(file))
        rows = _fixture(1, table.name)
        assert len(rows) <= 200
        for key in table.foreign_keys:
            targets = {row[key.column.name] for row in _fixture(1, key.column.table.name)}
            assert {row[key.parent.name] for row in rows} - {""} <= targets


def test_first_fixture_has_what_the_step_must_mend() -> None:
    """Addresses are missing and shared, a package is deleted, one has no release."""
    addresses = [row["personal_email_address"] for row in _fixture(1, "recruits")]
    packages = _fixture(1, "packages")
    released = {row["package_id"] for row in _fixture(1, "releases")}
    uploaded = {row["uploaded"] for row in _fixture(1, "releases")}
    assert addresses.count("") >= 2
    assert addresses.count("shared@example.org") == 3
    assert {row["status"] for row in packages} == {"active", "hidden", "deleted"}
    assert {row["id"] for row in packages} - released
    assert {"2023-10-29 02:30:00.000000", "2023-03-26 02:30:00.000000"} <= uploaded
