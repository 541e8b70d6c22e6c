"""Who may do what with the old tables, and whether all of it has somewhere to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.access import carry
from migrators.preflight import wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.access import Access, Lost, Ways
    from migrators.backends.interface import Backend
    from migrators.backends.model import Catalog
    from migrators.drift import Fresh
    from migrators.plan.model import Plan
    from migrators.preflight.found import Found

_KINDS = {
    "table": ("view", "materialized view", "table"),
    "routine": ("function",),
    "type": ("type",),
    "lone sequence": ("sequence",),
}
"""Of what stands beside the tables and is carried by name: its kinds in a catalogue."""
_SECURED = "row security"


def look(plans: Sequence[Plan], old: Backend, new: Backend, fresh: Fresh, found: Found) -> None:
    """Add what there is to say of access, through all steps of a chain."""
    if not new.same_roles(old):
        return
    access = carried = old.access()
    stops = []
    for step in plans:
        carried, lost = carry(carried, step.ways)
        stops += [_lost(step, each) for each in lost]
    plan = plans[0]
    if missing := new.missing_rights(carried):
        title = "owners and rights cannot be given by the role that connects"
        stops.append(Finding("STOP", title, ("an administrator types:",), mend=missing))
    if carried.secured or any(True for _ in _beside(access, plan.ways)):
        catalog = fresh(new, plans[-1].new)
        stops += _unsecured(plans[-1], carried, catalog)
        found.findings += _ending(access, plan.ways, catalog)
    found.findings += [*stops, *_gone(access, plan.ways)]
    if not stops and (roles := {grant.grantee for grant in carried.grants}):
        found.ok.append(f"what {wording.counted(len(roles), 'roles')} may do has somewhere to go")


def _lost(plan: Plan, lost: Lost) -> Finding:
    return Finding(
        "STOP",
        str(lost),
        mend=(
            f"{lost.line}     in {plan.path.name}, or",
            f'step.grant(new.{lost.new}, like=None, because="...")     for its owner alone',
        ),
    )


def _beside(access: Access, ways: Ways) -> Iterator[tuple[str, str, str]]:
    """Yield what others than the owner may use beside the schema's tables: what, name, role."""
    owners = {(o.on, o.name): o.role for o in access.owners}
    for grant in access.grants:
        place = grant.on, grant.name
        if grant.on in _KINDS and grant.name not in ways.old and grant.grantee != owners.get(place):
            yield *place, grant.grantee or "everybody"


def _ending(access: Access, ways: Ways, fresh: Catalog) -> list[Finding]:
    """Return a note of each view, routine or the like that schema N has not."""
    gone: dict[tuple[str, str], set[str]] = {}
    for on, name, role in _beside(access, ways):
        kind, _, bare = name.partition(" ")  # where a routine's kind is part of its name
        there = any((k, name) in fresh.objects for k in _KINDS[on])
        if name != "alembic_version" and not there and (kind.lower(), bare) not in fresh.objects:
            gone.setdefault((on, name), set()).add(role)
    return [
        Finding("note", f"the rights of {', '.join(sorted(roles))} on {name} end with it")
        for (_, name), roles in sorted(gone.items())
    ]


def _unsecured(plan: Plan, carried: Access, fresh: Catalog) -> Iterator[Finding]:
    for name in carried.secured:
        if _SECURED not in fresh.objects.get(("table", name), ""):
            title = f"policies hide rows of what {name} is made of, and {name} has no row security"
            mend = (f"row security and policies in the SQL after {plan.new.path.stem}'s data",)
            yield Finding("STOP", title, mend=mend)


def _gone(access: Access, ways: Ways) -> Iterator[Finding]:
    owners = {o.name: o.role for o in access.owners if o.on == "table"}
    for old in ways.gone:
        of = {g.grantee or "everybody" for g in access.grants if g.on in _ON and g.name == old}
        if roles := sorted(of - {owners.get(old, "")}):
            yield Finding("note", f"the rights of {', '.join(roles)} on {old} end with it")


_ON = ("table", "column")
