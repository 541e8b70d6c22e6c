"""Columns as the text that LOAD DATA and INSERT take; what a column would change is refused.

The server rounds fractions of a second that a column does not hold, cuts the spaces at the end
of a CHAR and fills up a BINARY, all without a warning. So each batch is compared with the
column as the server has it, before it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import Kind, text
from migrators.types.hexadecimal import hex_of
from migrators.types.text import outside_years

if TYPE_CHECKING:
    from migrators.types import ColumnType

_MICROSECOND_DIGITS = 6
_FINER = "has a finer fraction of a second than the column's {} digits"


@dataclass(frozen=True)
class Target:
    """A column as the server has it.

    Attributes
    ----------
    kind : str
        DATA_TYPE of information_schema: "datetime", "char" …
    fraction : int
        Digits of a second that it holds.
    scale : int
        Digits after the point of a decimal.
    length : int
        In characters or bytes; 0 where it has none.
    counted : bool
        Whether it is the AUTO_INCREMENT column.
    """

    kind: str
    fraction: int = 0
    scale: int = 0
    length: int = 0
    counted: bool = False


@dataclass(frozen=True)
class Encoded:
    """A column's cells as text.

    Attributes
    ----------
    texts : pa.Array
        Strings; NULL where the cell is.
    quoted : bool
        Whether they stand in quotes.
    made : str
        SQL that makes the value of the text `{0}`; empty where the text is it.
    prefix : str
        What stands before the quotes of a literal in SQL that is the value.
    refused : pa.Array or None
        Where the column would not hold the value exactly, and `reason` why.
    """

    texts: pa.Array
    quoted: bool = False
    made: str = ""
    prefix: str = ""
    refused: pa.Array | None = None
    reason: str = ""


def _refusing(encoded: Encoded, mask: pa.Array, reason: str) -> Encoded:
    mask = mask.fill_null(False)
    if not mask.true_count:
        return encoded
    return replace(encoded, refused=mask, reason=reason)


def plain(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return numbers in full; the server refuses what is out of range, with a warning.

    A year has four digits: a text of one or two is one of 1970 to 2069, 0 the year 2000.
    """
    numbers = array.cast(pa.string())
    if target.kind == "year":
        known = pc.or_(
            pc.equal(numbers, "0"), pc.and_(pc.greater(array, 1900), pc.less(array, 2156))
        )
        years = Encoded(pc.utf8_lpad(numbers, 4, "0"), quoted=True)
        return _refusing(years, pc.invert(known), "is not one of the years 1901 to 2155, nor 0")
    return Encoded(numbers)


def booleans(array: pa.Array, _declared: ColumnType, _target: Target) -> Encoded:
    """Return 1 and 0."""
    return Encoded(array.cast(pa.int8()).cast(pa.string()))


def floats(array: pa.Array, declared: ColumnType, target: Target) -> Encoded:
    """Return the shortest text that reads back the same; there is no NaN, infinity nor -0."""
    encoded = Encoded(text.to_text(array, declared))
    odd = pc.invert(pc.is_finite(array))
    encoded = _refusing(encoded, odd, "is not a finite number, which the database cannot hold")
    if encoded.refused is None:
        minus = pc.equal(encoded.texts, "-0.0")
        encoded = _refusing(encoded, minus, "is -0.0, which the database takes for 0.0")
    if encoded.refused is None and target.kind == "float":
        single = array.cast(pa.float32(), safe=False).cast(pa.float64())
        rounded = pc.not_equal(array, single)
        encoded = _refusing(encoded, rounded, "does not fit a FLOAT, which keeps 24 bits")
    return encoded


def decimals(array: pa.Array, declared: ColumnType, target: Target) -> Encoded:
    """Return all digits; a column of text takes them as they are."""
    encoded = Encoded(text.to_text(array, declared))
    if target.kind.endswith(("char", "text")):
        return replace(encoded, quoted=True)
    if target.kind == "decimal" and target.scale >= declared.scale:
        return encoded
    trimmed = pc.ascii_rtrim(encoded.texts, "0")
    digits = pc.binary_length(pc.extract_regex(trimmed, r"\.(?P<d>[0-9]*)$").field(0))
    room = target.scale if target.kind == "decimal" else 0
    too_fine = pc.greater(digits, room)
    return _refusing(encoded, too_fine, f"has more than {room} digits after the point")


def text_cells(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return text as it is; CHAR loses the spaces at its end."""
    encoded = Encoded(array, quoted=True)
    if target.kind != "char":
        return encoded
    return _refusing(encoded, pc.ends_with(array, " "), "ends with a space, which CHAR cuts off")


def binary(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return bytes as hexadecimal digits; BINARY(n) fills up with zeros."""
    encoded = _bytes(array)
    if target.kind != "binary":
        return encoded
    short = pc.less(pc.binary_length(array), target.length)
    return _refusing(
        encoded, short, f"is shorter than {target.length} bytes, which BINARY fills up"
    )


def _bytes(array: pa.Array) -> Encoded:
    return Encoded(hex_of(array), quoted=True, made="UNHEX({0})", prefix="X")


def bits(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return digits 0 and 1; a column of text takes them as they are."""
    if target.kind != "bit":
        return Encoded(array, quoted=True)
    return Encoded(array, quoted=True, made="CAST(CONV({0}, 2, 10) AS UNSIGNED)", prefix="b")


def held(array: pa.Array, declared: ColumnType, target: Target) -> Encoded:
    """Return the texts of a column held as text; the server refuses what it does not know."""
    if declared.kind is Kind.DECIMAL:
        return Encoded(array, quoted=True)
    bare = pc.replace_substring_regex(array, r"\+00:00$", "")
    encoded = Encoded(bare, quoted=True)
    if declared.kind is Kind.DATE or target.fraction >= _MICROSECOND_DIGITS:
        return encoded
    fine = pc.match_substring_regex(bare, rf"\.[0-9]{{{target.fraction}}}0*[1-9]")
    return _refusing(encoded, fine, _FINER.format(target.fraction))


def uuids(array: pa.Array, declared: ColumnType, target: Target) -> Encoded:
    """Return 32 digits for CHAR(32), bytes for BINARY(16), else the form with dashes."""
    if target.kind in ("binary", "varbinary"):
        return _bytes(array.cast(pa.binary()))
    if target.kind == "char" and target.length == 32:  # noqa: PLR2004
        return Encoded(hex_of(array.cast(pa.binary())), quoted=True)
    return Encoded(text.to_text(array, declared), quoted=True)


def dates(array: pa.Array, _declared: ColumnType, _target: Target) -> Encoded:
    """Return ISO dates."""
    return _dated(array, Encoded(array.cast(pa.string()), quoted=True))


def _dated(array: pa.Array, encoded: Encoded) -> Encoded:
    return _refusing(encoded, outside_years(array), "is outside of the years 0001 to 9999")


def moments(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return ISO timestamps, in UTC; a column with fewer digits would round them."""
    naive = array.cast(pa.int64()).cast(pa.timestamp("us"))
    return _fraction(naive, _dated(naive, Encoded(naive.cast(pa.string()), quoted=True)), target)


def clocks(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return ISO times."""
    return _fraction(array, Encoded(array.cast(pa.string()), quoted=True), target)


def intervals(array: pa.Array, _declared: ColumnType, target: Target) -> Encoded:
    """Return a moment counted from 1970, as SQLAlchemy's Interval is; else microseconds."""
    numbers = array.cast(pa.int64())
    if target.kind not in ("datetime", "timestamp"):
        return Encoded(numbers.cast(pa.string()))
    naive = numbers.cast(pa.timestamp("us"))
    return _fraction(naive, _dated(naive, Encoded(naive.cast(pa.string()), quoted=True)), target)


def _fraction(array: pa.Array, encoded: Encoded, target: Target) -> Encoded:
    if target.fraction >= _MICROSECOND_DIGITS or encoded.refused is not None:
        return encoded
    step = 10 ** (_MICROSECOND_DIGITS - target.fraction)
    numbers = array.cast(pa.int64())
    whole = pc.multiply(pc.divide(numbers, step), step)
    return _refusing(encoded, pc.not_equal(whole, numbers), _FINER.format(target.fraction))


def lines(columns: list[Encoded], quote: str, ends: tuple[str, str]) -> pa.Array:
    """Return each row as one text, NULL as the word.

    Parameters
    ----------
    quote : str
        Around texts, doubled inside them.
    ends : (str, str)
        What stands before and after a row.
    """
    cells = [_cell(column, quote) for column in columns]
    before, after = ends
    cells[0] = pc.binary_join_element_wise(before, cells[0], "") if before else cells[0]
    cells[-1] = pc.binary_join_element_wise(cells[-1], after, "")
    return pc.binary_join_element_wise(*cells, ",") if len(cells) > 1 else cells[0]


def _cell(column: Encoded, quote: str) -> pa.Array:
    texts = column.texts
    if column.quoted:
        if not column.made and pc.any(pc.match_substring(texts, quote)).as_py():
            texts = pc.replace_substring(texts, quote, quote * 2)
        begins = f"{column.prefix}{quote}" if quote == "'" else quote
        texts = pc.binary_join_element_wise(begins, texts, quote, "")
    return texts.fill_null("NULL") if texts.null_count else texts


def data_of(texts: pa.Array) -> memoryview:
    """Return the bytes of an array of strings, one after the other."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]
