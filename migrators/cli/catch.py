"""The one place that catches errors: says what happened, what stands, and what to type."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from migrators.cli.signals import stoppable, working
from migrators.config import redact
from migrators.errors import Interrupted, MigrateError, OutOfTime, UsageError, of_system
from migrators.report.errors import (
    error_lines,
    message_lines,
    unexpected_lines,
)
from migrators.report.text import clock, escape, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.cli.session import Session
    from migrators.receipt import Status
    from migrators.report.run import Deed

_INDENT = " " * 20


def caught(session: Session, command: Callable[[], Any]) -> int:
    """Run a command; return its exit code, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with stoppable(last=session.last) as stop:
        try:
            code = working(command)
        except Exception as error:  # noqa: BLE001  the place where all of them end
            stopped = stop.came and not isinstance(error, OutOfTime)
            return _say(session, KeyboardInterrupt() if stopped else error)
        except (KeyboardInterrupt, SystemExit) as error:
            return _say(session, error)  # a process that is left in silence has not done its work
    return code if isinstance(code, int) else 0


def _say(session: Session, error: BaseException) -> int:
    if session.debug:
        _traceback(error)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    known = _known(error)
    if known is None:
        known = MigrateError(*unexpected_lines(error)[:1], hint=_debug(session))
    _with_values(session, known)
    if session.deed is not None and session.teller.began:
        _stopped(session, session.deed, known)
    else:
        session.teller.stop()
        for line in [*([""] if session.deed is not None else []), *error_lines(known)]:
            session.teller.line(line)
    return known.exit_code


def _with_values(session: Session, error: MigrateError) -> None:
    """Add the values that were refused, or how to see them."""
    if not error.values or session.show_values is None:
        return
    if session.show_values:
        error.message += f": {', '.join(error.values)}"
    else:
        error.hint += ("--show-values     shows the values, which may be personal data",)


def _known(error: BaseException) -> MigrateError | None:
    """Return an error as one of ours; None for what nobody foresaw."""
    if isinstance(error, MigrateError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return Interrupted("interrupted by Ctrl-C or SIGTERM")
    if isinstance(error, click.ClickException):
        where = getattr(error, "ctx", None)
        path = where.command_path if where is not None else "migrate"
        return UsageError(error.format_message(), hint=f"{path} --help")
    if isinstance(error, OSError) and error.filename is not None:
        return of_system(error)
    return None


def _debug(session: Session) -> str:
    if session.debug:
        return "this is a fault of migrate itself; please report it with the lines above"
    return f"migrate --debug{session.command.removeprefix('migrate')}     shows the traceback"


def _stopped(session: Session, deed: Deed, error: MigrateError) -> None:
    """Say when and why a run stopped, and what stands."""
    from migrators.report.run import stopped_lines

    session.teller.stop()
    first, *others = message_lines(error)
    at = clock(datetime.now(UTC))
    lines = wrap(session.short(first), f"{at}  STOPPED   ", len(_INDENT))
    lines += [_INDENT + line.strip() for line in others]
    lines += stopped_lines(deed, _status(session), error.hint, error.exit_code)
    for line in lines:
        session.teller.line(line)


def _status(session: Session) -> Status | None:
    """Read what stands; a failure here must not hide the one that is told."""
    with suppress(Exception):
        from migrators.run import status

        found = status(session.project())
        versions = (replace(v, database=session.short(v.database)) for v in found.versions)
        return replace(found, versions=tuple(versions))
    return None


def _traceback(error: BaseException) -> None:
    for line in "".join(traceback.format_exception(error)).splitlines():
        sys.stderr.write(escape(redact(line)) + "\n")
