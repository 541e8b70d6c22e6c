"""Rules, run for real over the old rows: what they refuse, and what their results break.

JSON is parsed on the way. Only the columns that this reads are streamed; nothing is written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migrators.errors import ValueRefused
from migrators.extract.evaluate import evaluate
from migrators.extract.maps import read_maps
from migrators.extract.refuse import key_texts
from migrators.plan.model import Apply, Read, Widen
from migrators.preflight import wording
from migrators.preflight.model import Fault
from migrators.step.keys import DerivedKey, LookupId
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from migrators.extract.evaluate import Refusal
    from migrators.plan.model import Node, Output, Part, Plan, TablePlan
    from migrators.preflight.rows import Asker

_NULL, _JSON = "is NULL in a NOT NULL column", "is not JSON"  # as `types.fit` says it


@dataclass
class _Tally:
    """Refusals of one part, added up."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, part: Part, batch: pa.RecordBatch, refusal: Refusal) -> None:
        at = (refusal.column, refusal.reason)
        self.counts[at] += len(refusal.rows)
        room = wording.SAMPLES - len(self.samples[at])
        if room > 0 and part.query.key:
            self.samples[at] += key_texts(part, batch, refusal.rows[:room].to_pylist())


def maps(plan: Plan, asker: Asker, scratch: Path) -> tuple[dict[str, Any], set[str]]:
    """Return what rules have to know, and the lookups whose own values are refused.

    Parameters
    ----------
    scratch : Path
        Takes the throw-away secret of random keys.

    Raises
    ------
    ValueRefused
        Keys could not be read.
    """
    broken: set[str] = set()
    while True:
        kept = tuple(t for t in plan.tables if t.name not in broken)
        try:
            found = read_maps(replace(plan, tables=kept), asker.snapshot, scratch / "secret")
        except ValueRefused as refused:
            lookups = {t.name for t in kept if t.lookup is not None}
            broken |= {refused.table} & lookups or lookups
            if not lookups:
                raise
        else:
            return found, broken


def faults(
    asker: Asker, table: TablePlan, maps: Mapping[str, Any], broken: set[str]
) -> Iterator[Fault]:
    """Yield what rules refuse of a new table's rows, and what will not fit of their results.

    Raises
    ------
    ValueRefused
        A stored value could not be read; `stored` says so in full.
    """
    for part in table.parts:
        narrow = narrowed(part, broken, lookup=table.lookup is not None)
        if narrow is not None:
            yield from _part(asker, table, narrow, maps)


def ruled(part: Part, *, lookup: bool = False) -> tuple[Output, ...]:
    """Return the outputs of a part that rules compute; of a lookup's part all."""
    if part.function is not None:
        return ()
    return tuple(o for o in part.outputs if lookup or any(map(_runs, _applied(o.node))))


def _evaluated(part: Part, *, lookup: bool) -> tuple[Output, ...]:
    """Return what is run: what rules compute, JSON, and all of rows that a list makes."""
    if part.function is not None:
        return ()
    if part.explodes is not None:
        return part.outputs
    made = ruled(part, lookup=lookup)
    return tuple(o for o in part.outputs if o in made or o.type.kind is Kind.JSON)


def _runs(node: Apply) -> bool:
    return not isinstance(node.rule, DerivedKey)  # it takes every integer


def _applied(node: Node) -> Iterator[Apply]:
    if isinstance(node, Widen):
        yield from _applied(node.of)
    elif isinstance(node, Apply):
        yield node
        for argument in node.args:
            yield from _applied(argument)


def _part(asker: Asker, table: TablePlan, part: Part, maps: Mapping[str, Any]) -> Iterator[Fault]:
    tally = _Tally()
    for batch in asker.snapshot.batches(part.query):
        for refusal in evaluate(part, batch.columns, maps).refusals:
            if refusal.reason != _NULL or _null_counts(table, part, refusal.column):
                tally.add(part, batch, refusal)
    for (column, reason), count in tally.counts.items():
        if count:
            samples = tuple(tally.samples[column, reason])
            yield _fault(asker, table, part, (column, reason, count, samples))


def _null_counts(table: TablePlan, part: Part, column: str) -> bool:
    """Whether NULL is a fault that SQL has not found; of a lookup it is no value at all."""
    by_sql = column in part.in_sql and part.explodes is None
    return table.lookup is None and not by_sql


def _fault(
    asker: Asker, table: TablePlan, part: Part, found: tuple[str, str, int, tuple[str, ...]]
) -> Fault:
    column, reason, count, samples = found
    how = next((o.how for o in part.outputs if o.column == column), "split")
    name = column if table.lookup is None or column == "split" else table.lookup.key
    return Fault(
        where=f"{table.name}.{name}",
        demand=_demand(how, reason),
        count=count,
        said=f"values refused: {reason}",
        samples=samples,
        mend=wording.correct(asker.plan, part, _lines(column, how, reason)),
    )


def _demand(how: str, reason: str) -> str:
    if reason == _JSON:
        return "is JSON"
    return f"is made by {how}" if how.startswith("rules.") else f"is a {how}"


def _lines(column: str, how: str, reason: str) -> tuple[str, ...]:
    if reason == _NULL:
        return (f"{column}=rules.default(..., <a value>)",)
    if reason.startswith("is longer"):
        return (f"{column}=rules.truncate(..., <length>)",)
    if reason.startswith("is none of"):
        return (f'{column}=rules.enum(..., {{"old label": "new label"}})',)
    if not how.startswith("rules."):
        return ()
    rounded = (f'{column}={how}(..., rounding="half_even")',)
    otherwise = f"{column}={how}(..., otherwise=<a value>)"
    digits = how == "rules.decimal" and reason.startswith("has more digits")
    return (*(rounded if digits else ()), otherwise)


# reading no more than rules need ---------------------------------------------------------


def readable(table: TablePlan, unread: Mapping[str, set[str]]) -> TablePlan:
    """Return a new table without the columns that ask for what cannot be read: that is said.

    Parameters
    ----------
    unread : mapping of old table to columns
    """
    return replace(table, parts=tuple(_readable(part, unread) for part in table.parts))


def _readable(part: Part, unread: Mapping[str, set[str]]) -> Part:
    columns = part.query.columns
    gone = {i for i, c in enumerate(columns) if c.source in unread.get(c.table, ())}
    if not gone or part.function is not None:
        return part
    lost = part.explodes is not None and not gone.isdisjoint(reads(part.explodes))
    outputs = tuple(o for o in part.outputs if not lost and gone.isdisjoint(reads(o.node)))
    key = tuple(k for k in part.query.key if k not in {columns[i].name for i in gone})
    return replace(part, outputs=outputs, query=replace(part.query, key=key))


def narrowed(part: Part, broken: set[str], *, lookup: bool = False) -> Part | None:
    """Return the part with only the outputs that have to be run, and what those read.

    Parameters
    ----------
    broken : set of str
        Lookups that could not be made; what asks them is left out.
    lookup : bool
        Whether it is a part of a lookup, all of whose outputs count.
    """
    return only(part, [o for o in _evaluated(part, lookup=lookup) if not asks(o.node, broken)])


def only(part: Part, outputs: Sequence[Output]) -> Part | None:
    """Return the part with some of its outputs, and what those read; None for no outputs."""
    if not outputs:
        return None
    wanted = {i for o in outputs for i in reads(o.node)}
    labels = {c.name: i for i, c in enumerate(part.query.columns)}
    wanted |= {labels[key] for key in part.query.key}
    explodes = part.explodes
    wanted |= set(reads(explodes)) if explodes is not None else set()
    order = sorted(wanted)
    at = {old: new for new, old in enumerate(order)}
    return replace(
        part,
        query=_selected(part, order),
        outputs=tuple(replace(o, node=_moved(o.node, at)) for o in outputs),
        explodes=_moved(explodes, at) if explodes is not None else None,
    )


def asks(node: Node, lookups: set[str]) -> bool:
    """Whether a node asks one of some lookups."""
    rules = (applied.rule for applied in _applied(node))
    return any(isinstance(rule, LookupId) and rule.lookup in lookups for rule in rules)


def reads(node: Node) -> Iterator[int]:
    """Yield the positions of the columns that a node reads."""
    if isinstance(node, Read):
        yield node.index
    elif isinstance(node, Widen):
        yield from reads(node.of)
    elif isinstance(node, Apply):
        for argument in node.args:
            yield from reads(argument)


def _moved(node: Any, at: Mapping[int, int]) -> Any:
    if isinstance(node, Read):
        return replace(node, index=at[node.index])
    if isinstance(node, Widen):
        return replace(node, of=_moved(node.of, at))
    if isinstance(node, Apply):
        return replace(node, args=tuple(_moved(argument, at) for argument in node.args))
    return node


def _selected(part: Part, order: list[int]) -> Any:
    columns = tuple(part.query.columns[i] for i in order)
    if len(order) == len(part.query.columns):
        return replace(part.query, order_by=())
    names = ", ".join(c.name for c in columns)
    sql = f"SELECT {names} FROM ({part.query.sql}) AS q"
    return replace(part.query, sql=sql, columns=columns, order_by=())
