"""`freeze --from URL`: what a server holds is written down so that it is made again, exactly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.project import Project
from tests import servers
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.served import Served

KINDS = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "CREATE TABLE kinds (id int unsigned AUTO_INCREMENT PRIMARY KEY, big bigint unsigned, med"
    " mediumint, tiny tinyint, flag tinyint(1), s set('a','b'), y year, b bit(5), b1 bit,"
    " e enum('x','It''s','') DEFAULT 'x', l enum('é') CHARACTER SET latin1,"
    " d decimal(30,10) DEFAULT 1.5, f float, db double,"
    " ch char(5), vc varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci, bi binary(4),"
    " vb varbinary(9), tt text, tx mediumtext, bl longblob, j json, dt datetime, dt6 datetime(6),"
    " ts timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), t3 time(3),"
    " da date, gen int GENERATED ALWAYS AS (med * 2) STORED, virt varchar(30) AS"
    " (concat(vc, ':x')) VIRTUAL, zf int(6) unsigned zerofill, du decimal(5,2) unsigned DEFAULT 0,"
    " nn varchar(10) NOT NULL DEFAULT 'it''s', ex datetime DEFAULT (now() + interval 1 day),"
    " c2 varchar(9) COMMENT 'who: it''s', inv int INVISIBLE DEFAULT 3)"
    " COMMENT 'the kinds' AUTO_INCREMENT = 50",
)
OTHERS = (
    "CREATE TABLE my (id int AUTO_INCREMENT PRIMARY KEY, v text, FULLTEXT KEY ft (v))"
    " ENGINE=MyISAM CHECKSUM=1",
    "CREATE TABLE ar (id int PRIMARY KEY, k varchar(20), n int, KEY pre (k(3)), KEY de (n DESC))"
    " ENGINE=Aria TRANSACTIONAL=1 DEFAULT CHARSET=latin1 COMMENT 'not CHECKSUM=1'",
    "CREATE TABLE child (id int PRIMARY KEY, kind_id int unsigned, CONSTRAINT fk FOREIGN KEY"
    " (kind_id) REFERENCES kinds (id) ON DELETE CASCADE ON UPDATE SET NULL, CONSTRAINT ck CHECK"
    " (id > 0), UNIQUE KEY uq (kind_id, id))",
    "CREATE TABLE parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (year(day))"
    " (PARTITION p0 VALUES LESS THAN (2020), PARTITION pm VALUES LESS THAN MAXVALUE)",
    "CREATE VIEW b_view AS SELECT id, vc FROM kinds WHERE vc <> ':x %s'",
    "CREATE VIEW a_view AS SELECT id FROM b_view",
    "CREATE TRIGGER trg BEFORE INSERT ON child FOR EACH ROW SET NEW.id = NEW.id + 100",
    "CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE pr() BEGIN SELECT 1; SELECT 2; END",
    "SET time_zone = '+05:00'",
    "CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DISABLE DO DELETE FROM my",
    "SET sql_mode = 'ANSI_QUOTES,NO_AUTO_VALUE_ON_ZERO'",
    "CREATE DEFINER = nobody@localhost EVENT on_time ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01'"
    " ON COMPLETION PRESERVE COMMENT 'do: it''s' DO DELETE FROM \"my\"",
)
ROWS = (
    "INSERT INTO kinds (id, big, med, tiny, flag, s, y, b, b1, e, f, db, ch, vc, bi, vb, tt, tx,"
    " bl, j, dt, dt6, ts, t3, da, zf, ex, inv) VALUES (0, 18446744073709551615, -8388608, -128, 2,"
    " 'a,b', 2155, b'10101', b'1', 'It''s', 0.1, 0.1, 'ab', 'é', x'01', x'ff00', 't', 'tx',"
    " x'00ff', '{\"a\": 1}', '2020-01-01 01:02:03', '2020-01-01 01:02:03.123456', '2020-01-01',"
    " '12:00:00.123', '2020-02-02', 7, NULL, 4)",
    "INSERT INTO kinds (id, s, y, b, b1, e, ts) VALUES (7, '', 0, 0, 0, '', '2021-01-01')",
    "INSERT INTO my VALUES (1, 'a'), (9, 'b')",
    "INSERT INTO ar VALUES (1, 'é', 1)",
    "INSERT INTO child VALUES (1, 0), (2, 7)",
    "INSERT INTO parts VALUES (1, '2019-01-01'), (2, '2021-01-01')",
)
READ = (
    "kinds", "kinds WHERE inv = 4", "my", "ar", "child", "parts PARTITION (p0)",
    "parts PARTITION (pm)", "b_view", "a_view",
)  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    """A project whose databases are on the server."""
    with served("mysql", tmp_path / "shop") as made:
        yield made


def test_what_is_frozen_is_made_again_with_rows_and_all(shop: Served) -> None:
    """No drift right after freezing; the new database has the old one's catalogue and rows.

    A key 0 stays 0, ON UPDATE and triggers do not fire on loading, counters go on, rows lie
    in the same partitions, and tables of MyISAM and Aria are as they were.
    """
    shop.old(*KINDS, *OTHERS, *ROWS)
    shop.frozen()
    assert "shop_v1 is schemas/v1.py" in shop.ran("check", "1to2").said
    shop.ran("1to2")
    project = Project.find(shop.root, environment={})
    catalogues = [backend_for(project.url(v)).catalog().objects for v in (1, 2)]
    assert catalogues[0] == catalogues[1]
    for table in READ:
        text = f"SELECT * FROM {table} ORDER BY 1"
        assert shop.rows(2, text) == shop.rows(1, text), table
    for table in ("kinds", "my"):
        last = "SELECT last_insert_id()"
        given = [shop.rows(v, f"INSERT INTO {table} () VALUES ()", last) for v in (1, 2)]
        assert given[0] == given[1]
        assert given[0] != [(0,)]
    for event in ("ev", "on_time"):  # with definer, SQL mode and time zone
        made = [shop.rows(version, f"SHOW CREATE EVENT {event}") for version in (1, 2)]
        assert made[0] == made[1]
        assert made[0][0][2] == "+05:00"
    status = "SELECT status FROM information_schema.events WHERE event_schema = database()"
    assert shop.rows(2, f"{status} ORDER BY event_name") == [("DISABLED",), ("ENABLED",)]
    assert ("storage", "my") in catalogues[0]


ONLY_HERE = (
    "CREATE TABLE checked (id int PRIMARY KEY CHECK (id > 0), n int COMMENT 'n' CHECK (n <> 7),"
    " d varchar(9) DEFAULT ':x', `user` int CHECK (`user` <> 5),"
    " CONSTRAINT named CHECK (n < 99), CHECK (n > id), UNIQUE (n))",
    "CREATE TABLE packed (b int, a int, t text COMPRESSED, v varchar(99) COMPRESSED, f text, i int"
    " INVISIBLE CHECK (i > 0), PRIMARY KEY (a, b) COMMENT 'pk', UNIQUE KEY uq (i) COMMENT 'u: one',"
    " KEY ka (a, b DESC) IGNORED, KEY kb (b) COMMENT 'b', FULLTEXT KEY ft (f) COMMENT 'ft')"
    " COMMENT 'WITH SYSTEM VERSIONING'",
    "CREATE TABLE booked (id int, s date, e date, v int, PERIOD FOR p (s, e),"
    " PRIMARY KEY (id, p WITHOUT OVERLAPS))",
    "CREATE TABLE room (id int, s date, e date, PERIOD FOR p (s, e),"
    " UNIQUE KEY once (id, p WITHOUT OVERLAPS))",
    "CREATE TABLE kept (id int AUTO_INCREMENT PRIMARY KEY, v int, UNIQUE (v)) WITH SYSTEM"
    " VERSIONING PARTITION BY SYSTEM_TIME INTERVAL 1 MONTH PARTITIONS 2",
    "CREATE TABLE told (id int PRIMARY KEY, v int, a timestamp(6) GENERATED ALWAYS AS ROW START,"
    " z timestamp(6) GENERATED ALWAYS AS ROW END, w int WITHOUT SYSTEM VERSIONING,"
    " PERIOD FOR SYSTEM_TIME (a, z), UNIQUE (v)) WITH SYSTEM VERSIONING",
    "CREATE TABLE twice (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES twice (id),"
    " CONSTRAINT other FOREIGN KEY (p) REFERENCES twice (id) ON DELETE SET NULL)",
    "INSERT INTO checked VALUES (1, 3, 'd', 4)",
    "INSERT INTO packed (b, a, t, i) VALUES (1, 2, repeat('t', 999), 4)",
    "INSERT INTO booked VALUES (1, '2020-01-01', '2021-01-01', 4)",
    "INSERT INTO kept VALUES (1, 1), (9, 9)",
    "DELETE FROM kept WHERE id = 9",
    "INSERT INTO told (id, v, w) VALUES (1, 2, 3)",
)
OVERLAPS = "INSERT INTO booked VALUES (1, '2020-05-01', '2020-06-01', 5)"


def test_what_only_mariadb_has_is_made_again(shop: Served) -> None:
    """CHECKs of columns, compressed columns, comments of indexes, periods, versioned tables.

    What versioned rows were before is not carried: freeze, check and the run say so.
    """
    shop.old(*ONLY_HERE)
    assert (
        "kept keeps what its rows were before"
        in shop.ran("freeze", "1", "--from", shop.url(1)).said
    )
    shop.same()
    text = (shop.root / "schemas" / "v1.py").read_text()
    assert "'\\\\:x'" in text  # means ':x' anywhere
    assert 'sa.CheckConstraint("n <> 7")' in text  # so that any database takes it
    assert 'sa.CheckConstraint("`user` <> 5")' in text  # which is a function of PostgreSQL's
    said = shop.ran("check", "1to2").said
    assert "shop_v1 is schemas/v1.py" in said
    project = Project.find(shop.root, environment={})
    keys = backend_for(project.url(1)).catalog().objects["foreign key", "twice(p)"]
    assert keys.count("references twice(id)") == 2  # of one column, and neither hides the other
    assert "it stays behind history kept" in said
    assert "history kept" in shop.ran("1to2").said
    for table in ("checked", "packed", "booked", "room", "kept", "told"):
        made = [shop.rows(v, f"SHOW CREATE TABLE {table}")[0][1] for v in (1, 2)]
        assert made[0] == made[1]
        rows = [shop.rows(version, f"SELECT * FROM {table}") for version in (1, 2)]
        assert table == "told" or rows[0] == rows[1]  # which says when the server got its rows
    with pytest.raises(pymysql.err.IntegrityError):
        shop.rows(2, OVERLAPS)


MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
p = sa.Table("p", metadata, sa.Column("id", sa.Integer, primary_key=True))
t = sa.Table(
    "t", metadata, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("x", sa.Integer, sa.CheckConstraint("x > 0")),
    sa.Column("y", sa.Integer, unique=True),
    sa.Column("p_id", sa.Integer, sa.ForeignKey("p.id")), sa.CheckConstraint("y > 1"),
    sa.CheckConstraint("y < 7"), sa.UniqueConstraint("x", "y"),
)
"""


def test_names_that_the_server_chose_are_none(shop: Served) -> None:
    """Models that leave names open are frozen with names, and their database has the server's."""
    shop.old()
    (shop.root / "models.py").write_text(MODELS)
    found: dict[str, Any] = {}
    exec(MODELS, found)  # noqa: S102  the models of the line before
    found["metadata"].create_all(backend_for(sa.make_url(shop.url(1))).engine())
    shop.ran("freeze", "1", "--from", "models:metadata")
    shop.same()
    assert "shop_v1 is schemas/v1.py" in shop.ran("check", "1to2").said
    shop.rows(1, "ALTER TABLE t DROP CONSTRAINT CONSTRAINT_1")
    said = shop.run("check", "1to2").said
    assert "check t.ck_t_3 is missing" in said


def test_a_check_of_a_column_may_have_a_name(shop: Served) -> None:
    """MariaDB takes neither its name nor a second one there, as SQLAlchemy writes them."""
    shop.schema(
        "t = sa.Table('t', metadata, sa.Column('id', sa.Integer, sa.CheckConstraint('id > 0'),"
        " primary_key=True, autoincrement=False), sa.Column('x', sa.Integer,"
        " sa.CheckConstraint('x > 0', name='ck_x'), sa.CheckConstraint('x < 9')),"
        " sa.Column('b', sa.Boolean(create_constraint=True)))"
    )
    shop.ran("create", "1")
    for row in ("-1, 1, 1", "1, 0, 1", "1, 9, 1", "1, 1, 2"):
        with pytest.raises(pymysql.err.OperationalError, match="CONSTRAINT"):
            shop.rows(1, f"INSERT INTO t VALUES ({row})")
    shop.rows(1, "INSERT INTO t VALUES (1, 8, 1)")
    assert "CONSTRAINT `ck_x` CHECK (`x` > 0)" in shop.rows(1, "SHOW CREATE TABLE t")[0][1]
    assert "shop_v1 is schemas/v1.py" in shop.ran("check", "1to2").said
    shop.ran("1to2")
    assert shop.rows(2, "SHOW CREATE TABLE t") == shop.rows(1, "SHOW CREATE TABLE t")


DEFINED = (
    "CREATE TABLE t (id int PRIMARY KEY)",
    "CREATE DEFINER={} SQL SECURITY DEFINER VIEW v AS SELECT id FROM t",
    "CREATE DEFINER={} PROCEDURE pr() SELECT id FROM t",
    "CREATE VIEW own AS SELECT id FROM t",
)
DEFINERS = """
SELECT table_name, definer FROM information_schema.views WHERE table_schema = database()
AND table_name <> 'migrate_stamp'
UNION ALL SELECT routine_name, definer FROM information_schema.routines
WHERE routine_schema = database() ORDER BY 1
"""


def test_what_runs_with_the_rights_of_another_goes_on_so(shop: Served) -> None:
    """Else a reader of a view would read with the rights of who migrates; unsaid, it is named."""
    other = f"{shop.own}d"
    with servers.maintenance("mysql") as connection:
        connection.exec_driver_sql(f"CREATE USER {other}@localhost")
        connection.exec_driver_sql(f"CREATE USER {other}2@localhost")
    try:
        shop.old(*(text.format(f"{other}@localhost") for text in DEFINED))
        shop.rows(1, f"GRANT SELECT ON t TO {other}@localhost",
                  f"GRANT EXECUTE ON PROCEDURE pr TO {other}2@localhost")  # fmt: skip
        shop.frozen()
        said = shop.ran("check", "1to2").said
        assert "stays behind" not in said
        assert "end with it" not in said  # the procedure is there again
        shop.ran("1to2")
        assert shop.rows(2, DEFINERS) == shop.rows(1, DEFINERS)
        assert f"{other}@localhost" in shop.rows(2, DEFINERS)[1]
        after = shop.root / "schemas" / "v1.after.mysql.sql"
        after.write_text(re.sub(r"DEFINER=\S+", "", after.read_text()))
        said = " ".join(shop.run("check", "1to2").said.split())
        assert "it stays behind definer of procedure pr definer of view v" in said
    finally:
        with servers.maintenance("mysql") as connection:
            connection.exec_driver_sql(f"DROP USER {other}@localhost, {other}2@localhost")
