"""Each durable act is listed, and each that is listed happens."""

from __future__ import annotations

import re
import sys
import timeit
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrators import failpoints
from tests.crash.faults import Fault
from tests.unit.test_architecture import ENGINE, engine_files

if TYPE_CHECKING:
    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop


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
    """Return the points of a run during which a file is written to, and may be; undo that."""
    if made.served:
        return set()
    old = Path(made.database(1).database)
    before = old.read_bytes()
    trace = made.root / "trace.txt"
    write = (sys.executable, "-c", WRITE, str(old))
    fault = Fault("after journal verified", 1, "command", command=write)
    typed = ("1to2", "--replace", "--fresh", "--accept-unfenced", "--yes")
    done = made.run(*typed, fault=fault, trace=str(trace))
    assert done.code == 0, done.said
    old.write_bytes(before)
    made.reset()
    return set(trace.read_text().splitlines())


OTHERS = {
    "sqlite": {
        *("database made", "extract taken over", "intent written", "load begun", "load ended"),
        *("journal fence", "journal fenced", "journal scratch", "journal unfenced"),
        *("names changed", "programs dropped", "programs made", "references added"),
        *("references proven", "rights given", "server lock taken", "tables emptied"),
        "tables moved",
    },
    "postgresql": {
        *("database made", "intent written", "programs dropped", "programs made"),
        *("rights given", "tables emptied", "tables moved", "journal written"),
        *("mode given", "name dropped", "name linked", "name replaced"),
        *("staging settled", "staging synced"),
    },
    "mysql": {
        *("names changed", "references proven", "journal written"),
        *("mode given", "name dropped", "name linked", "name replaced"),
        *("staging settled", "staging synced"),
    },
}
"""Kind → acts that it has not, or that another kind shows."""


def test_every_point_is_reached(made: Shop, plain: Undisturbed) -> None:
    """By a run on some kind of database; a point that none reaches would prove nothing."""
    reached = {point for points in plain.reached.values() for point in points} | written_to(made)
    assert {point.partition(" ")[2] for point in set(failpoints.points()) - reached} == OTHERS[
        made.kind
    ]
    assert set.intersection(*OTHERS.values()) == set()


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
