"""What a step says of access, and which old tables each new one is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import CodeError

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = """
t("users", Column("id", Integer, primary_key=True), Column("first", Text), Column("last", Text),
  Column("country", Text))
"""
NEW = """
t("people", Column("id", Integer, primary_key=True), Column("given", Text), Column("name", Text),
  Column("country_id", Integer))
t("countries", Column("id", Integer, primary_key=True), Column("name", Text))
t("totals", Column("id", Integer, primary_key=True))
"""
STEP = """
names = step.lookup(new.countries, key=new.countries.c.name, of=[old.users.c.country])
step.table(new.people, source=old.users).values(
    given=old.users.c.first, name=old.users.c.first + " " + old.users.c.last,
    country_id=names.id(old.users.c.country))
step.table(new.totals).query(select(func.count().label("id")).select_from(old.users), rows=new)
step.same("people", old=select(func.count(old.users.c.id)), new=select(func.count(new.people.c.id)))
"""


@pytest.fixture
def split(shop: Sandbox) -> Sandbox:
    """A table that becomes three."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    return shop


def test_the_ways_of_tables_and_columns(split: Sandbox) -> None:
    """Carried, computed in SQL, through a rule, by a lookup, by a query."""
    split.step(STEP)
    found = split.plan().ways
    assert found.sources == {"countries": ("users",), "people": ("users",), "totals": ("users",)}
    assert found.whole == {"people"}
    assert found.likes("people") == ("users",)
    assert found.likes("totals") == found.likes("countries") == ()
    assert found.columns["people"]["given"] == {("users", "first")}
    assert found.columns["people"]["name"] == {("users", "first"), ("users", "last")}
    assert found.columns["people"]["country_id"] == {("users", "country")}


def test_what_the_step_says(split: Sandbox) -> None:
    """One table, several, none."""
    split.step(
        STEP
        + "step.grant(new.countries, like=old.users)\n"
        + 'step.grant(new.totals, like=None, because="for the board")\n'
    )
    assert split.plan().ways.said == {"countries": ("users",), "totals": ()}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("step.grant(new.people, like=None)", "a reason is required"),
        ("step.grant(old.users, like=old.users)", "old and new mixed up"),
        ("step.grant(new.people, like=new.people)", "old and new mixed up"),
        (
            "step.grant(new.people, like=old.users); step.grant(new.people, like=old.users)",
            "stands twice",
        ),
    ],
)
def test_what_cannot_be_said(split: Sandbox, line: str, said: str) -> None:
    """Each is refused with the step's line."""
    split.step(STEP + line)
    with pytest.raises(CodeError, match=said):
        split.plan()
