"""Foreign keys, proven by anti-join: they are added unchecked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from migrators.backends import orphans
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
    return orphans.prove(rows, metadata, sql.name, partial(_refusal, rows))


def _refusal(rows: Rows, constraint: sa.ForeignKeyConstraint, found: str) -> ValueRefused:
    ((count,),) = rows(f"SELECT count(*) {found}")
    columns = [element.parent.name for element in constraint.elements]
    primary = [c.name for c in constraint.table.primary_key.columns] or columns
    cells = ", ".join(f"c.{sql.name(name)}" for name in (*primary, *columns))
    order = ", ".join(f"c.{sql.name(name)}" for name in primary)
    size = len(primary)
    samples = [
        (key_text(primary, row[:size]), ", ".join(map(shown, row[size:])))
        for row in rows(f"SELECT {cells} {found} ORDER BY {order} LIMIT {SAMPLES}")
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
