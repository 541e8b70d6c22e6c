"""`--until`: a run that stops by itself before it publishes, and says early that it will have to.

What is to be expected of the stages that are left is what the last run of the same command took
for them, at the pace of this one. Without such a run only the stage at work can be told.
"""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from migrators.errors import OutOfTime
from migrators.events import Event, Note, StageDone, StageStarted, TableDone, TableProgress
from migrators.run.directory import all_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrators.events import Emit
    from migrators.project import Project

STAGES = ("extract", "load", "finish", "verify")
"""Those that take long, in their order."""
_SEEN = 0.02
"""Of a stage, or of all: less of it says nothing of the rest."""


@contextmanager
def kept(
    until: datetime | None, emit: Emit, expected: Sequence[tuple[str, float]]
) -> Iterator[Watch]:
    """Watch what a run tells; interrupt it when its time has come, unless it was let off.

    Parameters
    ----------
    until : datetime or None
        When it has to be done; None for no limit.
    expected : sequence of (stage, seconds)
        As `expected` gives them.

    Raises
    ------
    OutOfTime
        At any moment before `Watch.in_time` has been asked.
    """
    watch = Watch(emit, until, expected, left=_left)
    timer: threading.Timer | None = None
    if until is not None and threading.current_thread() is threading.main_thread():
        timer = threading.Timer(max(0.0, _left(until)), watch.interrupt)
        timer.daemon = True
        timer.start()
    try:
        yield watch
    except KeyboardInterrupt:
        if watch.interrupted:
            raise watch.out_of_time() from None
        raise
    finally:
        if timer is not None:
            timer.cancel()


def expected(project: Project, command: str) -> list[tuple[str, float]]:
    """Return what each long stage took in the last whole run of a command; empty without one."""
    for run in all_runs(project):
        begun = run.said("begun")
        if not begun or begun[0].get("command") != command:
            continue
        try:
            stages = json.loads((run.path / "receipt.json").read_text("utf-8"))["stages"]
            found = [(str(s["stage"]), float(s["seconds"])) for s in stages]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found = [(stage, seconds) for stage, seconds in found if stage in STAGES]
        if len(found) % len(STAGES) == 0 and found:
            return found
    return []


def _left(until: datetime) -> float:
    return (until - datetime.now(UTC)).total_seconds()


@dataclass
class Watch:
    """An `Emit` that looks at the clock.

    Attributes
    ----------
    interrupted : bool
        Its time came while it was at work.
    """

    emit: Emit
    until: datetime | None
    expected: Sequence[tuple[str, float]] = ()
    left: Callable[[datetime], float] = _left
    interrupted: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _armed: bool = True
    _warned: str = ""
    _stage: str = ""
    _at: int = -1
    _total: int = 0
    _done: int = 0
    _began: float = 0.0
    _spent: float = 0.0
    _known: float = 0.0

    def __call__(self, event: Event) -> None:
        """Pass an event on; raise OutOfTime where the time has come."""
        self.emit(event)
        if self.until is None:
            return
        with self._lock:
            if not self._armed:
                return
            left = self.left(self.until)
            if left <= 0:
                raise self.out_of_time()
            self._see(event, left)
            late = self._late(left)
        if late:
            self.emit(Note(late))

    def in_time(self) -> None:
        """Let the run off, which is about to publish.

        Raises
        ------
        OutOfTime
        """
        if self.until is None:
            return
        with self._lock:
            self._armed = False
        if self.interrupted or self.left(self.until) <= 0:
            raise self.out_of_time()

    def interrupt(self) -> None:
        """Interrupt the main thread as Ctrl-C does; called by another one."""
        with self._lock:
            if not self._armed:
                return
            self.interrupted = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def out_of_time(self) -> OutOfTime:
        """Return what is told."""
        return OutOfTime(
            f"{self._clock()} has come: stopped before anything was published",
            hint="a later --until, or none: what is complete is used again",
        )

    def _clock(self, later: float = 0.0) -> str:
        """Return the limit as the reader's clock shows it, or a time so many seconds after it."""
        assert self.until is not None  # noqa: S101  asked before
        at = self.until + timedelta(seconds=later)
        return at.astimezone().strftime("%H:%M")

    def _see(self, event: Event, left: float) -> None:
        match event:
            case StageStarted():
                self._stage, self._total, self._done = event.stage, event.total, 0
                self._began = left
                self._at = self._next(event.stage)
            case TableProgress():
                self._done += event.rows
            case TableDone() if not event.seconds:  # it was there before
                self._done += event.rows
            case StageDone() if event.stage == self._stage:
                if self._at >= 0:
                    self._spent += self._began - left
                    self._known += self.expected[self._at][1]
                self._stage = ""

    def _next(self, stage: str) -> int:
        """Return the place of a stage among those that are expected; -1 where it is none."""
        names = [name for name, _ in self.expected]
        return names.index(stage, self._at + 1) if stage in names[self._at + 1 :] else -1

    def _late(self, left: float) -> str:
        """Say once of each stage that the limit will not be kept; empty where it may be."""
        if not self._stage or self._warned == self._stage:
            return ""
        needed, what = self._needed(left)
        if needed <= left:
            return ""
        self._warned = self._stage
        return (
            f"at this rate {what} ends at {self._clock(needed - left)}, after {self._clock()}: "
            "it will stop by itself before it publishes"
        )

    def _needed(self, left: float) -> tuple[float, str]:
        """Return the seconds that are still needed, and of what they are."""
        share = min(1.0, self._done / self._total) if self._total else 0.0
        taken = self._began - left
        own = taken / share * (1 - share) if share >= _SEEN else 0.0
        if self._at < 0:
            return own, f"the {self._stage} alone"
        then = self.expected[self._at][1]
        after = sum(seconds for _, seconds in self.expected[self._at + 1 :])
        known = then * share + self._known
        pace = (self._spent + taken) / known if known >= _SEEN * (known + after + then) else 1.0
        rest = max(then - taken, 0.0) if not share else then * (1 - share)
        return (rest + after) * pace, "it"
