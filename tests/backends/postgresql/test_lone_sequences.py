"""Sequences of no table go on where they stood, as SQL beside the schema or in its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from tests.acceptance.test_moving import there
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.test_moving import Owned
    from tests.served import Served

__all__ = ["there"]  # a fixture

OLD = (
    "CREATE SCHEMA x",
    "CREATE SEQUENCE invoice START 100 INCREMENT 5",
    "CREATE SEQUENCE fresh START 7",
    'CREATE SEQUENCE x."Odd %s" MAXVALUE 3 CYCLE',
    "CREATE TABLE t (id serial PRIMARY KEY)",
    "INSERT INTO t DEFAULT VALUES",
    """SELECT nextval('invoice'), nextval('invoice'), nextval('x."Odd %s"')""",
)
NEXT = """SELECT nextval('invoice'), nextval('fresh'), nextval('x."Odd %s"'), nextval('t_id_seq')"""
TABLE = 'sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))'
INVOICE = 'sa.Sequence("invoice", start=100, increment=5, metadata=metadata)'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    """A project on a server."""
    with served("postgresql", tmp_path / "shop") as made:
        yield made


def test_frozen_they_go_on(shop: Served) -> None:
    """Also after one that has given nothing, and of another schema."""
    shop.old(*OLD)
    shop.frozen()
    shop.ran("1to2")
    assert shop.rows(2, NEXT) == [(110, 7, 2, 2)]


def test_in_the_metadata_they_are_made_and_go_on(shop: Served) -> None:
    """Declared and not there is drift; as it is declared it goes on."""
    shop.schema(f"{TABLE}\n{INVOICE}")
    shop.old(OLD[4])
    done = shop.run("check", "1to2")
    assert (done.code, "sequence invoice is missing" in done.said) == (3, True), done.said
    shop.rows(1, OLD[1], "SELECT nextval('invoice')", "SELECT nextval('invoice')")
    shop.ran("check", "1to2")
    shop.ran("1to2")
    assert shop.rows(2, "SELECT nextval('invoice')") == [(110,)]


@pytest.mark.parametrize("bounds", ["", ", minvalue=200, start=200"])
def test_one_that_has_no_place_is_said_with_where_it_stood(shop: Served, bounds: str) -> None:
    """The new schema has none of the name, or one that does not go so far."""
    shop.schema(f"{TABLE}\n{INVOICE}")
    (shop.root / "schemas" / "v2.py").write_text(
        (shop.root / "schemas" / "v1.py")
        .read_text()
        .replace(INVOICE, bounds and INVOICE.replace(", start=100", bounds))
    )
    shop.old(*OLD[1:2], OLD[4], "SELECT nextval('invoice')")
    assert "starts anew: sequence invoice (at 100)" in shop.ran("1to2").said


def test_where_there_are_none_it_is_said(shop: Served) -> None:
    """Another kind of database, which has no sequences."""
    shop.schema(f"{TABLE}\n{INVOICE}")
    shop.old(*OLD[1:2], OLD[4], "SELECT nextval('invoice')")
    done = shop.ran("copy", "1", "--to", "sqlite:///to.db")
    assert "starts anew: sequence invoice (at 100)" in done.said


def test_on_another_kind_that_has_them_they_go_on(shop: Served, there: Owned) -> None:
    """MariaDB: made of the same metadata."""
    shop.schema(f"{TABLE}\n{INVOICE}")
    shop.old(*OLD[1:2], OLD[4], "SELECT nextval('invoice')")
    to = there.url("mysql", "to_v{version}")
    assert "starts anew" not in shop.ran("copy", "1", "--to", to).said
    given = backend_for(sa.make_url(to.format(version=1)))
    engine = given.engine()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT NEXTVAL(invoice)").scalar() == 105
    engine.dispose()


def test_what_an_application_takes_keys_from_goes_past_them(shop: Served) -> None:
    """`Column(…, sa.Sequence(…))`: nothing in the database says that they belong together."""
    column = 'sa.Column("id", sa.Integer, sa.Sequence("ids"), primary_key=True)'
    shop.schema(f'sa.Table("t", metadata, {column})')
    shop.old("CREATE SEQUENCE ids", "CREATE TABLE t (id int PRIMARY KEY)")
    shop.rows(1, "INSERT INTO t VALUES (7)")
    shop.ran("1to2")
    assert shop.rows(2, "SELECT nextval('ids')") == [(8,)]
