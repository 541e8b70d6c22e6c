"""Beginning a load, or going on with one that stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrators.schema import SchemaVersion


class Begins(ABC):
    """A staging database as a load finds it; one that keeps no ledger is loaded anew."""

    @abstractmethod
    def create(self, schema: SchemaVersion) -> None:
        """As `Backend.create`."""

    def begun(self, basis: str) -> bool:  # noqa: ARG002  a file is loaded anew
        """Whether `begin` would go on with this staging database; sessions in it are ended.

        Parameters
        ----------
        basis : str
            Digest of all that its rows depend on.
        """
        return False

    def begin(self, schema: SchemaVersion, basis: str) -> dict[str, int]:  # noqa: ARG002
        """Create this staging database, or go on where a load of the same basis stopped.

        Returns
        -------
        dict
            Rows by table, of the tables that are loaded already.
        """
        self.create(schema)
        return {}
