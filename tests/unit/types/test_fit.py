"""Which values fit a declared type, and which types widen into which."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from migrators.types import ColumnType, Kind
from migrators.types.fit import has_nul, misfits, out_of_range, widen, widens

TEXT = ColumnType(Kind.TEXT)
SET = ColumnType(Kind.SET, labels=("a", "b", "c"))
STATE = ColumnType(Kind.ENUM, labels=("new", "done"))


def integer(bits: int, *, unsigned: bool = False) -> ColumnType:
    """Return an integer type."""
    return ColumnType(Kind.INTEGER, bits=bits, unsigned=unsigned)


def array(item: ColumnType) -> ColumnType:
    """Return an array type."""
    return ColumnType(Kind.ARRAY, item=item)


def native(name: str) -> ColumnType:
    """Return a native type."""
    return ColumnType(Kind.NATIVE, native=name)


def decimal(precision: int, scale: int) -> ColumnType:
    """Return a decimal type."""
    return ColumnType(Kind.DECIMAL, precision=precision, scale=scale)


CASES: list[tuple[ColumnType, bool, list[Any], list[tuple[str, list[bool]]]]] = [
    (TEXT, False, ["a", None], [("is NULL in a NOT NULL column", [False, True])]),
    (TEXT, True, ["a", None], []),
    (ColumnType(Kind.TEXT, length=2), True, ["🎉é", "abc", None],
     [("is longer than 2 characters", [False, True, False])]),
    (ColumnType(Kind.BINARY, length=2), True, [b"ab", b"abc"],
     [("is longer than 2 bytes", [False, True])]),
    (STATE, True, ["new", "gone", "", None],
     [("is none of new, done", [False, True, True, False])]),
    (ColumnType(Kind.JSON), True, ['{"a": 12345678901234567890}', "{", "NaN", None, "null"],
     [("is not JSON", [False, True, True, False, False])]),
    (ColumnType(Kind.JSON), True, ["[" * 100_000], [("is not JSON", [True])]),
    (SET, True, ["", "a,c", "c,a", "a,a", "d", "a,", None],
     [("is no set of a, b, c", [False, False, True, True, True, True, False])]),
    (ColumnType(Kind.BITS, length=3, fixed=True), True, ["010", "10", "0101", "01a", None],
     [("is not of 3 bits", [False, True, True, True, False])]),
    (ColumnType(Kind.BITS, length=3), True, ["", "10", "0101", "01\n"],
     [("is not of at most 3 bits", [False, False, True, True])]),
    (ColumnType(Kind.BITS), True, ["0" * 2000, "2"], [("is not of bits", [False, True])]),
    (ColumnType(Kind.ARRAY), True, ["[1]", "{{1}}", "1", "", None],
     [("is no array", [False, False, True, True, False])]),
    (ColumnType(Kind.INTEGER, bits=32, unsigned=True), True, [0, -1, None],
     [("is negative", [False, True, False])]),
    (ColumnType(Kind.FLOAT, unsigned=True), True, [0.5, -0.5, float("nan")],
     [("is negative", [False, True, False])]),
    (ColumnType(Kind.DECIMAL, precision=5, scale=2, unsigned=True), True,
     [Decimal("0.00"), Decimal("-0.01")], [("is negative", [False, True])]),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "nullable", "values", "expected"), CASES)
def test_misfits(
    type_: ColumnType,
    nullable: bool,  # noqa: FBT001
    values: list[Any],
    expected: list[tuple[str, list[bool]]],
) -> None:
    """D53, E59: each reason with its rows; NULL only where it is not allowed."""
    found = misfits(pa.array(values, type_.arrow), type_, nullable)
    assert [(reason, mask.to_pylist()) for reason, mask in found] == expected


def test_a_year_beyond_9999_does_not_fit() -> None:
    """C36, C37: no silent wrap, whatever the file can hold."""
    type_ = ColumnType(Kind.TIMESTAMP)
    array = pa.array([0, 253402300800000000, -62135596800000001, None], type_.arrow)
    [(reason, mask)] = misfits(array, type_, nullable=True)
    assert (reason, mask.to_pylist()) == (
        "is not in the years 0001 to 9999",
        [False, True, True, False],
    )


def test_nul_is_found() -> None:
    """D46: wherever it stands."""
    assert has_nul(pa.array(["a\0b", "ab", None])).to_pylist() == [True, False, False]


@pytest.mark.parametrize("bits", [16, 32])
def test_integers_out_of_range(bits: int) -> None:
    """B17: the first and the last that fit, and the ones beyond."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    mask = out_of_range(pa.array([low, high, low - 1, high + 1, None]), bits)
    assert mask.to_pylist() == [False, False, True, True, False]


def test_integers_without_a_sign_out_of_range() -> None:
    """B16: 2^63 and more are beyond a bigint; a negative is beyond any of them."""
    large = pa.array([0, 2**63 - 1, 2**63, 2**64 - 1, None], pa.uint64())
    assert out_of_range(large, 64).to_pylist() == [False, False, True, True, False]
    assert out_of_range(pa.array([-1, 0]), 64, unsigned=True).to_pylist() == [True, False]
    assert out_of_range(pa.array([255, 256]), 8, unsigned=True).to_pylist() == [False, True]


def test_every_integer_is_in_the_range_of_64_bits() -> None:
    """The bounds themselves do not overflow."""
    assert out_of_range(pa.array([-(2**63), 2**63 - 1]), 64).to_pylist() == [False, False]


WIDENS = [
    (integer(16), integer(32), True),
    (integer(64), integer(32), False),
    (integer(32), decimal(12, 2), True),
    (integer(64), decimal(12, 2), False),
    (decimal(5, 2), decimal(7, 3), True),
    (decimal(5, 2), decimal(5, 3), False),
    (decimal(5, 2), integer(64), False),
    (ColumnType(Kind.TEXT, length=10), TEXT, True),
    (TEXT, ColumnType(Kind.TEXT, length=10), False),
    (ColumnType(Kind.TEXT, length=10), ColumnType(Kind.TEXT, length=9), False),
    (TEXT, STATE, True),
    (STATE, TEXT, True),
    (STATE, ColumnType(Kind.TEXT, length=4), True),
    (STATE, ColumnType(Kind.TEXT, length=3), False),
    (ColumnType(Kind.ENUM, length=4, labels=("done",)), STATE, True),
    (ColumnType(Kind.TIMESTAMP), ColumnType(Kind.INSTANT), False),
    (ColumnType(Kind.UUID), ColumnType(Kind.UUID), True),
    (TEXT, ColumnType(Kind.JSON), False),
    (integer(8), integer(24), True),
    (integer(32, unsigned=True), integer(64), True),
    (integer(32), integer(64, unsigned=True), False),
    (integer(64, unsigned=True), integer(64), False),
    (integer(64, unsigned=True), decimal(20, 0), True),
    (integer(64, unsigned=True), decimal(19, 0), False),
    (SET, TEXT, True),
    (SET, ColumnType(Kind.TEXT, length=4), False),
    (SET, ColumnType(Kind.TEXT, length=5), True),
    (TEXT, SET, True),
    (array(integer(32)), ColumnType(Kind.JSON), True),
    (array(integer(32)), array(integer(64)), True),
    (array(integer(64)), array(integer(32)), False),
    (array(TEXT), TEXT, False),
    (native("server:inet"), native("server:inet"), True),
    (native("server:inet"), native("server:cidr"), False),
    (native("server:inet"), TEXT, False),
    (TEXT, native("server:inet"), False),
]


@pytest.mark.parametrize(("source", "target", "expected"), WIDENS)
def test_widens(source: ColumnType, target: ColumnType, expected: bool) -> None:  # noqa: FBT001
    """Only where every value arrives exactly; C33, C34: never across a zone."""
    assert widens(source, target) is expected


@pytest.mark.parametrize(
    ("source", "target", "values", "expected"),
    [
        (integer(32), decimal(12, 2), [-(2**31), None], [Decimal("-2147483648.00"), None]),
        (integer(64), decimal(60, 40), [2**63 - 1], [Decimal(f"{2**63 - 1}.{'0' * 40}")]),
        (decimal(5, 2), decimal(60, 4), [Decimal("1.23")], [Decimal("1.2300")]),
        (integer(16), integer(64), [1], [1]),
        (TEXT, STATE, ["new"], ["new"]),
    ],
)
def test_widen(
    source: ColumnType, target: ColumnType, values: list[Any], expected: list[Any]
) -> None:
    """B15: the same values, of the new type."""
    widened = widen(pa.array(values, source.arrow), source, target)
    assert (widened.to_pylist(), widened.type) == (expected, target.arrow)


def test_widen_refuses_what_needs_a_rule() -> None:
    """B20: a narrower decimal is never a rounding."""
    with pytest.raises(TypeError, match=r"decimal\(5,2\) does not widen into decimal\(5,1\)"):
        widen(pa.array([], decimal(5, 2).arrow), decimal(5, 2), decimal(5, 1))
