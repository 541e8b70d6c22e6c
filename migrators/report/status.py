"""The page of `migrate status`: versions, stamps, runs, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.report.text import columns, escape, escape_lines, plural, size, when, wrap

if TYPE_CHECKING:
    from migrators.receipt import KeptExtracts, RunState, Status, VersionState

_COMMAND = 30
_RUNS = 10
"""Runs that are shown: the latest."""


def status_lines(status: Status) -> list[str]:
    """Return the page."""
    lines = [escape(f"status    {status.project}"), ""]
    rows = [
        ("schema", "database", "made by", "at", ""),
        *(_version(v) for v in status.versions),
    ]
    lines += columns(rows, "lllll")
    former = [f"{name}, the former {v.database}" for v in status.versions for name in v.aside]
    lines += ["", *(x for said in former for x in wrap(said, "  aside  ", 9))] if former else []
    for state in status.versions:
        if state.unreadable:
            lines += ["", *wrap(state.unreadable, "  STOP   ", 9)]
    for state in status.versions:
        if state.fenced:
            lines += ["", *_fenced(state)]
    wrong = [v for v in status.versions if not v.agrees]
    for state in wrong:
        lines += ["", *_disagreement(state)]
    lines += ["", *(x for said in status.back for x in wrap(said, "  ", 4))] if status.back else []
    if status.runs:
        runs = [("run", "at", "command", "outcome"), *(_run(r) for r in status.runs[-_RUNS:])]
        lines += ["", *columns(runs, "llll")]
    if status.extracts.runs:
        lines += ["", *_extracts(status.extracts)]
    if status.next:
        first, *others = escape_lines(status.next)
        lines += ["", f"Next     {first}", *(f"         {line}" for line in others)]
    return lines


def _version(state: VersionState) -> tuple[str, str, str, str, str]:
    version, stamp = str(state.version), state.stamp
    if not state.exists:
        return (version, state.database, "does not exist", "", "")
    if state.unreadable:
        return (version, state.database, "cannot be read", "", "")
    if stamp is None:
        return (version, state.database, "no stamp", "", f"to adopt it: migrate stamp {version}")
    made, at = stamp.step.removeprefix("migrate "), when(stamp.at) if stamp.at else ""
    return (version, state.database, made, at, state.written)


def _fenced(state: VersionState) -> list[str]:
    since = when(state.fenced)
    return [
        f"  FENCED {escape(state.database)}, since {since}: nobody else can write to it",
        f"         migrate unfence {state.version}     opens it again, as it was",
    ]


def _disagreement(state: VersionState) -> list[str]:
    said = "it has no stamp" if state.stamp is None else f"it says schema {state.stamp.version}"
    return [
        f"  STOP   {escape(state.database)} is named for schema {state.version}, but {said}",
        f"         migrate stamp {state.version}     compares it with schemas/v{state.version}.py",
    ]


def _run(state: RunState) -> tuple[str, str, str, str]:
    left = [f"extract {state.extract}"] if state.extract else []
    left += [f"staging {state.staging}"] if state.staging else []
    outcome = state.outcome
    if outcome in ("stopped", "running") and state.phase not in ("", "begun"):
        outcome = f"{outcome} in {state.phase}"
    elif outcome == "stopped":
        outcome = "stopped before anything was written"
    outcome = f"{outcome}, to {state.to}" if state.to else outcome
    return (state.id, when(state.at), _cut(state.command), "; ".join([outcome, *left]))


def _extracts(kept: KeptExtracts) -> list[str]:
    said = f"  extracts of {plural(kept.runs, 'run')} take {size(kept.size)}; to clear them:"
    return [f"{said} migrate discard --extracts"]


def _cut(command: str) -> str:
    """A directory that was typed may be long; what was done stands at the beginning."""
    return command if len(command) <= _COMMAND else f"{command[: _COMMAND - 3]}..."
