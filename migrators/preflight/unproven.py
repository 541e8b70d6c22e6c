"""What only a rehearsal can prove, said once for each new table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.preflight.model import Finding, Unproven
from migrators.schema.fingerprint import expression_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan, TablePlan


def of_functions(table: TablePlan) -> Iterator[Unproven]:
    """Yield that a table is filled by a function of the step, row for row unknown here."""
    for part in table.parts:
        if part.function is not None:
            because = f"{part.function.name} computes them"
            yield Unproven(table.name, "every value fits", because)


def of_generated(plan: Plan, table: TablePlan, old: Backend, new: Backend) -> Iterator[Unproven]:
    """Yield the generated columns whose values the new database makes, and has not made before.

    One that is as it was, in the same kind of database and of a table that is carried whole,
    has held every value.
    """
    before = plan.old.metadata.tables.get(table.name)
    alike = new.name == old.name and table.how == "carried by name"
    for column in plan.new.metadata.tables[table.name].columns:
        if column.computed is None:
            continue
        was = before.c.get(column.key) if before is not None and alike else None
        if was is None or _generated(was) != _generated(column):
            demand = f"{column.name} fits, {expression_text(column.computed.sqltext)}"
            yield Unproven(table.name, demand, "the new database computes it")


def _generated(column: sa.Column[Any]) -> tuple[str, str] | None:
    if column.computed is None:
        return None
    return expression_text(column.computed.sqltext), repr(column.type)


def findings(plan: Plan, found: Sequence[Unproven]) -> list[Finding]:
    """Return one finding per table."""
    copied = plan.old.version == plan.new.version
    command = f"migrate {'copy ' if copied else ''}{plan.name} --rehearse"
    by_table: dict[str, list[Unproven]] = {}
    for unproven in found:
        by_table.setdefault(unproven.table, []).append(unproven)
    return [
        Finding(
            "rehearsal",
            f"only a rehearsal can prove of {table}:",
            tuple(f"{u.demand}  ({u.because})" for u in said),
            mend=(command,),
        )
        for table, said in by_table.items()
    ]
