"""`--fence`, `fence`, `unfence`: nobody else writes, a crash leaves it shouted about, all comes back."""  # noqa: E501

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from migrators.backends import backend_for
from migrators.errors import Findings
from migrators.events import Event, StageDone
from migrators.run import Options, directory, migrate
from migrators.run.fencing import fence, unfence
from tests import disks, servers
from tests.acceptance.cheeseshop import finished
from tests.acceptance.engines import ENGINES
from tests.acceptance.small import ROWS, Small, small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrators.backends.interface import Backend

SECONDS = 30.0
FENCED = Options(fence=True)


class Ahead(datetime):
    """A clock that is an hour ahead, until it is set back."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time in an hour."""
        return super().now(tz) + timedelta(hours=1)


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Small]:
    """A project with a database of version 1."""
    with small(str(request.param), tmp_path / "shop") as made:
        yield made


@pytest.fixture(params=sorted(servers.SERVERS))
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Small]:
    """A project on a server, whose fence lasts."""
    with small(str(request.param), tmp_path / "shop") as made:
        yield made


def at(stage: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """Do something at the end of a stage of a run."""

    def emit(event: Event) -> None:
        if isinstance(event, StageDone) and event.stage == stage:
            act()

    return emit


# the whole night ---------------------------------------------------------------------------


@pytest.mark.fault("G86")
def test_nobody_writes_from_the_snapshot_to_the_publish(shop: Small) -> None:
    """Shown by trying at the end of every stage; the new one can be written to at once."""
    tried: dict[str, bool] = {}

    def emit(event: Event) -> None:
        if isinstance(event, StageDone):
            tried[event.stage] = shop.may_write(1)

    assert shop.may_write(1)
    receipt = migrate(shop.project, [(1, 2)], FENCED, emit=emit)
    assert {"fence", "extract", "load", "verify", "still", "publish"} <= set(tried)
    assert not any(tried.values()), tried
    assert receipt.outcome == "published"
    assert receipt.fence is not None
    assert (receipt.fence.until == "") is shop.lasting
    assert "@" in receipt.fence.by
    assert shop.may_write(2)
    assert shop.may_write(1) is not shop.lasting


def test_the_old_version_stays_closed_until_unfence(served: Small) -> None:
    """Said at the end, by status, and by its JSON; unfence brings back what was, word for word."""
    before = served.access()
    done = served.ran("1to2", "--fence")
    assert "closed" in done.err
    assert "is FENCED since" in done.said
    assert "migrate unfence 1, start release 1" in done.said
    status = served.ran("status")
    assert f"FENCED {served.own}shop_v1, since" in status.out
    told = json.loads(served.ran("status", "--json").out)["versions"]
    assert (bool(told[0]["fenced"]), told[1]["fenced"]) == (True, "")
    (text,) = (served.root / ".migrate" / "runs").glob("*/receipt.txt")
    assert "is closed still" in text.read_text()
    assert served.access() != before
    assert "is open again" in served.ran("unfence", "1").out
    assert served.access() == before
    assert served.may_write(1)
    assert "FENCED" not in served.ran("status").out
    assert "is not fenced" in served.ran("unfence", "1").out
    assert served.access() == before


def test_a_file_is_open_again_when_the_run_ends(tmp_path: Path) -> None:
    """Its fence is a lock of a process; commands of their own say so."""
    with small("sqlite", tmp_path / "shop") as shop:
        before = shop.stored()
        done = shop.ran("1to2", "--fence")
        assert "FENCED" not in done.said
        assert shop.may_write(1)
        refused = shop.run("fence", "1")
        assert (refused.code, refused.clear) == (2, True)
        assert "migrate 1to2 --fence" in refused.said
        assert "is not fenced" in shop.ran("unfence", "1").out
        assert shop.stored().items() >= before.items()


def test_fence_and_unfence_by_themselves(served: Small) -> None:
    """Twice is once; a run under it takes it over, and what it remembers stays what it was."""
    before = served.access()
    assert "is FENCED since" in served.ran("fence", "1").out
    assert "is FENCED since" in served.ran("fence", "1").out
    assert not served.may_write(1)
    served.ran("1to2")
    fences = [line for journal in served.journals() for line in journal if line["what"] == "fence"]
    assert len(fences) == 1
    served.ran("unfence", "1")
    assert served.access() == before


def test_a_clock_that_is_set_back(served: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done last stands last: a fence of an hour that came later is not found again."""
    before = served.access()
    with monkeypatch.context() as ahead:
        ahead.setattr(directory, "datetime", Ahead)
        fence(served.project, 1)
    assert unfence(served.project, 1)[0] is not None
    assert unfence(served.project, 1) == (None, (), "")
    assert served.access() == before
    latest = served.journals()[-1]
    assert [line["what"] for line in latest] == ["begun", "unfenced", "finished"]
    assert "FENCED" not in served.ran("status").said


@pytest.mark.fault("H98")
def test_a_full_disk_keeps_nobody_out(served: Small, tmp_path: Path) -> None:
    """That of the run which stopped for want of room, under a fence: no line can be written."""
    before, runs = served.access(), tmp_path / "runs"
    runs.mkdir()
    if not disks.mount(runs, "size=64k"):
        pytest.skip("only root may have a disk")
    try:
        served.ran("--runs", str(runs), "fence", "1")
        with disks.room(runs, 0):
            done = served.ran("--runs", str(runs), "unfence", "1")
            assert "not written down: " in done.out
            assert "No space left" in done.out
            assert served.access() == before
            assert "FENCED" not in served.ran("--runs", str(runs), "status").said
        served.ran("--runs", str(runs), "unfence", "1")
        assert served.access() == before
    finally:
        disks.unmount(runs)


@pytest.mark.parametrize("how", ["to its end", "stopped"])
def test_a_rehearsal_opens_it_again(shop: Small, how: str) -> None:
    """However it ends: nothing was published."""
    before = shop.access() if shop.lasting else None

    def emit(event: Event) -> None:
        if isinstance(event, StageDone) and event.stage == "load":
            assert not shop.may_write(1)
            if how == "stopped":
                raise KeyboardInterrupt

    options = Options(fence=True, rehearse=True)
    if how == "stopped":
        with pytest.raises(KeyboardInterrupt):
            migrate(shop.project, [(1, 2)], options, emit=emit)
    else:
        assert migrate(shop.project, [(1, 2)], options, emit=emit).outcome == "rehearsed"
    assert shop.may_write(1)
    assert before is None or shop.access() == before


def test_the_new_version_is_used_by_whom_the_old_one_was(served: Small) -> None:
    """Not by those whom the fence lets in: rights are those of before it."""
    before = served.access()
    served.ran("1to2", "--fence")
    assert served.may_write(2)
    if served.kind == "postgresql":
        name = f"{served.own}shop_v2"
        made = served.rows(2, f"SELECT datacl::text FROM pg_database WHERE datname = '{name}'")
        assert (before, "=Tc/" in made[0][0]) == ([(None,)], True)


# what breaks it ----------------------------------------------------------------------------


@pytest.mark.fault("G86")
def test_a_stranger_who_got_in_stops_the_publish(served: Small) -> None:
    """An administrator's session that is still there: named, exit 3; FENCED, and both ways out."""
    engine = served.engine(1, administrator=True)
    held = []

    def enter() -> None:
        held.append(engine.connect())
        held[0].exec_driver_sql("SELECT 1")

    with pytest.raises(Findings, match="did not hold") as told:
        migrate(served.project, [(1, 2)], FENCED, emit=at("verify", enter))
    assert "connected to it" in told.value.message
    assert "FENCED" in served.ran("status").out
    served.ran("1to2", "--fence")  # it ends who is in
    held[0].invalidate()
    engine.dispose()


def test_a_right_that_came_back_stops_the_publish(served: Small) -> None:
    """Somebody opened it by hand meanwhile."""
    with pytest.raises(Findings, match="did not hold"):
        migrate(served.project, [(1, 2)], FENCED, emit=at("verify", lambda: grant(served)))
    served.ran("1to2", "--fence")


def grant(shop: Small) -> None:
    """Let the application in again, by hand."""
    name = f"{shop.own}shop_v1"
    shop.write(
        1,
        {
            "postgresql": f'GRANT CONNECT ON DATABASE "{name}" TO "{shop.own}writer"',
            "mysql": f"GRANT INSERT ON `{name}`.* TO '{shop.own}writer'@'%%'",
        }[shop.kind],
        administrator=True,
    )


def passing(shop: Small, stage: str, said: str) -> None:
    """Let an administrator write into a fenced database at a stage; the run stops, and says so."""
    write = "INSERT INTO children VALUES (901, 1, 'passed')"
    with pytest.raises(Findings, match=said):
        migrate(
            shop.project,
            [(1, 2)],
            FENCED,
            emit=at(stage, lambda: shop.write(1, write, administrator=True)),
        )


def test_what_an_administrator_wrote_and_left_is_noticed(served: Small) -> None:
    """Who passes is said, and leaves a trace."""
    passing(served, "verify", "written to while")
    assert "FENCED" in served.ran("status").out
    served.ran("1to2", "--fence")
    assert served.rows(2, "SELECT count(*) FROM children") == [(ROWS + 1,)]


def test_what_an_administrator_wrote_at_the_last_moment_is_noticed(tmp_path: Path) -> None:
    """After the old database was found to be as it was, and before the new one has its name."""
    with small("postgresql", tmp_path / "shop") as shop:
        passing(shop, "still", "at the last moment")
        assert json.loads(shop.ran("status", "--json").out)["versions"][1]["exists"] is False


@pytest.mark.fault("G86")
@pytest.mark.parametrize("how", ["moved here", "copied over"])
@pytest.mark.parametrize(("stage", "said"), [("verify", "written to while"), ("still", "last mom")])
def test_a_file_that_became_another_is_noticed(
    tmp_path: Path, how: str, stage: str, said: str
) -> None:
    """A backup that is brought back asks for no lock: SQLite's keeps nobody out who does not."""
    with small("sqlite", tmp_path / "shop") as shop:
        old, other = Path(str(shop.project.url(1).database)), tmp_path / "other.db"
        shutil.copy(old, other)
        with closing(sqlite3.connect(other)) as connection, connection:
            connection.execute("UPDATE children SET note = 'other' WHERE id = 1")
        put = other.replace if how == "moved here" else partial(shutil.copy, other)
        with pytest.raises(Findings, match=said):
            migrate(shop.project, [(1, 2)], FENCED, emit=at(stage, lambda: put(old)))
        assert not Path(str(shop.project.url(2).database)).exists()
        shop.ran("1to2", "--fence")
        assert shop.rows(2, "SELECT note FROM children WHERE id = 1") == [("other",)]


def test_a_copy_to_another_place(served: Small) -> None:
    """Moving to another server: the old one is closed, and says so."""
    before = served.access()
    url = str(served.project.url(1)).replace("shop_v1", "moved_v{version}")
    done = served.ran("copy", "1", "--to", url, "--fence")
    assert "is FENCED since" in done.said
    assert not served.may_write(1)
    served.ran("unfence", "1")
    assert served.access() == before


# crashes -----------------------------------------------------------------------------------


def test_a_killed_run_leaves_it_and_says_so(served: Small) -> None:
    """By kill -9: status shouts; the same command goes on under it; unfence undoes it, verbatim."""
    before = served.access()
    _killed(served)
    assert not served.may_write(1)
    assert "FENCED" in served.ran("status").out
    served.ran("unfence", "1")
    assert served.access() == before
    assert served.may_write(1)
    _killed(served)
    done = served.ran("1to2", "--fence")
    assert "is here" in done.said
    assert not served.may_write(1)
    served.ran("unfence", "1")
    assert served.access() == before


def test_a_killed_run_leaves_no_fence_of_a_file(tmp_path: Path) -> None:
    """The process that held it ends with it."""
    with small("sqlite", tmp_path / "shop") as shop:
        _killed(shop)
        until = time.monotonic() + SECONDS
        while not shop.may_write(1):
            assert time.monotonic() < until
            time.sleep(0.02)
        shop.ran("1to2", "--fence")


SLOW = '''\
"""1to2: a batch function that waits for ever."""

import time


def wait(rows):
    """Wait to be killed."""
    time.sleep(600)
    return rows


def migrate(step, old, new):
    """Say what becomes of what."""
    import sqlalchemy as sa

    step.table(new.parents).values(tier="basic")
    step.table(new.children).computed(wait, reads=sa.select(old.children))
    step.same("children", old=sa.select(sa.func.count(old.children.c.id)),
              new=sa.select(sa.func.count(new.children.c.id)))
'''


def _killed(shop: Small) -> None:
    """Kill a run once the database is closed, and it reads."""
    step = shop.root / "migrators" / "1to2.py"
    text = step.read_text()
    step.write_text(SLOW)
    before = len(shop.journals())
    process = shop.start("1to2", "--fence")
    try:
        until = time.monotonic() + SECONDS
        while not [j for j in shop.journals()[before:] if "extract" in {x["what"] for x in j}]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.02)
        assert not shop.may_write(1)
        process.send_signal(signal.SIGKILL)
        finished(process)
    finally:
        process.kill()
        step.write_text(text)


def test_stopped_between_the_intent_and_the_deed(
    served: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What undoes it is on disk before anything is taken; nothing was taken yet, so it is open."""
    before = served.access()
    fence = type(_backend(served).fence())

    def died(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fence, "close", died)
        with pytest.raises(KeyboardInterrupt):
            migrate(served.project, [(1, 2)], FENCED, emit=lambda _: None)
    assert "FENCED" not in served.ran("status").out
    served.ran("1to2", "--fence")
    served.ran("unfence", "1")
    assert served.access() == before


DIES = """
import os, signal, sys
from migrators.cli import main
from migrators.run.directory import RunDirectory

what, when, *typed = sys.argv[1:]
say = RunDirectory.say


def dies(self, said, **facts):
    if said == what and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    say(self, said, **facts)
    if said == what:
        os.kill(os.getpid(), signal.SIGKILL)


RunDirectory.say = dies
main(typed)
"""
MOMENTS = [(what, when) for what in ("fence", "fenced", "unfenced") for when in ("before", "after")]


@pytest.mark.parametrize(("what", "when"), MOMENTS)
def test_killed_around_every_act(served: Small, what: str, when: str) -> None:
    """Before and after each line of the journal: what is told is so, and all comes back."""
    before = served.access()
    typed = ["1to2", "--fence"]
    if what == "unfenced":
        served.ran("fence", "1")
        typed = ["unfence", "1"]
    done = subprocess.run(
        [sys.executable, "-c", DIES, what, when, "-C", str(served.root), *typed], check=False
    )
    assert done.returncode == -signal.SIGKILL
    told = "FENCED" in served.ran("status").out
    assert told is not served.may_write(1)
    assert told is (what == "fenced")
    served.ran("1to2", "--fence")
    assert not served.may_write(1)
    served.ran("unfence", "1")
    assert served.access() == before
    assert served.may_write(1)


def test_a_version_that_is_dropped_leaves_no_fence(served: Small) -> None:
    """A new one of its name is used by whom the former one was."""
    before = served.access()
    served.ran("1to2", "--fence")
    served.ran("drop", "1", "--yes")
    served.ran("2to1", "--yes")
    assert served.may_write(1)
    if served.kind == "mysql":
        assert served.access() == before
    assert "FENCED" not in served.ran("status").out


def test_a_failed_run_says_both_ways_out(served: Small) -> None:
    """FENCED, the same command again, and unfence."""
    step = served.root / "migrators" / "1to2.py"
    step.write_text(SLOW.replace("time.sleep(600)", "raise ValueError"))
    done = served.run("1to2", "--fence")
    assert done.code != 0
    assert "FENCED since" in done.said
    assert "To give up migrate unfence 1 then start release 1" in done.said
    assert not served.may_write(1)


def _backend(shop: Small) -> Backend:
    return backend_for(shop.project.url(1))


# going down under a fence --------------------------------------------------------------------


def test_the_way_back_ends_with_an_open_version(served: Small) -> None:
    """`2to1` sets the fenced version 1 aside: the new one of that name is not closed."""
    before = served.access()
    served.ran("1to2", "--fence")
    served.ran("2to1", "--fence", "--yes")
    assert served.may_write(1)
    assert not served.may_write(2)
    served.ran("unfence", "2")
    assert served.may_write(2)
    if served.kind == "mysql":
        assert served.access() == before
