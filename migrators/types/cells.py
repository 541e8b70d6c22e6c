"""Values as a person may type them, one at a time: what `types.text` could not read at once.

Strict about form: no spaces, no `+`, no leading zeros, no guessing. What is here beyond
the canonical forms is unambiguous: `1.5` for a decimal of scale 2, `T` in a timestamp, no
fraction of a second, another offset from UTC, capitals in hexadecimal and booleans.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any
from uuid import UUID

from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_INTEGER = re.compile(r"-?[1-9][0-9]{0,18}|0")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,75})(?:\.[0-9]{1,76})?")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?|nan|-?inf")
_DATE = re.compile(_DAY)
_TIME = re.compile(_CLOCK)
_TIMESTAMP = re.compile(f"{_DAY}[ T]{_CLOCK}")
_INSTANT = re.compile(rf"{_DAY}[ T]{_CLOCK}(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}(?:\1[0-9a-fA-F]{4}){2}\1[0-9a-fA-F]{12}")
_BOOLEANS = {"true": True, "false": False}
_DIGITS = Context(prec=160, traps=[Inexact, InvalidOperation, Overflow])


def _matched(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(text)
    return text


def _integer(text: str, declared: ColumnType) -> int:
    value = int(_matched(_INTEGER, text))
    low, high = ColumnType(Kind.INTEGER, bits=64, unsigned=declared.unsigned).range
    if not low <= value <= high:
        raise ValueError(text)
    return value


def _decimal(text: str, declared: ColumnType) -> Decimal:
    value = Decimal(_matched(_DECIMAL, text))
    if declared.scale > declared.precision:  # Arrow takes no Python Decimal of such a type
        raise ValueError(text)
    try:
        value = value.quantize(Decimal(1).scaleb(-declared.scale, _DIGITS), context=_DIGITS)
    except ArithmeticError as error:
        raise ValueError(text) from error
    if value and value.adjusted() >= declared.precision - declared.scale:
        raise ValueError(text)
    return value


def _float(text: str, _type: ColumnType) -> float:
    value = float(_matched(_FLOAT, text))
    overflow = value in (float("inf"), float("-inf")) and "inf" not in text
    underflow = value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])
    if overflow or underflow:
        raise ValueError(text)
    return value


def _boolean(text: str, _type: ColumnType) -> bool:
    if text.lower() not in _BOOLEANS or not text.isascii():
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


def _instant(text: str, _type: ColumnType) -> datetime:
    try:
        return datetime.fromisoformat(_matched(_INSTANT, text)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


_PARSERS: dict[Kind, Callable[[str, ColumnType], Any]] = {
    Kind.INTEGER: _integer,
    Kind.INTERVAL: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: lambda text, _: date.fromisoformat(_matched(_DATE, text)),
    Kind.TIME: lambda text, _: time.fromisoformat(_matched(_TIME, text)),
    Kind.TIMESTAMP: lambda text, _: datetime.fromisoformat(_matched(_TIMESTAMP, text)),
    Kind.INSTANT: _instant,
    Kind.UUID: lambda text, _: UUID(_matched(_UUID, text)).bytes,
    Kind.BINARY: lambda text, _: bytes.fromhex(_matched(re.compile("[0-9a-fA-F]*"), text)),
}


def parse_cell(text: str, declared: ColumnType) -> Any:
    """Return the Python value of one text, in a form that Arrow takes for the type.

    Raises
    ------
    ValueError
        If the text is not of the form, or the value is outside the type.
    """
    return _PARSERS[declared.kind](text, declared)
