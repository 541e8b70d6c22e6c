"""Whether values fit a declared type, and which types widen exactly into which.

`extract` asks before it writes, the rules ask for what they made, a backend asks before it
loads. A mask is true where a value does not fit, and is never NULL itself.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import ColumnType, Kind
from migrators.types.odd import odd_form
from migrators.types.text import outside_years, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HAS_NUL = "has a NUL character"
"""The reason for `has_nul`, which a backend gives whose text cannot hold one."""

_INT64_DIGITS, _UINT64_DIGITS = 19, 20


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
    if declared.as_text:
        yield f"is not of the form of a {declared}", odd_form(array, declared)
        return
    if declared.is_text:
        yield from _text_checks(array, declared)
    if declared.unsigned:
        yield "is negative", pc.less(array, _zero(array.type))
    if kind is Kind.BINARY and length is not None:
        yield f"is longer than {length} bytes", pc.greater(pc.binary_length(array), length)
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT):
        yield "is not in the years 0001 to 9999", outside_years(array)


def _zero(arrow: pa.DataType) -> pa.Scalar:
    return pa.scalar(Decimal(0) if pa.types.is_decimal(arrow) else 0, arrow)


def _text_checks(array: pa.Array, declared: ColumnType) -> Iterator[tuple[str, pa.BooleanArray]]:
    kind, length = declared.kind, declared.length
    if kind is Kind.TEXT and length is not None:
        yield f"is longer than {length} characters", pc.greater(pc.utf8_length(array), length)
    if kind is Kind.ENUM:
        labels = pa.array(declared.labels, pa.string())
        known = pc.or_kleene(pc.is_in(array, value_set=labels), array.is_null())
        yield f"is none of {', '.join(declared.labels)}", pc.invert(known)
    if kind is Kind.SET:
        yield f"is no set of {', '.join(declared.labels)}", _no_set(array, declared.labels)
    if kind is Kind.BITS:
        yield f"is not {_bits(declared)}", _no_bits(array, declared)
    if kind is Kind.JSON:
        yield "is not JSON", not_json(array)
    if kind is Kind.ARRAY:
        yield "is no array", _no_array(array)


def not_json(array: pa.Array) -> pa.BooleanArray:
    """Return where a text is not JSON; NULL is none either way."""
    return _unlike(array, _is_json)


def _unlike(array: pa.Array, good: Callable[[str], bool]) -> pa.BooleanArray:
    """Return where a text is none that `good` takes; each distinct one is asked once."""
    bad = [text for text in array.drop_null().unique().to_pylist() if not good(text)]
    return pc.is_in(array, value_set=pa.array(bad, pa.string()))


def _no_set(array: pa.Array, labels: tuple[str, ...]) -> pa.BooleanArray:
    places = {label: i for i, label in enumerate(labels)}

    def good(text: str) -> bool:
        found = [places.get(label, -1) for label in text.split(",")] if text else []
        return -1 not in found and found == sorted(set(found))

    return _unlike(array, good)


def _bits(declared: ColumnType) -> str:
    if declared.length is None:
        return "of bits"
    return f"of {'' if declared.fixed else 'at most '}{declared.length} bits"


def _no_bits(array: pa.Array, declared: ColumnType) -> pa.BooleanArray:
    low = declared.length if declared.fixed else 0
    high = "" if declared.length is None else declared.length
    return pc.invert(pc.match_substring_regex(array, rf"\A[01]{{{low},{high}}}\z"))


def _no_array(array: pa.Array) -> pa.BooleanArray:
    return pc.invert(pc.match_substring_regex(array, r"\A[\[{]"))


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


def out_of_range(
    array: pa.Array,
    bits: int,
    unsigned: bool = False,  # noqa: FBT001, FBT002  a fact of the column, passed on
) -> pa.BooleanArray:
    """Return where an integer does not fit one of so many bits, with or without a sign."""
    low, high = ColumnType(Kind.INTEGER, bits=bits, unsigned=unsigned).range
    held = _bounds(array.type)
    below = pc.less(array, pa.scalar(max(low, held[0]), array.type))
    above = pc.greater(array, pa.scalar(min(high, held[1]), array.type))
    return pc.or_(below, above).fill_null(False)


def _bounds(arrow: pa.DataType) -> tuple[int, int]:
    return ColumnType(Kind.INTEGER, bits=64, unsigned=arrow == pa.uint64()).range


def widens(source: ColumnType, target: ColumnType) -> bool:
    """Return whether every value of `source` is exactly one of `target`, without a rule.

    Integers into wider ones and into decimals with room for them, decimals into ones with
    no fewer digits on either side of the point, text into longer text, binary likewise.
    Text goes into enums and sets, and an array into JSON: `misfits` then looks at each
    value. A column held as text has values that only its own kind holds.
    """
    if source == target:
        return True
    numbers = (Kind.INTEGER, Kind.DECIMAL)
    if source.kind in numbers and target.kind in numbers:
        return _number_widens(source, target)
    if target.kind in (Kind.ENUM, Kind.SET) and source.kind in (Kind.TEXT, target.kind):
        return True
    if target.kind is Kind.TEXT and source.kind in (Kind.ENUM, Kind.SET):
        return _room(_longest(source), target)
    if source.kind is Kind.ARRAY:
        return target.kind is Kind.JSON or _items_widen(source.item, target.item)
    if source.kind is not target.kind or (source.as_text and not target.as_text):
        return False
    return (
        source.native == target.native
        and (target.unsigned <= source.unsigned)
        and _room(source.length, target)
    )


def _items_widen(source: ColumnType | None, target: ColumnType | None) -> bool:
    return source is not None and target is not None and widens(source, target)


def _number_widens(source: ColumnType, target: ColumnType) -> bool:
    if target.kind is Kind.INTEGER:
        return source.kind is Kind.INTEGER and _within(source.range, target.range)
    if target.as_text:
        return True
    if source.as_text or target.unsigned > source.unsigned:
        return False
    return target.scale >= source.scale and target.whole_digits >= source.whole_digits


def _within(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _longest(source: ColumnType) -> int:
    """Return how many characters the longest label has; of a set, all of them and commas."""
    if source.kind is Kind.SET:
        return len(",".join(source.labels))
    return max(map(len, source.labels), default=0)


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
    if target.as_text:
        return to_text(array, source)
    if source.kind is Kind.INTEGER and target.kind is Kind.DECIMAL:
        # Straight to decimal(12,2) Arrow asks for 21 digits, whatever the values are.
        digits = _UINT64_DIGITS if array.type == pa.uint64() else _INT64_DIGITS
        array = array.cast(pa.decimal128(digits, 0))
    return array if array.type == target.arrow else array.cast(target.arrow)
