"""Each durable act is listed, and each that is listed happens."""

from __future__ import annotations

import re
import signal
import sys
import timeit
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators import failpoints
from tests.crash import sessions
from tests.crash.faults import Fault
from tests.unit.test_architecture import ENGINE, engine_files

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    connection.execute(sys.argv[2])
"""


@contextmanager
def written_to(made: Shop) -> Iterator[Fault]:
    """Give what writes to the old database when it was compared last but once; undo that."""
    own = f"{made.own}shop_v1." if made.kind == "mysql" else ""
    update = f"UPDATE {own}people SET bio = '{{}}' WHERE id = 0"
    url = sa.make_url(made.admin) if made.served else made.project.url(1)
    if made.kind == "postgresql":
        url = url.set(database=f"{made.own}shop_v1")
    shown = url.render_as_string(hide_password=False)
    file = Path(str(url.database))
    before = b"" if made.served else file.read_bytes()
    write = (sys.executable, "-c", WRITE, str(file), update.format("another"))
    by_sql = Fault(AFTER, 1, "sql", url=shown, command=(update.format("another"),))
    try:
        yield by_sql if made.served else Fault(AFTER, 1, "command", command=write)
    finally:
        if made.served:
            sessions.asked(shown, update.format("says 0"))
        else:
            file.write_bytes(before)
        made.reset()


AFTER = "after journal verified"
ACCEPTED = ("1to2", "--replace", "--fresh", "--accept-unfenced", "--yes")


def accepting(made: Shop) -> set[str]:
    """Return the points of a run during which the old database is written to, and may be."""
    trace = made.root / "trace.txt"
    with written_to(made) as write:
        done = made.run(*ACCEPTED, fault=write, trace=str(trace))
        assert done.code == 0, done.said
    return set(trace.read_text().splitlines())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.fault("H92")
def test_killed_where_a_write_is_accepted(made: Shop, when: str) -> None:
    """FAULTS H92: nothing is published of it; the next run reads what was written."""
    made.reset()
    with written_to(made) as write:
        kill = Fault(f"{when} journal written", 1, "kill")
        assert made.run(*ACCEPTED, fault=write, also=kill).code == -signal.SIGKILL
        assert not made.is_there(2)
        done = made.run("1to2", "--yes")
        assert (done.code, done.clear) == (0, True), done.said
        assert (0, "another") in made.content(2)["profiles"]
        assert made.left() == []


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
        *("rights given", "tables emptied", "tables moved"),
        *("mode given", "name dropped", "name linked", "name replaced"),
        *("staging settled", "staging synced"),
    },
    "mysql": {
        *("names changed", "references proven"),
        *("mode given", "name dropped", "name linked", "name replaced"),
        *("staging settled", "staging synced"),
    },
}
"""Kind → acts that it has not, or that another kind shows."""


def test_every_point_is_reached(made: Shop, plain: Undisturbed) -> None:
    """By a run on some kind of database; a point that none reaches would prove nothing."""
    reached = {point for points in plain.reached.values() for point in points} | accepting(made)
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
