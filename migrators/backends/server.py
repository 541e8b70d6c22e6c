"""What databases of every kind of server have in common: names, siblings, neighbours."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from migrators.backends.copies import NAMELESS, fill_in_place
from migrators.backends.interface import Backend
from migrators.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.schema import SchemaVersion


LOADING = "__loading_"
"""In the name of every staging database, before the run's, and of none that was published."""
_ASIDE = "__was_"
CONNECTS = 15
"""Seconds that a server has to let us in, unless the URL says `connect_timeout`: one behind a
firewall, or one that is stopped, never answers."""


class Server(Backend):
    """A database of a server.

    Parameters
    ----------
    url : sqlalchemy.URL
        `name://role@host/database`; TLS and other options of the driver pass through.

    Raises
    ------
    UsageError
        For a URL that names no database, or one whose name is too long.
    """

    writers: ClassVar[int] = 64
    ledgered: bool = False
    """Whether what is written is kept account of: see `ledger`."""

    def __init__(self, url: sa.URL) -> None:
        super().__init__(url)
        if not url.database:
            raise UsageError(
                f"{url.render_as_string()}: names no database",
                hint=f"write {self.name}://role@host/database",
            )
        if too_long := self._too_long(url.database):
            raise UsageError(
                f"{url.database}: is longer than the {too_long} that a name may have",
                hint="choose a shorter name for the database",
            )

    @staticmethod
    @abstractmethod
    def _too_long(name: str) -> str:
        """Return the limit, "63 bytes", that a name exceeds; empty for one that does not."""

    @property
    def database(self) -> str:
        """The database's name."""
        return self.url.database or ""

    def staging(self, run: str) -> Self:
        """Return the staging database of a run, on the same server."""
        return self._sibling(f"{LOADING}{run}")

    def aside(self, run: str) -> Self:
        """Return the name that a replaced version gets, on the same server."""
        return self._sibling(f"{_ASIDE}{run}")

    def _sibling(self, marker: str) -> Self:
        return type(self)(self.url.set(database=f"{self.database}{marker}"))

    def free_bytes(self) -> int | None:
        """Return None: a server does not tell its disk's room."""
        return None

    # 4 staging -------------------------------------------------------------------------

    def begun(self, basis: str) -> bool:
        """Whether a load of this basis has stopped here."""
        return not self.in_place and self._loaded(basis) is not None

    def begin(self, schema: SchemaVersion, basis: str) -> dict[str, int]:
        """Go on with a load, else begin one, of which a ledger is kept."""
        loaded = None if self.in_place else self._loaded(basis)
        if loaded is None:
            self.create(schema)
            if not self.in_place:
                self._begin(basis)
        else:
            self._go_on(schema, loaded)
        self.ledgered = not self.in_place
        return loaded or {}

    @abstractmethod
    def _loaded(self, basis: str) -> dict[str, int] | None:
        """Return rows by table, as the ledger of a load says; None where there is none."""

    @abstractmethod
    def _begin(self, basis: str) -> None:
        """Make the ledger of a load."""

    @abstractmethod
    def _go_on(self, schema: SchemaVersion, loaded: dict[str, int]) -> None:
        """Be as after `create`; tables that are not loaded are empty."""

    # 10 copies -------------------------------------------------------------------------

    ahead: ClassVar[int] = 2
    driver: ClassVar[str]
    """What an application's engine uses where its URL names none."""

    @classmethod
    def for_tests(cls, url: sa.URL, folder: Path) -> Self:  # noqa: ARG003  it is on the server
        """Return the URL's database, or one of a plain name."""
        return cls(url.set(database=url.database or NAMELESS))

    @classmethod
    def fill(cls, engine: sa.Engine, load: Callable[[Any], None]) -> None:
        """Fill the empty database of an engine, in place."""
        fill_in_place(cls(engine.url), load)

    def application_url(self) -> sa.URL:
        """Return the URL with a driver, and with the password that we would connect with."""
        named = "+" in self.url.drivername
        url = self.url if named else self.url.set(drivername=f"{self.name}+{self.driver}")
        password = self._password()
        return url.set(password=password) if password else url

    @abstractmethod
    def _password(self) -> str | None:
        """Return the password that stands in the URL, or elsewhere and not where libraries look."""
