"""Foreign keys of a loaded file, proven by anti-join.

`PRAGMA foreign_key_check` looks every row up by itself: 3.1 s for the five million references
of the benchmark, where anti-joins that read the child's index in order take 1.0 s. It is
asked only where one of them has found something, for the rows' names.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from migrators.backends import orphans
from migrators.backends.sqlite import refusals, sql
from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    Rows = Callable[[str], list[tuple[Any, ...]]]


def prove(rows: Rows, metadata: sa.MetaData) -> tuple[str, ...]:
    """Check every foreign key; return how many there are, as a fact for the report.

    Parameters
    ----------
    rows : callable
        SQL → its rows: `Snapshot.rows`.

    Raises
    ------
    ValueRefused
        Naming table, columns, parent, how many rows and some keys.
    """
    return orphans.prove(rows, metadata, sql.name, partial(_refusal, rows))


def _refusal(rows: Rows, constraint: sa.ForeignKeyConstraint, _: str) -> ValueRefused | None:
    """Return what the first foreign key of a table is that SQLite finds broken."""
    table = constraint.table.name
    broken: dict[tuple[str, int], list[Any]] = {}
    counts: dict[tuple[str, int], int] = {}
    check = f"SELECT rowid, parent, fkid FROM pragma_foreign_key_check({sql.text(table)})"
    for rowid, parent, number in rows(check):
        key = (parent, number)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= refusals.SAMPLES:
            broken.setdefault(key, []).append(rowid)
    for key, count in counts.items():
        return _orphans(rows, (table, *key), count, broken[key])
    return None


def _orphans(rows: Rows, key: tuple[str, str, int], count: int, rowids: list[Any]) -> ValueRefused:
    table, parent, number = key
    columns = [
        name
        for (name,) in rows(
            f'SELECT "from" FROM pragma_foreign_key_list({sql.text(table)}) '
            f"WHERE id = {number} ORDER BY seq"
        )
    ]
    labels = [
        name
        for (name,) in rows(
            f"SELECT name FROM pragma_table_xinfo({sql.text(table)}) WHERE pk ORDER BY pk"
        )
    ]
    samples = []
    for rowid in rowids:
        if rowid is None:  # WITHOUT ROWID: SQLite does not say which
            continue
        cells = ", ".join(sql.name(c) for c in (*labels, *columns))
        (row,) = rows(f"SELECT {cells} FROM {sql.name(table)} WHERE rowid = {rowid}")
        named = refusals.key_text(labels, row[: len(labels)]) if labels else f"rowid {rowid}"
        samples.append((named, ", ".join(refusals.shown(v) for v in row[len(labels) :])))
    return ValueRefused(
        table,
        ", ".join(columns),
        f"refers to a row that {parent} does not have",
        count=count,
        samples=samples,
        hint="leave these rows out in the step, or carry their parents",
    )
