"""What a column of one database holds, where that is less than its `ColumnType` says.

A backend says so of a declared type (`Backend.limits`), from the documentation of its
server and proven there; `load` and `check` ask which values are beyond. Reasons are
sentences that go on after "table.column: 3 rows".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.types.fit import has_nul
from migrators.types.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.types.model import ColumnType

_MOMENTS = (Kind.TIMESTAMP, Kind.INSTANT)
_CLOCKS = (Kind.TIME, *_MOMENTS)
_DAY = 86_400_000_000
_FOUR_BYTES = r"[\x{10000}-\x{10FFFF}]"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a column takes; the defaults take all that a `ColumnType` holds.

    Attributes
    ----------
    low, high : int or None
        Of an integer.
    digits : int or None
        Significant ones, of a decimal.
    single : bool
        Floats have 24 bits.
    finite : bool
        Floats are neither infinite nor NaN.
    nan, signed_zero : bool
        Floats may be NaN; -0.0 is kept apart from 0.0.
    characters, bytes : int or None
        Of a text (as UTF-8) or a binary.
    basic : bool
        Text has characters of three bytes at most, as in MySQL's utf8mb3.
    nul : bool
        Text may have U+0000.
    padded : bool
        Spaces at a text's end, and zeros at a binary's, are not kept apart from padding.
    fraction : int
        Digits of a second.
    first, last : int or None
        Of a date or a point in time, in microseconds since 1970.
    """

    low: int | None = None
    high: int | None = None
    digits: int | None = None
    single: bool = False
    finite: bool = False
    nan: bool = True
    signed_zero: bool = True
    characters: int | None = None
    bytes: int | None = None
    basic: bool = False
    nul: bool = True
    padded: bool = False
    fraction: int = 6
    first: int | None = None
    last: int | None = None


NONE = Limits()
Beyond = tuple[str, pa.BooleanArray]


def beyond(array: pa.Array, type: ColumnType, limits: Limits) -> list[Beyond]:  # noqa: A002
    """Return each reason for which values do not fit, with the rows that it concerns.

    Parameters
    ----------
    array : pa.Array
        Of type `type.arrow`; a column held as text is its backend's own affair.

    Returns
    -------
    list of (str, pa.BooleanArray)
        Empty if all fit; masks have no NULL.
    """
    if limits == NONE or type.as_text or not len(array):
        return []
    checks = ((reason, mask.fill_null(False)) for reason, mask in _checks(array, type, limits))
    return [(reason, mask) for reason, mask in checks if mask.true_count]


def _checks(array: pa.Array, declared: ColumnType, limits: Limits) -> Iterator[Beyond]:
    kind = declared.kind
    if kind is Kind.INTEGER:
        yield from _integers(array, limits)
    elif kind is Kind.DECIMAL and limits.digits is not None:
        yield f"has more than {limits.digits} digits", _many_digits(array, limits.digits)
    elif kind is Kind.FLOAT:
        yield from _floats(array, limits)
    elif declared.is_text:
        yield from _texts(array, limits)
    elif kind is Kind.BINARY:
        yield from _binaries(array, limits)
    if kind in _CLOCKS and limits.fraction < 6:  # noqa: PLR2004
        yield from _fractions(array, limits.fraction)
    if kind in (Kind.DATE, *_MOMENTS):
        yield from _times(array, limits)


def _integers(array: pa.Array, limits: Limits) -> Iterator[Beyond]:
    """Ask for both ends at once: nearly always none is beyond."""
    ends = pc.min_max(array)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low is not None and limits.low is not None and low < limits.low:
        yield f"is less than {limits.low}", _outside(array, limits.low, low=True)
    if high is not None and limits.high is not None and high > limits.high:
        yield f"is more than {limits.high}", _outside(array, limits.high, low=False)


def _outside(array: pa.Array, limit: int, *, low: bool) -> pa.BooleanArray:
    compare = pc.less if low else pc.greater
    return compare(array, pa.scalar(limit, array.type))


def _many_digits(array: pa.Array, digits: int) -> pa.BooleanArray:
    most = 10**digits
    scaled = (
        v is not None and abs(int(v.scaleb(array.type.scale))) >= most for v in array.to_pylist()
    )
    return pa.array(list(scaled), pa.bool_())


def _floats(array: pa.Array, limits: Limits) -> Iterator[Beyond]:
    if limits.finite:
        yield "is infinite or not a number", pc.invert(pc.is_finite(array))
    if not limits.nan and not limits.finite:
        yield "is NaN", pc.is_nan(array)
    if not limits.signed_zero:
        doubles = array.fill_null(1.0).to_numpy(zero_copy_only=False)
        yield "is -0.0, which would become 0.0", pa.array((doubles == 0) & np.signbit(doubles))
    if limits.single:
        doubles = array.fill_null(0.0).to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):
            kept = doubles.astype(np.float32).astype(np.float64)
        lost = (kept != doubles) & ~np.isnan(doubles)
        yield "has more digits than single precision keeps", pa.array(lost)


def _texts(array: pa.Array, limits: Limits) -> Iterator[Beyond]:
    if limits.characters is not None:
        longer = pc.greater(pc.utf8_length(array), limits.characters)
        yield f"is longer than {limits.characters} characters", longer
    yield from _sizes(array, limits)
    if limits.basic:
        mask = pc.match_substring_regex(array, _FOUR_BYTES)
        yield "has a character of four bytes in UTF-8", mask
    if not limits.nul:
        yield "has a NUL character", has_nul(array)
    if limits.padded:
        yield "ends with spaces, which are not kept", pc.ends_with(array, " ")


def _binaries(array: pa.Array, limits: Limits) -> Iterator[Beyond]:
    yield from _sizes(array, limits)
    if limits.padded and limits.bytes is not None:
        mask = pc.less(pc.binary_length(array), limits.bytes)
        yield f"is shorter than {limits.bytes} bytes, and would be filled up with zeros", mask


def _sizes(array: pa.Array, limits: Limits) -> Iterator[Beyond]:
    if limits.bytes is not None:
        mask = pc.greater(pc.binary_length(array), limits.bytes)
        yield f"is longer than {limits.bytes} bytes", mask


def _fractions(array: pa.Array, digits: int) -> Iterator[Beyond]:
    unit = 10 ** (6 - digits)
    micros = array.cast(pa.int64())
    rest = pc.subtract(micros, pc.multiply(pc.divide(micros, unit), unit))
    yield f"has more than {digits} digits of a second", pc.not_equal(rest, 0)


def _times(array: pa.Array, limits: Limits) -> Iterator[Beyond]:
    micros = array.cast(pa.int32()) if pa.types.is_date32(array.type) else array
    micros = micros.cast(pa.int64())
    if pa.types.is_date32(array.type):
        micros = pc.multiply(micros, _DAY)
    if limits.first is not None:
        yield f"is before {_shown(limits.first)}", pc.less(micros, limits.first)
    if limits.last is not None:
        yield f"is after {_shown(limits.last)}", pc.greater(micros, limits.last)


def _shown(micros: int) -> str:
    return str(pa.scalar(micros, pa.timestamp("us")).cast(pa.string()))
