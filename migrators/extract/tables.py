"""The rows of one new table, part after part, as they go into the extract."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from migrators.errors import MigrateError, ValueRefused
from migrators.extract.evaluate import Evaluated, evaluate
from migrators.extract.functions import computed
from migrators.extract.pieces import Pieces
from migrators.extract.refuse import refused
from migrators.receipt import LeftBehind, TableReceipt

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from migrators.backends.interface import ReadQuery, Snapshot
    from migrators.extract.pieces import Idle
    from migrators.plan.model import Part, TablePlan


SEVERAL = "is one value of several that its subquery gives"


@dataclass(frozen=True)
class Done:
    """What a finished table leaves for the manifest.

    Attributes
    ----------
    changed : mapping of (column, rule) to int
        Values that rules changed.
    """

    table: str
    receipts: tuple[TableReceipt, ...]
    changed: Mapping[tuple[str, str], int]

    def facts(self) -> dict[str, Any]:
        """Return it as plain data; see `of`."""
        return {
            "receipts": [asdict(receipt) for receipt in self.receipts],
            "changed": [[*where, count] for where, count in sorted(self.changed.items())],
        }

    @classmethod
    def of(cls, table: str, facts: Mapping[str, Any]) -> Self:
        """Return what plain data says."""
        receipts = tuple(
            TableReceipt(**{**said, "left": tuple(LeftBehind(**x) for x in said["left"])})
            for said in facts["receipts"]
        )
        return cls(table, receipts, {(c, rule): n for c, rule, n in facts["changed"]})


@dataclass
class Rows:
    """Streams the new rows of one table and counts on the way.

    Attributes
    ----------
    counts : mapping of SQL to row
        Answers that are known.
    idle : Idle or None
        Readers that may help; None where there is only one.
    read : int
        Rows read so far of sources whose rows are counted, for the progress display.
    told : int
        As many of them as were told of.
    reading : Part or None
        The part whose rows are being read.
    read_here : int
        Rows of it read so far.
    """

    table: TablePlan
    snapshot: Snapshot
    maps: Mapping[str, Any]
    counts: Mapping[str, tuple[Any, ...]]
    idle: Idle | None = None
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipts: list[TableReceipt] = field(default_factory=list)
    read: int = 0
    told: int = 0
    reading: Part | None = None
    read_here: int = 0

    @property
    def done(self) -> Done:
        """What it leaves, once all batches are through."""
        return Done(self.table.name, tuple(self.receipts), dict(self.changed))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of the new table's stored columns."""
        if self.table.lookup is not None:
            yield self._lookup()
            return
        for part in self.table.parts:
            yield from self._part(part)

    def _part(self, part: Part) -> Iterator[pa.RecordBatch]:
        self.reading = part
        self._require_single(part)
        written = childless = 0
        self.read_here = 0
        for seen, made in self._evaluated(part):
            if made.refusals:
                raise refused(self.table.name, part, seen, made.refusals[0])
            self.changed.update(made.changed)
            self._see(part, seen)
            written += len(made.batch)
            childless += made.childless
            yield made.batch
        receipt = self._receipt(part, self.read_here, written)
        self.receipts.append(_with_childless(receipt, childless))

    def _see(self, part: Part, batch: pa.RecordBatch | None) -> None:
        """Count the rows of a batch that was read; a function's are counted as it takes them."""
        here = len(batch) if batch is not None else 0
        self.read_here += here
        self.read += here if part.accounting is not None else 0

    def _require_single(self, part: Part) -> None:
        for column, sql in part.single:
            count = int(self.snapshot.rows(sql)[0][0])
            if count:
                raise ValueRefused(
                    self.table.name,
                    column,
                    SEVERAL,
                    count=count,
                    hint="say which: order_by(...).limit(1), or one of all: func.min(...)",
                )

    def _evaluated(self, part: Part) -> Iterator[tuple[pa.RecordBatch | None, Evaluated]]:
        if part.function is None:
            yield from self._carried(part)
        else:
            batches = self._given(part)
            for columns in computed(self.table.name, part.function, batches, part.made):
                yield None, evaluate(part, columns, self.maps)

    def _given(self, part: Part) -> Iterator[pa.RecordBatch]:
        for batch in self.snapshot.batches(part.query):
            self._see(part, batch)
            yield batch

    def _carried(self, part: Part) -> Iterator[tuple[pa.RecordBatch, Evaluated]]:
        def read(reader: Snapshot, query: ReadQuery) -> Generator[tuple[pa.RecordBatch, Evaluated]]:
            for batch in reader.batches(query):
                yield batch, evaluate(part, batch.columns, self.maps)

        queries = self.snapshot.pieces(part.query) if self.idle is not None else (part.query,)
        if self.idle is None or len(queries) == 1:
            yield from read(self.snapshot, part.query)
            return
        try:
            yield from Pieces(queries, self.snapshot, self.idle, read).items()
        except ValueRefused:  # of a piece: what is said is to be of the whole table
            for _ in self.snapshot.batches(part.query):
                pass
            raise

    def _receipt(self, part: Part, read: int, written: int) -> TableReceipt:
        source = part.source or "query"
        own = part.accounting is None or part.explodes is not None
        if part.accounting is None:
            return TableReceipt(self.table.name, source, read, written, own_grain=True)
        sql = part.accounting.sql
        row = self.counts[sql] if sql in self.counts else self.snapshot.rows(sql)[0]
        left = tuple(
            LeftBehind(c.text, c.because, int(n or 0))
            for c, n in zip(part.accounting.conditions, row[1:], strict=True)
        )
        expected = int(row[0]) - sum(x.rows for x in left)
        if read != expected:
            msg = (
                f"{source}: {row[0]} rows less {row[0] - expected} left out are {expected}, "
                f"but {read} were read"
            )
            raise MigrateError(msg)
        return TableReceipt(self.table.name, source, int(row[0]), written, left, own_grain=own)

    def _lookup(self) -> pa.RecordBatch:
        plan, (values, ids) = self.table.lookup, self.maps[self.table.name]
        assert plan is not None  # noqa: S101
        columns: dict[str, pa.Array] = {plan.id: ids, plan.key: values}
        for other in plan.others:
            value = getattr(other.node, "value", None)
            columns[other.column] = pa.repeat(pa.scalar(value, other.type.arrow), len(ids))
        self.receipts.append(
            TableReceipt(self.table.name, self.table.origin, len(ids), len(ids), own_grain=True)
        )
        return pa.RecordBatch.from_pydict(columns)


def _with_childless(receipt: TableReceipt, rows: int) -> TableReceipt:
    """Count the rows that `rules.split` made no new row of."""
    if not rows:
        return receipt
    left = LeftBehind("rules.split(...) gives nothing", "nothing to split", rows)
    return replace(receipt, left=(*receipt.left, left))
