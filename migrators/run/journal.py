"""What a run's journal says besides its stages: what was asked, of which steps, table by table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrators.events import TableDone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrators.events import Emit, Event
    from migrators.plan.model import Plan
    from migrators.run.directory import RunDirectory
    from migrators.run.options import Options

_KEPT = ("extract", "load")
"""Stages whose tables are on disk, one by one, when they are done."""


def asked(options: Options) -> dict[str, Any]:
    """Return the flags of a run as plain data."""
    until = options.until
    return asdict(options) | {"until": until.isoformat() if until else None}


def said(plans: Iterable[Plan]) -> Iterator[dict[str, str]]:
    """Yield each step's digest, and those of the schemas it lies between."""
    for plan in plans:
        yield {
            "step": plan.name,
            "digest": plan.digest,
            "old": plan.old.fingerprint,
            "new": plan.new.fingerprint,
        }


def journalled(run: RunDirectory, emit: Emit) -> Emit:
    """Return an `emit` by which the journal names every table that is extracted or loaded."""

    def told(event: Event) -> None:
        if isinstance(event, TableDone) and event.stage in _KEPT:
            run.say("table", stage=event.stage, table=event.table, rows=event.rows)
        emit(event)

    return told
