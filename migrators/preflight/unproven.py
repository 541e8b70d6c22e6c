"""What only a rehearsal can prove, said once for each new table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.preflight.model import Finding, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.plan.model import Plan, TablePlan


def of_functions(table: TablePlan) -> Iterator[Unproven]:
    """Yield that a table is filled by a function of the step, row for row unknown here."""
    for part in table.parts:
        if part.function is not None:
            because = f"{part.function.name} computes them"
            yield Unproven(table.name, "every value fits", because)


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
