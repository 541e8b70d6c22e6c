"""The catalogue: what PRAGMAs do not tell is read from the text, in one normal form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators import drift
from migrators.backends.model import Catalog
from migrators.backends.sqlite import sql
from migrators.schema import SchemaVersion
from tests.backends.sqlite.conftest import backend, run

if TYPE_CHECKING:
    from pathlib import Path


def facts(tmp_path: Path, *statements: str) -> dict[tuple[str, str], str]:
    """Return the catalogue of a database made by these statements."""
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
    run(path, "CREATE TABLE keeps_the_file_from_being_empty (a INTEGER)", *statements)
    return {
        key: fact
        for key, fact in backend(path).catalog().objects.items()
        if not key[1].startswith("keeps_the_file")
    }


def test_every_kind_of_object_is_there(tmp_path: Path) -> None:
    """Tables, columns, keys, checks, collations, generated columns, indexes, triggers, views."""
    found = facts(
        tmp_path,
        "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        """CREATE TABLE c (
            id INTEGER NOT NULL, -- a comment, with a comma
            name VARCHAR(40) DEFAULT ('x') COLLATE NOCASE CONSTRAINT uq_name UNIQUE,
            "order" INT NOT NULL DEFAULT -1 REFERENCES p ON DELETE SET NULL,
            twice INTEGER GENERATED ALWAYS AS (id * 2) STORED,
            note TEXT REFERENCES p(id) NOT NULL,
            CONSTRAINT pk_c PRIMARY KEY (id, "order"),
            CONSTRAINT ck CHECK (id > 0 AND name <> 'a, b)'),
            CHECK (id < 100),
            FOREIGN KEY (id) REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED
        ) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX ix ON c (lower(name) DESC, id) WHERE id > 5",
        "CREATE TRIGGER tr AFTER INSERT ON c BEGIN DELETE FROM p; SELECT 1; END",
        "CREATE VIEW v AS SELECT id /* all */ FROM c",
    )
    assert found == {
        ("table", "p"): "autoincrement",
        ("column", "p.id"): "integer, not null",
        ("primary key", "p"): "id",
        ("table", "c"): "without rowid",
        ("column", "c.id"): "integer, not null",
        ("column", "c.name"): "varchar(40), collate nocase, default 'x'",
        ("column", "c.order"): "integer, not null, default - 1",
        ("column", "c.twice"): "integer, generated as ( id * 2 ) stored",
        ("column", "c.note"): "text, not null",
        ("primary key", "c"): 'id, "order", named pk_c',
        ("unique", "c(name)"): "named uq_name",
        ("check", "c.ck"): "id > 0 and name <> 'a, b)', named ck",
        ("check", "c.id < 100"): "id < 100",
        ("foreign key", 'c("order")'): "references p ( id ) on delete set null",
        ("foreign key", "c(note)"): "references p ( id )",
        ("foreign key", "c(id)"): "references p ( id ) deferrable initially deferred",
        ("index", "c.ix"): "create unique index ix on c ( lower ( name ) desc , id ) where id > 5",
        (
            "trigger",
            "c.tr",
        ): "create trigger tr after insert on c begin delete from p ; select 1 ; end",
        ("view", "v"): "create view v as select id from c",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "CREATE TABLE t (a INT PRIMARY KEY)",
            'CREATE TABLE t ("a" INTEGER NOT NULL, PRIMARY KEY (a))',
        ),
        ("CREATE TABLE t (A text default (5))", "CREATE TABLE t (A TEXT   DEFAULT 5)"),
        ("CREATE TABLE t (a TEXT UNIQUE)", "CREATE TABLE t (a TEXT, UNIQUE ([a]))"),
        ("CREATE TABLE t (a NUMERIC(10, 2))", "create table if not exists t (a numeric(10,2))"),
        ("CREATE TABLE t (a INTEGER CHECK (a>0))", "CREATE TABLE t (a INTEGER, CHECK ( A > 0 ))"),
    ],
)
def test_other_spellings_are_no_difference(tmp_path: Path, one: str, other: str) -> None:
    """Case, quotes, white space, brackets, and where a constraint is written do not count."""
    assert facts(tmp_path, one) == facts(tmp_path, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT NOT NULL)"),
        ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT COLLATE NOCASE)"),
        ("CREATE TABLE t (a TEXT DEFAULT 'x')", "CREATE TABLE t (a TEXT DEFAULT 'X')"),
        (
            "CREATE TABLE t (a INTEGER PRIMARY KEY)",
            "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)",
        ),
        (
            "CREATE TABLE t (a INTEGER, b INTEGER)",
            "CREATE TABLE t (a INTEGER, b INTEGER, UNIQUE (a, b))",
        ),
        ("CREATE TABLE t (a VARCHAR(10))", "CREATE TABLE t (a VARCHAR(20))"),
        ("CREATE TABLE t (a TEXT, CHECK (a <> 'x'))", "CREATE TABLE t (a TEXT, CHECK (a <> 'y'))"),
    ],
)
def test_differences_show(tmp_path: Path, one: str, other: str) -> None:
    """What makes a database behave otherwise is a difference."""
    assert facts(tmp_path, one) != facts(tmp_path, other)


def test_what_belongs_to_a_further_table_is_an_addition_as_it_is(tmp_path: Path) -> None:
    """Its trigger and its unique index too; those of a table that is known are drift."""
    known = facts(tmp_path, "CREATE TABLE t (a TEXT)")
    more = facts(
        tmp_path,
        "CREATE TABLE t (a TEXT)",
        "CREATE TABLE more (a TEXT)",
        "CREATE UNIQUE INDEX ux_more ON more (a)",
        "CREATE TRIGGER after_more AFTER INSERT ON more BEGIN SELECT 1; END",
        "CREATE UNIQUE INDEX ux_t ON t (a)",
        "CREATE TRIGGER after_t AFTER INSERT ON t BEGIN SELECT 1; END",
    )
    found = drift.compare(Catalog(more), Catalog(known))
    drifted = [difference.name for difference in found if not difference.additive]
    assert drifted == ["t.ux_t", "t.after_t"]
    assert {d.name for d in found} > {"more.ux_more", "more.after_more"}


def test_virtual_tables_are_named_without_their_stores(tmp_path: Path) -> None:
    """Full-text tables are one object; the tables they keep are not the application's."""
    found = facts(
        tmp_path, "CREATE VIRTUAL TABLE notes USING fts5(body)", "CREATE TABLE notes_old (a TEXT)"
    )
    assert sorted(found) == [
        ("column", "notes_old.a"),
        ("primary key", "notes_old"),
        ("table", "notes_old"),
        ("virtual table", "notes"),
    ]


def test_the_stamp_and_alembic_are_not_in_it(tmp_path: Path) -> None:
    """What `migrate` and Alembic keep is never drift."""
    from migrators.backends.interface import Stamp

    path = tmp_path / "shop.db"
    run(path, "CREATE TABLE t (a INTEGER)")
    before = backend(path).catalog()
    backend(path).write_stamp(Stamp(3, "f", alembic_head="abc"))
    assert backend(path).catalog() == before


def test_alembic_finds_its_head_and_nothing_to_do(tmp_path: Path) -> None:
    """Alembic sees the revision we wrote, and proposes no change."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from migrators.backends.interface import Stamp

    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.Text, index=True),
    )
    database = backend(tmp_path / "shop.db")
    schema = SchemaVersion(3, tmp_path / "v3.py", metadata)
    database.create(schema)
    database.finish(schema, {})
    database.write_stamp(Stamp(3, "f", alembic_head="abc123"))
    with database.engine().connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == "abc123"
        assert compare_metadata(context, metadata) == []


SCRIPT = """
-- a comment; with a semicolon
CREATE TABLE log (a TEXT DEFAULT ';');
CREATE TRIGGER tr AFTER INSERT ON t BEGIN
  INSERT INTO log VALUES ('a;b');
  INSERT INTO log VALUES ('c');
END;
CREATE VIEW v AS SELECT count(*) AS n FROM log
"""


def test_a_script_is_cut_into_statements() -> None:
    """Semicolons in comments, strings and triggers' bodies end nothing."""
    begins = [statement.split("\n")[0].split(" AS ")[0] for statement in sql.statements(SCRIPT)]
    assert begins == [
        "-- a comment; with a semicolon",
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN",
        "CREATE VIEW v",
    ]
