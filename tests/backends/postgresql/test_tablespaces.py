"""Tablespaces: the new database, its tables and its indexes lie where those of the old one do."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.served import Served

PLACED = """
SELECT relname FROM pg_class AS c JOIN pg_tablespace AS s ON s.oid = c.reltablespace
WHERE spcname = '{}' AND relkind IN ('r', 'i') AND relname !~ 'toast' ORDER BY 1
"""
DATABASES = """
SELECT datname FROM pg_database AS d JOIN pg_tablespace AS s ON s.oid = d.dattablespace
WHERE spcname = '{}' ORDER BY 1
"""


@pytest.fixture
def spaces() -> Iterator[tuple[str, str]]:
    """Two tablespaces, inside the server's own folder; gone with what lies in them."""
    names = f"t{secrets.token_hex(4)}_a", f"t{secrets.token_hex(4)}_b"
    with servers.maintenance("postgresql") as connection:
        connection.exec_driver_sql("SET allow_in_place_tablespaces = on")
        for name in names:
            connection.exec_driver_sql(f"CREATE TABLESPACE {name} LOCATION ''")
    yield names
    with servers.maintenance("postgresql") as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP TABLESPACE {name}")


@pytest.fixture
def shop(spaces: tuple[str, str], tmp_path: Path) -> Iterator[Served]:
    """A project whose databases are dropped before their tablespaces are."""
    with served("postgresql", tmp_path / "shop") as made:
        yield made


def test_all_lies_where_it_lay(shop: Served, spaces: tuple[str, str]) -> None:
    """Frozen, checked and run: database, table, and the index of its key."""
    whole, part = spaces
    with servers.maintenance("postgresql") as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{shop.name(1)}" TABLESPACE {whole}')
    shop.rows(
        1,
        f"CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE {part}) TABLESPACE {part}",
        "CREATE TABLE u (id int PRIMARY KEY)",
    )
    shop.frozen()
    shop.ran("1to2")
    assert shop.rows(2, PLACED.format(part)) == [("t",), ("t_pkey",)]
    assert shop.rows(2, DATABASES.format(whole)) == [(shop.name(1),), (shop.name(2),)]
