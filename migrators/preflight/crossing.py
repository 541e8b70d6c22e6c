"""Values that the new database would not hold exactly, because it is of another kind.

The new rows are made as the extract makes them, of the columns concerned alone, and compared
with what a column holds there: by the very limits that refuse them at the load.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators import drift
from migrators.errors import DatabaseError, NotHeld
from migrators.extract.evaluate import evaluate
from migrators.extract.refuse import key_texts
from migrators.plan.model import Read
from migrators.preflight import ruled, wording
from migrators.preflight.model import Fault, Finding
from migrators.types import Kind
from migrators.types.limits import NONE, Limits, beyond

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrators.backends.interface import Backend
    from migrators.drift import Fresh
    from migrators.plan.model import Output, Part, Plan, TablePlan
    from migrators.preflight.rows import Asker


@dataclass
class Tally:
    """Rows of one part, by column and reason, with the names of the first of them."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, part: Part, batch: pa.RecordBatch, at: tuple[str, str], rows: pa.Array) -> None:
        """Count rows of a batch; a row that a list made has no name of its own."""
        self.counts[at] += len(rows)
        room = wording.SAMPLES - len(self.samples[at])
        if room > 0 and part.query.key and part.explodes is None:
            self.samples[at] += key_texts(part, batch, rows[:room].to_pylist())


def faults(
    asker: Asker, table: TablePlan, maps: Mapping[str, Any], broken: set[str]
) -> Iterator[Fault]:
    """Yield what the new database would not hold of a new table's rows."""
    for part in table.parts:
        if part.function is not None:
            continue
        limits = {o.column: _limits(asker, table, part, o) for o in part.outputs}
        held = [o for o in part.outputs if limits[o.column] == NONE or ruled.asks(o.node, broken)]
        bound = [o for o in part.outputs if o not in held]
        concerned = [o for o in bound if any(True for _ in ruled.reads(o.node))]
        fixed = [o for o in bound if o not in concerned]
        yield from _constants(asker, table, replace(part, outputs=tuple(fixed)), limits, maps)
        narrow = ruled.only(part, concerned)
        if narrow is not None:
            yield from _part(asker, table, narrow, limits, maps)


def unmakeable(
    plan: Plan, old: Backend, new: Backend, fresh: Fresh, found: Sequence[Finding]
) -> list[Finding]:
    """Return why another kind of database does not take the new schema: it is made there once.

    SQL that one kind wrote (of a CHECK, a default, a computed column) may be none of another's.

    Parameters
    ----------
    found : sequence of Finding
        Where one of them stops the migration already, nothing is made.
    """
    stopped = any(finding.level == "STOP" for finding in found)
    if new.name == old.name or stopped or not drift.is_free(new):
        return []
    try:
        fresh(new, plan.new)
    except DatabaseError as error:
        file = f"schemas/{plan.new.path.name}"
        title = f"{wording.short(new.database)} cannot be made as {file} says"
        return [Finding("STOP", title, (str(error),), mend=(f"edit {file}",))]
    return []


def lints(plan: Plan, said: tuple[str, ...]) -> list[Finding]:
    """Return what the new database cannot hold at all: types, and names."""
    where = f"schemas/{plan.new.path.name}"
    return [Finding("STOP", f"{where}: {sentence}", mend=(f"edit {where}",)) for sentence in said]


def _constants(
    asker: Asker,
    table: TablePlan,
    part: Part,
    limits: Mapping[str, Limits],
    maps: Mapping[str, Any],
) -> Iterator[Fault]:
    """Yield which values that each row gets alike are not held, where there are any rows."""
    one = [pa.nulls(1)]
    made = evaluate(replace(part, explodes=None), one, maps).batch
    found = [
        (o.column, reason)
        for o in part.outputs
        for reason, _ in beyond(made[o.column], o.type, limits[o.column])
    ]
    rows = found and asker.snapshot.rows(f"SELECT count(*) FROM ({part.query.sql}) AS q")
    count = int(rows[0][0]) if rows else 0
    for column, reason in found if count else ():
        yield Fault(
            where=f"{table.name}.{column}",
            demand=f"is held by {wording.short(asker.new.database)}",
            count=count,
            said=_said(reason),
            mend=(
                f"give it another value in {wording.place(asker.plan, part)}",
                *_wider(asker),
            ),
        )


def _part(
    asker: Asker,
    table: TablePlan,
    part: Part,
    limits: Mapping[str, Limits],
    maps: Mapping[str, Any],
) -> Iterator[Fault]:
    tally = Tally()
    for seen, made in _evaluated(asker, part, maps):
        for output in part.outputs:
            if output.column not in made.schema.names:
                continue
            for reason, mask in beyond(made[output.column], output.type, limits[output.column]):
                tally.add(part, seen, (output.column, reason), pc.indices_nonzero(mask))
    for (column, reason), count in tally.counts.items():
        samples = tuple(tally.samples[column, reason])
        yield _fault(asker, table, part, (column, reason), count, samples)


def _evaluated(
    asker: Asker, part: Part, maps: Mapping[str, Any]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield batches as read and as made, without columns that only text holds.

    Of those `stored` has said whether the new database takes them.
    """
    left: Part | None = part
    while left is not None:
        try:
            for batch in asker.snapshot.batches(left.query):
                yield batch, evaluate(left, batch.columns, maps).batch
        except NotHeld as refused:
            at = {i for i, c in enumerate(left.query.columns) if c.name in refused.labels}
            kept = [o for o in left.outputs if not at & set(ruled.reads(o.node))]
            left = ruled.only(left, kept) if at else None
        else:
            return


def _limits(asker: Asker, table: TablePlan, part: Part, output: Output) -> Limits:
    """Return the limits that nothing else has asked for, and that the old column had not."""
    columns = asker.plan.new.metadata.tables[table.name].c
    new = asker.new.limits(columns[output.column].type)
    read = wording.carried_from(part, output.column)
    if read is not None and read.table in asker.plan.old.metadata.tables:
        old = asker.plan.old.metadata.tables[read.table].c[read.source].type
        if asker.old.limits(old) == new and isinstance(output.node, Read):
            return NONE
    return _further(asker, part, output, new)


def _further(asker: Asker, part: Part, output: Output, limits: Limits) -> Limits:
    """Leave out what the declared type says by itself: `demands` and `ruled` ask that."""
    declared = output.type
    if limits.characters is not None and limits.characters == declared.length:
        limits = replace(limits, characters=None)
    if limits.bytes is not None and declared.kind is Kind.BINARY and not limits.padded:
        limits = replace(limits, bytes=None if limits.bytes == declared.length else limits.bytes)
    if declared.kind is Kind.INTEGER and (limits.low, limits.high) == declared.range:
        limits = replace(limits, low=None, high=None)
    if limits.digits is not None and 0 < declared.precision <= limits.digits:
        limits = replace(limits, digits=None)
    if not limits.nul and output.column in part.in_sql and part.projection is not None:
        limits = replace(limits, nul=_asked_for_nul(asker, output, part))
    return limits


def _asked_for_nul(asker: Asker, output: Output, part: Part) -> bool:
    labelled = {c.name: c for c in part.projection.selected_columns}  # type: ignore[union-attr]
    return asker.old.has_nul(labelled[output.column]) is not None


def _fault(
    asker: Asker,
    table: TablePlan,
    part: Part,
    at: tuple[str, str],
    count: int,
    samples: tuple[str, ...],
) -> Fault:
    column, reason = at
    return Fault(
        where=f"{table.name}.{column}",
        demand=f"is held by {wording.short(asker.new.database)}",
        count=count,
        said=_said(reason),
        samples=samples,
        mend=_mends(asker, table, part, column, _lines(part, column, reason)),
    )


def _mends(
    asker: Asker, table: TablePlan, part: Part, column: str, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what to type: rules of a step, or a wider type there."""
    mapping = wording.mapping(table, part)
    lines = tuple(mapping + wording.values(column, value) for value in values)
    return (
        *wording.correct(asker.plan, part, lines),
        *_wider(asker),
    )


def _wider(asker: Asker) -> tuple[str, ...]:
    return (
        f"or declare in schemas/{asker.plan.new.path.name} a type that holds them there:",
        f'  .with_variant(..., "{asker.new.name}")',
    )


def _said(reason: str) -> str:
    """Return "rows are NaN" for "is NaN", "rows have a NUL character" for "has a …"."""
    first, _, rest = reason.partition(" ")
    several = {"is": "are", "has": "have", "ends": "end"}.get(first, first)
    return f"rows {several} {rest}"


def _lines(part: Part, column: str, reason: str) -> tuple[str, ...]:
    old = wording.origin(part, column)
    if reason.startswith("is longer than") and reason.endswith("characters"):
        return (f"rules.truncate({old}, {reason.split()[3]})",)
    if "NUL" in reason:
        return (f"rules.scrub({old})",)
    if reason.startswith("is -0.0"):
        return (f"{old} + 0.0",)
    if "NaN" in reason or "not a number" in reason:
        odd = '"nan"', '"inf"', '"-inf"'
        shown = odd if "infinite" in reason else odd[:1]
        return (f"rules.null_if({old}, {', '.join(f'float({x})' for x in shown)})",)
    if reason.startswith("ends with spaces"):
        return (f"rules.trim({old})",)
    if "digits of a second" in reason:
        return ()
    if "four bytes" in reason:
        return (f'rules.replace({old}, "...", "...")',)
    return ()
