"""What comes after the data, of several tables at a time; what waits can be stopped."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.errors import ValueRefused
from tests.backends.conftest import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrators.backends.interface import Backend
    from migrators.schema import SchemaVersion
    from tests.backends.conftest import Place

_LOCK = {
    "postgresql": "LOCK TABLE {} IN ROW EXCLUSIVE MODE",
    "mysql": "LOCK TABLES {} READ",
}
_WAITING = {
    "postgresql": (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ),
    "mysql": (
        "SELECT count(*) FROM information_schema.processlist "
        "WHERE db = database() AND state LIKE 'Waiting for table metadata lock'"
    ),
}


@pytest.fixture(params=["postgresql", "mysql"])
def place(place: Place) -> Place:
    """A server: a file has one writer."""
    return place


def loaded(place: Place, values: list[str]) -> tuple[Backend, SchemaVersion]:
    """Return a database of two tables with rows, and without their indexes."""
    metadata = sa.MetaData()
    for name in ("a", "b"):
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("v", sa.String(9), unique=True),
        )
    schema, database = place.schema(metadata), place.database()
    database.create(schema)
    for name in ("a", "b"):
        write(database, schema, name, {"id": [1, 2], "v": values if name == "a" else ["x", "y"]})
    return database, schema


@contextmanager
def locked(database: Backend, *tables: str) -> Iterator[Callable[[str], Any]]:
    """Hold tables so that no index can be built; give a look at the database from outside."""
    with ExitStack() as stack:
        engine = database.engine()
        stack.callback(engine.dispose)
        for table in tables:
            holder = stack.enter_context(engine.connect())
            holder.exec_driver_sql(_LOCK[database.name].format(table))
        outside = stack.enter_context(engine.connect())
        outside.execution_options(isolation_level="AUTOCOMMIT")
        yield lambda sql: outside.exec_driver_sql(sql).scalar()


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def has_index(database: Backend, table: str) -> bool:
    """Whether a table's unique column has its index."""
    engine = database.engine()
    try:
        return bool(sa.inspect(engine).get_unique_constraints(table))
    finally:
        engine.dispose()


def test_a_table_does_not_wait_for_another(place: Place) -> None:
    """While one cannot be finished, the other is; then both are."""
    database, schema = loaded(place, ["x", "y"])
    with ThreadPoolExecutor(1) as pool:
        with locked(database, "a"):
            facts = pool.submit(database.finish, schema, {}, 2)
            until(lambda: has_index(database, "b"))
            assert not facts.done()
        assert "built" in facts.result(20)[0]
    assert has_index(database, "a")


@pytest.mark.fault("H106")
def test_what_is_refused_ends_what_waits(place: Place) -> None:
    """The error comes while the other table still waits for a lock, and is the only one."""
    database, schema = loaded(place, ["x", "x"])
    with (
        locked(database, "b"),
        pytest.raises(ValueRefused, match=r"a\.(v|uq_\w+).*is there more than once"),
    ):
        database.finish(schema, {}, 2)


def test_an_interrupt_ends_what_the_server_does(place: Place) -> None:
    """Both statements wait; the server ends them, and the caller is not kept waiting."""
    database, schema = loaded(place, ["x", "y"])
    query = _WAITING[database.name]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with locked(database, "a", "b") as ask:

            def stop() -> None:
                until(lambda: ask(query) == 2)
                signal.raise_signal(signal.SIGINT)

            thread = threading.Thread(target=stop)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                database.finish(schema, {}, 2)
            thread.join()
            until(lambda: ask(query) == 0)
    finally:
        signal.signal(signal.SIGINT, before)
