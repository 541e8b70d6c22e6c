"""The exact text of every kind, and what a person may type."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrators.types import ColumnType, Kind
from migrators.types.text import from_text, to_text

INTEGER = ColumnType(Kind.INTEGER, bits=64)
MONEY = ColumnType(Kind.DECIMAL, precision=5, scale=2)
WIDE = ColumnType(Kind.DECIMAL, precision=76, scale=40)


def of(kind: Kind) -> ColumnType:
    """Return a plain type of a kind."""
    return ColumnType(kind)


FORMS: list[tuple[ColumnType, Any, str]] = [
    (INTEGER, -(2**63), "-9223372036854775808"),
    (INTEGER, 2**53 + 1, "9007199254740993"),
    (of(Kind.BOOLEAN), True, "true"),
    (of(Kind.FLOAT), 1.0, "1.0"),
    (of(Kind.FLOAT), -0.0, "-0.0"),
    (of(Kind.FLOAT), 0.1 + 0.2, "0.30000000000000004"),
    (of(Kind.FLOAT), 5e-324, "5e-324"),
    (of(Kind.FLOAT), 1e300, "1e+300"),
    (of(Kind.FLOAT), float("nan"), "nan"),
    (of(Kind.FLOAT), float("-inf"), "-inf"),
    (MONEY, Decimal("-0.05"), "-0.05"),
    (MONEY, Decimal("999.99"), "999.99"),
    (ColumnType(Kind.DECIMAL, precision=38, scale=20), Decimal("1E-8"), "0.00000001000000000000"),
    (ColumnType(Kind.DECIMAL, precision=9), Decimal(-12), "-12"),
    (WIDE, Decimal("-" + "9" * 36 + "." + "9" * 40), "-" + "9" * 36 + "." + "9" * 40),
    (WIDE, Decimal("1E-40"), "0." + "0" * 39 + "1"),
    (of(Kind.TEXT), " 007\r\n", " 007\r\n"),
    (of(Kind.BINARY), b"", ""),
    (of(Kind.BINARY), b"\x00\xff", "00ff"),
    (of(Kind.UUID), UUID(int=1).bytes, "00000000-0000-0000-0000-000000000001"),
    (of(Kind.DATE), date(1, 1, 1), "0001-01-01"),
    (of(Kind.DATE), date(9999, 12, 31), "9999-12-31"),
    (of(Kind.TIME), time(23, 59, 59, 999999), "23:59:59.999999"),
    (of(Kind.TIMESTAMP), datetime.fromisoformat("0001-01-01"), "0001-01-01 00:00:00.000000"),
    (of(Kind.INSTANT), datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29 00:00:00.000000+00:00"),
    (of(Kind.INTERVAL), timedelta(days=-1), "-86400000000"),
]


@pytest.mark.parametrize(("type_", "value", "text"), FORMS)
def test_a_value_has_one_text_and_the_text_that_value(
    type_: ColumnType, value: object, text: str
) -> None:
    """Both ways, beside a NULL and in a slice, as batches come."""
    values = pa.array([None, value, None, value], type_.arrow)[1:]
    texts = pa.array([None, text, None, text], pa.string())[1:]
    assert to_text(values, type_).equals(texts)
    read, bad = from_text(texts, type_)
    assert read.equals(values) or "nan" in text
    assert to_text(read, type_).equals(texts)
    assert bad.to_pylist() == [False, False, False]
    assert read.type == type_.arrow


TYPED: list[tuple[ColumnType, str, str]] = [
    (MONEY, "1", "1.00"),
    (MONEY, "1.5", "1.50"),
    (MONEY, "1.2300", "1.23"),
    (WIDE, "1.5", "1.5" + "0" * 39),
    (of(Kind.FLOAT), "1", "1.0"),
    (of(Kind.FLOAT), "1E5", "100000.0"),
    (of(Kind.BOOLEAN), "TRUE", "true"),
    (of(Kind.BINARY), "00FF", "00ff"),
    (of(Kind.TIME), "12:30:00", "12:30:00.000000"),
    (of(Kind.TIMESTAMP), "2024-02-29T01:02:03.5", "2024-02-29 01:02:03.500000"),
    (of(Kind.INSTANT), "2024-06-01 12:00:00+02:00", "2024-06-01 10:00:00.000000+00:00"),
    (of(Kind.INSTANT), "2024-06-01T12:00:00Z", "2024-06-01 12:00:00.000000+00:00"),
    (of(Kind.UUID), "00000000000000000000000000000A01", "00000000-0000-0000-0000-000000000a01"),
]


@pytest.mark.parametrize(("type_", "typed", "exact"), TYPED)
def test_what_a_person_may_type(type_: ColumnType, typed: str, exact: str) -> None:
    """Another unambiguous form is the same value, beside an exact one."""
    read, bad = from_text(pa.array([typed, exact]), type_)
    assert to_text(read, type_).to_pylist() == [exact, exact]
    assert bad.to_pylist() == [False, False]


REFUSED: list[tuple[ColumnType, str]] = [
    *((INTEGER, t) for t in ("", " 1", "+1", "007", "-0", "0x1F", "1.0", "1_0", "1e5", "١")),
    (INTEGER, "9223372036854775808"),
    *((MONEY, t) for t in ("", "1e2", "+1", ".5", "1.", "1.239", "1000", "nan", "inf", "01")),
    (WIDE, "1" * 37),
    *(
        (of(Kind.FLOAT), t)
        for t in ("", "NaN", "-nan", "infinity", "+1", "1e400", "1e-400", "0x1p3")
    ),
    *((of(Kind.BOOLEAN), t) for t in ("", "1", "t", "yes")),
    *((of(Kind.BINARY), t) for t in ("0", "zz", "00 ff", r"\x00")),
    *((of(Kind.UUID), t) for t in ("", "{00000000-0000-0000-0000-000000000001}", "0" * 31)),
    *((of(Kind.DATE), t) for t in ("0000-12-31", "10000-01-01", "2023-02-29", "2023-1-1", "")),
    *((of(Kind.DATE), t) for t in ("0000-00-00", "2023-00-00", "20230101", "2023-W01-1")),
    *((of(Kind.TIME), t) for t in ("24:00:00", "12:00", "12:00:60", "12:00:00.1234567")),
    *((of(Kind.TIMESTAMP), t) for t in ("2024-01-01", "0000-01-01 00:00:00.000000")),
    *((of(Kind.TIMESTAMP), t) for t in ("2024-01-01 00:00:00+00:00", "2024-01-01 24:00:00")),
    (of(Kind.TIMESTAMP), "2024-01-01 00:00:00.123456789"),
    *((of(Kind.INSTANT), t) for t in ("2024-01-01 00:00:00", "0001-01-01 00:00:00+02:00")),
    *((of(Kind.INTERVAL), t) for t in ("1 day", "1.5", "")),
]


@pytest.mark.parametrize(("type_", "text"), REFUSED)
def test_any_other_text_is_bad(type_: ColumnType, text: str) -> None:
    """B17, B20, C33, C34, C36-C38, C40, C41: flagged, never guessed, cut or rounded."""
    read, bad = from_text(pa.array([None, text]), type_)
    assert read.to_pylist() == [None, None]
    assert bad.to_pylist() == [False, True]


def test_one_bad_text_does_not_spoil_the_others() -> None:
    """A date that does not exist makes Arrow refuse the whole column."""
    texts = ["2023-02-28 00:00:00.000000", "2023-02-30 00:00:00.000000", "x", None]
    read, bad = from_text(pa.array(texts), of(Kind.TIMESTAMP))
    assert read.to_pylist() == [datetime.fromisoformat("2023-02-28"), None, None, None]
    assert bad.to_pylist() == [False, True, True, False]


@pytest.mark.parametrize("kind", list(Kind))
def test_no_rows(kind: Kind) -> None:
    """An empty column has its type."""
    type_ = ColumnType(kind, precision=9 * (kind is Kind.DECIMAL))
    read, bad = from_text(to_text(pa.array([], type_.arrow), type_), type_)
    assert (read.type, len(read), len(bad)) == (type_.arrow, 0, 0)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.none() | st.floats(), max_size=20))
def test_every_double_comes_back_to_the_bit(values: list[float | None]) -> None:
    """B22: signed zeros, subnormals and infinities, and NaN beside NULL (B23)."""
    array = pa.array(values, pa.float64())
    read, bad = from_text(to_text(array, of(Kind.FLOAT)), of(Kind.FLOAT))
    assert repr(read.to_pylist()) == repr(values)
    assert bad.true_count == 0


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.data(), st.integers(1, 76))
def test_every_decimal_comes_back(data: st.DataObject, precision: int) -> None:
    """B18: up to 76 digits, any scale, never an exponent."""
    scale = data.draw(st.integers(0, precision))
    type_ = ColumnType(Kind.DECIMAL, precision=precision, scale=scale)
    whole = st.integers(-(10**precision) + 1, 10**precision - 1)
    unscaled = data.draw(st.lists(st.none() | whole, max_size=10))
    texts = pa.array([None if u is None else _written(u, scale) for u in unscaled], pa.string())
    read, bad = from_text(texts, type_)
    assert bad.true_count == 0
    assert to_text(read, type_).equals(texts)


def _written(unscaled: int, scale: int) -> str:
    digits = f"{abs(unscaled):0{scale + 1}d}"
    point = f".{digits[-scale:]}" if scale else ""
    return "-" * (unscaled < 0) + digits[: len(digits) - scale] + point


SLICED: list[tuple[ColumnType, list[str | None], str]] = [
    (INTEGER, ["1", None, "22", "333", "4444"], "x"),
    (of(Kind.BINARY), ["00", None, "", "0aff", "bb"], "zz"),
    (of(Kind.UUID), [str(UUID(int=i)) for i in range(5)], "x"),
    (of(Kind.TIMESTAMP), [f"2024-01-0{i} 00:00:00.000000" for i in range(1, 6)], "x"),
]


@pytest.mark.parametrize("start", range(6))
@pytest.mark.parametrize(("type_", "good", "wrong"), SLICED)
def test_a_slice_with_a_bad_text_in_it(
    type_: ColumnType, good: list[str | None], wrong: str, start: int
) -> None:
    """A NULL scalar in `if_else` corrupts slices of strings on old Arrow (apache/arrow#49410)."""
    texts = [*good, wrong, *good]
    read, bad = from_text(pa.array(texts)[start:], type_)
    assert to_text(read, type_).to_pylist() == [*good[start:], None, *good]
    assert bad.to_pylist() == [text == wrong for text in texts[start:]]


def test_a_slice_of_binary_with_nulls() -> None:
    """The same on the way out."""
    values = pa.array([b"\x01", b"\x02\x03", None, b"", b"\xff"])
    assert to_text(values[1:], of(Kind.BINARY)).to_pylist() == ["0203", None, "", "ff"]
