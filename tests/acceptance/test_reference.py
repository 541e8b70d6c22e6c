"""What each step of the reference application gives, exactly: the same on every engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from migrators.backends import backend_for
from migrators.events import silent
from migrators.guard import STAMP
from migrators.run import upgrade_fixtures
from migrators.schema import load_schema
from tests.acceptance.cheeseshop import REPOSITORY, cheeseshop, parsed, tables
from tests.acceptance.engines import ENGINES, asked, shops, there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

UP = [(1, 2), (2, 3), (3, 4)]
LAST = 4
NEWCOMER_ID = "ffffffffffffffffffffffffffffff00"


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


# on every engine -------------------------------------------------------------------------


@dataclass(frozen=True)
class Walked:
    """What one way through the versions gave: contents and catalogues by version, names."""

    contents: dict[str, dict[str, bytes]]
    catalogues: dict[str, dict[Any, Any]]
    names: dict[str, list[str]]
    rows: dict[str, list[tuple[Any, ...]]]


ON_EVERY_ENGINE = [pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ENGINES]


@pytest.fixture(scope="module", params=ON_EVERY_ENGINE)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database; its tests stay in one process, so that one walk serves them all."""
    return str(request.param)


@pytest.fixture(scope="module")
def walked(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """1 → 2 → 3 → 4 step by step, a new user in 3, and 3 → 2."""
    with shops(kind, tmp_path_factory.mktemp(kind) / "cheeseshop") as shop:
        seen = Walked({}, {}, {}, {})
        shop.ran("load", str(shop.fixtures(1)))
        for old, new in UP:
            shop.ran(f"{old}to{new}")
            _see(seen, shop, f"{old}to{new}", new)
        for version in (3, 4):
            seen.rows[f"view {version}"] = asked(shop, version, "SELECT * FROM release_index")
        _add_newcomer(shop)
        shop.ran("3to2", "--accept-loss")
        _see(seen, shop, "3to2", 2)
        yield seen


@pytest.fixture(scope="module")
def direct(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """1 → 4 in one go; then each version loaded from its fixtures, and created empty."""
    with shops(kind, tmp_path_factory.mktemp(kind) / "cheeseshop") as shop:
        seen = Walked({}, {}, {}, {})
        shop.ran("load", str(shop.fixtures(1)))
        shop.ran("verify", str(shop.fixtures(1)))
        seen.contents["load 1"] = shop.contents(1, "load 1")
        shop.ran("1to4")
        _see(seen, shop, "1to4", 4)
        for version in (2, 3, 4):
            place = str(shop.fixtures(version))
            shop.ran("load", place, *["--replace", "--yes"] * (version == LAST))
            shop.ran("verify", place)
            seen.contents[f"load {version}"] = shop.contents(version, f"load {version}")
            shop.ran("create", str(version), "--replace", "--yes")
            seen.catalogues[f"create {version}"] = _catalogue(shop, version)
        yield seen


def _see(seen: Walked, shop: Cheeseshop, command: str, version: int) -> None:
    seen.contents[command] = shop.contents(version, command)
    seen.catalogues[command] = _catalogue(shop, version)
    seen.names[command] = there(shop)


def _catalogue(shop: Cheeseshop, version: int) -> dict[Any, Any]:
    return dict(backend_for(shop.project.url(version)).catalog().objects)


def _add_newcomer(shop: Cheeseshop) -> None:
    """Write a user into version 3, as release 3 would."""
    names = ", ".join(c.name for c in load_schema(shop.project, 3).tables["users"].stored)
    assigned = names.replace("id,", f"'{NEWCOMER_ID}',", 1).replace("username", "'newcomer'", 1)
    model = "SELECT min(username) FROM users"
    sql = f"INSERT INTO users ({names}) SELECT {assigned} FROM users WHERE username = ({model})"
    asked(shop, 3, sql)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_fixtures_load_verify_and_extract_to_the_same_bytes(direct: Walked, version: int) -> None:
    """What people edit is what a database of it gives back, on each engine."""
    assert direct.contents[f"load {version}"] == tables(REPOSITORY / "fixtures" / f"v{version}")


def test_the_fixtures_hold_rows_that_collations_and_charsets_change() -> None:
    """Case, accents, spaces at the end, emoji and NULL beside the empty string."""
    users = parsed(tables(REPOSITORY / "fixtures" / "v1")["users"])
    found = {row["chatname"] for row in users}
    assert {"Stilton", "stilton", "stilton ", "stïlton", "🧀"} <= found
    raw = tables(REPOSITORY / "fixtures" / "v1")["users"].decode()
    assert '"empty@example.org","",' in raw
    assert '"null@example.org",,' in raw


@pytest.mark.parametrize(("old", "new"), UP)
def test_a_database_goes_where_its_fixtures_go(walked: Walked, old: int, new: int) -> None:
    """`migrate NtoM` on a database of fixtures/vN is fixtures/vM, cell by cell."""
    assert walked.contents[f"{old}to{new}"] == tables(REPOSITORY / "fixtures" / f"v{new}")


def test_a_chain_equals_its_steps_one_by_one(walked: Walked, direct: Walked) -> None:
    """All tables of 1to4 hold what 1to2, 2to3 and 3to4 give; only its end is published."""
    assert direct.names["1to4"] == ["v1", "v4"]
    assert walked.names["3to4"] == ["v1", "v2", "v3", "v4"]
    assert direct.contents["1to4"] == walked.contents["3to4"]


def test_there_and_back_loses_what_is_declared_and_nothing_else(walked: Walked) -> None:
    """2 → 3 → 2: keywords are spelled anew, their history is gone, every other cell is back."""
    before, after = walked.contents["1to2"], walked.contents["3to2"]
    changed = {name for name in before.keys() | after if before.get(name) != after.get(name)}
    assert changed == {"packages", "packages_version", "users"}
    expected = [
        {**row, "keywords": _spelled(row["keywords"])} for row in parsed(before["packages"])
    ]
    assert _with_sorted_keywords(parsed(after["packages"])) == expected
    assert parsed(after["packages_version"]) == [
        {**row, "keywords": ""} for row in parsed(before["packages_version"])
    ]
    lines = before["users"].splitlines(keepends=True)
    assert [line for line in after["users"].splitlines(keepends=True) if line in lines] == lines


def test_what_release_3_wrote_is_carried_back(walked: Walked) -> None:
    """That is what 3to2 is for: a new user is in version 2; the former one is set aside."""
    before, after = (parsed(walked.contents[c]["users"]) for c in ("1to2", "3to2"))
    names = [{row["username"] for row in rows} for rows in (before, after)]
    assert names[1] - names[0] == {"newcomer"}
    assert len(after) == len(before) + 1
    aside = set(walked.names["3to2"]) - set(walked.names["3to4"])
    assert [name[: len("v2__was_")] for name in aside] == ["v2__was_"]


def _spelled(keywords: str) -> str:
    """Return keywords as schema 3 holds them: a set of words without capitals."""
    words = {word.strip().lower() for word in keywords.split(",")} - {""}
    return ", ".join(sorted(words))


def _with_sorted_keywords(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The order of a package's keywords is one of the declared losses."""
    return [{**row, "keywords": ", ".join(sorted(row["keywords"].split(", ")))} for row in rows]


@pytest.mark.parametrize(
    ("command", "version"), [("1to2", 2), ("2to3", 3), ("3to4", 4), ("1to4", 4), ("3to2", 2)]
)
def test_a_migrated_catalogue_equals_a_created_one(
    walked: Walked, direct: Walked, command: str, version: int
) -> None:
    """Columns, keys, indexes, views, triggers, functions and types are those of `create`."""
    made = {**walked.catalogues, **direct.catalogues}[command]
    assert made == direct.catalogues[f"create {version}"]
    kinds = {kind for kind, _ in made}
    assert {"table", "column", "primary key", "unique", "foreign key", "index"} <= kinds
    assert "trigger" in kinds or version == 2


@pytest.mark.parametrize("version", [3, 4])
def test_views_are_there_and_show_rows(walked: Walked, version: int) -> None:
    """They are made after the load; so are triggers, so that none of them fired on it."""
    assert walked.rows[f"view {version}"] != []


# by SQLite's own eyes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "command", "version"), [(2, "2to3", 3), (1, "1to4", 4), (3, "3to2 --accept-loss", 2)]
)
def test_a_migrated_file_has_the_sql_of_a_created_one(
    tmp_path: Path, start: int, command: str, version: int
) -> None:
    """The very SQL of every object."""
    migrated, created = cheeseshop(tmp_path / "migrated"), cheeseshop(tmp_path / "created")
    migrated.ran("load", str(migrated.fixtures(start)))
    migrated.ran(*command.split())
    created.ran("create", str(version))
    assert _master(migrated, version) == _master(created, version)


def _master(shop: Cheeseshop, version: int) -> list[tuple[str, ...]]:
    """Return what SQLite knows of a database besides rows; the stamp tells of its making."""
    query = (
        f"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> '{STAMP}' ORDER BY 1, 2"
    )
    return shop.rows(version, query)
