"""Two tables at once: a part beside the staging file, moved into it with its indexes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators.backends.sqlite.parts import BESIDE
from migrators.errors import ValueRefused
from migrators.schema import SchemaVersion
from tests.backends.conftest import write
from tests.backends.sqlite.conftest import asked, backend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.backends.sqlite.backend import SQLiteBackend

ROWS: dict[str, list[Any]] = {
    "id": [1, 2, 3],
    "name": ["b", "a", None],
    "size": [-1, 2**62, 0],
    "note": ["", "x", None],
}


def tables() -> sa.MetaData:
    """Return tables with all kinds of keys and indexes, alike but for their names."""
    metadata = sa.MetaData()
    for name in ("first", "second"):
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.String(40), unique=True),
            sa.Column("size", sa.BigInteger, sa.CheckConstraint("size < 5000000000000000000")),
            sa.Column("twice", sa.BigInteger, sa.Computed("size / 2")),
            sa.Column("note", sa.Text, index=True),
            sa.Index(f"ix_{name}_some", "size", sqlite_where=sa.text("note IS NOT NULL")),
            sqlite_autoincrement=True,
        )
    sa.Table(
        "pairs",
        metadata,
        sa.Column("a", sa.Text, primary_key=True),
        sa.Column("b", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    return metadata


def schema(folder: Path, **sql: Any) -> SchemaVersion:
    """Return the tables as a schema."""
    return SchemaVersion(3, folder / "v3.py", tables(), **sql)


def while_first_is_written(
    database: SQLiteBackend, made: SchemaVersion, others: dict[str, dict[str, list[Any]]]
) -> None:
    """Write other tables from another thread while the first one is being written."""
    failed: list[BaseException] = []

    def written() -> None:
        try:
            for table, values in others.items():
                write(database, made, table, values)
        except BaseException as error:  # noqa: BLE001  raised again below
            failed.append(error)

    columns = made.tables["first"].stored
    arrays = [pa.array(ROWS[c.name], c.type.arrow) for c in columns]

    def batches() -> Iterator[pa.RecordBatch]:
        thread = threading.Thread(target=written)
        thread.start()
        thread.join()
        yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])

    database.write("first", columns, batches())
    for error in failed:
        raise error


PAIRS: dict[str, list[Any]] = {"a": ["x", "x", "y"], "b": ["1", "2", "1"]}


def staged(folder: Path, others: dict[str, dict[str, list[Any]]], **sql: Any) -> SQLiteBackend:
    """Return a staging file, not finished, whose other tables were written beside the first."""
    database, made = backend(folder / "shop_v3.db").staging("r1"), schema(folder, **sql)
    database.create(made)
    while_first_is_written(database, made, others)
    return database


def beside(database: SQLiteBackend) -> list[str]:
    """Return what lies beside a staging file."""
    return sorted(p.name.removeprefix(database.path.name) for p in database.path.parent.iterdir())


def test_the_file_is_what_one_writer_makes(tmp_path: Path) -> None:
    """Rows, indexes, generated columns, sequences, the catalogue: all but the pages' order."""
    (tmp_path / "two").mkdir()
    (tmp_path / "one").mkdir()
    two = staged(tmp_path / "two", {"second": ROWS, "pairs": PAIRS})
    assert beside(two) == ["", BESIDE[0]]
    one = backend(tmp_path / "one" / "shop_v3.db").staging("r1")
    one.create(schema(tmp_path / "one"))
    for table, values in {"first": ROWS, "second": ROWS, "pairs": PAIRS}.items():
        write(one, schema(tmp_path / "one"), table, values)
    facts = [each.finish(schema(tmp_path), {"second": 9}) for each in (one, two)]
    assert facts[0] == facts[1] == ("6 indexes built",)
    assert beside(two) == [""]
    assert asked(two.path, "PRAGMA integrity_check") == [("ok",)]
    assert two.catalog() == one.catalog()
    for query in (
        "SELECT * FROM first",
        "SELECT * FROM second",
        "SELECT * FROM pairs",
        "SELECT note FROM second INDEXED BY ix_second_note ORDER BY note",
        "SELECT * FROM sqlite_sequence ORDER BY name",
        "SELECT * FROM sqlite_stat1 ORDER BY tbl, idx",
    ):
        assert asked(two.path, query) == asked(one.path, query) != []


def test_what_breaks_a_constraint_in_the_part_is_named(tmp_path: Path) -> None:
    """A unique key that is built after the data says which rows, in either file."""
    twice = ROWS | {"name": ["b", "b", None]}
    database = staged(tmp_path, {"second": twice})
    with pytest.raises(ValueRefused, match=r"second\.name: 2 rows") as refused:
        database.finish(schema(tmp_path), {})
    assert refused.value.samples == (("id 1", "b"), ("id 2", "b"))
    database.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_refused_table_is_explained_while_another_is_written(tmp_path: Path) -> None:
    """Its rows are written once more, to a file of their own."""
    database, made = backend(tmp_path / "shop_v3.db").staging("r1"), schema(tmp_path)
    database.create(made)
    twice = PAIRS | {"a": ["x", "x", "x"]}
    with pytest.raises(ValueRefused, match="pairs") as refused:
        while_first_is_written(database, made, {"pairs": twice})
    columns = made.tables["pairs"].stored
    batch = pa.RecordBatch.from_pydict({c.name: twice[c.name] for c in columns})
    found = database.explained(refused.value, made, iter([batch]))
    assert found.count == 2
    assert asked(database.path, "SELECT count(*) FROM first") == [(3,)]
    database.discard()
    assert list(tmp_path.iterdir()) == []


def test_where_triggers_may_be_there_already_one_file_takes_all(tmp_path: Path) -> None:
    """SQL between the tables and the data sees every table; so the writers take turns."""
    seen = "CREATE TRIGGER seen AFTER INSERT ON first BEGIN DELETE FROM pairs; END;"
    database, made = backend(tmp_path / "shop_v3.db").staging("r1"), schema(tmp_path)
    made = schema(tmp_path, between={"": seen})
    database.create(made)
    thread = threading.Thread(target=write, args=(database, made, "second", ROWS))
    columns = made.tables["first"].stored
    arrays = [pa.array(ROWS[c.name], c.type.arrow) for c in columns]

    def batches() -> Iterator[pa.RecordBatch]:
        thread.start()
        yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])

    database.write("first", columns, batches())
    thread.join()
    assert beside(database) == [""]
    assert asked(database.path, "SELECT count(*) FROM second") == [(3,)]
