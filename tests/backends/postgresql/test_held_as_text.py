"""From one database to another with values that Arrow's types do not hold, through files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from tests.backends.postgresql.conftest import Server
    from tests.sandbox import Sandbox

SCHEMA = """
from sqlalchemy.dialects import postgresql
t("odd", Column("id", Integer, primary_key=True), Column("n", Numeric(9, 2)),
  Column("free", Numeric()), Column("d", Date), Column("t", Time), Column("ts", DateTime),
  Column("tz", DateTime(timezone=True)), Column("i", sa.Interval()))
t("calm", Column("d", Date, primary_key=True), Column("i", sa.Interval()))
"""
ROWS = (
    "INSERT INTO odd VALUES (1, 'NaN', 'NaN', 'infinity', '24:00', '-infinity', 'infinity',"
    " '1 mon -1 days 00:00:01.5')",
    "INSERT INTO odd VALUES (2, 1.5, 1.500, '2024-02-29', '01:02:03', '2024-02-29 01:02:03',"
    " '2024-02-29 01:02:03+02', '1 day 01:00:00')",
    "INSERT INTO odd (id) VALUES (3)",
    "INSERT INTO odd VALUES (4, -0.01, -1e-30, '0044-03-15 BC', '23:59:59.999999',"
    " '294276-12-31 23:59:59.999999', '0044-03-15 00:00+00 BC', '36:00:00')",
    "INSERT INTO calm VALUES ('2024-02-29', '-1 days 23:59:59')",
)
TEXT = (
    "SELECT id, n::text, free::text, d::text, t::text, ts::text, tz::text, i::text"
    " FROM odd ORDER BY id"
)
CREATE = (
    "CREATE TABLE odd (id serial PRIMARY KEY, n numeric(9,2), free numeric, d date, t time,"
    " ts timestamp, tz timestamptz, i interval)",
    "CREATE TABLE calm (d date PRIMARY KEY, i interval)",
)


def project(shop: Sandbox, server: Server) -> None:
    """Point a project at the server, and fill its schema 1."""
    url = server.backend("shop_vN").url.render_as_string(hide_password=False)
    shop.write(
        "pyproject.toml",
        f'[tool.migrators]\nname = "{server.backend("shop").database}"\n'
        f'url = "{url.replace("shop_vN", "shop_v{version}")}"\n',
    )
    shop.schema(1, SCHEMA)
    server.database("shop_v1", *CREATE, *ROWS)


@pytest.mark.parametrize("files", ["csv", "parquet"])
def test_c35_c36_c41_c42_b21_they_arrive_as_they_were(
    shop: Sandbox, server: Server, files: str
) -> None:
    """Infinity, BC, 24:00, months, NaN: as the server writes them, before and after."""
    project(shop, server)
    shop.schema(2, SCHEMA)
    shop.step("")
    assert shop.migrate(files=files).outcome == "published"
    assert server.run("shop_v2", TEXT) == server.run("shop_v1", TEXT)
    calm = "SELECT d::text, i::text FROM calm"
    assert server.run("shop_v2", calm) == server.run("shop_v1", calm)


def test_c42_a_rule_cannot_read_them(shop: Sandbox, server: Server) -> None:
    """What is computed from such a value is refused by name, and nothing is published."""
    project(shop, server)
    shop.schema(2, SCHEMA.replace('Column("d", Date), Column("t"', 'Column("d", Text), Column("t"'))
    shop.step("step.table(new.odd).values(d=rules.text(old.odd.c.d))")
    with pytest.raises(ValueRefused, match=r"odd\.d: 2 rows at id 1, id 4"):
        shop.migrate()
    assert not server.backend("shop_v2").exists()
