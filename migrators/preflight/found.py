"""Where `check` gathers what it finds, and what it does about questions that fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrators.errors import DatabaseError, ValueRefused
from migrators.preflight import wording
from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from migrators.preflight.model import Fault, Unproven


@dataclass
class Found:
    """Everything found so far."""

    ok: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)
    unread: dict[str, set[str]] = field(default_factory=dict)
    """Old tables of which it is said what of them cannot be read: these columns."""
    unread_columns: set[str] = field(default_factory=set)
    """What could not be read elsewhere: what SQL of the step gives for a new column."""

    def tolerant(self, what: str, *, drifted: bool) -> _Tolerant:
        """Return a context in which questions about `what` may fail for a known reason."""
        return _Tolerant(self, what, drifted=drifted)

    def faults(self, found: list[Fault], version: int) -> None:
        """Add faults, those of one place as one finding."""
        by_place: dict[str, list[Fault]] = {}
        for fault in found:
            by_place.setdefault(fault.where, []).append(fault)
        self.findings += [wording.finding("STOP", f, version) for f in by_place.values()]


class _Tolerant:
    """Lets a database that drifted fail a question, and says that it was not asked."""

    def __init__(self, found: Found, what: str, *, drifted: bool) -> None:
        self._found = found
        self._what = what
        self._drifted = drifted

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, ValueRefused):
            return self._refused(error)
        if not self._drifted or not isinstance(error, DatabaseError):
            return False
        said = f"{self._what} was not checked, because the database drifted"
        self._found.findings.append(Finding("note", said, (error.message,)))
        return True

    def _refused(self, error: ValueRefused) -> bool:
        """Take a value that could not be read, once; those of `unread` tables have been said."""
        unread = self._found.unread
        name = ".".join(filter(None, (error.table, error.column)))
        said = name in self._found.unread_columns
        self._found.unread_columns.add(name)
        if error.table not in unread and (error.table or not unread) and not said:
            keys = wording.listed([key for key, _ in error.samples if key], error.count)
            fact = f"{wording.counted(error.count, 'values')}: {error.reason}  {keys}".rstrip()
            title = f"{name} cannot be read as the step says, and nothing else of {self._what}"
            self._found.findings.append(Finding("STOP", title, (fact,), mend=error.hint))
        return True
