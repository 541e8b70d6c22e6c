"""The lines that a step lacks, as a person would write them: renames found by name.

`ArtistId` and `artist_id` are the same name to a reader, so such a rename is written out
in full; a likeness that is only a guess stands beside the other way, `step.drop`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators import types
from migrators.plan.bind import BindError, fitted, rule_for
from migrators.plan.model import Read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrators.schema import Column, Table

_ALIKE = 0.6  # difflib's own cutoff
_ONE_LINE = 90


@dataclass(frozen=True)
class Rename:
    """An old column that a new one may have been; `sure` where only the spelling differs."""

    new: str
    old: sa.Column[Any]
    sure: bool


def plain(name: str) -> str:
    """Return a name without what conventions change: `ArtistId` and `artist_id` are alike."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def table_like(name: str, tables: Iterable[str]) -> tuple[str, bool] | None:
    """Return the table that another may have been renamed to, and whether that is sure."""
    found = {plain(table): table for table in tables}
    for form in (plain(name), f"{plain(name)}s", plain(name).removesuffix("s")):
        if form in found:
            return found[form], True
    near = difflib.get_close_matches(plain(name), found, n=1, cutoff=_ALIKE)
    return (found[near[0]], False) if near else None


def renames(lost: Sequence[sa.Column[Any]], free: Sequence[Column]) -> list[Rename]:
    """Pair columns that are carried nowhere with new ones that have no source.

    Parameters
    ----------
    free : sequence of Column
        The new columns that nothing fills, in their table's order.
    """
    waiting = {column.name: column.type for column in free}
    sure = {c: name for c in lost if (name := _same_name(c, waiting))}
    guessed: dict[sa.Column[Any], str] = {}
    for column in lost:
        if column not in sure and (near := _near(column, waiting, alone=len(lost) == 1)):
            guessed[column] = near
            del waiting[near]
    found = {name: Rename(name, column, sure=True) for column, name in sure.items()}
    found |= {name: Rename(name, column, sure=False) for column, name in guessed.items()}
    return [found[column.name] for column in free if column.name in found]


def _same_name(column: sa.Column[Any], names: dict[str, types.ColumnType]) -> str | None:
    """Take the new column of the same name but for its spelling; `EmployeeId` may be `id`."""
    table = plain(column.table.name)
    forms = {plain(column.name), plain(column.name).removeprefix(table)}
    name = next((n for n in names if plain(n) in forms), None)
    if name is not None:
        del names[name]
    return name


def _near(column: sa.Column[Any], names: dict[str, types.ColumnType], *, alone: bool) -> str | None:
    by_plain = {plain(name): name for name in names}
    near = difflib.get_close_matches(plain(column.name), by_plain, n=1, cutoff=_ALIKE)
    if near:
        return by_plain[near[0]]
    return next((n for n in names if _carries(column, names[n])), None) if alone else None


def filling(
    table: Table,
    source: sa.FromClause | None,
    found: Sequence[Rename],
    lacking: Sequence[str] = (),
    *,
    named: bool,
) -> str:
    """Return the statement that gives a new table's columns their values.

    Parameters
    ----------
    table : Table
        Of the new schema.
    lacking : sequence of str
        New columns that only a person can fill: written `name=...`.
    named : bool
        Whether the source has to be named.
    """
    types_of = {c.name: c.type for c in table.stored}
    given = {r.new: _spelled(r.old, types_of.get(r.new)) for r in found}
    given |= {name: "..." for name in lacking if name not in given}
    values = [f"{name}={given[name]}" for name in types_of if name in given]
    head = f"step.table(new.{table.name}{_source(source) if named else ''})"
    return _call(head, values)


def _source(source: sa.FromClause | None) -> str:
    return f", source=old.{source.key}" if isinstance(source, sa.Table) else ""


def _call(head: str, values: Sequence[str]) -> str:
    if not values:
        return head
    line = f"{head}.values({', '.join(values)})"
    if len(values) == 1 or len(line) <= _ONE_LINE:
        return line
    return "\n".join([f"{head}.values(", *(f"    {value}," for value in values), ")"])


def _spelled(column: sa.Column[Any], target: types.ColumnType | None) -> str:
    """Return a column as a step writes it, in the rule that its new type asks for."""
    name = f"old.{column.table.key}.c.{column.name}"
    if target is None or _carries(column, target):
        return name
    return f"rules.{rule_for(target)}({name})"


def _carries(column: sa.Column[Any], target: types.ColumnType) -> bool:
    """Whether a column's values go to a type as they are."""
    try:
        fitted(Read(0, types.describe(column.type)), target)
    except (BindError, types.UnsupportedType):
        return False
    return True
