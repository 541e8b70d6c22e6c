"""`migrate sample` as it is typed, on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.acceptance.cheeseshop import cheeseshop, tables
from tests.acceptance.engines import ENGINES, shops
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop
    from tests.served import Served

ASKED = ("--rows", "3", "--seed", "7", "--children", "1", "--max-rows", "project_keywords=2")


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cheeseshop]:
    """The reference application with its version 3 on an engine."""
    with shops(request.param, tmp_path / "cheeseshop") as made:
        made.ran("load", str(made.fixtures(3)))
        yield made


def test_the_same_sample_of_each_kind_of_database(shop: Cheeseshop, tmp_path: Path) -> None:
    """Byte for byte what a sample of the fixtures themselves is; and every row is one of theirs."""
    done = shop.ran("sample", "3", "--to", str(shop.root / "fixtures" / "few"), *ASKED)
    assert "referred to" in done.out
    plain = cheeseshop(tmp_path / "plain")
    to = plain.root / "fixtures" / "few"
    plain.ran("sample", str(plain.fixtures(3)), "--to", str(to), *ASKED)
    few, whole = tables(shop.root / "fixtures" / "few"), tables(shop.fixtures(3))
    assert few == tables(to)
    assert few.keys() == whole.keys()
    assert all(rows in whole[name] for name, text in few.items() for rows in text.splitlines())
    assert sum(map(len, few.values())) < sum(map(len, whole.values())) / 2
    shop.ran("fixtures", "check", str(shop.root / "fixtures" / "few"))


def test_a_sample_is_loaded_and_migrated(two: Cheeseshop) -> None:
    """In the place of the fixtures, whence the step carries it to the next version."""
    two.refused("sample", "2", code=1, words=["nothing was overwritten", "--replace"])
    two.ran("sample", "2", "--rows", "2", "--replace")
    two.ran("fixtures", "2to3")
    two.ran("load", str(two.fixtures(3)))


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Served]:
    """A PostgreSQL with what no file holds: infinity, arrays, enums, inheritance of names."""
    with served("postgresql", tmp_path) as made:
        made.old(
            "CREATE TYPE kind AS ENUM ('a', 'b')",
            'CREATE TABLE "Odd Ones" (id uuid PRIMARY KEY, day date, tags text[], kind kind)',
            'CREATE TABLE child (day date, of uuid REFERENCES "Odd Ones" (id), kind kind, '
            "PRIMARY KEY (of, kind))",
            'INSERT INTO "Odd Ones" SELECT gen_random_uuid(), '
            "CASE n % 2 WHEN 0 THEN 'infinity' ELSE '2024-02-29' END::date, ARRAY['x', 'y'], 'a' "
            "FROM generate_series(1, 40) AS n",
            "INSERT INTO child SELECT day, id, 'b' FROM \"Odd Ones\"",
        )
        made.frozen()
        yield made


def test_what_no_file_holds_is_proven_on_the_server(odd: Served) -> None:
    """Held as text, asked for by UUID and enum; the database of the proof is gone afterwards."""
    odd.ran("sample", "1", "--rows", "20", "--table", "child")
    files = tables(odd.root / "fixtures" / "v1")
    assert len(files["child"].splitlines()) == 21
    assert b"infinity" in files["child"]
    assert [n for n in servers.names("postgresql") if n.startswith(odd.own)] == [odd.name(1)]
    odd.ran("fixtures", "check")


def test_what_is_typed_wrong_is_said(two: Cheeseshop) -> None:
    """With an example; exit 2, and nothing is read."""
    for typed, words in (
        (("--where", "id = 3 "), ["no table `id`"]),
        (("--where", "users"), ["names no table"]),
        (("--max-rows", "users=many"), ["--max-rows users=500"]),
        (("--table", "usres"), ["did you mean `users`"]),
    ):
        two.refused("sample", "2", "--replace", *typed, code=2, words=words)
    done = two.run("sample", "2", "--replace", "--where", "users=no_such_column = 1")
    assert (done.code, "no_such_column" in done.said, done.clear) == (1, True, True)
    assert "the condition is SQL of this database; users has id, username," in done.said
