"""The live database against its schema."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from adbc_driver_sqlite import dbapi

from migrators.errors import Findings
from tests.unit.preflight.asking import checked, only_stop, stops

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

KEY = 'Column("id", Integer, primary_key=True)'
USERS = f't("users", {KEY}, Column("name", Text), Index("ix_name", "name"))'


def users(shop: Sandbox, *statements: str) -> None:
    """Lay out a database that is as its schema says, then change it."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 'ann')", *statements)


def test_drift_stops_and_says_what_to_do(shop: Sandbox) -> None:
    """A missing index is drift."""
    users(shop, "DROP INDEX ix_name")
    finding = only_stop(checked(shop))
    assert finding.title.endswith("shop_v1.db is not schemas/v1.py")
    assert "index users.ix_name" in finding.facts[0]
    assert "is missing" in finding.facts[0]
    assert "schemas/v1.py" in finding.mend[0]


def test_a_trigger_more_is_said_in_the_sql_beside_the_schema(shop: Sandbox) -> None:
    """The schema's module cannot hold it."""
    users(shop, "CREATE TRIGGER tr AFTER DELETE ON users BEGIN SELECT 1; END")
    finding = only_stop(checked(shop))
    assert finding.mend == (
        "bring the database to what schemas/v1.py says, in release 1;",
        "or, where the database is right, say so in schemas/v1.after.sqlite.sql: trigger users.tr",
    )


def test_what_was_added_within_the_major_is_a_note(shop: Sandbox) -> None:
    """A further view holds no data; it stays behind, and that is said."""
    users(shop, "CREATE VIEW v AS SELECT 1", "CREATE INDEX ix_more ON users (id, name)")
    found = checked(shop)
    assert stops(found) == []
    (note,) = found.findings
    assert note.level == "note"
    assert note.title.endswith("has more than schemas/v1.py: it stays behind")
    assert note.facts == ("index users.ix_more", "view v")
    assert any(line.endswith("shop_v1.db is schemas/v1.py") for line in found.ok)


def test_a_table_or_column_more_that_is_empty_is_a_note(shop: Sandbox) -> None:
    """There is nothing in them that could be lost: they stay behind, and the receipt says so."""
    users(
        shop,
        "INSERT INTO users (id) VALUES (7)",
        "ALTER TABLE users ADD COLUMN nick TEXT",
        "CREATE TABLE more (id INTEGER)",
    )
    more = ("column users.nick", "table more")
    found = checked(shop)
    assert stops(found) == []
    assert [(f.level, f.facts) for f in found.findings] == [("note", more)]
    assert shop.migrate().unknown == more


def test_a_full_text_table_more_that_is_empty_is_a_note(shop: Sandbox) -> None:
    """As any other table; where the module that it is of is missing, nobody can say it is empty."""
    with closing(dbapi.connect(":memory:")) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA compile_options")
        if ("ENABLE_FTS5",) not in cursor.fetchall():
            pytest.skip("this SQLite of ADBC has no FTS5")
    users(shop, "CREATE VIRTUAL TABLE words USING fts5(body)")
    found = checked(shop)
    assert stops(found) == []
    assert [(f.level, f.facts) for f in found.findings] == [("note", ("virtual table words",))]
    assert shop.migrate().unknown == ("virtual table words",)
    shop.sql("INSERT INTO words VALUES ('cheese')")
    assert only_stop(checked(shop)).facts == ("virtual table words",)


def test_data_that_the_schema_does_not_know_of_stops(shop: Sandbox) -> None:
    """F83: nobody has said where a further column's values or a further table's rows go."""
    users(
        shop,
        "ALTER TABLE users ADD COLUMN nick TEXT",
        "INSERT INTO users (id, nick) VALUES (7, 'x')",
        "CREATE TABLE more (id INTEGER)",
        "INSERT INTO more VALUES (NULL)",
    )
    finding = only_stop(checked(shop))
    assert finding.title == "shop_v1.db holds what schemas/v1.py does not know of"
    assert finding.facts == ("column users.nick", "table more")
    assert finding.mend[0].startswith("migrate freeze 1 --from sqlite:///")
    with pytest.raises(Findings, match=r"column users\.nick is in the database only"):
        shop.migrate()


def test_a_table_that_is_gone_hides_nothing_else(shop: Sandbox) -> None:
    """What cannot be asked is said; the rest is asked all the same."""
    more = '\nt("other", Column("id", Integer, primary_key=True), Column("n", Text{}))'
    shop.schema(1, USERS + more.format(""))
    shop.schema(2, USERS + more.format(", nullable=False"))
    shop.step("")
    shop.create("INSERT INTO other VALUES (7, NULL)", "DROP TABLE users")
    found = checked(shop)
    drift, nulls = stops(found)
    assert "is not schemas/v1.py" in drift.title
    assert nulls.title == "other.n is NOT NULL in schema 2"
    unasked = [f.title for f in found.findings if f.level == "note"]
    assert "users was not checked, because the database drifted" in unasked


def test_unique_keys_that_drifted_away_prove_nothing(shop: Sandbox) -> None:
    """Where the old UNIQUE is gone, the rows are asked after all."""
    unique = f't("users", {KEY}, Column("n", Text), UniqueConstraint("n"))'
    shop.schema(1, unique)
    shop.schema(2, unique)
    shop.step("")
    shop.create()
    shop.sql(
        "DROP TABLE users",
        "CREATE TABLE users (id INTEGER NOT NULL, n TEXT, PRIMARY KEY (id))",
        "INSERT INTO users VALUES (1, 'x'), (2, 'x')",
    )
    titles = [f.title for f in stops(checked(shop))]
    assert "users.n is UNIQUE in schema 2" in titles


def test_nothing_is_changed(shop: Sandbox) -> None:
    """The old file is byte for byte what it was, and the new one is not made."""
    users(shop)
    before = shop.database().read_bytes()
    checked(shop)
    assert shop.database().read_bytes() == before
    assert not shop.database(2).exists()
    assert sorted(p.name for p in shop.root.glob("shop_v*")) == ["shop_v1.db"]
    assert list((shop.root / "scratch").iterdir()) == []


_ALEMBIC = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "INSERT INTO alembic_version VALUES ('a1')",
)


def frozen_at(shop: Sandbox, version: int, head: str) -> None:
    """Say in a schema module which of Alembic's revisions it equals."""
    path = shop.root / "schemas" / f"v{version}.py"
    path.write_text(path.read_text("utf-8") + f'\nalembic_head = "{head}"\n', "utf-8")


def test_alembic_is_where_it_was_frozen(shop: Sandbox) -> None:
    """One line says both, and there is nothing to note."""
    users(shop, *_ALEMBIC)
    frozen_at(shop, 1, "a1")
    frozen_at(shop, 2, "b1")
    found = checked(shop)
    assert found.ok[0].endswith("shop_v1.db is schemas/v1.py; Alembic at a1, as frozen")
    assert found.findings == ()


def test_alembic_has_gone_on_since_the_freeze(shop: Sandbox) -> None:
    """A note: its table is never drift, and the catalogue is compared anyway."""
    users(shop, *_ALEMBIC)
    frozen_at(shop, 1, "a0")
    frozen_at(shop, 2, "b1")
    (note,) = checked(shop).findings
    assert (note.level, note.title) == (
        "note",
        "Alembic is at a1; schemas/v1.py was frozen at a0",
    )
    assert note.mend[0].startswith("migrate freeze 1 --from sqlite:///")


def test_a_new_schema_that_forgets_alembic(shop: Sandbox) -> None:
    """The new database would have no revision: `alembic upgrade head` would begin at the first."""
    users(shop, *_ALEMBIC)
    frozen_at(shop, 1, "a1")
    (note,) = checked(shop).findings
    assert note.title.startswith("schemas/v2.py names no alembic_head")
    assert note.mend == (
        'alembic_head = "REVISION"     in schemas/v2.py: the one that makes schema 2',
    )
