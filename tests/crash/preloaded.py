"""A process that has imported everything once, and forks itself for each command.

Imports take longer than the small runs here. It has no threads and no connections, so that what
it forks is as good as new; a command's process has a group of its own, to be killed whole.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.crash import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_FORKS = {"jemalloc_bg_thd\n"}
"""A thread of Arrow's allocator, which knows of forks."""
_OWN = Path("/proc/self/comm").read_text("utf-8")
_LONGEST = 120.0
"""Seconds that a command may take: one that takes longer hangs, and is killed."""


@dataclass(frozen=True)
class Request:
    """A command, and what happens to it.

    Attributes
    ----------
    typed : tuple of str
        What follows `migrate`.
    said : str
        The file that takes both streams.
    faults : tuple of faults.Fault
        What happens at points of it.
    trace : str
        The file that takes the points that it reaches, if any.
    signals : tuple of (seconds, number)
        What is sent to its group, and when after its start.
    """

    typed: tuple[str, ...]
    said: str
    faults: tuple[faults.Fault, ...] = ()
    trace: str = ""
    signals: tuple[tuple[float, int], ...] = ()

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Return the request of plain data."""
        happens = tuple(faults.Fault(**each) for each in plain["faults"])
        signals = tuple((float(at), int(number)) for at, number in plain["signals"])
        return cls(tuple(plain["typed"]), plain["said"], happens, plain["trace"], signals)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    code : int
        Its exit code; minus the signal that killed it.
    seconds : float
    said : str
        Both streams, words in one line.
    """

    code: int
    seconds: float
    said: str = field(repr=False)

    @property
    def clear(self) -> bool:
        """Neither a traceback nor an error that nobody foresaw."""
        return not re.search(r"Traceback|--debug|\bunexpected\b", self.said)  # libpq: unexpectedly


# the one side ------------------------------------------------------------------------------


class Preloaded:
    """The process, for those who ask it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *requests: Request) -> list[Ended]:
        """Run commands to their end, all of them together."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([asdict(each) for each in requests]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the preloaded process has ended"
        said = [" ".join(Path(r.said).read_text("utf-8", "replace").split()) for r in requests]
        ended = zip(json.loads(answer), said, strict=True)
        return [Ended(code, seconds, words) for (code, seconds), words in ended]


@contextmanager
def preloaded() -> Iterator[Preloaded]:
    """Start the process; it ends with its standard input."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MIGRATE_")}
    environment["OPENBLAS_NUM_THREADS"] = "1"  # it would start threads when it is imported
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.preloaded"],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Preloaded(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(_LONGEST)


# the other ---------------------------------------------------------------------------------


def _serve() -> None:
    _import()
    assert _threads() - _FORKS == {_OWN}, f"{_threads()}: a fork would lose all but one"
    for line in sys.stdin:
        requests = [Request.of(plain) for plain in json.loads(line)]
        began = time.monotonic()
        children = [_forked(request) for request in requests]
        ended = []
        for child, request in zip(children, requests, strict=True):
            code = _waited(child, request, began)
            ended.append((code, time.monotonic() - began))
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _threads() -> set[str]:
    return {task.joinpath("comm").read_text("utf-8") for task in Path("/proc/self/task").iterdir()}


def _forked(request: Request) -> int:
    child = os.fork()
    if not child:
        _command(request)
    return child


def _import() -> None:
    """Import all that any command does."""
    import importlib

    import migrators

    for name in ("adbc_driver_sqlite.dbapi", "adbc_driver_postgresql.dbapi", "pyarrow.parquet"):
        importlib.import_module(name)
    folder = Path(migrators.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        if not (parts[-1][0].isdigit() or parts[-1] == "__main__" or "testing" in parts):
            importlib.import_module(".".join(parts).removesuffix(".__init__"))


def _command(request: Request) -> None:
    """Become the command: own group, own streams; ends with it."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as in a process that has just begun
        os.setsid()
        out = os.open(request.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for number, handle in ((0, null), (1, out), (2, out)):
            os.dup2(handle, number)
        faults.install(request.faults, request.trace)
        from migrators.cli import main

        code = main(list(request.typed))
    except BaseException:  # noqa: BLE001  the process ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _waited(child: int, request: Request, began: float) -> int:
    """Send what is to be sent, and wait; return how it ended."""
    handle = os.pidfd_open(child)
    try:
        for seconds, number in (*sorted(request.signals), (_LONGEST, signal.SIGKILL)):
            left = began + seconds - time.monotonic()
            if select.select([handle], [], [], max(0.0, left))[0]:
                break
            try:
                os.killpg(child, number)
            except ProcessLookupError:  # it has not made its group yet
                os.kill(child, number)
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    _serve()
