"""Dates and times in SQLite cells: text, as SQLAlchemy's own SQLite types write it.

Written: `YYYY-MM-DD HH:MM:SS.ffffff`, an instant as UTC without saying so, an interval as
the epoch plus the interval. Read: also with `T`, without fraction, with 1 to 6 digits of
it, and, where the column is declared with time zone, with an offset. Arrow parses a batch
whose cells are all of the usual lengths; any other goes cell by cell.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.sqlite.cells import buffers
from migrators.backends.sqlite.cells.model import Affinity, Cells, Codec
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrators.types import ColumnType

_US = pa.timestamp("us")
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""0001-01-01 and 9999-12-31T23:59:59.999999 in microseconds: what Python's dates hold."""
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = "is outside of the years 1 to 9999"


def _usual(texts: pa.Array, lengths: tuple[int, ...]) -> bool:
    """Whether all cells have one of these lengths, in bytes."""
    sizes = pc.binary_length(texts)
    bounds = pc.min_max(sizes)
    shortest, longest = bounds["min"].as_py(), bounds["max"].as_py()
    if shortest == longest:
        return shortest is None or shortest in lengths
    return bool(pc.all(pc.is_in(sizes, pa.array(lengths, sizes.type))).as_py())


def _parsed(
    texts: pa.Array,
    lengths: tuple[int, ...],
    fast: Callable[[pa.Array], pa.Array | None],
) -> pa.Array | None:
    """Return what Arrow's parser makes of a batch; None if it must go cell by cell."""
    if not _usual(texts, lengths):
        return None
    try:
        return fast(texts)
    except pa.ArrowInvalid:
        return None


def _outside(numbers: pa.Array, first: int, last: int, dtype: type[np.generic]) -> pa.Array | None:
    values = buffers.view(numbers, dtype)
    return buffers.flags((values < first) | (values > last), numbers)


_MOMENT_LENGTHS = (19, 21, 22, 23, 24, 25, 26)


def _moments(texts: pa.Array) -> pa.Array | None:
    found = texts.cast(_US)
    # Arrow takes the year 0000.
    return None if _outside(found, _FIRST, _LAST, np.int64) is not None else found


def _moment(text: str, *, zoned: bool) -> int | None:
    match = _MOMENT.fullmatch(text)
    if not match or (match[4] and not zoned):
        return None
    try:
        value = datetime.fromisoformat(f"{match[1]}T{match[2]}{_micro(match[3])}{match[4] or 'Z'}")
    except ValueError:
        return None
    micros = (value - _EPOCH) // timedelta(microseconds=1)
    return micros if _FIRST <= micros <= _LAST else None


def _micro(fraction: str | None) -> str:
    """Return a fraction of six digits."""
    return (fraction or ".").ljust(7, "0")


def _decode_moment(cells: Sequence[pa.Array], declared: ColumnType) -> Cells:
    fast = _parsed(cells[0], _MOMENT_LENGTHS, _moments)
    if fast is not None:
        return Cells(buffers.retype(fast, declared.arrow))
    zoned = declared.kind is Kind.INSTANT
    found, refused = buffers.each(cells[0], pa.int64(), lambda t: _moment(t, zoned=zoned))
    reason = f"is not an {declared}" if zoned else _naive_reason(cells[0], declared)
    return Cells(buffers.retype(found, declared.arrow), refused, reason)


def _naive_reason(texts: pa.Array, declared: ColumnType) -> str:
    for cell in buffers.raw(texts):
        text = (cell or b"").decode("utf-8", "replace")
        if _moment(text, zoned=True) is not None and _moment(text, zoned=False) is None:
            return f"has a UTC offset, in a {declared} declared without time zone"
    return f"is not a {declared} (YYYY-MM-DD HH:MM:SS.ffffff)"


def _encode_moment(values: pa.Array, _declared: ColumnType, _affinity: Affinity) -> Cells:
    micros = buffers.retype(values, pa.int64())
    outside = _outside(micros, _FIRST, _LAST, np.int64)
    if outside is not None:
        return Cells(values, outside, _YEARS)
    return Cells(buffers.retype(micros, _US).cast(pa.string()))


def _days(texts: pa.Array) -> pa.Array | None:
    found = texts.cast(pa.date32())
    return None if _outside(found, _FIRST_DAY, _LAST_DAY, np.int32) is not None else found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _decode_date(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    fast = _parsed(cells[0], (10,), _days)
    if fast is not None:
        return Cells(fast)
    return Cells(*buffers.each(cells[0], pa.date32(), _day), "is not a date (YYYY-MM-DD)")


def _encode_date(values: pa.Array, _declared: ColumnType, _affinity: Affinity) -> Cells:
    outside = _outside(values, _FIRST_DAY, _LAST_DAY, np.int32)
    if outside is not None:
        return Cells(values, outside, _YEARS)
    return Cells(values.cast(pa.string()))


def _clocks(texts: pa.Array) -> pa.Array | None:
    # Arrow parses no times; it does parse the moments of 1970-01-01.
    moments = pc.binary_join_element_wise("1970-01-01", texts, " ")
    return buffers.retype(moments.cast(_US), pa.time64("us"))


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(_padded(text)) if _CLOCK.fullmatch(text) else None
    except ValueError:
        return None


def _padded(text: str) -> str:
    return text[:8] + _micro(text[8:] or None)


def _decode_time(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    fast = _parsed(cells[0], (8, 15), _clocks)
    if fast is not None:
        return Cells(fast)
    found, refused = buffers.each(cells[0], pa.time64("us"), _clock)
    return Cells(found, refused, "is not a time (HH:MM:SS.ffffff)")


def _encode_time(values: pa.Array, _declared: ColumnType, _affinity: Affinity) -> Cells:
    return Cells(values.cast(pa.string()))


_TEXT = "typeof({x}) = 'text'"
MOMENT = Codec(_TEXT, _decode_moment, _encode_moment, ("''",))
"""Timestamps, instants, and intervals, which are moments counted from the epoch."""
DATE = Codec(_TEXT, _decode_date, _encode_date, ("''",))
TIME = Codec(_TEXT, _decode_time, _encode_time, ("''",))
