"""The golden rules of the reference application: what each step gives, exactly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from migrators.events import silent
from migrators.guard import STAMP
from migrators.run import upgrade_fixtures
from tests.acceptance.cheeseshop import REPOSITORY, cheeseshop, parsed, tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

UP = [(1, 2), (2, 3), (3, 4)]


# fixtures --------------------------------------------------------------------------------


def _files(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def _committed(version: int) -> dict[str, bytes]:
    return _files(REPOSITORY / "fixtures" / f"v{version}")


@pytest.mark.parametrize(("old", "new"), UP)
def test_a_step_turns_fixtures_into_the_next_exactly(tmp_path: Path, old: int, new: int) -> None:
    """Byte for byte, the manifest too, where there were none before."""
    shop = cheeseshop(tmp_path / "shop", fixtures=[old])
    made = upgrade_fixtures(shop.project, old, new, emit=silent)
    assert _files(made) == _committed(new)


def test_fixtures_go_up_the_whole_chain_by_the_command(tmp_path: Path) -> None:
    """`migrate fixtures 1to4` writes three directories, and leaves nothing of the work."""
    shop = cheeseshop(tmp_path / "shop", fixtures=[1])
    done = shop.ran("fixtures", "1to4")
    assert [line.split()[-1][-2:] for line in done.out.splitlines()] == ["v2", "v3", "v4"]
    assert all(f"every row of fixtures/v{version}" in done.err for version in (1, 2, 3))
    for version in (2, 3, 4):
        assert _files(shop.root / "fixtures" / f"v{version}") == _committed(version)
    assert list((shop.root / ".migrate" / "runs").glob("*/scratch")) == []
    assert shop.databases() == []


def test_fixtures_replace_what_a_former_schema_left(tmp_path: Path) -> None:
    """A file whose table is gone goes; a person's note beside the files stays."""
    shop = cheeseshop(tmp_path / "shop", fixtures=[1, 2])
    place = shop.root / "fixtures" / "v2"
    (place / "gone.csv").write_text("id\n")
    (place / "README.md").write_text("why these rows")
    shop.ran("fixtures", "1to2")
    assert _files(place).keys() == {*_committed(2), "README.md"}


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_fixtures_load_verify_and_extract_to_the_same_bytes(
    cheese: Cheeseshop, version: int
) -> None:
    """What people edit is what a database of it gives back."""
    place = cheese.fixtures(version)
    cheese.ran("load", str(place))
    cheese.ran("verify", str(place))
    assert cheese.databases() == [f"cheeseshop_v{version}.db"]
    assert cheese.contents(version, "again") == tables(place)


# steps -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), UP)
def test_a_database_goes_where_its_fixtures_go(cheese: Cheeseshop, old: int, new: int) -> None:
    """`migrate NtoM` on a database of fixtures/vN is fixtures/vM, cell by cell."""
    cheese.ran("load", str(cheese.fixtures(old)))
    cheese.ran(f"{old}to{new}")
    cheese.ran("verify", str(cheese.fixtures(new)))
    assert cheese.contents(new, "made") == tables(cheese.fixtures(new))


def test_a_chain_equals_its_steps_one_by_one(tmp_path: Path) -> None:
    """All tables of 1to4 hold what 1to2, 2to3 and 3to4 give; only its end is published."""
    chained, single = cheeseshop(tmp_path / "chained"), cheeseshop(tmp_path / "single")
    for shop in (chained, single):
        shop.ran("load", str(shop.fixtures(1)))
    chained.ran("1to4")
    for old, new in UP:
        single.ran(f"{old}to{new}")
    assert chained.databases() == ["cheeseshop_v1.db", "cheeseshop_v4.db"]
    assert single.databases() == [f"cheeseshop_v{n}.db" for n in (1, 2, 3, 4)]
    assert chained.contents(4, "end") == single.contents(4, "end")


def test_there_and_back_loses_what_is_declared_and_nothing_else(cheese: Cheeseshop) -> None:
    """2 → 3 → 2: keywords are spelled anew, their history is gone, every other cell is back."""
    cheese.ran("load", str(cheese.fixtures(2)))
    cheese.ran("2to3")
    cheese.ran("3to2", "--accept-loss")
    before, after = tables(cheese.fixtures(2)), cheese.contents(2, "back")
    changed = {name for name in before.keys() | after if before.get(name) != after.get(name)}
    assert changed == {"packages", "packages_version"}
    expected = [
        {**row, "keywords": _spelled(row["keywords"])} for row in parsed(before["packages"])
    ]
    assert _with_sorted_keywords(parsed(after["packages"])) == expected
    assert parsed(after["packages_version"]) == [
        {**row, "keywords": ""} for row in parsed(before["packages_version"])
    ]


def _spelled(keywords: str) -> str:
    """Return keywords as schema 3 holds them: a set of words without capitals."""
    words = {word.strip().lower() for word in keywords.split(",")} - {""}
    return ", ".join(sorted(words))


def _with_sorted_keywords(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The order of a package's keywords is one of the declared losses."""
    return [{**row, "keywords": ", ".join(sorted(row["keywords"].split(", ")))} for row in rows]


def test_what_release_3_wrote_is_carried_back(cheese: Cheeseshop) -> None:
    """That is what 3to2 is for: a new user is in version 2, which the former one was not."""
    cheese.ran("load", str(cheese.fixtures(2)))
    cheese.ran("2to3")
    ((columns,),) = cheese.rows(3, "SELECT group_concat(name) FROM pragma_table_info('users')")
    assigned = columns.replace("id,", "'ffffffffffffffffffffffffffffff00',", 1)
    assigned = assigned.replace("username", "'newcomer'", 1)
    cheese.sql(
        3,
        f"INSERT INTO users ({columns}) SELECT {assigned} FROM users"
        " WHERE username = (SELECT min(username) FROM users)",
    )
    cheese.ran("3to2", "--accept-loss")
    query = "SELECT count(*) FROM users WHERE username = 'newcomer'"
    assert cheese.rows(2, query) == [(1,)]
    with closing(sqlite3.connect(cheese.aside(2)[0])) as former:
        assert former.execute(query).fetchone() == (0,)


# catalogues ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "commands", "version"),
    [
        (1, ["1to2"], 2),
        (2, ["2to3"], 3),
        (3, ["3to4"], 4),
        (1, ["1to4"], 4),
        (3, ["3to2 --accept-loss"], 2),
    ],
)
def test_a_migrated_catalogue_equals_a_created_one(
    tmp_path: Path, start: int, commands: list[str], version: int
) -> None:
    """By the engine's own eyes, and by SQLite's: the very SQL of every object."""
    migrated, created = cheeseshop(tmp_path / "migrated"), cheeseshop(tmp_path / "created")
    migrated.ran("load", str(migrated.fixtures(start)))
    for command in commands:
        migrated.ran(*command.split())
    created.ran("create", str(version))
    url = migrated.project.url(version), created.project.url(version)
    ours, fresh = (backend_for(u).catalog() for u in url)
    assert ours.objects == fresh.objects
    assert ours.objects != {}
    assert _master(migrated, version) == _master(created, version)


def _master(shop: Cheeseshop, version: int) -> list[tuple[str, ...]]:
    """Return what SQLite knows of a database besides rows; the stamp tells of its making."""
    query = (
        f"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> '{STAMP}' ORDER BY 1, 2"
    )
    return shop.rows(version, query)


@pytest.mark.parametrize("version", [3, 4])
def test_views_and_triggers_are_there_and_work(cheese: Cheeseshop, version: int) -> None:
    """They are made after the load, so that none of them fired on it."""
    cheese.ran("load", str(cheese.fixtures(2)))
    cheese.ran(f"2to{version}")
    kinds = dict(cheese.rows(version, "SELECT type, count(*) FROM sqlite_master GROUP BY type"))
    assert kinds["trigger"] > 0
    names = [n for (n,) in cheese.rows(version, "SELECT name FROM sqlite_master WHERE type='view'")]
    assert len(names) > 1  # the application's, and the stamp
    for name in names:
        assert cheese.rows(version, f'SELECT * FROM "{name}"') != []
