"""Which old tables each new one is made of, for access to follow: `migrators.access.Ways`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from migrators.access import Ways
from migrators.plan.parts import reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.plan.model import Output, Part, TablePlan
    from migrators.schema import SchemaVersion
    from migrators.step import Step
    from migrators.step.mapping import Mapping

Values = frozenset[tuple[str, str]]


def ways(tables: tuple[TablePlan, ...], step: Step, old: SchemaVersion) -> Ways:
    """Return what became of which old table, as the step and its plan say."""
    sources = {table.name: _sources(table, step, old) for table in tables}
    return Ways(
        sources=sources,
        columns={table.name: _columns(table) for table in tables},
        whole=frozenset(table.name for table in tables if all(map(_whole, table.parts))),
        said=dict(step.grants),
        old=frozenset(old.tables),
    )


def _sources(table: TablePlan, step: Step, old: SchemaVersion) -> tuple[str, ...]:
    found = [n for m in step.mappings if m.table.key == table.name for n in _mapped(m)]
    if table.lookup is not None:
        found += [c.table for part in table.parts for c in part.query.columns]
        found += [part.source for part in table.parts if part.source]
    return tuple(dict.fromkeys(name for name in found if name in old.tables))


def _whole(part: Part) -> bool:
    """Whether each row of a table becomes a row, whatever it holds."""
    counted = part.accounting is not None and not part.accounting.conditions
    return counted and part.explodes is None and part.source is not None


def _mapped(mapping: Mapping) -> list[str]:
    if isinstance(mapping.source, sa.Table):
        return [mapping.source.key]
    select = mapping.select if mapping.select is not None else mapping.source
    return [] if select is None else [t.key for t in _found(select, sa.Table)]


def _found(expression: Any, kind: type[Any]) -> Iterator[Any]:
    return (x for x in visitors.iterate(expression) if isinstance(x, kind))


def _columns(table: TablePlan) -> dict[str, Values]:
    """Return which old values each new column holds; none where that cannot be told."""
    found: dict[str, Values] = {}
    for part in table.parts:
        for output in part.outputs if part.function is None else ():
            found[output.column] = found.get(output.column, frozenset()) | _values(part, output)
    return found


def _values(part: Part, output: Output) -> Values:
    if part.projection is not None and output.column in part.in_sql:
        columns = _found(part.projection.selected_columns[output.column], sa.Column)
        return frozenset((c.table.key, c.name) for c in columns if isinstance(c.table, sa.Table))
    read = [part.query.columns[index] for index in reads(output.node)]
    alone = all(column.table for column in read)
    return frozenset((c.table, c.source) for c in read) if alone else frozenset()
