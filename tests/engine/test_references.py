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


@pytest.mark.parametrize(
    "buyer",
    [
        "func.coalesce(old.orders.c.buyer, 1)",
        "case((old.orders.c.id > 1, old.orders.c.buyer))",
        "old.orders.c.buyer + 1",
        "rules.default(old.orders.c.buyer, 1)",
        "rules.default(func.nullif(old.orders.c.buyer, 0), 1)",
        "select(old.buyers.c.id).where(old.buyers.c.id == old.orders.c.buyer).scalar_subquery()",
    ],
)
def test_nor_by_an_expression_or_a_rule(shop: Sandbox, buyer: str) -> None:
    """What keeps the number under another name names another row, too."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step(f"{MERGED}\nstep.table(new.orders).values(buyer={buyer})")
    with pytest.raises(PlanError, match=r"orders\.buyer would name other rows: it carries .* as"):
        shop.plan()


def test_nor_by_a_column_of_a_select(shop: Sandbox) -> None:
    """A subquery as source hands the number on."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step(f"{MERGED}\nstep.table(new.orders, source=select(old.orders).subquery())")
    with pytest.raises(PlanError, match=r"orders\.buyer would name other rows"):
        shop.plan()


@pytest.mark.parametrize(
    "buyer",
    [
        "last + old.orders.c.buyer",
        "func.coalesce(last + old.orders.c.buyer, 1)",
        "case((old.orders.c.buyer == 1, 3), (old.orders.c.buyer == 2, 4))",
        "rules.map(old.orders.c.buyer, {1: 3, 2: 4})",
        "select(func.count(old.buyers.c.id)).scalar_subquery()",
    ],
)
def test_what_follows_the_new_keys_is_left_alone(shop: Sandbox, buyer: str) -> None:
    """The same arithmetic as the parent's, or a list of what becomes of each number."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step(f"""{MERGED}
step.table(new.orders).values(buyer={buyer})
if "buyer" not in {buyer!r}.replace("buyers", ""):
    step.drop(old.orders.c.buyer, because="counted")
""")
    assert [t.name for t in shop.plan().tables] == ["orders", "people"]


def test_a_renumbered_and_rekeyed_parent_is_not_followed_by_the_old_number(shop: Sandbox) -> None:
    """The UUID of another number is another row's."""
    shop.schema(1, OLD.splitlines()[1] + "\n" + OLD.splitlines()[3].replace("buyers", "staff"))
    shop.schema(
        2,
        't("staff", Column("id", Uuid, primary_key=True), Column("boss", ForeignKey("staff.id")))\n'
        't("orders", Column("id", Integer, primary_key=True),'
        ' Column("buyer", ForeignKey("staff.id")))',
    )
    shop.step("step.rekey(new.staff)")
    assert shop.plan().tables
    shop.step("step.rekey(new.staff)\nstep.table(new.staff).values(id=old.staff.c.id + 7)")
    with pytest.raises(PlanError, match=r"orders\.buyer would name other rows"):
        shop.plan()


def test_a_column_that_follows_without_a_foreign_key_is_looked_at(shop: Sandbox) -> None:
    """`step.follows` says whose keys it holds."""
    shop.schema(
        1, OLD.replace('Column("buyer", ForeignKey("buyers.id"))', 'Column("buyer", Integer)')
    )
    shop.schema(
        2, NEW.replace('Column("buyer", ForeignKey("people.id"))', 'Column("buyer", Integer)')
    )
    shop.step(MERGED)
    assert shop.plan().tables
    shop.step(f"{MERGED}\nstep.follows(new.orders.c.buyer, new.people)")
    with pytest.raises(PlanError, match=r"orders\.buyer would name other rows"):
        shop.plan()
