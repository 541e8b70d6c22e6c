"""`step.same` → the questions that are put to the old and to the new database.

The new one's is compiled when the plan is made, too: what is wrong with it is said before
anything is read, not when everything has been loaded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.interface import ReadQuery
from migrators.plan.bind import UNPLANNED, Binder, BindError, require_values, sentence
from migrators.plan.model import SamePlan
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import Backend, ReadColumn
    from migrators.plan.parts import Workshop
    from migrators.step import Same, Step

_DIGITS = 38
"""Of a decimal answer: a sum has more than the column that is summed."""


def same_plans(shop: Workshop, target: Backend, step: Step) -> Iterator[SamePlan]:
    """Yield the plan of each `step.same`; add a problem for what cannot be asked."""
    for same in step.sames:
        try:
            yield _plan(shop.backend, target, same)
        except UNPLANNED as error:
            shop.problems.add(f"step.same({same.title!r}): {sentence(error)}")


def _plan(source: Backend, target: Backend, same: Same) -> SamePlan:
    old, new = answers_query(same.old, source), answers_query(same.new, target)
    if len(old.columns) != len(new.columns):
        msg = f"old gives {len(old.columns)} columns, new {len(new.columns)}"
        raise BindError(msg)
    return SamePlan(same.title, old, same.new)


def answers_query(select: Any, backend: Backend) -> ReadQuery:
    """Compile one side of a `step.same`: its columns, labelled, ordered by all of them.

    Raises
    ------
    BindError
        A column's type is not known, or it answers differently each time.
    """
    require_values(select)
    binder = Binder(None)
    for column in select.selected_columns:
        binder.read(column)
    inner = select.subquery()
    labels = [c.label(f"c{i}") for i, c in enumerate(inner.c)]
    columns = tuple(_wide(column) for column in binder.columns())
    return ReadQuery(backend.sql(sa.select(*labels)), columns, tuple(c.name for c in columns))


def _wide(column: ReadColumn) -> ReadColumn:
    if column.type.kind is not Kind.DECIMAL or column.type.as_text:
        return column
    precision = max(column.type.precision, _DIGITS)
    return replace(column, type=replace(column.type, precision=precision))
