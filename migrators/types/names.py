"""The name of a type, as it stands in a manifest → `ColumnType`."""

from __future__ import annotations

import re

from migrators.types.model import ColumnType, Kind

_NAME = re.compile(r"([a-z]+)(?:\(([^\n]{1,200})\))?( unsigned)?")
_WHOLE = re.compile(r"\d{1,9}")
_DIGITS = re.compile(r"(\d{1,2}),(\d{1,2})")
_NATIVE = re.compile(r"[a-z_][a-z0-9_ .,:()\[\]-]*")
_NUMBERS = (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL)
_WIDTHS = (8, 16, 24, 32, 64)


def parse(name: str) -> ColumnType:
    """Return the type that `str(type)` named.

    Labels and padding are not part of a name, nor is how a column is held.

    Raises
    ------
    ValueError
        If the name is none that `ColumnType.__str__` writes.
    """
    try:
        return _parse(name)
    except ValueError:
        msg = f"{name!r} is the name of no type"
        raise ValueError(msg) from None


def _parse(name: str) -> ColumnType:
    match = _matched(_NAME, name)
    kind, inside, unsigned = Kind(match[1]), match[2], bool(match[3])
    if unsigned and kind not in _NUMBERS:
        raise ValueError(name)
    if kind is Kind.NATIVE:
        return ColumnType(kind, native=_matched(_NATIVE, inside)[0])
    if kind is Kind.ARRAY:
        return ColumnType(kind, item=_parse(inside or ""))
    if kind is Kind.DECIMAL:
        return _decimal(inside, unsigned)
    if kind is Kind.INTEGER:
        bits = 64 if inside is None else int(_matched(_WHOLE, inside)[0])
        if bits not in _WIDTHS:
            raise ValueError(name)
        return ColumnType(kind, bits=bits, unsigned=unsigned)
    length = None if inside is None else int(_matched(_WHOLE, inside)[0])
    return ColumnType(kind, length=length, unsigned=unsigned)


def _decimal(inside: str | None, unsigned: bool) -> ColumnType:  # noqa: FBT001  read, not chosen
    if inside is None:
        return ColumnType(Kind.DECIMAL, as_text=True)
    digits = _matched(_DIGITS, inside)
    return ColumnType(
        Kind.DECIMAL, precision=int(digits[1]), scale=int(digits[2]), unsigned=unsigned
    )


def _matched(form: re.Pattern[str], text: str | None) -> re.Match[str]:
    match = form.fullmatch(text or "")
    if match is None:
        raise ValueError(text)
    return match
