"""A whole extract: complete or thrown away, and believed only after a look."""

from __future__ import annotations

import json
import os
import random
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from migrators.errors import ExtractError
from migrators.extracts import ExtractReader, ExtractWriter, is_complete
from migrators.schema import Column, SchemaVersion, Table
from migrators.types import ColumnType, Kind

ID = Column("id", ColumnType(Kind.INTEGER, bits=64), nullable=False)
NAME = Column("name", ColumnType(Kind.TEXT), nullable=True)
UPPER = Column("upper", ColumnType(Kind.TEXT), nullable=True, generated=True)


@dataclass(frozen=True)
class Declared:
    """What an extract needs of a `SchemaVersion`."""

    version: int = 3
    path: Path = Path("v3.py")
    fingerprint: str = "f" * 64
    tables: dict[str, Table] = field(
        default_factory=lambda: {
            "Users": Table("Users", (ID, NAME), ("id",)),
            "users": Table("users", (ID, NAME, UPPER), ("id",)),
        }
    )


SCHEMA = cast("SchemaVersion", Declared())
ROWS: dict[str, list[Any]] = {"id": [1, 2, 3], "name": ["Zoë", None, ""]}
NONE: dict[str, list[Any]] = {"id": [], "name": []}
Damage = Callable[[Path], object]


def batch(rows: dict[str, list[Any]]) -> pa.RecordBatch:
    """Return a batch of the tables' stored columns."""
    return pa.record_batch([pa.array(rows["id"], pa.int64()), pa.array(rows["name"], pa.string())],
                           ["id", "name"])  # fmt: skip


def make(path: Path, files: str = "parquet", **options: Any) -> Path:
    """Write a complete extract."""
    writer = ExtractWriter(path, SCHEMA, files, **options)
    for name, rows in (("Users", NONE), ("users", ROWS)):
        with writer.table(name, ordered=True) as table:
            table.write(batch(rows))
    writer.finish(made={"step": "2to3"}, sequences={"users": 9})
    return path


@pytest.fixture(params=["csv", "parquet"])
def files(request: pytest.FixtureRequest) -> str:
    """Each format in turn."""
    return str(request.param)


def rows(path: Path, table: str = "users") -> dict[str, list[Any]]:
    """Read a table of an extract."""
    reader = ExtractReader.open(path, SCHEMA)
    merged: dict[str, list[Any]] = {"id": [], "name": []}
    for found in reader.batches(table):
        for key, values in found.to_pydict().items():
            merged[key] += values
    return merged


def everything(path: Path) -> None:
    """Open, check and read all."""
    reader = ExtractReader.open(path, SCHEMA)
    for name in Declared().tables:
        list(reader.batches(name))


def test_what_is_written_is_read(tmp_path: Path, files: str) -> None:
    """Tables `Users` and `users` apart, generated columns left out, facts kept."""
    path = make(tmp_path / "x", files)
    reader = ExtractReader.open(path, SCHEMA)
    reader.check()
    assert (rows(path), rows(path, "Users")) == (ROWS, NONE)
    assert (reader.rows("users"), reader.rows("Users")) == (3, 0)
    assert (reader.manifest.sequences, reader.manifest.made) == ({"users": 9}, {"step": "2to3"})
    assert reader.digest == ExtractReader.open(path, SCHEMA).digest
    assert sorted(p.suffix for p in path.iterdir()) == sorted([f".{files}", f".{files}", ".json"])


def test_i116_modes_under_umask_000(tmp_path: Path, files: str) -> None:
    """Files 0600, the directory 0700; fixtures are for everyone to read."""
    before = os.umask(0)
    try:
        private = make(tmp_path / "x", files)
        public = make(tmp_path / "fixtures", files, committed=True, mode=0o644)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(p.stat().st_mode) for p in private.iterdir()} == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in public.iterdir()} == {0o644}
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (private, public)]
    assert modes == [0o700, 0o755]


@pytest.mark.fault("H101")
def test_without_its_manifest_it_is_not_complete(tmp_path: Path) -> None:
    """H94, H101, H103: a manifest never leads its data; an unfinished extract is replaced."""
    path = tmp_path / "x"
    writer = ExtractWriter(path, SCHEMA)
    with writer.table("users", ordered=True) as table:
        table.write(batch(ROWS))
    assert not is_complete(path)
    with pytest.raises(ExtractError, match="holds no complete extract"):
        ExtractReader.open(path, SCHEMA)
    with pytest.raises(ExtractError, match="not written: Users"):
        writer.finish()
    assert rows(make(path, "csv")) == ROWS
    with pytest.raises(ExtractError, match="there is no directory"):
        ExtractReader.open(tmp_path / "nowhere", SCHEMA)


def test_a_failed_table_leaves_no_file(tmp_path: Path, files: str) -> None:
    """Whatever failed."""
    writer = ExtractWriter(tmp_path / "x", SCHEMA, files)

    def fail() -> None:
        with writer.table("users", ordered=True) as table:
            table.write(batch(ROWS))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [p.name for p in (tmp_path / "x").iterdir()] == [".incomplete"]


def test_nothing_of_someone_else_is_overwritten(tmp_path: Path) -> None:
    """Neither a complete extract nor a folder with other things in it."""
    path = make(tmp_path / "x")
    with pytest.raises(ExtractError, match="holds a complete extract; nothing was overwritten"):
        ExtractWriter(path, SCHEMA)
    assert rows(path) == ROWS
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "notes.csv").write_text("mine")
    with pytest.raises(ExtractError, match="holds something that is no extract"):
        ExtractWriter(tmp_path / "y", SCHEMA)
    assert (tmp_path / "y" / "notes.csv").read_text() == "mine"


def test_h102_every_flipped_bit(tmp_path: Path, files: str) -> None:
    """In any file, the manifest included, refused or of no consequence to a value."""
    path = make(tmp_path / "x", files)
    digest = ExtractReader.open(path, SCHEMA).digest
    chance = random.Random(5)  # noqa: S311
    unnoticed = []
    for file in sorted(path.iterdir()):
        whole = file.read_bytes()
        bits = range(len(whole) * 8)
        if file.suffix == ".json":
            bits = chance.sample(bits, 300)  # type: ignore[assignment]
        for bit in bits:
            changed = bytearray(whole)
            changed[bit // 8] ^= 1 << bit % 8
            file.write_bytes(changed)
            try:
                everything(path)
            except ExtractError:
                continue
            if ExtractReader.open(path, SCHEMA).digest == digest:
                unnoticed.append((file.name, bit))
        file.write_bytes(whole)
    assert unnoticed == []
    assert rows(path) == ROWS


def test_a9_h103_cut_at_any_byte(tmp_path: Path, files: str) -> None:
    """Between two records of a CSV file too."""
    path = make(tmp_path / "x", files)
    file = path / f"users.{files}"
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        with pytest.raises(ExtractError, match=f"{size} bytes instead of {len(whole)}"):
            everything(path)


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = path / "manifest.json"
    plain = json.loads(file.read_text())
    plain.pop("sha256", None)  # whoever forges one leaves it out, or counts it anew
    change(plain)
    file.write_text(json.dumps(plain))


def _link(path: Path) -> None:
    (path / "users.csv").rename(path.parent / "elsewhere")
    (path / "users.csv").symlink_to(path.parent / "elsewhere")


def _fifo(path: Path) -> None:
    (path / "users.csv").unlink()
    os.mkfifo(path / "users.csv")


def _swap(path: Path) -> None:
    def exchange(plain: dict[str, Any]) -> None:
        first, second = plain["tables"]
        first["files"], second["files"] = second["files"], first["files"]

    _edit(path, exchange)


DAMAGES: list[tuple[Damage, str]] = [
    (lambda p: (p / "users.csv").unlink(), "users.csv is missing"),
    (lambda p: (p / "more.csv").touch(), "more.csv belongs to no table"),
    (lambda p: (p / "users.PARQUET").touch(), "users.PARQUET belongs to no table"),
    (_link, "users.csv is not a plain file"),
    (_fifo, "users.csv is not a plain file"),
    (_swap, "the manifest gives 'Users' the files users.csv"),
    (lambda p: _edit(p, lambda m: m["tables"].pop()), "'users' is not as schema version 3"),
    (
        lambda p: _edit(p, lambda m: m["tables"][1].update(name="passwd")),
        "is not as schema version",
    ),
    (lambda p: _edit(p, lambda m: m["tables"][1]["columns"].pop()), "'users' is not as schema"),
    (lambda p: _edit(p, lambda m: m["tables"][1].update(files=[])), "gives 'users' the files none"),
    (lambda p: _edit(p, lambda m: m["sequences"].update(x=1)), "a sequence of no table: 'x'"),
    (lambda p: _edit(p, lambda m: m.update(version=4)), "is of schema version 4, not 3"),
    (lambda p: _edit(p, lambda m: m.update(fingerprint="0" * 64)), "as it was before it changed"),
    (
        lambda p: _edit(p, lambda m: m["tables"][1]["files"][0].update(rows=2)),
        "3 rows instead of 2",
    ),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGES)
def test_h103_i111_i114_i119_refused(tmp_path: Path, damage: Damage, says: str) -> None:
    """Missing, extra, stale, linked, forged: by name, before or at the end of reading."""
    path = make(tmp_path / "x", "csv")
    damage(path)
    with pytest.raises(ExtractError, match=says):
        everything(path)


def test_i112_a_file_exchanged_after_the_check(tmp_path: Path, files: str) -> None:
    """What is read is what was checked: another file, or a link, is noticed."""
    path = make(tmp_path / "x", files)
    reader = ExtractReader.open(path, SCHEMA)
    reader.check()
    file = path / f"users.{files}"
    whole = file.read_bytes()
    (tmp_path / "other").write_bytes(whole[:-2] + b"x" + whole[-1:])
    (tmp_path / "other").replace(file)
    with pytest.raises(ExtractError, match="other bytes than were written"):
        list(reader.batches("users"))
    file.unlink()
    file.symlink_to(tmp_path / "anywhere")
    with pytest.raises(ExtractError, match="is not a plain file"):
        list(reader.batches("users"))


def test_a_fixture_is_edited_in_a_text_editor(tmp_path: Path) -> None:
    """No digest stands in the way, and the extract's digest follows the files."""
    path = make(tmp_path / "v3", "csv", committed=True, mode=0o644)
    before = ExtractReader.open(path, SCHEMA)
    digest = before.digest
    with (path / "users.csv").open("a") as file:
        file.write("4,Ada\n")
    assert rows(path) == {"id": [1, 2, 3, 4], "name": ["Zoë", None, "", "Ada"]}
    after = ExtractReader.open(path, SCHEMA)
    after.check()
    assert after.digest != digest
    assert (before.rows("users"), before.manifest.made) == (None, {})


def test_a_fixture_of_another_version_names_the_command(tmp_path: Path) -> None:
    """Fixtures are carried over by the same steps as production; the first by hand."""
    path = make(tmp_path / "fixtures", "csv", committed=True)
    changed = cast("SchemaVersion", replace(Declared(), version=4, path=tmp_path / "v4.py"))
    with pytest.raises(ExtractError) as caught:
        ExtractReader.open(path, changed)
    assert caught.value.hint == (
        "mend the files and manifest.json by hand, as v4.py declares them",
    )
    (tmp_path / "v3.py").touch()
    with pytest.raises(ExtractError) as caught:
        ExtractReader.open(path, changed)
    assert caught.value.hint == ("migrate fixtures 3to4     makes it of schema 3's",)


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "x").write_text("")
    with pytest.raises(ExtractError, match="cannot write"):
        ExtractWriter(tmp_path / "x", SCHEMA)
