"""Rights follow the rows of a table to what it became; what is lost is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrators.access import Access, Comment, Default, Grant, Lost, Owner, Ways, carry
from migrators.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Mapping


def table(name: str, *roles: str, privilege: str = "SELECT") -> tuple[Grant, ...]:
    """Rights of roles on a table."""
    return tuple(Grant("table", name, "", privilege, role) for role in roles)


def column(name: str, of: str, role: str) -> Grant:
    """The right of a role to read a column."""
    return Grant("column", name, of, "SELECT", role)


def ways(sources: Mapping[str, tuple[str, ...]], **more: Any) -> Ways:
    """Return ways whose tables hold all rows of their sources."""
    old = frozenset(o for olds in sources.values() for o in olds) | more.pop("old", frozenset())
    return Ways(sources, whole=more.pop("whole", frozenset(sources)), old=old, **more)


def carried(access: Access, along: Ways) -> tuple[set[tuple[str, str]], tuple[Lost, ...]]:
    """Return who may do something with which new table, and what is lost."""
    found, lost = carry(access, along)
    return {(g.name + (g.column and f".{g.column}"), g.grantee) for g in found.grants}, lost


def test_a_renamed_table_keeps_its_rights() -> None:
    """Its only successor has another name."""
    access = Access(grants=table("packages", "app", "report"))
    expected = {("projects", "app"), ("projects", "report")}
    assert carried(access, ways({"projects": ("packages",)})) == (expected, ())


def test_of_a_split_table_only_the_one_with_its_name_keeps_them() -> None:
    """The other one's readers are named, until the step says whose rights it takes."""
    access = Access(grants=table("releases", "app"))
    sources = {"releases": ("releases",), "files": ("releases",)}
    lost = (Lost("files", ("releases",), ("app",)),)
    assert carried(access, ways(sources)) == ({("releases", "app")}, lost)
    said = ways(sources, said={"files": ("releases",)})
    assert carried(access, said) == ({("releases", "app"), ("files", "app")}, ())
    assert carried(access, ways(sources, said={"files": ()})) == ({("releases", "app")}, ())


def test_a_table_split_into_two_new_ones() -> None:
    """Neither is what it was: both are named."""
    access = Access(grants=table("users", "app"))
    found, lost = carried(access, ways({"logins": ("users",), "people": ("users",)}))
    assert (found, [x.new for x in lost]) == (set(), ["logins", "people"])


def test_a_summary_takes_nothing_from_the_renamed_table() -> None:
    """What a query makes of it is not what it became."""
    access = Access(grants=table("packages", "app"))
    along = ways(
        {"projects": ("packages",), "totals": ("packages",)}, whole=frozenset({"projects"})
    )
    found, lost = carried(access, along)
    assert (found, [x.new for x in lost]) == ({("projects", "app")}, ["totals"])


def test_a_merged_table_shows_nobody_more_than_before() -> None:
    """Who could read all of its sources can read it; who could read one is named."""
    access = Access(grants=(*table("a", "app", "half"), *table("b", "app")))
    found, lost = carried(access, ways({"c": ("a", "b")}))
    assert (found, lost) == ({("c", "app")}, (Lost("c", ("a",), ("half",)),))
    assert carried(access, ways({"c": ("a", "b")}, said={"c": ("a", "b")})) == (
        {("c", "app"), ("c", "half")},
        (),
    )


def test_column_rights_follow_the_values() -> None:
    """To the renamed column; not to one that holds more than the role could read."""
    access = Access(grants=(column("users", "chatname", "bot"), column("users", "first", "bot")))
    columns = {
        "users": {
            "rocketchat_user": frozenset({("users", "chatname")}),
            "name": frozenset({("users", "first"), ("users", "last")}),
            "tier": frozenset[tuple[str, str]](),
        }
    }
    found, lost = carried(access, ways({"users": ("users",)}, columns=columns))
    assert (found, [x.roles for x in lost]) == ({("users.rocketchat_user", "bot")}, [])


def test_owners_follow_and_several_are_a_question() -> None:
    """A new table without a source belongs to whom all others belong to."""
    owners = (Owner("table", "a", "shop"), Owner("table", "b", "shop"))
    along = ways({"a": ("a",), "bb": ("b",), "new": ()})
    found, lost = carry(Access(owners=owners), along)
    assert {(o.name, o.role) for o in found.owners} == {
        ("a", "shop"),
        ("bb", "shop"),
        ("new", "shop"),
    }
    assert lost == ()
    other = (Owner("table", "a", "shop"), Owner("table", "b", "else"))
    _, lost = carry(Access(owners=other), ways({"c": ("a", "b")}))
    assert lost == (Lost("c", ("a", "b"), ("else", "shop")),)


def test_what_stands_beside_the_tables_is_carried_by_name() -> None:
    """Views, schemas, routines; sequences follow their tables."""
    access = Access(
        grants=(
            Grant("table", "a_view", "", "SELECT", "app"),
            Grant("sequence", "a", "", "USAGE", "app"),
            Grant("schema", "public", "", "USAGE", "app"),
        ),
        comments=(Comment("a", "", "those of old"), Comment("a", "x", "in metres")),
        secured=("a",),
    )
    along = ways({"b": ("a",)}, columns={"b": {"y": frozenset({("a", "x")})}})
    found, _ = carry(access, along)
    assert {(g.on, g.name) for g in found.grants} == {
        ("table", "a_view"),
        ("sequence", "b"),
        ("schema", "public"),
    }
    assert found.comments == (Comment("b", "", "those of old"), Comment("b", "y", "in metres"))
    assert found.secured == ("b",)


FULL = Access(
    grants=table("a", "app"),
    owners=(Owner("table", "a", "shop"),),
    comments=(Comment("a", "", "text"),),
    defaults=(Default("shop", "", "tables", "SELECT", "app"),),
    closed=(("schema", "public"),),
    secured=("a",),
)


def test_round_trip() -> None:
    """What crosses in the manifest is what was captured."""
    assert Access.of(FULL.plain()) == FULL
    assert Access().plain() == {}


@pytest.mark.parametrize(
    "plain",
    [
        {"other": []},
        {"grants": {}},
        {"grants": ["a"]},
        {"grants": [["table", "a", "", "SELECT", "app"]]},
        {"grants": [["table", "a", "", "SELECT", "app", 1]]},
        {"owners": [["table", "a", None]]},
        {"closed": [["schema"]]},
        {"secured": [["a"]]},
    ],
)
def test_h102_access_that_was_not_written_so(plain: dict[str, Any]) -> None:
    """Each is refused, not guessed at."""
    with pytest.raises(ExtractError, match="access"):
        Access.of(plain)
