"""Loading a database in place, where none may be created: it is there and empty.

A view says which run is at work in it, so that what a crash leaves is emptied by that run's
project and by nobody else; it goes last.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Self

from migrators.backends.interface import Backend
from migrators.errors import TargetExists

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from migrators.backends.interface import Stamp

_SHOWN = 3


class InPlace(Backend):
    """A database that a run loads in place; stands before the server's own class.

    Parameters
    ----------
    run : str
        Whose mark it bears.
    """

    in_place = True

    def __init__(self, url: sa.URL, run: str) -> None:
        super().__init__(url)
        self._run = run

    def exists(self) -> bool:
        """Whether the run's mark is on it."""
        return self._marked() == self._run

    def like(self, old: Backend) -> Self:  # noqa: ARG002
        """Return this database: encoding and collation are what they are."""
        return self

    def staging(self, run: str) -> Self:
        """Return this database for another run: there is no other place."""
        return type(self)(self.url, run)

    def unmakeable(self) -> tuple[str, ...]:
        """Return nothing: none is made beside it."""
        return ()

    def write_stamp(self, stamp: Stamp) -> None:
        """Write the stamp, which publishes; then take the mark away."""
        super().write_stamp(stamp)  # type: ignore[safe-super]
        self._end()

    def discard(self) -> None:
        """Empty it, unless it is stamped: then only the mark is left of the run."""
        if self.stamp() is None:
            self._empty()
        else:
            self._end()

    @abstractmethod
    def _marked(self) -> str | None:
        """Return the run whose mark it bears."""

    @abstractmethod
    def _end(self) -> None:
        """Take the mark away."""

    @abstractmethod
    def _empty(self) -> None:
        """Remove all that the run made, its mark last; nothing where the mark is not its own."""


def refuse_filled(database: str, found: Sequence[str]) -> None:
    """Refuse a database that holds something.

    Parameters
    ----------
    found : sequence of str
        Names of what is in it.

    Raises
    ------
    TargetExists
    """
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise TargetExists(
            f"{database} is not empty: {', '.join(found[:_SHOWN])}{more}; nothing was overwritten",
            hint="--into takes an empty database; --to makes a new one",
        )
