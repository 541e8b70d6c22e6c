"""A table's plan once more, with columns held as text that Arrow's types do not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrators.plan.model import Apply, Node, Read, Widen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.errors import NotHeld
    from migrators.plan.model import Output, Part, TablePlan
    from migrators.schema import Column


def in_text(table: TablePlan, part: Part, refused: NotHeld) -> TablePlan:
    """Return the plan with the refused columns, and all that they fill, held as text.

    Parameters
    ----------
    part : Part
        Whose query met the values.
    refused : NotHeld

    Raises
    ------
    NotHeld
        `refused` itself, where a column is not carried just as it is: a rule, a function or
        a wider type needs its values as Arrow has them.
    """
    at = {i for i, c in enumerate(part.query.columns) if c.name in refused.labels}
    filled = {o.column for o in part.outputs if isinstance(o.node, Read) and o.node.index in at}
    reads = {i for o in part.outputs if _same_kind(o) for i in _indexes(o.node)}
    elsewhere = {i for o in part.outputs if o.column not in filled for i in _indexes(o.node)}
    carried = at and at <= reads and not at & elsewhere
    if not carried or part.function is not None or table.lookup is not None:
        raise refused
    return replace(
        table, parts=tuple(_held(p, filled, at if p is part else set()) for p in table.parts)
    )


def as_held(table: TablePlan, declared: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of a table as the plan gives their values: some in text."""
    held = {o.column for p in table.parts for o in p.outputs if o.type.as_text}
    return tuple(replace(c, type=c.type.in_text()) if c.name in held else c for c in declared)


def _same_kind(output: Output) -> bool:
    return output.node.type == output.type and output.type.may_be_text


def _indexes(node: Node) -> set[int]:
    if isinstance(node, Read):
        return {node.index}
    if isinstance(node, Widen):
        return _indexes(node.of)
    if isinstance(node, Apply):
        return {i for argument in node.args for i in _indexes(argument)}
    return set()


def _held(part: Part, filled: set[str], at: set[int]) -> Part:
    """Return a part with columns in text: those read `at` from the server, others made text."""
    columns = tuple(
        replace(c, type=c.type.in_text()) if i in at else c
        for i, c in enumerate(part.query.columns)
    )
    outputs = tuple(_output(o, at) if o.column in filled else o for o in part.outputs)
    return replace(part, query=replace(part.query, columns=columns), outputs=outputs)


def _output(output: Output, at: set[int]) -> Output:
    held = output.type.in_text()
    node = output.node
    if isinstance(node, Read) and node.index in at:
        return replace(output, type=held, node=replace(node, type=held))
    return replace(output, type=held, node=node if node.type == held else Widen(node, held))
