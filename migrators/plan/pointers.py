"""References that would point at other rows: carried as they were, while the keys change.

When customers become people with other numbers, an invoice that keeps its customer's old
number names somebody else, and no constraint notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.plan.keys import Keys
    from migrators.plan.parts import Problems
    from migrators.step import Step
    from migrators.step.mapping import Mapping


def conserve_references(step: Step, keys: Keys, problems: Problems) -> None:
    """Add a problem for every old key that is carried to where it names another row."""
    for mapping in step.mappings:
        for column in mapping.table.c:
            value = _value(mapping, column.name)
            if isinstance(value, sa.Column) and keys.of(column) is None:
                for parent in _renumbered(step, column, value):
                    _misdirected(column, value, parent, problems)


def _value(mapping: Mapping, name: str) -> Any:
    """Return what a step gives a column, or carries to it by name."""
    if not isinstance(mapping.source, sa.Table):
        return None
    return mapping.given.get(name, mapping.source.c.get(name))


def _renumbered(step: Step, column: sa.Column[Any], value: sa.Column[Any]) -> Iterator[Mapping]:
    """Yield mappings of the parent that an old reference names, where its key is another."""
    for old in _referred(value) or ({value} if value.primary_key else set()):
        for new in _referred(column):
            for mapping in step.mappings:
                same = mapping.table is new.table and mapping.source is old.table
                if same and _value(mapping, new.name) is not old:
                    yield mapping


def _referred(column: sa.Column[Any]) -> set[sa.Column[Any]]:
    """Return the primary keys that a column alone refers to."""
    alone = (k for k in column.foreign_keys if k.constraint and len(k.constraint.elements) == 1)
    return {key.column for key in alone if key.column.primary_key}


def _misdirected(
    column: sa.Column[Any],
    value: sa.Column[Any],
    parent: Mapping,
    problems: Problems,
) -> None:
    table = column.table.key
    of = parent.source.key  # type: ignore[union-attr]
    problems.add(
        f"{table}.{column.name} would name other rows: it carries {value} as it is, while "
        f"the rows of {of} get other keys in {parent.table.key}",
        f"{column.name}=step.table(new.{parent.table.key}, source=old.{of})"
        f".key(old.{value.table.key}.c.{value.name}),",
    )
