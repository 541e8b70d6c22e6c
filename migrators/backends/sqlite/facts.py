"""Plain facts about a SQLite database, for `survey` and `preflight`: mixed into the backend."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends import where
from migrators.backends.sqlite import naming, source

if TYPE_CHECKING:
    from pathlib import Path

_WAL_VERSION = 2
_HEADER = 20


class Facts:
    """What a SQLite database and its text and integers are like; see the interface."""

    url: sa.URL

    # 2 catalogue -----------------------------------------------------------------------

    def engine_version(self) -> str:
        """Return "SQLite 3.40.1": the library that reads, since a file has no server."""
        return f"SQLite {sqlite3.sqlite_version}"

    def lint_names(self, metadata: sa.MetaData) -> tuple[str, ...]:
        """Say which names SQLite cannot hold; see `naming.refused`."""
        return tuple(naming.refused(metadata))

    def notes(self) -> tuple[str, ...]:
        """Return the journal mode, and what lies beside the file; reads the file's header."""
        path = where.database_file(self.url)
        if path is None or not path.is_file():
            return ()
        mode = "journal mode: WAL" if _is_wal(path) else "journal mode: rollback journal"
        wal, journal = (_size(source.beside(path, s)) for s in ("-wal", "-journal"))
        said = [mode]
        if wal:
            said.append(f"{path.name}-wal holds {wal:,} bytes; its rows are read as well")
        if journal:
            said.append(f"{path.name}-journal is hot: read through a private copy, rolled back")
        return tuple(said)

    def copies_to_read(self) -> bool:
        """Whether a journal has to be rolled back first, or the WAL is another user's."""
        path = where.database_file(self.url)
        if path is None or not path.is_file():
            return False
        hot = _size(source.beside(path, "-journal")) > 0
        return hot or source.wal_of_another(path)

    def has_nul(self, text: Any) -> Any:
        """Return SQL that is true for a text with U+0000."""
        held = sa.func.instr(text, sa.func.char(0)) > 0
        return sa.and_(sa.func.typeof(text) == "text", held)

    def storage(self, column: Any) -> Any:
        """Return SQL for the storage class of a cell."""
        return sa.func.typeof(column)

    def integer_range(self, bits: int) -> None:  # noqa: ARG002
        """Say that bits bind nothing: any integer has up to 64."""
        return


def _is_wal(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(_HEADER)
    return len(header) == _HEADER and _WAL_VERSION in header[18:20]  # fileformat2.html, 1.3


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
