"""ADBC's SQLite driver: rows as Arrow batches, in and out.

The driver's plain classes are used, not its DB-API: that one imports pyarrow.dataset and
with it pandas, 0.3 s and 40 MB that a run has no use for.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from migrators.backends.sqlite.connect import uri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH_ROWS = "adbc.sqlite.query.batch_rows"


class Cursor:
    """One statement and, once it was asked a question, the stream of its answer."""

    def __init__(self, connection: Any) -> None:
        from adbc_driver_manager import AdbcStatement

        self._statement: Any = AdbcStatement(connection)
        self._reader: Any = None

    def batches(self, query: str, rows: int = 0) -> pa.RecordBatchReader:
        """Run a query; return its rows as a stream, types as ADBC infers them.

        Parameters
        ----------
        rows : int
            Of a batch; the driver's own choice if 0.
        """
        if rows:
            self._statement.set_options(**{_BATCH_ROWS: str(rows)})
        self._statement.set_sql_query(query)
        handle, _ = self._statement.execute_query()
        self._reader = pa.RecordBatchReader._import_from_c(handle.address)  # noqa: SLF001
        return self._reader

    def run_many(self, statement: str, batches: pa.RecordBatchReader) -> None:
        """Run a statement once for each row of a stream, its values bound."""
        from adbc_driver_manager import ArrowArrayStreamHandle

        self._statement.set_sql_query(statement)
        self._statement.prepare()
        handle = ArrowArrayStreamHandle()
        batches._export_to_c(handle.address)  # noqa: SLF001  the stream is the driver's now
        self._statement.bind_stream(handle)
        self._statement.execute_update()

    def close(self) -> None:
        """Close the stream, then the statement."""
        reader, self._reader = self._reader, None
        statement, self._statement = self._statement, None
        if reader is not None:
            reader.close()
        if statement is not None:
            statement.close()


class Adbc:
    """A connection in autocommit: transactions are begun and ended by statements."""

    def __init__(self, path: Path, mode: str) -> None:
        import adbc_driver_sqlite
        from adbc_driver_manager import AdbcConnection

        self._database = adbc_driver_sqlite.connect(uri(path, mode))
        try:
            self._connection = AdbcConnection(self._database)
        except BaseException:
            self._database.close()
            raise
        self._cursors: list[Cursor] = []

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """Open a cursor; `close` closes it as well, since an iterator may be left halfway."""
        cursor = Cursor(self._connection)
        self._cursors.append(cursor)
        try:
            yield cursor
        finally:
            if cursor in self._cursors:
                self._cursors.remove(cursor)
                cursor.close()

    def run(self, statement: str) -> None:
        """Run a statement and throw its rows away."""
        self.table(statement)

    def table(self, statement: str) -> pa.Table:
        """Run a statement; return its rows, types as ADBC infers them."""
        with self.cursor() as cursor:
            return cursor.batches(statement).read_all()

    def close(self) -> None:
        """Close; a transaction still open is rolled back."""
        while self._cursors:
            self._cursors.pop().close()
        self._connection.close()
        self._database.close()
