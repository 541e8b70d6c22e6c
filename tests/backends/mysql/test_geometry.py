"""Geometry has no text that is exact: refused by name, and carried as the bytes that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.acceptance.cheeseshop import assert_refused
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.served import Served

OLD = (
    "CREATE TABLE places (id int PRIMARY KEY, spot POINT NOT NULL, area GEOMETRY,"
    " SPATIAL INDEX near (spot))",
    "INSERT INTO places VALUES (1, ST_GeomFromText('POINT(1.1 -2)', 4326), NULL),"
    " (2, POINT(0.1 + 0.2, 1e300), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'))",
)
SCHEMA = """
class Spatial(sa.types.UserDefinedType):
    cache_ok = True

    def __init__(self, name):
        self.name = name

    def get_col_spec(self, **_):
        return self.name

def geometry(name):
    return {}

sa.Table("places", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("spot", geometry("POINT"), nullable=False), sa.Column("area", geometry("GEOMETRY")),
    sa.Index("near", "spot", mysql_prefix="SPATIAL"))
"""
BARE = "Spatial(name)"
BYTES = "sa.LargeBinary().with_variant(Spatial(name), 'mysql', 'mariadb')"
READ = "SELECT id, HEX(spot), ST_SRID(spot), HEX(area) FROM places ORDER BY 1"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    """A project on a server, whose database has geometry."""
    with served("mysql", tmp_path / "shop") as made:
        made.old(*OLD)
        yield made


@pytest.mark.fault("E57")
def test_as_bytes_it_is_exact(shop: Served) -> None:
    """SRID and every bit of the numbers; the spatial index is there again."""
    shop.schema(SCHEMA.format(BYTES))
    shop.ran("check", "1to2")
    shop.ran("1to2")
    assert shop.rows(2, READ) == shop.rows(1, READ)
    kind = (
        "SELECT index_type FROM information_schema.statistics WHERE index_name = 'near' AND "
        "table_schema = DATABASE()"
    )
    assert shop.rows(2, kind) == [("SPATIAL",)]


@pytest.mark.parametrize("command", ["check", "plan"])
def test_as_it_is_it_is_refused_by_name(shop: Served, command: str) -> None:
    """Both the column that is read and the one that is written, with what to write."""
    shop.schema(SCHEMA.format(BARE))
    says = "POINT is read and written as bytes: write sa.LargeBinary().with_variant("
    assert_refused(shop.run(command, "1to2"), 2, [f"v1.py: places.spot: {says}", says, "area"])
    (shop.root / "schemas" / "v2.py").write_text(
        (shop.root / "schemas" / "v1.py").read_text().replace(BARE, BYTES)
    )
    assert_refused(shop.run(command, "1to2"), 2, [f"v1.py: places.spot: {says}"])


def test_freezing_names_the_column_and_what_to_write(shop: Served) -> None:
    """SQLAlchemy does not know the type."""
    url = servers.server_url("mysql").set(database=shop.name(1))
    done = shop.run("freeze", "1", "--from", url.render_as_string(hide_password=False))
    words = ["places.spot", "sa.types.UserDefinedType", "of POINT or other geometry"]
    assert_refused(done, 1, [*words, "sa.LargeBinary().with_variant"])
