"""The ledger of a load: see `backends.ledger`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends import ledger
from migrators.backends.postgresql import connect, failures, sql
from migrators.failpoints import act

if TYPE_CHECKING:
    import sqlalchemy as sa

_PATIENCE_MS = 10_000
_OTHERS = """
SELECT pg_terminate_backend(pid, {patience}) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
"""A staging database is nobody's but ours: what is connected is left of a run that was killed,
and may still commit."""


@act("load begun")
def begin(url: sa.URL, basis: str) -> None:
    """Make the ledger of a load that begins."""
    with connect.opened(url, "creating") as connection, connect.transaction(connection):
        connection.execute(ledger.CREATE)
        connection.execute(ledger.of_basis(basis, sql.text))


def loaded(url: sa.URL, basis: str) -> dict[str, int] | None:
    """Return what a load of this basis has finished; None where nothing can go on.

    Sessions of a run that was killed are ended first.
    """
    try:
        with connect.opened(url, "looking") as connection:
            connection.execute(_OTHERS.format(patience=_PATIENCE_MS))
            there = connection.execute("SELECT to_regclass(%s)", (ledger.LEDGER,)).fetchone()
            if there is None or there[0] is None:
                return None
            return ledger.loaded(connection.execute(ledger.READ).fetchall(), basis)
    except failures.NoDatabase:
        return None
