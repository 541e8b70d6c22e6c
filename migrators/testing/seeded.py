"""Seeded databases for tests: a template, kept from run to run, and copies of it.

A template is named by what is in it: schema fingerprint, digest of the extract, kind of
database, tables. When any of it changes the name is another, so none is ever stale.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from migrators import __version__
from migrators.errors import DatabaseError, MigrateError, NoServer
from migrators.testing.seeding import fill
from migrators.testing.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

    import sqlalchemy as sa

    from migrators.backends.interface import Backend
    from migrators.run.kept import Entry, Kept
    from migrators.testing.seeding import Fixtures


@dataclass(frozen=True)
class Copy:
    """A database of one test's own, and an engine as an application makes it."""

    entry: Entry
    engine: sa.Engine


class Seeded:
    """One extract in databases of one kind, for one process.

    Where the kind clones, a copy is a clone of the template, and is removed after its test.
    Where it does not, a copy is made once and filled again from the template, for the next
    test and for the next run.

    Parameters
    ----------
    reader : Fixtures
    kept : Kept
    ahead : ThreadPoolExecutor
        Makes, fills and removes copies while tests run.
    """

    def __init__(self, reader: Fixtures, kept: Kept, ahead: ThreadPoolExecutor) -> None:
        self._reader, self._kept, self._ahead = reader, kept, ahead
        self._clones = kept.base.clones
        self._making = Lock()
        self._template: Entry | None = None
        self._own: Entry | None = None
        self._shared: Shared | None = None
        self._failed: MigrateError | None = None
        self._waiting: deque[Future[Entry]] = deque()
        self._going: list[Future[None]] = []

    @property
    def version(self) -> int:
        """The schema version."""
        return self._reader.schema.version

    # for tests that are rolled back ------------------------------------------------------

    def shared(self) -> Shared:
        """Return the connection of this process, to its own copy; opened once."""
        if self._shared is None:
            base = self._kept.base
            memory = self._like().in_memory() if self._clones else None
            if memory is None:
                self._own = self._copied()
                self._shared = Shared(self._own.made.application_url(), aborts=base.aborts)
            else:
                self._shared = Shared(base.application_url(), memory, aborts=base.aborts)
        return self._shared

    def renew(self) -> None:
        """Forget the connection, and the copy with what was committed to it."""
        shared, self._shared = self._shared, None
        own, self._own = self._own, None
        if shared is not None:
            shared.close()
        if own is not None:
            self._leave(own)

    # for tests that commit ---------------------------------------------------------------

    def copy(self) -> Copy:
        """Return a fresh copy, made ahead where making it takes time."""
        ahead = self._kept.base.ahead
        while ahead and len(self._waiting) <= ahead:
            self._waiting.append(self._ahead.submit(self._copied))
        entry = self._waiting.popleft().result() if ahead else self._copied()
        return Copy(entry, entry.made.application_engine())

    def give_back(self, copy: Copy) -> None:
        """Remove a copy, or fill it again; the next test does not wait for it."""
        copy.engine.dispose()
        if self._clones:
            self._going.append(self._ahead.submit(copy.entry.remove))
        else:
            self._waiting.append(self._ahead.submit(self._again, copy.entry))

    def close(self) -> None:
        """Remove every copy that was cloned; what takes long to make stays for the next run."""
        self.renew()
        while self._waiting:
            made = self._waiting.popleft()
            if made.exception() is None:  # what a test had asked for it was told
                self._leave(made.result())
        for gone in self._going:
            gone.result()
        if self._template is not None:
            self._template.release()

    # -------------------------------------------------------------------------------------

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Tell who comes next of an error at once; one of a server may be over by then."""
        if self._failed is not None:
            raise self._failed
        try:
            yield
        except MigrateError as error:
            if type(error) is not DatabaseError:
                self._failed = error
            raise

    def _leave(self, entry: Entry) -> None:
        if self._clones:
            entry.remove()
        else:
            entry.release()

    def _like(self) -> Backend:
        """Return the template, made if it is not there."""
        with self._making:
            if self._template is not None:
                return self._template.made
            with self._once():
                self._template = self._kept.shared(f"t_{self._key}", self._fill)
            return self._template.made

    @cached_property
    def _key(self) -> str:
        schema = self._reader.schema
        said = (schema.fingerprint, self._reader.digest, self._kept.base.name, __version__)
        whole = "\n".join((*said, *sorted(self._reader.chosen)))
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    def _fill(self, database: Backend) -> None:
        fill(self._reader, database)

    def _copied(self) -> Entry:
        """Return a copy to use, made or filled again."""
        if not self._clones:
            with self._once():
                return self._again(self._kept.take_one(f"w_{self._key}"))
        template = self._like()
        entry = self._kept.take(f"c_{secrets.token_hex(6)}")
        try:
            entry.made.copy_of(template)
        except NoServer:
            entry.release()  # the next run removes what there may be
            raise
        except BaseException:
            entry.remove()
            raise
        return entry

    def _again(self, entry: Entry) -> Entry:
        """Make a used copy whole, or one that is not there."""
        there = entry.complete and entry.made.exists()
        if not (there and entry.made.rewind(self._like())):
            entry.make(self._fill)
        return entry
