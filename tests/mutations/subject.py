"""The database that is changed: four tables, loaded by the command from an extract of its own."""

from __future__ import annotations

import random
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrators.backends import backend_for
from migrators.events import silent
from migrators.extracts import ExtractReader, forms
from migrators.project import Project
from migrators.schema import load_schema
from migrators.verify.table import TableCheck
from tests.served import connected, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrators.backends.interface import Backend
    from migrators.schema import SchemaVersion
    from tests.served import Served

    Row = tuple[Any, ...]

_SCHEMA = """
def moment(kind, own):
    return kind().with_variant(own(fsp=6), "mysql", "mariadb")

def long(kind, own):
    return kind().with_variant(own(), "mysql", "mariadb")

def columns():
    return [
        sa.Column("title", sa.String(80)), sa.Column("note", long(sa.Text, mysql.LONGTEXT)),
        sa.Column("size", sa.BigInteger), sa.Column("count", sa.Integer),
        sa.Column("price", sa.Numeric(12, 4)),
        sa.Column("ratio", sa.Double), sa.Column("share", sa.Double),
        sa.Column("at", moment(sa.DateTime, mysql.DATETIME)),
        sa.Column("day", sa.Date),
        sa.Column("hour", moment(sa.Time, mysql.TIME)),
        sa.Column("done", sa.Boolean),
        sa.Column("raw", long(sa.LargeBinary, mysql.LONGBLOB)),
        sa.Column("state", sa.Enum("open", "opens", "shut", "<null>", name="state")),
    ]

sa.Table("cells", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns())
sa.Table("lone", metadata, *columns())
sa.Table(
    "named", metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.String(80)), sa.Column("note", long(sa.Text, mysql.LONGTEXT)),
)
sa.Table(
    "long", metadata,
    sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.String(80)),
    sa.Column("size", sa.BigInteger),
)
"""
_ROWS = {"cells": 40, "lone": 24, "named": 40, "long": 3_000}
"""`long` has more rows than are read side by side where two streams differ."""
_WORDS = ("", " ", "brie", "Brie", "brie ", "caf\u00e9", "cafe\u0301", "<null>", "NULL", "0",
          "00", "a,b", 'a"b', "a\nb", "\U0001f9c0", "stra\u00dfe", "12.50")  # fmt: skip
_FIRST = date(1995, 1, 1)
_NULL_IN = 8
"""One cell in eight is NULL."""


def _values(chance: random.Random) -> Row:
    """Return a row's values, in the order of `columns`."""
    words = [" ".join(chance.choices(_WORDS, k=chance.randrange(4))) for _ in range(2)]
    at = datetime.fromisoformat("2024-02-29 23:59:59.999999") + timedelta(
        seconds=chance.randrange(10**8), microseconds=chance.randrange(10**6)
    )
    row: Row = (
        words[0][:80], words[1],
        chance.choice([0, -1, 2**53 + 1, 2**62, chance.randrange(10**6)]), chance.randrange(99),
        Decimal(chance.randrange(-(10**9), 10**9)).scaleb(-4),
        chance.choice([0.0, 0.1, 0.1 + 0.2, chance.uniform(-1e6, 1e6), chance.random() * 1e-300]),
        float(chance.randrange(100)),
        at, _FIRST + timedelta(days=chance.randrange(20_000)),
        time(chance.randrange(24), chance.randrange(60), 1, chance.randrange(10**6)),
        chance.random() < 0.5,
        chance.randbytes(chance.randrange(12)),
        chance.choice(["open", "opens", "shut", "<null>"]),
    )  # fmt: skip
    return tuple(None if chance.randrange(_NULL_IN) == 0 else value for value in row)


_TIMES: dict[str, Callable[[str], Any]] = {
    "at": datetime.fromisoformat, "day": date.fromisoformat, "hour": time.fromisoformat,
}  # fmt: skip


def _time(column: str, value: Any) -> Any:
    """Return the time that a text of a column of times is; the text itself where it is none."""
    if column not in _TIMES or not isinstance(value, str):
        return value
    try:
        return _TIMES[column](value)
    except ValueError:
        return value


def _rows(table: str, chance: random.Random) -> list[Row]:
    count = range(1, _ROWS[table] + 1)
    if table == "cells":
        return [(i, *_values(chance)) for i in count]
    if table == "lone":
        rows = [_values(chance) for _ in count]
        return [*rows[:-4], *rows[:4]]  # some of them twice
    if table == "named":
        return [(f"Name {i // 3} \u00e9", i, *_values(chance)[:2]) for i in count]
    return [(2 * i, f"row {i}", chance.randrange(100)) for i in count]


@dataclass
class Subject:
    """A loaded database and its extract; rows are changed through its driver."""

    made: Served
    schema: SchemaVersion
    database: Backend
    reader: ExtractReader
    scratch: Path
    connection: Any

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        return [column.name for column in self.schema.tables[table].stored]

    def keys(self, table: str) -> list[str]:
        """Return the names of its primary key's columns."""
        return list(self.schema.tables[table].primary_key)

    def rows(self, table: str) -> list[Row]:
        """Return a table's rows, as the driver gives them, in an order that stays."""
        names = ", ".join(map(self.made.quoted, self.columns(table)))
        cursor = self.connection.cursor()
        cursor.execute(f"SELECT {names} FROM {self.made.quoted(table)}")
        found = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return sorted(found, key=repr)

    def meant(self, table: str) -> list[str]:
        """Return a table's rows as what they mean: SQLite's times may be spelled in other ways.

        `20:48:00.86875` is `20:48:00.868750` to whoever reads a time, and to the verifier.
        """
        names = self.columns(table)
        return sorted(
            repr(tuple(_time(name, value) for name, value in zip(names, row, strict=True)))
            for row in self.rows(table)
        )

    def exchange(self, table: str, gone: Sequence[Row], come: Sequence[Row]) -> None:
        """Put rows in the place of others, at once; a driver's error leaves all as it was.

        A table without a key is written anew: no condition tells one of two equal rows.
        """
        mark = "?" if self.made.kind == "sqlite" else "%s"
        own, names, keys = self.made.quoted(table), self.columns(table), self.keys(table)
        every = ", ".join([mark] * len(names))
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        try:
            if keys:
                where = " AND ".join(f"{self.made.quoted(key)} = {mark}" for key in keys)
                places = [names.index(key) for key in keys]
                for row in gone:
                    cursor.execute(f"DELETE FROM {own} WHERE {where}", [row[p] for p in places])
            else:
                cursor.execute(f"DELETE FROM {own}")
            cursor.executemany(f"INSERT INTO {own} VALUES ({every})", come)
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.close()

    def differences(self, table: str) -> list[str]:
        """Compare a table with the extract, as `verify` does."""
        with (
            self.database.snapshot(self.scratch, 1) as snapshot,
            tempfile.TemporaryDirectory(dir=self.scratch) as own,
        ):
            given = forms.given(self.reader, table, self.database.takes_text)
            check = TableCheck(self.reader, self.schema, given, self.database, snapshot, Path(own))
            return check.differences(silent)


@contextmanager
def subject(kind: str, root: Path, seed: int) -> Iterator[Subject]:
    """Migrate a database of seeded rows, and give what came of it."""
    with served(kind, root) as made:
        made.schema(_SCHEMA)
        made.ran("create", "1")
        chance = random.Random(seed)  # noqa: S311
        with closing(connected(made, 1)) as connection:
            for table in _ROWS:
                _insert(made, connection, table, _rows(table, chance))
        made.ran("1to2")
        project = Project.find(root, environment={})
        schema = load_schema(project, 2)
        (extract,) = root.glob(".migrate/runs/*/extract-1to2")
        scratch = root / "scratch"
        scratch.mkdir()
        with closing(connected(made, 2)) as connection:
            for statement in _QUICK[kind]:
                connection.cursor().execute(statement)
            reader = ExtractReader.open(extract, schema)
            reader.check()
            database = backend_for(project.url(2))
            yield Subject(made, schema, database, reader, scratch, connection)


_QUICK = {
    "sqlite": ("PRAGMA synchronous = OFF",),
    "postgresql": ("SET synchronous_commit = off",),
    "mysql": ("SET autocommit = 1",),
}
"""What is changed need not survive a power cut."""


def _insert(made: Served, connection: Any, table: str, rows: Sequence[Row]) -> None:
    mark = "?" if made.kind == "sqlite" else "%s"
    cells = [[_held(made.kind, value) for value in row] for row in rows]
    every = ", ".join([mark] * len(rows[0]))
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.executemany(f"INSERT INTO {made.quoted(table)} VALUES ({every})", cells)
    cursor.execute("COMMIT")
    cursor.close()


def _held(kind: str, value: Any) -> Any:
    """Return a value as SQLAlchemy has SQLite hold it."""
    if kind != "sqlite" or value is None:
        return value
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, date | time):
        return value.isoformat() if isinstance(value, date) else value.isoformat("microseconds")
    return float(value) if isinstance(value, Decimal) else value
