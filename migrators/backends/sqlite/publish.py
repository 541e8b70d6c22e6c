"""Making a staging file visible under its name, and taking files away.

`link` fails where the name exists, so nothing is ever overwritten; `replace` is atomic. A
crash between two acts leaves the old file under its name, or the new one under both, and
the same call goes on from there.

Access: a staging file is 0600. What is published takes mode and owner of `like` (the version
that it comes from, or that it replaces) and stays 0600 where there is none.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from glob import escape
from shlex import quote
from typing import TYPE_CHECKING

from migrators.backends.sqlite import connect, failures, parts, source
from migrators.backends.sqlite.finish import sync
from migrators.errors import DatabaseError, Locked, TargetExists
from migrators.failpoints import act

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = ("application_id", "user_version", "journal_mode")
"""What stays in a file; the last comes last: from then on it has others beside it."""
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV)


def publish(staging: Path, name: Path, aside: Path | None, like: Path | None, busy_ms: int) -> None:
    """Make `staging` visible as `name`; what is there goes to `aside`.

    Raises
    ------
    TargetExists
        If the name is taken and there is no `aside`, or the set-aside name is taken.
    DatabaseError
        If files of an older database lie beside the name.
    """
    with failures.told(name, "publishing"):
        if _is_same(staging, name):  # a crash came after the link
            _drop_name(staging)
            return
        source.require(staging)
        if like is not None and like.exists():
            _set_like(staging, like, busy_ms)
        _settle(staging)
        if aside is None:
            _refuse_taken(name)
            _share(staging, like)
            _link(staging, name)
            _drop_name(staging)
        else:
            _replace(staging, name, aside, like)


def ready(name: Path) -> None:
    """Refuse beforehand what `publish` would refuse for the folder, and for files beside the name.

    Raises
    ------
    DatabaseError
    """
    _refuse_read_only(name)
    if name.exists():
        _refuse_used(name)
    else:
        _refuse_sidecars(name)


def _refuse_read_only(name: Path) -> None:
    """Refuse a folder that no file can be made in; one that is not there is made in another."""
    folder = next(p for p in name.absolute().parents if p.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DatabaseError(
            f"{folder}: {name.name} cannot be made there: the folder may not be written",
            hint=f"make it writable: chmod u+wx {quote(str(folder))}",
        )


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _set_like(staging: Path, like: Path, busy_ms: int) -> None:
    """Give a staging file what a file keeps of settings, unless the schema's own SQL has.

    An application that never says so itself waits for writers once its file has no WAL.
    """
    with source.readable(like, busy_ms) as connection:
        wanted = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _SETTINGS]
    changed = False
    with connect.plain(staging, "rw", busy_ms) as connection:
        for name, value in zip(_SETTINGS, wanted, strict=True):
            own = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if value != own and own in (0, "delete"):
                connection.execute(f"PRAGMA {name} = {value}")
                changed = True
    if changed:
        sync(staging)


@act("staging settled")
def _settle(staging: Path) -> None:
    """Remove the empty files that readers leave beside a staging file."""
    _refuse_unsettled(staging, "the load is not complete")
    for suffix in source.SIDECARS:
        source.beside(staging, suffix).unlink(missing_ok=True)


def _refuse_unsettled(path: Path, meaning: str) -> None:
    for suffix in ("-wal", "-journal"):
        file = source.beside(path, suffix)
        if file.exists() and file.stat().st_size:
            raise DatabaseError(
                f"{file}: is not empty: {meaning}",
                hint="open the database once with what writes to it and close it, then retry",
            )


def _refuse_used(name: Path) -> None:
    """Refuse a version that is connected to: SQLite keeps its WAL files while anyone is.

    They are never removed here: an application would go on writing to files without a
    name, and lose what it wrote.
    """
    meaning = "the version that has the name is in use, or was not closed"
    _refuse_unsettled(name, meaning)
    try:
        source.settle(name)
    except sqlite3.OperationalError as error:
        raise Locked(f"{name}: {meaning}: {error}", hint="stop what uses it, then retry") from None
    except sqlite3.DatabaseError:
        pass  # something else has the name, and nobody is connected to that
    for suffix in source.SIDECARS:
        file = source.beside(name, suffix)
        if file.exists():
            raise DatabaseError(f"{file}: {meaning}", hint="stop what uses it, then retry")


def _refuse_taken(name: Path) -> None:
    if os.path.lexists(name):
        raise TargetExists(
            f"{name}: exists already; nothing was overwritten",
            hint="add --replace to set it aside",
        )
    _refuse_sidecars(name)


def _refuse_sidecars(name: Path) -> None:
    for suffix in source.SIDECARS:
        file = source.beside(name, suffix)
        if os.path.lexists(file):
            raise DatabaseError(
                f"{file}: lies beside the new name, and would bring old content back",
                hint=f"move it away: mv {quote(str(file))} {quote(f'{file}.old')}",
            )


@act("mode given")
def _share(staging: Path, like: Path | None) -> None:
    """Give the file the owner and mode of another; owner as far as it is allowed."""
    if like is None or not like.exists():
        return
    wanted = like.stat()
    with suppress(PermissionError):
        os.chown(staging, wanted.st_uid, wanted.st_gid)
    staging.chmod(wanted.st_mode & 0o777)


def _link(old: Path, new: Path) -> None:
    try:
        with act("name linked"):
            os.link(old, new)
    except FileExistsError:
        raise TargetExists(f"{new}: exists already; nothing was overwritten") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise DatabaseError(
            f"{new}: its file system has no hard links, which publishing needs",
            hint="keep the databases on a local file system",
        ) from error
    sync(new.parent)


def _drop_name(path: Path) -> None:
    with act("name dropped"):
        path.unlink()
    sync(path.parent)


def _replace(staging: Path, name: Path, aside: Path, like: Path | None) -> None:
    if not os.path.lexists(name):
        raise DatabaseError(f"{name}: there is nothing to set aside")
    _refuse_used(name)
    if not _is_same(name, aside):
        _share(staging, like or name)
        _link(name, aside)
    with act("name replaced"):
        staging.replace(name)
    sync(name.parent)


def recover(name: Path) -> None:
    """Take back a set-aside name whose file has its own yet: a crash came before the replacing.

    By two names SQLite would keep two WAL files for it.
    """
    with suppress(FileNotFoundError):
        if name.stat().st_nlink > 1:
            for other in name.parent.glob(f"{escape(name.stem)}__was_*{escape(name.suffix)}"):
                if other.samefile(name):
                    _drop_name(other)


@act("staging removed")
def discard(path: Path) -> None:
    """Remove a database's file, and what lies beside it, the file last."""
    with failures.told(path, "removing"):
        for suffix in (*parts.BESIDE, *source.SIDECARS, ""):
            source.beside(path, suffix).unlink(missing_ok=True)
        if path.parent.is_dir():
            sync(path.parent)
