"""Partitioned tables: read and loaded through the table, and counted per partition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.served import Served

OLD = {
    "postgresql": (
        "CREATE TABLE events (id int NOT NULL, year int NOT NULL, PRIMARY KEY (id, year))"
        " PARTITION BY RANGE (year)",
        "CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (2020)",
        "CREATE TABLE rest PARTITION OF events DEFAULT PARTITION BY LIST (id)",
        "CREATE TABLE rest_all PARTITION OF rest DEFAULT",
    ),
    "mysql": (
        "CREATE TABLE events (id int NOT NULL, year int NOT NULL, PRIMARY KEY (id, year))"
        " PARTITION BY RANGE (year) (PARTITION early VALUES LESS THAN (2020),"
        " PARTITION rest_all VALUES LESS THAN MAXVALUE)",
    ),
}
ROWS = "INSERT INTO events VALUES (1, 2001), (2, 2019), (3, 2020), (4, 2021), (5, 2021)"
NEW = {
    "postgresql": "CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (2020);\n"
    "CREATE TABLE y2020 PARTITION OF events FOR VALUES FROM (2020) TO (2021);\n"
    "CREATE TABLE later PARTITION OF events DEFAULT;\n",
    "mysql": "ALTER TABLE events PARTITION BY RANGE (year)"
    " (PARTITION early VALUES LESS THAN (2020), PARTITION y2020 VALUES LESS THAN (2021),"
    " PARTITION later VALUES LESS THAN MAXVALUE);\n",
}
EXPECTED = [("early", 2, 2), ("rest_all", 3, None), ("y2020", None, 1), ("later", None, 2)]


@pytest.fixture(params=OLD)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A project whose new schema has other partitions."""
    with served(str(request.param), tmp_path / "shop") as made:
        made.old(*OLD[made.kind], ROWS)
        made.frozen()
        (between,) = (made.root / "schemas").glob("v2.between.*")
        between.write_text(NEW[made.kind])
        yield made


@pytest.mark.fault("E64")
def test_rows_are_counted_per_partition_old_and_new(shop: Served) -> None:
    """On the page, in both receipts, and by load and verify of what was extracted."""
    done = shop.ran("1to2")
    lines = [line.split() for line in done.out.splitlines() if line.startswith("  events: ")]
    shown = {n: (a, b) for _, n, a, b in lines}
    expected = {n: tuple("-" if x is None else str(x) for x in ab) for n, *ab in EXPECTED}
    assert shown == expected
    (receipt,) = (shop.root / ".migrate" / "runs").glob("*/receipt.json")
    kept = json.loads(receipt.read_text())["partitions"]
    assert sorted((p["partition"], p["old"], p["new"]) for p in kept) == sorted(EXPECTED, key=str)
    assert "rows per partition" in receipt.with_suffix(".txt").read_text()
    extract = shop.root / "extract"
    shop.ran("extract", "2", "--to", str(extract))
    verified = json.loads(shop.ran("verify", str(extract), "--json").out)["partitions"]
    counts = {p["partition"]: p["new"] for p in verified}
    assert counts == {"early": 2, "y2020": 1, "later": 2}
    loaded = json.loads(shop.ran("load", str(extract), "--replace", "--yes", "--json").out)
    assert loaded["partitions"] == verified
