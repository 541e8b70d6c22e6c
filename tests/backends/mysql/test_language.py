"""Types that would lose something, and text that compares by its bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from migrators.backends.mysql import MariaDBBackend, MySQLBackend, sql

if TYPE_CHECKING:
    from tests.backends.mysql.conftest import Server

NAMES = ("mysql", "mariadb")
LOST: list[tuple[sa.types.TypeEngine[Any], str]] = [
    (sa.Text(), "LONGTEXT"),
    (sa.LargeBinary(), "LONGBLOB"),
    (sa.DateTime(), r"DATETIME\(fsp=6\)"),
    (sa.DateTime(timezone=True), r"DATETIME\(fsp=6\)"),
    (sa.Time(), r"TIME\(fsp=6\)"),
    (sa.Interval(), r"DATETIME\(fsp=6\)"),
    (sa.Float(), "24 bits"),
    (sa.String(), "needs a length"),
    (sa.Numeric(70, 2), "65 digits"),
    (sa.Numeric(60, 31), "30 of them"),
]
KEPT: list[sa.types.TypeEngine[Any]] = [
    sa.Integer(), sa.BigInteger(), sa.Double(), sa.Numeric(65, 30), sa.String(255), sa.Date(),
    sa.Boolean(), sa.Enum("a", "b", name="e"), sa.Float(53), sa.JSON(), sa.LargeBinary(20),
    sa.Text().with_variant(mysql.LONGTEXT(), *NAMES), mysql.DATETIME(), mysql.FLOAT(),
    sa.DateTime().with_variant(mysql.DATETIME(fsp=3), *NAMES), sa.Uuid(native_uuid=False),
]  # fmt: skip


@pytest.mark.parametrize("backend", [MySQLBackend, MariaDBBackend])
@pytest.mark.parametrize(("declared", "words"), LOST)
def test_a_type_that_loses_silently_names_the_line_to_write(
    backend: type[MySQLBackend], declared: sa.types.TypeEngine[Any], words: str
) -> None:
    """Fractions of a second, 64 KB, single precision, lengths that are missing."""
    found = backend(sa.make_url(f"{backend.name}://u@h/shop")).lint(declared)
    assert found is not None
    assert re.search(words, found)


@pytest.mark.parametrize("declared", KEPT)
def test_a_type_that_keeps_everything_or_was_chosen_passes(
    declared: sa.types.TypeEngine[Any],
) -> None:
    """A dialect's own type has been chosen: what it does not hold is refused by value."""
    assert MySQLBackend(sa.make_url("mysql://u@h/shop")).lint(declared) is None
    assert MariaDBBackend(sa.make_url("mariadb://u@h/shop")).lint(declared) is None


def test_the_uuid_type_of_mariadb_is_refused() -> None:
    """It orders by swapped parts, and takes not all of them."""
    found = MariaDBBackend(sa.make_url("mariadb://u@h/shop")).lint(sa.Uuid())
    assert "native_uuid=False" in str(found)


T = sa.Table(
    "t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.String(40))
)
V = T.c.v


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (V == "deleted", [1]),
        (V != "deleted", [2, 3, 4, 5, 6]),
        (V.in_(["deleted", "x"]), [1, 5]),
        (V.like("d%ted"), [1, 4]),
        (V.like("d_l_ted"), [1, 4]),
        (V.like("50\\%"), [6]),
        (V < "Deleted ", [2, 6]),
        (sa.func.lower(V) == "deleted", [1, 2]),
        (sa.func.length(V) == 7, [1, 2, 4]),
        (V.contains("\\"), [6]),
        (V.not_like("%eted%"), [5, 6]),
        (V.contains("0\\%", autoescape=True), [6]),
        (sa.cast(T.c.id, sa.String(9)) == "1", [1]),
        (V.between("a", "e"), [1, 3, 4]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("charset", ["utf8mb4", "latin1"])
def test_text_compares_by_bytes(
    server: Server, charset: str, condition: sa.ColumnElement[bool], expected: list[int]
) -> None:
    """Whatever character set and collation a column has."""
    database = filled(server, charset)
    query = database.sql(sa.select(T.c.id).where(condition).order_by(T.c.id))
    with database.snapshot(Path()) as snapshot:
        assert [n for (n,) in snapshot.rows(query)] == expected


def filled(server: Server, charset: str) -> MySQLBackend:
    """Return a database with texts that a collation takes for one."""
    return server.database(
        "shop_v1",
        f"CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40)) CHARACTER SET {charset}",
        "INSERT INTO t VALUES (1, 'deleted'), (2, 'Deleted'), (3, 'deleted '), (4, 'déleted'), "
        "(5, ''), (6, '50\\\\%%')".replace("%%", "%"),
        "UPDATE t SET v = 'x' WHERE id = 5",
    )


def test_distinct_group_and_order_go_by_bytes(server: Server) -> None:
    """Four texts that a collation takes for one stay four, ordered as UTF-8."""
    database = filled(server, "utf8mb4")
    some = T.c.id <= 4
    with database.snapshot(Path()) as snapshot:
        distinct = snapshot.rows(database.sql(sa.select(V).distinct().where(some).order_by(V)))
        groups = snapshot.rows(database.sql(sa.select(V, sa.func.count()).where(some).group_by(V)))
        biggest = snapshot.rows(database.sql(sa.select(sa.func.max(V)).where(some)))
    assert [v for (v,) in distinct] == ["Deleted", "deleted", "deleted ", "déleted"]
    assert [n for _, n in groups] == [1, 1, 1, 1]
    assert biggest == [("déleted",)]


def test_names_and_literals_are_inert(server: Server) -> None:
    """Percent signs, backticks, quotes and backslashes are themselves."""
    table = sa.Table(
        "a`b%(c)s", sa.MetaData(), sa.Column("x\"y'z", sa.String(40), primary_key=True)
    )
    database = server.database(
        "shop_v1",
        "CREATE TABLE `a``b%(c)s` (`x\"y'z` VARCHAR(40) PRIMARY KEY)",
        "INSERT INTO `a``b%(c)s` VALUES ('it''s \\\\ %s')",
    )
    column = table.c["x\"y'z"]
    query = database.sql(sa.select(column).where(column == "it's \\ %s"))
    with database.snapshot(Path()) as snapshot:
        assert snapshot.rows(query) == [("it's \\ %s",)]


SCRIPT = """
-- a comment; with a semicolon
CREATE VIEW a AS SELECT ';' AS x; /* another; one */
CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW
BEGIN
    IF NEW.id = 1 THEN SET NEW.v = CASE WHEN 1 THEN 'x;y' ELSE 'z' END; END IF;
    BEGIN DECLARE n INT; WHILE n < 3 DO SET n = n + 1; END WHILE; END;
END;
DELIMITER //
CREATE PROCEDURE c() BEGIN SELECT 1; SELECT 2; END //
DELIMITER ;
SELECT 3
"""


def test_a_script_is_cut_into_statements() -> None:
    """Semicolons in texts, comments and bodies end nothing; DELIMITER is understood."""
    found = list(sql.statements(SCRIPT))
    begins = [part.split("CREATE ", 1)[-1].split()[0] for part in found]
    assert begins == ["VIEW", "TRIGGER", "PROCEDURE", "SELECT"]
    assert found[1].endswith("END")
