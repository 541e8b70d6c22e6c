"""What the server would make something else of is written so that it does not, or refused."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from migrators.backends.mysql import cells, written
from migrators.backends.mysql.language import lint
from migrators.types import ColumnType, Kind

YEAR = ColumnType(Kind.INTEGER, bits=16, unsigned=True)


def test_a_year_has_four_digits_and_0_is_not_2000() -> None:
    """LOAD DATA takes a text of one or two digits for a year of 1970 to 2069."""
    encoded = written.plain(pa.array([0, 1901, None]), YEAR, written.Target("year"))
    assert (encoded.texts.to_pylist(), encoded.refused) == (["0000", "1901", None], None)


def test_a_number_that_is_no_year_is_refused() -> None:
    """The server would make 2001 of 1, without a warning."""
    encoded = written.plain(pa.array([1, 1900, 1901, 2156]), YEAR, written.Target("year"))
    assert encoded.refused is not None
    assert encoded.refused.to_pylist() == [True, True, False, True]


def test_bits_and_decimals_go_into_text_as_they_are() -> None:
    """A variant of text holds what the server's own type does not."""
    bits = ColumnType(Kind.BITS, length=3)
    target = written.Target("longtext")
    encoded = written.bits(pa.array(["001"]), bits, target)
    assert (encoded.texts.to_pylist(), encoded.made) == (["001"], "")
    decimal = ColumnType(Kind.DECIMAL, precision=76, scale=2)
    array = pa.array([Decimal("0.10")], decimal.arrow)
    assert written.decimals(array, decimal, target).refused is None


def test_bits_are_read_from_bit_and_from_text() -> None:
    """The server sends bytes of a BIT, and digits of a text."""
    bits = ColumnType(Kind.BITS, length=9, fixed=True)
    read = cells.CODECS[Kind.BITS].read
    found, _ = read(pa.array([b"\x01\x00", None, b"\x00\x05"]), bits, 16)
    assert found.to_pylist() == ["100000000", None, "000000101"]
    found, _ = read(pa.array([b"000000101"]), bits, 252)
    assert found.to_pylist() == ["000000101"]


def test_a_decimal_that_is_text_here_is_not_linted() -> None:
    """The variant has been chosen; a plain one would lose its digits."""
    dialect = mysql.dialect()
    assert lint(sa.Numeric(76, 20).with_variant(sa.Text(), "mysql"), dialect) is None
    assert lint(sa.Numeric().with_variant(mysql.LONGTEXT(), "mysql"), dialect) is None
    assert "makes it DECIMAL(10, 0)" in str(lint(sa.Numeric(), dialect))
