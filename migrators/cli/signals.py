"""Ctrl-C and SIGTERM: they stop the work, and only the work.

A signal that came a moment later, while what stands is being told or Python ends, would cut
that off with a traceback. So the handler looks at what runs: it raises inside of `working`
and is silent outside, without a gap between the two. It waits for an import to end: one that
is cut short keeps its module's lock for ever, and a thread that imports the same hangs. And
it waits for threads that are being stopped: what they read is closed when they have ended.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migrators.stream import UNINTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_IMPORTING = "<frozen importlib._bootstrap>"
_AGAIN = 0.02
_LONGEST = 3.0
"""Seconds that an import may put a stop off: it may run a person's endless loop."""
_PATIENCE = 10.0
"""Seconds that threads may take to end; then a further signal ends the process as a kill does."""
_INTERRUPTED = 130
_AT_ONCE = b"\ninterrupted at once; the same command again cleans up and goes on\n"


def working(command: Callable[[], Any]) -> Any:
    """Run a command that signals may stop.

    Raises
    ------
    KeyboardInterrupt
    """
    return command()


@contextmanager
def stoppable(*, last: bool) -> Iterator[Stop]:
    """Let both signals stop what is `working`; they reach the main thread only.

    Parameters
    ----------
    last : bool
        The process has nothing left to do afterwards but to end, and hears no more.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = (*_STOPPING, signal.SIGALRM)
    before: dict[signal.Signals, Any] = {n: signal.signal(n, stop) for n in numbers}
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)


class Stop:
    """The handler of both signals, and of the alarm that it sets itself to ask again.

    Attributes
    ----------
    came : bool
        The work was stopped. What it raises then, closing things halfway, says no more.
    """

    def __init__(self) -> None:
        self.came = False
        self._asked = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in the work, once it imports nothing and ends no thread."""
        codes, at_work = _running(frame)
        if not at_work:
            return
        now = time.monotonic()
        self._asked = self._asked or now
        ending = not UNINTERRUPTED.isdisjoint(codes)
        if ending and number != signal.SIGALRM and now > self._asked + _PATIENCE:
            os.write(2, _AT_ONCE)
            os._exit(_INTERRUPTED)
        importing = any(code.co_filename == _IMPORTING for code in codes)
        if ending or (importing and now < self._asked + _LONGEST):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
            return
        self.came = True
        raise KeyboardInterrupt


def _running(frame: FrameType | None) -> tuple[set[CodeType], bool]:
    """Return the code that runs inside of `working`, and whether any does."""
    codes: set[CodeType] = set()
    while frame is not None:
        if frame.f_code is working.__code__:
            return codes, True
        codes.add(frame.f_code)
        frame = frame.f_back
    return codes, False
