"""A server that is restarted under a run, one whose disk is full, and one behind a pooler."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends.model import Stamp
from migrators.backends.mysql import MySQLBackend, connect
from migrators.schema import SchemaVersion
from tests import disks
from tests.crash import matrix, sessions
from tests.crash.faults import Fault
from tests.crash.own_server import OwnServer, answering, own_server
from tests.crash.pooler import pooler
from tests.crash.shop import Shop, shop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.crash.matrix import Undisturbed
    from tests.crash.preloaded import Preloaded

pytestmark = pytest.mark.server

KINDS = ("postgresql", "mysql")
POINTS = (("after file named",), ("before table loaded",), ("after journal verified",))
FULL = {
    "postgresql": (("",), ("before table loaded",), ("before statistics gathered",)),
    "mysql": (
        *(("",), ("before staging tables made",)),
        *(("after journal verified",), ("before tables moved",)),
    ),
}
"""Kind → points from which on there is no room, though it is needed; the first is the beginning.

A MariaDB that has to take rows back without room for that may end itself: while it loads is a test
of its own.
"""
MANY = 5_000
"""Rows that need more room than a table has when it is made."""
POOLED = {"postgresql": (("transaction", 1), ("session", 0))}
"""Kind → how sessions are pooled, and the exit code."""


def _cases(of: Mapping[str, Iterable[tuple[Any, ...]]]) -> list[Any]:
    """Return cases of a test; those of a kind of server, which is the first, are a group."""
    return [
        pytest.param(kind, *case, marks=pytest.mark.xdist_group(f"crash-own-{kind}"))
        for kind, cases in of.items()
        for case in cases
    ]


_ON: dict[str, Any] = {"indirect": ["server"], "scope": "module"}


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[OwnServer]:
    """A server that nobody else has."""
    with own_server(request.param, small=True) as made:
        if made is None:
            pytest.skip(f"no {request.param} server's programs here: apt-get install them")
        yield made


@pytest.fixture(scope="module")
def own(
    server: OwnServer, commands: Preloaded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A project there."""
    folder = tmp_path_factory.mktemp("own") / "shop"
    with shop(sa.make_url(server.url).get_backend_name(), folder, commands, server.url) as made:
        yield made


@pytest.fixture(scope="module")
def alone(own: Shop) -> Undisturbed:
    """What a run makes where nothing happens."""
    return matrix.undisturbed(own, [matrix.FIRST])


@pytest.mark.parametrize(("server", "point"), _cases(dict.fromkeys(KINDS, POINTS)), **_ON)
@pytest.mark.fault("H96")
def test_the_server_is_restarted(
    server: OwnServer, own: Shop, alone: Undisturbed, point: str
) -> None:
    """FAULTS H96: while it is read, loaded, or about to publish: exit 1; the same again ends it."""
    own.reset()
    done = own.run("1to2", "--yes", fault=Fault(point, 1, "command", command=server.restart))
    assert (done.code, done.clear) == (1, True), done.said
    assert list(matrix.stands(own, alone)) == []
    assert not own.is_there(2)
    again = own.run("1to2", "--yes")
    assert (again.code, again.clear) == (0, True), again.said
    assert list(matrix.converged(own, alone)) == []


@pytest.mark.parametrize(("server", "point"), _cases(FULL), **_ON)
@pytest.mark.fault("H99")
def test_the_servers_disk_is_full(
    server: OwnServer, own: Shop, alone: Undisturbed, point: str
) -> None:
    """FAULTS H99: exit 1, and it says whose disk; nothing is visible; with room it runs."""
    if server.disk is None:
        pytest.skip("only root may have a disk")
    own.reset()
    full = disks.filling(server.disk)
    fault = Fault(point, 1, "command", command=full) if point else None
    with disks.emptied(server.disk):
        if not point:
            subprocess.run(full, check=True)
        done = own.run("1to2", "--yes", fault=fault)
        assert (done.code, done.clear) == (1, True), done.said
        assert "no room left on the server's disk" in done.said
        assert "free some room there" in done.said
        assert "is here" not in done.said
        assert list(matrix.stands(own, alone)) == []
        assert not own.is_there(2)
    again = own.run("1to2", "--yes")
    assert (again.code, again.clear) == (0, True), again.said
    assert list(matrix.converged(own, alone)) == []


@pytest.mark.parametrize("server", _cases({"mysql": [()]}), **_ON)
@pytest.mark.fault("H96", "H99")
def test_the_servers_disk_gets_full_while_rows_go_in(server: OwnServer, own: Shop) -> None:
    """FAULTS H99: exit 1, whether a MariaDB says so or ends itself; with room it runs."""
    if server.disk is None:
        pytest.skip("only root may have a disk")
    own.reset()
    old = own.project.url(1).render_as_string(hide_password=False)
    rows = f"SELECT 1000 + seq, concat('n', seq), repeat('x', 200) FROM seq_1_to_{MANY}"
    sessions.asked(old, f"INSERT INTO people {rows}")
    try:
        plain = matrix.undisturbed(own, [matrix.FIRST])
        own.reset()
        fault = Fault("after load begun", 1, "command", command=disks.filling(server.disk))
        with disks.emptied(server.disk):
            done = own.run("1to2", "--yes", fault=fault)
        assert (done.code, done.clear) == (1, True), done.said
        assert re.search("(no room left on the server's disk|lost) while writing", done.said)
        assert re.search("free some room there|for room on its disk", done.said)
        assert "Nothing is lost" in done.said
        answering(server.port)
        assert list(matrix.stands(own, plain)) == []
        assert not own.is_there(2)
        again = own.run("1to2", "--yes")
        assert (again.code, again.clear) == (0, True), again.said
        assert list(matrix.converged(own, plain)) == []
    finally:
        answering(server.port)
        sessions.asked(old, "DELETE FROM people WHERE id >= 1000")


@pytest.mark.parametrize(("server", "mode", "code"), _cases(POOLED), **_ON)
@pytest.mark.fault("G89")
def test_a_lock_behind_a_pooler(
    server: OwnServer, own: Shop, tmp_path: Path, mode: str, code: int
) -> None:
    """FAULTS G89: where sessions are shared it is refused at once; in session mode it holds."""
    own.reset()
    with pooler(server, mode, f"{own.own}app") as port:
        url = own.project.url(1).set(host="127.0.0.1", port=port)
        shown = url.render_as_string(hide_password=False).replace("shop_v1", "shop_v{version}")
        for typed in (("extract", "1", "--to", str(tmp_path / "out")), ("1to2", "--yes"))[
            : 1 + code
        ]:
            done = own.run(*typed, url=shown)
            assert (done.code, done.clear) == (code, True), done.said
            assert ("pooler that shares sessions" in done.said) == bool(code)
    assert (tmp_path / "out").exists() == (not code)
    assert own.there() == ["shop_v1"]


TICK = "CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO ticks () VALUES ();"


@pytest.mark.parametrize("server", _cases({"mysql": [()]}), **_ON)
@pytest.mark.parametrize("into", [False, True], ids=["published", "in place"])
def test_no_event_runs_before_it_is_published(
    server: OwnServer, tmp_path: Path, *, into: bool
) -> None:
    """Where the scheduler is on, as elsewhere; from then on it runs."""
    metadata = sa.MetaData()
    sa.Table("ticks", metadata, sa.Column("id", sa.Integer, primary_key=True))
    schema = SchemaVersion(3, tmp_path / "v3.py", metadata, after={"mysql": TICK})
    new = MySQLBackend(sa.make_url(server.url).set(database=f"ticking_{into}"))
    with connect.opened(sa.make_url(server.url), database=False) as connection:

        def ticks(database: str) -> int:
            return int(connect.rows(connection, f"SELECT count(*) FROM {database}.ticks")[0][0])

        def passed(database: str) -> None:
            """Wait until an event has run twice from now on."""
            until, before = time.monotonic() + 30, ticks(database)
            while ticks(database) < before + 2:
                assert time.monotonic() < until, "no event runs"
                time.sleep(0.05)

        for statement in ("CREATE DATABASE other", "CREATE TABLE other.ticks (id int)",
                          "SET GLOBAL event_scheduler = ON"):  # fmt: skip
            connect.run(connection, statement)
        try:
            if into:
                connect.run(connection, f"CREATE DATABASE {new.database}")
            loading = new.inside("r1") if into else new.staging("r1")
            loading.create(schema)
            loading.finish(schema, {})
            connect.run(
                connection,
                "CREATE EVENT other.tick ON SCHEDULE EVERY 1 SECOND DO "
                "INSERT INTO other.ticks VALUES (1)",
            )
            passed("other")
            assert ticks(loading.database) == 0
            loading.write_stamp(Stamp(3, "f"))
            if not into:
                new.publish(loading)
            passed(new.database)
            there = connect.rows(connection, f"SHOW TABLES FROM {new.database}")
            assert [name for (name,) in there] == ["migrate_stamp", "ticks"]
        finally:
            for statement in ("SET GLOBAL event_scheduler = OFF", "DROP DATABASE other",
                              f"DROP DATABASE IF EXISTS {new.database}"):  # fmt: skip
                connect.run(connection, statement)
