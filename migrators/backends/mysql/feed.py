"""Rows on their way into a table: LOAD DATA LOCAL from memory, else INSERT.

LOAD DATA LOCAL does not know strict mode: bad numbers become 0, long text is cut, rows with a
key that is there already are skipped, all of it with warnings only. So nothing is taken for
loaded unless there is not one warning, and every row was taken.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pymysql
from pymysql.constants import ER

from migrators.backends.mysql import connect, failures, sql, written
from migrators.backends.mysql.cells import codec_of
from migrators.backends.refusals import Tally, key_text, shown
from migrators.errors import DatabaseError, ValueRefused
from migrators.stream import ahead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from migrators.backends.mysql.wire import Connection
    from migrators.backends.mysql.written import Encoded, Target
    from migrators.schema import Column

_INSERT_BYTES = 1 << 20
"""Of one INSERT, where the server takes that much."""
_FORMAT = (
    "CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' "
    "LINES TERMINATED BY '\n'"
)
_UNIQUE = (ER.DUP_ENTRY, 1586)
_NULL = (ER.BAD_NULL_ERROR, ER.WARN_NULL_TO_NOTNULL)
_CHECK = (4025, 3819)
"""MariaDB's and MySQL's number for a broken CHECK."""
_REASONS = {
    ER.WARN_DATA_OUT_OF_RANGE: "is out of the column's range",
    ER.DATA_TOO_LONG: "is longer than the column",
    ER.WARN_DATA_TRUNCATED: "does not fit the column",
    ER.TRUNCATED_WRONG_VALUE: "is no value of the column's type",
    ER.TRUNCATED_WRONG_VALUE_FOR_FIELD: "is no value of the column's type or character set",
}
"""The server's own words would show the value."""


class RowRefused(ValueRefused):
    """A refusal that the server gave for rows by their number in the load.

    Attributes
    ----------
    numbers : tuple of int
        The rows, counted from 1.
    """

    numbers: tuple[int, ...] = ()


def takes_files(connection: Connection) -> bool:
    """Whether the server allows LOAD DATA LOCAL."""
    return bool(connect.rows(connection, "SELECT @@local_infile")[0][0])


def send(
    connection: Connection,
    database: str,
    table: str,
    columns: Sequence[Column],
    batches: Iterator[pa.RecordBatch],
) -> int:
    """Append rows to a table; return how many were taken.

    Raises
    ------
    ValueRefused
        For a value that the server would change, or a broken constraint.
    """
    rows = _Rows(table, columns, _targets(connection, database, table), batches)
    if not takes_files(connection):
        return _insert(connection, rows)
    return _load(connection, rows)


def _targets(connection: Connection, database: str, table: str) -> dict[str, Target]:
    found = connect.rows(
        connection,
        "SELECT column_name, data_type, datetime_precision, numeric_scale, "
        "character_maximum_length, extra LIKE '%%auto_increment%%' FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = %s",
        (database, table),
    )
    if not found:
        raise DatabaseError(f"{table}: there is no such table in the staging database")
    return {
        str(name): written.Target(
            str(kind).lower(), int(fraction or 0), int(scale or 0), int(length or 0), bool(counted)
        )
        for name, kind, fraction, scale, length, counted in found
    }


class _Rows:
    """The rows as text, counted; a thread encodes them ahead of the sending."""

    def __init__(
        self,
        table: str,
        columns: Sequence[Column],
        targets: dict[str, Target],
        batches: Iterator[pa.RecordBatch],
    ) -> None:
        self.table = table
        self.columns = columns
        self.count = 0
        self.targets = targets
        self._batches = batches

    def encoded(self) -> Iterator[list[Encoded]]:
        """Yield each batch's columns as text.

        Raises
        ------
        ValueRefused
        """
        expected = [(c.name, c.type.arrow) for c in self.columns]
        for batch in self._batches:
            if [(f.name, f.type) for f in batch.schema] != expected:
                raise TypeError(f"{self.table}: {batch.schema} is not {expected}")
            if batch.num_rows:
                found = [self._exact(column, batch, i) for i, column in enumerate(self.columns)]
                self.count += batch.num_rows
                yield found

    def _exact(self, column: Column, batch: pa.RecordBatch, at: int) -> Encoded:
        target = self.targets.get(column.name)
        if target is None:
            raise DatabaseError(f"{self.table}.{column.name}: there is no such column")
        encoded = codec_of(column.type).write(batch.column(at), column.type, target)
        if encoded.refused is None:
            return encoded
        tally = Tally(self.table, column.name, encoded.reason)
        tally.add(encoded.refused, lambda row: _sample(batch, encoded, row))
        raise tally.error()


def _sample(batch: pa.RecordBatch, encoded: Encoded, row: int) -> tuple[str, str]:
    """Name a row by its first column, which in most tables is its key."""
    name = batch.schema.names[0]
    return key_text([name], [batch.column(0)[row].as_py()]), shown(encoded.texts[row].as_py())


def _load(connection: Connection, rows: _Rows) -> int:
    name = f"migrate-{secrets.token_hex(8)}"
    statement = _statement(rows, name)
    with ahead(_texts(rows)) as chunks:
        done = connection.load(statement, name, chunks)
    if done.warnings or done.rows != rows.count:
        raise _warned(connection, rows, done.warnings)
    return done.rows


def _texts(rows: _Rows) -> Iterator[memoryview]:
    for columns in rows.encoded():
        yield written.data_of(written.lines(columns, '"', ("", "\n")))


def _made(rows: _Rows) -> dict[str, str]:
    """Return the SQL that makes values of texts, of the columns where any is needed.

    What a column encodes nothing to tells it.
    """
    import pyarrow as pa

    found = {}
    for column in rows.columns:
        nothing = pa.array([], column.type.arrow)
        encoded = codec_of(column.type).write(nothing, column.type, rows.targets[column.name])
        found[column.name] = encoded.made
    return {name: made for name, made in found.items() if made}


def _statement(rows: _Rows, name: str) -> str:
    made = _made(rows)
    if made:  # MariaDB takes a 0 for the AUTO_INCREMENT column for none, if anything else is SET
        made |= {n: "{0}" for n, target in rows.targets.items() if target.counted}
    names = [column.name for column in rows.columns]
    places = [f"@c{i}" if n in made else sql.name(n) for i, n in enumerate(names)]
    sets = [f"{sql.name(n)} = {made[n].format(f'@c{i}')}" for i, n in enumerate(names) if n in made]
    assigned = f" SET {', '.join(sets)}" if sets else ""
    return (
        f"LOAD DATA LOCAL INFILE {sql.text(name)} INTO TABLE {sql.name(rows.table)} {_FORMAT} "
        f"({', '.join(places)}){assigned}"
    )


def _insert(connection: Connection, rows: _Rows) -> int:
    """Insert in statements of many rows; strict mode refuses what does not fit."""
    (limit,) = connect.rows(connection, "SELECT @@max_allowed_packet")[0]
    size = min(_INSERT_BYTES, int(limit) // 2)
    names = ", ".join(sql.name(column.name) for column in rows.columns)
    begin = f"INSERT INTO {sql.name(rows.table)} ({names}) VALUES ".encode()
    taken = 0
    with ahead(rows.encoded()) as encoded:
        for columns in encoded:
            texts = written.lines(columns, "'", ("(", ")"))
            _refuse_longer(rows, columns, texts, int(limit) - len(begin) - 1)
            for statement in _statements(begin, texts, size):
                try:
                    taken += connection.query(statement)
                except pymysql.err.MySQLError as error:
                    raise (
                        _refusal(rows, failures.code(error), failures.said(error)) or error
                    ) from error
    if taken != rows.count:
        raise DatabaseError(f"{rows.table}: {rows.count} rows were sent and {taken} taken")
    return taken


def _refuse_longer(rows: _Rows, columns: list[Encoded], texts: pa.Array, room: int) -> None:
    """Refuse a row that no INSERT takes: the server may end the connection instead of saying so.

    Parameters
    ----------
    room : int
        Bytes that the server takes of a row, and one more.
    """
    longest = pc.max(pc.binary_length(texts)).as_py()
    if longest < room:
        return
    row = pc.index(pc.binary_length(texts), longest).as_py()
    sizes = [pc.binary_length(encoded.texts)[row].as_py() or 0 for encoded in columns]
    column = rows.columns[sizes.index(max(sizes))].name
    key = key_text([rows.columns[0].name], [columns[0].texts[row].as_py()])
    raise ValueRefused(
        rows.table,
        column,
        f"makes its row take {longest:,} bytes in an INSERT, and max_allowed_packet leaves "
        f"{room - 1:,}",
        samples=((key, ""),),
        hint=(
            "on the server: SET GLOBAL local_infile = 1     rows of any length go in",
            "or:            SET GLOBAL max_allowed_packet = 1073741824",
        ),
    )


def _statements(begin: bytes, texts: pa.Array, size: int) -> Iterator[bytes]:
    held: list[bytes] = []
    length = 0
    for text in texts.to_pylist():
        row = text.encode()
        if held and length + len(row) > size:
            yield begin + b",".join(held)
            held, length = [], 0
        held.append(row)
        length += len(row) + 1
    if held:
        yield begin + b",".join(held)


def _warned(connection: Connection, rows: _Rows, warnings: int) -> Exception:
    """Return what the first warning of a load means."""
    found = connect.rows(connection, "SHOW WARNINGS")
    if not found:
        return DatabaseError(f"{rows.table}: not all of {rows.count} rows were taken")
    numbers = [int(m[1]) for _, code, said in found if (m := failures.ROW.search(str(said)))]
    meant = (_refusal(rows, int(code), str(said), warnings, numbers) for _, code, said in found)
    first = next(filter(None, meant), None)  # a note about JSON comes before the broken CHECK
    return first or DatabaseError(
        f"{rows.table}: the server warns: {failures.without_value(int(found[0][1]), found[0][2])}"
    )


def _refusal(
    rows: _Rows, code: int, said: str, count: int = 1, numbers: Sequence[int] = ()
) -> ValueRefused | None:
    """Return the refusal that the server's message means; None where it is of no row."""
    column = failures.COLUMN.search(said)
    subject = next(filter(None, column.groups()), "") if column else ""
    if code in _UNIQUE:
        doubled = failures.DUPLICATE.search(said)
        index = doubled[1].rpartition(".")[2] if doubled else "?"
        return RowRefused(rows.table, index, "is there more than once (UNIQUE)", count=count)
    if code in _NULL:
        reason = "is NULL (NOT NULL)"
    elif code in _CHECK:
        named = failures.CONSTRAINT.search(said)
        subject = next(filter(None, named.groups()), "?") if named else "?"
        return RowRefused(rows.table, subject, f"breaks CHECK {subject}", count=count)
    elif subject:
        reason = _REASONS.get(code, f"is refused by the server (error {code})")
    else:
        return None
    refusal = RowRefused(rows.table, subject, reason, count=count)
    refusal.numbers = tuple(numbers)
    return refusal
