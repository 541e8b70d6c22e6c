"""An engine whose connections are all one, in one transaction that is rolled back after a test.

Code under test may commit, and open as many connections as it likes, in as many threads: see
`parts`. Nothing here depends on the kind of database.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from sqlalchemy.pool.base import _ConnectionRecord

from migrators.errors import DatabaseError, UsageError
from migrators.testing.parts import COPY, Part, Parts

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = "migrators.part"
"""Where a connection of the pool keeps what it has begun."""


class Shared:
    """One connection to a test's database, and the engine that gives it out.

    Parameters
    ----------
    url : sqlalchemy.URL
        As an application's engine is given it.
    connection : object
        The driver's, or None to connect.
    aborts : bool
        As `Parts`.
    """

    def __init__(self, url: sa.URL, connection: Any | None = None, *, aborts: bool = False) -> None:
        self._raw = _connected(url) if connection is None else connection
        self._parts = Parts(self._run, self._kept, aborts=aborts)
        self.engine = _given_out(self._raw, url)
        _override(self.engine.dialect, self._dialect_methods(self.engine.dialect))

    def end(self) -> None:
        """Roll back all that a test did.

        Raises
        ------
        UsageError
            There is no transaction any more: something was committed for good.
        DatabaseError
            The connection is lost.
        """
        try:
            self._parts.end()
        except BaseException:
            with suppress(Exception):  # what went wrong is told already
                self._raw.rollback()
            raise
        self._told(self._raw.rollback)

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    # what the dialect is made to do ------------------------------------------------------

    def _dialect_methods(self, dialect: sa.Dialect) -> dict[str, Callable[..., Any]]:
        return {
            "do_begin": self._begin,
            "do_commit": lambda connection: self._finish(connection, undo=False),
            "do_rollback": lambda connection: self._finish(connection, undo=True),
            "do_savepoint": self._nest,
            "do_rollback_to_savepoint": lambda c, name: self._unnest(c, name, undo=True),
            "do_release_savepoint": lambda c, name: self._unnest(c, name, undo=False),
            "do_execute": self._executing(dialect.do_execute),
            "do_execute_no_params": self._executing(dialect.do_execute_no_params),
            "do_executemany": self._executing(dialect.do_executemany, once=False),
            "do_terminate": _nothing,
            "set_isolation_level": _no_level,
        }

    def _begin(self, connection: Any) -> None:
        connection.record_info[_PART] = self._parts.begin()

    def _finish(self, connection: Any, *, undo: bool) -> None:
        part = connection.record_info.pop(_PART, None)
        if part is not None:
            self._parts.finish(part, undo=undo)

    def _nest(self, connection: sa.Connection, name: str) -> None:
        part = _part_of(connection)
        assert part is not None  # noqa: S101  SQLAlchemy has begun
        part.nested[name] = self._parts.begin(part)

    def _unnest(self, connection: sa.Connection, name: str, *, undo: bool) -> None:
        part = _part_of(connection)
        if part is not None and name in part.nested:
            self._parts.finish(part.nested.pop(name), undo=undo)

    def _executing(self, act: Callable[..., None], *, once: bool = True) -> Callable[..., None]:
        """Return what does as one of the dialect's methods: the context comes last."""

        def execute(cursor: Any, statement: str, *given: Any) -> None:
            part = _part_of(given[-1].root_connection) if given and given[-1] else None
            if part is None:  # SQLAlchemy's own questions
                act(cursor, statement, *given)
                return
            self._parts.execute(part, statement, lambda: act(cursor, statement, *given), once=once)

        return execute

    # the connection itself ---------------------------------------------------------------

    def _kept(self, statement: str) -> None:
        """Run what fails if the transaction has ended that the savepoints were in."""
        self._told(lambda: self._run(statement))

    def _told(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            if self._is_lost(error):
                raise DatabaseError(
                    "the server ended the connection that the test used",
                    hint="look at the server's log, then run the tests again",
                ) from error
            raise UsageError(
                "the test ended the transaction that it ran in, and what it wrote was committed: "
                "by a statement that creates or alters something, or by a COMMIT of its own",
                hint=COPY,
            ) from error

    def _is_lost(self, error: Any) -> bool:
        dialect = self.engine.dialect
        return isinstance(error, dialect.loaded_dbapi.Error) and dialect.is_disconnect(
            error, self._raw, None
        )

    def _run(self, statement: str) -> None:
        cursor = self._raw.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()


def _part_of(connection: sa.Connection) -> Part | None:
    part: Part | None = (connection.connection.record_info or {}).get(_PART)
    return part


def _connected(url: sa.URL) -> Any:
    """Return a connection of the driver, as an engine of this URL opens it."""
    dialect = sa.create_engine(url, poolclass=NullPool).dialect
    positional, named = dialect.create_connect_args(url)
    return dialect.connect(*positional, **named)


def _given_out(raw: Any, url: sa.URL) -> sa.Engine:
    """Return an engine of one connection, which is made ready once.

    An engine does that to each connection that it opens: here while another thread uses it.
    """
    first = sa.create_engine(url, creator=lambda: raw, poolclass=NullPool)
    _override(first.dialect, {"do_close": _nothing})
    first.connect().close()
    pool = _Open(lambda: raw, dialect=first.dialect)
    return sa.Engine(pool, first.dialect, url)


class _Open(NullPool):
    """Gives out a connection that is open: what listens to new ones has been told of it.

    A listener that sets autocommit, or commits, would otherwise do so amid a test.
    """

    def _do_get(self) -> _ConnectionRecord:
        record = _ConnectionRecord(self, connect=False)
        record.dbapi_connection = self._invoke_creator(record)
        return record


def _override(dialect: sa.Dialect, methods: dict[str, Callable[..., Any]]) -> None:
    """Let one dialect object do otherwise; its class, and other engines', stay as they are."""
    vars(dialect).update(methods)


def _nothing(_connection: Any) -> None:
    """Leave the connection open for the next who asks."""


def _no_level(_connection: Any, level: str) -> None:
    raise UsageError(
        f"isolation level {level}: the test runs inside a transaction that has begun",
        hint=COPY,
    )
