"""What rules ask of the types of their inputs, in sentences a person can act on."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from migrators.rules.base import REFUSE
from migrators.types import ColumnType, Kind, constants

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = (Kind.TEXT, Kind.ENUM, Kind.JSON)
"""Kinds that Arrow holds as strings."""

_INTEGER_DIGITS = {16: 5, 32: 10, 64: 19}
_MAX_DIGITS = 76  # Arrow's decimal256


def reads(name: str, given: ColumnType, *kinds: Kind, instead: str = "") -> None:
    """Raise TypeError unless `given` is of one of `kinds`.

    Parameters
    ----------
    name : str
        Of the rule, as the step calls it.
    given : ColumnType
        Of the input.
    instead : str
        What to write for that type, where there is something.
    """
    if given.kind in kinds:
        return
    said = [str(kind) for kind in kinds if kind not in (Kind.ENUM, Kind.JSON)]
    listed = " or ".join(filter(None, [", ".join(said[:-1]), said[-1]]))
    msg = f"rules.{name} reads {listed}, not {given}"
    raise TypeError(f"{msg}; {instead}" if instead else msg)


def reads_text(name: str, given: ColumnType) -> None:
    """Raise TypeError unless `given` is text."""
    reads(name, given, *TEXTS, instead="write rules.text(...) around the column first")


def textual(target: ColumnType) -> ColumnType:
    """Return the type of a rule's text: the new column's, where that is text.

    How long the texts are is seen when they are there: `types.fit` refuses longer ones.
    """
    return target if target.kind is Kind.TEXT else ColumnType(Kind.TEXT)


def checked(result: ColumnType, name: str, otherwise: Any) -> ColumnType:
    """Return `result`; raise TypeError unless it holds the constant `otherwise`."""
    if otherwise is not REFUSE:
        try:
            constants.exact(otherwise, result)
        except TypeError as error:
            msg = f"rules.{name}: otherwise={error}"
            raise TypeError(msg) from None
    return result


def unified(name: str, types: Sequence[ColumnType]) -> ColumnType:
    """Return the one type that holds the values of all `types` exactly.

    Raises
    ------
    TypeError
        If there is none.
    """

    def both(one: ColumnType, two: ColumnType) -> ColumnType:
        found = _both(one, two)
        if found is None:
            msg = f"rules.{name}: {one} and {two} do not go together in one column"
            raise TypeError(msg)
        return found

    return reduce(both, types)


def _both(one: ColumnType, two: ColumnType) -> ColumnType | None:
    if one == two:
        return one
    if one.kind in (Kind.TEXT, Kind.ENUM) and two.kind in (Kind.TEXT, Kind.ENUM):
        return ColumnType(Kind.TEXT, length=_longer(one.length, two.length))
    if {one.kind, two.kind} <= {Kind.INTEGER, Kind.DECIMAL}:
        return _numbers(one, two)
    if one.kind is two.kind:
        return ColumnType(one.kind, length=_longer(one.length, two.length))
    return None


def _numbers(one: ColumnType, two: ColumnType) -> ColumnType | None:
    if one.kind is two.kind is Kind.INTEGER:
        return ColumnType(Kind.INTEGER, bits=max(one.bits, two.bits))
    scale = max(one.scale, two.scale)
    precision = max(_whole(one), _whole(two)) + scale
    if precision > _MAX_DIGITS:
        return None
    return ColumnType(Kind.DECIMAL, precision=precision, scale=scale)


def _whole(given: ColumnType) -> int:
    """Digits before the point."""
    if given.kind is Kind.INTEGER:
        return _INTEGER_DIGITS.get(given.bits, 19)
    return given.precision - given.scale


def _longer(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else max(one, two)
