"""Connections: read-only by ADBC or the stdlib, and writing to a staging file.

POSIX locks belong to the process: when any part of it closes the file, the locks that
another SQLite library in it holds are gone (sqlite.org/howtocorrupt.html, 2.2). ADBC has a
SQLite of its own. So while a snapshot is open, nothing else here opens its file.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

CACHE_KIB = 32_768
"""Page cache, and so what a sort holds in memory, of one connection."""


def uri(path: Path, mode: str) -> str:
    """Return a `file:` URI; mode is "ro", "rw" or "rwc" (sqlite.org/uri.html)."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def pragmas(busy_ms: int, temporary: Path | None = None) -> tuple[str, ...]:
    """Return what every connection of ours begins with.

    Parameters
    ----------
    busy_ms : int
        How long to wait for a lock.
    temporary : Path or None
        Where sorts spill to; it holds for the whole process, and a folder that is gone
        falls back to SQLite's own choice.
    """
    spill = () if temporary is None else (f"temp_store_directory = '{_literal(temporary)}'",)
    return (
        f"busy_timeout = {busy_ms}",
        "case_sensitive_like = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        f"cache_size = -{CACHE_KIB}",
        *spill,
    )


def _literal(path: Path) -> str:
    return str(path.absolute()).replace("'", "''")


@contextmanager
def plain(path: Path, mode: str, busy_ms: int) -> Iterator[sqlite3.Connection]:
    """Open a stdlib connection in autocommit; closed at the end."""
    with closing(opened(path, mode, busy_ms)) as connection:
        yield connection


def memory() -> AbstractContextManager[sqlite3.Connection]:
    """Open a database in memory; closed at the end."""
    return closing(sqlite3.connect(":memory:"))


def opened(path: Path, mode: str, busy_ms: int) -> sqlite3.Connection:
    """Return a stdlib connection in autocommit; the caller closes it."""
    connection = sqlite3.connect(
        uri(path, mode), uri=True, isolation_level=None, timeout=busy_ms / 1000
    )
    try:
        for pragma in pragmas(busy_ms):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection
