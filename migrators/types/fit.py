"""Whether values fit a declared type, and which types widen exactly into which.

`extract` asks before it writes, the rules ask for what they made, a backend asks before it
loads. A mask is true where a value does not fit, and is never NULL itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import Kind
from migrators.types.text import outside_years

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.types import ColumnType

HAS_NUL = "has a NUL character"
"""The reason for `has_nul`, which a backend gives whose text cannot hold one."""

_DIGITS_OF_BITS = {16: 5, 32: 10, 64: 19}
_INT64_DIGITS = 19


def misfits(
    array: pa.Array,
    type: ColumnType,  # noqa: A002
    nullable: bool,  # noqa: FBT001  a fact of the column, passed on
) -> list[tuple[str, pa.BooleanArray]]:
    """Return each reason for which values do not fit, with the rows that it concerns.

    Parameters
    ----------
    array : pa.Array
        Of type `type.arrow`.
    nullable : bool
        Whether the column takes NULL.

    Returns
    -------
    list of (str, pa.BooleanArray)
        Empty if all fit. What one database can hold and another cannot is not asked here:
        `has_nul`, `out_of_range`.
    """
    checks = list(_checks(array, type))
    if not nullable and array.null_count:
        checks.insert(0, ("is NULL in a NOT NULL column", array.is_null()))
    filled = [(reason, mask.fill_null(False)) for reason, mask in checks]
    return [(reason, mask) for reason, mask in filled if mask.true_count]


def _checks(array: pa.Array, declared: ColumnType) -> Iterator[tuple[str, pa.BooleanArray]]:
    kind, length = declared.kind, declared.length
    if kind is Kind.TEXT and length is not None:
        yield f"is longer than {length} characters", pc.greater(pc.utf8_length(array), length)
    if kind is Kind.BINARY and length is not None:
        yield f"is longer than {length} bytes", pc.greater(pc.binary_length(array), length)
    if kind is Kind.ENUM:
        labels = pa.array(declared.labels, pa.string())
        known = pc.or_kleene(pc.is_in(array, value_set=labels), array.is_null())
        yield f"is none of {', '.join(declared.labels)}", pc.invert(known)
    if kind is Kind.JSON:
        yield "is not JSON", _not_json(array)
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT):
        yield "is not in the years 0001 to 9999", outside_years(array)


def _not_json(array: pa.Array) -> pa.BooleanArray:
    distinct = array.drop_null().unique()
    bad = [text for text in distinct.to_pylist() if not _is_json(text)]
    return pc.is_in(array, value_set=pa.array(bad, pa.string()))


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are JavaScript, not JSON (RFC 8259, 6)


def has_nul(array: pa.Array) -> pa.BooleanArray:
    r"""Return where a text has a NUL character (U+0000), for databases that hold none."""
    return pc.match_substring(array, "\0").fill_null(False)


def out_of_range(array: pa.Array, bits: int) -> pa.BooleanArray:
    """Return where an integer does not fit a signed integer of so many bits."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return pc.or_(pc.less(array, low), pc.greater(array, high)).fill_null(False)


def widens(source: ColumnType, target: ColumnType) -> bool:
    """Return whether every value of `source` is exactly one of `target`, without a rule.

    Integers into wider ones and into decimals with room for them, decimals into ones with
    no fewer digits on either side of the point, text into longer text, binary likewise.
    Text and enums go both ways: `misfits` then looks at each label.
    """
    if source.kind is Kind.DECIMAL and target.kind is Kind.DECIMAL:
        return target.scale >= source.scale and _whole(target) >= _whole(source)
    if source.kind is Kind.INTEGER and target.kind is Kind.DECIMAL:
        return _whole(target) >= _DIGITS_OF_BITS.get(source.bits, _INT64_DIGITS)
    if source.kind is Kind.INTEGER and target.kind is Kind.INTEGER:
        return target.bits >= source.bits
    if target.kind is Kind.ENUM and source.kind in (Kind.TEXT, Kind.ENUM):
        return True
    if source.kind is Kind.ENUM and target.kind is Kind.TEXT:
        return _room(max(map(len, source.labels), default=0), target)
    return source.kind is target.kind and _room(source.length, target)


def _whole(declared: ColumnType) -> int:
    return declared.precision - declared.scale


def _room(length: int | None, target: ColumnType) -> bool:
    return target.length is None or (length is not None and length <= target.length)


def widen(array: pa.Array, source: ColumnType, target: ColumnType) -> pa.Array:
    """Return the same values as the Arrow type of `target`.

    Parameters
    ----------
    array : pa.Array
        Of type `source.arrow`.

    Raises
    ------
    TypeError
        If `source` does not widen into `target`.
    """
    if not widens(source, target):
        msg = f"{source} does not widen into {target}: a rule has to say how"
        raise TypeError(msg)
    if source.kind is Kind.INTEGER and target.kind is Kind.DECIMAL:
        # Straight to decimal(12,2) Arrow asks for 21 digits, whatever the values are.
        array = array.cast(pa.decimal128(_INT64_DIGITS, 0))
    return array if array.type == target.arrow else array.cast(target.arrow)
