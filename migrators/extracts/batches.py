"""What every batch in an extract must be, whichever file it came from or goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.errors import ExtractError
from migrators.types import Kind
from migrators.types.text import outside_years

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.schema import Column

PIECE_BYTES = 16 * 2**20
"""Bytes of Arrow data handled at once: what a file holds in memory, whatever a row weighs."""

_CALENDAR = (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of batches of these columns."""
    return pa.schema([pa.field(c.name, c.type.arrow) for c in columns])


def check_columns(name: str, columns: Sequence[Column]) -> None:
    """Refuse a table that no file can hold.

    Raises
    ------
    ExtractError
        For no columns: neither format says how many rows of nothing there are.
    """
    if not columns:
        raise ExtractError(
            f"{name}: the table stores no column, so an extract cannot hold its rows",
            hint="give the table a column, or drop it in the step",
        )


def check_header(name: str, found: Sequence[str], columns: Sequence[Column]) -> None:
    """Compare a file's columns with the declared ones; their order is free.

    Raises
    ------
    ExtractError
        Naming every column that is missing, extra or there twice.
    """
    declared = [c.name for c in columns]
    problems = [
        *(f"column {n!r} twice" for n in sorted({n for n in found if found.count(n) > 1})),
        *(f"no column {n!r}" for n in declared if n not in found),
        *(f"an extra column {n!r}" for n in dict.fromkeys(found) if n not in declared),
    ]
    if problems:
        raise ExtractError(
            f"{name} has {', '.join(problems)}",
            hint=f"its columns are declared as: {', '.join(declared)}",
        )


def check_batch(where: str, batch: pa.RecordBatch, columns: Sequence[Column]) -> None:
    """Check types, UTF-8, digits of decimals, hours of times, and years 1 to 9999.

    Raises
    ------
    ExtractError
        Naming the column; nothing of the batch is to be used then.
    """
    if not batch.schema.equals(arrow_schema(columns)):
        raise ExtractError(f"{where}: {batch.schema} is not what is declared")
    for column, array in zip(columns, batch.columns, strict=True):
        try:
            array.validate(full=True)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise ExtractError(f"{where} {column.name}: {_first_line(error)}") from error
        if (
            not column.type.as_text
            and column.type.kind in _CALENDAR
            and pc.any(outside_years(array)).as_py()
        ):
            raise ExtractError(f"{where} {column.name}: is not in the years 0001 to 9999")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def pieces(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """Cut a batch to at most `rows` rows and about `PIECE_BYTES`, at least one row."""
    if not batch.num_rows:
        return
    heavy = -(-batch.nbytes // PIECE_BYTES)
    step = max(1, min(rows, batch.num_rows // max(1, heavy)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)
