"""ADBC's PostgreSQL driver: rows as Arrow batches by binary COPY, in and out.

It is fast and not to be trusted with types: of 828 pairs of an Arrow type and a column's, 127
reported success and stored something else. `quick` says which may go this road. Its plain
classes are used, not its DB-API: that one imports pandas.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
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


class Adbc:
    """A connection in autocommit: transactions are begun and ended by statements.

    Parameters
    ----------
    like : psycopg.Connection
        One to the same database by the same role: this one is pinned as that is.

    Raises
    ------
    psycopg.Error
        Whatever the driver says, here and in every method.
    """

    def __init__(self, url: sa.URL, like: connect.Connection) -> None:
        import adbc_driver_postgresql
        from adbc_driver_manager import AdbcConnection

        self._streams: list[ExitStack] = []
        given = connect.arguments(url)
        given["options"] = f"{given.get('options', '')} {connect.AT_ONCE}"  # it asks before us
        place = psycopg.conninfo.make_conninfo(**given)
        with told():
            self._database = adbc_driver_postgresql.connect(place)
            try:
                self._connection = AdbcConnection(self._database)
            except BaseException:
                self._database.close()
                raise
        try:
            self.run(connect.NO_TIMEOUT)
            with self.batches(connect.pinning(like)) as rows:
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

    def ingest(self, schema: str, table: str, rows: pa.RecordBatchReader) -> int:
        """Append a stream to a table that is there; return how many rows it took."""
        from adbc_driver_manager import ArrowArrayStreamHandle

        with self._statement() as statement:
            statement.set_options(
                **{
                    "adbc.ingest.target_db_schema": schema,
                    "adbc.ingest.target_table": table,
                    "adbc.ingest.mode": "adbc.ingest.mode.append",
                }
            )
            handle = ArrowArrayStreamHandle()
            rows._export_to_c(handle.address)  # noqa: SLF001  the stream is the driver's now
            statement.bind_stream(handle)
            return int(statement.execute_update())

    def cancel(self) -> None:
        """Stop what the server is doing for it; called by another thread."""
        self._connection.cancel()

    def close(self) -> None:
        """Close, and streams that were left halfway; an open transaction is rolled back."""
        for stream in self._streams:
            stream.close()
        self._connection.close()
        self._database.close()
