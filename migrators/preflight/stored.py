"""Cells of the old database that are not of their declared type.

Every column that goes anywhere is read as `extract` reads it, and nothing is kept: what
the extract would refuse in the night is refused here. A column that is refused is left
out and the rest read again, so that all of them are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.errors import NotHeld, ValueRefused
from migrators.preflight import wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import Snapshot
    from migrators.plan.model import Plan
    from migrators.preflight.rows import Asker


def findings(asker: Asker, table: str) -> Iterator[tuple[str, Finding]]:
    """Yield each column of an old table that holds what it must not, with its finding."""
    refused_columns: set[str] = set()
    held: set[str] = set()
    while True:
        query = _query(asker, table, refused_columns, held)
        refused = _first(asker.snapshot, query) if query is not None else None
        if refused is None:
            return
        if isinstance(refused, NotHeld) and _held(asker, table, refused) - held:
            held |= _held(asker, table, refused)
            continue
        yield refused.column, _finding(asker, refused)
        refused_columns.add(refused.column)


def tables(plan: Plan) -> tuple[str, ...]:
    """Return the old tables whose rows go anywhere, sorted."""
    dropped = {d.what for d in plan.dropped}
    return tuple(name for name in plan.old.tables if name not in dropped)


def _held(asker: Asker, table: str, refused: NotHeld) -> set[str]:
    """Return the columns that both phases take as text, where Arrow's type does not do."""
    columns = asker.plan.old.tables[table].column
    return {c for c in refused.labels if asker.new.takes_text(columns[c].type.in_text())}


def _query(asker: Asker, name: str, without: set[str], held: set[str]) -> ReadQuery | None:
    """Return a read of a table's columns, less dropped and refused ones; its key names rows."""
    plan, table = asker.plan, asker.plan.old.metadata.tables[name]
    gone = {d.what for d in plan.dropped} | {f"{name}.{column}" for column in without}
    declared = [c for c in plan.old.tables[name].stored if f"{name}.{c.name}" not in gone]
    if not declared:
        return None
    select = sa.select(*(table.c[c.name] for c in declared))
    columns = tuple(
        ReadColumn(c.name, c.type.in_text() if c.name in held else c.type, name, c.name)
        for c in declared
    )
    key = tuple(k for k in plan.old.tables[name].primary_key if k not in without)
    return ReadQuery(asker.sql(select), columns, key=key)


def _first(snapshot: Snapshot, query: ReadQuery) -> ValueRefused | None:
    try:
        for _batch in snapshot.batches(query):
            pass
    except ValueRefused as refused:
        return refused
    return None


def _finding(asker: Asker, refused: ValueRefused) -> Finding:
    plan = asker.plan
    declared = plan.old.tables[refused.table].column[refused.column]
    keys = [_named(asker, *sample) for sample in refused.samples[: wording.SAMPLES]]
    count = max(refused.count, len(keys))
    fact = f"{count:,} {'value' if count == 1 else 'values'}: {refused.reason}"
    said = f"{fact}  {wording.listed(keys, count)}".rstrip()
    return Finding(
        "STOP",
        f"{refused.table}.{refused.column} holds what is not {declared.type}",
        (said,),
        _see(asker, refused),
        (
            f"correct them in release {plan.old.version},",
            f"or declare in schemas/{plan.old.path.name} what the column holds, and convert it",
            "by a rule of the step",
        ),
    )


def _named(asker: Asker, key: str, value: str) -> str:
    return f"{key} ({wording.printable(value)})" if asker.show_values and value else key


def _see(asker: Asker, refused: ValueRefused) -> str:
    """Return SQL that shows the rows, or else how the column's cells are stored."""
    table = asker.plan.old.metadata.tables[refused.table]
    column, key = table.c[refused.column], list(table.primary_key.columns)
    name = f"{key[0].name} " if len(key) == 1 else ""
    numbers = [said.removeprefix(name) for said, _ in refused.samples]
    if name and numbers and all(number.isdecimal() for number in numbers):
        rows = key[0].in_([sa.literal_column(n) for n in numbers])
        return asker.shown(sa.select(key[0], column).where(rows))
    stored = asker.old.storage(column)
    if stored is None:
        return ""
    return asker.shown(sa.select(stored, sa.func.count()).select_from(table).group_by(stored))
