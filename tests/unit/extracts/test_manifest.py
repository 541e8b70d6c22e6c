"""`manifest.json`: stable when written, strict when read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrators.errors import ExtractError
from migrators.extracts import manifest as manifests
from migrators.extracts.interface import ColumnEntry, FileEntry, Manifest, TableEntry
from migrators.extracts.names import file_name, is_safe

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = (ColumnEntry("id", "integer(64)"), ColumnEntry("paid", "decimal(5,2)", "text"))
FILE = FileEntry("users.parquet", 3, 1_234, "a" * 64)
FULL = Manifest(
    version=3,
    fingerprint="f" * 64,
    files="parquet",
    tables=(TableEntry("users", COLUMNS, (FILE,)), TableEntry("Ä b", (), (), ordered=False)),
    made={"step": "2to3", "tool": "0.1"},
    sequences={"users": 7},
    answers={"downloads": [["12", None]]},
    accounting={"users": {"read": 4, "written": 3, "dropped": {"purged": 1}}},
)
COMMITTED = Manifest(
    version=3,
    fingerprint="",
    files="csv",
    tables=(TableEntry("users", COLUMNS, (FileEntry("users.csv"),)),),
    committed=True,
)


@pytest.mark.parametrize("manifest", [FULL, COMMITTED])
def test_round_trip(manifest: Manifest) -> None:
    """What is written is read, tables by name, and written the same again."""
    text = manifests.dumps(manifest)
    read = manifests.loads(text.encode())
    assert sorted(read.tables, key=str) == sorted(manifest.tables, key=str)
    assert manifests.dumps(read) == text
    assert (read.made, read.sequences, read.answers, read.accounting) == (
        manifest.made,
        manifest.sequences,
        manifest.answers,
        manifest.accounting,
    )


def test_h102_a_changed_word_that_names_no_row() -> None:
    """Who made the extract, and with what, is under a digest as well."""
    text = manifests.dumps(FULL).replace('"tool": "0.1"', '"tool": "0.2"')
    with pytest.raises(ExtractError, match="was changed"):
        manifests.loads(text.encode())


def test_a_committed_manifest_has_a_line_for_every_column() -> None:
    """And no digest, so that two branches which add columns or tables merge."""
    assert manifests.dumps(COMMITTED).splitlines() == [
        "{",
        '  "committed": true,',
        '  "files": "csv",',
        '  "format": 1,',
        '  "tables": [',
        "    {",
        '      "columns": [',
        '        {"name": "id", "type": "integer(64)"},',
        '        {"form": "text", "name": "paid", "type": "decimal(5,2)"}',
        "      ],",
        '      "files": [',
        '        {"name": "users.csv"}',
        "      ],",
        '      "name": "users",',
        '      "ordered": true',
        "    }",
        "  ],",
        '  "version": 3',
        "}",
    ]


def test_a_committed_manifest_that_has_a_digest_is_read() -> None:
    """Of the schema: those that were committed earlier have one; nothing is made of it."""
    plain = json.loads(manifests.dumps(COMMITTED)) | {"fingerprint": "f" * 64}
    assert manifests.loads(json.dumps(plain).encode()) == COMMITTED


def test_an_unfinished_merge_is_said() -> None:
    """Not that it is no JSON, as of any other damage."""
    lines = manifests.dumps(COMMITTED).splitlines(keepends=True)
    lines[8:8] = ["<<<<<<< ours\n", "=======\n", ">>>>>>> theirs\n"]
    with pytest.raises(ExtractError, match="a merge of two branches was not finished"):
        manifests.loads("".join(lines).encode())


def _table(value: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda m: value(m["tables"][0])


CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda m: m.update(format=2), "format is 2, and this version of migrate reads format 1"),
    (lambda m: m.update(format=True), "format is not int: True"),
    (lambda m: m.update(format="1"), "format is not int"),
    (lambda m: m.pop("fingerprint"), "fingerprint is missing"),
    (lambda m: m.update(fingerprint="f" * 63), "fingerprint is 'f"),
    (lambda m: m.update(files="pickle"), "files is none of csv, parquet"),
    (lambda m: m.update(more=1), "more is unknown"),
    (lambda m: m.update(tables={}), "tables is not list"),
    (lambda m: m.update(tables=[1]), r"tables\[0\]. is not an object"),
    (lambda m: m["tables"].append(m["tables"][1]), "tables has a name twice"),
    (lambda m: m.update(sequences={"users": 2**63}), "sequences.users is not an integer"),
    (lambda m: m.update(sequences={"users": True}), "sequences.users is not an integer"),
    (_table(lambda t: t.update(ordered=1)), "ordered is not bool"),
    (_table(lambda t: t["columns"][0].update(type="object")), "type is 'object'"),
    (_table(lambda t: t["columns"][0].update(form="raw")), "form is none of native, text"),
    (_table(lambda t: t["columns"][1].update(name="id")), "columns has a name twice"),
    (_table(lambda t: t["files"][0].update(rows=-1)), "rows is out of range"),
    (_table(lambda t: t["files"][0].update(bytes=1.5)), "bytes is not int"),
    (_table(lambda t: t["files"][0].pop("sha256")), "sha256 is missing"),
    (_table(lambda t: t["files"].append(t["files"][0])), "files has a name twice"),
]


@pytest.mark.parametrize(("change", "says"), CHANGES)
def test_i119_a_tampered_manifest(change: Callable[[dict[str, Any]], object], says: str) -> None:
    """Each field is looked at; the message names it."""
    plain = json.loads(manifests.dumps(FULL))
    change(plain)
    with pytest.raises(ExtractError, match=says):
        manifests.loads(json.dumps(plain).encode())


@pytest.mark.parametrize(
    "name",
    ["../users.parquet", "/etc/passwd", "a/b.parquet", "..", "", ".parquet", "a\\b.parquet",
     "users.csv", "users.parquet\n", "CON.parquet", "con.parquet", "a..parquet", "ü.parquet",
     "users.parquet/", "~.parquet", "-rf.parquet", "x" * 300 + ".parquet", "a\0.parquet"],
)  # fmt: skip
def test_i111_names_that_lead_elsewhere(name: str) -> None:
    """Only what `file_name` gives."""
    plain = json.loads(manifests.dumps(FULL))
    plain["tables"][0]["files"][0]["name"] = name
    with pytest.raises(ExtractError, match=r"files\[0\].name is "):
        manifests.loads(json.dumps(plain).encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"\xff", b'{"format": 1, "format": 1}', b'{"format": NaN}',
     b"[" * 1_000_000, b'{"format": ' + b"9" * 10_000 + b"}", '{"a": 1}'.encode("utf-16")],
)  # fmt: skip
def test_what_is_no_manifest(raw: bytes) -> None:
    """An error of ours, never a traceback."""
    with pytest.raises(ExtractError, match="is not"):
        manifests.loads(raw)


def test_i114_a_manifest_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is looked at before it is parsed."""
    monkeypatch.setattr(manifests, "MAX_BYTES", 100)
    with pytest.raises(ExtractError, match="is longer than 100 bytes"):
        manifests.loads(b" " * 101)


def test_f67_file_names_are_safe_and_distinct() -> None:
    """On file systems without capitals as well, and for Windows."""
    tables = ["A", "a", "x" * 255, "x" * 254, "a/b", "a.b", "..", ".", "", "con", "Con", "com1",
              "🎉", "é", "e\u0301", "a b", "a-b", "user$", "/etc/passwd", "n\nn"]  # fmt: skip
    names = [file_name(table, ".csv") for table in tables]
    assert len({name.lower() for name in names}) == len(tables)
    assert [name for name in names if not is_safe(name) or len(name) > 110] == []


def test_plain_tables_keep_their_names() -> None:
    """What people see in a fixtures folder."""
    names = [file_name(table, ".csv") for table in ("users", "order_items_2", "_x")]
    assert names == ["users.csv", "order_items_2.csv", "_x.csv"]
