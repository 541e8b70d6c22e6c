"""What the live old database has otherwise than its schema, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators import drift
from migrators.preflight import wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrators.backends.interface import Backend
    from migrators.drift import Difference
    from migrators.plan.model import Plan


def differences(plan: Plan, old: Backend, scratch: Path) -> list[Difference]:
    """Compare the live catalogue with one freshly built in `scratch`."""
    return drift.compare(old.catalog(), drift.fresh_catalog(type(old), plan.old, scratch))


def findings(plan: Plan, old: Backend, found: Sequence[Difference]) -> list[Finding]:
    """Return a STOP for drift and a note for additions, each naming every object."""
    drifted = tuple(str(d) for d in found if not d.additive)
    said = []
    added = tuple(_addition(d) for d in _outermost([d for d in found if d.additive]))
    name = wording.short(old.database)
    file, version = f"schemas/{plan.old.path.name}", plan.old.version
    if drifted:
        title = f"{name} is not {file}"
        bring = f"bring the database to what {file} says, in release {version};"
        correct = f"or, where the database is right, correct {file}"
        said.append(Finding("STOP", title, drifted, mend=(bring, correct)))
    if added:
        title = f"{name} has more than {file}: it stays behind"
        carry = f"to carry it along: migrate freeze {version}, then say in the step where to"
        said.append(Finding("note", title, added, mend=(carry,)))
    return said


def _outermost(added: Sequence[Difference]) -> list[Difference]:
    """Return additions less those that belong to a table that is itself one."""
    tables = {d.name for d in added if d.kind == "table"}
    return [d for d in added if d.name.split(".", 1)[0] not in tables or d.kind == "table"]


def _addition(difference: Difference) -> str:
    """Say it without the SQL of views and triggers, which may be long."""
    return f"{difference.kind} {difference.name}"
