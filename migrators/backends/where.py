"""What URLs of databases look like, and where one given by a relative path lies.

`project` asks: a relative file is in the project, whatever the cwd is; a server's URL
passes unchanged. Hints and samples take their example URLs from here.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

_FILE_DATABASES = frozenset({"sqlite"})
_OTHER_SPELLINGS = {"postgres": "postgresql"}

SERVER = "postgresql://app@db/shop"
"""A server's database, as hints show it."""
FILE = "sqlite:///shop.db"
"""A database that is a file, as hints show it."""


def file_url(path: str) -> str:
    """Return the URL of a database that is a file, as a person types it."""
    return f"sqlite:///{path}"


def file_template(name: str) -> str:
    """Return the URL template of a project whose databases are files below `data`.

    Parameters
    ----------
    name : str
        The application's; the databases are `data/{name}_v{version}.db`.
    """
    return f"sqlite:///data/{name}_v{{version}}.db"


def spelled(url: sa.URL) -> sa.URL:
    """Return the URL with its kind of database spelled as SQLAlchemy does."""
    kind, plus, driver = url.drivername.partition("+")
    known = _OTHER_SPELLINGS.get(kind, kind)
    return url if known == kind else url.set(drivername=f"{known}{plus}{driver}")


def anchored(url: sa.URL, root: Path) -> sa.URL:
    """Return the URL with a relative database file made absolute from `root`.

    Parameters
    ----------
    url : sqlalchemy.URL
    root : Path
        The project's folder, absolute.
    """
    url = spelled(url)
    path = url.database
    if url.get_backend_name() not in _FILE_DATABASES or not path or path == ":memory:":
        return url
    scheme = "file:" if path.startswith("file:") else ""
    bare = path.removeprefix("file:")
    return url if PurePath(bare).is_absolute() else url.set(database=f"{scheme}{root / bare}")


def is_file(kind: str) -> bool:
    """Whether databases of a kind are files."""
    return kind in _FILE_DATABASES


def database_file(url: sa.URL) -> Path | None:
    """Return the file of a database that is one; None for a server's."""
    if url.get_backend_name() not in _FILE_DATABASES or not url.database:
        return None
    return Path(url.database.removeprefix("file:"))


def missing_file(url: sa.URL) -> Path | None:
    """Return the file of a database that is one and is not there: connecting makes it, empty.

    One that is kept in memory is none, nor is one whose URI says itself how it is opened.
    """
    file = database_file(url)
    if file is None or str(url.database).startswith((":memory:", "file:")) or file.exists():
        return None
    return file


def scratch(name: str, folder: Path, database: str) -> sa.URL:
    """Return the URL of a scratch database file in a private folder.

    Raises
    ------
    ValueError
        Databases of that name are not files; a server's scratch database is `staging`.
    """
    import sqlalchemy as sa

    if name not in _FILE_DATABASES:
        raise ValueError(name)
    return sa.URL.create(name, database=str(folder / f"{database}.db"))
