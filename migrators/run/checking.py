"""`migrate fixtures check`: the committed extracts, each with the schema that it names."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from migrators.errors import MigrateError, ProjectError
from migrators.extracts.directory import version_of
from migrators.extracts.manifest import FILE, MAX_BYTES
from migrators.fixtures import Checked, Finding, check_extract
from migrators.project import extracts_below
from migrators.run.followed import Declarations
from migrators.run.personal import personal_of
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from migrators.project import Project


def check_fixtures(project: Project, places: Iterable[Path] = ()) -> Iterator[Checked]:
    """Check extracts, one after the other; nothing is written, no database is needed.

    Parameters
    ----------
    places : iterable of Path
        Directories, of one extract or of several; where none is given all below `fixtures/`,
        and those elsewhere in the project that git has.

    Raises
    ------
    ProjectError
        There is none.
    """
    asked = [each for place in places for each in (extracts_below(place) or [place])]
    asked = asked or _committed(project)
    if not asked:
        raise ProjectError(
            "there are no fixtures: no fixtures/vN is here",
            hint="migrate sample 3     writes fixtures/v3 from the database of version 3",
        )
    known = Declarations(project)
    for path in asked:
        yield _checked(project, path, known)


def _committed(project: Project) -> list[Path]:
    """Return the extracts below `fixtures/`, and those elsewhere that git has, each once."""
    found = [*project.all_extracts(), *filter(_is_extract, _of_git(project.root))]
    return list({path.resolve(): path for path in reversed(found)}.values())[::-1]


def _of_git(root: Path) -> Iterator[Path]:
    """Yield the folders in which git has a manifest; none without git."""
    asked = ("git", "-c", "core.fsmonitor=false", "ls-files", "-z", "--", f"*{FILE}")
    try:
        listed = subprocess.run(asked, cwd=root, capture_output=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return
    for name in filter(None, listed.stdout.split(b"\0")):
        path = root / os.fsdecode(name)
        if path.name == FILE and path.is_file():
            yield path.parent


def _is_extract(folder: Path) -> bool:
    """Whether a manifest is an extract's: other programs have files of that name."""
    path = folder / FILE
    try:
        read = json.loads(path.read_bytes()) if path.stat().st_size <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(read, dict) and {"format", "committed", "tables"} <= read.keys()


def _checked(project: Project, path: Path, known: Declarations) -> Checked:
    try:
        schema = load_schema(project, version_of(path))
        personal = personal_of(project, schema, known=known)
    except MigrateError as error:
        hint = error.hint[0] if error.hint else ""
        return Checked(path, 0, 0, (Finding("", 0, "", error.message, hint),))
    return check_extract(path, schema, personal)
