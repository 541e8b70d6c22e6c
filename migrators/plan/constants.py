"""Python values written in a step → what an extract holds, exactly or refused."""

from __future__ import annotations

import enum
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from migrators.types import ColumnType, Kind


def constant(value: Any, target: ColumnType) -> Any:
    """Return the Python value that stands for a constant in a column of type `target`.

    Raises
    ------
    TypeError
        If the constant is not exactly a value of that type.
    """
    if value is None:
        return None
    if target.kind is Kind.JSON:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, enum.Enum):
        value = value.name
    made = _MAKERS[target.kind](value)
    if made is None or not _fits(made, target):
        labels = f": one of {', '.join(target.labels)}" if target.labels else ""
        msg = f"{value!r} is not a value of type {target}{labels}"
        raise TypeError(msg)
    return made


def natural(value: Any, target: ColumnType) -> ColumnType:
    """Type of a constant that is a rule's input: the new column's if it fits, else its own.

    Raises
    ------
    TypeError
        For a Python value of no column type.
    """
    if value is None:
        return target
    try:
        constant(value, target)
    except TypeError:
        return _own(value)
    return target


def _own(value: Any) -> ColumnType:
    if isinstance(value, datetime):
        return ColumnType(Kind.TIMESTAMP if value.tzinfo is None else Kind.INSTANT)
    if isinstance(value, Decimal):
        scale = max(0, -int(value.as_tuple().exponent))
        return ColumnType(
            Kind.DECIMAL, precision=max(len(value.as_tuple().digits), scale), scale=scale
        )
    for python, kind in _OWN:
        if isinstance(value, python):
            return ColumnType(kind, bits=64 if kind is Kind.INTEGER else 0)
    msg = f"{value!r} is not a value that a column can hold"
    raise TypeError(msg)


_OWN: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.BOOLEAN),
    (int, Kind.INTEGER),
    (float, Kind.FLOAT),
    (str, Kind.TEXT),
    (bytes, Kind.BINARY),
    (date, Kind.DATE),
    (time, Kind.TIME),
    (timedelta, Kind.INTERVAL),
    (uuid.UUID, Kind.UUID),
)


def _only(*python: type) -> Any:
    return lambda value: value if isinstance(value, python) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, float) or _integer(value) is not None else None


def _timestamp(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) and value.tzinfo is None else None


def _instant(value: Any) -> datetime | None:
    aware = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(UTC) if aware else None


def _date(value: Any) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _uuid(value: Any) -> bytes | None:
    return value.bytes if isinstance(value, uuid.UUID) else None


_MAKERS: dict[Kind, Any] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _only(bool),
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.TEXT: _only(str),
    Kind.ENUM: _only(str),
    Kind.BINARY: _only(bytes),
    Kind.UUID: _uuid,
    Kind.DATE: _date,
    Kind.TIME: _only(time),
    Kind.TIMESTAMP: _timestamp,
    Kind.INSTANT: _instant,
    Kind.INTERVAL: _only(timedelta),
}


def _fits(made: Any, target: ColumnType) -> bool:
    if target.kind is Kind.ENUM:
        return not target.labels or made in target.labels
    if target.kind is Kind.DECIMAL:
        return _decimal_fits(made, target)
    if target.kind is Kind.INTEGER:
        return bool(-(2**63) <= made < 2**63)
    return target.length is None or len(made) <= target.length


def _decimal_fits(made: Decimal, target: ColumnType) -> bool:
    if not made.is_finite():
        return False
    scaled = made.scaleb(target.scale)
    return scaled == scaled.to_integral_value() and abs(scaled) < 10**target.precision
