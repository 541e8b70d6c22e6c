"""`--until`: the run stops by itself before it publishes, and says early that it will."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import pytest

from migrators.cli.until import moment
from migrators.errors import OutOfTime
from migrators.events import Event, Note, StageDone, StageStarted, TableProgress
from migrators.run import Options, deadline, migrate
from migrators.run.deadline import Watch, expected
from tests.acceptance.engines import ENGINES, shops, there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

LIMIT = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cheeseshop]:
    """The reference application with a database of version 2."""
    with shops(str(request.param), tmp_path / "shop") as made:
        made.ran("load", "fixtures/v2")
        yield made


@pytest.mark.parametrize("stage", ["extract", "load", "verify", "still"])
def test_it_stops_in_any_stage_and_goes_on(
    shop: Cheeseshop, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is published; typed again without the limit it uses what is complete."""
    project = shop.project
    left = 3600.0

    def emit(event: Event) -> None:
        nonlocal left
        if isinstance(event, StageStarted) and event.stage == stage:
            left = 0.0

    monkeypatch.setattr(deadline, "_left", lambda _: left)
    with pytest.raises(OutOfTime, match="stopped before anything was published"):
        migrate(project, project.chain(2, 3), Options(until=datetime.now(UTC)), emit=emit)
    assert "v3" not in there(shop)
    told: list[Event] = []
    receipt = migrate(project, project.chain(2, 3), Options(), emit=told.append)
    assert receipt.outcome == "published"
    said = " ".join(event.text for event in told if isinstance(event, Note))
    assert ("used again" in said) == (stage != "extract")
    assert there(shop) == ["v2", "v3"]


def test_it_does_not_wait_for_a_stage_to_end(tmp_path: Path) -> None:
    """What is under way when the time comes is interrupted, as by Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def emit(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "finish":
            time.sleep(60)

    with shops("sqlite", tmp_path / "shop") as shop:
        shop.ran("load", "fixtures/v2")
        began = time.monotonic()
        until = datetime.now(UTC) + timedelta(seconds=3)
        try:
            with pytest.raises(OutOfTime):
                migrate(shop.project, shop.project.chain(2, 3), Options(until=until), emit=emit)
        finally:
            signal.signal(signal.SIGINT, before)
        assert time.monotonic() - began < 40
        assert there(shop) == ["v2"]


def test_typed(tmp_path: Path) -> None:
    """The limit is said before, what was left of it afterwards; past ones are refused."""
    with shops("sqlite", tmp_path / "shop") as shop:
        shop.ran("load", "fixtures/v2")
        soon, past = (f"{datetime.now().astimezone() + by:%H:%M}" for by in (HOUR, -HOUR))
        refused = shop.run("2to3", "--until", past)
        assert refused.code == 2
        assert "ago: name a later time" in refused.err
        done = shop.run("2to3", "--until", soon)
        assert done.code == 0
        assert f"must be done by {soon}" in done.err
        assert "before your limit" in done.out


@pytest.mark.parametrize(
    ("text", "at"),
    [("04:00", "2026-11-22T04:00"), ("23:30", "2026-11-21T23:30"), ("00:00", "2026-11-22T00:00")],
)
def test_moments(text: str, at: str) -> None:
    """The next time that the clock shows it."""
    now = datetime(2026, 11, 21, 22, 30, 5).astimezone()
    assert moment(text, now) == datetime.fromisoformat(at).astimezone()


@pytest.mark.parametrize("text", ["22:29", "11:00", "4", "25:00", "04:00:00", "noon", ""])
def test_no_moments(text: str) -> None:
    """What is past, and what is no time of day."""
    now = datetime(2026, 11, 21, 22, 30, 5).astimezone()
    with pytest.raises(click.BadParameter, match=r"name a later time|no time of day"):
        moment(text, now)


# forecasts --------------------------------------------------------------------------------


class Clock:
    """Seconds that are left, and what was told."""

    def __init__(self, left: float, known: list[tuple[str, float]]) -> None:
        self.left = left
        self.told: list[str] = []
        self.watch = Watch(self._tell, LIMIT, known, left=lambda _: self.left)

    def _tell(self, event: Event) -> None:
        if isinstance(event, Note):
            self.told.append(event.text)

    def after(self, seconds: float, event: Event) -> None:
        """Let time go by, then tell an event."""
        self.left -= seconds
        self.watch(event)


KNOWN = [("extract", 600.0), ("load", 900.0), ("finish", 300.0), ("verify", 600.0)]


def test_a_run_in_time_says_nothing() -> None:
    """At the pace of the rehearsal it is done ten minutes early."""
    clock = Clock(3000.0, KNOWN)
    clock.after(0, StageStarted("extract", "", 100))
    for _ in range(10):
        clock.after(60, TableProgress("extract", "t", 10))
    clock.after(0, StageDone("extract", 600.0))
    clock.after(0, StageStarted("load", "", 100))
    clock.after(450, TableProgress("load", "t", 50))
    assert clock.told == []


def test_a_run_at_half_the_pace_is_told_of_in_its_first_stage() -> None:
    """A tenth of the extract took twice as long as it should: so will all the rest."""
    clock = Clock(3000.0, KNOWN)
    clock.after(0, StageStarted("extract", "", 100))
    clock.after(120, TableProgress("extract", "t", 10))
    (said,) = clock.told
    assert "it ends at" in said
    assert "it will stop by itself before it publishes" in said
    late = LIMIT + timedelta(seconds=4800 - 3000)
    assert f"{late.astimezone():%H:%M}" in said
    clock.after(120, TableProgress("extract", "t", 10))
    assert len(clock.told) == 1


def test_a_limit_that_was_never_possible_is_told_of_at_once() -> None:
    """The rehearsal took longer than what is left."""
    clock = Clock(1200.0, KNOWN)
    clock.after(0, StageStarted("extract", "", 100))
    assert len(clock.told) == 1


def test_an_extract_that_is_used_again_is_not_waited_for() -> None:
    """What is left begins with the load."""
    clock = Clock(1900.0, KNOWN)
    clock.after(0, StageStarted("load", "", 100))
    clock.after(90, TableProgress("load", "t", 10))
    assert clock.told == []


def test_without_a_rehearsal_the_stage_alone_is_told_of() -> None:
    """Nothing is known of the others."""
    clock = Clock(1000.0, [])
    clock.after(0, StageStarted("extract", "", 100))
    clock.after(200, TableProgress("extract", "t", 10))
    (said,) = clock.told
    assert "the extract alone ends at" in said


def test_timings_of_a_rehearsal_are_expected(tmp_path: Path) -> None:
    """The same four stages, from its receipt; of another command none."""
    with shops("sqlite", tmp_path / "shop") as shop:
        shop.ran("load", "fixtures/v2")
        assert expected(shop.project, "migrate 2to3") == []
        shop.ran("2to3", "--rehearse")
        found = expected(shop.project, "migrate 2to3")
        assert [stage for stage, _ in found] == ["extract", "load", "finish", "verify"]
        assert expected(shop.project, "migrate 1to2") == []
