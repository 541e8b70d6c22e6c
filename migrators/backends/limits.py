"""A declared type as one database's DDL spells it: what its `limits` are looked up by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.types import Kind

if TYPE_CHECKING:
    from migrators.types import ColumnType
    from migrators.types.limits import Limits

_TYPE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)(?:\((?P<numbers>[0-9, ]+)\))?(?P<rest> .*)?")


@dataclass(frozen=True, slots=True)
class Spelled:
    """The parts of a type in DDL: `DATETIME(6)`, `INTEGER UNSIGNED`.

    Attributes
    ----------
    number : int or None
        The first in brackets.
    rest : str
        What follows, in capitals.
    """

    name: str
    number: int | None = None
    rest: str = ""


def spelled(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Spelled | None:
    """Return how a database's DDL spells a type; None if it has no such type."""
    try:
        text = declared.compile(dialect=dialect).upper()
    except (sa.exc.CompileError, AttributeError):  # a type may lack what another dialect asks of it
        return None
    found = _TYPE.fullmatch(text)
    if found is None:
        return Spelled(text)
    number = found["numbers"]
    return Spelled(
        found["name"], int(number.split(",")[0]) if number else None, found["rest"] or ""
    )


def text_type(kind: ColumnType) -> str:
    """Return the generic type of a text, as a schema module spells it."""
    if kind.kind is not Kind.TEXT or not kind.length:
        return "sa.Text()"
    return f"sa.{'CHAR' if kind.fixed else 'String'}({kind.length})"


def integers(bits: int, limits: type[Limits], *, unsigned: bool = False) -> Limits:
    """Return the limits of an integer of so many bits."""
    if unsigned:
        return limits(low=0, high=2**bits - 1)
    return limits(low=-(2 ** (bits - 1)), high=2 ** (bits - 1) - 1)
