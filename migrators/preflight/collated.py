"""Texts that the new database's keys take for one: `Anna` and `anna`, `e` and `é`.

The old database tells them apart. Rows are kept as 64-bit digests of what the new one
compares by; those that share one are read again, and compared in full.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from migrators.extract.evaluate import evaluate
from migrators.extract.refuse import key_texts
from migrators.preflight import ruled, wording
from migrators.preflight.model import Fault
from migrators.types.text import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from migrators.plan.model import Part, TablePlan
    from migrators.preflight.rows import Asker

Compare = dict[str, "Callable[[list[str]], list[Any]]"]
"""What tells texts apart, by column; a column that is not there compares by bytes."""
Same = tuple[Any, ...]


def faults(
    asker: Asker, table: TablePlan, maps: Mapping[str, Any], broken: set[str]
) -> Iterator[Fault]:
    """Yield keys of a new table that several rows would share there, though not here."""
    declared = asker.plan.new.tables[table.name]
    keys = [(columns, "UNIQUE") for columns in declared.uniques]
    if declared.primary_key:
        keys.insert(0, (declared.primary_key, "PRIMARY KEY"))
    for columns, kind in keys:
        compare = _compare(asker, table.name, columns)
        parts = [p for p in (_narrow(p, columns, broken) for p in table.parts) if p is not None]
        if compare and parts and len(parts) == len(table.parts):
            yield from _one(asker, table, parts, maps, (columns, kind, compare))


def _compare(asker: Asker, table: str, columns: Sequence[str]) -> Compare:
    """Ask the new database; nothing where the old one compares alike."""
    declared = asker.plan.new.tables[table]
    found: Compare = {}
    for name in columns:
        there = asker.plan.new.metadata.tables[table]
        if not declared.column[name].type.is_text or asker.old.name == asker.new.name:
            continue
        tells = asker.new.same_text(there, name)
        if tells is not None:
            found[name] = tells
    return found


def _narrow(part: Part, columns: Sequence[str], broken: set[str]) -> Part | None:
    """Return a part with the columns of a key alone; None where it cannot be asked."""
    outputs = [o for o in part.outputs if o.column in columns]
    asking = any(ruled.asks(o.node, broken) for o in outputs)
    reading = any(True for o in outputs for _ in ruled.reads(o.node))
    return ruled.only(part, outputs) if reading and not asking and not part.function else None


def _one(
    asker: Asker,
    table: TablePlan,
    parts: Sequence[Part],
    maps: Mapping[str, Any],
    key: tuple[Sequence[str], str, Compare],
) -> Iterator[Fault]:
    columns, kind, compare = key
    shared = _shared(asker, parts, maps, columns, compare)
    if not len(shared):
        return
    rows = _groups(asker, parts, maps, (columns, compare), set(shared.tolist()))
    groups = [names for names in rows.values() if len(names) > 1]
    if groups:
        several = f"{table.name} ({', '.join(columns)})"
        yield Fault(
            where=several if len(columns) > 1 else f"{table.name}.{columns[0]}",
            demand=f"is {kind}",
            count=sum(map(len, groups)),
            said=f"rows share a value as {wording.short(asker.new.database)} compares texts",
            samples=tuple(" = ".join(names[:3]) for names in groups[: wording.SAMPLES]),
            mend=(
                *wording.correct(asker.plan, parts[0], ()),
                f"or declare in schemas/{asker.plan.new.path.name} a collation that tells them",
                "apart there:",
                f'  .with_variant(sa.String(..., collation="..."), "{asker.new.name}")',
            ),
            groups=len(groups),
        )


def _shared(
    asker: Asker,
    parts: Sequence[Part],
    maps: Mapping[str, Any],
    columns: Sequence[str],
    compare: Compare,
) -> NDArray[np.uint64]:
    """Return the digests that several rows have."""
    digests = [
        np.fromiter((_digest(same) for same in values if same is not None), np.uint64)
        for _, _, values in _read(asker, parts, maps, columns, compare)
    ]
    found, counts = np.unique(
        np.concatenate([*digests, np.empty(0, np.uint64)]), return_counts=True
    )
    return found[counts > 1]


def _groups(
    asker: Asker,
    parts: Sequence[Part],
    maps: Mapping[str, Any],
    key: tuple[Sequence[str], Compare],
    shared: set[int],
) -> dict[Same, list[str]]:
    """Return the names of the rows of each value whose digest is shared."""
    groups: dict[Same, list[str]] = {}
    for part, batch, values in _read(asker, parts, maps, *key):
        for row, same in enumerate(values):
            if same is not None and _digest(same) in shared:
                named = part.explodes is None and part.query.key
                names = key_texts(part, batch, [row]) if named else [f"row {row}"]
                groups.setdefault(same, []).extend(names)
    return groups


def _read(
    asker: Asker,
    parts: Sequence[Part],
    maps: Mapping[str, Any],
    columns: Sequence[str],
    compare: Compare,
) -> Iterator[tuple[Part, pa.RecordBatch, list[Same | None]]]:
    """Yield batches as read, with what each new row is compared by; None for NULL."""
    for part in parts:
        types = {o.column: o.type for o in part.outputs}
        for batch in asker.snapshot.batches(part.query):
            made = evaluate(part, batch.columns, maps).batch
            texts = [to_text(made[c], types[c]).to_pylist() for c in columns]
            yield part, batch, _rows(texts, columns, compare)


def _rows(
    texts: Sequence[list[str | None]], columns: Sequence[str], compare: Compare
) -> list[Same | None]:
    keyed = []
    for values, column in zip(texts, columns, strict=True):
        tells = compare.get(column)
        if tells is None:
            keyed.append(values)
            continue
        distinct = list(dict.fromkeys(v for v in values if v is not None))
        known = dict(zip(distinct, tells(distinct), strict=True))
        keyed.append([None if v is None else known[v] for v in values])
    return [None if None in row else row for row in zip(*keyed, strict=True)]


def _digest(same: Same) -> int:
    made = hashlib.blake2b(repr(same).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(made.digest(), "big")
