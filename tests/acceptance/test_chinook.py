"""Chinook as its three scripts load it: copied by each kind of database to each other."""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests import servers
from tests.acceptance.cheeseshop import Cheeseshop
from tests.acceptance.chinook import TABLES, make, script, snake_case
from tests.acceptance.engines import ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TOLD = re.compile(r"write (?P<type>\S+\(.*?\)), and above: (?P<above>from \S+ import \w+)")
Rows = dict[str, list[tuple[Any, ...]]]


class Chinooks:
    """A project around Chinook on each kind of database, and what is copied from there."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._own = {kind: stack.enter_context(servers.prefix(kind)) for kind in servers.SERVERS}
        self._shops: dict[str, Cheeseshop] = {}

    def url(self, kind: str, name: str) -> str:
        """Return the URL of a database that is the test's own."""
        if kind not in self._own:
            return f"sqlite:///{self._folder}/{name}.db"
        url = servers.server_url(kind).set(database=f"{self._own[kind]}{name}")
        return url.render_as_string(hide_password=False)

    def shop(self, kind: str) -> Cheeseshop:
        """Load Chinook, and make a project around it, as a person would."""
        if kind not in self._shops:
            self._load(kind)
            shop = Cheeseshop(self._folder / kind)
            shop.root.mkdir()
            name = f"chinook_{secrets.token_hex(4)}"
            shop.ran("init", "--from", self.url(kind, "chinook"), "--name", name)
            self._shops[kind] = shop
        return self._shops[kind]

    def _load(self, kind: str) -> None:
        if kind not in self._own:
            make(self._folder / "chinook.db")
            return
        servers.create_database(kind, f"{self._own[kind]}chinook")
        engine = connected(self.url(kind, "chinook"))
        with engine.begin() as connection:
            for statement in script(kind):
                connection.exec_driver_sql(statement)
        engine.dispose()


@pytest.fixture(scope="module")
def chinooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chinooks]:
    """Chinook on all of them; what is made on servers is removed."""
    with ExitStack() as stack:
        yield Chinooks(tmp_path_factory.mktemp("chinook"), stack)


@pytest.mark.parametrize(("source", "target"), [(a, b) for a in ENGINES for b in ENGINES if a != b])
def test_each_is_copied_to_each_other(chinooks: Chinooks, source: str, target: str) -> None:
    """`check` says all that has to be written; then every row is there, and `status` says where."""
    shop, place = chinooks.shop(source), chinooks.url(target, f"of_{source}")
    if heed(shop, place):
        shop.ran("check", "1", "--to", place)
    done = shop.ran("copy", "1", "--to", place)
    assert ("owners and rights stay behind" in done.said) is (source == "postgresql")
    old = contents(chinooks.url(source, "chinook"), source)
    assert contents(place, source) == old
    assert {table: len(rows) for table, rows in old.items()}["Employee"] == 8
    assert place in "".join(shop.ran("status").out.split())  # wrapped


def heed(shop: Cheeseshop, place: str) -> bool:
    """Write into the schema what `check` says, of DateTime alone; return whether it said any."""
    said = shop.run("check", "1", "--to", place)
    told = {match["type"]: match["above"] for match in _TOLD.finditer(said.said)}
    schema = shop.root / "schemas" / "v1.py"
    text = schema.read_text("utf-8")
    for type_, above in told.items():
        text = text.replace("sa.DateTime,", f"{type_},").replace("sa.DateTime)", f"{type_})")
        text = text.replace("import sqlalchemy as sa\n", f"import sqlalchemy as sa\n{above}\n")
    schema.write_text(text, "utf-8")
    assert said.code == (3 if told else 0), said.said
    return bool(told)


def connected(url: str) -> sa.Engine:
    """Return an engine of the driver alone."""
    return sa.create_engine(servers.driven(sa.make_url(url)))


def contents(url: str, spelled: str) -> Rows:
    """Return all rows by plain SQL, each table's sorted, values as texts that kinds share.

    Parameters
    ----------
    spelled : str
        The kind of database whose script gave tables their names.
    """
    name = snake_case if spelled == "postgresql" else str
    engine = connected(url)
    quote = engine.dialect.identifier_preparer.quote_identifier
    found: Rows = {}
    with engine.connect() as connection:
        for table in TABLES:
            read = connection.exec_driver_sql(f"SELECT * FROM {quote(name(table))}")
            columns = list(read.keys())
            money = [column.lower().endswith(("price", "total")) for column in columns]
            rows = [tuple(map(plain, row, money)) for row in read]
            found[table] = sorted(rows, key=repr)
    engine.dispose()
    return found


def plain(value: Any, is_money: bool) -> Any:  # noqa: FBT001  mapped
    """Return a moment as a moment, an amount as a decimal of two places."""
    if is_money:
        exact = Decimal(str(value))
        assert exact == exact.quantize(Decimal("0.01"))
        return exact.quantize(Decimal("0.01"))
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", value):
        return datetime.fromisoformat(value)
    return value
