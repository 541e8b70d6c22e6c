"""`step.same`: the new database's answers against those kept in the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators import types
from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.types import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrators.backends.interface import Backend, Snapshot
    from migrators.plan.model import SamePlan


def differing_answers(
    kept: Mapping[str, Any], sames: Sequence[SamePlan], database: Backend, snapshot: Snapshot
) -> Iterator[str]:
    """Yield a line for each statement whose answer differs."""
    for same in sames:
        new = _rows(same, database, snapshot)
        old = [list(row) for row in kept.get(same.title, [])]
        if old != new:
            yield f"step.same({same.title!r}): old {_short(old)}, new {_short(new)}"


def _rows(same: SamePlan, database: Backend, snapshot: Snapshot) -> list[list[str | None]]:
    query = new_query(same, database)
    rows: list[list[str | None]] = []
    for batch in snapshot.batches(query):
        pairs = zip(batch.columns, query.columns, strict=True)
        texts = [text.to_text(array, c.type).to_pylist() for array, c in pairs]
        rows.extend([list(row) for row in zip(*texts, strict=True)])
    return rows


def new_query(same: SamePlan, database: Backend) -> ReadQuery:
    """Compile the new database's side; rows come ordered by all columns, as the old did.

    Each column is read as the old side's type: equal means equal as the same type.
    """
    import sqlalchemy as sa

    inner = same.new.subquery()
    labels = [c.label(f"c{i}") for i, c in enumerate(inner.c)]
    columns = tuple(
        ReadColumn(f"c{i}", types.describe(c.type), "", str(c.key)) for i, c in enumerate(inner.c)
    )
    return ReadQuery(database.sql(sa.select(*labels)), columns, tuple(c.name for c in columns))


def _short(rows: list[list[str | None]]) -> str:
    shown = repr([tuple(row) for row in rows[:3]])
    return shown if len(rows) <= 3 else f"{shown} and {len(rows) - 3} rows more"  # noqa: PLR2004
