"""The grid's cells, and how each one fared: extract and load as a run does them, then compare."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.errors import ValueRefused
from migrators.events import silent
from migrators.extract import extract
from migrators.extracts.directory import ExtractReader, ExtractWriter
from migrators.load import _table as load_table
from migrators.plan.build import build
from migrators.schema import SchemaVersion
from migrators.step import Step, Tables
from migrators.types import describe
from tests.grid import plain
from tests.grid.canonical import canonical
from tests.grid.declared import DATABASES, counterpart, declared, dialect, spelled
from tests.grid.edges import edges
from tests.grid.own import BEFORE, LITERALS, ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.backends.interface import Backend
    from migrators.types import ColumnType
    from tests.grid.plain import Plain, Texts

FORMATS = ("parquet", "csv")
_KEY = re.compile(r"id (\d+)")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """A type of a database, and the values of it that are in the grid.

    Attributes
    ----------
    table : str
        Where they lie: columns `id`, from 1, and `v`; the last one is NULL.
    literals : tuple of str
        As the database's SQL has them.
    """

    table: str
    name: str
    type: ColumnType
    literals: tuple[str, ...]
    metadata: sa.MetaData

    @property
    def keys(self) -> range:
        """The rows' keys."""
        return range(1, len(self.literals) + 1)

    @property
    def column(self) -> sa.Column[Any]:
        """The column of the values."""
        column: sa.Column[Any] = self.metadata.tables[self.table].c.v
        return column

    def schema(self, folder: Path) -> SchemaVersion:
        """Return a schema of this table alone."""
        return SchemaVersion(1, folder / "v1.py", self.metadata)


@dataclass
class Outcome:
    """How the values of one type fared on one way.

    Attributes
    ----------
    refused : dict of int to str
        Reason by key.
    wrong : dict of int to str
        What was neither exact nor refused by name, by key; 0 where no row was named.
    exact : int
        How many values came out as they were put in.
    """

    refused: dict[int, str] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)
    exact: int = 0


Way = tuple[str, str, str]
"""Type as DDL spells it, target, file format."""


def samples(database: str) -> tuple[Sample, ...]:
    """Return the types of a database with their values."""
    from migrators.types.limits import Limits

    bare = backend_for(sa.URL.create(database, host="none", database="none.db"))
    found: list[Sample] = []
    for number, type_ in enumerate(declared(database)):
        name = spelled(database, type_)
        kind = describe(type_)
        limits = Limits() if database == "sqlite" else bare.limits(type_)
        made = () if name in ONLY else edges(kind, limits)
        if getattr(type_, "charset", None) == "latin1":
            made = tuple(text for text in made if _is_latin(text))
        own = LITERALS[database].get(name, ())
        literals = [plain.literal(database, kind, name, text) for text in made]
        given = tuple(dict.fromkeys([*literals, *own, "NULL"]))
        own_name = f"{name} ({kind.kind})" if name in {s.name for s in found} else name
        metadata = _metadata(f"t{number}", type_, database)
        found.append(Sample(f"t{number}", own_name, kind, given, metadata))
    return tuple(found)


def _is_latin(text: str) -> bool:
    return all(ord(character) < 256 for character in text)


def _metadata(table: str, type_: sa.types.TypeEngine[Any], database: str) -> sa.MetaData:
    """Return a table of a key and the column, whose type other databases have a variant of."""
    for other in DATABASES:
        if other != database:
            names = ("mysql", "mariadb") if other == "mysql" else (other,)
            type_ = type_.with_variant(counterpart(type_, other), *names)
    return _table(table, type_, sa.MetaData())


def _table(table: str, type_: sa.types.TypeEngine[Any], metadata: sa.MetaData) -> sa.MetaData:
    key = sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)
    sa.Table(table, metadata, key, sa.Column("v", type_))
    return metadata


def together(found: tuple[Sample, ...], folder: Path, database: str) -> SchemaVersion:
    """Return a schema of all tables; `database` is where it is created."""
    metadata = sa.MetaData()
    for sample in found:
        _table(sample.table, sample.column.type, metadata)
    before = {database: BEFORE[database]} if database in BEFORE else {}
    return SchemaVersion(1, folder / "v1.py", metadata, before=before)


def outcomes(database: str, folder: Path) -> dict[Way, Outcome]:
    """Return how every cell of a source database fared.

    Parameters
    ----------
    folder : Path
        Private and empty.
    """
    return Grid(database, folder).run()


class Grid:
    """All ways from one database."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.samples = samples(database)
        self.found: dict[Way, Outcome] = {}

    def run(self) -> dict[Way, Outcome]:
        """Fill the source, extract it in both formats, load each type everywhere, compare."""
        with ExitStack() as stack:
            places = {
                name: stack.enter_context(plain.databases(name, self.folder)) for name in DATABASES
            }
            source = places[self.database]("source")
            schema = together(self.samples, self.folder, self.database)
            backend_for(source).create(schema)
            link = stack.enter_context(plain.opened(source))
            for sample in self.samples:
                _fill(link, sample)
            for files in FORMATS:
                extracted = _extracted(self.folder, schema, backend_for(source), files)
                for target in DATABASES:
                    _Way(self, extracted, link, places[target], target, files).run()
        return self.found


def _fill(link: Plain, sample: Sample) -> None:
    for key, literal in zip(sample.keys, sample.literals, strict=True):
        try:
            link.run(f"INSERT INTO {sample.table} (id, v) VALUES ({key}, {literal})")
        except Exception as error:
            raise AssertionError(f"{sample.name}: {literal[:80]}: {error}") from error


@dataclass(frozen=True)
class _Extracted:
    """An extract of all tables, and the rows that the extract refused, by table and key."""

    reader: ExtractReader
    refused: dict[str, dict[int, str]]


def _extracted(folder: Path, schema: SchemaVersion, source: Backend, files: str) -> _Extracted:
    """Extract all tables as a run does, without the rows that it refuses by name."""
    refused: dict[str, dict[int, str]] = {name: {} for name in schema.tables}
    while True:
        place = folder / f"extract_{files}_{sum(map(len, refused.values()))}"
        try:
            _extract(place, schema, source, files, refused)
        except ValueRefused as error:
            fresh = _keys(error) - set(refused[error.table])
            if not fresh:
                raise
            refused[error.table] |= dict.fromkeys(sorted(fresh), error.reason)
        else:
            return _Extracted(ExtractReader.open(place, schema), refused)


def _extract(
    place: Path,
    schema: SchemaVersion,
    source: Backend,
    files: str,
    without: dict[str, dict[int, str]],
) -> None:
    tables = Tables(schema.metadata, 1)
    step = Step(tables, tables, now=_NOW, path="grid")
    for name, keys in without.items():
        if keys:
            table = schema.metadata.tables[name]
            step.table(table).drop_rows(table.c.id.in_(list(keys)), because="refused")
    nowhere = backend_for(sa.URL.create("sqlite", database=str(place.with_suffix(".db"))))
    plan = build(schema, schema, step, path=schema.path, digest="", source=source, target=nowhere)
    scratch = place.with_name(f"{place.name}_scratch")
    scratch.mkdir(mode=0o700)
    extract(plan, source, ExtractWriter(place, schema, files), scratch=scratch, emit=silent)


def _keys(refused: ValueRefused) -> set[int]:
    """Return the keys of the rows that a refusal names."""
    return {int(found[1]) for key, _ in refused.samples if (found := _KEY.fullmatch(key))}


class _Without:
    """An extract without some rows of a table, as `load` reads it."""

    def __init__(self, reader: ExtractReader, keys: Outcome) -> None:
        self._reader, self._keys = reader, keys
        self.schema, self.columns = reader.schema, reader.columns

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        """Read the rows that were not refused."""
        gone = pa.array(list(self._keys.refused), pa.int64())
        for batch in self._reader.batches(table):
            yield batch.filter(pc.invert(pc.is_in(batch["id"], value_set=gone)))


class _Way:
    """One target and format."""

    def __init__(
        self, grid: Grid, extracted: _Extracted, link: Plain, place: Any, target: str, files: str
    ) -> None:
        self.grid, self.extracted, self.link = grid, extracted, link
        self.target, self.files, self.place = target, files, place
        self.staging = backend_for(place(f"{target}_{files}"))

    def run(self) -> None:
        """Load each type, and compare."""
        lints = {s.table: self.staging.lint(s.column.type) for s in self.grid.samples}
        fit = tuple(s for s in self.grid.samples if lints[s.table] is None)
        with ExitStack() as stack:
            link = None
            if self.target != "sqlite":
                self.staging.create(together(fit, self.grid.folder, self.target))
                link = stack.enter_context(plain.opened(self.staging.url))
            for sample in self.grid.samples:
                outcome = Outcome(dict(self.extracted.refused[sample.table]))
                self.grid.found[sample.name, self.target, self.files] = outcome
                if (said := lints[sample.table]) is not None:
                    outcome.refused = dict.fromkeys(sample.keys, f"plan: {said}")
                elif (staging := self._loaded(sample, outcome)) is not None:
                    self._compare(sample, self._texts(link, staging, sample), outcome)

    def _loaded(self, sample: Sample, outcome: Outcome) -> Backend | None:
        """Load a table without the rows that are refused; return where, or None."""
        for again in range(len(sample.literals) + 1):
            try:
                return self._load(sample, outcome, again)
            except ValueRefused as refused:
                fresh = _keys(refused) - set(outcome.refused)
                outcome.refused |= dict.fromkeys(sorted(fresh), refused.reason)
                if not fresh or refused.column != "v":
                    outcome.wrong[0] = f"no new key is named: {refused.message}"
                    return None
            except Exception as error:  # noqa: BLE001  all is told
                outcome.wrong[0] = f"{type(error).__name__}: {error}"
                return None
        return None

    def _load(self, sample: Sample, outcome: Outcome, again: int) -> Backend:
        staging, schema = self.staging, sample.schema(self.grid.folder)
        if self.target == "sqlite":  # its staging database is lost over a refusal
            staging = backend_for(self.place(f"{sample.table}_{self.files}_{again}"))
            staging.create(schema)
        reader: Any = _Without(self.extracted.reader, outcome)
        load_table(reader, schema, sample.table, staging, staging.write, silent)
        return staging

    def _texts(self, link: Plain | None, staging: Backend, sample: Sample) -> Texts:
        own = sample.type if self.target == self.grid.database else _stored(sample, self.target)
        expression = plain.rendering(self.target, own)
        if link is not None:
            return plain.texts(link, sample.table, expression)
        with plain.opened(staging.url) as file:
            return plain.texts(file, sample.table, expression)

    def _compare(self, sample: Sample, found: Texts, outcome: Outcome) -> None:
        expression = plain.rendering(self.grid.database, sample.type)
        given = plain.texts(self.link, sample.table, expression)
        same = self.target == self.grid.database
        for key in sample.keys:
            if key in outcome.refused:
                continue
            pair = (given[key], found.get(key, "(no row)"))
            if not same:
                pair = tuple(
                    canonical(database, sample.type, text)
                    for database, text in zip((self.grid.database, self.target), pair, strict=True)
                )  # type: ignore[assignment]
            if pair[0] == pair[1]:
                outcome.exact += 1
            else:
                outcome.wrong[key] = f"{sample.literals[key - 1][:60]}: {pair[0]!r} -> {pair[1]!r}"


def _stored(sample: Sample, database: str) -> ColumnType:
    """Return the type of a column's counterpart on another database."""
    return describe(sample.column.type.dialect_impl(dialect(database)))


def count(found: dict[Way, Outcome]) -> Counter[str]:
    """Return how many cells are exact, refused and wrong."""
    said: Counter[str] = Counter()
    for outcome in found.values():
        said["exact"] += outcome.exact
        said["refused"] += len(outcome.refused)
        said["wrong"] += len(outcome.wrong)
    return said


def cells(database: str) -> int:
    """Return how many cells there are from a database."""
    return sum(len(s.literals) for s in samples(database)) * len(DATABASES) * len(FORMATS)


def wrong(found: dict[Way, Outcome]) -> Iterator[str]:
    """Yield what is neither exact nor refused by name."""
    for (name, target, files), outcome in found.items():
        for key, said in outcome.wrong.items():
            yield f"{name} -> {target} ({files}) id {key}: {said}"
