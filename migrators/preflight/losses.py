"""What a step declares to lose: the run asks for `--accept-loss`, so it is said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.plan.model import LossPlan, Plan
    from migrators.preflight.rows import Asker


def counted(asker: Asker) -> list[Finding]:
    """Return one note of everything that a step loses, counted in the old database."""
    return _note(asker.plan, [_counted(asker, loss) for loss in asker.plan.losses])


def uncounted(plan: Plan) -> list[Finding]:
    """Return the same of a step whose old database is not there yet."""
    return _note(plan, [loss.why for loss in plan.losses])


def _counted(asker: Asker, loss: LossPlan) -> str:
    if loss.count is None:
        return loss.why
    return f"{loss.why}: {int(asker.snapshot.rows(loss.count)[0][0] or 0):,}"


def _note(plan: Plan, said: Sequence[str]) -> list[Finding]:
    if not said:
        return []
    title = f"{plan.name} loses what schema {plan.new.version} cannot hold; --accept-loss says yes"
    return [Finding("note", title, tuple(said))]
