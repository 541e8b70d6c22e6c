"""What the live old database has otherwise than its schema, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators import drift
from migrators.preflight import wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from migrators.backends.interface import Backend, Catalog
    from migrators.drift import Difference
    from migrators.plan.model import Plan
    from migrators.preflight.rows import Asker


def beside(asker: Asker, fresh: Catalog) -> list[Finding]:
    """Return a STOP for tables with rows that no step can read, and that nothing fills anew."""
    plan, kind = asker.plan, asker.new.name
    found = drift.filled(drift.beside(fresh, plan.old), asker.old, asker.snapshot)
    lost = drift.unfilled(found, plan.new, kind)
    if not lost:
        return []
    title = f"rows would be left behind: only SQL beside schemas/{plan.old.path.name} makes "
    return [
        Finding(
            "STOP",
            f"{title}{', '.join(lost)}",
            ("no step can read what the schema module does not declare",),
            mend=(
                f"declare it in schemas/{plan.old.path.name}, and not in the SQL beside it, or",
                f"fill it in schemas/{plan.new.path.stem}.after.{kind}.sql:  INSERT INTO ...",
            ),
        )
    ]


def findings(
    plan: Plan, old: Backend, found: Sequence[Difference], holding: Collection[Difference]
) -> list[Finding]:
    """Return a STOP for drift and for unknown data, a note for what holds none.

    Parameters
    ----------
    holding : collection of Difference
        Those of the additions that have rows or values.
    """
    added = drift.additions(found)
    said = [
        _drift(plan, old, [d for d in found if not d.additive]),
        _unknown(plan, old, [d for d in added if d in holding]),
        _more(plan, old, [d for d in added if d not in holding]),
    ]
    return [finding for finding in said if finding is not None]


def alembic(plan: Plan, old: Backend) -> tuple[str, list[Finding]]:
    """Compare Alembic's revision with the frozen ones; nothing where Alembic is not used.

    Returns
    -------
    said : str
        What is well, to follow on "shop_v2 is schemas/v2.py".
    findings : list of Finding
        Notes: Alembic's table is never drift.
    """
    heads, frozen = ", ".join(old.alembic_heads()), plan.old.alembic_head or ""
    if not heads and not frozen:
        return "", []
    notes = [] if plan.new.alembic_head else [_no_head(plan)]
    if heads == frozen:
        return f"; Alembic at {heads}, as frozen", notes
    was = f"was frozen at {frozen}" if frozen else "names no revision"
    title = f"Alembic is at {heads or 'no revision'}; schemas/{plan.old.path.name} {was}"
    url = old.url.render_as_string(hide_password=True)
    again = f"migrate freeze {plan.old.version} --from {url}     takes it in"
    return "", [Finding("note", title, mend=(again,)), *notes]


def _no_head(plan: Plan) -> Finding:
    file, version = f"schemas/{plan.new.path.name}", plan.new.version
    return Finding(
        "note",
        f"{file} names no alembic_head: Alembic would begin at its first revision in the new one",
        mend=(f'alembic_head = "REVISION"     in {file}: the one that makes schema {version}',),
    )


def _drift(plan: Plan, old: Backend, found: Sequence[Difference]) -> Finding | None:
    if not found:
        return None
    title = f"{wording.short(old.database)} is not schemas/{plan.old.path.name}"
    mend = drift.mends(found, plan.old, old.name)
    return Finding("STOP", title, tuple(str(d) for d in found), mend=mend)


def _unknown(plan: Plan, old: Backend, found: Sequence[Difference]) -> Finding | None:
    """Rows or values that nobody has said anything about would be lost without a word."""
    if not found:
        return None
    title = (
        f"{wording.short(old.database)} holds what schemas/{plan.old.path.name} does not know of"
    )
    url = old.url.render_as_string(hide_password=True)
    mend = (
        f"migrate freeze {plan.old.version} --from {url}     takes it in",
        f"migrate plan {plan.name}     then says what the step has to say of it",
    )
    return Finding("STOP", title, tuple(d.said for d in found), mend=mend)


def _more(plan: Plan, old: Backend, found: Sequence[Difference]) -> Finding | None:
    if not found:
        return None
    title = f"{wording.short(old.database)} has more than schemas/{plan.old.path.name}"
    return Finding("note", f"{title}: it stays behind", tuple(d.said for d in found))
