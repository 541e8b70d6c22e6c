"""Peer (a): the script that a person would write for 2to3: the csv module and executemany.

It reads the old database into one CSV file per new table, then loads those files. It does
what the step does, and checks nothing.

    python -m tests.benchmarks.by_hand OLD.db NEW.db SCHEMA.py FOLDER
"""

from __future__ import annotations

import csv
import hashlib
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Row = tuple[Any, ...]


def derived(key: int | None, tag: str) -> str | None:
    """Return the UUID that the step derives from an integer key."""
    if key is None:
        return None
    offset = f"{key + 2**63:016x}"
    return f"{offset[:12]}8{offset[12:15]}a{offset[15]}{tag}"


def tag_of(table: str) -> str:
    """Return the last 14 hex digits of a table's derived UUIDs."""
    return hashlib.sha256(table.encode()).hexdigest()[:14]


USERS, PROJECTS = tag_of("users"), tag_of("projects")


def words(text: str | None) -> list[str]:
    """Split keywords as the step does."""
    found = [word.strip() for word in (text or "").lower().split(",")]
    return list(dict.fromkeys(word for word in found if word))


class Reshape:
    """Yields the new rows of each table whose shape changes."""

    def __init__(self, old: sqlite3.Connection) -> None:
        self.old = old
        texts = old.execute("SELECT DISTINCT keywords FROM packages").fetchall()
        names = sorted({w for (text,) in texts for w in words(text)})
        self.keywords = {name: i for i, name in enumerate(names, 1)}
        countries = old.execute(
            "SELECT country FROM customers WHERE country IS NOT NULL UNION "
            "SELECT country_name FROM suppliers WHERE country_name IS NOT NULL"
        ).fetchall()
        self.countries = {name: i for i, name in enumerate(sorted(c for (c,) in countries), 1)}

    def tables(self) -> dict[str, Callable[[], Iterable[Row]]]:
        """Return what fills each table that is not copied column by column."""
        return {
            "keywords": lambda: [(i, n) for n, i in self.keywords.items()],
            "countries": lambda: [(i, n) for n, i in self.countries.items()],
            "project_keywords": self.project_keywords,
            "roles": self.roles,
        }

    def project_keywords(self) -> Iterator[Row]:
        """Yield one row a keyword of a package."""
        for key, text in self.old.execute("SELECT id, keywords FROM packages ORDER BY id"):
            project = derived(key, PROJECTS)
            for word in words(text):
                yield project, self.keywords[word]

    def roles(self) -> Iterator[Row]:
        """Yield the owner of each package."""
        sql = "SELECT id, owner_id FROM packages WHERE owner_id IS NOT NULL ORDER BY id"
        for key, owner in self.old.execute(sql):
            yield key, derived(key, PROJECTS), derived(owner, USERS), "owner"


COPIES: dict[str, tuple[str, str]] = {
    "users": ("users", ""),
    "projects": ("packages", ""),
    "projects_version": ("packages_version", ""),
    "releases": ("releases", ""),
    "files": ("releases", "WHERE filename IS NOT NULL"),
}
RENAMED = {
    ("releases", "project_id"): "package_id",
    ("files", "release_id"): "id",
    ("customers", "country_id"): "country",
    ("suppliers", "country_id"): "country_name",
}
KEYS = {
    ("users", "id"): USERS,
    ("projects", "id"): PROJECTS,
    ("projects", "owner_id"): USERS,
    ("projects_version", "id"): PROJECTS,
    ("projects_version", "owner_id"): USERS,
    ("releases", "project_id"): PROJECTS,
    ("transaction", "user_id"): USERS,
    ("api_tokens", "user_id"): USERS,
}


def copied(
    old: sqlite3.Connection, reshape: Reshape, table: str, columns: list[str]
) -> Iterator[Row]:
    """Yield the rows of a table that keeps its grain."""
    source, where = COPIES.get(table, (table, ""))
    names = ", ".join(
        "'basic'" if c == "tier" else f'"{RENAMED.get((table, c), c)}"' for c in columns
    )
    tags = [KEYS.get((table, c)) for c in columns]
    lookups = [c == "country_id" for c in columns]
    for row in old.execute(f'SELECT {names} FROM "{source}" {where} ORDER BY rowid'):
        yield tuple(
            derived(v, tag) if tag else reshape.countries.get(v) if look else v
            for v, tag, look in zip(row, tags, lookups, strict=True)
        )


def extract(old: sqlite3.Connection, shape: dict[str, list[str]], folder: Path) -> None:
    """Write a CSV file for each new table; NULL is an empty field, blobs are hex."""
    reshape = Reshape(old)
    own = reshape.tables()
    for table, columns in shape.items():
        rows = own[table]() if table in own else copied(old, reshape, table, columns)
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([v.hex() if isinstance(v, bytes) else v for v in row] for row in rows)


def load(new: sqlite3.Connection, shape: dict[str, list[str]], folder: Path) -> None:
    """Load the CSV files."""
    for table, columns in shape.items():
        marks = ", ".join("?" * len(columns))
        with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            next(reader)
            new.executemany(
                f'INSERT INTO "{table}" VALUES ({marks})',
                ([v or None for v in row] for row in reader),
            )
    new.commit()


def main(old_path: str, new_path: str, schema: str, folder: str) -> None:
    """Run and print seconds: extract, load."""
    from tests.benchmarks.schema import create, indexes, shape_of

    place = Path(folder)
    place.mkdir(exist_ok=True)
    shape = shape_of(schema)
    with closing(sqlite3.connect(old_path)) as old, closing(sqlite3.connect(new_path)) as new:
        began = time.monotonic()
        extract(old, shape, place)
        extracted = time.monotonic()
        create(new, schema)
        load(new, shape, place)
        indexes(new, schema)
        print(extracted - began, time.monotonic() - extracted)


if __name__ == "__main__":
    main(*sys.argv[1:])
