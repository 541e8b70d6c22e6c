"""A copy of the reference application in a temporary folder, and the command run in it.

`run` calls the command in this process, which spares the imports; `start` makes a process of
its own, for what only a process has: signals, limits, another user.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrators.cli import main
from migrators.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REPOSITORY = Path(__file__).parents[2]

_PYPROJECT = """\
[tool.migrators]
name = "cheeseshop"
url = "sqlite:///data/cheeseshop_v{version}.db"
"""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams, words in one line: where lines are broken says nothing."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def clear(self) -> bool:
        """Neither a traceback nor an error that nobody foresaw."""
        return not re.search(r"Traceback|--debug|\bunexpected\b", self.said)  # libpq: unexpectedly


@dataclass(frozen=True)
class Cheeseshop:
    """The project at `root`: schemas, steps and fixtures of the reference application."""

    root: Path

    @property
    def project(self) -> Project:
        """The project, read anew."""
        return Project.find(self.root, environment={})

    @property
    def data(self) -> Path:
        """Where the databases are."""
        return self.root / "data"

    def database(self, version: int) -> Path:
        """The database file of a version."""
        return self.data / f"cheeseshop_v{version}.db"

    def fixtures(self, version: int) -> Path:
        """The committed extract of a version, in the copy."""
        return self.root / "fixtures" / f"v{version}"

    def databases(self) -> list[str]:
        """Return the names of everything that lies beside the databases."""
        return sorted(p.name for p in self.data.iterdir()) if self.data.is_dir() else []

    def aside(self, version: int) -> list[Path]:
        """Return the set-aside databases of a version."""
        return sorted(self.data.glob(f"cheeseshop_v{version}__was_*.db"))

    def run(self, *typed: str) -> Done:
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["-C", str(self.root), *typed])
        return Done(code, out.getvalue(), err.getvalue())

    def ran(self, *typed: str) -> Done:
        """Run a command that must succeed."""
        done = self.run(*typed)
        assert (done.code, done.clear) == (0, True), done.err
        return done

    def refused(self, *typed: str, code: int, words: Sequence[str]) -> Done:
        """Run a command that must fail clearly, with nothing visible and nothing lost."""
        before = self.stored()
        done = self.run(*typed)
        assert_refused(done, code, words)
        assert self.stored() == before
        return done

    def stored(self) -> dict[str, str]:
        """Return the digest of everything that lies beside the databases."""
        return {p.name: sha256(p)[0] for p in self.data.rglob("*") if p.is_file()}

    def start(
        self,
        *typed: str,
        environment: dict[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a command in a process of its own; `before` runs in it first."""
        return subprocess.Popen(
            [sys.executable, "-m", "migrators", "-C", str(self.root), *typed],
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,  # noqa: PLW1509  no thread of ours runs while it forks
        )

    def sql(self, version: int, *statements: str) -> None:
        """Run SQL in a database, as an application would."""
        with contextlib.closing(sqlite3.connect(self.database(version))) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def rows(self, version: int, query: str) -> list[tuple[Any, ...]]:
        """Return rows of a database, as SQLite holds them."""
        with contextlib.closing(sqlite3.connect(self.database(version))) as connection:
            return connection.execute(query).fetchall()

    def contents(self, version: int, to: str) -> dict[str, bytes]:
        """Extract a database as CSV below `root`; return the bytes of each table's file."""
        place = self.root / to
        self.ran("extract", str(version), "--to", str(place), "--format", "csv")
        return tables(place)

    def files(self) -> dict[str, str]:
        """Return the digest of every file of the project, by its path."""
        return {
            str(p.relative_to(self.root)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in self.root.rglob("*")
            if p.is_file() and p.suffix != ".pyc"
        }

    def journals(self) -> list[list[dict[str, Any]]]:
        """Return the journals of all runs, the earliest first."""
        paths = sorted((self.root / ".migrate" / "runs").glob("*/journal.jsonl"))
        return [[json.loads(line) for line in p.read_text().splitlines()] for p in paths]


def cheeseshop(root: Path, fixtures: Sequence[int] = (1, 2, 3, 4)) -> Cheeseshop:
    """Copy the reference application to `root`, with the fixtures of some versions."""
    (root / "migrators").mkdir(parents=True)
    (root / "pyproject.toml").write_text(_PYPROJECT)
    for step in (REPOSITORY / "migrators").glob("[0-9]*.py"):
        shutil.copy(step, root / "migrators" / step.name)
    shutil.copytree(
        REPOSITORY / "schemas", root / "schemas", ignore=shutil.ignore_patterns("__pycache__")
    )
    for version in fixtures:
        shutil.copytree(REPOSITORY / "fixtures" / f"v{version}", root / "fixtures" / f"v{version}")
    return Cheeseshop(root)


def tables(extract: Path) -> dict[str, bytes]:
    """Return the bytes of each table's file in an extract."""
    found = {p.stem: p.read_bytes() for p in extract.iterdir() if p.suffix == ".csv"}
    assert found != {}
    return found


def parsed(file: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(file.decode(), newline="")))


def sha256(*paths: Path) -> list[str]:
    """Return the digests of files."""
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def assert_refused(done: Done, code: int, words: Sequence[str]) -> None:
    """Compare how a command failed with what it should say."""
    assert (done.code, done.clear) == (code, True), done.said
    assert [word for word in words if word not in done.said] == [], done.said


def finished(process: subprocess.Popen[str], seconds: float = 60) -> Done:
    """Wait for a process; return how it ended."""
    out, err = process.communicate(timeout=seconds)
    return Done(process.returncode, out, err)
