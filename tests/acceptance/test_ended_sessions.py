"""One session is ended, or made to wait, at a statement that is under way; nothing is lost."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends.postgresql import connect
from migrators.errors import DatabaseError, Locked
from migrators.events import StageDone, TableDone
from migrators.run import Options, migrate
from tests import servers
from tests.acceptance.nights import ROWS, SERVED, Night, night

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrators.events import Event

_WAITING = {
    "postgresql": (
        "SELECT pid FROM pg_stat_activity WHERE usename = '{own}app' AND ({what})",
        "SELECT pg_terminate_backend({session})",
    ),
    "mysql": (
        "SELECT id FROM information_schema.processlist WHERE user = '{own}app' AND ({what})",
        "KILL {session}",
    ),
}
"""Which session of the project's role it is, and what ends it."""
_SECONDS = 20
_PAUSE = 0.12
"""InnoDB's list of transactions stays as it is while it is asked for more often than each 0.1 s."""


@pytest.fixture(params=SERVED)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Night]:
    """A project on a server, with a database of version 1."""
    with night(str(request.param), tmp_path / "shop") as made:
        yield made


def seen(shop: Night, what: str) -> int:
    """Wait for a session of the project's role; return its number."""
    query, _ = _WAITING[shop.kind]
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        if found := shop.admin(query.format(own=shop.own, what=what)):
            return int(found[0][0])
        time.sleep(_PAUSE)
    raise TimeoutError(what)


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[None]:
    """Do something in a thread; it must have ended well."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  raised below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(2 * _SECONDS)
        assert failed == []


@contextmanager
def session(shop: Night, database: str) -> Iterator[sa.Connection]:
    """Give a transaction of the superuser's in a database of the project."""
    url = servers.driven(servers.server_url(shop.kind))
    engine = sa.create_engine(url.set(database=database), poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def end(shop: Night, what: str) -> None:
    """End the session of the project's role that is at something."""
    shop.admin(_WAITING[shop.kind][1].format(session=seen(shop, what)))


def loading(shop: Night) -> str:
    """Return the staging database's name."""
    (name,) = [name for name in shop.there() if "loading" in name]
    return f"{shop.own}{name}"


def nothing_is_lost(shop: Night) -> None:
    """What the run made is gone or unseen; the next one ends it."""
    assert [name for name in shop.there() if "loading" not in name] == ["shop_v1"]
    shop.ran("1to2")
    assert shop.there() == ["shop_v1", "shop_v2"]
    assert [shop.count(version) for version in (1, 2)] == [ROWS, ROWS]


# ended -------------------------------------------------------------------------------------

SLEEP = {"postgresql": "SELECT pg_sleep(60);", "mysql": "DO SLEEP(60);"}
SLEEPING = {"postgresql": "wait_event = 'PgSleep'", "mysql": "state = 'User sleep'"}


@pytest.mark.fault("H96")
def test_in_finish(shop: Night) -> None:
    """While the schema's own SQL runs: it is the session that failed, not the SQL."""
    script = shop.root / "schemas" / f"v2.after.{shop.kind}.sql"
    script.write_text(SLEEP[shop.kind])
    with meanwhile(lambda: end(shop, SLEEPING[shop.kind])):
        done = shop.run("1to2")
    assert (done.code, done.clear) == (1, True), done.said
    assert "while finishing" in done.said
    assert "type the same command again" in done.said
    assert "mend" not in done.said
    script.unlink()
    nothing_is_lost(shop)


LOCKS = {
    "postgresql": ("postgres", "COMMENT ON DATABASE \"{name}\" IS 'x'", "wait_event_type = 'Lock'"),
    "mysql": ("{name}", "SELECT count(*) FROM children", "state LIKE 'Waiting for table meta%%'"),
}
"""Where and how somebody keeps the staging database from its name, and how that looks."""


@pytest.mark.fault("H96")
def test_in_publish(shop: Night) -> None:
    """While the new name is given: it is not there, and what was begun is taken back."""
    database, statement, waits = LOCKS[shop.kind]
    verified = threading.Event()

    def emit(event: Event) -> None:
        if isinstance(event, StageDone) and event.stage == "still":
            verified.set()
            locked.wait(_SECONDS)

    locked = threading.Event()

    def hold() -> None:
        verified.wait(_SECONDS)
        name = loading(shop)
        with session(shop, database.format(name=name)) as other:
            other.exec_driver_sql(statement.format(name=name))
            locked.set()
            end(shop, waits)

    project = shop.project
    with (
        meanwhile(hold),
        pytest.raises(DatabaseError, match=r"(lost|ended the connection) while publishing") as told,
    ):
        migrate(project, project.chain(1, 2), Options(), emit=emit)
    assert "type the same command again" in told.value.hint[0]
    nothing_is_lost(shop)


# a lock ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_lock_in_the_old_database_is_waited_for_within_bounds(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5, and who holds what since when; then the same command runs."""
    monkeypatch.setitem(connect._PINNED, "lock_timeout", "300ms")  # the wait is 50 s
    typed = ("check", "1to2") if command == "check" else ("1to2",)
    with night("postgresql", tmp_path / "shop") as shop:
        with session(shop, shop.name()) as other:
            other.exec_driver_sql("SET application_name = 'nightly report'")
            other.exec_driver_sql("LOCK TABLE children IN ACCESS EXCLUSIVE MODE")
            done = shop.run(*typed)
        who = (
            r"locked by another session.*children: AccessExclusiveLock of postgres "
            r"\(nightly report\) from .*, process \d+, for \d+ s"
        )
        assert (done.code, done.clear) == (5, True), done.said
        assert re.search(who, done.said), done.said
        assert "or end it" in done.said
        assert shop.there() == ["shop_v1"]
        shop.ran(*typed)


# a deadlock --------------------------------------------------------------------------------


@pytest.mark.fault("H97", on="mysql")
def test_a_deadlock_in_the_staging_database(tmp_path: Path) -> None:
    """MariaDB ends the one of two that has written less: exit 5, as for any lock."""
    waits = (
        "command = 'Query' AND id IN (SELECT trx_mysql_thread_id FROM "
        "information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT')"
    )
    rows = ", ".join(f"({n}, 1, 'x')" for n in range(ROWS - 1, 1000))
    with night("mysql", tmp_path / "shop") as shop:
        created, locked = threading.Event(), threading.Event()

        def emit(event: Event) -> None:
            if isinstance(event, TableDone) and (event.stage, event.table) == ("load", "parents"):
                created.set()
                locked.wait(_SECONDS)

        def meet() -> None:
            created.wait(_SECONDS)
            with session(shop, loading(shop)) as other:
                other.exec_driver_sql(f"INSERT INTO children VALUES {rows}")
                locked.set()
                seen(shop, waits)
                other.exec_driver_sql("INSERT INTO children VALUES (0, 1, 'x')")

        project = shop.project
        with (
            meanwhile(meet),
            pytest.raises(Locked, match="which waits for us while writing children") as told,
        ):
            migrate(project, project.chain(1, 2), Options(jobs=1), emit=emit)
        assert (told.value.exit_code, "again" in told.value.hint[0]) == (5, True)
        nothing_is_lost(shop)
