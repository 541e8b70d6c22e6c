"""One row for one: no table beside the source, and subqueries that give one value.

Both go wrong without a word in SQL: rows are doubled or lost where a table is read without
a join, and SQLite takes any row of a subquery that gives several. What makes one row of
several is in `aggregates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, CollectionAggregate
from sqlalchemy.sql.selectable import Exists, ScalarSelect

from migrators.plan.aggregates import aggregates, is_aggregate
from migrators.plan.bind import BindError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.plan.parts import Problems
    from migrators.step.mapping import Mapping


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


def check_grain(mapping: Mapping, problems: Problems) -> None:
    """Add a problem for a select as source whose rows are nobody's, and that does not say so."""
    if mapping.own_grain or mapping.is_query or isinstance(mapping.source, sa.Table):
        return
    merged = merges(mapping.source)
    if merged:
        table = mapping.table.key
        problems.add(
            f"{table}: its source {merged}, so its rows are not counted against a table's: say "
            "that their grain is their own, and what must hold with step.same",
            f"step.table(new.{table}, source=..., rows=new)",
            f'step.same("...", old=select(...), new=select(...).select_from(new.{table}))',
        )


def merges(source: Any) -> str:
    """Say what makes a select's rows others than those of one table; empty if nothing."""
    select = getattr(source, "element", source)
    if isinstance(select, sa.Table):
        return ""
    if not isinstance(select, sa.Select):
        return "unites several selects or is SQL text"
    for said, clause in _clauses(select):
        if clause:
            return f"has {said}"
    froms = select.get_final_froms()
    if len(froms) != 1 or isinstance(froms[0], sa.Join):
        return "joins tables" if froms else "reads no table"
    return merges(froms[0])


def _clauses(select: Any) -> Iterator[tuple[str, bool]]:
    """Yield what may merge, double or leave out rows; there are no public names for most."""
    yield "DISTINCT", select._distinct  # noqa: SLF001
    yield "GROUP BY", bool(select._group_by_clauses)  # noqa: SLF001
    yield "HAVING", bool(select._having_criteria)  # noqa: SLF001
    limited = (select._limit_clause, select._offset_clause, select._fetch_clause)  # noqa: SLF001
    yield "LIMIT", any(clause is not None for clause in limited)
    yield "an aggregate", any(True for c in select.selected_columns for _ in aggregates(c))
    yield "WHERE", select.whereclause is not None


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
        rows = _count_of(one.element, source).scalar_subquery()
        select = sa.select(sa.func.count()).select_from(source).where(rows > 1)
        yield select if condition is None else select.where(condition)


def _count_of(select: Any, source: sa.FromClause) -> sa.Select[Any]:
    """Return a select of how many rows a subquery gives for a row of the source.

    Not every database lets what stands in a FROM refer to a row outside; so a plain select
    counts its rows itself.
    """
    plain = not any(there for said, there in _clauses(select) if said not in _COUNTED)
    if plain:
        count = select.with_only_columns(sa.func.count(), maintain_column_froms=True)
        return count.order_by(None).correlate(source)  # type: ignore[no-any-return]
    inner = select.correlate(source).subquery()
    return sa.select(sa.func.count()).select_from(inner).correlate(source)


_COUNTED = ("WHERE",)
"""Clauses that a count of the rows leaves as they are."""


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
    if getattr(select._limit_clause, "value", None) == 1:  # noqa: SLF001  nor for this
        return True
    (column, *_) = select.selected_columns
    return is_aggregate(column) or _by_key(select, source)


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
