r"""Extracts as CSV: for files that people review in git and edit by hand.

RFC 4180 with LF line ends, UTF-8 without a byte order mark, a header row. NULL is an empty
unquoted field, the empty string is `""`; text, enums and JSON are always quoted, the rest
never, but for empty binary, which is `""`. Values are in the forms of `types.text`. A line
of a one-column file is a row even where it is blank.

    id,name,paid
    1,"Zoë",12.50
    2,,0.00

A person may leave quotes off, reorder the columns, and type values as `types.cells` says.
A file that a spreadsheet saved with a byte order mark is refused: such programs also change
`007`, dates and long numbers, so that its author should look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.errors import ExtractError
from migrators.extracts import framing
from migrators.extracts.atomic import AtomicFile
from migrators.extracts.batches import (
    arrow_schema,
    check_batch,
    check_columns,
    check_header,
    pieces,
)
from migrators.extracts.framing import Block, blocks, refused
from migrators.extracts.interface import BATCH_ROWS, Format, TableWriter
from migrators.types import Kind
from migrators.types.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    from migrators.extracts.interface import FileEntry
    from migrators.schema import Column
    from migrators.types import ColumnType

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_SHOWN = 40
"""Characters of a bad value that a message shows."""


class Csv(Format):
    """The CSV format."""

    name = "csv"
    suffix = ".csv"

    def writer(self, path: Path, columns: Sequence[Column], mode: int = 0o600) -> TableWriter:
        """Return a writer of a new file at `path`.

        Raises
        ------
        ExtractError
            If there are no columns.
        """
        check_columns(path.name, columns)
        return CsvWriter(path, columns, mode)

    def read(
        self, file: BinaryIO, name: str, columns: Sequence[Column]
    ) -> Iterator[pa.RecordBatch]:
        """Read an open file strictly; errors name file, line and column."""
        check_columns(name, columns)
        found: list[str] = []
        for block in blocks(file, name):
            skip = 0
            if not found:
                found = header(block, columns)
                skip = 1
            block.check_width(len(found))
            yield from _batches(block, skip, found, columns)
        if not found:
            raise refused(name, 1, "is missing: the file is empty", "the first line is the header")


def header(block: Block, columns: Sequence[Column]) -> list[str]:
    """Return the names in a file's first record, which are those of `columns` in any order.

    Raises
    ------
    ExtractError
    """
    width = int(block.last_in_record[0]) + 1
    found: list[str] = block.texts().slice(0, width).to_pylist()
    if found[0].startswith(_BOM) and block.data[0] != framing.QUOTE:
        hint = "save the file as UTF-8 without it, and look what the program changed (git diff)"
        raise refused(block.name, 1, "begins with a byte order mark", hint)
    check_header(block.name, found, columns)
    return found


def _batches(
    block: Block, skip: int, found: list[str], columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    rows = len(block.last_in_record) - skip
    if not rows:
        return
    texts = block.texts()
    arrays = []
    for column in columns:
        fields = fields_of(rows, skip, found, column.name)
        arrays.append(_column(block, texts, fields, column))
    batch = pa.record_batch(arrays, schema=arrow_schema(columns))
    for start in range(0, rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def fields_of(rows: int, skip: int, found: list[str], name: str) -> framing.Positions:
    """Return which fields of a block are those of a column, after `skip` records."""
    return (np.arange(rows) + skip) * len(found) + found.index(name)


def cells(
    block: Block, texts: pa.Array, fields: framing.Positions, column: Column
) -> tuple[pa.Array, pa.Array, pa.BooleanArray]:
    """Return a column's texts, its values, and where a text is none of its type.

    Parameters
    ----------
    texts : pa.Array
        Of all fields of the block.
    """
    # A NULL index gives a NULL value.
    text = texts.take(pa.array(fields, mask=block.empty[fields]))
    values, bad = from_text(text, column.type)
    return text, values, bad


def _column(block: Block, texts: pa.Array, fields: framing.Positions, column: Column) -> pa.Array:
    text, values, bad = cells(block, texts, fields, column)
    if bad.true_count:
        row = pc.index(bad, True).as_py()
        where = f"{block.name}:{block.line(int(fields[row]))} {column.name}"
        bad_text = text[row].as_py()
        raise ExtractError(f"{where}: {unlike(column.type)}", value=quoted(bad_text))
    if values.null_count and not column.nullable:
        row = pc.index(values.is_null(), True).as_py()
        what = f"{column.name}: is empty, which is NULL, and the column is NOT NULL"
        raise refused(block.name, block.line(int(fields[row])), what, _filled(column.type))
    return values


def _filled(declared: ColumnType) -> str:
    empty = ': "" is an empty text' if declared.is_text else ""
    return f"write a value there{empty}, or delete the row"


def quoted(text: str) -> str:
    """Return a text, or the beginning of a long one, in quotes."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def unlike(declared: ColumnType) -> str:
    """Say of a text that it is no value of a type: "is not an integer of 64 bits, as 1234"."""
    if declared.kind is Kind.DECIMAL or declared.as_text:
        return f"is not a {declared}"
    return f"is not {_FORMS[declared.kind]}"


_FORMS = {
    Kind.INTEGER: "an integer of 64 bits, as 1234",
    Kind.BOOLEAN: "true or false",
    Kind.FLOAT: "a number, as 1.5 or 1e+300, nan, inf or -inf",
    Kind.BINARY: "hexadecimal, two digits a byte",
    Kind.UUID: "a UUID, as 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    Kind.DATE: "a date, as 2024-02-29",
    Kind.TIME: "a time, as 23:59:59.999999",
    Kind.TIMESTAMP: "a timestamp without zone, as 2024-02-29 23:59:59.999999",
    Kind.INSTANT: "a timestamp with zone, as 2024-02-29 23:59:59.999999+00:00",
    Kind.INTERVAL: "an interval, as whole microseconds",
}


class CsvWriter(TableWriter):
    """Builds lines with Arrow, column by column; no Python object per cell."""

    def __init__(self, path: Path, columns: Sequence[Column], mode: int) -> None:
        self._name = path.name
        self._columns = tuple(columns)
        self._file = AtomicFile(path, mode)
        self._rows = 0

    def __enter__(self) -> Self:
        """Open the file under a temporary name and write the header."""
        self._file.__enter__()
        names = pa.array([c.name for c in self._columns], pa.string())
        plain = pc.match_substring_regex(names, "^[A-Za-z_][A-Za-z0-9_]*$")
        header = pc.binary_join(_one_list(pc.if_else(plain, names, _quoted(names))), ",")
        self._file.write(f"{header[0].as_py()}\n".encode())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Fsync and rename on success; remove the file otherwise."""
        self._file.__exit__(kind, error, trace)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""
        check_batch(self._name, batch, self._columns)
        for piece in pieces(batch, BATCH_ROWS):
            self._write_piece(piece)
        self._rows += batch.num_rows

    def _write_piece(self, batch: pa.RecordBatch) -> None:
        try:
            lines = _lines(batch, self._columns)
            heaviest = pc.max(pc.binary_length(lines)).as_py()
            text = pc.binary_join(_one_list(lines), "\n")
        except (pa.ArrowInvalid, pa.ArrowCapacityError) as error:
            raise self._too_long() from error
        if heaviest >= framing.MAX_RECORD_BYTES:
            raise self._too_long()
        if heaviest > framing.BLOCK_BYTES:
            self._check_marks(lines)
        self._file.write(memoryview(text[0].as_buffer()))
        self._file.write(b"\n")

    def _check_marks(self, lines: pa.Array) -> None:
        """Refuse what could not be read: see `framing.MAX_MARKS`."""
        long = lines.filter(pc.greater(pc.binary_length(lines), framing.BLOCK_BYTES))
        for marks in ('"', ",\n\r"):
            each = [pc.count_substring(long, mark) for mark in marks]
            if any(sum(counts) > framing.MAX_MARKS for counts in _rows_of(each)):
                raise self._too_long(f"{framing.MAX_MARKS} quotes, or commas and line ends")

    def _too_long(self, what: str = "") -> ExtractError:
        return ExtractError(
            f"{self._name}: a record of more than {what or f'{framing.MAX_RECORD_BYTES} bytes'}",
            hint="extract as Parquet",
        )

    @property
    def entry(self) -> FileEntry:
        """The finished file's entry."""
        return self._file.entry(self._rows)


def _rows_of(columns: Sequence[pa.Array]) -> Iterator[tuple[int, ...]]:
    return zip(*(column.to_pylist() for column in columns), strict=True)


def _one_list(texts: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)


def _lines(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.Array:
    cells = [
        _cells(array, column.type) for array, column in zip(batch.columns, columns, strict=True)
    ]
    return pc.binary_join_element_wise(*cells, ",")


def _cells(array: pa.Array, declared: ColumnType) -> pa.Array:
    text = to_text(array, declared)
    if declared.is_text:
        text = _quoted(text)
    if declared.kind is Kind.BINARY:
        text = pc.if_else(pc.equal(text, ""), '""', text)
    return text.fill_null("")


def _quoted(text: pa.Array) -> pa.Array:
    doubled = pc.replace_substring(text, pattern='"', replacement='""')
    return pc.binary_join_element_wise('"', doubled, '"', "")
