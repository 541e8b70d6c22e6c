"""Where schemas, steps, fixtures, runs and databases are; the only maker of paths."""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrators import config
from migrators.backends import where
from migrators.errors import ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from migrators.config import Settings

_SCHEMA = re.compile(r"v(0|[1-9]\d*)\.py")
_FIXTURES = re.compile(r"v(0|[1-9]\d*)")
_MANIFEST = "manifest.json"
_STEP = re.compile(r"(0|[1-9]\d*)to(0|[1-9]\d*)\.py")
_BARE = re.compile(r"[\w@%+=:,./{}\[\]-]*")
"""What a shell takes as it stands; a URL with options is not among it."""
_ENGINE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Project:
    """A folder whose pyproject.toml has `[tool.migrators]`.

    Attributes
    ----------
    root : Path
        The folder, absolute.
    settings : Settings
    to : str
        Where a database is made instead, as `--to` or `--into` says: a URL, with
        `{version}` in it or without; empty for the project's own.
    into : bool
        It is there, and empty.
    """

    root: Path
    settings: Settings
    to: str = field(default="", repr=False)
    into: bool = False

    @classmethod
    def find(
        cls,
        start: Path,
        *,
        flags: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Project:
        """Return the project that `start` (the cwd, or `-C DIR`) lies in.

        Parameters
        ----------
        start : Path
            Where to look first; then its parents.
        flags, environment : mapping
            As for `config.settings`; the environment is `os.environ` by default.

        Raises
        ------
        ProjectError
            There is none, or its `migrators/` would take the engine's place.
        UsageError
            Its settings are wrong.
        """
        start = start.resolve()
        if not start.is_dir():
            raise ProjectError(f"{start} is not a folder")
        for folder in (start, *start.parents):
            pyproject = folder / "pyproject.toml"
            if pyproject.is_file() and config.table(pyproject) is not None:
                _refuse_package(folder)
                seen = os.environ if environment is None else environment
                return cls(folder, config.settings(pyproject, seen, flags))
        raise ProjectError(
            f"no project: neither {start} nor a folder above it has a pyproject.toml "
            "with [tool.migrators]",
            hint=("migrate init         makes a sample project here", "migrate -C DIR ..."),
        )

    @property
    def runs(self) -> Path:
        """Where run directories are."""
        return self.root / self.settings.runs

    @property
    def testing(self) -> Path:
        """Where tests keep their databases, or what they are called on a server."""
        return self.runs / "testing"

    @property
    def checks(self) -> Path:
        """Where `check` says what its scratch database on a server is called."""
        return self.runs / "checks"

    def schema_path(self, version: int) -> Path:
        """Return `schemas/vN.py`, whether it exists or not."""
        return self.root / "schemas" / f"v{version}.py"

    def step_path(self, old: int, new: int) -> Path:
        """Return `migrators/NtoM.py`, whether it exists or not."""
        return self.root / "migrators" / f"{old}to{new}.py"

    def fixtures(self, version: int) -> Path:
        """Return `fixtures/vN`, whether it exists or not."""
        return self.root / "fixtures" / f"v{version}"

    def is_fixture(self, path: Path) -> bool:
        """Whether a directory lies below `fixtures/`: what is written there is committed."""
        return path.resolve().is_relative_to((self.root / "fixtures").resolve())

    def all_fixtures(self) -> list[Path]:
        """Return the directories `fixtures/vN` that exist, by version."""
        found = sorted(int(m[1]) for m in _names(self.root / "fixtures", _FIXTURES))
        return [self.fixtures(version) for version in found]

    def all_extracts(self) -> list[Path]:
        """Return `fixtures/vN`, then all other directories below `fixtures/` with a manifest."""
        found = [*self.all_fixtures(), *extracts_below(self.root / "fixtures")]
        return list(dict.fromkeys(found))

    def versions(self) -> list[int]:
        """Return the schema versions that have a file, ascending."""
        return sorted(int(m[1]) for m in _names(self.root / "schemas", _SCHEMA))

    def steps(self) -> list[tuple[int, int]]:
        """Return the steps that have a file, as (old, new), ascending."""
        return sorted((int(m[1]), int(m[2])) for m in _names(self.root / "migrators", _STEP))

    def has_url(self, version: int) -> bool:
        """Whether it is said where the database of a schema version is."""
        return bool(self.settings.urls.get(version) or self.settings.url)

    def url(self, version: int) -> sa.URL:
        """Return where the database of a schema version is.

        A relative database file is relative to the project, not to the cwd.

        Raises
        ------
        UsageError
            No URL is set, or it is not one.
        """
        written = self.settings.urls.get(version) or self.settings.url
        if not written:
            raise UsageError(
                f"there is no URL for schema {version}",
                hint=f'add to [tool.migrators]: url = "{where.file_template("app")}"',
            )
        return self._url(written, version)

    def moved(self, to: str = "", into: str = "") -> Project:
        """Return the project, with what it makes made elsewhere.

        Parameters
        ----------
        to : str
            URL of a new database, a relative file's from the project; its template, too.
        into : str
            URL of an empty one that is there.

        Raises
        ------
        UsageError
            Both are given.
        """
        if to and into:
            raise UsageError("--to and --into are two places", hint="give one of them")
        return replace(self, to=to or into, into=bool(into))

    def target(self, version: int) -> sa.URL:
        """Return where the database of a version is made: its `url`, or where `to` says.

        Raises
        ------
        UsageError
            As `url`.
        """
        return self._url(self.to, version) if self.to else self.url(version)

    @property
    def option(self) -> str:
        """What was typed to make it elsewhere, to type again: " --to URL", without secrets."""
        if not self.to:
            return ""
        shown = config.redact(self.to)
        quoted = shown if _BARE.fullmatch(shown) else shlex.quote(shown)
        return f" {'--into' if self.into else '--to'} {quoted}"

    @property
    def place(self) -> str:
        """Where it is made elsewhere, to type again behind --to, without secrets; else empty."""
        return shlex.quote(config.redact(self.to)) if self.to else ""

    def check(self, name: str) -> str:
        """Return the command that asks what a run would meet.

        Parameters
        ----------
        name : str
            "1to2", or "1" of a copy.
        """
        return f"migrate check {name}{self.option}"

    def _url(self, written: str, version: int) -> sa.URL:
        import sqlalchemy as sa

        written = written.replace(config.PLACEHOLDER, str(version))
        try:
            return where.anchored(sa.make_url(written), self.root)
        except (sa.exc.ArgumentError, ValueError):
            raise UsageError(f"{config.redact(written)} is not a database URL") from None

    def chain(self, old: int, new: int) -> list[tuple[int, int]]:
        """Return the steps from one version to another, in order, all up or all down.

        The fewest steps win: an `1to3.py` is taken before `1to2.py` and `2to3.py`.

        Raises
        ------
        ProjectError
            A step is missing: the message names it.
        UsageError
            Both versions are the same.
        """
        if old == new:
            raise UsageError(f"schema {old} is already schema {new}: there is nothing to do")
        paths: dict[int, list[tuple[int, int]]] = {old: []}
        waiting = [old]
        while waiting:
            here = waiting.pop(0)
            for a, b in self.steps():
                if a == here and b not in paths and _towards(a, b, new):
                    paths[b] = [*paths[here], (a, b)]
                    waiting.append(b)
        return paths[new] if new in paths else self._gap(old, new, set(paths))

    def _gap(self, old: int, new: int, reached: set[int]) -> list[tuple[int, int]]:
        """Raise for the step that is missing where the chain ends nearest its goal."""
        here = min(reached, key=lambda version: abs(new - version))
        after = min(
            (v for v in self.versions() if _towards(here, v, new)),
            key=lambda version: abs(version - here),
            default=new,
        )
        missing = f"{here}to{after}"
        onward = [f"migrate {old}to{here} goes as far as there are steps"] if here != old else []
        whole = f"migrate {old}to{new}"
        raise ProjectError(
            f"there is no migrators/{missing}.py"
            + (f", so {whole} has a gap" if missing != f"{old}to{new}" else ""),
            hint=[*self._begin(here, after), *onward],
        )

    def _begin(self, old: int, new: int) -> list[str]:
        """Return what to write where a step is missing: its schemas first."""
        for version in (old, new):
            if version not in self.versions():
                return [f"write schemas/v{version}.py: there is no schema {version} yet"]
        return [
            f"write migrators/{old}to{new}.py; it begins as",
            "    def migrate(step, old, new):",
            "        pass",
            f"migrate plan {old}to{new}     then says what it lacks",
        ]


def _towards(here: int, there: int, goal: int) -> bool:
    return here < there <= goal if here < goal else goal <= there < here


def _names(folder: Path, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    if not folder.is_dir():
        return []
    return [m for entry in folder.iterdir() if (m := pattern.fullmatch(entry.name))]


def _refuse_package(root: Path) -> None:
    """Refuse a `migrators/__init__.py` that would be imported in the engine's place."""
    package = root / "migrators" / "__init__.py"
    if not package.exists() or package.resolve().parent == _ENGINE:
        return
    if (package.parent / Path(__file__).name).exists():
        raise ProjectError(
            f"{root} is a clone of migrate itself, and the migrate that runs is another one, "
            f"of {_ENGINE.parent}",
            hint=f"{shlex.quote(sys.executable)} -m pip install -e {shlex.quote(str(root))}",
        )
    raise ProjectError(
        f"{package} would take the place of the migrators package itself: "
        "a project's migrators/ holds steps and no __init__.py",
        hint=(
            f"rm {shlex.quote(str(package))}",
            'and to keep ruff from asking for it: "migrators/*.py" = ["INP001"]',
        ),
    )


def extracts_below(folder: Path) -> list[Path]:
    """Return the directories in a folder, itself included, that have a manifest."""
    return sorted(path.parent for path in folder.rglob(_MANIFEST))


def private_directory(path: Path, mode: int = 0o700) -> None:
    """Make a directory, with those above it that are missing: for nobody else, whatever the umask.

    Parameters
    ----------
    mode : int
        Of them.
    """
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode, exist_ok=True)
    path.mkdir(mode, exist_ok=True)


def private_file(path: Path) -> str:
    """Make an empty file for nobody else, whatever the umask; return its path for a library."""
    path.touch(0o600)
    return str(path)
