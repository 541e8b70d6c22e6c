"""One folder per database; the only place that spells a dialect's name.

`backend_for` is what the rest of the engine calls. A dialect's module, and its driver, are
imported when a URL asks for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from migrators.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.backends.interface import Backend

_BACKENDS = {
    "mariadb": ("migrators.backends.mysql", "MariaDBBackend"),
    "mysql": ("migrators.backends.mysql", "MySQLBackend"),
    "postgresql": ("migrators.backends.postgresql", "PostgreSQLBackend"),
    "sqlite": ("migrators.backends.sqlite", "SQLiteBackend"),
}
"""Dialect name → module and class. The class is found by name: nothing is imported here."""


def backend_for(url: sa.URL) -> Backend:
    """Return the backend of the database that `url` names; touches nothing.

    Parameters
    ----------
    url : sqlalchemy.URL

    Raises
    ------
    UsageError
        For a dialect that no backend serves, or whose driver is not installed, naming the
        extra to install.
    """
    from migrators.backends import where

    return kind_of(url)(where.spelled(url))


def kind_of(url: sa.URL) -> type[Backend]:
    """Return the backend's class, whatever database the URL names; errors as `backend_for`."""
    from migrators.backends import where

    name = where.spelled(url).get_backend_name()
    if name not in _BACKENDS:
        raise UsageError(
            f"{name}: no backend serves databases of this kind",
            hint=f"served are: {', '.join(sorted(_BACKENDS))}",
        )
    module, cls = _BACKENDS[name]
    try:
        found: type[Backend] = getattr(import_module(module), cls)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{name}: the driver is not installed ({error.name} is missing)",
            hint=f"pip install 'migrators[{name}]'",
        ) from error
    return found


def scratch_backend(folder: Path, name: str) -> Backend:
    """Return the backend of a small scratch database: a file that needs no server.

    Parameters
    ----------
    folder : Path
        A private directory that the caller removes.
    """
    from migrators.backends import where

    return backend_for(where.scratch("sqlite", folder, name))
