"""Each durable act is listed, and each that is listed happens."""

from __future__ import annotations

import re
import sys
import timeit
from typing import TYPE_CHECKING

import pytest

from migrators import failpoints
from tests.crash import matrix
from tests.crash.faults import Fault
from tests.crash.own_server import own_server
from tests.crash.preloaded import preloaded
from tests.crash.shop import KINDS, Shop, shop
from tests.unit.test_architecture import ENGINE, engine_files

if TYPE_CHECKING:
    from pathlib import Path


def named() -> set[str]:
    """Return the acts that the engine's code names."""
    code = "\n".join(path.read_text("utf-8") for path in engine_files())
    kinds = re.findall(r"\.say\(\s*\"(\w+)\"", code)
    return {*re.findall(r"\bact\(\"([^\"]+)\"\)", code), *(f"journal {kind}" for kind in kinds)}


def test_every_act_is_listed_and_every_listed_one_is_in_the_code() -> None:
    """One file says what a run does that lasts."""
    assert named() == set(failpoints.ACTS)
    assert 'act(f"journal {what}")' in (ENGINE / "run" / "directory.py").read_text("utf-8")


WRITE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    connection.execute("UPDATE people SET bio = 'another' WHERE id = 0")
"""


def written_to(made: Shop) -> set[str]:
    """Return the points of a run during which a file is written to, and may be."""
    if made.served:
        return set()
    trace = made.root / "trace.txt"
    write = (sys.executable, "-c", WRITE, made.database(1).database)
    fault = Fault("after journal verified", 1, "command", command=write)
    typed = ("1to2", "--replace", "--fresh", "--accept-unfenced", "--yes")
    done = made.run(*typed, fault=fault, trace=str(trace))
    assert done.code == 0, done.said
    return set(trace.read_text().splitlines())


@pytest.mark.server
def test_every_point_is_reached(tmp_path: Path) -> None:
    """By a run on some kind of database; a point that none reaches would prove nothing."""
    reached: set[str] = set()
    with preloaded() as commands:
        for kind in KINDS:
            with (
                own_server(kind) as server,
                shop(kind, tmp_path / kind, commands, server.url if server else "") as made,
            ):
                found = matrix.undisturbed(made)
                reached |= {point for points in found.reached.values() for point in points}
                reached |= written_to(made)
    assert sorted(set(failpoints.points()) - reached) == []


def test_a_listener_that_raises_stops_an_act() -> None:
    """Before it, it is not done; nobody listens afterwards."""
    done = []

    def listener(point: str) -> None:
        if point == "before file synced":
            raise OSError(point)

    failpoints.listen(listener)
    try:
        with pytest.raises(OSError, match="before file synced"), failpoints.act("file synced"):
            done.append("synced")
        with failpoints.act("file named"):
            done.append("named")
    finally:
        failpoints.listen(None)
    assert done == ["named"]


def test_nobody_pays_for_it() -> None:
    """A hundred acts that nobody listens to take less than the least of them takes."""

    @failpoints.act("file synced")
    def nothing() -> None:
        return

    assert min(timeit.repeat(nothing, number=100, repeat=5)) < 0.002
