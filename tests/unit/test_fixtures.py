"""Committed extracts as people edit them: what is wrong is named by file, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.events import silent
from migrators.extracts.directory import ExtractWriter
from migrators.fixtures import check_extract, findings
from migrators.order import _RUN_BYTES
from migrators.run import Options, check_fixtures, extract_only
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox import Sandbox

SCHEMA = """
t("users", Column("id", Integer, primary_key=True), Column("nickname", String(8)),
  Column("born", Date), Column("email", Text, unique=True))
t("rates", Column("code", Text, primary_key=True), Column("of", Numeric(9, 2), primary_key=True))
t("posts", Column("id", Integer, primary_key=True),
  Column("author", ForeignKey("users.id"), nullable=False), Column("kind", Enum("a", "b")),
  Column("code", Text), Column("of", Numeric(12, 4)),
  ForeignKeyConstraint(["code", "of"], ["rates.code", "rates.of"]))
t("log", Column("at", DateTime), Column("what", Text), Column("n", Numeric(9, 2)))
"""
USERS = 'id,nickname,born,email\n1,"zoe",2001-02-03,"z@x"\n2,"",,\n'
RATES = 'code,of\n"EUR",1.50\n'
POSTS = 'id,author,kind,code,of\n1,1,"a","EUR",1.5000\n2,2,,,\n'
LOG = "at,what,n\n"
FILES = {"users": USERS, "rates": RATES, "posts": POSTS, "log": LOG}


@pytest.fixture
def fixtures(shop: Sandbox) -> Sandbox:
    """A project with a committed extract of version 1 in which all is well."""
    shop.schema(1, SCHEMA)
    schema = load_schema(shop.project, 1)
    writer = ExtractWriter(shop.project.fixtures(1), schema, "csv", 0o644, committed=True)
    for name in schema.tables:
        with writer.table(name, ordered=True):
            pass
    writer.finish()
    for name, text in FILES.items():
        shop.write(f"fixtures/v1/{name}.csv", text)
    return shop


def found(shop: Sandbox) -> list[str]:
    """Return what a check says."""
    (checked,) = check_fixtures(shop.project)
    return [str(finding) for finding in checked.findings]


def test_what_is_well_is_counted(fixtures: Sandbox) -> None:
    """Also a reference between decimals of different scale, and one that is NULL in part."""
    (checked,) = check_fixtures(fixtures.project)
    assert (checked.tables, checked.rows, checked.findings) == (4, 5, ())


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (
            "users",
            "id,nickname,born,email\n1,zoe,2001-02-03,z@x\n2,,,\n3,,,q@x\n",
            [
                "users.csv:3 nickname: every '' became NULL; did a spreadsheet save this?",
                "users.csv:3 email: every '' became NULL; did a spreadsheet save this?",
            ],
        ),
        (
            "users",
            'id,nickname,born,email\n1,"zo, e",2001-02-03,z@x\n2,"z ""A""",,y@x\n3,,,q@x\n',
            ["users.csv:4 nickname: every '' became NULL; did a spreadsheet save this?"],
        ),
        (
            "users",
            USERS + '3,"a\nb",03/02/2001,\n3x,"123456789",,"z@x"\n',
            [
                "users.csv:4 born: '03/02/2001' is not a date, as 2024-02-29",
                "users.csv:6 id: '3x' is not an integer of 64 bits, as 1234",
                "users.csv:6 nickname: is longer than 8 characters",
            ],
        ),
        (
            "users",
            USERS + '3,"a\nb",,"q"\n1,"b",,"z@x"\n',
            ["users.csv:6 id: the same as in line 2", "users.csv:6 email: the same as in line 2"],
        ),
        (
            "posts",
            POSTS + '3,7,"c","EUR",1.6\n4,,"b","EUR",1.5\n',
            [
                "posts.csv:4 kind: is none of a, b",
                "posts.csv:4 author: no row of users.csv has this id",
                "posts.csv:4 code, of: no row of rates.csv has this code, of",
                "posts.csv:5 author: is NULL in a NOT NULL column",
            ],
        ),
        ("posts", POSTS + '3,1,"a"\n', ["posts.csv:4 has 3 fields, not 5"]),
        ("posts", "id,author,kind,code\n", ["posts.csv has no column 'of'"]),
        ("posts", "", ["posts.csv:1 is missing: the file is empty"]),
        (
            "posts",
            f"{POSTS}<<<<<<< ours\n",
            ["posts.csv:4 is a line of git's: a merge of two branches was not finished"],
        ),
        (
            "users",
            USERS + '3,"a\n<<<<<<< ours\nb",,\n=======\nc",,\n>>>>>>> theirs\n',
            ["users.csv:5 is a line of git's: a merge of two branches was not finished"],
        ),
        (
            "log",
            LOG + ',"a\n<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\nd",\n,"<<<<<<< x",1\n',
            ["log.csv:2 what: has a merge of git's in it that was not finished"],
        ),
    ],
)
def test_all_that_is_wrong_is_named(
    fixtures: Sandbox, file: str, text: str, says: Sequence[str]
) -> None:
    """By file, line and column; the rest of the files is looked at all the same."""
    fixtures.write(f"fixtures/v1/{file}.csv", text)
    assert found(fixtures) == says


def test_what_repeats_is_counted(fixtures: Sandbox) -> None:
    """Ten of a kind are told, the others counted: a file of another version says so in a page."""
    rows = "".join(f"{n},9,,,\n" for n in range(3, 40))
    fixtures.write("fixtures/v1/posts.csv", POSTS + rows)
    said = found(fixtures)
    assert len(said) == findings.MOST + 1
    assert said[-1] == "posts.csv author: 27 more: no row of users.csv has this id"


def test_keys_that_do_not_fit_into_memory_are_compared(
    fixtures: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sorted on disk: a key that is there twice, a day's work apart, and a lost parent."""
    monkeypatch.setattr("migrators.order._RUN_BYTES", _RUN_BYTES >> 10)
    monkeypatch.setattr("migrators.extracts.framing.BLOCK_BYTES", 1 << 14)
    many = "".join(f'{n},"{n % 7}",,\n' for n in range(3, 9_000))
    fixtures.write("fixtures/v1/users.csv", f'{USERS}{many}5,"again",,\n')
    posts = "".join(f"{n},{n % 9_001},,,\n" for n in range(3, 18_003))
    fixtures.write("fixtures/v1/posts.csv", POSTS + posts)
    lost = [9_001, 9_002, 18_002, 18_003]
    assert found(fixtures) == [
        "users.csv:9001 id: the same as in line 6",
        *(f"posts.csv:{line} author: no row of users.csv has this id" for line in lost),
    ]


def test_an_extract_in_parquet_is_checked_by_rows(fixtures: Sandbox) -> None:
    """It has no lines; a byte that changed is said first."""
    fixtures.create("INSERT INTO users VALUES (1, 'a', NULL, NULL)")
    fixtures.sql("PRAGMA foreign_keys = 0", "INSERT INTO posts VALUES (4, 1, 'a', NULL, NULL)")
    fixtures.sql("INSERT INTO posts VALUES (5, 9, 'a', NULL, NULL)")
    to = fixtures.root / "extract"
    extract_only(fixtures.project, [(1, 1)], to, Options(), emit=silent)
    checked = check_extract(to, load_schema(fixtures.project, 1), {})
    assert [str(f) for f in checked.findings] == [
        "posts.parquet row 2 author: no row of users.parquet has this id"
    ]
    file = to / "users.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (finding,) = check_extract(to, load_schema(fixtures.project, 1), {}).findings
    assert "users.parquet was changed" in str(finding)


def test_an_extract_below_fixtures_is_written_to_be_committed(shop: Sandbox) -> None:
    """No digests; the same rows are the same bytes, whatever order the database has them in."""
    shop.schema(1, SCHEMA)
    rows = [f"('2024-01-01 00:00:0{n % 3}.000000', {n % 2 or 'NULL'}, {n}.5)" for n in range(9)]
    shop.create(f"INSERT INTO log VALUES {', '.join(rows)}")
    once, again = shop.root / "fixtures" / "v1", shop.root / "fixtures" / "again"
    extract_only(shop.project, [(1, 1)], once, Options(files="csv"), emit=silent)
    shop.sql("DELETE FROM log", f"INSERT INTO log VALUES {', '.join(reversed(rows))}")
    extract_only(shop.project, [(1, 1)], again, Options(files="csv"), emit=silent)
    assert {p.name: p.read_bytes() for p in once.iterdir()} == {
        p.name: p.read_bytes() for p in again.iterdir()
    }
    manifest = (once / "manifest.json").read_text()
    assert '"committed": true' in manifest
    assert "sha256" not in manifest
    assert (once / "log.csv").read_text().splitlines()[1].startswith("2024-01-01 00:00:00.000000,")
