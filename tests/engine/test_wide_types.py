"""Types that SQLite does not have, in schemas that serve several databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import PlanError, ValueRefused
from tests.engine.journey import NOTES, named, numbered

if TYPE_CHECKING:
    from tests.engine.journey import Journey

HEAD = "from sqlalchemy.dialects import mysql, postgresql\n"
BIG = "Numeric().with_variant(String(), 'sqlite')"
LARGE = "mysql.BIGINT(unsigned=True).with_variant(BigInteger(), 'sqlite')"


def notes(declared: str, sqlite: str = "Text()") -> str:
    """Return a schema whose column x is of another database's type, and a variant here."""
    return HEAD + NOTES.format(f"{declared}.with_variant({sqlite}, 'sqlite')")


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ("postgresql.INET()", ["10.0.0.1/8", "::1", None]),
        ("postgresql.INT4RANGE()", ["[1,4)", "empty", "(,)", None]),
        ("postgresql.TSVECTOR()", ["'a':1 'b c':2", "", None]),
        ("postgresql.ARRAY(Integer)", ["[1, null]", "{{1,2},{3,4}}", "[0:1]={1,2}", None]),
        ("mysql.SET('a', 'b')", ["", "a,b", None]),
        ("mysql.BIT(3)", ["000", "101", None]),
        ("sa.Time(timezone=True)", ["12:00:00+02", None]),
    ],
)
def test_text_of_another_database_is_kept(
    journey: Journey, declared: str, values: list[str | None]
) -> None:
    """A variant of text holds it, so that it can go back to where it came from."""
    journey.schemas(notes(declared))
    journey.arrives(numbered(values))


def test_e57_text_of_one_type_does_not_become_another_by_itself(journey: Journey) -> None:
    """Each native type is of its own; no rule makes one."""
    journey.schemas(notes("postgresql.INET()"), notes("postgresql.CIDR()"))
    error = journey.refused(PlanError, numbered(["10.0.0.1"]))
    said = "native(postgresql:inet) does not become native(postgresql:cidr) by itself: no rule"
    assert said in str(error)


def test_rules_read_native_text_as_text(journey: Journey) -> None:
    """What a rule makes of it is text like any other."""
    step = "step.table(new.notes).values(x=rules.upper(old.notes.c.x))"
    journey.schemas(notes("postgresql.INET()"), NOTES.format("Text"), step)
    journey.converts(numbered(["fe80::1"]))
    assert journey.shop.rows("SELECT x FROM notes") == [("FE80::1",)]


def test_e56_an_array_of_one_dimension_becomes_json(journey: Journey) -> None:
    """One-dimensional arrays are JSON already; others are refused by name."""
    journey.schemas(notes("postgresql.ARRAY(Integer)"), NOTES.format("JSON"))
    journey.converts(numbered(["[1, null]", None]))
    assert journey.shop.rows("SELECT x FROM notes ORDER BY id") == [("[1, null]",), (None,)]


def test_e56_an_array_of_two_dimensions_is_no_json(journey: Journey) -> None:
    """The server's own literal says more than JSON can."""
    journey.schemas(notes("postgresql.ARRAY(Integer)"), NOTES.format("JSON"))
    error = journey.refused(ValueRefused, numbered(["[1]", "{{1,2}}"]))
    assert named(error) == ("notes", "x", 1, ["id 2"])


def test_e59_what_is_no_set_is_refused(journey: Journey) -> None:
    """Members in their order, none twice."""
    journey.schemas(notes("mysql.SET('a', 'b')"))
    error = journey.refused(ValueRefused, numbered(["a", "b,a", "c"]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])


def test_b16_large_integers_become_signed_where_they_fit(journey: Journey) -> None:
    """A key without a sign goes to one with a sign, and to one of decimals."""
    journey.schemas(HEAD + NOTES.format(LARGE), NOTES.format("BigInteger"))
    journey.arrives(numbered([0, 2**63 - 1, None]))


def test_b16_signed_integers_become_unsigned_unless_negative(journey: Journey) -> None:
    """A negative one is refused by name."""
    journey.schemas(NOTES.format("BigInteger"), HEAD + NOTES.format(LARGE))
    error = journey.refused(ValueRefused, numbered([5, -1]))
    assert named(error) == ("notes", "x", 1, ["id 2"])
    assert error.reason == "is out of the range of integer(64) unsigned"


def test_b16_rules_read_unsigned_integers(journey: Journey) -> None:
    """As 64 bits with a sign."""
    step = "step.table(new.notes).values(x=rules.text(old.notes.c.x))"
    journey.schemas(HEAD + NOTES.format(LARGE), NOTES.format("Text"), step)
    journey.converts(numbered([2**63 - 1]))
    assert journey.shop.rows("SELECT x FROM notes") == [(str(2**63 - 1),)]


def test_b19_decimals_without_precision_keep_their_digits(journey: Journey) -> None:
    """Trailing zeros, 500 digits, NaN: the text stays what it is."""
    journey.schemas(NOTES.format(BIG))
    journey.arrives(numbered(["1.500", "0.0", "9" * 500, "-1e0".replace("e0", ""), "NaN", None]))


def test_b19_what_is_no_number_is_refused(journey: Journey) -> None:
    """Text in a column of decimals is looked at."""
    journey.schemas(NOTES.format(BIG))
    error = journey.refused(ValueRefused, numbered(["1.5", "1e5", "x"]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    assert error.reason == "is not of the form of a decimal"


def test_b18_a_decimal_without_precision_needs_a_rule_to_get_one(journey: Journey) -> None:
    """`rules.decimal` says how many digits there are to be."""
    journey.schemas(NOTES.format(BIG), NOTES.format("Numeric(5, 2)"))
    error = journey.refused(PlanError, numbered(["1.5"]))
    assert "decimal does not become decimal(5,2) by itself: write rules.decimal(...)" in str(error)
    journey.shop.step("step.table(new.notes).values(x=rules.decimal(old.notes.c.x))")
    journey.converts_what_is_there()
    assert journey.shop.rows("SELECT x FROM notes") == [(1.5,)]


def test_b18_numbers_become_decimals_without_precision(journey: Journey) -> None:
    """All digits of the scale; text of numbers, too."""
    old = 't("notes", Column("id", Integer, primary_key=True), Column("x", Numeric(5, 2)))'
    journey.schemas(old, NOTES.format(BIG))
    journey.converts(numbered([1.5, -0.25, None]))
    rows = journey.shop.rows("SELECT x FROM notes ORDER BY id")
    assert rows == [("1.50",), ("-0.25",), (None,)]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("postgresql.INET()", "write .with_variant(sa.Text(), 'sqlite')"),
        ("mysql.TINYINT()", "write .with_variant(sa.Integer(), 'sqlite')"),
        ("postgresql.BYTEA()", "write .with_variant(sa.LargeBinary(), 'sqlite')"),
        ("Numeric()", "declare sa.Numeric(15, 2)"),
    ],
)
def test_a_type_that_sqlite_has_not_is_named_in_the_plan(
    journey: Journey, declared: str, said: str
) -> None:
    """With what to write; nothing is run."""
    journey.schemas(NOTES.format("Text"), HEAD + NOTES.format(declared))
    error = journey.refused(PlanError)
    assert said in str(error)
