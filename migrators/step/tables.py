"""`old` and `new`: the real SQLAlchemy tables of a schema version, by attribute or item."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

from migrators.step import arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

_SURELY = 0.8  # a slip of the hand: one letter of five


class Tables:
    """Tables of one schema version: `old.users`, `old["odd name"]`.

    Raises
    ------
    AttributeError
        For a table that is not there, naming the nearest ones.
    """

    def __init__(self, metadata: sa.MetaData, version: int) -> None:
        self._metadata = metadata
        self._version = version

    def __getattr__(self, name: str) -> sa.Table:
        found = self.get(name)
        if found is None:
            raise AttributeError(self._unknown(name))
        return found

    def __getitem__(self, name: str) -> sa.Table:
        return self.__getattr__(name)

    def get(self, name: str) -> sa.Table | None:
        """Return the table, or None."""
        return self._metadata.tables.get(name)

    def own(self, table: sa.Table, call: str) -> None:
        """Refuse a table of the other version: the usual slip is `old` for `new`.

        Raises
        ------
        StepError
            `call` takes a table, and this is something else.
        AttributeError
        """
        arguments.table(call, table, "new" if call.startswith("step.") else "old")
        if self._metadata.tables.get(table.key) is not table:
            msg = f"{table.key} is not a table of schema {self._version}: old and new mixed up?"
            raise AttributeError(msg)

    def _unknown(self, name: str) -> str:
        return f"schema {self._version} has no table {name}{meant(name, self._metadata.tables)}"


def meant(name: str, names: Iterable[str]) -> str:
    """Return "; did you mean user or users?", or nothing where no name is near."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=_SURELY)
    near = near or difflib.get_close_matches(name.lower(), lower, n=3)
    return f"; did you mean {' or '.join(lower[known] for known in near)}?" if near else ""


def line_in(path: str) -> int | None:
    """Return the line of a step's file that is being run: the one people look for."""
    frame = sys._getframe(1)  # noqa: SLF001  there is no public way to a caller's line
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back  # type: ignore[assignment]
    return frame.f_lineno if frame is not None else None
