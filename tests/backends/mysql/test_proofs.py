"""What stands for everything in a database: the same while nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.backends.model import CATALOGUE

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


@pytest.mark.fault("F65")
def test_a_table_may_be_called_as_the_catalogue_is(server: Server) -> None:
    """Its rows count as those of any other."""
    made = server.database("shop_v1", f"CREATE TABLE `{CATALOGUE}` (id INT)")
    before = made.contents()
    server.run("shop_v1", f"INSERT INTO `{CATALOGUE}` VALUES (1)")
    assert made.contents().differs(before) == [f"`{CATALOGUE}`"]


@pytest.mark.fault("F65")
def test_what_is_said_of_a_table_is_not_said_of_its_namesake(server: Server) -> None:
    """Columns, partitions and collations are those of the table whose case it is."""
    one = server.database(
        "shop_v1",
        "CREATE TABLE same (id INT, x VARCHAR(5)) COLLATE utf8mb4_bin "
        "PARTITION BY HASH (id) PARTITIONS 2",
        "CREATE TABLE Same (id INT, y VARCHAR(5)) COLLATE latin1_swedish_ci "
        "PARTITION BY HASH (id) PARTITIONS 3",
        "INSERT INTO Same VALUES (1, 'a')",
    )
    columns = {name: said for (kind, name), said in one.catalog().objects.items() if "." in name}
    assert columns == {
        "same.id": "int(11)", "same.x": "varchar(5)",
        "Same.id": "int(11)", "Same.y": "varchar(5)",
    }  # fmt: skip
    assert one.partitions() == {
        "same": {"p0": 0, "p1": 0}, "Same": {"p0": 0, "p1": 1, "p2": 0}
    }  # fmt: skip
