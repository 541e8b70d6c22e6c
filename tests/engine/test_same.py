"""`step.same`: what is equal agrees, what is not stops, and what cannot be asked is said early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import MigrateError, PlanError, ValueRefused, VerifyMismatch
from migrators.extract import answers

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

SOLD = 't("sold", Column("id", Integer, primary_key=True), Column("price", Numeric({})))\n'
CELLS = (
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
    "INSERT INTO sold SELECT i, 0.1 FROM n",
    "INSERT INTO sold VALUES (1001, 99999999.99), (1002, -99999999.98)",
)
SUM = """
    step.same("revenue", old=select({}), new=select(func.sum(new.sold.c.price)))
"""


@pytest.fixture
def sold(shop: Sandbox) -> Sandbox:
    """A thousand prices of 0.10 and two that differ by a cent: no doubles add up to that."""
    shop.schema(1, SOLD.format("10, 2"))
    shop.schema(2, SOLD.format("10, 2"))
    shop.create(*CELLS)
    return shop


def test_decimals_are_added_exactly(sold: Sandbox) -> None:
    """Not as the doubles that SQLite keeps them in."""
    assert sold.rows("SELECT sum(price) = 100.01 FROM sold", 1) == [(0,)]
    sold.step(SUM.format("func.sum(old.sold.c.price)"))
    assert sold.migrate().sames == (("revenue", "100.01"),)


@pytest.mark.parametrize(
    ("total", "answer"),
    [
        ("func.sum(old.sold.c.price.distinct())", "0.11"),
        ("func.sum(old.sold.c.price).filter(old.sold.c.id > 700)", "30.01"),
        ("func.max(select(func.sum(old.sold.c.price).over(order_by=old.sold.c.id).label('s'))"
         ".subquery().c.s)", "100000099.99"),
        ("func.sum(select(old.sold.c.price).subquery().c.price)", "100.01"),
        ("func.coalesce(func.sum(old.sold.c.price), 0)", "100.01"),
    ],
)  # fmt: skip
def test_every_form_of_a_sum_is_exact(sold: Sandbox, total: str, answer: str) -> None:
    """DISTINCT, FILTER, a window, a subquery's column."""
    sold.step(
        f"""
        step.same("s", old=select({total}), new=select(sa.type_coerce(sa.literal_column("{answer}"),
                  Numeric(10, 2))))
    """.replace("Numeric", "sa.Numeric")
    )
    assert sold.migrate().sames == (("s", answer),)


def test_sums_have_more_digits_than_what_is_summed(sold: Sandbox) -> None:
    """Twelve digits here, of a column of ten; no rows at all add up to NULL."""
    sold.sql("UPDATE sold SET price = 99999999.99", "DELETE FROM sold WHERE id > 1000")
    sold.step(SUM.format("func.sum(old.sold.c.price)"))
    assert sold.migrate().sames == (("revenue", "99999999990.00"),)


def test_no_rows_add_up_to_null(sold: Sandbox) -> None:
    """As SQL says, on both sides."""
    sold.sql("DELETE FROM sold")
    sold.step(SUM.format("func.sum(old.sold.c.price)"))
    assert sold.migrate().sames == (("revenue", "NULL"),)


def test_a_sum_in_a_query_is_exact(shop: Sandbox) -> None:
    """What fills a table is added like what is compared."""
    shop.schema(1, SOLD.format("10, 2"))
    shop.schema(2, 't("totals", Column("price", Numeric(10, 2)))')
    shop.step("""
        sold = old.sold.c
        step.table(new.totals).query(select(func.sum(sold.price).label("price")), rows=new)
        step.drop(sold.id, because="one number is kept")
        step.same("revenue", old=select(func.sum(sold.price)), new=select(new.totals.c.price))
    """)
    shop.create(*CELLS)
    shop.migrate()
    assert shop.rows("SELECT price FROM totals") == [(100.01,)]


@pytest.mark.parametrize("cell", ["0.125", "'dear'", "1e15", "x'00'"])
def test_what_is_no_decimal_is_not_added(shop: Sandbox, cell: str) -> None:
    """A cell of more places, or of text, would be rounded or taken for nothing."""
    shop.schema(1, SOLD.format("10, 2"))
    shop.schema(2, 't("totals", Column("price", Numeric(10, 2)))')
    shop.step("""
        sold = old.sold.c
        step.table(new.totals).query(select(func.sum(sold.price).label("price")), rows=new)
        step.drop(sold.id, because="one number is kept")
        step.same("revenue", old=select(func.sum(sold.price)), new=select(new.totals.c.price))
    """)
    shop.create(f"INSERT INTO sold VALUES (1, 0.125), (2, {cell}), (3, NULL)")
    with pytest.raises(ValueRefused, match="is not a decimal"):
        shop.migrate()


def test_a_sum_that_cannot_be_exact_is_refused_with_the_line_to_write(sold: Sandbox) -> None:
    """A product's places are not known, so it is added as it is; whole numbers are sure."""
    sold.step(SUM.format("func.sum(old.sold.c.price * 3.14159)"))
    with pytest.raises(ValueRefused) as caught:
        sold.migrate()
    assert caught.value.message.startswith("step.same('revenue').sum: 1 row")
    assert "    func.sum(sa.cast(func.round(<price> * 100), sa.BigInteger))" in caught.value.hint
    cents = "func.sum(sa.cast(func.round({}.sold.c.price * 100), sa.BigInteger))"
    sold.step(f"""
        step.same("cents", old=select({cents.format("old")}), new=select({cents.format("new")}))
    """)
    assert sold.migrate().sames == (("cents", "10001"),)


def test_a_bad_cell_is_named_where_it_stands(sold: Sandbox) -> None:
    """Not by the sum that it spoils: there nobody sees which row it is in."""
    sold.sql("UPDATE sold SET price = 'dear' WHERE id = 7")
    sold.step(SUM.format("func.sum(old.sold.c.price)"))
    with pytest.raises(ValueRefused, match=r"sold\.price: 1 row at id 7"):
        sold.migrate()


def test_equal_numbers_of_other_places_agree(shop: Sandbox) -> None:
    """0.10 is 0.1000: a column that gets more places keeps its values."""
    shop.schema(1, SOLD.format("10, 2"))
    shop.schema(2, SOLD.format("14, 4"))
    shop.step("""
        step.same("prices", old=select(old.sold.c.price), new=select(new.sold.c.price))
    """)
    shop.create("INSERT INTO sold VALUES (1, 0.1), (2, NULL), (3, 100)")
    assert shop.migrate().sames == (("prices", "3 rows"),)


def test_what_differs_is_shown(sold: Sandbox) -> None:
    """Both answers, by title."""
    sold.step(SUM.format("func.sum(old.sold.c.price) + 1"))
    with pytest.raises(
        VerifyMismatch, match=r"step\.same\('revenue'\): old .*101.01.*new .*100.01"
    ):
        sold.migrate()


def test_an_answer_of_too_many_rows_is_refused_before_anything_is_read(
    sold: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, with what to ask instead; the file of no table has been written."""
    monkeypatch.setattr(answers, "MOST_ROWS", 1001)
    sold.step("""
        step.same("ids", old=select(old.sold.c.id), new=select(new.sold.c.id))
    """)
    with pytest.raises(MigrateError) as caught:
        sold.migrate()
    assert caught.value.message == "step.same('ids'): the old answer has more than 1,001 rows"
    assert "select(func.count(), func.sum(...))" in " ".join(caught.value.hint)
    assert not list(sold.root.rglob("*.parquet"))
    monkeypatch.setattr(answers, "MOST_ROWS", 1002)
    assert sold.migrate().sames == (("ids", "1,002 rows"),)


def test_a_new_answer_of_too_many_rows_differs(
    sold: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, no more are read than it takes to see that."""
    monkeypatch.setattr(answers, "MOST_ROWS", 10)
    sold.step("""
        step.same("ids", old=select(old.sold.c.id).limit(10), new=select(new.sold.c.id))
    """)
    with pytest.raises(VerifyMismatch, match=r"step\.same\('ids'\): .* and 8 rows more"):
        sold.migrate()


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("func.total(new.sold.c.price)", "the type of total.* is not known: sa.type_coerce"),
        ("func.max(new.sold.c.price), func.now()", r"now\(\) gives another value each time"),
        ("new.sold.c.price, new.sold.c.id", "old gives 1 columns, new 2"),
    ],
)
def test_what_cannot_be_asked_of_the_new_database_is_said_when_planned(
    sold: Sandbox, new: str, said: str
) -> None:
    """Not when everything has been loaded."""
    sold.step(f'step.same("s", old=select(func.max(old.sold.c.price)), new=select({new}))')
    with pytest.raises(PlanError, match=rf"step\.same\('s'\): .*{said}"):
        sold.plan()
