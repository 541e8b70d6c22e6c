"""The page of `migrate status`: versions, stamps, runs, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.report.text import columns, escape, escape_lines, when

if TYPE_CHECKING:
    from migrators.receipt import RunState, Status, VersionState

_RUNS = 10
"""Runs that are shown: the latest."""


def status_lines(status: Status) -> list[str]:
    """Return the page."""
    lines = [escape(f"status    {status.project}"), ""]
    rows = [("schema", "database", "it says", ""), *(_version(v) for v in status.versions)]
    lines += columns(rows, "llll")
    wrong = [v for v in status.versions if not v.agrees]
    for state in wrong:
        lines += ["", *_disagreement(state)]
    if status.runs:
        runs = [("run", "at", "command", "outcome"), *(_run(r) for r in status.runs[-_RUNS:])]
        lines += ["", *columns(runs, "llll")]
    if status.next:
        first, *others = escape_lines(status.next)
        lines += ["", f"Next     {first}", *(f"         {line}" for line in others)]
    return lines


def _version(state: VersionState) -> tuple[str, str, str, str]:
    version, written = str(state.version), state.written
    if not state.exists:
        return (version, state.database, "does not exist", "")
    stamp = state.stamp
    if stamp is None:
        return (version, state.database, "no stamp", written)
    made = f"schema {stamp.version}, {stamp.step}" if stamp.step else f"schema {stamp.version}"
    return (version, state.database, f"{made}, {when(stamp.at)}", written)


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
    if outcome not in ("published", "rehearsed", "already done") and state.phase:
        outcome = f"{outcome} in {state.phase}"
    return (state.id, when(state.at), state.command, "; ".join([outcome, *left]))
