"""What a step's calls take: a slip is said in the line that has it.

Unchecked, a text where a table is meant would fail far from there, in words of SQLAlchemy's.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from migrators.rules.base import Rule


class StepError(Exception):
    """A step asks for what cannot be; `plan` adds file and line."""


def table(call: str, given: Any, of: str) -> None:
    """Require a table; `of` is `old` or `new`.

    Raises
    ------
    StepError
    """
    if not isinstance(given, sa.Table):
        example = given if isinstance(given, str) and given.isidentifier() else "users"
        raise _wrong(call, f"a table, such as {of}.{example}", given)


def table_or_column(call: str, given: Any) -> None:
    """Require a table or a column of one."""
    if not isinstance(given, sa.Table | sa.Column):
        example = given if isinstance(given, str) and given.isidentifier() else "users"
        raise _wrong(call, f"a table or a column, such as old.{example} or old.users.c.name", given)


def column(call: str, given: Any) -> None:
    """Require a table's column."""
    if not isinstance(given, sa.Column):
        example = given if isinstance(given, str) and given.isidentifier() else "name"
        raise _wrong(call, f"a column, such as new.users.c.{example}", given)


def source(call: str, given: Any) -> None:
    """Require what rows can come from; None stands for the old table of the same name."""
    if given is not None and not isinstance(given, sa.FromClause):
        what = "an old table, or a select that ends in .subquery()"
        raise _wrong(call, what, given)


def condition(call: str, given: Any) -> None:
    """Require a condition in SQL."""
    if not isinstance(given, sa.ColumnElement | sa.TextClause):
        raise _wrong(call, "a condition on old columns, such as old.users.c.id == 1", given)


def select(call: str, given: Any) -> None:
    """Require a select, or a union of some."""
    if not isinstance(given, sa.Select | sa.CompoundSelect):
        raise _wrong(call, "a select, such as select(func.count()).select_from(...)", given)


def value(call: str, given: Any) -> None:
    """Require an expression or a rule."""
    if not isinstance(given, sa.ColumnElement | Rule):
        raise _wrong(call, "columns, expressions or rules, such as old.users.c.name", given)


def text(call: str, given: Any) -> None:
    """Require text that says something."""
    if not isinstance(given, str) or not given.strip():
        msg = f'{call}: a reason is required: because="..."'
        raise StepError(msg)


def _wrong(call: str, wanted: str, given: Any) -> StepError:
    return StepError(f"{call} takes {wanted}, not {_shown(given)}")


def _shown(given: Any) -> str:
    if isinstance(given, sa.Table):
        return f"the table {given.key}"
    if isinstance(given, sa.SelectBase):
        return "a select"
    return repr(given) if isinstance(given, str | int | float | None) else type(given).__name__
