"""A reference follows the row that it named, or the step is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import PlanError

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = """
t("staff", Column("id", Integer, primary_key=True), Column("boss", ForeignKey("staff.id")))
t("buyers", Column("id", Integer, primary_key=True), Column("agent", ForeignKey("staff.id")))
t("orders", Column("id", Integer, primary_key=True), Column("buyer", ForeignKey("buyers.id")))
"""
NEW = """
t("people", Column("id", Integer, primary_key=True), Column("boss", ForeignKey("people.id")),
  Column("agent", ForeignKey("people.id")))
t("orders", Column("id", Integer, primary_key=True), Column("buyer", ForeignKey("people.id")))
"""
MERGED = """
last = select(func.max(old.staff.c.id)).scalar_subquery()
staff = step.table(new.people, source=old.staff)
buyers = step.table(new.people, source=old.buyers).values(id=last + old.buyers.c.id)
"""
ROWS = (
    "INSERT INTO staff VALUES (1, NULL), (2, 1)",
    "INSERT INTO buyers VALUES (1, 2), (2, NULL)",
    "INSERT INTO orders VALUES (1, 1), (2, 2), (3, NULL)",
)


def test_an_old_key_is_not_carried_to_where_it_names_another_row(shop: Sandbox) -> None:
    """Buyer 1 becomes person 3: order 1 must not name person 1, who is staff."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step(MERGED)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    (problem,) = caught.value.problems
    assert problem == (
        "orders.buyer would name other rows: it carries orders.buyer as it is, while the rows "
        "of buyers get other keys in people"
    )
    (line,) = caught.value.hint
    assert line == "buyer=step.table(new.people, source=old.buyers).key(old.orders.c.buyer),"


def test_the_line_that_is_offered_finds_the_right_rows(shop: Sandbox) -> None:
    """Orders, bosses and agents name whom they named, whatever their number is now."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step(f"{MERGED}\nstep.table(new.orders).values(buyer=buyers.key(old.orders.c.buyer))")
    shop.create(*ROWS)
    shop.migrate()
    assert shop.rows("SELECT id, boss, agent FROM people ORDER BY id") == [
        (1, None, None),
        (2, 1, None),
        (3, None, 2),
        (4, None, None),
    ]
    assert shop.rows("SELECT id, buyer FROM orders ORDER BY id") == [(1, 3), (2, 4), (3, None)]


def test_keys_that_stay_need_no_word(shop: Sandbox) -> None:
    """A renamed parent whose numbers stay is referred to as before."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step("""
        step.drop(old.buyers, because="gone")
        step.table(new.people, source=old.staff)
        step.table(new.orders).values(buyer=None)
        step.drop(old.orders.c.buyer, because="gone")
    """)
    assert [t.name for t in shop.plan().tables] == ["orders", "people"]
