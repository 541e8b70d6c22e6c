"""Fixtures of a schema that has taken in a minor's additions since they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrators.errors import ExtractError, Findings
from migrators.events import Event, Note, silent
from migrators.extracts.directory import ExtractWriter
from migrators.run import Options, create, load_only, upgrade_fixtures, verify_only
from migrators.schema import load_schema

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

KEY = 'Column("id", Integer, primary_key=True)'
BEFORE = f't("users", {KEY}, Column("name", Text))\n'
NEW = (
    'Column("nick", Text), Column("rank", Integer, nullable=False, server_default="7"), '
    'Column("on", Boolean, server_default=sa.true()), '
    'Column("low", Text, sa.Computed("lower(name)"))'
)
AFTER = f"""
t("users", {KEY}, {NEW}, Column("name", Text), Index("ix_name", "name"))
t("tags", {KEY}, Column("tag", Text, nullable=False))
"""
CSV = b'id,name\n1,"Zo\xc3\xab"\n2,\n'


@pytest.fixture
def fixtures(shop: Sandbox) -> Sandbox:
    """A project whose first version has fixtures."""
    shop.schema(1, BEFORE)
    writer = ExtractWriter(
        shop.project.fixtures(1), load_schema(shop.project, 1), "csv", 0o644, committed=True
    )
    with writer.table("users", ordered=True):
        pass
    writer.finish()
    (shop.project.fixtures(1) / "users.csv").write_bytes(CSV)
    return shop


def _notes(into: list[str]) -> Any:
    def emit(event: Event) -> None:
        if isinstance(event, Note):
            into.append(event.text)

    return emit


def test_additions_of_a_minor_are_filled_when_fixtures_are_loaded(fixtures: Sandbox) -> None:
    """Null or the default, new tables empty; said, compared, and the files stay as they are."""
    fixtures.schema(1, AFTER)
    said: list[str] = []
    directory = fixtures.project.fixtures(1)
    load_only(fixtures.project, directory, Options(), emit=_notes(said))
    assert fixtures.rows('SELECT id, name, nick, rank, "on", low FROM users', 1) == [
        (1, "Zoë", None, 7, 1, "zoë"),
        (2, None, None, 7, 1, None),
    ]
    assert fixtures.rows("SELECT * FROM tags", 1) == []
    since = "the schema has grown since the extract was written"
    assert said == [
        f"users.nick is null: {since}",
        f"users.rank is 7: {since}",
        f"users.on is True: {since}",
        f"tags is empty: {since}",
    ]
    assert (directory / "users.csv").read_bytes() == CSV
    assert verify_only(fixtures.project, directory, emit=silent).outcome == "verified"


def test_grown_fixtures_go_on_to_the_next_version(fixtures: Sandbox) -> None:
    """`migrate fixtures 1to2` sees what `migrate 1to2` sees."""
    fixtures.schema(1, AFTER)
    fixtures.schema(2, AFTER)
    fixtures.step("")
    said: list[str] = []
    upgrade_fixtures(fixtures.project, 1, 2, emit=_notes(said))
    assert (fixtures.project.fixtures(2) / "users.csv").read_text("utf-8") == (
        'id,nick,rank,on,name\n1,,7,true,"Zoë"\n2,,7,true,\n'
    )
    assert len(said) == 4
    load_only(fixtures.project, fixtures.project.fixtures(2), Options(), emit=_notes(said))
    assert len(said) == 4


def test_a_database_of_before_the_growth_is_not_done(fixtures: Sandbox) -> None:
    """What it lacks is listed, with what to type."""
    directory = fixtures.project.fixtures(1)
    load_only(fixtures.project, directory, Options(), emit=silent)
    fixtures.schema(1, AFTER)
    with pytest.raises(Findings, match=r"before schemas/v1\.py had all") as stale:
        load_only(fixtures.project, directory, Options(), emit=silent)
    for lacks in ("column users.nick", "column users.rank", "table tags", "index users.ix_name"):
        assert f"{lacks} is missing: " in stale.value.message
    assert f"migrate load {directory} --replace " in stale.value.hint[0]
    assert load_only(fixtures.project, directory, Options(replace=True), emit=silent).run
    assert load_only(fixtures.project, directory, Options(), emit=silent).outcome == "already done"


def test_an_empty_database_of_before_the_growth_is_not_done(shop: Sandbox) -> None:
    """`create` says so too; once the minor has added the column there is nothing to do."""
    shop.schema(1, BEFORE)
    create(shop.project, 1, Options(), emit=silent)
    shop.schema(1, BEFORE.replace("Text)", 'Text), Column("nick", Text)'))
    with pytest.raises(Findings, match=r"column users\.nick is missing"):
        create(shop.project, 1, Options(), emit=silent)
    shop.sql("ALTER TABLE users ADD nick TEXT")
    assert create(shop.project, 1, Options(), emit=silent).outcome == "already done"


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (
            'Column("at", DateTime, server_default=func.now())',
            r"fixtures/v1 was written before v1\.py had users\.at, which has no constant default",
        ),
        ('Column("n", Integer, nullable=False)', "has no default, and is never null"),
        ('Column("n", Integer, server_default="x")', "has no constant default: 'x'|x"),
    ],
    ids=["a moment", "nothing", "another type"],
)
def test_a_new_column_that_nothing_fills_is_refused(
    fixtures: Sandbox, column: str, says: str
) -> None:
    """Named, with the files to add it to."""
    fixtures.schema(
        1, f'from sqlalchemy import func\nt("users", {KEY}, Column("name", Text), {column})'
    )
    with pytest.raises(ExtractError, match=says) as caught:
        load_only(fixtures.project, fixtures.project.fixtures(1), Options(), emit=silent)
    assert caught.value.hint == (
        "add the column, with its values, to the file of users and to manifest.json",
    )
    assert not fixtures.database(1).exists()


def test_what_did_not_grow_is_refused_with_what_can_be_typed(fixtures: Sandbox) -> None:
    """The oldest version's fixtures are made by no step."""
    fixtures.schema(1, f't("users", {KEY}, Column("title", Text))')
    with pytest.raises(ExtractError, match="'users' is not as schema version 1") as caught:
        load_only(fixtures.project, fixtures.project.fixtures(1), Options(), emit=silent)
    assert caught.value.hint == (
        "mend the files and manifest.json by hand, as v1.py declares them",
    )
