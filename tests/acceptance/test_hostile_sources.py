"""A source whose owner means harm to who migrates it: nothing of his is run with their rights.

Views, triggers, policies and functions that shadow the server's own each leave a mark, or stop,
if anything of them is run. They stay behind with the old database, as the plan says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.served import KINDS, Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = """
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table(
    "shown", metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("price", sa.Numeric(9, 2)),
)
"""
TABLES = (
    "CREATE TABLE shown (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL,"
    " price NUMERIC(9, 2))",
    "INSERT INTO shown VALUES (1, 'brie', 4.50), (2, 'Comt\u00e9', NULL)",
    "CREATE TABLE marks (what VARCHAR(40))",
)
SHADOWED = ("lower", "upper", "length", "octet_length", "replace", "md5", "quote_ident",
            "quote_literal", "quote_nullable", "to_json", "pg_typeof", "btrim")  # fmt: skip
"""Functions of one argument of text: a better fit for VARCHAR than the server's own."""

HOSTILE = {
    "sqlite": (
        "CREATE VIEW looked AS SELECT load_extension('/tmp/evil.so') FROM shown",
        "CREATE TRIGGER written AFTER UPDATE ON shown BEGIN INSERT INTO marks VALUES ('u'); END",
        "CREATE TRIGGER added AFTER INSERT ON shown BEGIN INSERT INTO marks VALUES ('i'); END",
        "CREATE INDEX sly ON shown (upper(name))",
    ),
    "postgresql": (
        "CREATE FUNCTION mark(what text) RETURNS boolean LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION ''% was run'', what; END'",
        *(
            f"CREATE FUNCTION {name}(varchar) RETURNS text LANGUAGE sql AS"
            f" 'SELECT mark(''{name}'')::text'"
            for name in SHADOWED
        ),
        "CREATE FUNCTION same(varchar, varchar) RETURNS boolean LANGUAGE sql AS"
        " 'SELECT mark(''='')'",
        "CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)",
        "CREATE OPERATOR < (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)",
        "CREATE VIEW looked AS SELECT mark('a view') FROM shown",
        "CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM mark(''a trigger''); RETURN NEW; END'",
        "CREATE TRIGGER written BEFORE INSERT OR UPDATE ON shown EXECUTE FUNCTION fired()",
        "CREATE POLICY hidden ON shown USING (mark('a policy'))",
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.count(integer) RETURNS bigint LANGUAGE sql AS"
        " 'SELECT mark(''count'')::int::bigint'",
    ),
    "mysql": (
        "CREATE FUNCTION mark(what VARCHAR(40)) RETURNS INT MODIFIES SQL DATA"
        " BEGIN INSERT INTO marks VALUES (what); RETURN 1; END",
        "CREATE SQL SECURITY INVOKER VIEW looked AS SELECT mark('a view') AS n FROM shown",
        "CREATE TRIGGER written BEFORE INSERT ON shown FOR EACH ROW"
        " INSERT INTO marks VALUES ('a trigger')",
        "CREATE FUNCTION `lower`(x VARCHAR(40)) RETURNS INT MODIFIES SQL DATA RETURN mark('lower')",
    ),
}
SETTINGS = {
    "postgresql": "ALTER DATABASE {} SET search_path = evil, public, pg_catalog",
    "mysql": "ALTER DATABASE {} CHARACTER SET latin1",
}


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A project whose old database is hostile, and frozen as it is; the new one has a table."""
    with served(request.param, tmp_path / "shop") as made:
        made.old(*TABLES, *HOSTILE[made.kind])
        if made.kind in SETTINGS:
            made.rows(1, SETTINGS[made.kind].format(made.quoted(made.name(1))))
        made.ran("freeze", "1", "--from", made.url(1))
        (made.root / "schemas" / "v2.py").write_text(SCHEMA)
        made.step('step.drop(old.marks, because="of no use")')
        yield made


@pytest.mark.fault("F83")
def test_i118_nothing_of_a_hostile_source_is_run(shop: Served) -> None:
    """Frozen, planned, checked, migrated, replaced and extracted: no mark, and every row."""
    again = "1to2 --fresh --replace --yes"
    for command in ("plan 1to2", "check 1to2", "1to2 --rehearse", "1to2", again, "extract 1"):
        assert "was run" not in shop.ran(*command.split()).said
    assert shop.rows(1, "SELECT count(*) FROM marks")[0] == (0,)
    held = "SELECT id, name, price FROM shown ORDER BY id"
    assert list(shop.rows(2, held)) == list(shop.rows(1, held))
