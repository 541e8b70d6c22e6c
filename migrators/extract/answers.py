"""Answers to a `step.same` as exact texts; `verify` asks the new database in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.errors import MigrateError, ValueRefused
from migrators.types import Kind, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.backends.interface import ReadQuery, Snapshot
    from migrators.plan.model import Plan

Answers = list[list[str | None]]

MOST_ROWS = 10_000
"""Rows of one answer: they stand in the manifest, and in memory."""


def old_answers(plan: Plan, snapshot: Snapshot) -> dict[str, Answers | ValueRefused]:
    """Return the old database's answers by title, or why there is none.

    Raises
    ------
    MigrateError
        An answer has too many rows.
    """
    found: dict[str, Answers | ValueRefused] = {}
    for same in plan.sames:
        try:
            found[same.title] = rows = answers(same.title, snapshot, same.old)
        except ValueRefused as error:
            found[same.title] = error
            continue
        if len(rows) > MOST_ROWS:
            msg = f"step.same({same.title!r}): the old answer has more than {MOST_ROWS:,} rows"
            raise MigrateError(msg, hint=_AGGREGATE)
    return found


def settled(found: Mapping[str, Answers | ValueRefused]) -> dict[str, Answers]:
    """Return the answers, once every table is read.

    A cell that is refused spoils the sum over it, too. Its own table is asked first, because
    there the row is named.

    Raises
    ------
    ValueRefused
        An answer is not exactly of its type.
    """
    kept = {}
    for title, rows in found.items():
        if isinstance(rows, ValueRefused):
            raise rows
        kept[title] = rows
    return kept


_AGGREGATE = (
    "every cell is compared anyway: ask for a number that must not change, on both sides:",
    "    select(func.count(), func.sum(...)), or one row a group: .group_by(...)",
)


def answers(title: str, snapshot: Snapshot, query: ReadQuery) -> Answers:
    """Return the rows that answer a query as exact texts, one more than `MOST_ROWS` at most.

    Raises
    ------
    ValueRefused
        An answer is not exactly of its type.
    """
    rows: Answers = []
    try:
        for batch in snapshot.batches(query):
            pairs = zip(batch.columns, query.columns, strict=True)
            texts = [text.to_text(array, c.type).to_pylist() for array, c in pairs]
            rows.extend([list(row) for row in zip(*texts, strict=True)])
            if len(rows) > MOST_ROWS:
                return rows[: MOST_ROWS + 1]
    except ValueRefused as error:
        raise _refused(title, query, error) from error
    return rows


def _refused(title: str, query: ReadQuery, error: ValueRefused) -> ValueRefused:
    decimal = any(c.source == error.column and c.type.kind is Kind.DECIMAL for c in query.columns)
    return ValueRefused(
        f"step.same({title!r})",
        error.column,
        error.reason,
        count=error.count,
        samples=error.samples,
        hint=_WHOLE_NUMBERS if decimal else error.hint,
    )


_WHOLE_NUMBERS = (
    "decimals may have been computed as floating-point numbers: compare whole ones on both sides:",
    "    func.sum(sa.cast(func.round(<price> * 100), sa.BigInteger))",
)
