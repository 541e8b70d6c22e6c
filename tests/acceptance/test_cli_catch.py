"""The one place that catches: exit codes, signals, and nothing that a terminal obeys."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click
import pytest

from migrators import errors
from migrators.cli.catch import caught
from migrators.cli.session import Session

REPOSITORY = Path(__file__).parents[2]


def _raise(error: BaseException) -> NoReturn:
    raise error


def _code(error: BaseException, *, debug: bool = False) -> int:
    return caught(Session(["2to3"], debug=debug), lambda: _raise(error))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.MigrateError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.PlanError(["x"], path=Path("2to3.py")), 2),
        (errors.DatabaseError("x"), 1),
        (errors.TargetExists("x"), 1),
        (errors.Findings("x"), 3),
        (errors.VerifyMismatch("x"), 4),
        (errors.Locked("x"), 5),
        (errors.Interrupted("x"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("x"), 2),
        (ZeroDivisionError("x"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Each error has its own; none prints a traceback."""
    assert _code(error) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err != ""
    assert "Traceback" not in said.err


@pytest.mark.parametrize(("result", "code"), [(None, 0), (3, 3)])
def test_a_command_that_returns(result: int | None, code: int) -> None:
    """Nothing is 0; a number is the exit code."""
    assert caught(Session([]), lambda: result) == code


def test_the_unforeseen_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """And how to see more."""
    assert _code(RuntimeError("first\nsecond")) == 1
    assert capsys.readouterr().err.splitlines() == [
        r"RuntimeError: first\nsecond",
        "  to do  migrate --debug 2to3     shows the traceback",
    ]


def test_what_the_system_refuses_is_said_with_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another user's runs, a disk that fails: no fault of ours, and no traceback offered."""
    assert _code(PermissionError(errno.EACCES, "Permission denied", ".migrate/runs")) == 1
    assert _code(OSError(errno.ENOSPC, "No space left on device", "a", None, "b")) == 1
    assert capsys.readouterr().err.splitlines() == [
        ".migrate/runs: Permission denied",
        "  to do  look at the rights and the disk there",
        "b: No space left on device",
        "  to do  free some room on that disk",
    ]


def test_debug_shows_the_traceback_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    """The canary is in the message, in the cause, and nowhere on the screen."""
    error = RuntimeError("cannot reach postgresql://app:canary@db/shop_v2")
    assert _code(error, debug=True) == 1
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert "app:***@db" in said
    assert "canary" not in said


def test_names_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """F120: colours, cursor movements and line breaks in names are shown, not obeyed."""
    assert _code(errors.DatabaseError("table \x1b[2J\x1b[31mred\nDONE in 1s\u202e")) == 1
    assert capsys.readouterr().err == "table \\x1b[2J\\x1b[31mred\\nDONE in 1s\\u202e\n"


def test_the_typed_line_keeps_no_password() -> None:
    """It is repeated in hints and receipts."""
    session = Session(["--url", "postgresql://app:canary@db/shop_v{version}", "2to3"])
    assert "canary" not in session.command
    assert session.command.endswith("2to3")


def _child(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},  # as people have it
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_cleanly(number: signal.Signals) -> None:
    """F93: a clean code and a sentence, and cleaning up has been done."""
    code = (
        "import sys\n"
        "from migrators.cli.catch import caught\n"
        "from migrators.cli.session import Session\n"
        "def work():\n"
        "    try:\n"
        "        print('working', flush=True)\n"
        "        sys.stdin.read()\n"
        "    finally:\n"
        "        print('cleaned', flush=True)\n"
        "sys.exit(caught(Session(['2to3']), work))\n"
    )
    with _child(code) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "working\n"
        child.send_signal(number)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, "cleaned\n")
    assert err.splitlines()[0] == "interrupted by Ctrl-C or SIGTERM"
    assert "Traceback" not in err


def test_a_reader_who_leaves_is_no_error() -> None:
    """`migrate ... | head`: quiet, and the exit code is that of the work."""
    code = (
        "import sys\n"
        "from migrators.cli.catch import caught\n"
        "from migrators.cli.session import Session\n"
        "session = Session(['plan', '2to3'])\n"
        "def work():\n"
        "    sys.stdin.read()\n"
        "    for _ in range(100):\n"
        "        session.show(['line'] * 1000)\n"
        "    return 3\n"
        "sys.exit(caught(session, work))\n"
    )
    with _child(code) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdout.close()
        child.stdin.close()
        child.wait(timeout=30)
        assert (child.returncode, child.stderr.read()) == (3, "")


def test_a_deaf_stderr_does_not_stop_the_work() -> None:
    """Progress is an observer: the run goes on when nobody listens."""
    code = (
        "import sys\n"
        "from migrators.cli.catch import caught\n"
        "from migrators.cli.session import Session\n"
        "from migrators.events import Note\n"
        "session = Session(['2to3'])\n"
        "def work():\n"
        "    sys.stdin.read()\n"
        "    for _ in range(10):\n"
        "        session.teller(Note('x'))\n"
        "    session.show(['DONE'])\n"
        "sys.exit(caught(session, work))\n"
    )
    with _child(code) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stderr is not None
        child.stderr.close()
        child.stdin.close()
        assert child.stdout.read() == "DONE\n"
    assert child.returncode == 0


def test_foreign_letters_on_an_ascii_stream() -> None:
    """A name that the stream cannot spell is escaped instead of failing."""
    code = (
        "import sys\n"
        "from migrators.cli.catch import caught\n"
        "from migrators.cli.session import Session\n"
        "session = Session([])\n"
        "sys.exit(caught(session, lambda: session.show(['caf\\xe9'])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stdout) == (0, b"caf\\xe9\n")


_EARLY = """
import signal, sys

class Import:
    def find_spec(self, name, path=None, target=None):
        if name == "migrators.cli.session":
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Import())
from migrators.cli import main
sys.exit(main(["status"]))
"""


def test_ctrl_c_while_the_command_is_imported() -> None:
    """Exit 130, and no traceback: people do change their mind in that quarter of a second."""
    done = subprocess.run(
        [sys.executable, "-c", _EARLY], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
