"""An extract directory: written by `extract`, read by `load` and `verify`.

The manifest is written last, so that a directory with one is complete. Until then a marker
says that the directory is ours to throw away.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from typing import TYPE_CHECKING, Any, Self

from migrators.errors import ExtractError
from migrators.extracts import kept
from migrators.extracts import manifest as manifests
from migrators.extracts.atomic import AtomicFile, cannot, open_regular, sync_directory
from migrators.extracts.believed import NOTHING, check_files, check_schema, entries_of
from migrators.extracts.grown import Growth, grown
from migrators.extracts.interface import FileEntry, Manifest, TableEntry
from migrators.extracts.names import file_name
from migrators.failpoints import act
from migrators.project import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa

    from migrators.extracts.interface import ColumnEntry, Format, TableWriter
    from migrators.schema import Column, SchemaVersion

MARKER = ".incomplete"
"""Stands in a directory that is being written."""

_READ_BYTES = 2**20


def format_named(name: str) -> Format:
    """Return the format "csv" or "parquet"."""
    if name == "csv":
        from migrators.extracts.csv import Csv

        return Csv()
    from migrators.extracts.parquet import Parquet

    return Parquet()


def is_complete(path: Path) -> bool:
    """Return whether a directory holds a complete extract."""
    return (path / manifests.FILE).is_file()


class ExtractWriter:
    """Writes an extract, a table at a time; tables may be written by several threads.

    Parameters
    ----------
    path : Path
        The directory, made with mode 0700 (0755 if `committed`). What an unfinished writer
        left there is thrown away.
    schema : SchemaVersion
        The version whose shape the rows have.
    files : str
        "parquet" or "csv".
    mode : int
        Of the files: 0600, since an extract is all of production; 0644 for fixtures.
    committed : bool
        Write a manifest of schema and columns only. Whoever writes the rows sees to it that
        they stand in the same order each time, also those of a table without a key.
    replaced : mapping of table to mapping of column to text
        What the manifest says of personal columns, whose values whoever writes them replaced.
    keeps : bool
        Keep finished tables of an unfinished writer, and what `keep` is given of each.

    Attributes
    ----------
    kept : dict
        What `keep` was given, by table, of those that an unfinished writer has finished.

    Raises
    ------
    ExtractError
        If a complete extract, or anything that is not an unfinished one, is there.
    """

    def __init__(
        self,
        path: Path,
        schema: SchemaVersion,
        files: str = "parquet",
        mode: int = 0o600,
        *,
        committed: bool = False,
        replaced: Mapping[str, Mapping[str, str]] | None = None,
        keeps: bool = False,
    ) -> None:
        self._path = path
        self.schema = schema
        self.replaced = replaced or {}
        self._format = format_named(files)
        self._mode = mode
        self.committed = committed
        there = kept.found(path) if keeps else {}
        self._keeps = keeps
        self._tables = {name: table for name, (table, _) in there.items()}
        self.kept = {name: facts for name, (_, facts) in there.items()}
        stay = {name for table in self._tables.values() for name in kept.files(table)}
        _claim(path, 0o755 if committed else 0o700, stay)

    @contextlib.contextmanager
    def table(
        self, name: str, *, ordered: bool, columns: Sequence[Column] = ()
    ) -> Iterator[TableWriter]:
        """Give a writer for one table of the schema, which is complete when the block ends.

        Parameters
        ----------
        ordered : bool
            Whether the rows come in ascending order of the primary key.
        columns : sequence of Column
            As they are held, where some are held as text; as declared otherwise.
        """
        columns = columns or self.schema.tables[name].stored
        path = self._path / file_name(name, self._format.suffix)
        with self._format.writer(path, columns, self._mode) as writer:
            yield writer
        entry = FileEntry(path.name) if self.committed else writer.entry
        self._tables[name] = TableEntry(
            name, self._entries(name, columns), (entry,), ordered=ordered
        )

    def _entries(self, name: str, columns: Sequence[Column]) -> tuple[ColumnEntry, ...]:
        return entries_of(columns, self.replaced.get(name, NOTHING))

    def unordered(self, name: str) -> None:
        """Say that a table's rows did not come in the order that was announced."""
        self._tables[name] = dataclasses.replace(self._tables[name], ordered=False)

    def keep(self, name: str, facts: dict[str, Any]) -> None:
        """Write down, where that was asked for, that a table is finished, and facts of it."""
        if self._keeps:
            kept.keep(self._path, self._tables[name], facts)

    def finish(self, **facts: Any) -> Manifest:
        """Write the manifest, which makes the extract complete, and return it.

        Parameters
        ----------
        **facts
            `made`, `sequences`, `answers`, `accounting`, `access` of the manifest.

        Raises
        ------
        ExtractError
            If a table of the schema was not written.
        """
        missing = sorted(set(self.schema.tables) - set(self._tables))
        if missing:
            raise ExtractError(f"{self._path}: not written: {', '.join(missing)}")
        manifest = Manifest(
            version=self.schema.version,
            fingerprint="" if self.committed else self.schema.fingerprint,
            files=self._format.name,
            tables=tuple(self._tables[name] for name in sorted(self._tables)),
            committed=self.committed,
            **({} if self.committed else facts),
        )
        if self._keeps:
            kept.clear(self._path)
        with AtomicFile(self._path / manifests.FILE, self._mode) as file:
            file.write(manifests.dumps(manifest).encode())
        with act("extract unmarked"):
            (self._path / MARKER).unlink(missing_ok=True)
        return manifest


@act("extract begun")
def _claim(path: Path, mode: int, stay: set[str]) -> None:
    try:
        private_directory(path, mode)
        present = _names(path)
        if manifests.FILE in present or (present and MARKER not in present):
            raise _occupied(path)
        path.chmod(mode & path.stat().st_mode)
        (path / MARKER).touch(0o600)
        for name in present:
            if name != MARKER and name not in stay:
                (path / name).unlink()
        sync_directory(path)
    except OSError as error:
        raise cannot("write", path, error) from error


def _occupied(path: Path) -> ExtractError:
    what = "a complete extract" if is_complete(path) else "something that is no extract"
    return ExtractError(
        f"{path} holds {what}; nothing was overwritten",
        hint="give another directory, or remove this one",
    )


def _names(path: Path) -> list[str]:
    return [entry.name for entry in path.iterdir()]


class ExtractReader:
    """Reads an extract that someone made; made by `open`.

    Attributes
    ----------
    path : Path
        The directory.
    manifest : Manifest
        Of a committed extract: as of the schema now, which may have grown since.
    filled : tuple of str
        What a committed extract lacks of it, and how that is filled.
    digest : str
        SHA-256 (64 hex digits) of the manifest, and so of all that it names; of a
        committed extract, of manifest and files.
    """

    def __init__(
        self, path: Path, schema: SchemaVersion, manifest: Manifest, raw: bytes, growth: Growth
    ) -> None:
        self.path = path
        self.schema = schema
        self._format = format_named(manifest.files)
        self._files = {t.name: t.files for t in manifest.tables}
        self._tables = manifest.tables
        self._checked: set[tuple[int, ...]] = set()
        self._raw = raw
        self._growth = growth
        self.manifest = manifest
        self.filled = growth.said

    @classmethod
    def open(cls, path: Path, schema: SchemaVersion) -> Self:
        """Open a directory and compare its manifest with the schema.

        Raises
        ------
        ExtractError
            If it is incomplete, of another schema (a committed one may be of an earlier
            minor's), or its files are not exactly those that the manifest names.
        """
        raw, written = _manifest(path)
        manifest, growth = written, Growth()
        if written.committed and written.version == schema.version:
            manifest, growth = grown(path, written, schema)
        check_schema(path, manifest, schema)
        check_files(path, written)
        return cls(path, schema, manifest, raw, growth)

    @property
    def digest(self) -> str:
        """Digest of the extract."""
        whole = hashlib.sha256(self._raw)
        if self.manifest.committed:
            for name in sorted(f.name for files in self._files.values() for f in files):
                with open_regular(self.path / name) as file:
                    whole.update(f"{name} {_sha256(file)}\n".encode())
        return whole.hexdigest()

    def columns(self, table: str) -> tuple[Column, ...]:
        """Return a table's columns as they are held: some as text, as the manifest says."""
        said = {t.name: {c.name for c in t.columns if c.form == "text"} for t in self._tables}
        return tuple(
            dataclasses.replace(c, type=c.type.in_text()) if c.name in said[table] else c
            for c in self.schema.tables[table].stored
        )

    def held(self, table: str) -> tuple[Column, ...]:
        """Return those of a table's columns that its files have: all, unless it has grown."""
        return self._growth.held(table, self.columns(table))

    def replaced(self, table: str) -> dict[str, str]:
        """Return what the manifest says of personal columns: what replaced their values."""
        return {c.name: c.pii for t in self._tables if t.name == table for c in t.columns if c.pii}

    def paths(self, table: str) -> tuple[Path, ...]:
        """Return a table's files; none for a table that the schema has taken in since."""
        return tuple(self.path / entry.name for entry in self._files.get(table, ()))

    def rows(self, table: str) -> int | None:
        """Return how many rows the manifest says a table has; None in a committed extract."""
        counts = [f.rows for f in self._files[table]]
        return None if None in counts else sum(c for c in counts if c is not None)

    def check(self) -> None:
        """Compare size and digest of every file with the manifest.

        Raises
        ------
        ExtractError
            For the first file that was changed.
        """
        for files in self._files.values():
            for entry in files:
                with open_regular(self.path / entry.name) as file:
                    self._check(entry, file)

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        """Read a table's rows, its columns in declared order.

        A file's digest is compared before its first row is given, unless `check` did so.

        Raises
        ------
        ExtractError
            For a file that was changed, damaged, or has not the rows it should have.
        """
        columns = self.columns(table)
        yield from self._growth.fill(table, columns, self._held(table, columns))

    def _held(self, table: str, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
        held = self._growth.held(table, columns)
        for entry in self._files[table]:
            with open_regular(self.path / entry.name) as file:
                self._check(entry, file)
                rows = 0
                for batch in self._format.read(file, entry.name, held):
                    rows += batch.num_rows
                    yield batch
            if entry.rows not in (None, rows):
                raise _changed(self.path / entry.name, f"{rows} rows instead of {entry.rows}")

    def _check(self, entry: FileEntry, file: BinaryIO) -> None:
        if entry.sha256 is None:
            return
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if identity in self._checked:
            return
        path = self.path / entry.name
        if status.st_size != entry.bytes:
            raise _changed(path, f"{status.st_size} bytes instead of {entry.bytes}")
        if _sha256(file) != entry.sha256:
            raise _changed(path, "other bytes than were written")
        file.seek(0)
        self._checked.add(identity)


def version_of(path: Path) -> int:
    """Return the schema version whose shape an extract says it has.

    Raises
    ------
    ExtractError
    """
    return _manifest(path)[1].version


def _manifest(path: Path) -> tuple[bytes, Manifest]:
    if not is_complete(path):
        if not path.is_dir():
            raise ExtractError(
                f"there is no directory {path}",
                hint="migrate extract 2     writes one, of version 2's database",
            )
        raise ExtractError(
            f"{path} holds no complete extract: {manifests.FILE} is missing",
            hint="make the extract again",
        )
    with open_regular(path / manifests.FILE) as file:
        raw = file.read(manifests.MAX_BYTES + 1)
    return raw, manifests.loads(raw, str(path / manifests.FILE))


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_READ_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _changed(path: Path, what: str) -> ExtractError:
    return ExtractError(f"{path} was changed: it has {what}", hint="make the extract again")
