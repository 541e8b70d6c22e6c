"""Rows of an extract in a database: all tables of its schema, rows of all or of some of them."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrators.backends import kind_of, refusals
from migrators.config import nearest
from migrators.errors import ExtractError, UsageError, ValueRefused
from migrators.events import silent
from migrators.extracts.directory import ExtractReader, version_of
from migrators.load import finish, load
from migrators.project import Project
from migrators.run.publishing import stamp_of
from migrators.schema import load_schema
from migrators.types.fit import misfits
from migrators.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import sqlalchemy as sa

    from migrators.backends.interface import Backend
    from migrators.schema import SchemaVersion, Table


class Fixtures(ExtractReader):
    """An extract of which the rows of some tables are read, of the others none.

    Attributes
    ----------
    chosen : frozenset of str
        The tables whose rows are read.
    """

    chosen: frozenset[str] = frozenset()

    def file(self, table: str) -> str:
        """Return where the rows of a table are: "v3/users.csv"."""
        names = [file.name for t in self.manifest.tables if t.name == table for file in t.files]
        return "/".join((self.path.name, *names[:1]))

    def rows(self, table: str) -> int | None:
        """Return how many rows the manifest says that are read of a table."""
        return super().rows(table) if table in self.chosen else 0

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        """Read the rows of a chosen table; nothing of another.

        Raises
        ------
        ValueRefused
            A value that a person has typed does not fit; a file of SQLite's takes any.
        """
        if table in self.chosen:
            for batch in super().batches(table):
                if self.manifest.committed:
                    self._fit(self.schema.tables[table], batch)
                yield batch

    def _fit(self, table: Table, batch: pa.RecordBatch) -> None:
        for column in self.columns(table.name):  # some are held as text
            values = batch[column.name]
            for reason, mask in misfits(values, column.type, nullable=True):
                tally = refusals.Tally(table.name, column.name, reason)
                tally.add(mask, partial(_named, table, batch, values))
                raise tally.error()


def _named(table: Table, batch: pa.RecordBatch, of: pa.Array, row: int) -> tuple[str, str]:
    """Return a row's key, and its value in one column."""
    key = [batch[name][row].as_py() for name in table.primary_key]
    return refusals.key_text(table.primary_key, key), refusals.shown(of[row].as_py())


def open_fixtures(
    project: Project, path: Path, tables: Sequence[str] = (), version: int | None = None
) -> Fixtures:
    """Open an extract.

    Parameters
    ----------
    project : Project
        Where the schema modules are.
    tables : sequence of str
        Whose rows are wanted; those of tables that they refer to are read, too. All if empty.
    version : int, optional
        The schema version that it must be of.

    Raises
    ------
    ExtractError
        It is incomplete, damaged, or of another schema.
    UsageError
        There is no such table.
    """
    if not path.is_dir():
        raise ExtractError(f"there is no directory {path}", hint=instead(project, path))
    found = version_of(path)
    if version is not None and found != version:
        there = project.fixtures(version)
        raise ExtractError(
            f"{path} is of schema version {found}, and version {version} is asked for",
            hint=f"migrate fixtures {found}to{version}     makes fixtures/{there.name} of it",
        )
    schema = load_schema(project, found)
    reader = Fixtures.open(path, schema)
    reader.chosen = frozenset(_with_parents(schema, tables) if tables else schema.tables)
    return reader


def instead(project: Project, path: Path) -> str:
    """Return what makes fixtures that are not there, or which ones are."""
    number = next((v for v in project.versions() if path == project.fixtures(v)), None)
    there = [p.relative_to(project.root).as_posix() for p in project.all_extracts()]
    if number is None:
        return f"there are: {', '.join(there)}" if there else "migrate sample N     writes some"
    before = [a for a, b in project.steps() if b == number and project.fixtures(a).is_dir()]
    command = f"fixtures {before[-1]}to{number}" if before else f"sample {number}"
    return f"migrate {command}     writes it"


def _with_parents(schema: SchemaVersion, tables: Sequence[str]) -> set[str]:
    """Return tables and all that their rows refer to, by any number of steps."""
    waiting, found = list(tables), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in schema.tables:
            raise UsageError(
                f"schema {schema.version} has no table {name!r}",
                hint=nearest(name, schema.tables),
            )
        if name not in found:
            found.add(name)
            waiting += [key.target for key in schema.tables[name].foreign_keys]
    return found


def fill(reader: Fixtures, database: Backend) -> None:
    """Make a database: tables, rows, all that comes after; every cell read back, and stamped.

    Parameters
    ----------
    database : Backend
        Staging: it is not there yet, or empty and loaded in place.

    Raises
    ------
    MigrateError
        A file is damaged, a row does not fit, a key is there twice, a parent is missing.
    """
    schema = reader.schema
    try:
        load(reader, schema, database, emit=silent)
        finish(reader, schema, database, emit=silent, settle=False)
        with tempfile.TemporaryDirectory(prefix="migrate-") as scratch:
            verify(reader, schema, database, scratch=Path(scratch), emit=silent)
    except ValueRefused as refused:
        if reader.manifest.committed and refused.table in schema.tables:
            refused.hint = (f"correct it in {reader.file(refused.table)}",)
        raise
    database.write_stamp(stamp_of(schema, "migrators.testing", reader.digest))


def seed(engine: sa.Engine, extract: str | Path, *, tables: Sequence[str] = ()) -> None:
    """Fill an empty database from an extract: the tables of its schema, and the rows.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of a database without tables; one in memory, too.
    extract : str or Path
        A directory, "fixtures/v3", in a project with its `schemas/`.
    tables : sequence of str
        Whose rows are wanted, with those that they refer to; all if empty. The other tables
        are made, and have no rows.

    Raises
    ------
    ExtractError
        The extract is incomplete, damaged, or of another schema than its project's.
    TargetExists
        The database has tables.
    UsageError
        There is no such table.
    MigrateError
        A row does not fit.

    Examples
    --------
    >>> import sqlalchemy as sa
    >>> engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    >>> seed(engine, "fixtures/v3", tables=["users"])
    """
    path = Path(extract).absolute()
    project = Project.find(path if path.is_dir() else path.parent)
    reader = open_fixtures(project, path, tables)

    kind_of(engine.url).fill(engine, lambda database: fill(reader, database))
