"""Edge values of a type, from its kind and parameters, as plain SQL literals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrators.types import ColumnType
    from migrators.types.limits import Limits

FLOATS = ("0e0", "1e0", "-1e0", "1e-1", "3e-1", "1e15", "123456789.125e0", "1e22")
DOUBLES = ("0.30000000000000004e0", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308")
SINGLES = ("3.4028234663852886e38", "1.1754943508222875e-38", "16777215e0", "-0.1e0")
TEXTS = (
    "", " ", "a", "NULL", "null", "007", "1e5", " edge ", "a,b", "it's", '"quoted"', "\\", "\\N",
    "\\.", "\n", "a\r\nb", "\t", "%s", "é", "e\u0301", "\u00a0", "\ufeff", "日本", "🧀",
)  # fmt: skip
JSONS = (
    "{}", "[]", "null", "true", '"x"', '""', "12", "-3", "1.50", "0.10", "1E400",
    "12345678901234567890123", '{"b": 1, "a": [null, "é"]}', '{"k": "\\u00e9"}', '"🧀"',
)  # fmt: skip
BYTES = ("", "00", "ff", "5c", "0a", "0d0a", "27", "22", "2c00ff", "c3a9", "f09fa780")
DAYS = ("0001-01-01", "1582-10-04", "1582-10-15", "1969-12-31", "2000-02-29", "9999-12-31")
STAMP_DAYS = ("1970-01-02", "2000-02-29", "2024-03-31", "2037-12-31")
CLOCKS = ("00:00:00.000000", "00:00:00.000001", "12:34:56.500000", "23:59:59.999999")
UUIDS = (
    "00000000-0000-0000-0000-000000000000",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
)
SPANS = (0, 1, 999_999, 86_399_999_999, 86_400_000_000, -1, -86_400_000_000, 3_456_000_000_001)
"""Microseconds."""


def edges(declared: ColumnType, limits: Limits) -> tuple[str, ...]:
    """Return edge values as text, in a form that every database's literal is made of.

    Parameters
    ----------
    declared : ColumnType
    limits : Limits
        What the column holds on its own database.
    """
    made = _MADE.get(declared.kind)
    return tuple(dict.fromkeys(made(declared, limits))) if made else ()


def _integers(declared: ColumnType, limits: Limits) -> Iterator[str]:
    low, high = declared.range
    low = max(low, limits.low if limits.low is not None else low)
    high = min(high, limits.high if limits.high is not None else high)
    for value in (0, 1, -1, 9, low, low + 1, high - 1, high, high // 2, 2**53 + 1):
        if low <= value <= high:
            yield str(value)


def _booleans(_declared: ColumnType, _limits: Limits) -> Iterator[str]:
    yield from ("true", "false")


def _floats(declared: ColumnType, limits: Limits) -> Iterator[str]:
    found = (*FLOATS, *(SINGLES if limits.single else DOUBLES))
    yield from (x for x in found if not (declared.unsigned and x.startswith("-")))


def _decimals(declared: ColumnType, _limits: Limits) -> Iterator[str]:
    whole, scale = declared.precision - declared.scale, declared.scale
    values = ["0", "9" * max(whole, 1) if whole else "0", "1" if whole else "0"]
    if scale:
        ends = ("0" * (scale - 1) + "1", "9" * scale, "5" + "0" * (scale - 1))
        values += [f"{'9' * whole or '0'}.{end}" for end in ends] + [f"0.{end}" for end in ends]
    for value in values:
        yield value
        if not declared.unsigned:
            yield f"-{value}"


def _texts(declared: ColumnType, limits: Limits) -> Iterator[str]:
    longest = declared.length or limits.characters
    values = [*TEXTS, "x" * (longest or min(300, limits.bytes or 300))]
    if limits.bytes is not None and limits.bytes < 2**16:
        values.append("x" * limits.bytes)
    for value in values:
        if limits.basic and any(ord(c) > 0xFFFF for c in value):
            continue
        if longest is not None and len(value) > longest:
            continue
        if not (limits.padded and (value.endswith(" ") or not value)):
            yield value


def _labels(declared: ColumnType, _limits: Limits) -> Iterator[str]:
    yield from declared.labels


def _sets(declared: ColumnType, _limits: Limits) -> Iterator[str]:
    yield from ("", *declared.labels, ",".join(declared.labels))


def _bits(declared: ColumnType, _limits: Limits) -> Iterator[str]:
    size = declared.length or 9
    yield from ("0" * size, "1" * size, "0" * (size - 1) + "1", "1" + "0" * (size - 1))
    if not declared.fixed:
        yield from ("0", "01")


def _binaries(declared: ColumnType, limits: Limits) -> Iterator[str]:
    longest = declared.length or limits.bytes
    for value in (*BYTES, "00ff" * 40, "ab" * min(longest or 300, 70_000)):
        size = len(value) // 2
        if declared.fixed or limits.padded:
            yield (value * (longest or 1))[: 2 * (longest or 1)] or "00" * (longest or 1)
        elif longest is None or size <= longest:
            yield value


def _clocks(digits: int) -> Iterator[str]:
    for clock in CLOCKS:
        head, _, fraction = clock.partition(".")
        yield f"{head}.{fraction[:digits]}" if digits else head


def _times(_declared: ColumnType, limits: Limits) -> Iterator[str]:
    yield from _clocks(limits.fraction)


def _moments(_declared: ColumnType, limits: Limits) -> Iterator[str]:
    days = DAYS if limits.last is None else STAMP_DAYS
    yield from (f"{day} {clock}" for day in days for clock in _clocks(limits.fraction))


_MADE: dict[Kind, Callable[[ColumnType, Limits], Iterator[str]]] = {
    Kind.INTEGER: _integers,
    Kind.BOOLEAN: _booleans,
    Kind.FLOAT: _floats,
    Kind.DECIMAL: _decimals,
    Kind.TEXT: _texts,
    Kind.ENUM: _labels,
    Kind.SET: _sets,
    Kind.JSON: lambda _declared, _limits: iter(JSONS),
    Kind.BINARY: _binaries,
    Kind.BITS: _bits,
    Kind.UUID: lambda _declared, _limits: iter(UUIDS),
    Kind.DATE: lambda _declared, _limits: iter(DAYS),
    Kind.TIME: _times,
    Kind.TIMESTAMP: _moments,
    Kind.INSTANT: _moments,
    Kind.INTERVAL: lambda _declared, _limits: map(str, SPANS),
}
