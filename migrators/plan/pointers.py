"""References that would point at other rows: carried as they were, while the keys change.

When customers become people with other numbers, an invoice that keeps its customer's old
number names somebody else, and no constraint notices. An expression keeps it as well as a
column does: `coalesce(customer_id, 0)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.selectable import Exists, ScalarSelect

from migrators.rules.base import Rule
from migrators.step.keys import KeyOf, LookupId, StepUuid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.plan.parts import Problems
    from migrators.step import Step
    from migrators.step.mapping import Mapping

_TRANSLATED = frozenset({"map", "enum"})
"""Rules that say for each old value which one it becomes."""


@dataclass(frozen=True)
class _Renumbered:
    """Rows of an old table that get other keys: `old`, its key, becomes `value`."""

    mapping: Mapping
    old: sa.Column[Any]
    value: Any


def conserve_references(step: Step, problems: Problems) -> None:
    """Add a problem for every old key that is carried to where it names another row."""
    for mapping in step.mappings:
        for column in mapping.table.c:
            parents = list(_renumbered(step, column))
            if parents:
                for key in _kept(_value(mapping, column.name), parents):
                    for parent in parents:
                        if _names(key, parent) or column in step.follow:
                            _misdirected(column, key, parent, problems)


def _value(mapping: Mapping, name: str) -> Any:
    """Return what a step gives a column, or carries to it by name."""
    carried = None if mapping.source is None else mapping.source.c.get(name)
    return mapping.given.get(name, carried)


def _renumbered(step: Step, column: sa.Column[Any]) -> Iterator[_Renumbered]:
    """Yield the sources of a new column's parent whose rows get other keys."""
    referred = _referred(column)
    if column in step.follow:
        referred |= set(step.follow[column].primary_key.columns)
    for new in referred:
        for mapping in step.mappings:
            if mapping.table is new.table and isinstance(mapping.source, sa.Table):
                value, key = _value(mapping, new.name), list(mapping.source.primary_key.columns)
                if len(key) == 1 and value is not key[0]:
                    yield _Renumbered(mapping, key[0], value)


def _referred(column: sa.Column[Any]) -> set[sa.Column[Any]]:
    """Return the primary keys that a column alone refers to."""
    alone = (k for k in column.foreign_keys if k.constraint and len(k.constraint.elements) == 1)
    return {key.column for key in alone if key.column.primary_key}


def _names(key: sa.Column[Any], parent: _Renumbered) -> bool:
    """Whether an old column names rows of the parent's source."""
    return key is parent.old or parent.old in _referred(key)


# what of a value is an old key, unchanged --------------------------------------------------


def _kept(value: Any, parents: list[_Renumbered]) -> Iterator[sa.Column[Any]]:
    """Yield the old columns whose values a value gives as they are, or computes with."""
    if any(_follows(value, parent) for parent in parents):
        return
    for part in _given(value):
        if isinstance(part, sa.Column) and isinstance(part.table, sa.Table):
            yield part
        elif part is not value:
            yield from _kept(part, parents)


def _given(value: Any) -> Iterator[Any]:
    """Yield what a value is made of; conditions in it decide, and give nothing."""
    if isinstance(value, Rule):
        own = isinstance(value, KeyOf | LookupId | StepUuid) or value.name in _TRANSLATED
        yield from () if own else value.inputs
    elif isinstance(value, ColumnClause):
        yield from value.base_columns
    elif isinstance(value, ScalarSelect):
        yield from value.element.selected_columns
    elif isinstance(value, sa.Case):
        yield from (result for _, result in value.whens)
        yield from () if value.else_ is None else (value.else_,)
    elif isinstance(value, sa.ColumnElement) and not _asks(value):
        yield from value.get_children()
    elif isinstance(value, sa.sql.elements.ClauseList):
        yield from value.clauses


def _asks(expression: sa.ColumnElement[Any]) -> bool:
    """Whether an expression tells of a key something that is no key."""
    boolean = isinstance(expression.type, sa.Boolean)
    return boolean or isinstance(expression, Exists) or getattr(expression, "name", "") == "count"


def _follows(value: Any, parent: _Renumbered) -> bool:
    """Whether a value is computed of a reference as the parent's key is of the old key."""
    if isinstance(value, Rule) and isinstance(parent.value, Rule):
        return bool(replace(value, inputs=()) == replace(parent.value, inputs=()))
    if not isinstance(value, sa.ColumnElement) or not isinstance(parent.value, sa.ColumnElement):
        return False
    if isinstance(value, sa.Column):
        return False
    columns = (x for x in visitors.iterate(value) if isinstance(x, sa.Column))
    return any(
        bool(value.compare(_put(parent, column))) for column in columns if _names(column, parent)
    )


def _put(parent: _Renumbered, column: sa.Column[Any]) -> Any:
    """Return the parent's key as it would be computed of another column."""

    def put(element: Any, **_: Any) -> Any:
        return column if element is parent.old else None

    return visitors.replacement_traverse(parent.value, {}, put)


def _misdirected(
    column: sa.Column[Any],
    value: sa.Column[Any],
    parent: _Renumbered,
    problems: Problems,
) -> None:
    table, into, of = column.table.key, parent.mapping.table.key, parent.old.table.key
    problems.add(
        f"{table}.{column.name} would name other rows: it carries {value} as it is, while "
        f"the rows of {of} get other keys in {into}",
        f"{column.name}=step.table(new.{into}, source=old.{of})"
        f".key(old.{value.table.key}.c.{value.name}),",
    )
