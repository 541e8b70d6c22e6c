"""Refused values → a `ValueRefused` that names table, column, keys and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.errors import ValueRefused
from migrators.types import text

if TYPE_CHECKING:
    import pyarrow as pa

    from migrators.extract.evaluate import Refusal
    from migrators.plan.model import Part

SAMPLES = 5
"""Keys shown; the count says how many there are."""


def refused(table: str, part: Part, batch: pa.RecordBatch | None, refusal: Refusal) -> ValueRefused:
    """Return the error for a batch's refusal.

    Parameters
    ----------
    batch : pa.RecordBatch or None
        As read from the old database; None where rows have no old key.
    """
    keys = key_texts(part, batch, refusal.rows[:SAMPLES].to_pylist()) if batch is not None else []
    samples = [(key, "") for key in keys]
    return ValueRefused(
        table,
        refusal.column,
        refusal.reason,
        count=len(refusal.rows),
        samples=samples,
        hint=f"correct the rows, or give {table}.{refusal.column} a rule in the step",
    )


def key_texts(part: Part, batch: pa.RecordBatch, rows: list[int]) -> list[str]:
    """Return "id 14" for each row: names and exact texts of its old key."""
    columns = {c.name: (i, c) for i, c in enumerate(part.query.columns)}
    keys = [columns[label] for label in part.query.key]
    texts = []
    for row in rows:
        named = []
        for index, column in keys:
            value = text.to_text(batch.column(index).slice(row, 1), column.type)[0].as_py()
            named.append(f"{column.source} {value}")
        texts.append(", ".join(named) or f"row {row} of the batch")
    return texts
