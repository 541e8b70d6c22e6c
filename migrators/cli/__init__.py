"""The command: parse, call one function, render, exit code.

`main` is the entry point of `migrate` and `migrators`. Nothing else imports this room.

    app        the group: global options, verbs found by name and imported when asked for
    names      what a step's name looks like on the command line
    session    what one invocation shares: project, streams, teller
    catch      the one place that catches errors
    signals    Ctrl-C and SIGTERM
    verbs/     a page per verb or family
    reference  docs/commands.md
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130
_NO_COMMAND = 2
"""Help was shown, but nothing was asked for: a script that lost its arguments must notice."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of `sys.argv[1:]`.
    """
    try:
        from migrators.cli.app import app
        from migrators.cli.catch import caught
        from migrators.cli.memory import give_back
        from migrators.cli.session import Session
    except KeyboardInterrupt:  # nothing is begun yet, and nobody there to say so
        return _INTERRUPTED
    if arguments is None:
        give_back()
    typed = list(sys.argv[1:] if arguments is None else arguments)
    session = Session(typed, last=arguments is None)
    code = caught(
        session,
        lambda: app.main(
            args=typed or ["--help"], prog_name="migrate", standalone_mode=False, obj=session
        ),
    )
    if session.last and code == _INTERRUPTED:
        _end(code)
    return code if typed else _NO_COMMAND


def _end(code: int) -> NoReturn:
    """End the process at once: what was cut short in C may wait for its threads for ever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
