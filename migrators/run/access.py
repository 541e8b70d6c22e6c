"""Who may do what: looked at before a run, given to the new database right before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.access import Access, carry
from migrators.errors import DatabaseError, Findings
from migrators.events import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.backends.interface import Backend
    from migrators.events import Emit
    from migrators.plan.model import Plan


_LEFT = "owners and rights stay behind: the roles of {roles} are not where {there} is"


def captured(plans: Sequence[Plan], old: Backend, new: Backend, command: str) -> Access:
    """Return the access of the old database, if all of it has somewhere to go.

    Parameters
    ----------
    command : str
        What runs: "migrate 2to4".

    Raises
    ------
    Findings
        Rights on a table that became several, or was merged: with the lines to write.
    DatabaseError
        The connected role may not give them: with the statements to type.
    """
    check = command.replace("migrate", "migrate check", 1)
    access = carried = old.access()
    if not new.same_roles(old):
        return access
    for plan in plans:
        carried, lost = carry(carried, plan.ways)
        if lost:
            listed = "\n".join(f"  {each}" for each in lost)
            raise Findings(
                f"{plan.name} does not say who may use what tables became:\n{listed}",
                hint=(*(each.line for each in lost), f"{check}     tells all"),
            )
    if missing := new.missing_rights(carried):
        raise DatabaseError(
            f"{new.database}: the rights of {old.database} cannot be given by the role that "
            "connects",
            hint=missing,
        )
    return access


def give(staging: Backend, access: Access, like: Backend, replaced: Backend, emit: Emit) -> None:
    """Give a staging database access, if it is where the roles are.

    Parameters
    ----------
    like : Backend
        Whose access it is.
    replaced : Backend
        The database whose name it will have: what there is of its rights holds on.

    Raises
    ------
    DatabaseError
    """
    if not staging.same_roles(like):
        if access.grants or access.owners:
            emit(Note(_LEFT.format(roles=like.database, there=replaced.database)))
        return
    if not staging.in_place and replaced.exists():
        access = access.over(replaced.access())
    for said in staging.give_access(access):
        emit(Note(said))
