"""What one invocation shares: where the project is, the streams, and who tells of progress."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrators.config import redact
from migrators.errors import UsageError
from migrators.project import Project
from migrators.report.paint import paint, wanted
from migrators.report.teller import Teller
from migrators.report.text import relative

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from migrators.report.run import Deed


@dataclass
class Session:
    """One invocation of the command.

    Attributes
    ----------
    typed : list of str
        The arguments.
    places : mapping
        `to` and `into` as typed: another place for what is made.
    deed : Deed or None
        What is being done, once it may leave something behind.
    last : bool
        The process ends with it.
    show_values : bool or None
        Whether an error shows values beside keys: personal data, so only when it was
        typed. None for verbs where it cannot be.
    """

    typed: list[str]
    directory: Path = field(default_factory=Path)
    flags: Mapping[str, str] = field(default_factory=dict, repr=False)
    places: Mapping[str, str] = field(default_factory=dict, repr=False)
    debug: bool = False
    deed: Deed | None = None
    last: bool = False
    show_values: bool | None = None

    @property
    def command(self) -> str:
        """The whole line as it was typed, without secrets."""
        return f"migrate {shlex.join(redact(word) for word in self.typed)}"

    def project(self) -> Project:
        """Return the project that the invocation is about.

        Raises
        ------
        ProjectError, UsageError
            As `Project.find`.
        """
        return Project.find(self.directory, flags=self.flags).moved(**self.places)

    def place(self, typed: Path) -> Path:
        """Return where an extract is that was named: from the cwd, or else from the project.

        Hints name `fixtures/v2`, wherever they are read.
        """
        here = self.directory / typed
        there = self.project().root / typed
        return there if there.exists() and not here.exists() else here

    @cached_property
    def teller(self) -> Teller:
        """Tells stderr what happens; the engine's `emit`."""
        return Teller(
            sys.stderr,
            terminal=sys.stderr.isatty() and os.environ.get("TERM") != "dumb",
            colour=wanted(sys.stderr, os.environ),
            short=self.short,
        )

    def short(self, text: str) -> str:
        """Return text with the paths below the cwd said from there."""
        return relative(text, str(Path.cwd()))

    def begin(self, deed: Deed) -> None:
        """Say what will be done; from now on an error says also what stands."""
        from migrators.report.run import promise_lines, start_lines

        self.deed = deed
        for line in start_lines(deed):
            self.teller.line(line)
        self.teller.first(partial(promise_lines, deed))

    def show(self, lines: Iterable[str]) -> None:
        """Print a result; a stage that never said it was done is told of first."""
        self.teller.stop()
        colour = paint if wanted(sys.stdout, os.environ) else str
        _write(sys.stdout, "".join(f"{colour(self.short(line))}\n" for line in lines))

    def show_data(self, data: Any) -> None:
        """Print a result as JSON."""
        from migrators.report.data import as_json

        self.teller.stop()
        _write(sys.stdout, as_json(data) + "\n")

    def agree(self, question: str, *, yes: bool, answer: str = "y") -> None:
        """Ask before something that is hard to take back.

        Parameters
        ----------
        question : str
            What will happen, in one sentence.
        yes : bool
            `--yes`: do not ask.
        answer : str
            What has to be typed.

        Raises
        ------
        UsageError
            The answer is another, or nobody can be asked.
        """
        if yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"{question}; nobody can be asked here", hint=f"{self.command} --yes")
        sys.stderr.write(f"{question}.\nType {answer} to go on: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip() != answer:
            raise UsageError("not agreed to; nothing was changed")


def _write(stream: TextIO, text: str) -> None:
    """Write to a stream whose reader may have gone: `migrate plan 2to3 | head`."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # What is still in the buffer must not fail again when Python ends.
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), stream.fileno())
