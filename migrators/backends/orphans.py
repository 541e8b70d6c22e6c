"""Foreign keys by anti-join: children without a parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from migrators.errors import ValueRefused

    Rows = Callable[[str], list[tuple[Any, ...]]]


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


def prove(
    rows: Rows,
    metadata: sa.MetaData,
    name: Callable[[str], str],
    refusal: Callable[[sa.ForeignKeyConstraint, str], ValueRefused | None],
) -> tuple[str, ...]:
    """Check every foreign key; return how many there are, as a fact for the report.

    Parameters
    ----------
    rows : callable
        SQL to its rows.
    name : callable
        A name to its quoted form.
    refusal : callable
        Says of a foreign key that is broken, and of what `orphans` gives of it, which rows;
        None where the database itself finds none.

    Raises
    ------
    ValueRefused
        What `refusal` says of the first.
    """
    references = [c for t in metadata.tables.values() for c in t.foreign_key_constraints]
    for constraint in references:
        found = orphans(constraint, name)
        if rows(f"SELECT 1 {found} LIMIT 1") and (error := refusal(constraint, found)):
            raise error
    number = len(references)
    return (f"{number} foreign key{'' if number == 1 else 's'} proven",) if number else ()
