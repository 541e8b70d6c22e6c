"""Intervals as ISO 8601 (IntervalStyle iso_8601), and as microseconds.

An interval has months, days and a time, and no two of them are interchangeable. What Arrow
holds is one number, as Python's timedelta does, which psycopg stores as days and a time of
day from 00:00 to 23:59:59.999999. Exactly those are read; `1 mon`, `36:00:00` and `-00:00:01`
would come back as something else, and are refused.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_FORM = (
    r"^P(?:(?P<d>-?[0-9]+)D)?"
    r"(?:T(?:(?P<h>-?[0-9]+)H)?(?:(?P<m>-?[0-9]+)M)?"
    r"(?:(?P<s>-?[0-9]+)(?:\.(?P<f>[0-9]{1,6}))?S)?)?$"
)
_DAY = 86_400_000_000
_READ = r"\AP(-?[0-9]+D)?(T((1?[0-9]|2[0-3])H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?\z"
"""What `read` reads, of what the server writes."""
_MICROSECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}


def read(array: pa.Array) -> pa.Array:
    """Return the durations of ISO texts.

    Raises
    ------
    pa.ArrowInvalid
        A text has years or months, or a time that is not one of a day.
    """
    found = pc.extract_regex(array, _FORM)
    if found.null_count != array.null_count:
        raise pa.ArrowInvalid("an interval of years or months")
    parts = {f.name: _number(found, i) for i, f in enumerate(found.type)}
    fraction = pc.utf8_rpad(_text(found, "f"), 6, "0").cast(pa.int64())
    time = fraction
    for name, unit in _MICROSECONDS.items():
        time = pc.add(time, pc.multiply(parts[name], unit))
    within = pc.and_(pc.greater_equal(time, 0), pc.less(time, _DAY))
    if not pc.all(within, min_count=0).as_py():
        raise pa.ArrowInvalid("a time that is not one of a day")
    total = pc.add_checked(pc.multiply_checked(parts["d"], _DAY), time)
    return pc.if_else(array.is_valid(), total, pa.scalar(None, pa.int64())).cast(pa.duration("us"))


def _number(found: pa.StructArray, index: int) -> pa.Array:
    text = found.field(index)
    return pc.if_else(pc.equal(pc.fill_null(text, ""), ""), "0", text).cast(pa.int64())


def _text(found: pa.StructArray, name: str) -> pa.Array:
    return pc.fill_null(found.field(name), "0")


def write(array: pa.Array) -> pa.Array:
    """Return durations as ISO texts of days and seconds, as psycopg stores a timedelta."""
    whole = array.cast(pa.int64())
    days = pc.cast(pc.floor(pc.divide(whole.cast(pa.float64()), float(_DAY))), pa.int64())
    rest = pc.subtract(whole, pc.multiply(days, _DAY))
    days = pc.add(days, pc.if_else(pc.less(rest, 0), -1, 0))  # the quotient is a rounded one
    days = pc.add(days, pc.if_else(pc.greater_equal(rest, _DAY), 1, 0))
    rest = pc.subtract(whole, pc.multiply(days, _DAY))
    seconds = pc.divide(rest, 1_000_000)
    fraction = pc.subtract(rest, pc.multiply(seconds, 1_000_000)).cast(pa.string())
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise("P", days.cast(pa.string()), "DT", ""),
        pc.binary_join_element_wise(
            seconds.cast(pa.string()), ".", pc.utf8_lpad(fraction, 6, "0"), "S", ""
        ),
        "",
    )


def to_held(array: pa.Array) -> pa.Array:
    """Return the texts of a column held as text: microseconds where `read` reads, else ISO."""
    durations = read(_where(pc.match_substring_regex(array, _READ), array))
    return pc.coalesce(durations.cast(pa.int64()).cast(pa.string()), array)


def of_held(array: pa.Array) -> pa.Array:
    """Return as ISO texts what `to_held` gave."""
    numbers = _where(pc.match_substring_regex(array, r"\A-?[0-9]+\z"), array)
    durations = numbers.cast(pa.int64()).cast(pa.duration("us"))
    return pc.coalesce(write(durations), array)


def _where(mask: pa.Array, array: pa.Array) -> pa.Array:
    return pc.if_else(mask, array, pa.nulls(len(array), pa.string()))
