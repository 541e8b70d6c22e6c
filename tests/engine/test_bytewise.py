"""Text in steps compares by bytes, whatever collation the old columns were declared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = (
    't("users", Column("id", Integer, primary_key=True),'
    ' Column("name", String(20, collation="NOCASE")))\n'
)
NEW = OLD + 't("names", Column("name", Text, primary_key=True), Column("n", Integer))\n'


@pytest.mark.parametrize(
    "how",
    [
        'step.table(new.names).query(select(old.users.c.name, func.count().label("n"))'
        ".group_by(old.users.c.name), rows=new)",
        "inner = select(old.users.c.name).distinct().subquery()\n"
        "ones = select(inner.c.name, sa.literal(1).label('n'))\n"
        "step.table(new.names).query(ones, rows=new)",
        "inner = select(old.users.c.name.label('word')).where(old.users.c.name != 'x').subquery()\n"
        "ones = select(inner.c.word.label('name'), func.count().label('n'))"
        ".group_by(inner.c.word)\n"
        "step.table(new.names).query(ones, rows=new)",
        "step.lookup(new.names, key=new.names.c.name, of=[old.users.c.name])",
    ],
)
def test_grouping_and_distinct_go_by_bytes(shop: Sandbox, how: str) -> None:
    """`Ann`, `ann` and `X` stay three names, in subqueries too."""
    new = NEW
    if "lookup" in how:
        new = OLD + ('t("names", Column("id", Integer, primary_key=True), Column("name", Text))\n')
    shop.schema(1, OLD)
    shop.schema(2, new)
    shop.step(how)
    shop.create("INSERT INTO users VALUES (1, 'ann'), (2, 'Ann'), (3, 'X')")
    shop.migrate()
    assert shop.rows("SELECT name FROM names ORDER BY 1") == [("Ann",), ("X",), ("ann",)]


def test_conditions_go_by_bytes(shop: Sandbox) -> None:
    """A condition on `ann` leaves `Ann` alone."""
    shop.schema(1, OLD)
    shop.schema(2, OLD)
    shop.step('step.table(new.users).drop_rows(old.users.c.name == "ann", because="not her")')
    shop.create("INSERT INTO users VALUES (1, 'ann'), (2, 'Ann')")
    shop.migrate()
    assert shop.rows("SELECT * FROM users") == [(2, "Ann")]
