"""What a SQL expression carries, and what a step may not ask of a database.

Carrying a column means that its value reaches a new row. A column that is only read in a
WHERE, an ON, an EXISTS, or for the order of a window is not carried.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import ColumnClause, TextClause
from sqlalchemy.sql.selectable import Exists, ScalarSelect

from migrators.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHANGES = frozenset(
    """
    now current_timestamp current_date current_time localtime localtimestamp sysdate
    getdate clock_timestamp statement_timestamp transaction_timestamp unix_timestamp
    random rand uuid uuid_short gen_random_uuid uuid_generate_v4 newid randomblob
    nextval last_insert_rowid last_insert_id changes
    """.split()  # noqa: SIM905  a list of words reads better than a column of strings
)
"""Functions that answer differently each time they are asked."""


def carried(element: Any) -> Iterator[sa.Column[Any]]:
    """Yield the table columns whose values an output expression carries.

    Parameters
    ----------
    element : SQL expression or select
    """
    if isinstance(element, Exists):
        return
    if isinstance(element, sa.Column) and isinstance(element.table, sa.Table):
        yield element
        return
    for part in _parts(element):
        yield from carried(part)


def mentioned(*values: Any) -> Iterator[sa.Column[Any]]:
    """Yield the table columns that a step's values name in any way; of a table, all of them."""
    for value in values:
        if isinstance(value, Rule):
            yield from mentioned(*value.inputs)
        elif isinstance(value, sa.sql.ClauseElement):
            for part in visitors.iterate(value):
                if isinstance(part, sa.Table):
                    yield from part.c
                elif isinstance(part, sa.Column) and isinstance(part.table, sa.Table):
                    yield part


def _parts(element: Any) -> Iterator[Any]:
    """Yield what of an element gives values; the rest of it only asks."""
    if isinstance(element, ScalarSelect | sa.Over):
        yield element.element
    elif isinstance(element, sa.FunctionFilter):
        yield element.func
    elif isinstance(element, sa.Select | sa.CompoundSelect):
        yield from element.selected_columns
    elif isinstance(element, ColumnClause) and element.table is not None:
        yield from (base for base in element.base_columns if base is not element)
    elif getattr(element, "operator", None) in (operators.in_op, operators.not_in_op):
        yield element.left
    else:
        yield from element.get_children()


def casts(element: Any) -> Iterator[sa.Cast[Any]]:
    """Yield the casts that old values go through on their way into an output expression.

    One in a condition decides, and converts nothing that arrives.
    """
    if isinstance(element, Exists):
        return
    if isinstance(element, sa.Cast) and list(carried(element.clause)):
        yield element
    for part in _results(element) if isinstance(element, sa.Case) else _parts(element):
        yield from casts(part)


def calculations(element: Any) -> Iterator[Any]:
    """Yield the operands of arithmetic that old values go through into an output expression."""
    if isinstance(element, Exists):
        return
    if getattr(element, "operator", None) in _ARITHMETIC:
        yield from (part for part in element.get_children() if list(carried(part)))
    for part in _results(element) if isinstance(element, sa.Case) else _parts(element):
        yield from calculations(part)


_ARITHMETIC = frozenset(
    {
        operators.add,
        operators.sub,
        operators.mul,
        operators.truediv,
        operators.floordiv,
        operators.mod,
        operators.neg,
    }
)


def _results(case: sa.Case[Any]) -> Iterator[Any]:
    yield from (result for _, result in case.whens)
    if case.else_ is not None:
        yield case.else_


def is_opaque(element: Any) -> bool:
    """Whether an expression holds SQL text that names what it reads only to a database."""
    return any(_opaque(part) for part in visitors.iterate(element))


def _opaque(part: Any) -> bool:
    if isinstance(part, TextClause):
        return True
    literal = isinstance(part, ColumnClause) and part.is_literal
    return literal and not re.fullmatch(r"[\d.]+|'[^']*'|\*|NULL|null", part.name)


def changing(element: Any) -> str | None:
    """Name a function in an expression that answers differently each time, if any."""
    for part in visitors.iterate(element):
        name = getattr(part, "name", None)
        if isinstance(part, sa.sql.functions.FunctionElement) and isinstance(name, str):
            if name.lower() in _CHANGES:
                return f"{name}()"
            if _says_now(part):
                return f"{name}('now')"
    return None


def _says_now(function: Any) -> bool:
    clauses = list(function.clauses)
    values = [c.value for c in clauses if isinstance(c, sa.BindParameter)]
    dated = function.name.lower() in {"date", "time", "datetime", "julianday", "unixepoch"}
    return "now" in values or (dated and not clauses)
