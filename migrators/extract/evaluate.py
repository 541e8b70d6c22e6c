"""One batch of old rows → one batch of new rows, with what rules changed and refused.

Pure: a part, a batch and the maps in; arrays and counts out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators.plan.model import Apply, Constant, Node, Read, Widen
from migrators.types import fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrators.plan.model import Output, Part


@dataclass(frozen=True, slots=True)
class Refusal:
    """Values of one batch that a column cannot take.

    Attributes
    ----------
    rows : pa.Array of int64
        Positions in the batch that was read.
    values : pa.Array or None
        What stood there, where one column alone is to blame.
    """

    column: str
    reason: str
    rows: pa.Array
    values: pa.Array | None = None


@dataclass(frozen=True)
class Evaluated:
    """New rows of one batch, and what happened on the way.

    Attributes
    ----------
    childless : int
        Old rows that a split made no new row of.
    """

    batch: pa.RecordBatch
    changed: Counter[tuple[str, str]]
    refusals: tuple[Refusal, ...]
    childless: int = 0


@dataclass
class _Batch:
    """Evaluates nodes over one batch, each once."""

    arrays: Sequence[pa.Array]
    rows: int
    maps: Mapping[str, Any]
    exploded: tuple[Apply, pa.Array] | None = None
    parents: pa.Array | None = None
    column: str = ""
    known: dict[int, pa.Array] = field(default_factory=dict)
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    refused: pa.Array | None = None  # rows of the column at hand

    def value(self, node: Node) -> pa.Array:
        if id(node) not in self.known:
            self.known[id(node)] = self._compute(node)
        return self.known[id(node)]

    def _compute(self, node: Node) -> pa.Array:
        if isinstance(node, Read):
            return self.arrays[node.index]
        if isinstance(node, Constant):
            return pa.repeat(pa.scalar(node.value, node.type.arrow), self.rows)
        if isinstance(node, Widen):
            return self._widened(node)
        if self.exploded is not None and node == self.exploded[0]:
            return self.exploded[1]
        return self._apply(node)

    def _widened(self, node: Widen) -> pa.Array:
        array = self.value(node.of)
        if fit.widens(node.of.type, node.type):
            return fit.widen(array, node.of.type, node.type)
        outside = fit.out_of_range(array, 64, node.type.unsigned)
        self.refuse(outside, f"is out of the range of {node.type}", array)
        kept = pc.if_else(outside, pa.scalar(None, array.type), array)
        return kept.cast(node.type.arrow)

    def _apply(self, node: Apply) -> pa.Array:
        args = [self.value(argument) for argument in node.args]
        types = [argument.type for argument in node.args]
        outcome = node.rule.apply(args, types, node.target, self.maps)
        if outcome.changed is not None:
            count = pc.sum(outcome.changed).as_py() or 0
            self.changed[self.column, node.rule.name] += count
        if outcome.refused is not None:
            self.refuse(outcome.refused, outcome.reason, args[0] if args else None)
        return outcome.values

    def refuse(self, mask: pa.Array, reason: str, values: pa.Array | None = None) -> None:
        rows = pc.indices_nonzero(mask).cast(pa.int64())
        if len(rows):
            mask = mask.fill_null(False)
            self.refused = mask if self.refused is None else pc.or_(self.refused, mask)
            seen = values.take(rows) if values is not None else None
            rows = rows if self.parents is None else self.parents.take(rows)
            self.refusals.append(Refusal(self.column, reason, rows, seen))

    def output(self, output: Output) -> pa.Array:
        self.column, self.refused = output.column, None
        array = self.value(output.node)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        gone = self.refused  # a refused value is NULL here, and said already
        for reason, mask in _misfits(array, output):
            self.refuse(mask if gone is None else pc.and_not(mask, gone), reason, array)
        return array


def _misfits(array: pa.Array, output: Output) -> Iterator[tuple[str, pa.Array]]:
    yield from fit.misfits(array, output.type, output.nullable)
    if output.type.is_text:
        yield "has a NUL character: rules.scrub(...) takes it out", fit.has_nul(array)


def evaluate(part: Part, arrays: Sequence[pa.Array], maps: Mapping[str, Any]) -> Evaluated:
    """Compute the new rows of one batch.

    Parameters
    ----------
    part : Part
    arrays : sequence of pa.Array
        The query's columns, or, of a part with a function, the function's (`part.made`).
    maps : mapping
        Lookups and key maps by name; see `Rule.apply`.

    Returns
    -------
    Evaluated
        Its batch is whole even where values were refused; the caller must not keep it.
    """
    rows = len(arrays[0]) if arrays else 0
    work = _Batch(arrays, rows, maps)
    if part.explodes is not None:
        work = _exploded(work, part.explodes)
    made = [work.output(output) for output in part.outputs]
    fields = [pa.field(o.column, o.type.arrow) for o in part.outputs]
    batch = pa.RecordBatch.from_arrays(made, schema=pa.schema(fields))
    childless = 0 if work.parents is None else rows - len(pc.unique(work.parents))
    return Evaluated(batch, work.changed, tuple(work.refusals), childless)


def _exploded(work: _Batch, node: Apply) -> _Batch:
    """Return a batch of one row per element of the list that `node` gives."""
    work.column = "split"
    lists = work.value(node)
    parents = pc.list_parent_indices(lists)
    elements = pc.list_flatten(lists)
    arrays = [array.take(parents) for array in work.arrays]
    return _Batch(
        arrays,
        len(elements),
        work.maps,
        (node, elements),
        parents.cast(pa.int64()),
        changed=work.changed,
        refusals=work.refusals,
    )
