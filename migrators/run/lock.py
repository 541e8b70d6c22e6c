"""One run at a time in a project: locks that are freed with their holder.

The operating system's on a file of the project, and each server's, whose databases are
worked on: two checkouts of one project meet there.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from migrators.backends import backend_for
from migrators.errors import DatabaseError, Locked, of_system
from migrators.failpoints import act
from migrators.project import private_directory
from migrators.run.directory import clear_ended, now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.backends.interface import Backend, Still
    from migrators.project import Project

_SECONDS = 2.0


@contextmanager
def locked(
    project: Project, command: str, *versions: int, made: int | None = None
) -> Iterator[Still]:
    """Hold the project's lock, here and on the servers of some versions' databases.

    What it gives is asked before anything is published: a server frees its lock with the
    connection, and another run may have it by then.

    Parameters
    ----------
    versions : int
        Whose databases are worked on.
    made : int, optional
        The version whose database is made, where `--to` says.

    Raises
    ------
    Locked
        Somebody else holds it: what they run, since when, and their process.
    DatabaseError
        The disk is full or read-only, whatever it was that was written.
    """
    try:
        with _held(project, command) as here, ExitStack() as stack:
            urls = [project.url(version) for version in sorted(set(versions))]
            if made is not None and project.target(made) not in urls:
                urls.append(project.target(made))
            locks = [here] + [
                stack.enter_context(database.held(project.settings.name, command))
                for database in _servers(urls)
            ]
            clear_ended(project)
            for url in urls:
                backend_for(url).recover()

            def still() -> None:
                for each in locks:
                    each()

            yield still
    except OSError as error:
        raise of_system(error, project.runs) from error  # a journal's line names no file


def _servers(urls: Iterable[sa.URL]) -> Iterable[Backend]:
    """Return one database of each server; a database that is a file has none."""
    return {(u.get_backend_name(), u.host, u.port): backend_for(u) for u in urls}.values()


def held(project: Project) -> bool:
    """Whether a run is at work at this moment; nothing is written."""
    try:
        handle = os.open(project.runs / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not os.fstat(handle).st_size:  # whoever held it last has ended well
            return False
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)


@contextmanager
def _held(project: Project, command: str) -> Iterator[Still]:
    path = project.runs / "lock"
    try:
        private_directory(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseError(
            f"{path}: {error.strerror}",
            hint="make it writable, or set MIGRATE_RUNS to a directory that is",
        ) from None
    try:
        _take(handle)
        try:
            said = f"{command} since {now()}, process {os.getpid()}"
            with act("project lock taken"), suppress(OSError):  # without room it holds as well
                os.ftruncate(handle, 0)
                os.pwrite(handle, said.encode(), 0)
            yield partial(_require, path, handle)
        finally:
            with act("project lock freed"):
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _require(path: Path, handle: int) -> None:
    """Refuse to go on with the lock of a file that is gone: another run makes its own.

    Raises
    ------
    DatabaseError
    """
    with suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), os.fstat(handle)):
            return
    raise DatabaseError(
        f"{path}: was removed while we held it, so that another run may be at work",
        hint="let nobody remove it, then type the same command again",
    )


def _take(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(handle)
        raise Locked(
            f"another run holds this project: {holder}",
            hint="wait for it, or look at it with: migrate status",
        ) from None


def _holder(handle: int) -> str:
    """Return who holds the lock: it says so a moment after it has it."""
    until = time.monotonic() + _SECONDS
    while not (said := os.pread(handle, 500, 0)) and time.monotonic() < until:
        time.sleep(0.01)
    return said.decode(errors="replace") or "another run"
