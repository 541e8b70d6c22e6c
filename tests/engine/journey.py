"""One way from an old database to a new one, told in a line: it arrives, or it is refused.

The old database is filled by plain SQL and the new one is read by plain `sqlite3`; nothing
of the engine stands between what a test says and what it compares.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from migrators.errors import MigrateError, ValueRefused
from migrators.events import silent
from migrators.extracts.directory import ExtractWriter
from migrators.run import Options, extract_only, load_only
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from migrators.receipt import Receipt
    from tests.sandbox import Sandbox

Refused = TypeVar("Refused", bound=MigrateError)
Cells = list[tuple[tuple[str, str], ...]]


@dataclass
class Journey:
    """A sandbox and the file format through which its rows go."""

    shop: Sandbox
    files: str

    def schemas(self, old: str, new: str | None = None, step: str = "") -> None:
        """Write both schemas (the same unless said otherwise) and the step."""
        self.shop.schema(1, old)
        self.shop.schema(2, old if new is None else new)
        self.shop.step(step)

    def arrives(self, *sql: str) -> Receipt:
        """Fill the old database, migrate, and compare every cell of tables in both."""
        self.shop.create(*sql)
        return self.goes()

    def goes(self, *, changed: Sequence[str] = ()) -> Receipt:
        """Migrate what is there; every cell of a table that is in both is as it was."""
        old = digest(self.shop.database(1))
        receipt = self.shop.migrate(files=self.files)
        assert receipt.outcome == "published"
        assert digest(self.shop.database(1)) == old
        for table in sorted(set(self.tables(1)) & set(self.tables(2)) - set(changed)):
            assert self.cells(table, 2) == self.cells(table, 1), table
        return receipt

    def converts(self, *sql: str) -> Receipt:
        """Fill the old database and migrate; the test compares what changes."""
        self.shop.create(*sql)
        return self.converts_what_is_there()

    def converts_what_is_there(self) -> Receipt:
        """Migrate what is there; the test compares what changes."""
        receipt = self.shop.migrate(files=self.files)
        assert receipt.outcome == "published"
        return receipt

    def refused(self, kind: type[Refused], *sql: str) -> Refused:
        """Fill the old database; migrating is refused, nothing is visible, nothing is lost."""
        self.shop.create(*sql)
        return self.stops(kind)

    def stops(self, kind: type[Refused]) -> Refused:
        """Migrating what is there is refused, nothing is visible, nothing is lost."""
        old = digest(self.shop.database(1))
        with pytest.raises(kind) as caught:
            self.shop.migrate(files=self.files)
        assert caught.value.exit_code != 0
        assert not self.shop.database(2).exists()
        assert sorted(p.name for p in self.shop.root.glob("shop_*")) == ["shop_v1.db"]
        assert digest(self.shop.database(1)) == old
        return caught.value

    # what is there ---------------------------------------------------------------------

    def tables(self, version: int) -> list[str]:
        """Names of the tables of a database, the stamp and SQLite's own left out."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        names = [name for (name,) in self.shop.rows(query, version)]
        return [n for n in names if not n.startswith(("sqlite_", "migrate"))]

    def cells(self, table: str, version: int = 2) -> Cells:
        """Every cell of a table as (storage class, exact text), rows sorted."""
        with closing(sqlite3.connect(self.shop.database(version))) as connection:
            connection.text_factory = bytes
            info = connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
            names = sorted(quoted(row[1].decode()) for row in info)
            terms = ", ".join(f"typeof({name}), {name}" for name in names)
            rows = connection.execute(f"SELECT {terms} FROM {quoted(table)}").fetchall()
        return sorted(
            tuple(
                (kind.decode(), repr(cell)) for kind, cell in zip(row[0::2], row[1::2], strict=True)
            )
            for row in rows
        )

    # the two phases apart --------------------------------------------------------------

    def extract(self) -> Path:
        """Write an extract of step 1to2, with digests, and return its directory."""
        to = self.shop.root / "extract"
        extract_only(self.shop.project, [(1, 2)], to, Options(files=self.files), emit=silent)
        return to

    def fixture(self, **batches: pa.RecordBatch) -> Path:
        """Write a committed extract of schema 2, a batch a table, and return its directory."""
        path = self.shop.root / "fixtures" / "v2"
        schema = load_schema(self.shop.project, 2)
        writer = ExtractWriter(path, schema, self.files, committed=True)
        for name in schema.tables:
            with writer.table(name, ordered=True) as sink:
                sink.write(batches[name])
        writer.finish()
        return path

    def loads(self, source: Path) -> Receipt:
        """Load an extract; it is published."""
        receipt = load_only(self.shop.project, source, Options(), emit=silent)
        assert receipt.outcome == "published"
        return receipt

    def not_loaded(self, source: Path, kind: type[Refused]) -> Refused:
        """Loading an extract is refused and leaves nothing."""
        with pytest.raises(kind) as caught:
            load_only(self.shop.project, source, Options(), emit=silent)
        assert not self.shop.database(2).exists()
        assert list(self.shop.root.glob("*loading*")) == []
        return caught.value


def named(error: ValueRefused) -> tuple[str, str, int, list[str]]:
    """Return what a refusal names: table, column, count, keys of the first rows."""
    return error.table, error.column, error.count, [k.replace("=", " ") for k, _ in error.samples]


def rules(receipt: Receipt) -> list[tuple[str, str, str, int]]:
    """Return what rules changed, as the receipt says it."""
    return [(r.table, r.column, r.rule, r.changed) for r in receipt.rules if r.changed]


def quoted(name: str) -> str:
    """Return an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def digest(path: Path) -> str:
    """Return the digest of a file and of what SQLite keeps beside it."""
    parts = [path, *(path.with_name(path.name + s) for s in ("-wal", "-journal"))]
    whole = b"".join(p.read_bytes() if p.exists() else b"" for p in parts)
    return hashlib.sha256(whole).hexdigest()


def text(value: Any) -> str:
    """Return a value as a SQL literal; a literal cannot hold U+0000, its bytes can."""
    if isinstance(value, str) and "\0" in value:
        return f"CAST(x'{value.encode().hex()}' AS TEXT)"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return "NULL" if value is None else repr(value)


def inserts(table: str, rows: Sequence[Sequence[Any]]) -> str:
    """Return one INSERT for rows of Python values."""
    values = ", ".join(f"({', '.join(map(text, row))})" for row in rows)
    return f"INSERT INTO {quoted(table)} VALUES {values}"


def numbered(values: Sequence[Any], table: str = "notes") -> str:
    """Return one INSERT of rows (1, first), (2, second) and so on."""
    return inserts(table, list(enumerate(values, 1)))


NOTES = 't("notes", Column("id", Integer, primary_key=True), Column("x", {}))\n'
"""A table of a key and one column whose type the test says."""
