"""Files that appear whole or not at all, and that are opened only if they are plain files.

Both formats and the manifest write through `AtomicFile`: temporary name, fsync, rename,
fsync of the directory. Both read through `open_regular`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from typing import TYPE_CHECKING, BinaryIO, Self

from migrators.errors import ExtractError
from migrators.extracts.interface import FileEntry
from migrators.failpoints import act

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PART = ".part"
"""Ends the temporary name of a file that is being written."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # else opening a FIFO waits for its writer
_BINARY = getattr(os, "O_BINARY", 0)


class AtomicFile:
    """A new binary file, hashed and counted while it is written.

    Parameters
    ----------
    path : Path
        The name that it gets at the end.
    mode : int
        Permission bits; the umask can only take some away.

    Raises
    ------
    ExtractError
        From any method, if the disk is full, fails or is read-only. Nothing is retried:
        after a failed fsync the pages may be gone (PostgreSQL's fsync-gate of 2018).
    """

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._mode = mode
        self._fd = -1
        self._size = 0
        self._sha256 = hashlib.sha256()

    def __enter__(self) -> Self:
        """Create the temporary file, in place of one that a crash left."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY
        try:
            self._part.unlink(missing_ok=True)
            with act("file made"):
                self._fd = os.open(self._part, flags, self._mode)
        except OSError as error:
            raise self._failed(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make the file durable and give it its name; on an error, remove it."""
        if kind is not None:
            self.discard()
            return
        try:
            with act("file synced"):
                os.fsync(self._fd)
            self._close()
            with act("file named"):
                self._part.replace(self._path)
            with act("folder synced"):
                sync_directory(self._path.parent)
        except BaseException as failure:  # Ctrl-C, too: nothing stays under the temporary name
            self.discard()
            if isinstance(failure, OSError):
                raise self._failed(failure) from failure
            raise

    def write(self, data: bytes | memoryview) -> int:
        """Append; all of it or an error. After `discard`, what comes goes nowhere."""
        view = memoryview(data)
        if self._fd < 0:
            return view.nbytes
        self._sha256.update(view)
        self._size += view.nbytes
        try:
            while view.nbytes:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise self._failed(error) from error
        return memoryview(data).nbytes

    def discard(self) -> None:
        """Close and remove the temporary file."""
        with contextlib.suppress(OSError):
            self._close()
        with contextlib.suppress(OSError):
            self._part.unlink()

    def entry(self, rows: int) -> FileEntry:
        """Return what the manifest says of the file."""
        return FileEntry(self._path.name, rows, self._size, self._sha256.hexdigest())

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _failed(self, error: OSError) -> ExtractError:
        return cannot("write", self._path, error)


def cannot(verb: str, path: Path, error: OSError) -> ExtractError:
    """Return the error for a file that the system did not let us read or write."""
    return ExtractError(
        f"cannot {verb} {path}: {error.strerror or error}",
        hint="check the room, the permissions and the disk there, then type the same command again",
    )


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, unless it is a link, a FIFO, a device or a directory.

    What was opened is what was looked at: a link put there in between is not followed.

    Raises
    ------
    ExtractError
        If it is missing, cannot be read, or is no plain file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | _NOFOLLOW | _NONBLOCK | _BINARY)
    except FileNotFoundError as error:
        raise ExtractError(f"{path} is missing", hint="make the extract again") from error
    except OSError as error:
        if path.is_symlink():
            raise _not_plain(path) from error
        raise cannot("read", path, error) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _not_plain(path)
    return os.fdopen(fd, "rb")


def _not_plain(path: Path) -> ExtractError:
    return ExtractError(
        f"{path} is not a plain file", hint="an extract holds no links, pipes or folders"
    )
