"""MariaDB's sequences go on where they stood, as SQL beside the schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pymysql
import pytest
import sqlalchemy as sa

from migrators.schema import read_schema
from tests.acceptance.test_moving import there
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.test_moving import Owned
    from tests.served import Served

__all__ = ["there"]  # a fixture

INVOICE = "CREATE SEQUENCE invoice START 100 INCREMENT 5 NOCACHE"
OLD = (
    INVOICE,
    "CREATE SEQUENCE fresh START 7",
    "CREATE SEQUENCE `Odd %s ENGINE=x` MAXVALUE 3 NOCACHE CYCLE COMMENT 'it''s'",
    "CREATE SEQUENCE many CACHE 10",
    "CREATE SEQUENCE back START 100 MINVALUE 1 NOCACHE",
    "ALTER SEQUENCE back RESTART 50",
    "CREATE SEQUENCE down START 5 INCREMENT -1 MINVALUE -9 MAXVALUE 9 NOCACHE",
    "CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT)",
    "INSERT INTO t VALUES (1)",
)
OTHERS = "NEXTVAL(`Odd %s ENGINE=x`), NEXTVAL(many), NEXTVAL(back), NEXTVAL(down)"
TAKEN = f"SELECT NEXTVAL(invoice), NEXTVAL(invoice), {OTHERS}"
NEXT = f"SELECT NEXTVAL(invoice), NEXTVAL(fresh), {OTHERS}"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    """A project on a server."""
    with served("mysql", tmp_path / "shop") as made:
        yield made


def test_frozen_they_go_on(shop: Served) -> None:
    """Also after one that has given nothing; what the server had taken ahead is left out."""
    shop.old(*OLD, TAKEN)
    shop.frozen()
    shop.ran("1to2")
    assert shop.rows(2, NEXT) == [(110, 7, 2, 11, 51, 4)]


DECLARED = """
orders = sa.Table("orders", metadata,
    sa.Column("id", sa.Integer, sa.Sequence("order_ids"), primary_key=True))
sa.Sequence("invoice", start=100, increment=5, cache=1, metadata=metadata)
"""


def test_what_the_metadata_declares_is_made_and_goes_on(shop: Served) -> None:
    """As `create_all` makes it of the same metadata: no drift, and no AUTO_INCREMENT beside it."""
    shop.schema(DECLARED)
    made = read_schema(shop.root / "schemas" / "v1.py", 1).metadata
    shop.old()
    url = sa.make_url(shop.url(1)).set(drivername="mysql+pymysql")
    engine = sa.create_engine(url, connect_args={"ssl_disabled": True})
    made.create_all(engine)
    engine.dispose()
    shop.rows(1, "SELECT NEXTVAL(invoice)", "INSERT INTO orders VALUES (7)")
    assert "shop_v1 is schemas/v1.py" in shop.ran("check", "1to2").said
    shop.ran("1to2")
    assert shop.rows(2, "SELECT NEXTVAL(invoice), NEXTVAL(order_ids)") == [(105, 8)]
    with pytest.raises(pymysql.Error, match="id"):
        shop.rows(2, "INSERT INTO orders VALUES ()")


DEFAULT = "n bigint DEFAULT NEXTVAL(numbers)"
LAST = "n bigint DEFAULT PREVIOUS VALUE FOR numbers"


def test_a_default_that_takes_from_one_is_refused(shop: Served) -> None:
    """MariaDB keeps where the sequence was when the table was made: in the staging database."""
    shop.old("CREATE SEQUENCE numbers", f"CREATE TABLE t (id int PRIMARY KEY, {DEFAULT})")
    shop.frozen()
    for typed in (("plan", "1to2"), ("1to2",)):
        done = shop.run(*typed)
        assert done.code, typed
        assert "t.n: a default cannot take from a sequence here" in done.said, done.said
    assert not shop.exists(2)
    new = shop.root / "schemas" / "v2.py"
    found = re.subn(r", server_default=sa\.text\(.*?val\(.*?\)\"\)", "", new.read_text())
    assert found[1] == 1, new.read_text()
    new.write_text(found[0])
    shop.ran("1to2")  # as the message says: the default stays behind


def test_one_that_the_own_sql_makes_is_refused(shop: Served) -> None:
    """After the data; nothing is published."""
    shop.old("CREATE SEQUENCE numbers", "CREATE TABLE t (id int PRIMARY KEY)")
    shop.frozen()
    after = shop.root / "schemas" / "v2.after.mysql.sql"
    for column in (DEFAULT, LAST):
        after.write_text(f"ALTER TABLE t ADD {column};")
        done = shop.run("1to2")
        assert (done.code, "t.n: a default cannot take" in done.said) == (1, True), done.said
        assert not shop.exists(2)


def test_one_that_is_otherwise_is_drift(shop: Served) -> None:
    """Of a sequence it is said with what it was declared."""
    shop.old(*OLD)
    shop.frozen()
    shop.rows(1, "DROP SEQUENCE invoice", INVOICE.replace("5", "6"))
    done = shop.run("check", "1to2")
    assert (done.code, "sequence invoice differs" in done.said) == (3, True), done.said


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_where_there_are_none_it_is_said(shop: Served, there: Owned, kind: str) -> None:
    """Another kind of database, for which no SQL stands beside the schema."""
    shop.old(*OLD[:1], *OLD[-2:], "SELECT NEXTVAL(invoice)")
    shop.frozen()
    to = "sqlite:///to.db" if kind == "sqlite" else there.url(kind)
    assert "starts anew: sequence invoice (at 100)" in shop.ran("copy", "1", "--to", to).said
