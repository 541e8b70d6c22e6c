"""Ranges of keys and of places: where they are exact, and where one read is faster."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends import ranges
from migrators.backends.interface import Cut, ReadColumn, ReadQuery
from migrators.stream import ahead
from migrators.types import describe

if TYPE_CHECKING:
    from tests.backends.postgresql.conftest import Server

MANY = "SELECT i, repeat('x', 300) FROM generate_series(1, 2000) AS i"
BUILT = {
    "in order": ("CREATE TABLE t (id int PRIMARY KEY, v text)", f"INSERT INTO t {MANY}"),
    "never analysed": (
        "CREATE TABLE t (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off)",
        f"INSERT INTO t {MANY}",
    ),
    "moved about": (
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        f"INSERT INTO t {MANY} ORDER BY hashint4(i)",
    ),
    "with holes": (
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        f"INSERT INTO t {MANY}",
        "DELETE FROM t WHERE id BETWEEN 300 AND 1200",
        "UPDATE t SET v = v || 'y' WHERE id % 3 = 0",
    ),
    "partitioned": (
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (700)",
        "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (700) TO (MAXVALUE)",
        f"INSERT INTO t {MANY}",
    ),
    "with children": (
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE u () INHERITS (t)",
        f"INSERT INTO t {MANY}",
        "INSERT INTO u VALUES (5000, 'u')",
    ),
}
COLUMNS = (ReadColumn("c0", describe(sa.Integer()), "t", "id"),)


def query(*order: str) -> ReadQuery:
    """Return the table's keys."""
    cut = Cut("", "t", "c0", "SELECT id AS c0, ctid AS place FROM t")
    return ReadQuery("SELECT id AS c0 FROM t", COLUMNS, order, ("c0",), cut)


@pytest.mark.parametrize("order", ["c0", ""])
@pytest.mark.parametrize("built", BUILT)
@pytest.mark.fault("F73")
def test_every_row_is_in_one_piece(
    server: Server, built: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it lies; only what lies along its key, or is one table, is cut."""
    monkeypatch.setattr(ranges, "ROWS", 150)
    analyse = () if built == "never analysed" else ("ANALYZE",)
    database = server.database("shop_v3", *BUILT[built], *analyse)
    asked = query(*filter(None, [order]))
    with database.snapshot(server.folder) as snapshot:
        pieces = snapshot.pieces(asked)
        found = [n for p in pieces for b in snapshot.batches(p) for n in b.column(0).to_pylist()]
    there = Counter(n for (n,) in server.run("shop_v3", "SELECT id FROM t"))
    assert Counter(found) == there
    assert not order or found == sorted(found)
    whole = ("moved about",) if order else ("partitioned", "with children")
    assert (len(pieces) == 1) == (built in whole)


def test_a_piece_reads_its_own_pages_only(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither kind of range looks at the rows of the others."""
    monkeypatch.setattr(ranges, "ROWS", 150)
    database = server.database("shop_v3", *BUILT["in order"], "VACUUM ANALYZE")
    with database.snapshot(server.folder) as snapshot:
        for asked, way in ((query("c0"), "Index"), (query(), "Tid Range Scan")):
            for piece in snapshot.pieces(asked):
                plan = "\n".join(str(line) for (line,) in snapshot.rows(f"EXPLAIN {piece.sql}"))
                assert way in plan


def test_a_reader_goes_on_by_the_quick_road_after_a_piece_that_nobody_wanted(
    server: Server,
) -> None:
    """What was cancelled would otherwise leave its transaction useless."""
    slow = ReadQuery("SELECT 1 AS c0 FROM pg_sleep(60)", COLUMNS)
    snapshot: Any
    with server.database("shop_v3").snapshot(server.folder) as snapshot:
        with ahead(snapshot.batches(slow)):
            while not server.admin("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
                pass
        with snapshot._adbc.batches("SELECT 1") as rows:
            assert rows.read_all().num_rows == 1
