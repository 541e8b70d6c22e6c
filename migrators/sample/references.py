"""Which columns refer to which: foreign keys, and what only the application knows of.

A virtual reference is written as a person says it: `orders.customer_no = customers.no`, or
`lines(order_id, shop) = orders(id, shop)` where several columns are a key together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrators.config import nearest
from migrators.errors import UsageError
from migrators.sample.request import known
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrators.schema import SchemaVersion, Table

_SIDE = re.compile(
    r"\s*(?:(?P<table>.+?)\((?P<columns>[^()]+)\)|(?P<one>.+)\.(?P<column>[^.]+))\s*"
)
_ALIKE = ({Kind.INTEGER, Kind.DECIMAL}, {Kind.TEXT, Kind.ENUM})
"""Kinds of which one may hold the other's values."""
_EXAMPLE = "orders.customer_no = customers.no"


@dataclass(frozen=True, slots=True)
class Reference:
    """`columns` of `table` refer to `target_columns` of `target`.

    Attributes
    ----------
    stated : bool
        By the schema: a database refuses a row that refers to nothing.
    """

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    stated: bool = True

    @property
    def pairs(self) -> tuple[tuple[tuple[str, str], tuple[str, str]], ...]:
        """Return (table, column) of both sides, one pair for each column."""
        both = zip(self.columns, self.target_columns, strict=True)
        return tuple(((self.table, own), (self.target, theirs)) for own, theirs in both)

    def __str__(self) -> str:
        """Say it: "orders.customer_no"."""
        return f"{self.table}.{', '.join(self.columns)}"


def references_of(schema: SchemaVersion, virtual: Iterable[Reference]) -> tuple[Reference, ...]:
    """Return all references between columns that are stored."""
    stated = (
        Reference(table.name, key.columns, key.target, key.target_columns)
        for table in schema.tables.values()
        for key in table.foreign_keys
        if _stored(table, key.columns) and _stored(schema.tables[key.target], key.target_columns)
    )
    return tuple(dict.fromkeys((*stated, *virtual)))


def _stored(table: Table, columns: Iterable[str]) -> bool:
    return {c.name for c in table.stored} >= set(columns)


def spoken(schema: SchemaVersion, text: str) -> Reference:
    """Return a virtual reference as it was written.

    Raises
    ------
    UsageError
        It is none, or names what is not there.
    """
    sides = [_SIDE.fullmatch(side) for side in text.split("=")]
    if len(sides) != 2 or not all(sides):  # noqa: PLR2004  a child and a parent
        raise UsageError(f"`{text}` is no reference", hint=_EXAMPLE)
    (table, columns), (target, targets) = (_names(side) for side in sides if side)
    known(schema, (table, target))
    for name, its in ((table, columns), (target, targets)):
        _has(schema.tables[name], its)
    if len(columns) != len(targets):
        raise UsageError(
            f"`{text}` has {len(columns)} columns on one side, {len(targets)} on the other"
        )
    made = Reference(table, columns, target, targets, stated=False)
    for own, theirs in made.pairs:
        _comparable(schema, own, theirs)
    return made


def _comparable(schema: SchemaVersion, own: tuple[str, str], theirs: tuple[str, str]) -> None:
    """Refuse columns of which no value of the one is one of the other."""
    one, other = (schema.tables[table].column[name].type for table, name in (own, theirs))
    alike = any({one.kind, other.kind} <= kinds for kinds in _ALIKE)
    if one.kind is not other.kind and not alike:
        raise UsageError(
            f"{'.'.join(own)} is a {one} and {'.'.join(theirs)} a {other}: the one cannot refer "
            "to the other"
        )


def of_settings(
    schema: SchemaVersion,
    texts: Iterable[str],
    left_out: Callable[[UsageError], None] = lambda _error: None,
) -> tuple[Reference, ...]:
    """Return the virtual references of `[tool.migrators]`; those of other versions are left out.

    Parameters
    ----------
    left_out : callable
        Is told of each that this version has not.
    """
    found = []
    for text in texts:
        try:
            found.append(spoken(schema, text))
        except UsageError as error:
            left_out(error)
    return tuple(found)


def _names(side: re.Match[str]) -> tuple[str, tuple[str, ...]]:
    if side["one"]:
        return side["one"].strip(), (side["column"].strip(),)
    return side["table"].strip(), tuple(name.strip() for name in side["columns"].split(","))


def _has(table: Table, columns: Iterable[str]) -> None:
    there = [c.name for c in table.stored]
    for name in columns:
        if name not in there:
            raise UsageError(f"{table.name} has no column `{name}`", hint=nearest(name, there))
