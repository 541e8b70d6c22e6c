"""Two sessions that wait for each other: the server ends one, and the error says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from migrators.backends.postgresql import connect
from migrators.errors import Locked

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy as sa

    from tests.backends.postgresql.conftest import Server

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {pid}"


@pytest.mark.fault("H97")
def test_a_deadlock_is_locked_with_what_to_do(server: Server) -> None:
    """Exit 5, as for any lock of somebody else; nothing of the statement is kept."""
    database = server.database("shop_v3", "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
    with server.connected("shop_v3") as other:
        other.execute("SET deadlock_timeout = '30s'")
        other.execute("BEGIN")
        other.execute("LOCK TABLE b")
        with pytest.raises(Locked, match="locked by another session, which waits for us") as told:
            _meet(server, database.url, other)
    assert (told.value.exit_code, bool(told.value.hint)) == (5, True)


def _meet(server: Server, url: sa.URL, other: psycopg.Connection[Any]) -> None:
    """Take what the other session waits for, and wait for what it has."""
    waiting = threading.Thread(target=other.execute, args=("LOCK TABLE a",))
    try:
        with connect.opened(url, "writing b") as ours:
            ours.execute("SET deadlock_timeout = '20ms'")
            ours.execute("BEGIN")
            ours.execute("LOCK TABLE a")
            waiting.start()
            while server.admin(WAITING.format(pid=other.info.backend_pid)) == [(0,)]:
                pass
            ours.execute("LOCK TABLE b")
    finally:
        waiting.join(30)
