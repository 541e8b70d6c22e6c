"""One spelling of a value for two databases whose texts of it differ.

Within one database texts are compared as they are. Across two, each side's text is brought to:

| kind      | spelling                                                              |
|-----------|-----------------------------------------------------------------------|
| integer   | digits                                                                |
| boolean   | `1`, `0`                                                              |
| float     | Python's shortest text of the double, also `-0.0`, `nan`, `inf`       |
| decimal   | as a number; of one without precision the digits too                  |
| binary    | lower hexadecimal                                                     |
| uuid      | 32 hexadecimal digits                                                 |
| bits      | as many digits as are declared                                        |
| times     | six digits of a second; an instant in UTC, without saying so          |
| interval  | microseconds, where it is days and a time; 1970 plus it is it         |
| array     | its items as text, an address without `/32`; one of several dimensions is itself |
| others    | the text itself                                                       |
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.types import ColumnType

_TRUTH = {"true": "1", "t": "1", "false": "0", "f": "0"}
_SPAN = re.compile(
    r"(?:(?P<days>-?\d+) days? ?)?(?:(?P<sign>[+-]?)(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
    r"(?:\.(?P<f>\d{1,6}))?)?"
)
_CLOCK = re.compile(r"(?P<head>.*\d\d:\d\d:\d\d)(?:\.(?P<f>\d{1,6}))?(?P<zone>\+00)?(?P<era> BC)?")
_LITERAL = re.compile(r"\{((?!\{).*)\}", re.DOTALL)
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,"]+)', re.DOTALL)
_TRUE: dict[object, str] = {True: "1", False: "0"}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  what SQLAlchemy's Interval counts from


def canonical(database: str, declared: ColumnType, text: str | None) -> str | None:
    """Return the spelling that two databases share."""
    if text is None:
        return None
    if database == "sqlite":
        text = _unquoted(text, declared)
    return _FORMS.get(declared.kind, _itself)(text, declared)


def _unquoted(text: str, declared: ColumnType) -> str:
    storage, _, value = text.partition(" ")
    if storage == "text":
        return bytes.fromhex(value).decode()
    if storage == "blob":
        return value
    if declared.kind is Kind.JSON and storage == "real":
        return json.dumps(float(value))
    return value


def _itself(text: str, _declared: ColumnType) -> str:
    return text


def _decimal(text: str, declared: ColumnType) -> str:
    bare = re.sub(r"[$,]", "", text)
    if declared.as_text:
        return bare
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return bare
    if not value.is_finite():
        return bare
    return f"{value.normalize():f}" if value else "0"


def _clock(text: str, _declared: ColumnType) -> str:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return text
    return f"{found['head']}.{(found['f'] or '').ljust(6, '0')}{found['era'] or ''}"


def _interval(text: str, _declared: ColumnType) -> str:
    found = _SPAN.fullmatch(text)
    if found is not None and text:
        clock = (int(found["h"] or 0) * 60 + int(found["m"] or 0)) * 60 + int(found["s"] or 0)
        micros = clock * 1_000_000 + int((found["f"] or "").ljust(6, "0"))
        signed = -micros if found["sign"] == "-" else micros
        return str(int(found["days"] or 0) * 86_400_000_000 + signed)
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return text
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _array(text: str, declared: ColumnType) -> str:
    found = _LITERAL.fullmatch(text)
    if found is not None:
        items = [_element(item, declared) for item in _ELEMENT.finditer(found[1])]
        return json.dumps(items)
    try:
        items = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        return text
    return json.dumps([_bare(_TRUE.get(item, item)) for item in items])


def _element(item: re.Match[str], declared: ColumnType) -> str | None:
    """Return one of an array's literal, as PostgreSQL writes them (manual, 8.15.6)."""
    quoted, plain = item.groups()
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
    if plain == "NULL":
        return None
    boolean = declared.item is not None and declared.item.kind is Kind.BOOLEAN
    return _TRUTH.get(plain, plain) if boolean else _bare(plain)


def _bare(item: str | None) -> str | None:
    """Return an address without the length that one of its own has anyway."""
    return item if item is None else re.sub(r"(?<=[.:][0-9])/(32|128)$", "", item)


def _float(text: str, _declared: ColumnType) -> str:
    return repr(float(text))


_FORMS: dict[Kind, Callable[[str, ColumnType], str]] = {
    Kind.INTEGER: lambda text, _: str(int(text)),
    Kind.BOOLEAN: lambda text, _: _TRUTH.get(text, text),
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.BINARY: lambda text, _: text.removeprefix("\\x").lower(),
    Kind.UUID: lambda text, _: text.replace("-", "").lower(),
    Kind.BITS: lambda text, declared: (
        text.rjust(declared.length or 0, "0") if declared.fixed else text
    ),
    Kind.TIME: _clock,
    Kind.TIMESTAMP: _clock,
    Kind.INSTANT: _clock,
    Kind.INTERVAL: _interval,
    Kind.ARRAY: _array,
}
