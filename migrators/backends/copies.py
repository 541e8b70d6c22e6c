"""What tests ask of a database: copies of it at once, and a connection as an application has it.

The rest of the engine pins its sessions; code under test must not be given those.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

NAMELESS = "migrate_test"
"""What tests' databases are named after where the URL names none."""


class Copies(ABC):
    """What a backend does for tests."""

    clones: ClassVar[bool] = True
    """Whether `copy_of` copies a template; else a copy is loaded as the template was, once, and
    `rewind` fills it again, for one test after the other."""
    aborts: ClassVar[bool] = False
    """Whether a statement that fails makes its transaction refuse all but a rollback."""
    ahead: ClassVar[int] = 0
    """Copies to make before a test asks for one: none where that takes no time."""

    @classmethod
    @abstractmethod
    def for_tests(cls, url: sa.URL, folder: Path) -> Self:
        """Return what tests' databases are named after; it is never made itself.

        Parameters
        ----------
        folder : Path
            A private directory, for databases that are files.
        """

    @classmethod
    @abstractmethod
    def fill(cls, engine: sa.Engine, load: Callable[[Any], None]) -> None:
        """Fill the empty database of an engine.

        Parameters
        ----------
        load : callable
            Makes tables and rows in the backend that it is given, and stamps it.

        Raises
        ------
        TargetExists
            There is something in it.
        """

    @abstractmethod
    def application_url(self) -> sa.URL:
        """Return the URL with driver and password, as an application's engine is given it."""

    def application_engine(self) -> sa.Engine:
        """Return an engine as an application makes it; a power cut need not be survived."""
        return sa.create_engine(self.application_url(), poolclass=NullPool)

    def copy_of(self, template: Self) -> None:
        """Make this database as a copy of one that nobody is connected to, if it `clones`."""
        raise NotImplementedError

    def rewind(self, template: Self) -> bool:
        """Make a used copy what its template is, where it does not clone; False: it cannot be."""
        raise NotImplementedError

    def in_memory(self) -> Any | None:
        """Return a DBAPI connection to a private copy in memory; None where there is none."""
        return None


def fill_in_place(database: Any, load: Callable[[Any], None]) -> None:
    """Fill an empty database of a server; what an error leaves in it is removed."""
    within = database.inside(f"seed_{secrets.token_hex(4)}")
    within.ready()
    try:
        load(within)
    except BaseException:
        within.discard()
        raise
