"""Accounting of rows that no mapping counts: `step.same` says what must hold of them.

A mapping of a table counts its rows: read = written + left behind. Where an old table's rows
go through a query, a function or a subquery of another table's values alone, nobody would
notice those that are lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from migrators.plan.aggregates import is_aggregate
from migrators.plan.columns import carried, mentioned
from migrators.plan.grain import merges
from migrators.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.plan.parts import Problems
    from migrators.step import Step
    from migrators.step.mapping import Mapping


@dataclass(frozen=True)
class _Reading:
    """An old column whose values reach new rows by a way that counts none of the old ones.

    `through` is the select, or the value; `new` what to count of the new rows.
    """

    column: sa.Column[Any]
    through: Any
    new: str


def account(step: Step, problems: Problems) -> None:
    """Add a problem for every old table whose rows are counted nowhere and asked for by nobody.

    Those are counted that are a mapping's source or a lookup's values, and asked for where a
    `step.same` or the count of a `step.loss` reads the table.
    """
    known = {table for mapping in step.mappings for table in _counted(mapping)}
    asked = [x for lookup in step.lookups for x in lookup.of]
    asked += [same.old for same in step.sames] + [loss.count for loss in step.losses]
    known |= {column.table for column in mentioned(*asked)}
    for mapping in step.mappings:
        for reading in _readings(mapping) if _says_grain(mapping) else ():
            if reading.column.table not in known:
                known.add(reading.column.table)
                _unaccounted(mapping, reading, problems)


def _says_grain(mapping: Mapping) -> bool:
    """Whether it says so where its rows are its own; else `check_grain` asks for all of it."""
    table = mapping.source is None or isinstance(mapping.source, sa.Table)
    return table or mapping.is_query or mapping.own_grain or not merges(mapping.source)


def _counted(mapping: Mapping) -> Iterator[Any]:
    """Yield the old table of which each row is one of the mapping's."""
    source: Any = mapping.source
    if mapping.is_query or mapping.own_grain or source is None or merges(source):
        return
    while not isinstance(source, sa.Table):  # a select that merges nothing has one table
        inner = getattr(source, "element", source)
        source = inner.get_final_froms()[0] if isinstance(inner, sa.Select) else inner
    yield source


def _readings(mapping: Mapping) -> Iterator[_Reading]:
    table = mapping.table.key
    for name, value in mapping.given.items():
        for column in _carried(value):
            yield _Reading(column, value, f"select(func.count(new.{table}.c.{name}))")
    rows = mapping.select if mapping.is_query else mapping.source
    for column in (*_carried(rows), *mapping.said_reads):
        yield _Reading(column, rows, f"select(func.count()).select_from(new.{table})")


def _carried(value: Any) -> Iterator[sa.Column[Any]]:
    if isinstance(value, Rule):
        for part in value.inputs:
            yield from _carried(part)
    elif isinstance(value, sa.sql.ClauseElement) and not isinstance(value, sa.Table):
        yield from carried(value)


def _unaccounted(mapping: Mapping, reading: _Reading, problems: Problems) -> None:
    table, through = reading.column.table.key, reading.through
    old = f"select(func.count()).select_from(old.{table})"
    if reading.new.startswith("select(func.count(new"):  # of a value, which may be NULL
        old = f"select(func.count(old.{table}.c.{reading.column.name}))"
    if _merges(through) or mapping.function is not None:  # the person knows what holds
        old = "select(...)"
    problems.add(
        f"{table}: nothing counts its rows, which reach {mapping.table.key} through a query, "
        "a function or a subquery alone: say what must hold of them before and after",
        f'step.same("rows of {table}", old={old}, new={reading.new})',
        at=mapping.line,
    )


def _merges(through: Any) -> bool:
    """Whether somewhere in it several rows become one, so that a count is not the same."""
    values = through.inputs if isinstance(through, Rule) else (through,)
    parts = (x for v in values if isinstance(v, sa.sql.ClauseElement) for x in visitors.iterate(v))
    return any(is_aggregate(part) or _groups(part) for part in parts)


def _groups(part: Any) -> bool:
    return isinstance(part, sa.Select) and any(
        said in merges(part) for said in ("DISTINCT", "GROUP BY", "LIMIT")
    )
