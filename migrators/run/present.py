"""Whether the database that a command reads is there, and is what its name says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends import backend_for
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from migrators.backends.interface import Backend
    from migrators.project import Project


def present(project: Project, version: int) -> Backend:
    """Return the database of a version.

    Raises
    ------
    DatabaseError
        There is none: what makes one is said. Or its stamp names another version.
    """
    database = backend_for(project.url(version))
    if not database.exists():
        raise DatabaseError(
            f"{database.database} does not exist: there is no database of version {version}",
            hint=(*from_fixtures(project, version), "migrate status     shows which there are"),
        )
    stamp = database.stamp()
    if stamp is not None and stamp.version != version:
        raise DatabaseError(
            f"{database.database} is stamped as version {stamp.version}: name and stamp disagree",
            hint="migrate status",
        )
    return database


def from_fixtures(project: Project, version: int) -> tuple[str, ...]:
    """Return the line that makes a database of fixtures; none where there are none."""
    if not project.fixtures(version).is_dir():
        return ()
    return (f"migrate load fixtures/v{version}     makes one from the fixtures",)
