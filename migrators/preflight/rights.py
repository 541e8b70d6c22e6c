"""Whether the role that connects may read the old database and make the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators import drift
from migrators.preflight import wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan

_WHO = "an administrator types:"


def findings(plan: Plan, old: Backend, new: Backend) -> list[Finding]:
    """Return what stops everything else from being asked; empty where no right is missing."""
    found = []
    missing = old.unreadable(list(plan.old.tables))
    if missing:
        named = ", ".join(sorted(missing)[: wording.SAMPLES])
        more = (
            f" and {len(missing) - wording.SAMPLES} more" if len(missing) > wording.SAMPLES else ""
        )
        title = f"the role may not read {named}{more} of {wording.short(old.database)}"
        found.append(Finding("STOP", title, (_WHO,), mend=tuple(sorted(missing.values()))))
    # a fresh database of the old one's schema is made, too, to compare with
    there = new.unmakeable()
    made = tuple(dict.fromkeys((*drift.ground(old, new).unmakeable(), *there)))
    if made:
        beside = wording.short((new if there else old).database)
        title = f"the role may not make databases beside {beside}"
        found.append(Finding("STOP", title, (_WHO,), mend=made))
    return found
