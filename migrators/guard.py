"""What an application asks at its start: whether a database is of its schema version.

Imports SQLAlchemy only, reads one row, writes nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends import where
from migrators.errors import WrongVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

STAMP = "migrate_stamp"
"""The view that holds the stamp; a view, so that Alembic's autogenerate never sees it."""
_NUMBERED = re.compile(r"_v(\d+)(?:\.[A-Za-z0-9]+)?$")


def require(bind: sa.Engine | sa.Connection, *, major: int) -> None:
    """Raise one plain sentence unless the database is of this schema version.

    Parameters
    ----------
    bind : sqlalchemy.Engine or sqlalchemy.Connection
        A session's connection is left as it was found.
    major : int
        The schema version that the application was written for.

    Raises
    ------
    WrongVersion
        The stamp says another version, its name and its stamp disagree, there is no stamp,
        or no such file, which is not made. The hint says what to type.
    """
    url = bind.engine.url
    shown = Path(url.database).name if url.database else "the database"
    if where.missing_file(url) is not None:
        raise WrongVersion(
            f"{shown} does not exist, and this application needs schema {major}",
            hint="migrate status     shows every version and where its database is",
        )
    version = _stamped(bind)
    if version is None:
        raise WrongVersion(
            f"{shown} has no stamp, so nothing says that it is schema {major}",
            hint=f"migrate stamp {major}     compares it with schemas/v{major}.py, then stamps it",
        )
    named = version_in_name(url.database or "")
    if named is not None and named != version:
        raise WrongVersion(
            f"{shown} is named for schema {named}, but its stamp says schema {version}",
            hint="migrate status     shows every version and its stamp",
        )
    if version != major:
        raise WrongVersion(
            f"{shown} is schema {version}, and this application needs schema {major}",
            hint=f"migrate {version}to{major}     then use the database of schema {major}",
        )


def url(*, major: int, environment: Mapping[str, str] | None = None) -> sa.URL:
    """Return the URL of the database of a schema version.

    Parameters
    ----------
    major : int
    environment : mapping, optional
        In place of `os.environ`.

    Raises
    ------
    ProjectError
        The cwd is not in a project.
    UsageError
        No URL is set.
    """
    from migrators.project import Project

    return Project.find(Path.cwd(), environment=environment).url(major)


def version_in_name(database: str) -> int | None:
    """Return the version that a database's name bears: 3 for `shop_v3`, `data/shop_v3.db`."""
    match = _NUMBERED.search(database)
    return int(match[1]) if match else None


def _stamped(bind: sa.Engine | sa.Connection) -> int | None:
    """Return the stamped version; None where there is no stamp."""
    if isinstance(bind, sa.Engine):
        with bind.connect() as connection:
            return _read(connection)
    begun = bind.in_transaction()
    try:
        return _read(bind)
    finally:
        if not begun:
            bind.rollback()


def _read(connection: sa.Connection) -> int | None:
    stamp = sa.table(STAMP, sa.column("version", sa.Integer))
    if STAMP not in sa.inspect(connection).get_view_names():
        return None
    version = connection.execute(sa.select(stamp.c.version)).scalar()
    return None if version is None else int(version)
