"""What `check` gives, and the faults that it is put together from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["STOP", "note", "rehearsal"]
_LEVELS: tuple[Level, ...] = ("STOP", "note", "rehearsal")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should know before the night.

    Attributes
    ----------
    level : "STOP", "note" or "rehearsal"
        STOP: the migration would fail. note: it would not. rehearsal: only a rehearsal
        can tell.
    title : str
        "recruits.personal_email_address is NOT NULL and UNIQUE in schema 3".
    facts : tuple of str
        How many rows, and which keys; no values unless they were asked for.
    see : str
        SQL for the old database that shows the rows; empty where none does.
    mend : tuple of str
        What to type, a line each.
    """

    level: Level
    title: str
    facts: tuple[str, ...] = ()
    see: str = ""
    mend: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """The whole answer.

    Attributes
    ----------
    ok : tuple of str
        What was found to be well, a line each.
    findings : tuple of Finding
        STOPs first, then notes, then what is left to a rehearsal.
    loses : bool
        The step declares losses, which a run has to be told to accept.
    """

    ok: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float
    loses: bool = False

    @property
    def stops(self) -> bool:
        """Whether the migration would fail: exit code 3."""
        return any(finding.level == "STOP" for finding in self.findings)

    def with_findings(self, more: Iterable[Finding]) -> Check:
        """Return the answer with further findings, each among those of its level."""
        return replace(self, findings=ordered((*self.findings, *more)))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by level, else as they come."""
    return tuple(sorted(findings, key=lambda finding: _LEVELS.index(finding.level)))


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows of one new table that break one demand of the new schema.

    Attributes
    ----------
    where : str
        What the demand is made of: "recruits.personal_email_address". Faults of the
        same place become one finding.
    demand : str
        "is NOT NULL", "refers to projects.id".
    count : int
        Of rows.
    said : str
        What is wrong with them: "rows are null".
    samples : tuple of str
        Names of the first of them.
    groups : int
        How many samples there could be, where a sample names several rows.
    """

    where: str
    demand: str
    count: int
    said: str
    samples: tuple[str, ...] = ()
    see: str = ""
    mend: tuple[str, ...] = ()
    groups: int = 0


@dataclass(frozen=True, slots=True)
class Unproven:
    """A demand that no query on the old database proves: "keywords", "PRIMARY KEY (id)"."""

    table: str
    demand: str
    because: str
