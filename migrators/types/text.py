"""The one exact text form of every value, and back. Used by CSV, the rules and `verify`.

| kind      | text                                                                  |
|-----------|-----------------------------------------------------------------------|
| integer   | `-9223372036854775808`                                                |
| boolean   | `true`, `false`                                                       |
| float     | shortest that reads back the same: `0.1`, `1.0`, `-0.0`, `1e+300`, `nan`, `-inf` |
| decimal   | all `scale` digits, never an exponent: `-12.50`                        |
| text, enum, set, json, bits, array, native | itself                               |
| binary    | `00ff`                                                                |
| uuid      | `6ba7b810-9dad-11d1-80b4-00c04fd430c8`                                |
| date      | `2024-02-29`                                                          |
| time      | `23:59:59.999999`                                                     |
| timestamp | `2024-02-29 23:59:59.999999`, always six digits                       |
| instant   | the same in UTC, with `+00:00`                                        |
| interval  | microseconds: `-86400000000`                                          |

A column held as text is its text, which `types.odd` looks at.

Reading goes two ways. Arrow reads the whole column; what it read is written again, and
only a cell whose text comes out the same is taken: Arrow's own parser is lenient (`0x1F`
is 31, `+1.5`, year 0). The other cells, which a person typed, go one by one through
`types.cells`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import Kind
from migrators.types.cells import parse_cell
from migrators.types.hexadecimal import bytes_of, hex_of, uuid_bytes, uuid_text
from migrators.types.odd import odd_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.types import ColumnType

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 as days since 1970: what Python, SQL and every reader can hold."""

FIRST_MICROSECOND = FIRST_DAY * 86_400_000_000
LAST_MICROSECOND = (LAST_DAY + 1) * 86_400_000_000 - 1


def to_text(array: pa.Array, type: ColumnType) -> pa.Array:  # noqa: A002
    """Return the exact text of every value; NULL stays NULL.

    Parameters
    ----------
    array : pa.Array
        Of type `type.arrow`; years 1 to 9999.

    Raises
    ------
    pa.ArrowCapacityError
        If binary values make more than 2 GiB of text.
    """
    if type.is_text:
        return array
    return _WRITERS[type.kind](array)


def from_text(array: pa.Array, type: ColumnType) -> tuple[pa.Array, pa.BooleanArray]:  # noqa: A002
    """Return the values of texts, and where a text is not exactly a value of the type.

    Parameters
    ----------
    array : pa.Array
        Of strings.

    Returns
    -------
    values : pa.Array
        Of type `type.arrow`; NULL where the text is NULL or bad.
    bad : pa.BooleanArray
        Without NULLs.
    """
    if type.as_text:
        return array, odd_form(array, type).fill_null(False)
    if type.is_text:
        return array, _all_false(len(array))
    values = _read(array, type)
    odd = pc.and_not(array.is_valid(), _exact(values, array, type))
    if not pc.any(odd, min_count=0).as_py():
        return values, odd
    return _read_cells(values, array, odd, type)


def _all_false(rows: int) -> pa.BooleanArray:
    return pa.repeat(pa.scalar(False), rows)


def _read(array: pa.Array, declared: ColumnType) -> pa.Array:
    """Read what Arrow can; NULL for the rest."""
    read = _READERS[declared.kind]
    try:
        return read(array, declared.arrow)
    except (pa.ArrowInvalid, ValueError):
        likely = pc.match_substring_regex(array, _CANONICAL[declared.kind])
    try:
        # A NULL scalar here corrupts slices of strings before pyarrow 24 (apache/arrow#49410).
        nulls = pa.nulls(len(array), pa.string())
        return read(pc.if_else(likely, array, nulls), declared.arrow)
    except (pa.ArrowInvalid, ValueError):
        return pa.nulls(len(array), declared.arrow)


def _exact(values: pa.Array, array: pa.Array, declared: ColumnType) -> pa.Array:
    same = pc.equal(to_text(values, declared), array)
    if declared.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT):
        same = pc.and_(same, pc.invert(outside_years(values)))
    return same.fill_null(False)


def outside_years(array: pa.Array) -> pa.Array:
    """Return where a date, timestamp or instant is not in the years 1 to 9999."""
    if pa.types.is_date32(array.type):
        number, first, last = array.cast(pa.int32()), FIRST_DAY, LAST_DAY
    else:
        number, first, last = array.cast(pa.int64()), FIRST_MICROSECOND, LAST_MICROSECOND
    return pc.or_(pc.less(number, first), pc.greater(number, last)).fill_null(False)


def _read_cells(
    values: pa.Array, array: pa.Array, odd: pa.Array, declared: ColumnType
) -> tuple[pa.Array, pa.BooleanArray]:
    read = [_cell(text, declared) for text in array.filter(odd).to_pylist()]
    found = pa.array(read, declared.arrow)
    # `replace_with_mask` knows no durations: what was found stands behind the values.
    where = np.arange(len(values))
    where[odd.to_numpy(zero_copy_only=False)] = len(values) + np.arange(len(found))
    taken = pa.concat_arrays([values, found]).take(pa.array(where))
    return taken, pc.replace_with_mask(odd, odd, found.is_null())


def _cell(text: str, declared: ColumnType) -> object:
    try:
        return parse_cell(text, declared)
    except ValueError:
        return None


def _cast_text(array: pa.Array) -> pa.Array:
    return array.cast(pa.string())


def _float_text(array: pa.Array) -> pa.Array:
    text = array.cast(pa.string())
    # Arrow writes 1.0 as `1` and -0.0 as `-0`: the point says that it is a float.
    whole = pc.match_substring_regex(text, r"^-?[0-9]+$")
    return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)


def _decimal_text(array: pa.Array) -> pa.Array:
    # Arrow's own cast writes 1E-8 for small values; the unscaled integer it writes in full.
    scale = array.type.scale
    whole = pa.decimal128 if pa.types.is_decimal128(array.type) else pa.decimal256
    unscaled = array.view(whole(array.type.precision, 0)).cast(pa.string())
    if not scale:
        return unscaled
    negative = pc.starts_with(unscaled, "-")
    digits = pc.utf8_lpad(pc.utf8_ltrim(unscaled, "-"), scale + 1, "0")
    before = pc.utf8_slice_codeunits(digits, 0, -scale)
    after = pc.utf8_slice_codeunits(digits, -scale)
    sign = pc.if_else(negative, "-", "")
    return pc.binary_join_element_wise(pc.binary_join_element_wise(sign, before, ""), after, ".")


def _instant_text(array: pa.Array) -> pa.Array:
    naive = array.cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(naive, "+00:00", "")


def _interval_text(array: pa.Array) -> pa.Array:
    return array.cast(pa.int64()).cast(pa.string())


_WRITERS: dict[Kind, Callable[[pa.Array], pa.Array]] = {
    Kind.INTEGER: _cast_text,
    Kind.BOOLEAN: _cast_text,
    Kind.FLOAT: _float_text,
    Kind.DECIMAL: _decimal_text,
    Kind.BINARY: hex_of,
    Kind.UUID: uuid_text,
    Kind.DATE: _cast_text,
    Kind.TIME: _cast_text,
    Kind.TIMESTAMP: _cast_text,
    Kind.INSTANT: _instant_text,
    Kind.INTERVAL: _interval_text,
}


def _cast(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    return array.cast(arrow)


def _time(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    # Arrow has no cast from text to time; a time on the first day is a timestamp.
    day = pc.binary_join_element_wise("1970-01-01", array, " ")
    return day.cast(pa.timestamp("us")).cast(arrow)


def _interval(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    return array.cast(pa.int64()).cast(arrow)


_READERS: dict[Kind, Callable[[pa.Array, pa.DataType], pa.Array]] = {
    Kind.INTEGER: _cast,
    Kind.BOOLEAN: _cast,
    Kind.FLOAT: _cast,
    Kind.DECIMAL: _cast,
    Kind.BINARY: lambda array, _: bytes_of(array),
    Kind.UUID: lambda array, _: uuid_bytes(array),
    Kind.DATE: _cast,
    Kind.TIME: _time,
    Kind.TIMESTAMP: _cast,
    Kind.INSTANT: _cast,
    Kind.INTERVAL: _interval,
}

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}"
_CANONICAL: dict[Kind, str] = {
    Kind.INTEGER: "^-?[0-9]{1,18}$",
    Kind.BOOLEAN: "^(true|false)$",
    Kind.FLOAT: r"^(-?[0-9.]+(e[-+][0-9]+)?|nan|-?inf)$",
    Kind.DECIMAL: r"^-?[0-9]+(\.[0-9]+)?$",
    Kind.BINARY: "^[0-9a-f]*$",
    Kind.UUID: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    Kind.DATE: f"^{_DAY}$",
    Kind.TIME: f"^{_CLOCK}$",
    Kind.TIMESTAMP: f"^{_DAY} {_CLOCK}$",
    Kind.INSTANT: rf"^{_DAY} {_CLOCK}\+00:00$",
    Kind.INTERVAL: "^-?[0-9]{1,18}$",
}
