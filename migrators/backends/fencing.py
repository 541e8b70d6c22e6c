"""A fence: what keeps everybody else out of a database while it is migrated, and afterwards.

Each kind of database has one mechanism, in a file `fence.py` of its folder. The caller writes
down what `before` returns, durably, and only then calls `close`: whatever happens between the
two, `open` with the same facts brings back what was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Saved = dict[str, Any]
"""What undoes a fence: plain data, never a secret."""


@dataclass(frozen=True)
class Closed:
    """What closing a database did.

    Attributes
    ----------
    ended : tuple of (name, int)
        Sessions that were ended, by application, else by role.
    passing : tuple of str
        Who gets in all the same: superusers, and whoever uses the role that migrates.
    """

    ended: tuple[tuple[str, int], ...] = ()
    passing: tuple[str, ...] = ()


class Fence(ABC):
    """The fence of one database. Constructing it touches nothing."""

    lasting: ClassVar[bool] = True
    """Whether it stands until `open`, beyond the end of the process that closed it."""
    way: ClassVar[str] = "closed to others"
    """What a closed database is, for people."""

    @abstractmethod
    def before(self) -> Saved:
        """Return what `open` will need; nothing is changed.

        Raises
        ------
        DatabaseError
            This role may not close the database: what lets it is said.
        Locked
            Something is in the way that would be cut in half.
        """

    @abstractmethod
    def close(self, saved: Saved) -> Closed:
        """Close the database and end everybody else's sessions; again, it does what is left.

        Raises
        ------
        DatabaseError, Locked
            It could not be closed, or somebody could not be ended. The caller opens it again.
        """

    @abstractmethod
    def closed(self, saved: Saved) -> bool:
        """Whether it is closed now; False where there is no such database."""

    @abstractmethod
    def holes(self, saved: Saved) -> tuple[str, ...]:
        """Say why it does not hold: a right that came back, a session that is not ours."""

    @abstractmethod
    def open(self, saved: Saved) -> tuple[str, ...]:
        """Bring back what was; return what could not be, as lines to type. Again does no harm."""

    def trace(self) -> str | None:
        """Return what every write moves, cheaply read; None where only a digest tells.

        Asked when the fence has been closed and again before the publish: those who pass
        leave a trace. Equal: nothing was written. Different: perhaps something was.
        """
        return None


class Fences(ABC):
    """What a backend has of fences."""

    @abstractmethod
    def fence(self) -> Fence:
        """Return the fence of this database, standing or not."""

    def unfenced(self, saved: Mapping[str, Any]) -> None:  # noqa: B027  a file's rights stay
        """Take a database under a fence for what it was before it.

        `access`, and `publish` where this one is what the new one is made like, then give the
        rights that the fence has taken.
        """
