"""Who may do what with the new tables, in a few lines for the page of `plan`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migrators.access import carry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.access import Access, Lost
    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan

_SHOWN = 8
"""Roles; `check` looks at all of them."""


def said(plan: Plan, old: Backend, new: Backend) -> tuple[str, ...]:
    """Return whose the new tables will be, who may do what, and what has nowhere to go.

    Raises
    ------
    DatabaseError
        The old database cannot be read.
    """
    if not new.same_roles(old):
        return ()
    carried, lost = carry(old.access(), plan.ways)
    return (*_owners(carried), *_roles(carried), *_lost(lost))


def _owners(access: Access) -> Iterator[str]:
    owners = Counter(owner.role for owner in access.owners if owner.on == "table")
    for role, number in sorted(owners.items()):
        yield f"{role} will own {_tables(number)}"


def _roles(access: Access) -> Iterator[str]:
    owners = {(owner.on, owner.name): owner.role for owner in access.owners}
    may: dict[str, dict[str, set[str]]] = {}
    for grant in access.grants:
        if grant.on in ("database", "table", "column") and grant.grantee != owners.get(
            ("table", grant.name)
        ):
            of = may.setdefault(grant.grantee or "everybody", {})
            of.setdefault(grant.name, set()).add(grant.privilege)
    for role, tables in sorted(may.items())[:_SHOWN]:
        privileges = ", ".join(sorted(set().union(*tables.values())))
        yield f"{role} may {privileges} on {'all of it' if '' in tables else _tables(len(tables))}"
    if len(may) > _SHOWN:
        yield f"and {len(may) - _SHOWN} more roles"


def _lost(lost: tuple[Lost, ...]) -> Iterator[str]:
    for each in lost:
        yield f"{each}: {each.line}"


def _tables(number: int) -> str:
    return f"{number} table{'' if number == 1 else 's'}"
