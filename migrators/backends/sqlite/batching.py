"""How many rows ADBC may hold at a time: it counts rows, and memory is bytes.

So where values may be long, their lengths are asked for first. That is a scan more of these
columns, and only where the file holds more than a batch may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.sqlite import sql
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.backends.interface import ReadQuery
    from migrators.backends.sqlite.scan import Scan

BYTES = 16 * 2**20
"""Of long values in a batch."""
_LONG = 4_096
"""Bytes, from which on a value counts: 16,384 shorter ones are at most 64 MB, and no column
of a database in use is all of them."""
_MOST_ROWS, _FEWEST_ROWS, _CELLS = 16_384, 4_096, 2**22
"""Of a batch: rows at most (twice as many take no less time), 32 MB of numbers, and of very wide
tables still enough rows."""
_LEAST = 8
"""Rows, however long one of them is: a row at a time takes hours for millions."""
_OPEN_ENDED = frozenset({Kind.TEXT, Kind.JSON, Kind.BINARY, Kind.ARRAY, Kind.NATIVE})


def batch_rows(reading: Scan, rows: Callable[[str], list[tuple[Any, ...]]], size: int) -> int:
    """Return how many rows of a query one batch may have.

    Parameters
    ----------
    rows : callable
        SQL → its rows: `Snapshot.rows`.
    size : int
        Bytes of the database.
    """
    most = max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // len(reading.types)))
    lengths = _lengths(reading.query)
    if not lengths or size <= BYTES:
        return most
    long = f"CASE WHEN n > {_LONG} THEN n ELSE 0 END"
    asked = f"SELECT sum({long}), max(n) FROM (SELECT {lengths} AS n FROM ({reading.query.sql}))"
    together, longest = (int(n or 0) for n in rows(asked)[0])
    if together <= BYTES:
        return most
    return min(most, max(_LEAST, BYTES // longest))


def _lengths(query: ReadQuery) -> str:
    """SQL: bytes of a row's values that may be long, texts counted by characters."""
    open_ended = [c for c in query.columns if c.type.kind in _OPEN_ENDED and c.type.length is None]
    return " + ".join(f"coalesce(length({sql.name(c.name)}), 0)" for c in open_ended)
