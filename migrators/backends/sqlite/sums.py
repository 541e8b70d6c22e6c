"""`func.sum` of decimals, exact: SQLite would add the doubles that hold them.

Each cell is counted in units of its last place, a whole number, and whole numbers are added
exactly or with an error (`integer overflow`). A cell that is no decimal of the declared
places makes the sum infinite, which is refused wherever it is read as a decimal. The
quotient at the end is rounded once: to the very double that stands for the decimal, see
`cells.numbers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ColumnClause, UnaryExpression

from migrators.backends.sqlite.cells.model import Affinity, affinity
from migrators.backends.sqlite.cells.numbers import EXACT_DIGITS
from migrators.types import Kind, UnsupportedType, describe

if TYPE_CHECKING:
    from migrators.types import ColumnType

_DIALECT = sqlite.dialect()


def summed(fn: Any) -> ColumnClause[Any] | None:
    """Return the decimal column that a function sums, or None for anything else.

    What is computed, `price * quantity`, may have more places than SQLAlchemy takes it to
    have: it is left to SQLite, and refused where the result is not exact.
    """
    if getattr(fn, "name", "") != "sum" or not isinstance(fn, sa.sql.functions.FunctionElement):
        return None
    arguments = list(fn.clauses)
    column = _bare(arguments[0]) if len(arguments) == 1 else None
    return column if column is not None and _is_decimal(column) else None


def _bare(argument: Any) -> ColumnClause[Any] | None:
    if isinstance(argument, UnaryExpression) and argument.operator is operators.distinct_op:
        argument = argument.element
    return argument if isinstance(argument, ColumnClause) else None


def _is_decimal(column: ColumnClause[Any]) -> bool:
    """Whether its cells are numbers that stand for decimals, wherever it comes from."""
    bases = column.base_columns
    stored = all(isinstance(b, sa.Column) and isinstance(b.table, sa.Table) for b in bases)
    return bool(bases) and stored and all(_places(base) is not None for base in bases)


def _places(column: Any) -> int | None:
    """Return the places of a decimal column whose cells are doubles; None for another."""
    try:
        declared: ColumnType = describe(column.type)
    except UnsupportedType:
        return None
    kept = not declared.as_text and declared.precision <= EXACT_DIGITS
    if declared.kind is not Kind.DECIMAL or not kept:
        return None
    as_text = affinity(column.type.compile(dialect=_DIALECT)) is Affinity.TEXT
    return None if as_text else declared.scale


def _power(column: ColumnClause[Any]) -> int:
    return int(10 ** max(_places(base) or 0 for base in column.base_columns))


def distinct(fn: Any) -> str:
    """Return what stands before a sum's argument."""
    (argument,) = fn.clauses
    return "DISTINCT " if isinstance(argument, UnaryExpression) else ""


def unscaled(cell: str, column: ColumnClause[Any]) -> str:
    """Return SQL for a cell in units of its last place; infinite where it is no such decimal."""
    units = f"round({cell} * {_power(column)}.0)"
    exact = f"{units} / {_power(column)}.0 = {cell} AND abs({units}) < 1e{EXACT_DIGITS}"
    return f"CASE WHEN {exact} THEN CAST({units} AS INTEGER) WHEN {cell} IS NOT NULL THEN 9e999 END"


def scaled(whole: str, column: ColumnClause[Any]) -> str:
    """Return SQL for a sum of units as the decimal that it stands for."""
    return f"({whole} / {_power(column)}.0)"
