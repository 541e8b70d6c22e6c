"""`rules.integer`, `rules.float_` and `rules.boolean`."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrators import rules
from tests.unit.rules.applied import applied, values

_LOW, _HIGH = -(2**63), 2**63 - 1


def test_integer_groups_of_three() -> None:
    """Grouped and ungrouped digits are read, and only grouped ones are counted."""
    got = applied(rules.integer(["1,234", "12", "1234567", "-12,345,678", None], thousands=","))
    assert got.values == [1234, 12, 1234567, -12345678, None]
    assert (got.changed, got.refused) == ([0, 3], [])


@pytest.mark.parametrize(
    "text",
    ["12,34", "1,23", ",123", "1,234,", "1,,234", "1234,567", "1,234.0", "1.234", "0001,234"],
)
def test_integer_refuses_other_groups(text: str) -> None:
    """Anything but groups of three after one to three digits is refused, by its row."""
    got = applied(rules.integer(["1", text], thousands=","))
    assert (got.values, got.changed, got.refused) == ([1, None], [], [1])


@pytest.mark.parametrize(
    "text",
    ["", " ", "1e3", " 5", "5 ", "5\n", "0x10", "1_000", "--1", "5.0", "1,234", "٣", "-", "NaN"],
)
def test_integer_refuses_what_is_not_digits(text: str) -> None:
    """White space, exponents, points, other scripts' digits are not quietly read."""
    got = applied(rules.integer([text, "7"]))
    assert (got.values, got.refused, got.reason) == ([None, 7], [0], "is not an integer")


def test_integer_sign_and_leading_zeros() -> None:
    """A plus sign and leading zeros say the same number, so nothing is counted."""
    assert values(rules.integer(["+5", "007", "-0", "-007", "0" * 40 + "1"])) == [5, 7, 0, -7, 1]


def test_b15_integer_full_range_is_exact() -> None:
    """FAULTS B15: all of int64 goes through without a float on the way."""
    numbers = [2**53 + 1, -(2**53) - 1, _HIGH, _LOW]
    assert numbers == values(rules.integer([str(n) for n in numbers]))


def test_b17_integer_too_large_is_refused() -> None:
    """FAULTS B17: what is beyond 64 bits is refused, never set to the largest number."""
    got = applied(rules.integer([str(_HIGH + 1), str(_LOW - 1), "9" * 5000, "1"]))
    assert (got.values, got.refused) == ([None, None, None, 1], [0, 1, 2])


def test_b17_integer_of_the_declared_width() -> None:
    """FAULTS B17: the new column's 16 or 32 bits count, and `otherwise` stands in."""
    texts = ["32767", "32768", "-32768", "-32769"]
    got = applied(rules.integer(texts), "integer(16)")
    assert (got.refused, got.reason) == ([1, 3], "is out of the range of integer(16)")
    got = applied(rules.integer(texts, otherwise=-1), "integer(16)")
    assert (got.values, got.changed, got.refused) == ([32767, -1, -32768, -1], [1, 3], [])


def test_refused_rows_are_not_counted_as_changed() -> None:
    """A row is exact, changed or refused, never two of them."""
    got = applied(rules.integer(["70,000", "7,000"], thousands=","), "integer(16)")
    assert (got.values, got.changed, got.refused) == ([None, 7000], [1], [0])


def test_integer_from_other_kinds() -> None:
    """Booleans are 0 and 1; decimals and floats must be whole."""
    assert values(rules.integer([True, False, None])) == [1, 0, None]
    got = applied(rules.integer([Decimal("5.00"), Decimal("5.01"), None]))
    assert (got.values, got.refused) == ([5, None, None], [1])
    got = applied(rules.integer([5.0, 5.5, float("nan"), float("inf"), 1e30, -0.0]))
    assert (got.values, got.refused) == ([5, None, None, None, None, 0], [1, 2, 3, 4])


def test_integer_otherwise_null_is_counted() -> None:
    """`otherwise=None` gives NULL and counts the row; NULLs from before are not counted."""
    got = applied(rules.integer(["x", None, "1"], otherwise=None))
    assert (got.values, got.changed, got.refused) == ([None, None, 1], [0], [])


@pytest.mark.parametrize("separator", ["1", "-", "+", "a1"])
def test_integer_separator_must_separate(separator: str) -> None:
    """A separator with a digit or a sign in it is a mistake in the step."""
    with pytest.raises(ValueError, match="cannot separate thousands"):
        rules.integer("x", thousands=separator)


@given(st.lists(st.none() | st.integers(_LOW, _HIGH)))
def test_integer_of_text_is_itself(numbers: list[int | None]) -> None:
    """Every int64 comes back from its text form."""
    assert [*numbers, 1] == values(rules.integer(rules.text([*numbers, 1])))


@given(st.lists(st.integers(_LOW, _HIGH), min_size=1))
def test_integer_grouped_is_what_was_grouped(numbers: list[int]) -> None:
    """Python's own grouping is read back, whatever the number."""
    got = applied(rules.integer([f"{n:,}" for n in numbers], thousands=","))
    assert (numbers, []) == (got.values, got.refused)


@given(st.text("0123456789,+-. e", max_size=12))
def test_integer_accepts_only_the_documented_form(text: str) -> None:
    """Whatever is accepted is the number that is left when the separators are taken out."""
    got = applied(rules.integer([text], thousands=","))
    if not got.refused:
        assert [int(text.replace(",", ""))] == got.values


def test_float_digits_come_back() -> None:
    """A float takes what its shortest form gives back, and refuses more digits."""
    texts = ["0.1", "+1.50", "1e3", "-0.0", "1e300", "5e-324", "0.30000000000000004", ".5"]
    assert [float(t) for t in texts] == values(rules.float_(texts))
    got = applied(rules.float_(["0.12345678901234567890", "1e400", "1E400", "1e-400", "5.", " 1"]))
    assert (got.values, got.refused) == ([None] * 6, [0, 1, 2, 3, 4, 5])


def test_float_of_integers_and_decimals() -> None:
    """2^53 + 1 is refused; a decimal of few digits is not."""
    got = applied(rules.float_([2**53 + 1, 2**53, 7]))
    assert ([None, float(2**53), 7.0], [0]) == (got.values, got.refused)
    assert values(rules.float_([Decimal("0.10"), Decimal("12.50")])) == [0.1, 12.5]


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_float_of_text_is_itself(numbers: list[float]) -> None:
    """Every float comes back from its text form, the sign of zero too."""
    got = values(rules.float_(rules.text(numbers)))
    assert [repr(n) for n in numbers] == [repr(n) for n in got]


def test_boolean_of_integers_and_texts() -> None:
    """0 and 1 and the words; anything else is refused (FAULTS B27)."""
    got = applied(rules.boolean([0, 1, 2, -1, None]))
    assert (got.values, got.refused) == ([False, True, None, None, None], [2, 3])
    words = ["1", "t", "true", "yes", "y", "0", "f", "false", "no", "n"]
    assert values(rules.boolean(words)) == [True] * 5 + [False] * 5
    got = applied(rules.boolean(["TRUE", " yes", ""]))
    assert got.refused == [0, 1, 2]


def test_boolean_of_other_values() -> None:
    """What is true and false can be said; numbers of other kinds compare as numbers."""
    assert values(rules.boolean(["J", "N"], true=["J"], false=["N"])) == [True, False]
    assert values(rules.boolean([Decimal("1.0"), Decimal("0.0")])) == [True, False]
    assert values(rules.boolean([1.0, 0.0])) == [True, False]
    assert values(rules.boolean([True, None])) == [True, None]
    got = applied(rules.boolean(["ja", "?"], true=["ja"], otherwise=False))
    assert (got.values, got.changed, got.refused) == ([True, False], [1], [])
