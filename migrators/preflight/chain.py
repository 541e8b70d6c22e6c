"""The further steps of a chain, whose old databases only the run makes: what can be said now.

Their files are there, their columns accounted for and their schemas such as the new
database holds (`plan` has refused what is not); their rows cannot be asked of anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrators.preflight import losses, wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.plan.model import Plan
    from migrators.preflight.model import Check


def with_later(check: Check, first: Plan, others: Sequence[Plan]) -> Check:
    """Return the check of a chain's first step with what is known of the others."""
    if not others:
        return check
    ok = (*check.ok, *(f"{plan.name} too: {wording.accounted(plan)}" for plan in others))
    lost = [finding for plan in others for finding in losses.uncounted(plan)]
    loses = check.loses or any(plan.losses for plan in others)
    unasked = _unasked(first, others, " --accept-loss" if loses else "")
    return replace(check, ok=ok, findings=(*check.findings, *lost, unasked), loses=loses)


def _unasked(first: Plan, others: Sequence[Plan], flag: str) -> Finding:
    names = _and([plan.name for plan in others])
    whole = f"{first.old.version}to{others[-1].new.version}"
    return Finding(
        "rehearsal",
        f"the rows of {names} were not checked, only those of {first.name}: the databases "
        "that they will read are made by the run",
        mend=(f"migrate {whole} --rehearse{flag}     proves every step, and publishes nothing",),
    )


def _and(names: Sequence[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
