"""Foreign keys, proven by anti-join: they are added unchecked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.mysql import sql
from migrators.backends.refusals import SAMPLES, key_text, shown
from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    Rows = Callable[[str], list[tuple[Any, ...]]]

_HINT = "leave these rows out in the step, or carry their parents"


def prove(rows: Rows, metadata: sa.MetaData) -> tuple[str, ...]:
    """Check every foreign key; return how many there are, as a fact for the report.

    Parameters
    ----------
    rows : callable
        SQL → its rows.

    Raises
    ------
    ValueRefused
        Naming table, columns, parent, how many rows and some keys.
    """
    proven = 0
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            orphans = _orphans(constraint)
            if rows(f"SELECT 1 {orphans} LIMIT 1"):
                raise _refusal(rows, constraint, orphans)
            proven += 1
    return (f"{proven} foreign key{'' if proven == 1 else 's'} proven",) if proven else ()


def _orphans(constraint: sa.ForeignKeyConstraint) -> str:
    """SQL: the children without a parent; compared as the columns compare."""
    child, parent = sql.name(constraint.table.name), sql.name(constraint.referred_table.name)
    pairs = [(sql.name(e.column.name), sql.name(e.parent.name)) for e in constraint.elements]
    given = " AND ".join(f"c.{own} IS NOT NULL" for _, own in pairs)
    equal = " AND ".join(f"p.{theirs} = c.{own}" for theirs, own in pairs)
    return (
        f"FROM {child} AS c WHERE {given} "
        f"AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {equal})"
    )


def _refusal(rows: Rows, constraint: sa.ForeignKeyConstraint, orphans: str) -> ValueRefused:
    ((count,),) = rows(f"SELECT count(*) {orphans}")
    columns = [element.parent.name for element in constraint.elements]
    primary = [c.name for c in constraint.table.primary_key.columns] or columns
    cells = ", ".join(f"c.{sql.name(name)}" for name in (*primary, *columns))
    order = ", ".join(f"c.{sql.name(name)}" for name in primary)
    size = len(primary)
    samples = [
        (key_text(primary, row[:size]), ", ".join(map(shown, row[size:])))
        for row in rows(f"SELECT {cells} {orphans} ORDER BY {order} LIMIT {SAMPLES}")
    ]
    parent = constraint.referred_table.name
    return ValueRefused(
        constraint.table.name,
        ", ".join(columns),
        f"refers to a row that {parent} does not have",
        count=int(count),
        samples=samples,
        hint=_HINT,
    )
