"""Other values for a value: those that a loader confuses with it."""

from __future__ import annotations

import math
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_NULLS = ("", "<null>", "NULL", r"\N", "None", "0")
_MICROSECOND, _SECOND, _HOUR, _DAY = (
    timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(days=1),
)  # fmt: skip


def other(value: Any, chance: random.Random) -> Any:
    """Return another value than `value`, of the same Python type or None.

    A caller asks again where what comes is not another one, or not one for the column.
    """
    if value is None:
        return chance.choice([*_NULLS, 0, 1, b"", 0.0])
    if chance.random() < 0.1:
        return None
    for kind, change in _KINDS:
        if isinstance(value, kind):
            return change(value, chance)
    raise TypeError(type(value))


def _number(value: int, chance: random.Random) -> int:
    flipped = value ^ (1 << chance.randrange(max(1, value.bit_length())))
    return chance.choice([value + 1, value - 1, -value, value * 10, value // 10, flipped])


def _double(value: float, chance: random.Random) -> float:
    near = [math.nextafter(value, math.inf), math.nextafter(value, -math.inf)]
    return chance.choice([*near, -value, value * 10, float(f"{value:.15g}"), float(f"{value:.6g}")])


def _decimal(value: Decimal, chance: random.Random) -> Decimal:
    text = format(value, "f")
    at = chance.choice([i for i, letter in enumerate(text) if letter.isdecimal()])
    digit = (int(text[at]) + chance.randrange(1, 10)) % 10
    return chance.choice([Decimal(f"{text[:at]}{digit}{text[at + 1 :]}"), -value])


def _text(value: str, chance: random.Random) -> str:
    if not value:
        return chance.choice([*_NULLS[1:], " ", "a"])
    at = chance.randrange(len(value))
    before, letter, after = value[:at], value[at], value[at + 1 :]
    following = after[:1] + letter + after[1:]
    digit = str((int(letter) + 1) % 10) if letter.isdecimal() and letter.isascii() else "7"
    return chance.choice(
        [
            before + letter.swapcase() + after,
            before + after,
            before + following,
            before + digit + after,
            before + letter * 2 + after,
            value + " ",
            " " + value,
            value.rstrip(),
            value + "\n",
            value[:-1],
            value.swapcase(),
            unicodedata.normalize("NFD", value),
            unicodedata.normalize("NFC", value),
            value + "\u200b",
            value.replace("a", "\u0430"),
            "",
            "<null>",
        ]
    )


def _bytes(value: bytes, chance: random.Random) -> bytes:
    if not value:
        return b"\0"
    at = chance.randrange(len(value) * 8)
    changed = bytearray(value)
    changed[at // 8] ^= 1 << at % 8
    return chance.choice([bytes(changed), value + b"\0", value[:-1], value[1:], b""])


def _moment(value: datetime, chance: random.Random) -> datetime:
    by = chance.choice([_MICROSECOND, _SECOND, _HOUR, _DAY])
    return chance.choice([value + by, value - by, value.replace(microsecond=0)])


def _day(value: date, chance: random.Random) -> date:
    return value + chance.choice([_DAY, -_DAY, 365 * _DAY])


def _clock(value: time, chance: random.Random) -> time:
    whole = datetime.combine(date(2000, 1, 2), value)
    return _moment(whole, chance).time()


def _span(value: timedelta, chance: random.Random) -> timedelta:
    return value + chance.choice([_MICROSECOND, _SECOND, -_MICROSECOND])


_KINDS: list[tuple[type, Callable[[Any, random.Random], Any]]] = [
    (bool, lambda value, _: not value),
    (int, _number),
    (float, _double),
    (Decimal, _decimal),
    (str, _text),
    (bytes, _bytes),
    (datetime, _moment),
    (date, _day),
    (time, _clock),
    (timedelta, _span),
]
