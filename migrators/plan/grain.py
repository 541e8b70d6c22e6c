"""One row for one: no table beside the source, and subqueries that give one value.

Both go wrong without a word in SQL: rows are doubled or lost where a table is read without
a join, and SQLite takes any row of a subquery that gives several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, CollectionAggregate
from sqlalchemy.sql.selectable import Exists, ScalarSelect

from migrators.plan.bind import BindError

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGGREGATES = frozenset({"count", "sum", "avg", "total", "aggregate_strings", "group_concat"})
"""Functions that make one row of many; `max` and `min` of one argument do, too."""


def check_froms(select: sa.Select[Any], source: sa.FromClause | None) -> None:
    """Refuse a table that no join ties to the source: rows would be doubled, or lost.

    Raises
    ------
    BindError
    """
    froms = select.get_final_froms()
    source = froms[0] if source is None and froms else source
    others = [_name(f) for f in froms if f is not source]
    if others:
        msg = (
            f"{', '.join(others)} is read beside {_name(source)}, and each row of one would "
            "meet every row of the other: ask for one value with "
            "select(...).where(...).scalar_subquery(), for a condition with exists(), or join "
            "them in a source=select(...).subquery()"
        )
        raise BindError(msg)


def _name(source: Any) -> str:
    return source.key if isinstance(source, sa.Table) else "the source"


def several(
    expression: Any, source: sa.FromClause, condition: sa.ColumnElement[bool] | None
) -> Iterator[sa.Select[Any]]:
    """Yield selects that count the rows for which a subquery of a value gives several.

    Parameters
    ----------
    expression : SQL expression
        Of a value of the source's rows.
    condition : SQL condition or None
        Which of them become new rows.
    """
    for one in _subqueries(expression):
        if _surely_single(one.element, source):
            continue
        inner = one.element.correlate(source).subquery()  # type: ignore[attr-defined]
        rows = sa.select(sa.func.count()).select_from(inner).correlate(source).scalar_subquery()
        select = sa.select(sa.func.count()).select_from(source).where(rows > 1)
        yield select if condition is None else select.where(condition)


def _subqueries(element: Any) -> Iterator[ScalarSelect[Any]]:
    if isinstance(element, ScalarSelect):
        yield element
    elif getattr(element, "operator", None) in (operators.in_op, operators.not_in_op):
        yield from _subqueries(element.left)  # what is on the right may be many
    elif not isinstance(element, CollectionAggregate | Exists | sa.Column):
        for child in element.get_children():
            yield from _subqueries(child)


def _surely_single(select: Any, source: sa.FromClause) -> bool:
    """Whether nobody needs to ask: an aggregate of all rows, or one row by its key."""
    if not isinstance(select, sa.Select):
        return True  # a union is asked for its first row nowhere else either
    if select._group_by_clauses:  # noqa: SLF001  no public name for it
        return False
    (column, *_) = select.selected_columns
    return _aggregates(column) or _by_key(select, source)


def _aggregates(column: Any) -> bool:
    while isinstance(column, sa.Label):
        column = column.element
    name = getattr(column, "name", "")
    if not isinstance(column, sa.sql.functions.FunctionElement):
        return False
    return name in _AGGREGATES or (name in {"max", "min"} and len(column.clauses) == 1)


def _by_key(select: sa.Select[Any], source: sa.FromClause) -> bool:
    froms = [f for f in select.get_final_froms() if f is not source]
    where = select.whereclause
    if len(froms) != 1 or where is None:
        return False
    key = list(getattr(froms[0], "primary_key", ()))
    asked = [side for equal in _equal(where) for side in (equal.left, equal.right)]
    return bool(key) and all(any(column is side for side in asked) for column in key)


def _equal(where: Any) -> Iterator[BinaryExpression[Any]]:
    if isinstance(where, BooleanClauseList) and where.operator is operators.and_:
        for clause in where.clauses:
            yield from _equal(clause)
    elif isinstance(where, BinaryExpression) and where.operator is operators.eq:
        yield where
