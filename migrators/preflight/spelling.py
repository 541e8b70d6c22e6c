"""A condition of a step as Python again, for a line to type that repeats it.

The usual comparisons are written as a person writes them. Any other has its SQL, which
stands for itself in a condition.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, Grouping

from migrators.preflight import wording
from migrators.schema.sqltext import as_text

if TYPE_CHECKING:
    from migrators.plan.model import LeftOut, Part

_SIGNS = {
    operators.eq: "==",
    operators.ne: "!=",
    operators.lt: "<",
    operators.le: "<=",
    operators.gt: ">",
    operators.ge: ">=",
}
_METHODS = {
    operators.in_op: "in_",
    operators.not_in_op: "not_in",
    operators.is_: "is_",
    operators.is_not: "is_not",
    operators.like_op: "like",
    operators.not_like_op: "not_like",
}
_JOINS = {operators.and_: " & ", operators.or_: " | "}


def kept(part: Part) -> str:
    """Return `.where(...)`: which of a part's source rows become new rows; empty for all."""
    conditions = part.accounting.conditions if part.accounting is not None else ()
    return f".where({', '.join(map(_kept, conditions))})" if conditions else ""


def _kept(condition: LeftOut) -> str:
    """Return a condition of the rows that stay; where what is left out is NULL, they do."""
    said = spelled(condition.shown)
    if condition.kept:
        return said or _text(f"({condition.text}) IS FALSE")
    return f"({said}).is_not(True)" if said else _text(f"({condition.text}) IS NOT TRUE")


def _text(sql: str) -> str:
    return f"sa.text({json.dumps(as_text(sql), ensure_ascii=False)})"


def spelled(element: Any) -> str:
    """Return an expression as a step writes it; empty where that is not known."""
    if isinstance(element, sa.Column) and isinstance(element.table, sa.Table):
        return wording.column_path(element.table.key, element.name)
    if isinstance(element, sa.BindParameter):
        return _value(element.value)
    if isinstance(element, sa.sql.elements.Null):
        return "None"
    if isinstance(element, Grouping):
        return spelled(element.element)
    if isinstance(element, BooleanClauseList):
        join = _JOINS.get(element.operator)
        return _joined(join, [spelled(part) for part in element.clauses]) if join else ""
    return _compared(element) if isinstance(element, BinaryExpression) else ""


def _joined(join: str, parts: list[str]) -> str:
    return join.join(f"({part})" for part in parts) if all(parts) else ""


def _compared(element: BinaryExpression[Any]) -> str:
    left, right = spelled(element.left), spelled(element.right)
    said = [value for value in element.modifiers.values() if value is not None]
    if not left or not right or said:
        return ""
    if element.operator in _SIGNS:
        return f"{left} {_SIGNS[element.operator]} {right}"
    method = _METHODS.get(element.operator)
    return f"{left}.{method}({right})" if method else ""


def _value(value: Any) -> str:
    """Return a constant; one whose `repr` is no Python of a step's has none."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        parts = [_value(one) for one in value]
        return f"[{', '.join(parts)}]" if all(parts) else ""
    return repr(value) if isinstance(value, bool | int) else ""
