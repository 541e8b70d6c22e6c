"""A server that is restarted under a run, and one behind a pooler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import disks
from tests.crash import matrix
from tests.crash.faults import Fault
from tests.crash.own_server import OwnServer, own_server
from tests.crash.pooler import pooler
from tests.crash.shop import Shop, shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.matrix import Undisturbed
    from tests.crash.preloaded import Preloaded

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("crash-own-server")]

POINTS = ("after file named", "before table loaded", "after journal verified")


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server that nobody else has."""
    with own_server("postgresql", small=True) as made:
        if made is None:
            pytest.skip("no server's programs here: apt-get install postgresql")
        yield made


@pytest.fixture(scope="module")
def own(
    server: OwnServer, commands: Preloaded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A project there."""
    folder = tmp_path_factory.mktemp("own") / "shop"
    with shop("postgresql", folder, commands, server.url) as made:
        yield made


@pytest.fixture(scope="module")
def alone(own: Shop) -> Undisturbed:
    """What its runs make where nothing happens."""
    return matrix.undisturbed(own)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.fault("H96", on="postgresql")
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


@pytest.mark.fault("H99", on="postgresql")
def test_the_servers_disk_is_full(server: OwnServer, own: Shop, alone: Undisturbed) -> None:
    """FAULTS H99: exit 1, and it says whose disk; nothing is visible; with room it runs."""
    if server.disk is None:
        pytest.skip("only root may have a disk")
    own.reset()
    with disks.room(server.disk, 0):
        done = own.run("1to2", "--yes")
        assert (done.code, done.clear) == (1, True), done.said
        assert "no room left on the server's disk" in done.said
        assert list(matrix.stands(own, alone)) == []
        assert not own.is_there(2)
    again = own.run("1to2", "--yes")
    assert (again.code, again.clear) == (0, True), again.said
    assert list(matrix.converged(own, alone)) == []


@pytest.mark.parametrize(("mode", "code"), [("transaction", 1), ("session", 0)])
@pytest.mark.fault("G89", on="postgresql")
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
