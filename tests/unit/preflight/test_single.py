"""Subqueries that give several values for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.preflight.asking import checked, only_stop

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

FILES = 't("files", Column("of", Integer), Column("name", Text))\n'
USERS = 't("users", Column("id", Integer, primary_key=True){})\n'
STEP = """
    file, user = old.files.c, old.users.c
    found = select(file.name).where(file.of == user.id)
    step.table(new.users).values(file=found{}.scalar_subquery())
    step.drop(file.of, because="the user names the file")
    step.same("files", old=select(func.count(file.of.distinct())),
              new=select(func.count(new.users.c.file)))
"""


def _lay_out(shop: Sandbox, which: str) -> None:
    shop.schema(1, USERS.format("") + FILES)
    shop.schema(2, USERS.format(', Column("file", Text)'))
    shop.step(STEP.format(which))
    shop.create(
        "INSERT INTO users VALUES (1), (2)", "INSERT INTO files VALUES (1, 'a'), (1, 'b'), (2, 'c')"
    )


def test_several_values_for_one_stop(shop: Sandbox) -> None:
    """They are counted, with the two ways to say which is meant."""
    _lay_out(shop, "")
    finding = only_stop(checked(shop))
    assert finding.title == "users.file is one value in schema 2"
    assert finding.facts == ("1 row has several in its subquery",)
    assert shop.rows(finding.see.rstrip(";"), version=1) == [(1,)]


def test_one_value_stops_nothing(shop: Sandbox) -> None:
    """The step says which."""
    _lay_out(shop, ".order_by(file.name).limit(1)")
    assert not checked(shop).stops
