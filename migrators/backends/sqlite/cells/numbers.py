"""Integers, booleans, floats and decimals in SQLite cells.

A decimal of up to 15 digits survives as a double: every such decimal has a double of its
own, and dividing the unscaled integer by a power of ten up to 10**22 rounds once, to the
very double that the decimal's text would parse to. So both ways run on numpy's int64.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.sqlite.cells import buffers
from migrators.backends.sqlite.cells.model import Affinity, Cells, Codec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from migrators.types import ColumnType

EXACT_DIGITS = 15
"""Decimal digits that any double keeps (DBL_DIG)."""
_LIMIT = 10**EXACT_DIGITS
_EXACT_POWER = 22
"""10**22 is the largest power of ten that is a double."""
_ARROW_128 = 38
_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_SIGNED = "has a negative zero, whose sign SQLite does not keep in such a column"
_FLOAT_CLEAN = (
    "typeof({x}) = 'real' OR typeof({x}) = 'integer' AND ("
    "{x} BETWEEN -9007199254740992 AND 9007199254740992 OR "
    "(CAST(CAST({x} AS REAL) AS INTEGER) = {x} AND {x} <> 9223372036854775807))"
)


def _decode_integer(cells: Sequence[pa.Array], declared: ColumnType) -> Cells:
    if pa.types.is_int64(declared.arrow):
        return Cells(cells[0])
    negative = pc.less(cells[0], 0)
    values = pc.if_else(negative, pa.scalar(None, pa.int64()), cells[0])
    return Cells(values.cast(declared.arrow), _any(negative), "is negative")


def _encode_integer(values: pa.Array, _declared: ColumnType, _affinity: Affinity) -> Cells:
    if pa.types.is_int64(values.type):
        return Cells(values)
    large = pc.greater(values, pa.scalar(2**63 - 1, pa.uint64()))
    kept = pc.if_else(large, pa.scalar(None, pa.uint64()), values).cast(pa.int64())
    return Cells(kept, _any(large), "is beyond 9223372036854775807, SQLite's highest integer")


def _any(mask: pa.Array) -> pa.Array | None:
    filled = mask.fill_null(False)
    return filled if filled.true_count else None


def _decode_float(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    return Cells(cells[0])


def _decode_boolean(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    bits = buffers.view(cells[0], np.int64)
    refused = buffers.flags((bits != 0) & (bits != 1), cells[0])
    return Cells(cells[0].cast(pa.bool_()), refused, "is neither 0 nor 1")


def _encode_boolean(values: pa.Array, _declared: ColumnType, _affinity: Affinity) -> Cells:
    return Cells(values.cast(pa.int64()))


def _encode_float(values: pa.Array, _declared: ColumnType, affinity: Affinity) -> Cells:
    doubles = buffers.view(values, np.float64)
    nan = buffers.flags(np.isnan(doubles), values)
    if nan is not None:
        return Cells(values, nan, "is NaN, which SQLite stores as NULL")
    if affinity is Affinity.BLOB:
        return Cells(values)
    return Cells(values, buffers.flags((doubles == 0) & np.signbit(doubles), values), _SIGNED)


def _decode_decimal(cells: Sequence[pa.Array], declared: ColumnType) -> Cells:
    numbers, texts = cells
    reason = f"is not a {declared}"
    if texts.null_count < len(texts):
        return _decimal_texts(numbers, texts, declared, reason)
    unscaled, bad = _unscaled(buffers.view(numbers, np.float64), declared)
    return Cells(_decimals(unscaled, declared, numbers), buffers.flags(bad, numbers), reason)


def _unscaled(
    doubles: NDArray[np.float64], declared: ColumnType
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return n with n / 10**scale == double, and where there is no such n that fits."""
    power = 10.0 ** min(declared.scale, _EXACT_POWER)
    limit = 10.0 ** min(declared.precision, EXACT_DIGITS)
    with np.errstate(all="ignore"):
        near = np.rint(doubles * power)
        good = (np.abs(near) < limit) & (near / power == doubles)
    good &= declared.scale <= _EXACT_POWER
    return np.where(good, near, 0).astype(np.int64), ~good


def _decimals(unscaled: NDArray[np.int64], declared: ColumnType, like: pa.Array) -> pa.Array:
    """Return decimals from 64-bit integers: the low word, and its sign as the high one."""
    words = np.empty((len(unscaled), 2), np.int64)
    words[:, 0] = unscaled
    words[:, 1] = unscaled >> 63
    narrow = pa.decimal128(min(declared.precision, _ARROW_128), declared.scale)
    values = buffers.fixed(narrow, words, like)
    return values if declared.precision <= _ARROW_128 else values.cast(declared.arrow)


def _decimal_texts(numbers: pa.Array, texts: pa.Array, declared: ColumnType, reason: str) -> Cells:
    """Decode a column that holds decimals as text: a String variant of a Numeric."""
    parsed, refused = buffers.each(texts, declared.arrow, lambda text: _exact(text, declared))
    if numbers.null_count == len(numbers):
        return Cells(parsed, refused, reason)
    unscaled, bad = _unscaled(buffers.view(numbers, np.float64), declared)
    doubled = _decimals(unscaled, declared, numbers)
    marked = buffers.flags(bad, numbers)
    masks = [m for m in (refused, marked) if m is not None]
    both = None if not masks else masks[0] if len(masks) == 1 else pc.or_(*masks)
    return Cells(pc.coalesce(parsed, doubled), both, reason)


def _exact(text: str, declared: ColumnType) -> Decimal | None:
    """Return the decimal that `text` writes plainly, if it fits without rounding."""
    if not _PLAIN.fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    room = declared.precision - declared.scale
    if len(fraction) > declared.scale or len(whole.lstrip("-0")) > room:
        return None
    return Decimal(f"{whole}.{fraction}")


def _encode_decimal(values: pa.Array, declared: ColumnType, affinity: Affinity) -> Cells:
    if affinity is Affinity.TEXT:
        texts = [None if v is None else format(v, "f") for v in values.to_pylist()]
        return Cells(pa.array(texts, pa.string()))
    if declared.precision > EXACT_DIGITS or declared.scale > _EXACT_POWER:
        return _encode_wide(values, declared)
    unscaled = buffers.view(values, np.dtype("2i8"))[:, 0]
    doubles = unscaled / 10.0**declared.scale
    return Cells(buffers.fixed(pa.float64(), doubles, values))


def _encode_wide(values: pa.Array, declared: ColumnType) -> Cells:
    """Encode decimals declared wider than a double keeps, as far as each one fits."""
    found = values.to_pylist()
    most = Decimal(_LIMIT).scaleb(-declared.scale) if declared.scale <= _EXACT_POWER else Decimal(0)
    wide = [v is not None and abs(v) >= most for v in found]
    doubles = [None if v is None else float(v) for v in found]
    refused = pa.array(wide) if any(wide) else None
    reason = f"has more than {EXACT_DIGITS} digits, which SQLite would round"
    return Cells(pa.array(doubles, pa.float64()), refused, reason)


_INTEGER = "typeof({x}) = 'integer'"
INTEGER = Codec(_INTEGER, _decode_integer, _encode_integer, ("0",), is_loud=True)
BOOLEAN = Codec(_INTEGER, _decode_boolean, _encode_boolean, ("0",), is_loud=True)
FLOAT = Codec(_FLOAT_CLEAN, _decode_float, _encode_float, ("0.0",))
_SMALL = "{x} BETWEEN -999999999999999 AND 999999999999999"
_AS_NUMBER = (
    f"CASE WHEN typeof({{x}}) = 'real' OR typeof({{x}}) = 'integer' AND {_SMALL} THEN {{x}} END"
)
_AS_TEXT = (
    "CASE typeof({x}) WHEN 'text' THEN {x} WHEN 'integer' THEN "
    f"CASE WHEN NOT {_SMALL} THEN CAST({{x}} AS TEXT) END END"
)
DECIMAL = Codec(
    "typeof({x}) <> 'blob'",
    _decode_decimal,
    _encode_decimal,
    ("0.0", "''"),
    (_AS_NUMBER, _AS_TEXT),
)
