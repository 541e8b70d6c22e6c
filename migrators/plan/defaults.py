"""The value of a new column that nobody gives one: its default, if it is a constant."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.types import Kind

if TYPE_CHECKING:
    from migrators.types import ColumnType

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


class NoConstant(Exception):
    """A default exists, and gives another value each time or needs the database."""


def default_of(column: sa.Column[Any], declared: ColumnType) -> tuple[bool, Any]:
    """Return whether a column has a constant default, and its Python value.

    Raises
    ------
    NoConstant
        If the default is a callable or an expression; the message shows it.
    """
    default = column.default
    if default is not None and not isinstance(default, sa.Sequence):
        if not getattr(default, "is_scalar", False):
            raise NoConstant(_name(default))
        return True, default.arg  # type: ignore[attr-defined]
    server = column.server_default
    if isinstance(server, sa.DefaultClause):
        return _server(server.arg, declared)
    return False, None


def _name(default: Any) -> str:
    called = getattr(default, "arg", default)
    return f"{getattr(called, '__name__', called)}()"


def _server(arg: Any, declared: ColumnType) -> tuple[bool, Any]:
    if isinstance(arg, str) and (declared.is_text or not arg):
        return True, arg
    sql = arg if isinstance(arg, str) else str(arg)
    return _parse(_without_parentheses(sql.strip()), declared)


def _without_parentheses(sql: str) -> str:
    return sql[1:-1].strip() if sql.startswith("(") and sql.endswith(")") else sql


def _parse(sql: str, declared: ColumnType) -> tuple[bool, Any]:
    quoted = _QUOTED.fullmatch(sql)
    if quoted and declared.is_text:
        return True, quoted[1].replace("''", "'")
    word = (quoted[1] if quoted else sql).lower()
    if word == "null":
        return False, None
    if declared.kind is Kind.BOOLEAN and word in {"0", "1", "true", "false"}:
        return True, word in {"1", "true"}
    if _NUMBER.fullmatch(word):
        return True, _number(word, declared)
    raise NoConstant(sql)


def _number(word: str, declared: ColumnType) -> Any:
    if declared.kind is Kind.INTEGER:
        return int(word)
    return float(word) if declared.kind is Kind.FLOAT else Decimal(word)
