"""`migrate fixtures check`: the committed fixtures, each with the schema that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.errors import MigrateError, ProjectError
from migrators.extracts.directory import version_of
from migrators.fixtures import Checked, Finding, check_extract
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
        Directories; all below `fixtures/` where none is given.

    Raises
    ------
    ProjectError
        There is none.
    """
    asked = list(places) or project.all_fixtures()
    if not asked:
        raise ProjectError(
            "there are no fixtures: no fixtures/vN is here",
            hint="migrate sample 3     writes fixtures/v3 from the database of version 3",
        )
    known = Declarations(project)
    for path in asked:
        yield _checked(project, path, known)


def _checked(project: Project, path: Path, known: Declarations) -> Checked:
    try:
        schema = load_schema(project, version_of(path))
        personal = personal_of(project, schema, known=known)
    except MigrateError as error:
        hint = error.hint[0] if error.hint else ""
        return Checked(path, 0, 0, (Finding("", 0, "", error.message, hint),))
    return check_extract(path, schema, personal)
