"""Events → lines on stderr while the work goes on.

On a terminal the stage at work is one line, redrawn ten times a second at most;
elsewhere it is a line every few seconds. A stage that is done is one line for good.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrators.events import (
    Event,
    Note,
    RunBegan,
    StageDone,
    StageStarted,
    TableDone,
    TableProgress,
)
from migrators.report.bar import Progress, bar, words
from migrators.report.paint import paint
from migrators.report.text import WIDTH, clock, count, duration, escape, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TextIO

REDRAW = 0.1
"""Seconds between two drawings of the bar."""
SAY = 5.0
"""Seconds between two lines where there is no terminal."""
_TEXT = 20
_SPAN = 80


class Teller:
    """Tells a stream what happens: an `Emit` for the engine.

    Parameters
    ----------
    stream : TextIO
        Usually stderr. When it breaks the teller falls silent and the work goes on.
    terminal : bool
        Whether lines may be redrawn.
    colour : bool
    short : function of str
        Says paths shorter.
    seconds, now : functions
        A steady clock, and the time of day.

    Attributes
    ----------
    began : bool
        Whether any stage has begun: until then a command has done nothing.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        terminal: bool = False,
        colour: bool = False,
        short: Callable[[str], str] = str,
        seconds: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.began = False
        self._stream: TextIO | None = stream
        self._terminal = terminal
        self._colour = colour
        self._short = short
        self._seconds = seconds
        self._now = now
        self._lock = threading.RLock()
        self._drawn = 0
        self._first: Callable[[str], Iterable[str]] | None = None
        self._run = ""
        self._enter("", "", 0)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._take(event)

    def first(self, lines: Callable[[str], Iterable[str]]) -> None:
        """Say lines when work begins, before the first stage or note: of the run's name, or ""."""
        self._first = lines

    def line(self, text: str) -> None:
        """Say one line of ours; the bar makes room for it."""
        text = self._short(text)
        with self._lock:
            self._clear()
            self._write((paint(text) if self._colour else text) + "\n")

    def stop(self) -> None:
        """Say how far the stage at work has come; nothing if none is."""
        if self._stage:
            came = self._own() or self._so_far()
            self.line(f"{self._started}  {escape(self._stage):<9} {came}")
            self._enter("", "", 0)

    def _take(self, event: Event) -> None:
        if isinstance(event, StageStarted | Note):  # others tell of nothing that is done
            first, self._first = self._first, None
            for line in first(self._run) if first is not None else ():
                self.line(line)
        match event:
            case RunBegan():
                self._run = event.run
            case StageStarted():
                self.began = True
                self._enter(event.stage, event.about, event.total, event.tables)
                if self._terminal:
                    self._progress()
            case TableProgress():
                self._open.add(event.table)
                self._rows(event.table, self._seen.get(event.table, 0) + event.rows)
            case TableDone():
                self._open.discard(event.table)
                self._rows(event.table, self._seen.get(event.table, event.rows))
            case StageDone():
                self._done(event)
            case Note():
                self._say(clock(self._now()), "", event.text)

    def _enter(
        self, stage: str, about: str, total: int, tables: Mapping[str, int] | None = None
    ) -> None:
        self._stage, self._about, self._total = stage, about, total
        self._started = clock(self._now())
        self._since = self._last = self._seconds()
        self._table = ""
        self._seen: dict[str, int] = {}
        self._open: set[str] = set()
        self._totals = tables or {}
        self._all = 0

    def _rows(self, table: str, rows: int) -> None:
        self._all += rows - self._seen.get(table, 0)
        self._seen[table] = rows
        self._table = table
        if self._seconds() - self._last >= (REDRAW if self._terminal else SAY):
            self._progress()

    def _progress(self) -> None:
        at = self._seconds()
        if self._terminal:
            self._draw(bar(self._state(at), min(WIDTH, shutil.get_terminal_size().columns - 1)))
        else:
            self._write(f"{clock(self._now())}  {escape(self._stage):<9} {self._so_far()}\n")
        self._last = at

    def _state(self, at: float) -> Progress:
        return Progress(
            self._started,
            escape(self._stage),
            self._table or self._short(self._about),
            self._all,
            self._total,
            at - self._since,
        )

    def _so_far(self) -> str:
        return words(self._state(self._seconds())) or escape(self._short(self._about))

    def _own(self) -> str:
        """Say how far the one table at work is; empty where there are several, or none."""
        (table, *others) = self._open or ("",)
        total = self._totals.get(table, 0)
        if others or not total:
            return ""
        return f"{escape(table)}: {count(self._seen[table])} of {count(total)} rows"

    def _done(self, event: StageDone) -> None:
        said = tuple(filter(None, event.said or (self._about,)))
        self._clear()
        for fact in said[:1]:
            self._say(self._started, event.stage, fact, duration(event.seconds))
        for fact in said[1:]:
            self._say("", "", fact)
        self._enter("", "", 0)

    def _say(self, at: str, stage: str, text: str, took: str = "") -> None:
        width = _SPAN - len(took) - 1 if took else WIDTH
        lines = wrap(self._short(text), f"{at:<8}  {escape(stage):<9} ", _TEXT, width)
        if took:
            lines[-1] = f"{lines[-1]:<{_SPAN - len(took) - 1}} {took}"
        for line in lines:
            self.line(line)

    def _draw(self, text: str) -> None:
        self._write("\r" + text.ljust(self._drawn))
        self._drawn = len(text)

    def _clear(self) -> None:
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                # What is still in the buffer must not fail again when Python ends.
                os.dup2(nowhere.fileno(), self._stream.fileno())
            self._stream = None
