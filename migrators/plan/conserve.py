"""Conservation of columns: every old column reaches a new one, or is dropped with a reason."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from migrators.plan.parts import Problems
    from migrators.schema import SchemaVersion
    from migrators.step import Step
    from migrators.step.mapping import Mapping


def conserve(
    old: SchemaVersion,
    new: SchemaVersion,
    step: Step,
    carried: set[sa.Column[Any]],
    problems: Problems,
) -> None:
    """Add a problem, with the lines to write, for every old column that goes nowhere.

    Generated columns are computed anew by the database and need no place to go.
    """
    dropped = {drop.what for drop in step.drops}
    for drop in step.drops:
        _check_drop(drop.what, old, carried, problems)
    for name, table in old.metadata.tables.items():
        if table in dropped:
            continue
        kept = {c.name for c in old.tables[name].stored}
        lost = [c for c in table.c if c.name in kept and c not in carried and c not in dropped]
        if len(lost) == len(kept) and kept:
            _lost_table(table, new, problems)
        else:
            for column in lost:
                _lost_column(column, step, problems)


def _check_drop(
    what: Any, old: SchemaVersion, carried: set[sa.Column[Any]], problems: Problems
) -> None:
    table = what if isinstance(what, sa.Table) else what.table
    if old.metadata.tables.get(table.key) is not table:
        problems.add(f"step.drop({what}): not of schema {old.version}: old and new mixed up?")
        return
    columns = list(what.c) if isinstance(what, sa.Table) else [what]
    for column in columns:
        if column in carried:
            problems.add(f"{column} is dropped and carried: one of the two lines is wrong")


def _lost_table(table: sa.Table, new: SchemaVersion, problems: Problems) -> None:
    near = difflib.get_close_matches(table.key, set(new.tables) - {table.key}, n=1)
    to = near[0] if near else "..."
    problems.add(
        f"{table.key}: no column of it is carried anywhere",
        f"step.table(new.{to}, source=old.{table.key})",
        f'step.drop(old.{table.key}, because="...")',
    )


def _lost_column(column: sa.Column[Any], step: Step, problems: Problems) -> None:
    table = column.table.key
    renamed = [
        f"step.table(new.{m.table.key}).values({name}=old.{table}.c.{column.name})"
        for m in step.mappings
        if m.source is column.table
        for name in _renamed(column, m)
    ]
    drop = f'step.drop(old.{table}.c.{column.name}, because="...")'
    problems.add(f"{table}.{column.name} is carried nowhere", *renamed, drop)


def _renamed(column: sa.Column[Any], mapping: Mapping) -> list[str]:
    """New columns without a source that the lost one may have become."""
    free = [c.name for c in mapping.table.c if c.name not in mapping.given]
    free = [name for name in free if name not in column.table.c]
    return difflib.get_close_matches(column.name, free, n=1, cutoff=0.3) or free[:1]
