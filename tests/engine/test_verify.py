"""Verification names the rows that differ, by their key, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import VerifyMismatch
from migrators.events import silent
from migrators.run import verify_only

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

TABLE = 't("t", Column("id", Integer, primary_key=True), Column("name", Text))'
COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"


def found(shop: Sandbox, rows: int, *tampering: str) -> list[str]:
    """Migrate, tamper with the published database, and return what verification says."""
    shop.schema(1, TABLE)
    shop.schema(2, TABLE)
    shop.step("")
    shop.create(f"{COUNT.format(rows)} INSERT INTO t SELECT 2 * i, 'name ' || i FROM n")
    shop.migrate()
    shop.sql(*tampering, version=2)
    (extract,) = shop.root.glob(".migrate/runs/*/extract-1to2")
    with pytest.raises(VerifyMismatch) as caught:
        verify_only(shop.project, extract, emit=silent)
    first, *lines = caught.value.message.splitlines()
    assert first.endswith("differs from the extract:")
    return [line.strip() for line in lines]


def test_a_row_that_is_gone_names_itself_only(shop: Sandbox) -> None:
    """The rows after it have moved up by one, and are what they were."""
    assert found(shop, 3_000, "DELETE FROM t WHERE id = 2000") == [
        "t id 2000: is in the extract, not in the database"
    ]


@pytest.mark.parametrize("rows", [5, 2_000, 70_000, 200_000])
@pytest.mark.fault("H110")
def test_every_kind_of_difference_is_named_wherever_it_is(shop: Sandbox, rows: int) -> None:
    """First, last and in the middle: gone, too many, and changed."""
    middle = rows // 2 * 2
    assert found(
        shop,
        rows,
        "DELETE FROM t WHERE id = 2",
        f"UPDATE t SET name = 'x' WHERE id = {middle}",
        f"INSERT INTO t VALUES ({middle + 1}, 'more'), ({2 * rows + 1}, NULL)",
    ) == [
        "t id 2: is in the extract, not in the database",
        f"t id {middle}: name",
        f"t id {middle + 1}: is in the database, not in the extract",
        f"t id {2 * rows + 1}: is in the database, not in the extract",
    ]


@pytest.mark.parametrize("rows", [1, 10, 3_000])
def test_an_empty_table_lacks_all(shop: Sandbox, rows: int) -> None:
    """Twenty are named at most, and that there may be more is said."""
    lines = found(shop, rows, "DELETE FROM t")
    assert lines[0] == "t id 2: is in the extract, not in the database"
    assert len([x for x in lines if "id" in x]) == min(20, rows)


def test_many_rows_at_once_are_told_from_those_that_stayed(shop: Sandbox) -> None:
    """A gap that is larger than what is read side by side at first."""
    lines = found(
        shop, 20_000, "DELETE FROM t WHERE id > 8 AND id < 30000", "DELETE FROM t WHERE id = 4"
    )
    assert lines[:3] == [
        "t id 4: is in the extract, not in the database",
        "t id 10: is in the extract, not in the database",
        "t id 12: is in the extract, not in the database",
    ]


def test_where_nothing_is_in_both_no_row_is_named_wrongly(shop: Sandbox) -> None:
    """All numbers are others: said once."""
    lines = found(shop, 300_000, "UPDATE t SET id = -id - 1")
    assert lines == ["t id 2: nothing after it is in both"]
