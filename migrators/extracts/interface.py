"""What an extract directory offers, whatever its file format.

Written by `extract` through an `ExtractWriter`, read by `load` and `verify` through an
`ExtractReader`; the two rooms meet nowhere else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    import pyarrow as pa

    from migrators.schema import Column

BATCH_ROWS = 65_536
"""Rows in a batch at most: 64 Ki rows of ten columns are about 8 MB as Arrow."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One data file. `rows`, `bytes` and `sha256` are None in a committed extract."""

    name: str
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """One column: `type` is `str(ColumnType)`, `form` is "native" or "text".

    `pii` says what replaced the values of a personal column: `personal.Treatment.how`, or
    "invented"; empty where nothing was said.
    """

    name: str
    type: str
    form: str = "native"
    pii: str = ""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table: its columns in file order, and its files.

    Attributes
    ----------
    ordered : bool
        Rows stand in ascending order of the primary key (text and uuid by bytes).
    """

    name: str
    columns: tuple[ColumnEntry, ...]
    files: tuple[FileEntry, ...]
    ordered: bool = True


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: what an extract is, and what crosses between the phases.

    Attributes
    ----------
    format : int
        1.
    version : int
        Schema version whose shape the files have.
    fingerprint : str
        Of that schema; empty in a committed one, in which the columns say enough and two branches
        that each grow the schema would write a line of their own.
    files : str
        "parquet" or "csv".
    committed : bool
        A fixture: schema and columns only; no digests, no `made`.
    made : mapping
        step name and digest, tool version, source engine, when; never a secret.
    sequences : mapping of table name, or `LONE` and a sequence's, to int
        The highest key ever given, so that the new database goes on after it.
    answers : mapping of str to list
        What each `step.same` gave on the old database: rows of exact texts.
    accounting : mapping
        Per table: read, written, and rows left behind by reason.
    access : mapping
        Who may do what with the new tables, as `migrators.access.Access` writes it.
    """

    version: int
    fingerprint: str
    files: str
    tables: tuple[TableEntry, ...]
    committed: bool = False
    made: dict[str, Any] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    accounting: dict[str, Any] = field(default_factory=dict)
    access: dict[str, Any] = field(default_factory=dict)
    format: int = 1

    @property
    def size(self) -> int:
        """Bytes of all data files, as far as it says them."""
        return sum(file.bytes or 0 for table in self.tables for file in table.files)


class TableWriter(ABC):
    """Writes one table's batches, in order, to one file."""

    @abstractmethod
    def __enter__(self) -> Self:
        """Open the file under a temporary name."""

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Flush, fsync and rename on success; remove the temporary file otherwise."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch whose schema is the columns' Arrow types, in order."""

    @property
    @abstractmethod
    def entry(self) -> FileEntry:
        """The finished file's entry, after `__exit__`."""


class Format(ABC):
    """One file format; `extracts.csv` and `extracts.parquet` hold one each."""

    name: str
    suffix: str

    @abstractmethod
    def writer(self, path: Path, columns: Sequence[Column], mode: int = 0o600) -> TableWriter:
        """Return a writer of a new file at `path` for these columns."""

    def batches(self, path: Path, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
        """Read the file at `path`, as `read` does, if it is a plain file."""
        from migrators.extracts.atomic import open_regular

        with open_regular(path) as file:
            yield from self.read(file, path.name, columns)

    @abstractmethod
    def read(
        self, file: BinaryIO, name: str, columns: Sequence[Column]
    ) -> Iterator[pa.RecordBatch]:
        """Read an open file strictly; at most `BATCH_ROWS` rows a batch, never none.

        Columns come in the order asked for, matched by the file's header.

        Raises
        ------
        ExtractError
            Naming file, line or row group, and column, for anything that is not exactly
            what `writer` writes or a person may have edited by hand.
        """
