"""Functions that make one row of many, and where they stand outside of a subquery.

As the value of a row such a function would make one row of the whole table: it belongs
into a scalar subquery, or has a window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import Exists, ScalarSelect

from migrators.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGGREGATES = frozenset(
    """
    count sum avg total aggregate_strings group_concat string_agg array_agg json_agg jsonb_agg
    json_group_array json_group_object json_object_agg jsonb_object_agg json_arrayagg
    json_objectagg bool_and bool_or every bit_and bit_or bit_xor any_value mode
    stddev stddev_pop stddev_samp variance var_pop var_samp percentile_cont percentile_disc
    """.split()  # noqa: SIM905  a list of words reads better than a column of strings
)
"""`max` and `min` of one argument are, too."""


def is_aggregate(column: Any) -> bool:
    """Whether an expression as a whole makes one row of many."""
    while isinstance(column, sa.Label):
        column = column.element
    if isinstance(column, sa.FunctionFilter | sa.WithinGroup):
        return True
    name = str(getattr(column, "name", "")).lower()
    if not isinstance(column, sa.sql.functions.FunctionElement):
        return False
    return name in _AGGREGATES or (name in {"max", "min"} and len(column.clauses) == 1)


def aggregates(value: Any) -> Iterator[Any]:
    """Yield the aggregates in a value that stand in no subquery and have no window.

    Parameters
    ----------
    value : SQL expression or rule
        Anything else holds none.
    """
    if isinstance(value, Rule):
        for argument in value.inputs:
            yield from aggregates(argument)
    elif not isinstance(value, sa.sql.ClauseElement) or isinstance(value, _OF_THEIR_OWN):
        return
    elif isinstance(value, sa.Over):
        for child in value.element.get_children():
            yield from aggregates(child)
    elif is_aggregate(value):
        yield value
    else:
        for child in value.get_children():
            yield from aggregates(child)


_OF_THEIR_OWN = (Exists, ScalarSelect, sa.SelectBase, sa.Column)


def shown(aggregate: Any) -> str:
    """Return an aggregate as a step writes it: `func.max(old.releases.c.uploaded)`."""
    while isinstance(aggregate, sa.Label | sa.FunctionFilter | sa.WithinGroup):
        aggregate = aggregate.func if _has_func(aggregate) else aggregate.element
    arguments = ", ".join(_argument(x) for x in aggregate.clauses)
    return f"func.{aggregate.name}({arguments})"


def _has_func(aggregate: Any) -> bool:
    return isinstance(aggregate, sa.FunctionFilter)


def _argument(argument: Any) -> str:
    if isinstance(argument, sa.Column) and isinstance(argument.table, sa.Table):
        return f"old.{argument.table.key}.c.{argument.name}"
    return "" if getattr(argument, "name", "") == "*" else "..."


def in_a_subquery(aggregate: Any) -> str:
    """Return the expression to write instead."""
    return f"select({shown(aggregate)}).where(...).scalar_subquery()"
