"""What stands for everything in a database: the same while nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.backends.mysql.conftest import Server

NAMES = ("same", "Same", "sAme", "saMe", "samE", "SAME")


@pytest.mark.fault("F65")
def test_names_that_differ_in_case_alone_have_one_order(server: Server) -> None:
    """A server whose names are folded by its collation tells of them in any order."""
    for number, names in ((1, NAMES), (2, reversed(NAMES))):
        server.database(f"shop_v{number}")
        for name in names:
            server.run(f"shop_v{number}", f"CREATE TABLE `{name}` (id INT)")
            server.run(f"shop_v{number}", f"INSERT INTO `{name}` VALUES ({NAMES.index(name)})")
            server.run(
                f"shop_v{number}", f"CREATE VIEW `v{name}` AS SELECT {NAMES.index(name)} AS n"
            )
    first, second = (server.backend(f"shop_v{number}") for number in (1, 2))
    assert len({database.digest() for database in (first, second) * 3}) == 1
