"""Where the rows of partitioned tables lie: read and loaded through the table, counted apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, sql

if TYPE_CHECKING:
    import sqlalchemy as sa

_PARTITIONS = f"""
SELECT table_name, partition_name FROM information_schema.partitions
WHERE table_schema = DATABASE() AND partition_name IS NOT NULL
  AND coalesce(subpartition_ordinal_position, 1) = 1
ORDER BY {sql.BY_NAME}, partition_ordinal_position
"""


def counted(url: sa.URL) -> dict[str, dict[str, int]]:
    """Return rows by table and partition."""
    found: dict[str, dict[str, int]] = {}
    with connect.opened(url, "counting partitions") as connection:
        for table, partition in connect.rows(connection, _PARTITIONS):
            place = f"{sql.name(table)} PARTITION ({sql.name(partition)})"
            ((rows,),) = connect.rows(connection, f"SELECT count(*) FROM {place}")
            found.setdefault(str(table), {})[str(partition)] = int(rows)
    return found
