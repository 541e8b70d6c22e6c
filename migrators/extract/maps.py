"""What has to be read before the tables: lookups' values, and keys without a reverse."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators.errors import MigrateError
from migrators.extract.evaluate import evaluate
from migrators.extract.refuse import refused
from migrators.step.keys import hashed, reverse
from migrators.stream import ahead
from migrators.types import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.backends.interface import Snapshot
    from migrators.plan.model import KeyMapPlan, Part, Plan, TablePlan

_MOST_VALUES = 5_000_000
"""Distinct values a lookup may have: they are held in memory, about 20 bytes each."""


def read_maps(plan: Plan, snapshot: Snapshot, secret: Path) -> dict[str, Any]:
    """Return all maps that the plan's rules need, by name."""
    maps: dict[str, Any] = {}
    if plan.random_keys:
        maps["secret"] = _secret(secret)
    for key_map in plan.key_maps:
        maps[key_map.name] = _unreversed(key_map, snapshot)
    for table in plan.tables:
        if table.lookup is not None:
            maps[table.name] = _lookup(table, snapshot)
    return maps


def _secret(path: Path) -> bytes:
    """Return the run's secret, made once: random keys stay the same when a run goes on."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def _unreversed(plan: KeyMapPlan, snapshot: Snapshot) -> tuple[pa.Array, pa.Array]:
    """UUIDs that were never derived, in byte order, numbered after the highest derived."""
    unknown: list[pa.Array] = []
    highest = 0
    for batch in snapshot.batches(plan.query):
        numbers, derived = reverse(batch.column(0), plan.tag)
        highest = max(highest, pc.max(numbers).as_py() or 0)
        others = pc.and_(pc.invert(derived), pc.is_valid(batch.column(0)))
        unknown.append(batch.column(0).filter(others))
    values = pa.concat_arrays(unknown) if unknown else pa.array([], pa.binary(16))
    values = values.take(pc.sort_indices(values.cast(pa.binary())))
    ids = pa.array(range(highest + 1, highest + 1 + len(values)), pa.int64())
    return values, ids


def _lookup(table: TablePlan, snapshot: Snapshot) -> tuple[pa.Array, pa.Array]:
    found: list[pa.Array] = [pa.array([], pa.string())]
    for part in table.parts:
        with ahead(snapshot.batches(part.query)) as batches:
            for batch in batches:
                found.append(_values(table, part, batch))
                found = _compact(table, found)
    values = pc.unique(pa.concat_arrays(found))
    values = values.take(pc.sort_indices(values))
    return values, _ids(table, values)


def _values(table: TablePlan, part: Part, batch: pa.RecordBatch) -> pa.Array:
    made = evaluate(part, batch.columns, {})
    real = [r for r in made.refusals if "NULL" not in r.reason]
    if real:
        raise refused(table.name, part, None, real[0])
    return made.batch.column(0).drop_null()


def _compact(table: TablePlan, found: list[pa.Array]) -> list[pa.Array]:
    if len(found) < 16:  # noqa: PLR2004  merging each batch would be quadratic
        return found
    values = pc.unique(pa.concat_arrays(found))
    if len(values) > _MOST_VALUES:
        msg = f"{table.name}: more than {_MOST_VALUES:,} distinct values for a lookup"
        raise MigrateError(msg, hint="fill it with step.table(...).query(...) instead")
    return [values]


def _ids(table: TablePlan, values: pa.Array) -> pa.Array:
    assert table.lookup is not None  # noqa: S101
    if table.lookup.id_type.kind is Kind.UUID:
        return hashed(values, table.name)
    return pa.array(range(1, len(values) + 1), pa.int64())
