"""What is stored, as one digest; how much room there is and how much is taken."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from migrators.backends.sqlite import failures, source

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 1 << 20


def digest(path: Path) -> str:
    """Return SHA-256 over the main file and the WAL's content; a missing WAL is an empty one.

    The WAL's index (`-shm`) holds nothing of its own, and readers write to it.

    Raises
    ------
    DatabaseError
        If there is no such database.
    """
    source.require(path)
    total = hashlib.sha256()
    with failures.told(path, "reading"):
        for suffix in ("", "-wal"):
            total.update(_digest(source.beside(path, suffix)))
    return total.hexdigest()


def _digest(path: Path) -> bytes:
    part = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                part.update(block)
    except FileNotFoundError:
        pass
    return part.digest()


def free_bytes(path: Path) -> int | None:
    """Return the room left in the nearest folder that exists; None where it cannot be seen."""
    folder = next((p for p in path.absolute().parents if p.is_dir()), None)
    try:
        return None if folder is None else shutil.disk_usage(folder).free
    except OSError:
        return None


def size_bytes(path: Path) -> int:
    """Return what the database's files take, 0 where there are none."""
    files = (source.beside(path, suffix) for suffix in ("", *source.SIDECARS))
    return sum(f.stat().st_size for f in files if f.exists())
