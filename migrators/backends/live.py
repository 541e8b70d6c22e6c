"""What is seen of a running server, and what its role may do; asked before anything runs.

A file has none of it, so that every answer is empty unless a backend gives another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Live:
    """Who is there besides, and what a load brings about.

    Attributes
    ----------
    people : tuple of str
        Who is connected to this database now: "gunicorn x16 (shop_app) from 10.0.0.7".
    followers : tuple of str
        Replicas and slots of the server, that all it writes goes to.
    log : str
        What the server calls the log that a load is written to as well; empty where none is.
    log_share : float
        Of the new database's size: how much is written besides, about, to a log or a second file.
    sorts : bool
        Whether the server sorts, in files of its own, rows and what indexes are built of.
    """

    people: tuple[str, ...] = ()
    followers: tuple[str, ...] = ()
    log: str = ""
    log_share: float = 0.0
    sorts: bool = False


class Looks(ABC):
    """What a backend tells of its server, or file."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Room left where this database lies; None where it cannot be seen."""

    @abstractmethod
    def size_bytes(self) -> int:
        """Room that this database takes."""

    def notes(self) -> tuple[str, ...]:
        """Plain facts that a person should know; call it only while no snapshot is open."""
        return ()

    def live(self) -> Live:
        """Return who is there besides; the database need not exist."""
        return Live()

    def unreadable(self, tables: Sequence[str]) -> dict[str, str]:  # noqa: ARG002
        """Return the GRANT that is missing to read a table, by its key; none is no finding.

        Parameters
        ----------
        tables : sequence of str
            Keys of tables; one that is not there is none of them.
        """
        return {}

    def unmakeable(self) -> tuple[str, ...]:
        """Return the statements that let the role make databases beside this one."""
        return ()
