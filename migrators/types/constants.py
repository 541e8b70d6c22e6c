"""Python values: which column type holds one exactly, and as what.

The plan asks for the constants of a step, the rules for `otherwise`, `rules.map`'s values
and the like, before a row is read; the extract for what a step's function gives as rows.
"""

from __future__ import annotations

import datetime as dt
import enum
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

_PLAIN = (
    type(None), bool, int, float, Decimal, str, bytes, UUID,
    dt.date, dt.time, dt.datetime, dt.timedelta,
)  # fmt: skip


def is_constant(value: Any) -> bool:
    """Whether a value stands for itself: neither an expression nor a rule."""
    return isinstance(value, _PLAIN)


def exact(value: Any, to: ColumnType) -> Any:
    """Return what Arrow takes for a constant in a column of type `to`; None stays None.

    Parameters
    ----------
    value : constant
    to : ColumnType

    Raises
    ------
    TypeError
        If the type does not hold the constant exactly.
    """
    if value is None:
        return None
    holds = _in_text if to.as_text else _HOLDS[to.kind]
    held = holds(value.name if isinstance(value, enum.Enum) else value, to)
    if held is None:
        labels = f": one of {', '.join(to.labels)}" if to.labels else ""
        msg = f"{value!r} is not a value that {to} holds exactly{labels}"
        raise TypeError(msg)
    return held


def type_of(value: Any, target: ColumnType) -> ColumnType:
    """Return the type of a rule's constant: the new column's if that holds it, else its own.

    Raises
    ------
    TypeError
        No column holds it.
    """
    try:
        exact(value, target)
    except TypeError:
        return natural([value])
    return target


def scalar(value: Any, to: ColumnType) -> pa.Scalar:
    """Return a constant as an Arrow scalar of type `to`; raises as `exact` does."""
    import pyarrow as pa

    return pa.scalar(exact(value, to), to.arrow)


def array(values: Sequence[Any], to: ColumnType) -> pa.Array:
    """Return constants as an Arrow array of type `to`; raises as `exact` does."""
    import pyarrow as pa

    return pa.array([exact(value, to) for value in values], to.arrow)


def natural(values: Sequence[Any]) -> ColumnType:
    """Return the type that constants have of themselves; text where all are None.

    Raises
    ------
    TypeError
        If they are not all of one kind.
    """
    given = [value for value in values if value is not None]
    kinds = {_kind(value) for value in given}
    if len(kinds) > 1:
        msg = f"{', '.join(sorted(kinds))} do not go together in one column"
        raise TypeError(msg)
    kind = kinds.pop() if kinds else Kind.TEXT
    if kind is Kind.DECIMAL:
        return _digits(given)
    return ColumnType(kind, bits=64 if kind is Kind.INTEGER else 0)


def _kind(value: Any) -> Kind:
    if isinstance(value, dt.datetime):
        return Kind.TIMESTAMP if value.tzinfo is None else Kind.INSTANT
    for python, kind in _NATURAL:
        if isinstance(value, python):
            return kind
    msg = f"{value!r} is not a constant that a column holds"
    raise TypeError(msg)


_NATURAL: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.BOOLEAN),
    (int, Kind.INTEGER),
    (float, Kind.FLOAT),
    (Decimal, Kind.DECIMAL),
    (str, Kind.TEXT),
    (bytes, Kind.BINARY),
    (UUID, Kind.UUID),
    (dt.date, Kind.DATE),
    (dt.time, Kind.TIME),
    (dt.timedelta, Kind.INTERVAL),
)


def _digits(values: Sequence[Decimal]) -> ColumnType:
    """Return the decimal type with room for all of `values`."""
    scale = whole = 0
    for value in values:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            msg = f"{value} is not a number that a decimal holds"
            raise TypeError(msg)
        scale = max(scale, -exponent)
        whole = max(whole, len(digits) + exponent)
    return ColumnType(Kind.DECIMAL, precision=max(whole + scale, 1), scale=scale)


def _integer(value: Any, to: ColumnType) -> Any:
    if type(value) is not int:
        return None
    low, high = to.range
    return value if low <= value <= high else None


def _in_text(value: Any, to: ColumnType) -> Any:
    """Texts of the form, and what the kind holds otherwise, as its text."""
    import pyarrow as pa

    from migrators.types.odd import odd_form

    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        value = format(Decimal(value), "f") if Decimal(value).is_finite() else str(value)
    if not isinstance(value, str) or odd_form(pa.array([value]), to)[0].as_py():
        return None
    return value


def _form(value: Any, to: ColumnType) -> Any:
    """Texts that `types.fit` takes."""
    import pyarrow as pa

    from migrators.types.fit import misfits

    fits = isinstance(value, str) and not misfits(pa.array([value]), to, nullable=True)
    return value if fits else None


def _float(value: Any, _to: ColumnType) -> Any:
    if type(value) is int:
        return float(value) if abs(value) <= 1 << 53 else None
    return value if isinstance(value, float) else None


def _decimal(value: Any, to: ColumnType) -> Any:
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    sign, digits, exponent = value.as_tuple()
    shift = int(exponent) + to.scale
    number = int("".join(map(str, digits)) or "0")
    if shift < 0 and number % 10**-shift:
        return None
    number = number * 10**shift if shift >= 0 else number // 10**-shift
    if number >= 10**to.precision:
        return None
    return Decimal((sign, tuple(map(int, str(number))), -to.scale))


def _text(value: Any, to: ColumnType) -> Any:
    fits = isinstance(value, str) and (to.length is None or len(value) <= to.length)
    return value if fits else None


def _enum(value: Any, to: ColumnType) -> Any:
    fits = isinstance(value, str) and (not to.labels or value in to.labels)
    return value if fits else None


def _json(value: Any, _to: ColumnType) -> Any:
    """JSON text as it is; a dict, a list or another Python value as its text."""
    try:
        if not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        json.loads(value)
    except (TypeError, ValueError):
        return None
    return value


def _binary(value: Any, to: ColumnType) -> Any:
    fits = isinstance(value, bytes) and (to.length is None or len(value) <= to.length)
    return value if fits else None


def _uuid(value: Any, _to: ColumnType) -> Any:
    """A UUID, its text, or its 16 bytes: as a function's frames hold it."""
    try:
        if isinstance(value, bytes):
            return UUID(bytes=value).bytes
        return UUID(value).bytes if isinstance(value, str) else value.bytes
    except (AttributeError, ValueError):
        return None


def _of(python: type) -> Callable[[Any, ColumnType], Any]:
    """Holder of exactly one Python type: a datetime is not a date, True is not 1."""
    return lambda value, _to: value if type(value) is python else None


def _time(value: Any, _to: ColumnType) -> Any:
    return value if isinstance(value, dt.time) and value.tzinfo is None else None


def _timestamp(value: Any, _to: ColumnType) -> Any:
    fits = isinstance(value, dt.datetime) and not _beyond(value) and value.tzinfo is None
    return value if fits else None


def _instant(value: Any, _to: ColumnType) -> Any:
    fits = isinstance(value, dt.datetime) and not _beyond(value) and value.tzinfo is not None
    return value if fits else None


def _interval(value: Any, _to: ColumnType) -> Any:
    return value if isinstance(value, dt.timedelta) and not _beyond(value) else None


def _beyond(value: dt.datetime | dt.timedelta) -> bool:
    """Whether pandas' times have nanoseconds, which Arrow would cut off, or are none (NaT)."""
    return bool(getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0))


_HOLDS: dict[Kind, Callable[[Any, ColumnType], Any]] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _of(bool),
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.TEXT: _text,
    Kind.ENUM: _enum,
    Kind.SET: _form,
    Kind.BITS: _form,
    Kind.ARRAY: _form,
    Kind.NATIVE: _text,
    Kind.JSON: _json,
    Kind.BINARY: _binary,
    Kind.UUID: _uuid,
    Kind.DATE: _of(dt.date),
    Kind.TIME: _time,
    Kind.TIMESTAMP: _timestamp,
    Kind.INSTANT: _instant,
    Kind.INTERVAL: _interval,
}
