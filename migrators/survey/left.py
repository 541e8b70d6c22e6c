"""How much a step leaves behind in the live old database: rows by condition, dropped values.

Counted exactly in tables of up to two million rows, and estimated in larger ones from
windows spread evenly over the primary key. `plan` shows it; a run counts all of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrators.backends.interface import Backend, Snapshot
    from migrators.plan.model import Plan

_COUNTED = 2_000_000
"""Rows of a table whose every row is looked at: 0.2 s a condition on SQLite."""
_WINDOWS, _WINDOW = 20, 10_000
"""Ranges of the key that stand for a larger table, and keys in each."""
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Left:
    """Rows or values left behind.

    Attributes
    ----------
    what : str
        "packages, status = 'deleted'", "recruits.id_number".
    count : int or None
        None where it was not counted.
    exact : bool
        Whether every row was looked at.
    """

    what: str
    because: str
    count: int | None = None
    exact: bool = True


@dataclass(frozen=True)
class Question:
    """What asks for one number.

    Attributes
    ----------
    table : str
        Old table whose rows are counted.
    select : Select or None
        Gives one row; its column `index` is the number.
    """

    uncounted: Left
    table: str
    select: sa.Select[Any] | None
    index: int = 0


def questions(plan: Plan) -> list[Question]:
    """Return what a step leaves behind, as questions: conditions, then what is dropped."""
    found = [
        Question(
            Left(f"{part.source}, {condition.text}", condition.because),
            part.source or "",
            part.accounting.select,
            index,
        )
        for table in plan.tables
        for part in table.parts
        if part.accounting is not None
        for index, condition in enumerate(part.accounting.conditions, 1)
    ]
    found += [Question(Left(d.what, d.because), d.table, d.select) for d in plan.dropped]
    return found


def left_behind(
    plan: Plan, old: Backend, snapshot: Snapshot, rows: Mapping[str, int], seconds: float
) -> Iterator[Left]:
    """Yield what a step leaves behind, one for each of `questions`.

    Parameters
    ----------
    rows : mapping of old table to int
        How many there are.
    seconds : float
        After which no further question is put.
    """
    until = time.monotonic() + seconds
    asker = _Asker(plan, old, snapshot, rows)
    for question in questions(plan):
        asked = time.monotonic() < until and question.table in rows
        yield asker.answer(question) if asked else question.uncounted


@dataclass(frozen=True)
class _Asker:
    plan: Plan
    old: Backend
    snapshot: Snapshot
    rows: Mapping[str, int]

    def answer(self, question: Question) -> Left:
        rows = self.rows[question.table]
        if question.uncounted.what == question.table:
            return replace(question.uncounted, count=rows)
        try:
            if rows <= _COUNTED:
                (found,) = self._ask(question.select)
                return replace(question.uncounted, count=int(found[question.index] or 0))
            return self._estimated(question, rows)
        except DatabaseError:  # the live table is another than the schema's: `check` says so
            return question.uncounted

    def _ask(self, select: Any) -> list[tuple[Any, ...]]:
        return self.snapshot.rows(self.old.sql(select))

    def _estimated(self, question: Question, rows: int) -> Left:
        """Take the share of a sample for the share of the table."""
        table = self.plan.old.metadata.tables[question.table]
        key = list(table.primary_key.columns)
        if question.select is None or len(key) != 1 or not isinstance(key[0].type, sa.Integer):
            return question.uncounted
        ((low, high),) = self._ask(sa.select(sa.func.min(key[0]), sa.func.max(key[0])))
        sample = _windows(key[0], low, high)
        ((size,),) = self._ask(sa.select(sa.func.count()).select_from(table).where(sample))
        if not size:
            return question.uncounted
        (found,) = self._ask(question.select.where(sample))
        share = int(found[question.index] or 0) / size
        return replace(question.uncounted, count=_rounded(share * rows), exact=False)


def _windows(key: sa.Column[Any], low: int, high: int) -> sa.ColumnElement[bool]:
    step = max((high - low + 1) // _WINDOWS, 1)
    width = min(step, _WINDOW)
    starts = (low + i * step + (step - width) // 2 for i in range(_WINDOWS))
    return sa.or_(*(key.between(start, start + width - 1) for start in starts))


def _rounded(number: float) -> int:
    """Return a number with as many digits as an estimate is good for."""
    whole = round(number)
    return round(whole, _DIGITS - len(str(whole))) if whole else 0
