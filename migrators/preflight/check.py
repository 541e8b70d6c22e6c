"""Asks everything of the live old database, in one snapshot, and puts the answer together."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from migrators import drift
from migrators.events import StageDone, StageStarted, TableDone
from migrators.plan import lints
from migrators.preflight import (
    access,
    collated,
    crossing,
    demands,
    drifted,
    losses,
    references,
    rights,
    room,
    ruled,
    single,
    stored,
    unique,
    unproven,
    wording,
)
from migrators.preflight.found import Found
from migrators.preflight.model import Check, Fault, Unproven, ordered
from migrators.preflight.rows import Asker, of_table
from migrators.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from migrators.backends.interface import Backend, Catalog
    from migrators.drift import Fresh
    from migrators.events import Emit
    from migrators.plan.model import Plan, TablePlan


def check(
    plan: Plan,
    old: Backend,
    new: Backend,
    scratch: Path,
    emit: Emit,
    *,
    show_values: bool = False,
    runs: Path | None = None,
    later: Sequence[Plan] = (),
    fresh: Fresh | None = None,
) -> Check:
    """Say what migrating the live old database would meet; change nothing.

    Parameters
    ----------
    plan : Plan
    old, new : Backend
        `old` is read; `new` is asked for its free space and what its kind demands.
    scratch : Path
        A private directory (0700) for a scratch database and private copies.
    emit : Emit
    show_values : bool
        Beside keys; they may be personal data.
    runs : Path, optional
        Where extracts will be; `scratch` unless given.
    later : sequence of Plan
        Further steps of a chain: rights must have somewhere to go in each.
    fresh : drift.Fresh, optional
        `drift.fresh_catalog` in `scratch` unless given.

    Raises
    ------
    DatabaseError
        The old database is missing, corrupt or cannot be read at all.
    Locked
        A writer holds it.
    """
    began = time.monotonic()
    fresh = fresh or partial(drift.fresh_catalog, scratch_dir=scratch)
    emit(StageStarted("check", total=len(plan.tables)))
    found = Found()
    found.findings += crossing.lints(plan, tuple(lints(plan.new, old, new)))
    missing = rights.findings(plan, old, new)
    if missing:  # nothing more can be asked
        return Check((), tuple(missing), time.monotonic() - began, bool(plan.losses))
    catalog = fresh(drift.ground(old, new), plan.old)
    is_drifted = _drift(plan, old, catalog, found, scratch)
    found.ok.append(wording.accounted(plan))
    found.findings += crossing.unmakeable(plan, old, new, fresh, found.findings)
    access.look([plan, *later], old, new, fresh, found)
    with old.snapshot(scratch) as snapshot:
        asker = Asker(plan, old, new, snapshot, show_values)
        with found.tolerant("what is beside the schema", drifted=is_drifted):
            found.findings += drifted.beside(asker, catalog)
        _ask(asker, scratch, found, emit, drifted=is_drifted)
    _room(plan, old, new, runs or scratch, found)
    found.findings += unproven.findings(plan, found.unproven)
    emit(StageDone("check", seconds := time.monotonic() - began))
    return Check(tuple(found.ok), ordered(found.findings), seconds, bool(plan.losses))


def _ask(asker: Asker, scratch: Path, found: Found, emit: Emit, *, drifted: bool) -> None:
    """Ask all that the rows can answer, table by table."""
    _stored(asker, found, drifted=drifted)
    _rules(asker, scratch, found, drifted=drifted)
    with found.tolerant("what is lost", drifted=drifted):
        found.findings += losses.counted(asker)
    for table in asker.plan.tables:
        _table(asker, table, found, drifted=drifted)
        emit(TableDone("check", table.name, 0))


def _drift(plan: Plan, old: Backend, fresh: Catalog, found: Found, scratch: Path) -> bool:
    """Say what the database has otherwise; return whether its schema cannot be relied on."""
    old.require_sound()
    differences = drift.compare(old.catalog(), fresh)
    holding = drift.holding(differences, old, scratch)
    found.findings += drifted.findings(plan, old, differences, holding)
    alembic, notes = drifted.alembic(plan, old)
    found.findings += notes
    if not holding and all(d.additive for d in differences):
        found.ok.append(f"{wording.short(old.database)} is schemas/{plan.old.path.name}{alembic}")
    return not all(d.additive for d in differences)


def _stored(asker: Asker, found: Found, *, drifted: bool) -> None:
    before = len(found.findings)
    for table in stored.tables(asker.plan):
        with found.tolerant(table, drifted=drifted):
            for column, finding in stored.findings(asker, table):
                found.findings.append(finding)
                found.unread.setdefault(table, set()).add(column)
    if len(found.findings) == before:
        found.ok.append("every stored value is of its declared type")


def _rules(asker: Asker, scratch: Path, found: Found, *, drifted: bool) -> None:
    """Run the rules of all tables; say how many columns they fill."""
    before = len(found.findings)
    columns = 0
    with found.tolerant("lookups", drifted=drifted):
        maps, broken = ruled.maps(asker.plan, asker, scratch)
        for table in asker.plan.tables:
            lookup = table.lookup is not None
            columns += len({o.column for p in table.parts for o in ruled.ruled(p, lookup=lookup)})
            for asked in (ruled.faults, crossing.faults, collated.faults):
                with found.tolerant(table.name, drifted=drifted):
                    of = ruled.readable(table, found.unread) if asked is ruled.faults else table
                    faults = list(asked(asker, of, maps, broken))
                    found.faults(faults, asker.plan.new.version)
    if columns and len(found.findings) == before:
        found.ok.append(f"rules take every value: {wording.counted(columns, 'columns')}")


def _table(asker: Asker, table: TablePlan, found: Found, *, drifted: bool) -> None:
    with found.tolerant(table.name, drifted=drifted):
        said = list(_asked(asker, table, drifted=drifted))
        found.faults([x for x in said if isinstance(x, Fault)], asker.plan.new.version)
        found.unproven += [x for x in said if isinstance(x, Unproven)]


def _asked(asker: Asker, table: TablePlan, *, drifted: bool) -> Iterator[Fault | Unproven]:
    parts = of_table(asker, table)
    yield from unproven.of_functions(table)
    yield from unproven.of_generated(asker.plan, table, asker.old, asker.new)
    for rows in parts:
        if rows.part.projection is not None and rows.part.explodes is None:
            yield from demands.faults(asker, rows)
        yield from demands.check_faults(asker, rows)
        yield from single.faults(asker, rows)
    yield from unique.faults(asker, table, parts, drifted=drifted)
    yield from references.faults(asker, table, parts)


def _room(plan: Plan, old: Backend, new: Backend, runs: Path, found: Found) -> None:
    seen = survey(plan, old, new, runs)
    found.findings += room.findings(seen)
    found.ok += room.fine(seen)
