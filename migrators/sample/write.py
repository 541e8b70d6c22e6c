"""What was chosen, to an extract: each table in the order of its key."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from migrators.events import Emit, TableDone
from migrators.extracts.interface import BATCH_ROWS
from migrators.order import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.extracts.directory import ExtractWriter
    from migrators.sample.closure import Sampled


def write(
    sampled: Sampled,
    writer: ExtractWriter,
    made: Mapping[str, str],
    *,
    scratch: Path,
    emit: Emit,
) -> None:
    """Write the rows of a sample.

    Parameters
    ----------
    made : mapping
        Of the manifest: what it was made of.
    scratch : Path
        A private directory, for what does not fit into memory.
    """
    for name, kept in sampled.tables.items():
        key = writer.schema.tables[name].primary_key
        order = key or [c.name for c in kept.columns]
        with (
            tempfile.TemporaryDirectory(dir=scratch) as own,
            writer.table(name, ordered=bool(key), columns=kept.columns) as sink,
        ):
            for batch in in_order(kept.batches(), order, Path(own), BATCH_ROWS):
                sink.write(batch)
        emit(TableDone("sample", name, kept.rows))
    writer.finish(made=dict(made))
