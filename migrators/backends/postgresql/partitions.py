"""Where the rows of partitioned tables lie: read and loaded through the table, counted apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.postgresql import connect

if TYPE_CHECKING:
    import sqlalchemy as sa

_NAME = "CASE n{0}.nspname WHEN 'public' THEN '' ELSE n{0}.nspname || '.' END || c{0}.relname"
_LEAVES = f"""
SELECT {_NAME.format("")}, format('%I.%I', n.nspname, c.relname), {_NAME.format(2)}, t.relid::oid
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_partition_tree(c.oid) AS t
JOIN pg_class AS c2 ON c2.oid = t.relid JOIN pg_namespace AS n2 ON n2.oid = c2.relnamespace
WHERE c.relkind = 'p' AND NOT c.relispartition AND t.isleaf AND c2.relkind <> 'p'
ORDER BY 1, 3
"""


def counted(url: sa.URL) -> dict[str, dict[str, int]]:
    """Return rows by table and partition, those of partitions of partitions too."""
    found: dict[str, dict[str, int]] = {}
    with connect.opened(url, "counting partitions") as connection:
        tables: dict[tuple[str, str], dict[int, str]] = {}
        for table, quoted, partition, oid in connection.execute(_LEAVES).fetchall():
            tables.setdefault((table, quoted), {})[oid] = partition
        for (table, quoted), names in tables.items():
            rows = connection.execute(f"SELECT tableoid, count(*) FROM {quoted} GROUP BY 1")
            held = dict(rows.fetchall())
            found[table] = {name: held.get(oid, 0) for oid, name in names.items()}
    return found
