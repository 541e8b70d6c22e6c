"""A load that stopped goes on at the first table that its ledger lacks: none is loaded twice."""

from __future__ import annotations

import itertools
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrators.errors import ValueRefused
from migrators.events import Note, StageStarted, TableDone, TableProgress
from migrators.run import Options, directory, fencing, migrate, status
from tests import servers
from tests.acceptance.engines import asked, shops, there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrators.events import Event
    from tests.acceptance.cheeseshop import Cheeseshop

SERVED = tuple(servers.SERVERS)
LOADED = 4
"""Tables after which it stops."""


@pytest.fixture(params=SERVED)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cheeseshop]:
    """The reference application with a database of version 2."""
    with shops(str(request.param), tmp_path / "shop") as made:
        made.ran("load", "fixtures/v2")
        yield made


ONE = Options(jobs=1)


def ran(shop: Cheeseshop, emit: Callable[[Event], None], options: Options = ONE) -> str:
    """Migrate in this process, one table at a time; return the outcome."""
    project = shop.project
    return migrate(project, project.chain(2, 3), options, emit=emit).outcome


class Told:
    """What a run tells; after some tables it does as it is told."""

    def __init__(self, stop: Callable[[], None] = lambda: None) -> None:
        self.events: list[Event] = []
        self._stop = stop

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self.events.append(event)
        if isinstance(event, TableDone) and len(self.loaded) == LOADED:
            self._stop()

    @property
    def loaded(self) -> list[str]:
        """Tables that were loaded by the run itself."""
        done = [e for e in self.events if isinstance(e, TableDone) and e.stage == "load"]
        return [event.table for event in done if event.seconds]

    @property
    def said(self) -> str:
        """Its notes."""
        return "\n".join(event.text for event in self.events if isinstance(event, Note))


def broken() -> None:
    """Fail, as anything may."""
    raise RuntimeError("gone")


def killed(shop: Cheeseshop) -> None:
    """Run in a process of its own that is killed in the midst of the load."""
    child = os.fork()
    if not child:
        try:
            ran(shop, Told(lambda: os.kill(os.getpid(), signal.SIGKILL)))
        finally:
            os._exit(1)
    _, how = os.waitpid(child, 0)
    assert os.WTERMSIG(how) == signal.SIGKILL


def verified(shop: Cheeseshop) -> None:
    """Compare version 3 with the extract that it was loaded from."""
    shop.ran("verify", str(next((shop.root / ".migrate/runs").glob("*/extract-2to3"))))


@pytest.mark.parametrize("way", ["error", "kill"])
@pytest.mark.fault("H92", "H104")
def test_a_load_goes_on(shop: Cheeseshop, way: str) -> None:
    """What was loaded is not loaded again, and the content is that of a run nothing stopped."""
    whole = Told()
    assert ran(shop, whole, Options(jobs=1, rehearse=True)) == "rehearsed"
    if way == "kill":
        killed(shop)
    else:
        with pytest.raises(RuntimeError):
            ran(shop, Told(broken))
    last = status(shop.project).runs[-1]
    assert (last.outcome, last.staging) == (
        "stopped",
        "unfinished; goes on at the first table that is missing",
    )
    assert any("loading" in name for name in there(shop))
    again = Told()
    assert ran(shop, again) == "published"
    assert (
        f"{LOADED} of {len(whole.loaded)} tables are there of the load that stopped" in again.said
    )
    assert again.loaded == whole.loaded[LOADED:]
    assert there(shop) == ["v2", "v3"]
    verified(shop)
    assert ran(shop, Told()) == "already done"
    places = f"'public', '{shop.project.url(3).database}'"
    tables = f"information_schema.tables WHERE table_schema IN ({places})"
    assert asked(shop, 3, f"SELECT 1 FROM {tables} AND table_name = 'migrate_ledger'") == []
    assert len(asked(shop, 3, f"SELECT 1 FROM {tables} AND table_name = 'files'")) == 1


@pytest.mark.fault("H104")
def test_a_table_that_was_begun_is_loaded_whole(shop: Cheeseshop) -> None:
    """Stopped in the midst of a table: none of its rows stay, and none is there twice."""

    def stop(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "load":
            stopping.append(event)
        if stopping and isinstance(event, TableProgress) and event.table == "files":
            raise RuntimeError("gone")

    stopping: list[Event] = []
    with pytest.raises(RuntimeError):
        ran(shop, stop)
    again = Told()
    assert ran(shop, again) == "published"
    assert "files" in again.loaded
    verified(shop)


@pytest.mark.fault("H104")
def test_what_is_not_the_same_is_loaded_anew(shop: Cheeseshop) -> None:
    """`--fresh`, or a source that was written to: the staging database goes."""
    for way in ("fresh", "written"):
        with pytest.raises(RuntimeError):
            ran(shop, Told(broken))
        if way == "written":
            asked(shop, 2, "UPDATE packages SET name = CONCAT(name, 'x')")
        again = Told()
        assert ran(shop, again, Options(jobs=1, fresh=way == "fresh", rehearse=True)) == "rehearsed"
        assert "there of the load that stopped" not in again.said
        assert there(shop) == ["v2"]


def test_a_refused_value_leaves_nothing(shop: Cheeseshop) -> None:
    """What has to be mended changes the extract: there is nothing to go on with."""

    def refuse() -> None:
        raise ValueRefused("files", "name", "does not fit", count=1)

    with pytest.raises(ValueRefused):
        ran(shop, Told(refuse))
    assert there(shop) == ["v2"]


def test_load_alone_goes_on(shop: Cheeseshop) -> None:
    """`migrate load DIR` knows its own staging database again, too."""
    from migrators.run import load_only

    source = shop.fixtures(3)
    with pytest.raises(RuntimeError):
        load_only(shop.project, source, Options(jobs=1), emit=Told(broken))
    again = Told()
    assert load_only(shop.project, source, Options(jobs=1), emit=again).outcome == "published"
    assert "there of the load that stopped" in again.said
    assert there(shop) == ["v2", "v3"]


def test_a_chain_goes_on_at_its_last_step(tmp_path: Path) -> None:
    """An intermediate version whose rows are extracted already is not loaded once more."""
    kind = "postgresql"
    with shops(kind, tmp_path / "shop") as shop:
        shop.ran("load", "fixtures/v1")
        project = shop.project

        def stop(event: Event) -> None:
            if isinstance(event, StageStarted) and event.stage == "load":
                loads.append(event)
                if len(loads) == 3:
                    raise RuntimeError("gone")

        loads: list[Event] = []
        with pytest.raises(RuntimeError):
            migrate(project, project.chain(1, 4), Options(jobs=1), emit=stop)
        told: list[Event] = []
        migrate(project, project.chain(1, 4), Options(jobs=1), emit=told.append)
        started = [e for e in told if isinstance(e, StageStarted) and e.stage == "load"]
        assert len(started) == 1
        assert there(shop) == ["v1", "v4"]


def test_status_says_what_the_same_command_does(shop: Cheeseshop) -> None:
    """What will be used again, and how to give it up."""
    with pytest.raises(RuntimeError):
        ran(shop, Told(broken))
    said = shop.ran("status").said
    assert "Next migrate 2to3 uses its extract again, if the old database stood still" in said
    assert "goes on at the first table that is missing" in said
    assert "migrate discard gives it up; loses nothing" in said
    shop.ran("discard")
    assert there(shop) == ["v2"]


# extracts ---------------------------------------------------------------------------------

FENCED = Options(jobs=1, fence=True)


class Extracting(Told):
    """What a run tells; it fails once some tables are extracted."""

    @property
    def loaded(self) -> list[str]:
        """Tables that were extracted by the run itself."""
        done = [e for e in self.events if isinstance(e, TableDone) and e.stage == "extract"]
        return [event.table for event in done]


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the clock sees another time than whoever looked before."""
    ticks = itertools.count()

    def later() -> str:
        at = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(milliseconds=next(ticks))
        return at.isoformat(timespec="milliseconds")

    for module in (directory, fencing):
        monkeypatch.setattr(module, "now", later)


@pytest.mark.usefixtures("ticking")
def test_under_a_fence_finished_tables_of_an_extract_are_kept(shop: Cheeseshop) -> None:
    """Nothing can have been written meanwhile: the others are read, and the receipt is whole."""
    with pytest.raises(RuntimeError):
        ran(shop, Extracting(broken), FENCED)
    last = status(shop.project).runs[-1]
    assert last.extract == "unfinished; finished tables are kept"
    again, whole = Extracting(), Extracting()
    chain = shop.project.chain(2, 3)
    second = migrate(shop.project, chain, FENCED, emit=again)
    first = migrate(shop.project, chain, Options(jobs=1, rehearse=True, fresh=True), emit=whole)
    said = f"{LOADED} of {len(whole.loaded)} tables are there of the run that stopped"
    assert said in again.said
    assert "extracted anew" not in again.said
    assert again.loaded == whole.loaded[LOADED:]
    assert (second.tables, second.rules) == (first.tables, first.rules)
    verified(shop)
    assert list((shop.root / ".migrate").rglob("*.kept")) == []
    shop.ran("unfence", "2")
    assert there(shop) == ["v2", "v3"]


@pytest.mark.parametrize("way", ["no fence", "another fence", "a damaged file", "fresh"])
def test_otherwise_an_unfinished_extract_is_thrown_away(shop: Cheeseshop, way: str) -> None:
    """Whatever the finished tables say, the old database may say something else by now."""
    options = ONE if way == "no fence" else FENCED
    with pytest.raises(RuntimeError):
        ran(shop, Extracting(broken), options)
    if way == "another fence":
        shop.ran("unfence", "2")
    if way == "a damaged file":
        for file in (shop.root / ".migrate").rglob("*.parquet"):
            file.write_bytes(file.read_bytes()[:-1] + b"x")
    again = Extracting()
    assert ran(shop, again, replace(options, fresh=way == "fresh")) == "published"
    assert "of the run that stopped" not in again.said
    assert ("was not finished" in again.said) is (way in ("no fence", "another fence"))
    verified(shop)
    if options.fence:
        shop.ran("unfence", "2")
