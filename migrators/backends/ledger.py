"""What a load has finished, kept in the staging database itself: a row for each table.

A table's rows and its row here are of one transaction, so that after a crash the two say the
same: what has a row here is there whole, what has none is loaded again. A load that gets no
answer to its COMMIT finds out here, too. The ledger goes when the load is done; a staging
database without one is made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LEDGER = "migrate_ledger"
_BASIS = "basis "
CREATE = f"CREATE TABLE {LEDGER} (part VARCHAR(255) NOT NULL PRIMARY KEY, taken BIGINT NOT NULL)"
DROP = f"DROP TABLE IF EXISTS {LEDGER}"
READ = f"SELECT part, taken FROM {LEDGER}"


def of_basis(basis: str, text: Callable[[str], str]) -> str:
    """Return what says what is being loaded; `text` quotes."""
    return _insert(f"{_BASIS}{basis}", 0, text)


def of_table(table: str, rows: int, text: Callable[[str], str]) -> str:
    """Return what says that a table is loaded."""
    return _insert(table, rows, text)


def _insert(part: str, taken: int, text: Callable[[str], str]) -> str:
    return f"INSERT INTO {LEDGER} (part, taken) VALUES ({text(part)}, {taken})"


def loaded(found: Iterable[tuple[Any, ...]], basis: str) -> dict[str, int] | None:
    """Return rows by table that a ledger says are there; None where it is of something else."""
    rows: Mapping[str, int] = {str(part): int(taken) for part, taken in found}
    if f"{_BASIS}{basis}" not in rows:
        return None
    return {part: taken for part, taken in rows.items() if not part.startswith(_BASIS)}
