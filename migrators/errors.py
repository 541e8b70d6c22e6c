"""Every error the engine raises on purpose; one place (`cli`) catches the root.

    MigrateError                    exit 1
    ├── UsageError                  exit 2   what was typed or configured
    │   ├── ProjectError                     no project, or a file of it is missing
    │   └── CodeError                        a step or schema file is broken: file and line
    │       └── PlanError                    a step that does not account for everything
    ├── ValueRefused                exit 1   a value that would not arrive exactly
    │   └── NotHeld                          the column, held as text, would take it
    ├── DatabaseError               exit 1   missing, corrupt, full, read-only …
    │   ├── NotADatabase                     a file that is empty, or holds something else
    │   └── NoServer                         none answers there, or not in time
    ├── ExtractError                exit 1   an extract that is incomplete, damaged or hostile
    ├── TargetExists                exit 1   the name is taken
    ├── WrongVersion                exit 1   an application met another schema version
    ├── Findings                    exit 3   a check found something: drift, misfits, stale
    ├── VerifyMismatch              exit 4   what was loaded is not what was extracted
    ├── Locked                      exit 5   another run, or a writer, holds it
    └── Interrupted                 exit 130 resumable

A message says what happened and where; `hint` is what to type next, a line each.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class MigrateError(Exception):
    """Root of the tree.

    Parameters
    ----------
    message : str
        What happened, in one plain sentence; where (table, column, key) is part of it.
    hint : sequence of str
        What to type or do next, a line each.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint: tuple[str, ...] = (hint,) if isinstance(hint, str) else tuple(hint)

    @property
    def values(self) -> tuple[str, ...]:
        """The values that it is about, for who asked to see them; the message has none."""
        return ()


class UsageError(MigrateError):
    """What was typed or configured cannot be done."""

    exit_code = 2


class ProjectError(UsageError):
    """There is no project here, or one of its files is missing."""


class CodeError(UsageError):
    """A step or a schema file is broken.

    Parameters
    ----------
    path : Path
        The file.
    line : int or None
        Its line, 1-based, where it is known.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path,
        line: int | None = None,
        hint: str | Sequence[str] = (),
    ) -> None:
        where = f"{path.name}:{line}" if line else path.name
        super().__init__(f"{where}: {message}", hint=hint)
        self.path = path
        self.line = line


def mend(path: Path, line: int | None) -> str:
    """Return the hint for a file that raises: which line to mend."""
    where = f"{path.parent.name}/{path.name}"
    at = f"line {line} of {where}" if line else where
    return f"mend {at}, then type the same command again"


class PlanError(CodeError):
    """A step does not account for every column and row; `problems` holds each one.

    Parameters
    ----------
    problems : sequence of str
        One sentence each, complete in itself. The lines to add are in `hint`.
    """

    def __init__(
        self,
        problems: Sequence[str],
        *,
        path: Path,
        line: int | None = None,
        hint: str | Sequence[str] = (),
    ) -> None:
        super().__init__("\n".join(problems), path=path, line=line, hint=hint)
        self.problems = tuple(problems)


class ValueRefused(MigrateError):
    """Values that would not arrive exactly; refused by name.

    Parameters
    ----------
    table, column : str
        Where the values are to go. No table, and the new column's whole name, where SQL of the
        step gives them.
    reason : str
        Why they do not fit: "is not an integer", "is longer than 255 characters".
    count : int
        How many were seen; at least this many exist.
    samples : sequence of (key, value)
        Keys of some of the rows ("" where none is known), and the value as text, escaped.
        Values may be personal data: the message names keys alone, and `values` is for who
        asked to see them.
    """

    def __init__(
        self,
        table: str,
        column: str,
        reason: str,
        *,
        count: int = 1,
        samples: Sequence[tuple[str, str]] = (),
        hint: str | Sequence[str] = (),
    ) -> None:
        shown = ", ".join(key for key, _ in samples[:5] if key)
        rows = "row" if count == 1 else "rows"
        at = f" at {shown}" if shown else ""
        where = f"{table}.{column}" if table else column
        super().__init__(f"{where}: {count} {rows}{at}: {reason}", hint=hint)
        self.table = table
        self.column = column
        self.reason = reason
        self.count = count
        self.samples = tuple(samples)

    @property
    def values(self) -> tuple[str, ...]:
        """The distinct values among the samples."""
        return tuple(dict.fromkeys(value for _, value in self.samples if value))


class NotHeld(ValueRefused):
    """Values that Arrow's type does not hold: the same column, held as text, does.

    Attributes
    ----------
    labels : tuple of str
        Of the columns, as the query names them.
    """

    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, refused: ValueRefused, label: str) -> NotHeld:
        """Return a refusal of one column's values as one that says so."""
        held = cls(
            refused.table,
            refused.column,
            refused.reason,
            count=refused.count,
            samples=refused.samples,
            hint=refused.hint,
        )
        held.labels = (label,)
        return held


class DatabaseError(MigrateError):
    """A database is missing, corrupt, full, read-only or of another kind."""


def of_system(error: OSError, place: object = "") -> DatabaseError:
    """Return what the system refused as an error of ours.

    Parameters
    ----------
    place : path or str
        Where it was, if the error does not say so.
    """
    where = error.filename2 or error.filename or place
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return DatabaseError(
        f"{where}: {error.strerror or error}",
        hint="free some room on that disk" if full else "look at the rights and the disk there",
    )


class NotADatabase(DatabaseError):
    """A file has the name of a database and is none: empty, or something else's."""


class NoServer(DatabaseError):
    """No server answers where one should be, or none in time."""


class ExtractError(MigrateError):
    """An extract is incomplete, damaged, hostile or of another schema.

    Parameters
    ----------
    value : str
        A field of a CSV file that is no value of its column's type.
    """

    def __init__(self, message: str, *, hint: str | Sequence[str] = (), value: str = "") -> None:
        super().__init__(message, hint=hint)
        self._value = value

    @property
    def values(self) -> tuple[str, ...]:
        """The field."""
        return (self._value,) if self._value else ()


class TargetExists(MigrateError):
    """The versioned name is taken; nothing was overwritten."""


class WrongVersion(MigrateError):
    """An application met a database of another schema version than it was written for."""


class Findings(MigrateError):
    """A check found something; `findings` are already rendered by the report."""

    exit_code = 3


class VerifyMismatch(MigrateError):
    """What was loaded differs from the extract, or a `step.same` disagrees."""

    exit_code = 4


class Locked(MigrateError):
    """Another run holds the lock, or a writer holds the database."""

    exit_code = 5


class Interrupted(MigrateError):
    """Stopped by Ctrl-C or SIGTERM; the same command goes on."""

    exit_code = 130


class OutOfTime(Interrupted):
    """The time that `--until` names came before there was anything to publish."""
