"""Copies for tests: by SQLite's backup, into memory or into the database of an engine."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrators.backends.sqlite import connect
from migrators.errors import TargetExists, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

_SHOWN = 3


def in_memory(path: Path) -> sqlite3.Connection:
    """Return a connection to a copy of a file in memory."""
    made = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(connect.uri(path, "ro"), uri=True)) as source:
        source.backup(made)
    return made


def fill(engine: sa.Engine, load: Callable[[tuple[Path, str]], None]) -> None:
    """Fill the empty database of an engine.

    Parameters
    ----------
    load : callable
        Makes a database of a name in a folder.

    Raises
    ------
    TargetExists
        There is something in it.
    UsageError
        The engine's driver is not the standard library's.
    """
    with closing(engine.raw_connection()) as held, tempfile.TemporaryDirectory() as folder:
        target: Any = held.driver_connection
        if not isinstance(target, sqlite3.Connection):
            raise UsageError(
                f"{engine.url.drivername}: rows are given through the sqlite3 module",
                hint="seed an engine of sqlite:///file.db, then connect to that file",
            )
        _refuse_filled(target, engine.url)
        load((Path(folder), "seed"))
        with closing(sqlite3.connect(Path(folder) / "seed.db")) as source:
            source.backup(target)


def _refuse_filled(connection: sqlite3.Connection, url: sa.URL) -> None:
    found = connection.execute("SELECT name FROM sqlite_master ORDER BY rowid").fetchall()
    if found:
        names = ", ".join(name for (name,) in found[:_SHOWN])
        raise TargetExists(
            f"{url.database or 'the database in memory'} is not empty: {names}; "
            "nothing was overwritten",
            hint="give an engine of an empty database: tables are made, too",
        )
