"""Text and numbers → points in time, before any zone is applied. For `rules.times`."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from migrators.rules import columns
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    import pyarrow as pa

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""Microseconds in a unit."""

_YEAR = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_OFFSET = r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
_DAY_MILLISECONDS = 86_400_000
_UNIX_EPOCH = 210_866_760_000_000  # milliseconds of julian day 2440587.5


def iso(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read ISO 8601 texts with a date, and a time to the minute, second or microsecond.

    Returns
    -------
    naive : pa.Array of timestamp[us]
        Of texts without an offset; NULL for others.
    aware : pa.Array of timestamp[us, UTC]
        Of texts with one; NULL for others.
    """
    plain = columns.where(columns.matches(texts, f"{_DAY}(?:[ T]{_CLOCK})?"), texts)
    offset = columns.where(columns.matches(texts, f"{_DAY}[ T]{_CLOCK}{_OFFSET}"), texts)
    return _read(plain, ColumnType(Kind.TIMESTAMP)), _read(offset, ColumnType(Kind.INSTANT))


def _read(texts: pa.Array, to: ColumnType) -> pa.Array:
    """Read texts of a known shape: all by Arrow, or, where one is no date, row by row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from migrators.types.text import from_text, outside_years

    try:
        values = texts.cast(to.arrow)
    except pa.ArrowInvalid:
        values, _ = from_text(_canonical(texts), to)
    return columns.where(pc.invert(outside_years(values)), values)


_CANONICAL = (
    (rf"\A({_DAY})\z", r"\1 00:00:00.000000"),
    (r"\A(.{10})T", r"\1 "),
    (r"Z\z", "+00:00"),
    (r"\A(.{11}[0-9]{2}:[0-9]{2})([+-].*)?\z", r"\1:00.000000\2"),
    (r"\A(.{11}[0-9]{2}:[0-9]{2}:[0-9]{2})([+-].*)?\z", r"\1.000000\2"),
    (r"\.([0-9]+)", r".\100000"),  # group 1 and five zeros: RE2 knows no group 10
    (r"\.([0-9]{6})0*", r".\1"),
)
"""Each form to the one with six decimals, which Arrow reads a whole column at a time."""


def _canonical(texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    for pattern, form in _CANONICAL:
        texts = pc.replace_substring_regex(texts, pattern, form)
    return texts


def formatted(texts: pa.Array, form: str) -> tuple[pa.Array, pa.Array]:
    """Read texts by a `strptime` format; Arrow's own takes 30 February for 1 March.

    Returns
    -------
    naive, aware : as `iso`
    """
    import pyarrow as pa

    read = partial(_strptime, form=form)
    if has_offset(form):
        return pa.nulls(len(texts), pa.timestamp("us")), columns.per_distinct(
            texts, read, pa.timestamp("us", "UTC")
        )
    naive = columns.per_distinct(texts, read, pa.timestamp("us"))
    return naive, pa.nulls(len(texts), pa.timestamp("us", "UTC"))


def has_offset(form: str) -> bool:
    """Whether a format reads an offset from UTC."""
    return "%z" in form.replace("%%", "")


def _strptime(text: str, form: str) -> dt.datetime | None:
    try:
        read = dt.datetime.strptime(text, form)  # noqa: DTZ007  naive stays naive
        return read if read.tzinfo is None else read.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def whole_format(form: str) -> None:
    """Raise ValueError unless a format says year, month and day.

    A format without one of them would silently give the first of January, or 1900, and
    `%I` without `%p` the morning.
    """
    sample = dt.datetime(2013, 11, 29, 23, 58, 57, tzinfo=dt.UTC)
    written = sample.strftime(form.replace("%z", "+0000"))
    read = None if "%Z" in form.replace("%%", "") else _strptime(written, form)
    half = read is not None and read.hour not in (0, sample.hour)  # %I without %p
    if read is None or half or read.date() != sample.date():
        msg = f"format={form!r} does not say year, month, day and hour as strptime reads them"
        raise ValueError(msg)


def numbered(numbers: pa.Array, given: ColumnType, unit: str) -> tuple[pa.Array, pa.Array | None]:
    """Read counts since 1970-01-01 00:00 UTC, or julian day numbers.

    A float is read to the nearest microsecond, or millisecond for julian days as SQLite
    does, and says where it was not that exactly; an integer or decimal has to be exact.

    Returns
    -------
    moments : pa.Array of timestamp[us, UTC]
        NULL for what is finer than microseconds or outside the years 1 to 9999.
    rounded : pa.Array of bool, or None
    """
    import pyarrow as pa

    if unit != "julian" and given.kind is Kind.INTEGER:
        return _moments(_scaled(numbers, UNITS[unit])), None
    if given.kind is not Kind.FLOAT and unit != "julian":
        exact = partial(_exact, factor=UNITS[unit])
        return _moments(columns.per_distinct(numbers, exact, pa.int64())), None
    read = _julian if unit == "julian" else partial(_nearest, factor=UNITS[unit])
    micros, rounded = columns.with_flags(numbers, read, pa.int64())
    return _moments(micros), rounded


def _scaled(numbers: pa.Array, factor: int) -> pa.Array:
    """Multiply by `factor`; NULL where that leaves the years 1 to 9999."""
    import pyarrow.compute as pc

    from migrators.types.text import FIRST_MICROSECOND, LAST_MICROSECOND

    low, high = -(-FIRST_MICROSECOND // factor), LAST_MICROSECOND // factor
    inside = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
    return pc.multiply_checked(columns.where(columns.sure(inside), numbers), factor)


def _moments(micros: pa.Array) -> pa.Array:
    import pyarrow as pa

    return _scaled(micros, 1).cast(pa.timestamp("us", "UTC"))


def _exact(number: Decimal, factor: int) -> int | None:
    micros = number * factor
    return int(micros) if micros == int(micros) and abs(micros) < 1 << 62 else None


def _nearest(number: float, factor: int) -> tuple[int | None, bool]:
    if not abs(number) < 1 << 60:  # nan and inf, too
        return None, False
    micros = round(Decimal(repr(number)) * factor)
    return micros if abs(micros) < 1 << 62 else None, micros / factor != number


def _julian(number: Any) -> tuple[int | None, bool]:
    number = float(number)
    if not abs(number) < 1 << 30:
        return None, False
    milliseconds = math.floor(number * _DAY_MILLISECONDS + 0.5)  # as sqlite3/date.c does
    return (milliseconds - _UNIX_EPOCH) * 1000, milliseconds / _DAY_MILLISECONDS != number
