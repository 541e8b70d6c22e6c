"""Make databases of the reference application of any size, the same for the same seed.

    python -m tests.benchmarks.generate --version 2 --scale 1.0 --seed 1 PATH.db

Scale 1.0 is 2,000,000 releases of ten columns, 1,000,000 dependencies of them and 150,000
packages; other tables are small. Rows stream from generators into `executemany`, as
SQLAlchemy's types would have written them.
"""

from __future__ import annotations

import argparse
import runpy
import sqlite3
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parents[2] / "schemas"
FULL = {
    "users": 20_000,
    "packages": 150_000,
    "releases": 2_000_000,
    "dependencies": 1_000_000,
    "api_tokens": 2_000,
    "recruits": 2_000,
    "customers": 3_000,
    "suppliers": 1_000,
    "settings": 50,
    "DownloadLog": 10_000,
}
"""Rows at scale 1.0. The audit tables of version 2 follow from the packages."""

COUNTRIES = ("Austria", "Chile", "Ghana", "Japan", "Norway", None)
Row = tuple[Any, ...]


def counts(scale: float) -> dict[str, int]:
    """Return how many rows each table gets, one at least."""
    return {table: max(1, round(rows * scale)) for table, rows in FULL.items()}


def generate(path: Path, *, version: int, scale: float, seed: int) -> dict[str, int]:
    """Write a database and return its rows by table.

    Parameters
    ----------
    path : Path
        A file that does not exist yet.
    version : int
        1 or 2.

    Raises
    ------
    FileExistsError
        If there is a file already.
    """
    if path.exists():
        raise FileExistsError(path)
    _create(path, version)
    written = {}
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    for table, rows in _tables(version, counts(scale), seed):
        written[table] = _insert(connection, table, rows)
    connection.commit()
    after = SCHEMAS / f"v{version}.after.sql"
    if after.exists():
        connection.executescript(after.read_text())
    connection.close()
    return written


def _create(path: Path, version: int) -> None:
    metadata = runpy.run_path(str(SCHEMAS / f"v{version}.py"))["metadata"]
    tables = metadata.sorted_tables
    # `create_all` takes a table's indexes in the order of a set, another one each time.
    indexes = sorted((i for t in tables for i in t.indexes), key=lambda index: str(index.name))
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for table in tables:
            connection.execute(CreateTable(table))
        for index in indexes:
            connection.execute(CreateIndex(index))
    engine.dispose()


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Row]) -> int:
    width = len(connection.execute(f'SELECT * FROM "{table}"').description)
    marks = ", ".join("?" * width)
    return connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows).rowcount


def _tables(version: int, n: dict[str, int], seed: int) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield every table with its rows, parents first; each table has a stream of its own."""
    yield "users", users(n, Random(f"{seed} users"))
    of_packages = packages_1 if version == 1 else packages_2
    yield "packages", of_packages(n, Random(f"{seed} packages"))
    if version > 1:
        yield "transaction", iter([(1, "2024-03-01 09:00:00.000000", None, None)])
        yield "packages_version", versions(n, Random(f"{seed} packages"))
    yield "releases", releases(n, Random(f"{seed} releases"))
    for make in (dependencies, api_tokens, recruits, customers, suppliers, settings):
        yield make.__name__, make(n, Random(f"{seed} {make.__name__}"))
    yield "DownloadLog", download_log(n, Random(f"{seed} DownloadLog"))


def moment(bits: int) -> str:
    """Return a time from 2005 to 2024 as SQLite holds it, out of 48 random bits."""
    bits, micro = divmod(bits, 1_000_000)
    bits, second = divmod(bits, 86_400)
    bits, day = divmod(bits, 28)
    hour, second = divmod(second, 3_600)
    minute, second = divmod(second, 60)
    date = f"{2005 + bits // 12 % 20}-{bits % 12 + 1:02}-{day + 1:02}"
    return f"{date} {hour:02}:{minute:02}:{second:02}.{micro:06}"


def users(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield users; one in eight has an avatar, one in four a bio."""
    for i in range(1, n["users"] + 1):
        bits = random.getrandbits(64)
        yield (
            i,
            f"user{i}",
            f"Üser No. {i}",
            f"user{i}@example.org",
            f"chat{i}" if bits & 1 else None,
            bits % 100 == 0,
            f"Likes cheese No. {bits & 0xFFFF}, and\nlong walks." if bits & 6 == 0 else None,
            bits / 2**32 if bits & 8 else None,
            random.randbytes(64) if bits & 7 == 0 else None,
            moment(bits),
            moment(bits >> 8) if bits & 16 else None,
        )


def packages_2(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield packages of version 2: up to four of 500 keywords, one in 20 without an owner."""
    for i in range(1, n["packages"] + 1):
        bits = random.getrandbits(64)
        words = ", ".join(f"keyword{(bits >> 9 * k) % 500}" for k in range(bits % 5))
        yield (
            i,
            f"package-{i}",
            bits % n["users"] + 1 if bits % 20 else None,
            f"Does what no other package does, the {bits % 9973}th way." if bits & 7 else None,
            f"https://example.org/{i}" if bits & 8 else None,
            words or None,
            f"package-{bits % n['packages'] + 1}" if bits & 0xF0 == 0 else None,
            bits >> 40,
            "active" if bits & 0x700 else "archived",
            moment(bits),
            moment(bits >> 5),
        )


def packages_1(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield the same packages as version 1 wrote them; one in 16 of the hidden is deleted."""
    for *same, downloads, status, created, _updated in packages_2(n, random):
        archived = "deleted" if same[0] % 16 == 0 else "hidden"
        yield (*same, f"{downloads:,}", "active" if status == "active" else archived, created)


def versions(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield each package's first version, made by transaction 1."""
    for key, *values in packages_2(n, random):
        yield (key, 1, None, 0, *values)


def releases(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield releases in random order of packages; every other one has a file."""
    for i in range(1, n["releases"] + 1):
        bits = random.getrandbits(64)
        package = bits % n["packages"] + 1
        version = f"{i // 10_000}.{i // 100 % 100}.{i % 100}"
        uploaded = moment(bits)
        yield (
            i,
            package,
            version,
            f"package_{package}-{version}.tar.gz" if bits & 1 else None,
            bits >> 34 if bits & 1 else None,
            (bits >> 20) % 1_000_000 / 100,
            bits / 2**64 if bits & 14 else None,
            bits & 0xF0 == 0,
            uploaded,
            uploaded[:10] if bits & 0x300 else None,
        )


def dependencies(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield dependencies of random releases."""
    for i in range(1, n["dependencies"] + 1):
        bits = random.getrandbits(64)
        requirement = f"package-{bits % n['packages'] + 1}>={bits % 7}.{bits % 11}"
        extra = "test" if bits & 3 == 0 else None
        yield i, (bits >> 16) % n["releases"] + 1, requirement, extra, extra is not None


def api_tokens(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield tokens of random users; half of them expire."""
    for i in range(1, n["api_tokens"] + 1):
        bits = random.getrandbits(64)
        expires = moment(bits) if bits & 1 else None
        yield i, bits % n["users"] + 1, f"laptop {i}", random.randbytes(32), expires


def recruits(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield recruits with addresses of their own; their cohort is an id number in version 1."""
    stages = ("applied", "interviewing", "hired", "rejected")
    for i in range(1, n["recruits"] + 1):
        bits = random.getrandbits(64)
        yield (
            i,
            f"Recruit {i}",
            f"recruit{i}@example.org",
            "2023-autumn",
            "python, sql" if bits & 1 else None,
            ((bits >> 32) % 9_000_000 + 2_000_000) / 100 if bits & 2 else None,
            stages[bits % 4],
            moment(bits)[:10],
            moment(bits >> 3)[11:] if bits & 4 else None,
            random.randbytes(128) if bits & 8 else None,
            None,
        )


def customers(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield customers; the first of them are suppliers too, by their VAT number."""
    for i in range(1, n["customers"] + 1):
        bits = random.getrandbits(64)
        country = COUNTRIES[bits % len(COUNTRIES)]
        yield i, f"Customer {i} Ltd", f"VAT{2 * i}", country, (bits >> 40) / 100, None


def suppliers(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield suppliers; every other one is a customer too."""
    for i in range(1, n["suppliers"] + 1):
        bits = random.getrandbits(64)
        country = COUNTRIES[bits % len(COUNTRIES)]
        yield i, f"Supplier {i} & Sons", f"VAT{i}", country, moment(bits)[:10], bits / 2**64


def settings(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield settings, keyed by text."""
    for i in range(1, n["settings"] + 1):
        yield f"setting.{i:04}", str(random.getrandbits(16))


def download_log(n: dict[str, int], random: Random) -> Iterator[Row]:
    """Yield log lines, which have no key."""
    for _ in range(n["DownloadLog"]):
        bits = random.getrandbits(64)
        yield moment(bits), f"192.0.2.{bits & 255}", f"package-{bits % 1000 + 1}", bits % 50


def main() -> None:
    """Read the command line, write the database, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--version", type=int, choices=(1, 2), default=2)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    rows = generate(given.path, version=given.version, scale=given.scale, seed=given.seed)
    took = time.perf_counter() - began
    print(f"{given.path}: {sum(rows.values()):,} rows in {took:.1f} s", rows)


if __name__ == "__main__":
    main()
