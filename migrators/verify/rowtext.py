"""A row as one text that no other row has: for comparing rows that have no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from migrators.types.joined import joined

if TYPE_CHECKING:
    from migrators.schema import Table


def row_texts(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """Return a batch of one column, `row`, as `types.joined` makes it of a row's values."""
    types = [c.type for c in table.stored]
    rows = joined(batch.columns, types) if types else pa.nulls(len(batch), pa.string())
    return pa.RecordBatch.from_arrays([rows], names=["row"])
