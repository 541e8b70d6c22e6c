"""Ctrl-C at any time, and two at once: clear, nothing half made, and the same command goes on."""

from __future__ import annotations

import contextlib
import select
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from migrators.errors import DatabaseError
from migrators.events import Event, StageDone, TableDone, TableProgress
from migrators.run import Options, migrate
from tests.acceptance.cheeseshop import (
    Cheeseshop,
    Done,
    assert_refused,
    cheeseshop,
    finished,
    sha256,
)
from tests.benchmarks.generate import generate

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

SCALE = 0.06
"""Of the generated database: 200,000 rows, some 2 s of work; version 3 has 34 MB."""
HALF = 15_000_000
STAGING = "data/cheeseshop_v3__loading_*.db"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of version 2 with a few hundred thousand rows."""
    path = tmp_path_factory.mktemp("generated") / "cheeseshop_v2.db"
    generate(path, version=2, scale=SCALE, seed=1)
    return path


@pytest.fixture
def big(cheese: Cheeseshop, generated: Path) -> Cheeseshop:
    """A shop with that database."""
    cheese.data.mkdir()
    shutil.copy(generated, cheese.database(2))
    return cheese


# signals ---------------------------------------------------------------------------------


def _until(process: subprocess.Popen[str], came: Callable[[], bool]) -> None:
    """Wait until something came about in a process's work."""
    end = time.monotonic() + PATIENCE
    while not came():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        select.select([], [], [], 0.001)


def _grown(shop: Cheeseshop, pattern: str, size: int = 0) -> Callable[[], bool]:
    """Whether a file of some size has appeared in a project."""

    def came() -> bool:
        with contextlib.suppress(FileNotFoundError):
            return any(p.stat().st_size > size for p in shop.root.glob(pattern))
        return False

    return came


def _said(shop: Cheeseshop, what: str, times: int) -> Callable[[], bool]:
    """Whether the journals have so many lines of a kind."""

    def came() -> bool:
        with contextlib.suppress(ValueError):
            lines = [line["what"] for journal in shop.journals() for line in journal]
            return lines.count(what) >= times
        return False

    return came


@pytest.mark.fault("H93")
def test_ctrl_c_wherever_the_work_is(big: Cheeseshop) -> None:
    """Exit 130 at each; the versioned name stays free; at last the command runs to its end."""
    moments = {
        "begun": _said(big, "begun", 1),
        "the first table is read": _grown(big, ".migrate/runs/*/extract-2to3/*"),
        "releases are read": _grown(big, ".migrate/runs/*/extract-2to3/releases.parquet*", 1),
        "the extract is complete": _said(big, "extracted", 1),
        "loading": _grown(big, STAGING),
        "half is loaded": _grown(big, STAGING, HALF),
        "nearly all is loaded": _grown(big, STAGING, 2 * HALF),
        "verified": _said(big, "verified", 1),
    }
    before = sha256(big.database(2))
    for moment, came in moments.items():
        done = _signalled(big, came)
        while done.code == 0:  # the process was through before the signal came
            big.database(3).unlink()
            done = _signalled(big, came)
        assert_refused(done, 130, ["interrupted"])
        if moment != "begun":  # nothing was made yet
            assert "Nothing is lost" in done.said, moment
            assert "2to3" in done.said.partition("type the same command again:")[2], moment
        assert big.databases() == ["cheeseshop_v2.db"], moment
    assert big.run("status").clear
    done = finished(big.start("2to3"))
    assert (done.code, done.clear) == (0, True), done.said
    assert "used again" in done.said
    assert big.databases() == ["cheeseshop_v2.db", "cheeseshop_v3.db"]
    assert sha256(big.database(2)) == before
    assert big.rows(3, "SELECT count(*) FROM releases") == [(120_000,)]
    assert _half_made(big) == []


def _signalled(shop: Cheeseshop, came: Callable[[], bool]) -> Done:
    process = shop.start("2to3")
    _until(process, came)
    process.send_signal(signal.SIGINT)
    return finished(process)


def _half_made(shop: Cheeseshop) -> list[Path]:
    runs = shop.root / ".migrate" / "runs"
    extracts = [p for p in runs.glob("*/extract-*") if not (p / "manifest.json").exists()]
    return [*extracts, *runs.glob("*/scratch"), *shop.data.glob("*__loading_*")]


@pytest.mark.parametrize(
    ("pattern", "size"),
    [(".migrate/runs/*/extract-2to3/releases.parquet*", 1), (STAGING, HALF)],
    ids=["extracting", "loading"],
)
@pytest.mark.fault("H93")
def test_ctrl_c_again_and_again(big: Cheeseshop, pattern: str, size: int) -> None:
    """A person who is out of patience does not get a traceback, nor anything half made.

    Nor is anything closed under a thread that reads it, which would end the process.
    """
    process = big.start("2to3")
    _until(process, _grown(big, pattern, size))
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        select.select([], [], [], 0.001)
    done = finished(process)
    assert_refused(done, 130, ["interrupted"])
    assert [name for name in big.databases() if "loading" not in name] == ["cheeseshop_v2.db"]
    big.ran("2to3")
    assert _half_made(big) == []


@pytest.mark.parametrize(
    ("command", "number"),
    [("extract 2to3 --to {root}/out", signal.SIGINT), ("load {root}/out", signal.SIGTERM)],
)
def test_a_signal_in_one_phase_alone(big: Cheeseshop, command: str, number: signal.Signals) -> None:
    """`extract` and `load` by themselves: exit 130, and the same command again is right."""
    typed = command.format(root=big.root).split()
    if typed[0] == "load":
        big.ran("extract", "2to3", "--to", str(big.root / "out"))
    pattern = {"extract": "out/releases.parquet*", "load": STAGING}[typed[0]]
    process = big.start(*typed)
    _until(process, _grown(big, pattern, 1))
    process.send_signal(number)
    assert_refused(finished(process), 130, ["interrupted"])
    assert big.databases() == ["cheeseshop_v2.db"]
    big.ran(*typed)
    assert _half_made(big) == []


# every event -----------------------------------------------------------------------------


def _noted(event: Event) -> bool:
    """Whether an event is a point in the work that is told apart."""
    if isinstance(event, TableDone | TableProgress):
        return event.table == "users"
    return isinstance(event, StageDone)


@pytest.mark.fault("H92", "H104")
def test_stopped_at_any_event_the_next_run_ends_it(tmp_path: Path) -> None:
    """Also between the publish and its receipt: then the same command finds it is done."""
    shop = cheeseshop(tmp_path / "shop", fixtures=[2])
    shop.ran("load", str(shop.fixtures(2)))
    before = sha256(shop.database(2))
    project = shop.project
    events: list[Event] = []
    migrate(project, project.chain(2, 3), Options(), emit=events.append)
    points = [at for at, event in enumerate(events) if _noted(event)]
    assert {type(events[at]) for at in points} == {StageDone, TableDone, TableProgress}
    content = shop.contents(3, "first")
    for at in points:
        shop.database(3).unlink()
        shutil.rmtree(shop.root / ".migrate")
        _stopped(shop, at)
        assert shop.databases() in (
            ["cheeseshop_v2.db"],
            ["cheeseshop_v2.db", "cheeseshop_v3.db"],
        ), events[at]
        assert shop.run("status").clear
        shop.ran("2to3")
        assert shop.databases() == ["cheeseshop_v2.db", "cheeseshop_v3.db"], events[at]
        assert _half_made(shop) == [], events[at]
    assert shop.contents(3, "last") == content
    assert sha256(shop.database(2)) == before


def _stopped(shop: Cheeseshop, at: int) -> None:
    """Run and be interrupted at an event."""
    seen = iter(range(at + 1))

    def emit(_event: Event) -> None:
        if next(seen) == at:
            raise KeyboardInterrupt

    project = shop.project
    with pytest.raises(KeyboardInterrupt):
        migrate(project, project.chain(2, 3), Options(fresh=True), emit=emit)


# two at once -----------------------------------------------------------------------------


def test_a_second_run_is_told_who_holds_the_project(big: Cheeseshop) -> None:
    """Exit 5 names command and process; looking is allowed; the first comes to its end."""
    first = big.start("2to3")
    _until(first, _said(big, "extract", 1))
    words = ["another run holds this project", "migrate 2to3", str(first.pid)]
    for command in ("2to3", "2to4", "create 4", "discard", "stamp 2"):
        assert_refused(big.run(*command.split()), 5, words)
    assert big.run("status").clear
    assert big.run("plan", "2to3").clear
    done = finished(first)
    assert (done.code, done.clear) == (0, True)
    assert "already" in big.ran("2to3").out


@pytest.mark.fault("G88")
def test_many_at_once(two: Cheeseshop) -> None:
    """FAULTS G88: one wins; the others exit 5, or come late enough to find it done."""
    processes = [two.start("2to3") for _ in range(6)]
    ends = [finished(process) for process in processes]
    assert all(done.clear for done in ends)
    assert {done.code for done in ends} <= {0, 5}
    made = [done for done in ends if done.code == 0 and "already" not in done.said]
    assert len(made) == 1
    assert two.databases() == ["cheeseshop_v2.db", "cheeseshop_v3.db"]
    assert _half_made(two) == []
    two.ran("verify", str(two.fixtures(3)))


@pytest.mark.fault("G90")
def test_a_lock_whose_holder_was_killed_is_free(big: Cheeseshop) -> None:
    """FAULTS G90: the system frees it; what it left is cleared by the next run."""
    process = big.start("2to3")
    _until(process, _grown(big, STAGING, HALF))
    process.kill()
    finished(process)
    assert big.run("status").clear
    big.ran("2to3")
    assert _half_made(big) == []


@pytest.mark.fault("G90")
@pytest.mark.parametrize("since", ["gone", "another's"])
def test_a_lock_whose_file_was_removed_is_none(two: Cheeseshop, since: str) -> None:
    """FAULTS G90: another run holds its own by then, so nothing is published without it."""
    lock = two.root / ".migrate" / "lock"

    def emit(event: Event) -> None:
        if isinstance(event, StageDone) and event.stage == "verify":
            lock.unlink()
            if since == "another's":
                lock.touch()

    with pytest.raises(DatabaseError, match="another run may be at work"):
        migrate(two.project, [(2, 3)], Options(), emit=emit)
    assert two.databases() == ["cheeseshop_v2.db"]
    two.ran("2to3")
