"""`rules.decimal`: exact, refused, or rounded because the step says so."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrators import rules
from tests.unit.rules.applied import applied, values


def _text(numbers: list[Decimal | None]) -> list[str | None]:
    return [None if n is None else str(n) for n in numbers]


def test_b20_more_decimals_are_refused() -> None:
    """FAULTS B20: 1.239 into numeric(5,2) is refused, never rounded."""
    got = applied(rules.decimal(["1.239", "1.23", "1.2300", None]), "decimal(5,2)")
    assert (_text(got.values), got.refused) == ([None, "1.23", "1.23", None], [0])
    assert got.reason == "has more digits than decimal(5,2)"
    got = applied(rules.decimal([Decimal("1.239"), Decimal("1.230")]), "decimal(5,2)")
    assert (_text(got.values), got.refused) == ([None, "1.23"], [0])


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("half_even", ["1.24", "1.22", "-1.22", "1.23"]),
        ("half_up", ["1.24", "1.23", "-1.23", "1.23"]),
        ("down", ["1.23", "1.22", "-1.22", "1.23"]),
    ],
)
def test_b20_rounding_said_in_the_step(
    rounding: Literal["half_even", "half_up", "down"], expected: list[str]
) -> None:
    """FAULTS B20: with `rounding` it is rounded, and each rounded row is counted."""
    texts = ["1.235", "1.225", "-1.225", "1.23"]
    got = applied(rules.decimal(texts, rounding=rounding), "decimal(5,2)")
    assert (expected, [0, 1, 2], []) == (_text(got.values), got.changed, got.refused)


def test_rounding_into_one_more_digit_is_refused() -> None:
    """999.995 rounds to a number that decimal(5,2) does not hold."""
    got = applied(rules.decimal(["999.995", "999.994"], rounding="half_up"), "decimal(5,2)")
    assert (_text(got.values), got.changed, got.refused) == ([None, "999.99"], [1], [0])


def test_b18_sixty_five_digits() -> None:
    """FAULTS B18: 65 digits at scale 30 are exact, one more before the point is refused."""
    number = "9" * 35 + "." + "1" * 30
    got = applied(rules.decimal([number, "-" + number, "1" + number]), "decimal(65,30)")
    assert ([number, "-" + number, None], [2]) == (_text(got.values), got.refused)


@pytest.mark.parametrize(
    "text", ["1e3", "1E-2", "5.", ".", "", " 1", "1 ", "1,5", "NaN", "inf", "0x1", "1.2.3", "--1"]
)
def test_text_that_is_no_decimal(text: str) -> None:
    """No exponent, no white space, no second point, no NaN."""
    got = applied(rules.decimal(["1.5", text]), "decimal(5,2)")
    assert (_text(got.values), got.refused) == (["1.50", None], [1])
    assert got.reason == "is not a decimal number"


def test_text_forms_that_are_read() -> None:
    """A sign, leading zeros, no digit before the point; minus zero is zero."""
    texts = ["+1.5", "007.10", ".5", "-.25", "-0.00", "0" * 60 + "1", "3" + "." + "0" * 80]
    expected = ["1.50", "7.10", "0.50", "-0.25", "0.00", "1.00", "3.00"]
    assert expected == _text(values(rules.decimal(texts), "decimal(5,2)"))


def test_separators_and_point() -> None:
    """Continental writing; groups of three only, counted where there are any."""
    texts = ["1.234,5", "12,5", "1.23,5", "1234,5", "1,234.5"]
    got = applied(rules.decimal(texts, thousands=".", point=","), "decimal(8,2)")
    assert _text(got.values) == ["1234.50", "12.50", None, "1234.50", None]
    assert (got.changed, got.refused) == ([0], [2, 4])


def test_floats_by_their_shortest_form() -> None:
    """0.1 is 0.1; 0.1 + 0.2 is refused; a float never rounds by itself."""
    numbers = [0.1, 0.1 + 0.2, 1e22, 5e-324, float("nan"), float("inf"), 12.34, None, -0.0]
    got = applied(rules.decimal(numbers), "decimal(5,2)")
    assert _text(got.values) == ["0.10", None, None, None, None, None, "12.34", None, "0.00"]
    assert got.refused == [1, 2, 3, 4, 5]
    assert _text(values(rules.decimal([1e22]), "decimal(25,0)")) == ["1" + "0" * 22]
    got = applied(rules.decimal([0.1 + 0.2, 5e-324], rounding="half_even"), "decimal(5,2)")
    assert (_text(got.values), got.changed) == (["0.30", "0.00"], [0, 1])


def test_b21_nan_and_infinity_are_refused() -> None:
    """FAULTS B21: a decimal has no NaN and no infinity; `otherwise` may stand in."""
    numbers = [float("nan"), float("-inf"), 1.5]
    got = applied(rules.decimal(numbers, otherwise=None), "decimal(5,2)")
    assert (_text(got.values), got.changed) == ([None, None, "1.50"], [0, 1])


def test_integers_and_wider_decimals() -> None:
    """Integers of 64 bits and decimals are exact; too many digits are refused."""
    top = 2**63 - 1
    assert [f"{top}.00"] == _text(values(rules.decimal([top]), "decimal(21,2)"))
    got = applied(rules.decimal([999, 1000]), "decimal(5,2)")
    assert (_text(got.values), got.refused) == (["999.00", None], [1])
    tiny = [Decimal("0.00000001"), Decimal("0E-8")]
    assert _text(values(rules.decimal(tiny), "decimal(76,8)")) == ["1E-8", "0E-8"]


def test_otherwise_is_a_decimal_of_the_column() -> None:
    """It is counted, and it must fit the column itself."""
    got = applied(rules.decimal(["n/a", "1"], otherwise=Decimal("9.99")), "decimal(5,2)")
    assert (_text(got.values), got.changed) == (["9.99", "1.00"], [0])
    with pytest.raises(TypeError, match="holds exactly"):
        applied(rules.decimal(["1"], otherwise=Decimal("9.999")), "decimal(5,2)")
    with pytest.raises(TypeError, match="holds exactly"):
        applied(rules.decimal(["1"], otherwise=9.99), "decimal(5,2)")


def test_options_are_checked() -> None:
    """A rounding nobody knows, and a separator that is the point, are mistakes."""
    with pytest.raises(ValueError, match="half_even"):
        rules.decimal("x", rounding="up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot separate"):
        rules.decimal("x", thousands=".")


_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)


@given(st.lists(_NUMBERS, min_size=1))
def test_exact_or_refused(numbers: list[Decimal]) -> None:
    """Whatever is accepted is equal to what was read, digit for digit."""
    texts = [f"{n:f}" for n in numbers]
    got = applied(rules.decimal(texts), "decimal(30,6)")
    expected = [n if n == n.quantize(Decimal("1e-6")) else None for n in map(Decimal, texts)]
    assert expected == got.values


@given(_NUMBERS, st.sampled_from(["half_even", "half_up", "down"]))
def test_rounds_as_the_decimal_module_does(
    number: Decimal, rounding: Literal["half_even", "half_up", "down"]
) -> None:
    """Python's decimal module is the judge of rounding."""
    with decimal.localcontext(prec=80):
        expected = Decimal(f"{number:f}").quantize(
            Decimal("1e-3"), rounding=f"ROUND_{rounding.upper()}"
        )
    got = applied(rules.decimal([f"{number:f}"], rounding=rounding), "decimal(40,3)")
    assert [expected] == got.values
    assert bool(got.changed) is (expected != number)


@given(st.lists(st.none() | st.decimals(-(10**8), 10**8, places=4), max_size=20))
def test_decimal_of_text_is_itself(numbers: list[Decimal | None]) -> None:
    """Every decimal comes back from its text form."""
    given_ = [*numbers, Decimal("0.0001")]
    assert given_ == values(rules.decimal(rules.text(given_)), "decimal(13,4)")
