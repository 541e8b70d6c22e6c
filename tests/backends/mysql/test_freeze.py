"""`freeze --from URL`: what a server holds is written down so that it is made again, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from migrators.project import Project
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.served import Served

KINDS = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "CREATE TABLE kinds (id int unsigned AUTO_INCREMENT PRIMARY KEY, big bigint unsigned, med"
    " mediumint, tiny tinyint, flag tinyint(1), s set('a','b'), y year, b bit(5), b1 bit,"
    " e enum('x','It''s','') DEFAULT 'x', d decimal(30,10) DEFAULT 1.5, f float, db double,"
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
    " ENGINE=MyISAM",
    "CREATE TABLE ar (id int PRIMARY KEY, k varchar(20), n int, KEY pre (k(3)), KEY de (n DESC))"
    " ENGINE=Aria DEFAULT CHARSET=latin1",
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
