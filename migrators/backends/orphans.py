"""Foreign keys by anti-join: children without a parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa


def orphans(constraint: sa.ForeignKeyConstraint, name: Callable[[str], str]) -> str:
    """Return SQL, from FROM on: the children, as `c`, without a parent.

    Compared as the parent's column compares. A child of which one column is NULL refers to
    nothing (SQL's MATCH SIMPLE).

    Parameters
    ----------
    name : callable
        A name to its quoted form.
    """
    child, parent = name(constraint.table.name), name(constraint.referred_table.name)
    pairs = [(name(e.column.name), name(e.parent.name)) for e in constraint.elements]
    given = " AND ".join(f"c.{own} IS NOT NULL" for _, own in pairs)
    equal = " AND ".join(f"p.{theirs} = c.{own}" for theirs, own in pairs)
    return (
        f"FROM {child} AS c WHERE {given} "
        f"AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {equal})"
    )


def proven(references: int) -> tuple[str, ...]:
    """Return how many foreign keys were proven, as a fact for the report; none is no fact."""
    return (f"{references} foreign key{'' if references == 1 else 's'} proven",) * bool(references)
