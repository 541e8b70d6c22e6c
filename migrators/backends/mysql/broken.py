"""Which rows break a key: counted exactly, with sample keys."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from migrators.backends.mysql import connect, sql
from migrators.backends.mysql.feed import RowRefused
from migrators.backends.refusals import SAMPLES, Tally, key_text, shown
from migrators.errors import ValueRefused
from migrators.types import Kind
from migrators.types.fit import not_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection
    from migrators.schema import SchemaVersion, Table

_HINT = "give the rows different values in the step, or leave some of them out"


def duplicates(
    connection: Connection, table: sa.Table, columns: Sequence[str]
) -> ValueRefused | None:
    """Return a refusal of the rows that a unique key makes one, as its collation compares.

    Parameters
    ----------
    columns : sequence of str
        Of the key. A row of which one is NULL equals no other.
    """
    own, place = [sql.name(name) for name in columns], sql.name(table.name)
    whole = " AND ".join(f"{name} IS NOT NULL" for name in own)
    keys = f"SELECT {', '.join(own)} FROM {place} WHERE {whole} GROUP BY {', '.join(own)}"
    doubled = f"({keys} HAVING count(*) > 1) AS d"
    equal = " AND ".join(f"t.{name} = d.{name}" for name in own)
    joined = f"FROM {place} AS t JOIN {doubled} ON {equal}"
    ((count,),) = connect.rows(connection, f"SELECT count(*) {joined}")
    if not count:
        return None
    primary = [c.name for c in table.primary_key.columns] or list(columns)
    cells = [*(f"t.{sql.name(name)}" for name in primary), *(f"t.{name}" for name in own)]
    order = ", ".join(f"d.{name}" for name in own)
    found = connect.rows(
        connection, f"SELECT {', '.join(cells)} {joined} ORDER BY {order} LIMIT {SAMPLES}"
    )
    samples = [_sample(primary, row) for row in found]
    return ValueRefused(
        table.name,
        ", ".join(columns),
        "is there more than once (UNIQUE)",
        count=count,
        samples=samples,
        hint=_HINT,
    )


def _sample(primary: Sequence[str], row: Sequence[Any]) -> tuple[str, str]:
    size = len(primary)
    return key_text(primary, row[:size]), ", ".join(map(shown, row[size:]))


def explained(
    refused: ValueRefused, schema: SchemaVersion, batches: Iterator[pa.RecordBatch]
) -> ValueRefused:
    """Return a refusal with the keys of the rows that the server named by number.

    Parameters
    ----------
    batches : iterator of pa.RecordBatch
        The table's rows, from the first one.
    """
    numbers = getattr(refused, "numbers", ()) if isinstance(refused, RowRefused) else ()
    wanted = list(dict.fromkeys(numbers))[:SAMPLES]
    key = schema.tables[refused.table].primary_key
    if not wanted:
        return _no_json(refused, schema.tables[refused.table], batches)
    if not key:
        return refused
    samples = list(islice(_samples(batches, wanted, key, refused.column), SAMPLES))
    return ValueRefused(
        refused.table,
        refused.column,
        refused.reason,
        count=refused.count,
        samples=samples,
        hint=refused.hint,
    )


def _no_json(
    refused: ValueRefused, table: Table, batches: Iterator[pa.RecordBatch]
) -> ValueRefused:
    """Return a refusal that names the rows, where the CHECK is the one of a JSON column."""
    named = refused.column.rpartition(".")[2]
    column = table.column.get(named)
    if column is None or column.type.kind not in (Kind.ARRAY, Kind.JSON):
        return refused
    tally = Tally(table.name, named, "is not JSON, which is all that the column takes")
    for batch in batches:

        def sample(row: int, batch: pa.RecordBatch = batch) -> tuple[str, str]:
            cells = batch.slice(row, 1).to_pylist()[0]
            keys = [cells[name] for name in table.primary_key]
            return key_text(table.primary_key, keys), shown(cells[named])

        tally.add(not_json(batch[named]), sample)
    return tally.error() if tally.count else refused


def _samples(
    batches: Iterator[pa.RecordBatch], numbers: Sequence[int], key: Sequence[str], column: str
) -> Iterator[tuple[str, str]]:
    passed = 0
    for batch in batches:
        for number in numbers:
            at = number - 1 - passed
            if 0 <= at < len(batch):
                row = batch.slice(at, 1).to_pylist()[0]
                yield key_text(key, [row[name] for name in key]), shown(row.get(column))
        passed += len(batch)
