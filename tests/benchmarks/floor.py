"""The floor (c): ATTACH and INSERT … SELECT of the same reshaping query, inside SQLite.

python -m tests.benchmarks.floor OLD.db NEW.db SCHEMA.py
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing

from tests.benchmarks.by_hand import COPIES, KEYS, PROJECTS, RENAMED, USERS
from tests.benchmarks.schema import create, indexes, shape_of


def uuid_sql(column: str, tag: str) -> str:
    """SQL that derives a UUID from a key that is not negative and below 2**32."""
    h = f"printf('80000000%08x', {column})"
    made = f"substr({h}, 1, 12) || '8' || substr({h}, 13, 3) || 'a' || substr({h}, 16) || '{tag}'"
    return f"CASE WHEN {column} IS NOT NULL THEN {made} END"


def _expression(table: str, column: str) -> str:
    name = f'"{RENAMED.get((table, column), column)}"'
    if column == "tier":
        return "'basic'"
    if column == "country_id":
        return f"(SELECT id FROM countries WHERE name = {name})"
    tag = KEYS.get((table, column))
    return uuid_sql(name, tag) if tag else name


WORDS = """
    SELECT packages.id AS id, trim(each.value) AS word
    FROM old.packages, json_each('["' || replace(lower(keywords), ',', '","') || '"]') AS each
    WHERE keywords IS NOT NULL AND trim(each.value) <> ''
"""


def statement(table: str, columns: list[str]) -> str:
    """Return the INSERT … SELECT of one table."""
    own = {
        "countries": "SELECT row_number() OVER (ORDER BY n), n FROM (SELECT country AS n FROM "
        "old.customers UNION SELECT country_name FROM old.suppliers) WHERE n IS NOT NULL",
        "keywords": f"SELECT row_number() OVER (ORDER BY word), word FROM "
        f"(SELECT DISTINCT word FROM ({WORDS}))",
        "project_keywords": f"SELECT DISTINCT {uuid_sql('w.id', PROJECTS)}, k.id FROM ({WORDS}) "
        "AS w JOIN keywords AS k ON k.name = w.word ORDER BY 1, 2",
        "roles": f"SELECT id, {uuid_sql('id', PROJECTS)}, {uuid_sql('owner_id', USERS)}, 'owner' "
        "FROM old.packages WHERE owner_id IS NOT NULL",
    }
    if table in own:
        return f"INSERT INTO main.{table} {own[table]}"
    source, where = COPIES.get(table, (table, ""))
    chosen = ", ".join(_expression(table, c) for c in columns)
    return f'INSERT INTO main."{table}" SELECT {chosen} FROM old."{source}" {where} ORDER BY rowid'


def main(old: str, new: str, schema: str) -> None:
    """Run and print seconds."""
    with closing(sqlite3.connect(new)) as connection:
        began = time.monotonic()
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        create(connection, schema)
        connection.commit()
        connection.execute("ATTACH ? AS old", (old,))
        for table, columns in shape_of(schema).items():
            connection.execute(statement(table, columns))
        connection.commit()
        indexes(connection, schema)
        print(time.monotonic() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
