"""Whether the old database is what its schema module says, before anything is read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators import drift
from migrators.errors import Findings
from migrators.events import Note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrators.backends.interface import Backend, Catalog
    from migrators.events import Emit
    from migrators.plan.model import Plan
    from migrators.schema import SchemaVersion


def carries(
    old: Backend, new: Backend, scratch: Path, fresh: Catalog, plan: Plan, check: str
) -> tuple[str, ...]:
    """Return tables beside the schema module that have rows; refuse those that nothing fills anew.

    Parameters
    ----------
    fresh : Catalog
        Of a database freshly built from the old schema.

    Raises
    ------
    Findings
    """
    tables = drift.beside(fresh, plan.old)
    if not tables:
        return ()
    with old.snapshot(scratch) as snapshot:
        found = drift.filled(tables, old, snapshot)
    if lost := drift.unfilled(found, plan.new, new.name):
        raise Findings(
            f"{old.database} has rows in tables that only SQL beside schemas/{plan.old.path.name} "
            f"makes, where no step can read them: {', '.join(lost)}",
            hint=f"{check}     tells all, and what to type",
        )
    return found


def still_filled(names: Sequence[str], made: Backend, scratch: Path, new: SchemaVersion) -> None:
    """Refuse a new database where the SQL beside its schema has not filled such tables.

    Raises
    ------
    Findings
    """
    if lost := drift.emptied(names, made, scratch):
        raise Findings(
            f"the old database has rows in {', '.join(lost)}, and the new one has none; nothing "
            "was published",
            hint=f"fill them in schemas/{new.path.stem}.after.sql, or declare them in "
            f"schemas/{new.path.name}",
        )


def fits(
    old: Backend, schema: SchemaVersion, fresh: Catalog, scratch: Path, check: str, emit: Emit
) -> tuple[str, ...]:
    """Refuse an old database that holds what its schema module does not know of.

    What it has more and holds no data is said: nobody has asked for it in the new one.

    Parameters
    ----------
    fresh : Catalog
        Of a database freshly built from the schema.
    check : str
        The command that tells all.

    Returns
    -------
    tuple of str
        What stays behind: "view stray".

    Raises
    ------
    DatabaseError
        It is damaged.
    Findings
        Each difference is listed.
    """
    old.require_sound()
    found = drift.compare(old.catalog(), fresh)
    holding = drift.holding(found, old, scratch)
    stops = [d for d in found if not d.additive or d in holding]
    if stops:
        listed = "\n".join(f"  {difference}" for difference in stops)
        raise Findings(
            f"{old.database} is not schemas/{schema.path.name}:\n{listed}",
            hint=f"{check}     tells all, and what to type",
        )
    more = tuple(d.said for d in drift.additions(found))
    if more:
        said = f"{old.database} has more than schemas/{schema.path.name}; it stays behind"
        emit(Note(f"{said}: {', '.join(more)}"))
    return more
