"""A run's directory and its journal: intents before facts, each line on disk when said."""

from __future__ import annotations

import errno
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrators import __version__
from migrators.errors import DatabaseError
from migrators.extracts.atomic import PART, AtomicFile, sync_directory
from migrators.failpoints import act
from migrators.project import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.project import Project
    from migrators.receipt import Receipt

_JOURNAL = "journal.jsonl"
_NAME = re.compile(r"(\d{8}-\d{6})(?:-(\d+))?")


@dataclass(frozen=True)
class RunDirectory:
    """One run: `.migrate/runs/20261121-020007`."""

    path: Path

    @property
    def id(self) -> str:
        """The run's name, also part of its staging databases' names."""
        return self.path.name

    @property
    def scratch(self) -> Path:
        """A private directory for what does not fit in memory; made when asked for."""
        place = self.path / "scratch"
        place.mkdir(mode=0o700, exist_ok=True)
        return place

    def extract(self, name: str) -> Path:
        """Where the extract of a step is, or will be."""
        return self.path / f"extract-{name}"

    def say(self, what: str, **facts: Any) -> str:
        """Append a line to the journal; return the time that it says, when it is on disk."""
        at = now()
        line = json.dumps({"at": at, "what": what, **facts}, ensure_ascii=True) + "\n"
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(self.path / _JOURNAL, flags, 0o600)
        try:
            with act(f"journal {what}"):
                _write(handle, ("\n" if _cut_short(handle) else "").encode() + line.encode())
                os.fsync(handle)
        finally:
            os.close(handle)
        return at

    def journal(self) -> list[dict[str, Any]]:
        """Return the lines; one that a crash cut short was never said.

        Raises
        ------
        OSError
            There is one, and it cannot be read: it may tell of a fence.
        """
        try:
            text = (self.path / _JOURNAL).read_text("utf-8", "replace")
        except FileNotFoundError:
            return []
        lines = []
        for line in text.splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and isinstance(said.get("what"), str):
                    lines.append(said)
        return lines

    def said(self, what: str) -> list[dict[str, Any]]:
        """Return the journal's lines of one kind."""
        return [line for line in self.journal() if line["what"] == what]

    def made(self, *whats: str) -> list[dict[str, Any]]:
        """Return the lines of databases that were made and are not gone.

        Parameters
        ----------
        whats : str
            "staging", "scratch".
        """
        made: list[dict[str, Any]] = []
        for line in self.journal():
            if line["what"] == "gone":  # one in place is emptied, and may be made again
                made = [x for x in made if x["database"] != line["database"]]
            elif line["what"] in whats:
                made.append(line)
        return made

    def keep(self, receipt: Receipt) -> None:
        """Write `receipt.json`."""
        with AtomicFile(self.path / "receipt.json", 0o600) as file:
            file.write(json.dumps(receipt.as_dict(), indent=1, default=str).encode())

    def clear_parts(self) -> None:
        """Remove receipts that a crash left under a temporary name."""
        for path in self.path.glob(f"*{PART}"):
            path.unlink(missing_ok=True)

    @act("scratch cleared")
    def clear_scratch(self) -> None:
        """Remove what did not fit in memory."""
        import shutil

        shutil.rmtree(self.path / "scratch", ignore_errors=True)


def _cut_short(handle: int) -> bool:
    """Whether the last line has no end: a crash or a full disk cut it, and the next begins anew."""
    size = os.fstat(handle).st_size
    return size > 0 and os.pread(handle, 1, size - 1) != b"\n"


def _write(handle: int, line: bytes) -> None:
    """Write all of a line: a disk that gets full takes a part of it without an error."""
    while line:
        line = line[os.write(handle, line) :]


def now() -> str:
    """Return the time, UTC, ISO 8601 to the millisecond: short runs have a length, too."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_run(project: Project, command: str) -> RunDirectory:
    """Make a directory for a new run and say what was asked.

    Raises
    ------
    DatabaseError
        If it cannot be written.
    """
    runs = project.runs / "runs"
    try:
        private_directory(runs)
        with act("run directory made"):
            run = RunDirectory(_free(runs))
            sync_directory(runs)
        run.say("begun", command=command, tool=__version__)
        sync_directory(run.path)
    except OSError as error:
        raise _unwritable(runs, error.strerror) from None
    return run


def may_write(project: Project) -> None:
    """Raise what `new_run` would where it has no right to write; nothing is made.

    Raises
    ------
    DatabaseError
    """
    runs = project.runs / "runs"
    there = next(p for p in (runs, *runs.absolute().parents) if p.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(runs, os.strerror(errno.EACCES))


def _unwritable(runs: Path, why: str | None) -> DatabaseError:
    return DatabaseError(
        f"{runs}: {why}: a run keeps its journal there",
        hint=(
            "make room or make it writable",
            "or set MIGRATE_RUNS to another directory, which knows of no fence and no former run",
        ),
    )


def _free(runs: Path) -> Path:
    """Make a directory that comes after all others, also where a clock was set back meanwhile.

    By their order it is known which fence stands and which run was the last: in the hour that
    is twice, too.
    """
    name = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    latest, last = max(((name, -1), *map(_order, runs.iterdir())))
    name, again = max(name, latest), last + 1
    while True:
        path = runs / (f"{name}-{again}" if again else name)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            return path
        again += 1


def _order(path: Path) -> tuple[str, int]:
    """Return what runs are sorted by; something else's name comes before all."""
    named = _NAME.fullmatch(path.name)
    return (named[1], int(named[2] or 0)) if named else ("", 0)


def all_runs(project: Project) -> Iterator[RunDirectory]:
    """Yield the project's runs, the latest first."""
    for run in _directories(project):
        if (run.path / _JOURNAL).is_file():
            yield run


def clear_ended(project: Project) -> None:
    """Remove what a killed run could not hold in memory: rows as they are, and of use to nobody.

    The caller holds the lock.
    """
    for run in _directories(project):
        if (run.path / "scratch").is_dir():
            run.clear_scratch()


def clear_unbegun(project: Project) -> None:
    """Remove what a crash left of runs that had not said yet what was asked.

    The caller holds the lock. Only what is empty goes: there is at most a journal without a line.
    """
    for run in _directories(project):
        journal = run.path / _JOURNAL
        with suppress(OSError):
            if journal.is_file() and b"\n" not in journal.read_bytes():
                journal.unlink()
        with suppress(OSError):  # it is not empty: some run's
            run.path.rmdir()


def _directories(project: Project) -> Iterator[RunDirectory]:
    runs = project.runs / "runs"
    if runs.is_dir():
        yield from (RunDirectory(path) for path in sorted(runs.iterdir(), key=_order, reverse=True))
