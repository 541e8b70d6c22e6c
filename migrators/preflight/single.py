"""Subqueries that give several values for one: a rehearsal would refuse them, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.preflight.model import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.preflight.rows import Asker, PartRows


def faults(asker: Asker, rows: PartRows) -> Iterator[Fault]:
    """Yield the columns of one part whose subquery gives several values for a row."""
    for column, sql in rows.part.single:
        count = int(asker.snapshot.rows(sql)[0][0])
        if count:
            yield Fault(
                where=f"{rows.table.name}.{column}",
                demand="is one value",
                count=count,
                said="rows have several in its subquery",
                see=f"{' '.join(sql.split())};",
                mend=(
                    "say which in the step: .order_by(...).limit(1), or one of all: func.min(...)",
                ),
            )
