"""Which columns of a plan are new: filled with anything but the value of one old column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.plan.model import Apply, Read, Widen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrators.plan.model import Node, Part, TablePlan


def columns_new(tables: Iterable[TablePlan]) -> int:
    """Count the new columns that hold no old column, carried, renamed or through a rule.

    What a constant, a default, an expression, a query or a function fills is new; so is
    what a rule makes of several columns, unless one of them has the new one's name.
    """
    outputs = [
        (table.name, part, out) for table in tables for part in table.parts for out in part.outputs
    ]
    every = {(table, out.column) for table, _, out in outputs}
    return len(every - {(t, o.column) for t, part, o in outputs if _holds(part, o.node, o.column)})


def _holds(part: Part, node: Node, column: str) -> bool:
    """Whether a value is that of one old column."""
    if part.function is not None:
        return False
    if isinstance(node, Widen):
        return _holds(part, node.of, column)
    if isinstance(node, Apply):
        if len(node.args) == 1:
            return _holds(part, node.args[0], column)
        return any(_source(part, argument) == column for argument in node.args)
    return bool(_source(part, node))


def _source(part: Part, node: Node) -> str:
    """Return the name of the old column that a node reads; empty where it reads none."""
    while isinstance(node, Widen):
        node = node.of
    read = part.query.columns[node.index] if isinstance(node, Read) else None
    return read.source if read is not None and read.table else ""
