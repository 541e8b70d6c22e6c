"""What happens to a command at one of its points: in its process, in whatever thread it is."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass

from migrators import failpoints
from tests.crash import sessions

FAULTS = {
    "kill": "kill -9 of the whole process",
    "exception": "an error that nobody foresaw",
    "full": "no space left on device",
    "lost": "the server ends every session of ours",
    "stop": "SIGTERM",
}
"""How a run fails; besides, "command" runs one, and "sql" a statement on a server."""


class Unforeseen(Exception):
    """An error that no code knows of."""


@dataclass(frozen=True)
class Fault:
    """What happens where.

    Attributes
    ----------
    point : str
        One of `failpoints.points()`.
    time : int
        When the run is there for the first, second … time.
    how : str
        One of `FAULTS`.
    role : str
        Whose sessions are lost.
    url : str
        The server, as somebody who may end them.
    command : tuple of str
        What is run; or the statement.
    """

    point: str
    time: int
    how: str
    role: str = ""
    url: str = ""
    command: tuple[str, ...] = ()

    def happen(self) -> None:
        """Let it happen, here and now."""
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.how == "stop":
            os.kill(os.getpid(), signal.SIGTERM)
        elif self.how == "exception":
            raise Unforeseen(self.point)
        elif self.how == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.how == "command":
            subprocess.run(self.command, check=True, stdin=subprocess.DEVNULL)
        elif self.how == "sql":
            sessions.asked(self.url, *self.command)
        else:
            sessions.end(self.url, self.role)


def install(faults: tuple[Fault, ...], trace: str) -> None:
    """Listen to the points of this process.

    Parameters
    ----------
    trace : str
        A file that takes each point, a line each; empty for none.
    """
    known = set(failpoints.points())
    times: Counter[str] = Counter()
    one_at_a_time = threading.Lock()

    def listener(point: str) -> None:
        assert point in known, f"{point}: is not in migrators/failpoints.py"
        with one_at_a_time:
            times[point] += 1
            now = times[point]
            if trace:
                _append(trace, point)
        for fault in faults:
            if (point, now) == (fault.point, fault.time):
                fault.happen()

    if faults or trace:
        failpoints.listen(listener)


def _append(path: str, line: str) -> None:
    with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"{line}\n")
