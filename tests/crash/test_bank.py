"""Money that moves between two tables while they are read: the total is that of one moment."""

from __future__ import annotations

import csv
import random
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests import servers
from tests.crash import sessions
from tests.crash.preloaded import Preloaded, Request
from tests.crash.shop import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNTS = 4000
EACH = 100
TABLES = ("checking", "savings")
WRITERS = 3
EXTRACTS = 3
_SCHEMA = '''\
"""Schema 1."""

import sqlalchemy as sa

metadata = sa.MetaData()
for name in ("checking", "savings"):
    sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("balance", sa.Integer, nullable=False), sa.Column("note", sa.String(200)))
'''


class Bank:
    """A project with two tables, and writers that move money between them."""

    def __init__(self, kind: str, root: Path, url: sa.URL) -> None:
        self.kind, self.root, self.url = kind, root, url
        self.moved = 0
        self.failed: list[BaseException] = []
        self._over = threading.Event()

    def connected(self) -> Any:
        """Return a connection in autocommit."""
        if self.kind == "sqlite":
            return sqlite3.connect(self.url.database or "", timeout=60, isolation_level=None)
        return sessions.connected(self.url.render_as_string(hide_password=False))

    def fill(self) -> None:
        """Give each account the same."""
        with closing(self.connected()) as connection:
            cursor = connection.cursor()
            if self.kind == "sqlite":
                cursor.execute("PRAGMA journal_mode = WAL")
            for table in TABLES:
                cursor.execute(
                    f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, "
                    "note VARCHAR(200))"
                )
                rows = ", ".join(f"({n}, {EACH}, '{'x' * 150}')" for n in range(ACCOUNTS))
                cursor.execute(f"INSERT INTO {table} VALUES {rows}")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Move money all the while."""
        threads = [threading.Thread(target=self._move, args=(n,)) for n in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        assert self.failed == []

    def _move(self, seed: int) -> None:
        chance = random.Random(seed)
        begin = "BEGIN IMMEDIATE" if self.kind == "sqlite" else "BEGIN"
        try:
            with closing(self.connected()) as connection:
                cursor = connection.cursor()
                while not self._over.wait(0.001):
                    amount, own = chance.randint(1, 9), chance.randrange(ACCOUNTS // WRITERS)
                    place = own * WRITERS + seed  # each writer has accounts of its own
                    there, back = TABLES[:: chance.choice((1, -1))]
                    cursor.execute(begin)
                    for table, change in ((there, -amount), (back, amount)):
                        cursor.execute(
                            f"UPDATE {table} SET balance = balance + {change} WHERE id = {place}"
                        )
                    cursor.execute("COMMIT")
                    self.moved += 1
        except BaseException as error:  # noqa: BLE001  looked at in the test
            self.failed.append(error)


@pytest.fixture(params=KINDS)
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    """A bank on each kind of database."""
    kind, root = str(request.param), tmp_path / "bank"
    (root / "schemas").mkdir(parents=True)
    (root / "schemas" / "v1.py").write_text(_SCHEMA)
    if kind == "sqlite":
        yield _opened(kind, root, sa.make_url(f"sqlite:///{root}/bank_v1.db"), "bank")
        return
    with servers.prefix(kind) as own:
        servers.create_database(kind, f"{own}bank_v1")
        url = servers.server_url(kind).set(database=f"{own}bank_v1")
        yield _opened(kind, root, url, own)


def _opened(kind: str, root: Path, url: sa.URL, name: str) -> Bank:
    made = Bank(kind, root, url)
    shown = url.render_as_string(hide_password=False).replace("bank_v1", "bank_v{version}")
    (root / "pyproject.toml").write_text(f'[tool.migrators]\nname = "{name}"\nurl = "{shown}"\n')
    made.fill()
    return made


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.fault("G84")
def test_the_total_is_that_of_one_moment(bank: Bank, commands: Preloaded, jobs: int) -> None:
    """FAULTS G84: in every extract, however many read; and money has moved between them."""
    found = []
    with bank.busy():
        for n in range(EXTRACTS):
            before, out = bank.moved, bank.root / f"out-{n}"
            line = ("-C", str(bank.root), "extract", "1", "--to", str(out), "--format", "csv")
            (done,) = commands.run(
                Request((*line, "--jobs", str(jobs)), str(bank.root / "said.txt"))
            )
            assert (done.code, done.clear) == (0, True), done.said
            assert bank.moved > before
            found.append([_balances(out / f"{table}.csv") for table in TABLES])
    totals = [sum(map(sum, tables)) for tables in found]
    assert totals == [2 * ACCOUNTS * EACH] * EXTRACTS
    assert found[0] != found[-1]


def _balances(file: Path) -> list[int]:
    with file.open(newline="", encoding="utf-8") as rows:
        return [int(row["balance"]) for row in csv.DictReader(rows)]
