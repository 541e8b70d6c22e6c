"""A row as one text that no other row has: for comparing rows that have no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import text

if TYPE_CHECKING:
    from migrators.schema import Table


def row_texts(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """Return a batch of one column, `row`: each value as `length:text`, NULL as `~`.

    Lengths are in bytes, so that no value can look like two.
    """
    parts = [
        _marked(text.to_text(a, c.type)) for a, c in zip(batch.columns, table.stored, strict=True)
    ]
    rows = pc.binary_join_element_wise(*parts, "") if parts else pa.nulls(len(batch), pa.string())
    return pa.RecordBatch.from_arrays([rows], names=["row"])


def _marked(texts: pa.Array) -> pa.Array:
    lengths = pc.binary_length(texts).cast(pa.string())
    marked = pc.binary_join_element_wise(lengths, texts, ":")
    return pc.fill_null(marked, "~")
