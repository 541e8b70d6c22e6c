"""Ranges of keys: of tables that InnoDB keeps by them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.dialects import mysql

from migrators.backends import ranges
from migrators.backends.interface import Cut, ReadColumn, ReadQuery
from migrators.types import describe

if TYPE_CHECKING:
    from tests.backends.mysql.conftest import Server

QUERY = ReadQuery(
    "SELECT id AS c0 FROM t",
    (ReadColumn("c0", describe(mysql.BIGINT(unsigned=True)), "t", "id"),),
    ("c0",),
    ("c0",),
    Cut("", "t", "c0"),
)
FILL = "INSERT INTO t SELECT seq FROM seq_1_to_2000"
BUILT = {
    "InnoDB": ("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB", FILL),
    "beyond a sign": (
        "CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY)",
        "INSERT INTO t SELECT 18446744073709551615 - seq FROM seq_0_to_1999",
    ),
    "MyISAM": ("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM", FILL),
    "another key": (
        "CREATE TABLE t (id INT UNIQUE, k INT AUTO_INCREMENT PRIMARY KEY)",
        FILL.replace("t ", "t (id) ", 1),
    ),
}


@pytest.mark.parametrize("built", BUILT)
@pytest.mark.fault("F73")
def test_every_row_is_in_one_piece(
    server: Server, built: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order; what is kept otherwise is read at once."""
    monkeypatch.setattr(ranges, "ROWS", 150)
    database = server.database("shop_v3", *BUILT[built], "ANALYZE TABLE t")
    with database.snapshot(server.folder) as snapshot:
        pieces = snapshot.pieces(QUERY)
        found = [n for p in pieces for b in snapshot.batches(p) for n in b.column(0).to_pylist()]
    assert found == [n for (n,) in server.run("shop_v3", "SELECT id FROM t ORDER BY id")]
    assert (len(pieces) > 1) == (built in ("InnoDB", "beyond a sign"))


def test_a_table_of_another_database_is_cut_by_what_it_is_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schema of SQLAlchemy's is a database here."""
    monkeypatch.setattr(ranges, "ROWS", 150)
    server.database("elsewhere", *BUILT["InnoDB"], "ANALYZE TABLE t")
    database = server.database("shop_v3", "CREATE TABLE t (id INT)")
    there = f"{server.own}elsewhere"
    query = replace(QUERY, sql=f"SELECT id AS c0 FROM `{there}`.t", cut=Cut(there, "t", "c0"))
    with database.snapshot(server.folder) as snapshot:
        assert len(snapshot.pieces(query)) > 1
        assert len(snapshot.pieces(QUERY)) == 1
