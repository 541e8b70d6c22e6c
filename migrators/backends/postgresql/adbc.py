"""ADBC's PostgreSQL driver: rows as Arrow batches by binary COPY, out of the server.

It is fast and not to be trusted with types: `quick` says which may go this road. Its plain
classes are used, not its DB-API: that one imports pandas.
"""

from __future__ import annotations

import weakref
from contextlib import ExitStack, contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg.conninfo
import pyarrow as pa

from migrators.backends.postgresql import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa


_BATCH_BYTES = 4 << 20
"""Of what is read, at a time. The driver's own 16 MB are held several times over by a reader."""


@contextmanager
def told() -> Iterator[None]:
    """Raise what the driver raises as psycopg does, which `failures` knows."""
    from adbc_driver_manager import Error

    try:
        yield
    except Error as error:
        raise _like_psycopg(error.sqlstate or "", str(error)) from None


def _like_psycopg(state: str, said: str) -> psycopg.Error:
    try:
        return psycopg.errors.lookup(state)(said)
    except KeyError:
        return psycopg.OperationalError(said)


class Database:
    """A database as the driver opens it: once, for it reads every type that the server has.

    That is 23 ms of the client's processor; a session of it takes 1. A type that is made later
    has no name there, and its columns go the other road. Closed with its owner.

    Parameters
    ----------
    url : sqlalchemy.URL
    """

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._opening = Lock()

    @cached_property
    def _opened(self) -> Any:
        import adbc_driver_postgresql

        given = connect.arguments(self._url)
        given["options"] = f"{given.get('options', '')} {connect.AT_ONCE}"  # it asks before us
        with told():
            found = adbc_driver_postgresql.connect(psycopg.conninfo.make_conninfo(**given))
        weakref.finalize(self, found.close).atexit = False
        return found

    def session(self) -> Session:
        """Return a new session; the caller closes it.

        Raises
        ------
        psycopg.Error
        """
        with self._opening:
            opened = self._opened
        return Session(self, opened)


class Session:
    """A connection in autocommit: transactions are begun and ended by statements.

    Parameters
    ----------
    owner : Database
        Stays open as long as this is used.

    Raises
    ------
    psycopg.Error
        Whatever the driver says, here and in every method.
    """

    def __init__(self, owner: Database, opened: Any) -> None:
        from adbc_driver_manager import AdbcConnection

        self._owner = owner
        self._streams: list[ExitStack] = []
        with told():
            self._connection = AdbcConnection(opened)
        try:
            self.run(connect.NO_TIMEOUT)
            with self.batches(connect.PINNING) as rows:
                rows.read_all()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def _statement(self) -> Iterator[Any]:
        from adbc_driver_manager import AdbcStatement

        with told():
            statement: Any = AdbcStatement(self._connection)
            try:
                yield statement
            finally:
                statement.close()

    def run(self, *statements: str) -> None:
        """Run statements that give no rows."""
        for text in statements:
            with self._statement() as statement:
                statement.set_sql_query(text)
                statement.execute_update()

    @contextmanager
    def batches(self, query: str) -> Iterator[pa.RecordBatchReader]:
        """Give a query's rows as a stream, types as the driver makes them."""
        with ExitStack() as stream:
            self._streams.append(stream)
            statement = stream.enter_context(self._statement())
            statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
            statement.set_sql_query(query)
            handle, _ = statement.execute_query()
            reader = pa.RecordBatchReader._import_from_c(handle.address)  # noqa: SLF001
            stream.callback(reader.close)
            yield reader
        self._streams.remove(stream)

    def cancel(self) -> None:
        """Stop what the server is doing for it; called by another thread."""
        self._connection.cancel()

    def close(self) -> None:
        """Close, and streams that were left halfway; an open transaction is rolled back."""
        for stream in self._streams:
            stream.close()
        self._connection.close()
