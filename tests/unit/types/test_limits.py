"""Values that a column of one database does not hold, though its type elsewhere does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from migrators.types import ColumnType, Kind
from migrators.types.limits import NONE, Limits, beyond

TEXT = ColumnType(Kind.TEXT)
BIG = ColumnType(Kind.INTEGER, bits=64)
LARGE = ColumnType(Kind.INTEGER, bits=64, unsigned=True)
FLOAT = ColumnType(Kind.FLOAT)
BINARY = ColumnType(Kind.BINARY)
MONEY = ColumnType(Kind.DECIMAL, precision=20, scale=2)

CASES: list[tuple[ColumnType, Limits, list[Any], dict[str, list[bool]]]] = [
    (BIG, Limits(low=0, high=255), [0, 255, None, 256, -1],
     {"is less than 0": [False, False, False, False, True],
      "is more than 255": [False, False, False, True, False]}),
    (LARGE, Limits(high=2**63 - 1), [2**63 - 1, 2**63],
     {f"is more than {2**63 - 1}": [False, True]}),
    (BIG, Limits(low=-(2**63), high=2**63 - 1), [-(2**63), 2**63 - 1], {}),
    (MONEY, Limits(digits=15), [Decimal("9999999999999.99"), Decimal("-10000000000000.00"), None],
     {"has more than 15 digits": [False, True, False]}),
    (FLOAT, Limits(single=True), [0.5, 0.1, 1e300, float("inf"), float("nan"), None],
     {"has more digits than single precision keeps": [False, True, True, False, False, False]}),
    (FLOAT, Limits(finite=True), [-0.0, float("inf"), float("nan"), None],
     {"is infinite or not a number": [False, True, True, False]}),
    (TEXT, Limits(characters=2), ["é🎉", "abc", None],
     {"is longer than 2 characters": [False, True, False]}),
    (TEXT, Limits(bytes=4), ["🎉", "éab", "ééa"],
     {"is longer than 4 bytes": [False, False, True]}),
    (TEXT, Limits(basic=True), ["\uffff", "a🎉", None],
     {"has a character of four bytes in UTF-8": [False, True, False]}),
    (TEXT, Limits(nul=False), ["a\0", "a", None], {"has a NUL character": [True, False, False]}),
    (TEXT, Limits(padded=True), ["a ", " a", "", None],
     {"ends with spaces, which are not kept": [True, False, False, False]}),
    (ColumnType(Kind.NATIVE, native="x:y"), Limits(nul=False), ["\0"],
     {"has a NUL character": [True]}),
    (BINARY, Limits(bytes=2, padded=True), [b"ab", b"a", b"abc", None],
     {"is longer than 2 bytes": [False, False, True, False],
      "is shorter than 2 bytes, and would be filled up with zeros": [False, True, False, False]}),
    (ColumnType(Kind.TIME), Limits(fraction=0), [time(1, 2, 3), time(1, 2, 3, 1), None],
     {"has more than 0 digits of a second": [False, True, False]}),
    (ColumnType(Kind.TIMESTAMP), Limits(fraction=3),
     [datetime(1969, 1, 1, 0, 0, 0, 120_000), datetime(1969, 1, 1, 0, 0, 0, 123_400)],  # noqa: DTZ001
     {"has more than 3 digits of a second": [False, True]}),
    (ColumnType(Kind.INSTANT), Limits(first=1_000_000, last=2**31 * 1_000_000 - 1),
     [datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 7, 999_999, UTC),
      datetime(2038, 1, 19, 3, 14, 8, 0, UTC)],
     {"is before 1970-01-01 00:00:01.000000": [True, False, False],
      "is after 2038-01-19 03:14:07.999999": [False, False, True]}),
    (ColumnType(Kind.DATE), Limits(first=-30_610_224_000_000_000),
     [date(1000, 1, 1), date(999, 12, 31)],
     {"is before 1000-01-01 00:00:00.000000": [False, True]}),
    (ColumnType(Kind.DATE, as_text=True), Limits(first=0), ["infinity"], {}),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "limits", "values", "expected"), CASES)
def test_beyond(
    type_: ColumnType, limits: Limits, values: list[Any], expected: dict[str, list[bool]]
) -> None:
    """B16, B17, B18, B22, C39, C40, D46, D49, D52, D53: each reason with its rows, both ends."""
    found = beyond(pa.array(values, type_.arrow), type_, limits)
    assert {reason: mask.to_pylist() for reason, mask in found} == expected


@pytest.mark.parametrize("kind", Kind)
def test_no_limits_are_none(kind: Kind) -> None:
    """Any kind, NULLs and no rows at all, with every limit set that asks for values."""
    type_ = ColumnType(kind, precision=9, scale=2)
    tight = Limits(low=0, high=0, digits=1, single=True, finite=True, characters=0, bytes=0,
                   basic=True, nul=False, padded=True, fraction=0, first=0, last=0)  # fmt: skip
    assert beyond(pa.nulls(2, type_.arrow), type_, tight) == []
    assert beyond(pa.array([], type_.arrow), type_, tight) == []
    assert beyond(pa.nulls(2, type_.arrow), type_, NONE) == []
