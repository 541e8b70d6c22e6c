"""An error as lines: what happened, where, what to type next; no password, no escape code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.config import redact
from migrators.errors import Findings, PlanError, UsageError, VerifyMismatch
from migrators.report.text import escape, escape_lines, plural, wrap

if TYPE_CHECKING:
    from migrators.errors import MigrateError

_SEVERAL_LINES = (UsageError, Findings, VerifyMismatch)
"""Errors that list things a line each; in any other a line break comes from a name."""


def error_lines(error: MigrateError) -> list[str]:
    """Return the message, then the hints."""
    return [*message_lines(error), *hint_lines(error)]


def message_lines(error: MigrateError) -> list[str]:
    """Return what happened; whatever follows the first line is indented."""
    if isinstance(error, PlanError):
        return _problems(error)
    if isinstance(error, _SEVERAL_LINES):
        first, *others = redact(error.message).expandtabs(4).split("\n")
        return [escape(first), *(line for other in others for line in _listed(other))]
    return [escape(redact(error.message))]


def _listed(line: str) -> list[str]:
    """Return one of the things that are listed; what is indented already stays so."""
    text = line.lstrip(" ")
    indent = 2 + len(line) - len(text)
    return wrap(text, " " * indent, indent + 2)


def hint_lines(error: MigrateError) -> list[str]:
    """Return what to type next, ready to be copied: never wrapped."""
    lines = [line for hint in error.hint for line in _safe(hint)]
    if isinstance(error, PlanError) and lines:
        return [f"  add to {escape(error.path.name)}:", *(f"    {line}" for line in lines)]
    return [f"  {'to do' if at == 0 else '':<6} {line}" for at, line in enumerate(lines)]


def unexpected_lines(error: BaseException) -> list[str]:
    """Return the one line for an error that nobody foresaw, and how to see more."""
    said = escape(redact(f"{type(error).__name__}: {error}"))
    return [f"{said[:500]}", "  to do  --debug, before the verb, shows the traceback"]


def _problems(error: PlanError) -> list[str]:
    where = f"{error.path.name}:{error.line}" if error.line else error.path.name
    problems = [redact(problem) for problem in error.problems]
    if len(problems) == 1:
        return wrap(f"{where}: {problems[0]}", "", 2)
    lines = [line for problem in problems for line in wrap(problem, "  ", 4)]
    return [f"{escape(where)}: {plural(len(problems), 'problem')}", *lines]


def _safe(text: str) -> list[str]:
    return escape_lines(redact(text))
