"""Conservation of columns: every old column reaches a new one, or is dropped with a reason.

And every new column that must hold a value is given one. What lacks is said with the lines
to add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.plan import suggest

if TYPE_CHECKING:
    from migrators.plan.parts import Problems
    from migrators.schema import Column, SchemaVersion, Table
    from migrators.step import Step
    from migrators.step.mapping import Mapping

_NOT_NULL = (
    "is NOT NULL and has no source, constant or default",
    "are NOT NULL and have no source, constant or default",
)


def conserve(
    old: SchemaVersion,
    new: SchemaVersion,
    step: Step,
    carried: set[sa.Column[Any]],
    problems: Problems,
) -> None:
    """Add a problem, with the lines to write, for every column that goes or comes nowhere.

    Generated columns are computed anew by the database and need no place to go.
    """
    dropped = {drop.what for drop in step.drops}
    for drop in step.drops:
        _check_drop(drop.what, old, carried, problems)
    lost: dict[sa.Table, list[sa.Column[Any]]] = {}
    for name, table in old.metadata.tables.items():
        kept = {c.name for c in old.tables[name].stored}
        gone = [c for c in table.c if c.name in kept and c not in carried and c not in dropped]
        if gone and table not in dropped:
            lost[table] = gone
    for mapping in step.mappings:
        gone = lost.get(mapping.source, [])  # type: ignore[call-overload]
        _unfilled(mapping, gone, new, step, problems)
    for table, columns in lost.items():
        _lost(table, columns, new, step, problems)


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


def _unfilled(
    mapping: Mapping,
    lost: list[sa.Column[Any]],
    new: SchemaVersion,
    step: Step,
    problems: Problems,
) -> None:
    """Say which new columns of a mapping lack a value; write the renames that are likely."""
    empty = problems.empty.get(mapping, [])
    table = new.tables[mapping.table.key]
    source = mapping.source
    found = suggest.renames(lost, _free(mapping, table)) if lost else []
    if empty:
        problems.add(f"{_named(_title(mapping, step), empty)} {_NOT_NULL[len(empty) > 1]}")
    if empty or found:
        named = isinstance(source, sa.Table) and source.key != table.name
        problems.write(suggest.filling(table, source, found, empty, named=named))


def _title(mapping: Mapping, step: Step) -> str:
    """Return the new table's name; where it has several sources also which one is meant."""
    several = [m for m in step.mappings if m.table is mapping.table][1:]
    source = mapping.source
    of = f" from {source.key}" if several and isinstance(source, sa.Table) else ""
    return f"{mapping.table.key}{of}"


def _free(mapping: Mapping, table: Table) -> list[Column]:
    """New columns of a mapping that nothing fills."""
    filled = set(mapping.given)
    if mapping.source is not None:
        filled.update(mapping.source.c.keys())
    return [c for c in table.stored if c.name not in filled]


def _lost(
    table: sa.Table,
    columns: list[sa.Column[Any]],
    new: SchemaVersion,
    step: Step,
    problems: Problems,
) -> None:
    """Say which old columns are lost, and write what is left to say of them."""
    mappings = [m for m in step.mappings if m.source is table]
    if not mappings and len(columns) == len(table.c):
        _lost_table(table, new, step, problems)
        return
    found = [suggest.renames(columns, _free(m, new.tables[m.table.key])) for m in mappings]
    sure = {r.old for renames in found for r in renames if r.sure}
    drops = [
        f'step.drop(old.{table.key}.c.{c.name}, because="...")' for c in columns if c not in sure
    ]
    are = "is" if len(columns) == 1 else "are"
    names = _named(table.key, [c.name for c in columns])
    problems.add(f"{names} {are} carried nowhere", *drops)


def _lost_table(table: sa.Table, new: SchemaVersion, step: Step, problems: Problems) -> None:
    filled = {m.table.key for m in step.mappings if m.source is not None or m.is_query}
    filled |= {lookup.table.key for lookup in step.lookups}
    near = suggest.table_like(table.key, [name for name in new.tables if name not in filled])
    said = f"{table.key}: no column of it is carried anywhere"
    drop = f'step.drop(old.{table.key}, because="...")'
    if near is None:
        problems.add(said, f"step.table(new...., source=old.{table.key})", drop)
        return
    to = new.tables[near[0]]
    free = [c for c in to.stored if c.name not in table.c]
    lost = [c for c in table.c if c.name not in {other.name for other in to.stored}]
    line = suggest.filling(to, table, suggest.renames(lost, free), named=True)
    problems.add(said, line, *(() if near[1] else (drop,)))


def _named(table: str, columns: list[str]) -> str:
    """Return `users.name`, or `users: name, bio`."""
    one = len(columns) == 1 and " " not in table
    return f"{table}.{columns[0]}" if one else f"{table}: {', '.join(columns)}"
