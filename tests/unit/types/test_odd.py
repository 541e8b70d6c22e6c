"""Texts of columns held as text: which there are, and how a server's become them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from migrators.types import ColumnType, Kind, constants
from migrators.types.fit import misfits, widen, widens
from migrators.types.odd import normal, odd_form
from migrators.types.text import from_text, to_text


def held(kind: Kind) -> ColumnType:
    """Return a kind, held as text."""
    return ColumnType(kind, as_text=True)


GOOD: list[tuple[Kind, list[str]]] = [
    (Kind.DECIMAL, ["NaN", "-Infinity", "Infinity", "1.500", "-0", "9" * 500, "0." + "0" * 400]),
    (Kind.DATE, ["infinity", "-infinity", "2024-02-29", "5874897-12-31", "4713-01-01 BC",
                 "0000-00-00", "2023-00-00"]),
    (Kind.TIME, ["24:00:00.000000", "-838:59:59.999999", "00:00:00.000000"]),
    (Kind.TIMESTAMP, ["infinity", "294276-12-31 23:59:59.999999", "0044-03-15 00:00:00.000000 BC",
                      "0000-00-00 00:00:00.000000"]),
    (Kind.INSTANT, ["-infinity", "294276-12-31 23:59:59.999999+00:00",
                    "0044-03-15 00:00:00.000000+00:00 BC"]),
    (Kind.INTERVAL, ["P1M", "P-1Y-2M3DT-4H5M-6.000007S", "PT0S", "-86400000000"]),
]  # fmt: skip
BAD: list[tuple[Kind, list[str]]] = [
    (Kind.DECIMAL, ["nan", "1e5", "1.", ".5", "+1", " 1", "1\n", ""]),
    (Kind.DATE, ["Infinity", "2024-2-29", "2024-02-29 AD", "today", "2024-02-29\n"]),
    (Kind.TIME, ["24:00:00", "1:00:00.000000", "12:00:00.000000+00"]),
    (Kind.TIMESTAMP, ["2024-02-29", "2024-02-29 00:00:00", "2024-02-29T00:00:00.000000"]),
    (Kind.INSTANT, ["2024-02-29 00:00:00.000000", "2024-02-29 00:00:00.000000+01:00"]),
    (Kind.INTERVAL, ["1 mon", "P", "PT", "P1", "1.5"]),
]


@pytest.mark.parametrize(("kind", "texts"), GOOD)
def test_what_the_form_has(kind: Kind, texts: list[str]) -> None:
    """B21, C35, C36, C37, C38, C41, C42: as their servers write them, NULL besides."""
    array = pa.array([*texts, None], pa.string())
    assert not odd_form(array, held(kind)).fill_null(False).true_count
    assert to_text(array, held(kind)) is array
    values, bad = from_text(array, held(kind))
    assert (values, bad.true_count) == (array, 0)


@pytest.mark.parametrize(("kind", "texts"), BAD)
def test_what_it_has_not(kind: Kind, texts: list[str]) -> None:
    """Each value has one text; a person's typing and a damaged file are refused."""
    array = pa.array(texts, pa.string())
    assert odd_form(array, held(kind)).to_pylist() == [True] * len(texts)
    assert from_text(array, held(kind))[1].true_count == len(texts)
    [(reason, mask)] = misfits(array, held(kind), nullable=True)
    assert (reason, mask.true_count) == (f"is not of the form of a {held(kind)}", len(texts))


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (Kind.TIMESTAMP, "2024-02-29 01:02:03", "2024-02-29 01:02:03.000000"),
        (Kind.TIMESTAMP, "12024-02-29 01:02:03.5", "12024-02-29 01:02:03.500000"),
        (Kind.TIMESTAMP, "0044-03-15 00:00:00 BC", "0044-03-15 00:00:00.000000 BC"),
        (Kind.INSTANT, "2024-02-29 01:02:03.123456+00", "2024-02-29 01:02:03.123456+00:00"),
        (Kind.INSTANT, "0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00.000000+00:00 BC"),
        (Kind.INSTANT, "-infinity", "-infinity"),
        (Kind.TIME, "24:00:00", "24:00:00.000000"),
        (Kind.TIME, "-838:59:59", "-838:59:59.000000"),
        (Kind.DATE, "0044-03-15 BC", "0044-03-15 BC"),
        (Kind.DECIMAL, "1.50", "1.50"),
    ],
)
def test_a_servers_text_becomes_the_form(kind: Kind, written: str, expected: str) -> None:
    """Six digits of a second, and the zone in full; the rest stays."""
    found = normal(pa.array([written, None]), held(kind))
    assert found.to_pylist() == [expected, None]
    assert not odd_form(found, held(kind))[0].as_py()


@pytest.mark.parametrize("kind", [Kind.TIMESTAMP, Kind.INSTANT, Kind.TIME, Kind.DATE])
def test_ordinary_values_have_the_ordinary_form(kind: Kind) -> None:
    """A column held as text says of a value what one of Arrow's type would."""
    plain = ColumnType(kind)
    number = pa.array([1, 2_000_000, None], pa.int32() if kind is Kind.DATE else pa.int64())
    texts = to_text(number.cast(plain.arrow), plain)
    assert normal(texts, held(kind)).equals(texts)
    assert odd_form(texts, held(kind)).true_count == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Decimal("1.50"), "1.50"), (7, "7"), (Decimal("1E+3"), "1000"), (Decimal("NaN"), "NaN"),
     ("-Infinity", "-Infinity"), (True, None), ("x", None), (1.5, None)],
)  # fmt: skip
def test_constants(value: Any, expected: str | None) -> None:
    """A decimal without precision takes any number, in full."""
    if expected is None:
        with pytest.raises(TypeError, match="is not a value that decimal holds exactly"):
            constants.exact(value, held(Kind.DECIMAL))
    else:
        assert constants.exact(value, held(Kind.DECIMAL)) == expected


def test_numbers_widen_into_decimals_without_precision() -> None:
    """All digits of the scale are written; nothing comes back without a rule."""
    wide, money = held(Kind.DECIMAL), ColumnType(Kind.DECIMAL, precision=5, scale=2)
    array = pa.array([Decimal("1.50"), None], money.arrow)
    assert widen(array, money, wide).to_pylist() == ["1.50", None]
    large = ColumnType(Kind.INTEGER, bits=64, unsigned=True)
    assert widen(pa.array([2**64 - 1], pa.uint64()), large, wide).to_pylist() == [str(2**64 - 1)]
    assert not widens(wide, money)
    assert not widens(held(Kind.DATE), ColumnType(Kind.DATE))
    assert widens(ColumnType(Kind.DATE), held(Kind.DATE))
