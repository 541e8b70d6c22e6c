"""Names, keys, constraints and kinds of tables that break tools: arrive, or are refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from migrators.errors import DatabaseError, ExtractError, Findings, MigrateError, PlanError
from migrators.errors import ValueRefused as Refused
from migrators.events import silent
from migrators.report.accounting import count_lines
from migrators.run import Options, create
from tests.engine.journey import NOTES, inserts, named, numbered, quoted, rules
from tests.unit.preflight.asking import checked, only_stop, stops

if TYPE_CHECKING:
    from tests.engine.journey import Journey
    from tests.sandbox import Sandbox

NAMES = {
    "reserved": "select",
    "reserved in a function": "default",
    "mixed case": "UserGroup",
    "quoted": 'say "it"',
    "apostrophe": "o'clock",
    "newline": "two\nlines",
    "comma": "a,b;c",
    "emoji": "🧀 shop",
    "63 bytes": "t" * 63,
    "64 bytes": "ä" * 32,
    "255 bytes": "n" * 255,
    "percent": "100%s %(x)s",
    "colon": "a:b?c",
    "brackets": "[a](b)",
    "backslash": "a\\b`c",
    "dots": "../../etc/passwd",
    "spaces": "  edge ",
    "sql": 'x"; DROP TABLE notes; --',
    "right to left": "\u202eאב",
    "null": "NULL",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_f65_awkward_names_arrive(journey: Journey, name: str) -> None:
    """As table, column, index, constraint, in a primary key and in a foreign key."""
    journey.schemas(
        f"""
        N = {name!r}
        t(N, Column("id", Integer, primary_key=True), Column(N, Text, nullable=False),
          UniqueConstraint(N, name="u " + N[:200]), Index("i " + N[:200], N))
        t("child", Column(N, Integer, ForeignKey(sa.Column("id", Integer)), primary_key=True))
    """.replace('ForeignKey(sa.Column("id", Integer))', "ForeignKey(metadata.tables[N].c.id)")
    )
    journey.arrives(inserts(name, [(1, "a"), (2, "b")]), inserts("child", [(2,)]))
    assert journey.shop.rows(f"SELECT * FROM {quoted(name)}") == [(1, "a"), (2, "b")]


def test_f65_a_step_speaks_of_awkward_names(journey: Journey) -> None:
    """Renaming, conditions and rules over them."""
    name = 'say "it"\n%s'
    journey.schemas(
        f't({name!r}, Column("id", Integer, primary_key=True), Column({name!r}, Text))',
        NOTES.format("Integer"),
        f"""
        old = old[{name!r}]
        step.table(new.notes, source=old).values(x=rules.integer(old.c[{name!r}]))
        step.table(new.notes, source=old).drop_rows(old.c[{name!r}] == "100%", because="a:b")
        """,
    )
    journey.converts(inserts(name, [(1, "7"), (2, "100%")]))
    assert journey.shop.rows("SELECT * FROM notes") == [(1, 7)]
    journey.shop.database(2).unlink()
    journey.shop.sql(f"UPDATE {quoted(name)} SET {quoted(name)} = 'x'")
    assert named(journey.stops(Refused)) == ("notes", "x", 2, ["id 1", "id 2"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            't("a", Column("x", Text))\nt("A", Column("x", Text))',
            "table A and table a are one name to SQLite: rename one",
        ),
        (
            't("a", Column("x", Text), Column("X", Text))',
            "column a.X and column a.x are one name to SQLite: rename one",
        ),
        (
            't("a", Column("x", Text, index=True), Index("IX_A_X", "x"))',
            "index ix_a_x and index IX_A_X are one name to SQLite: rename one",
        ),
        (
            't("a", Column("x", Text), Index("i", "x"))\n'
            't("b", Column("x", Text), Index("i", "x"))',
            "index i and index i are one name to SQLite: rename one",
        ),
        (
            't("a", Column("x", Text), Index("NOTES", "x"))',
            "index NOTES has the name of the table notes: rename one",
        ),
        (
            't("log", Column("x", Text), schema="audit")',
            "audit.log is in the schema 'audit', and a SQLite file has none: "
            "name the table without it",
        ),
    ],
    ids=["tables", "columns", "indexes", "indexes of two tables", "index and table", "schemas"],
)
def test_f65_names_that_sqlite_cannot_hold_are_refused_by_the_plan(
    shop: Sandbox, body: str, said: str
) -> None:
    """Before a row is read; an empty database of such a schema is refused in the same words."""
    shop.schema(1, TEXT)
    shop.schema(2, TEXT + body)
    shop.step("")
    with pytest.raises(PlanError) as caught:
        shop.plan()
    problems = [problem for problem in caught.value.problems if "name" in problem]
    assert problems == [f"schemas/v2.py, {said}"]
    with pytest.raises(DatabaseError) as refused:
        create(shop.project, 2, Options(), emit=silent)
    assert refused.value.message == said
    assert not list(shop.root.glob("*.db"))


def test_f65_letters_that_sqlite_does_not_fold_are_two_names(journey: Journey) -> None:
    """It folds A to Z only."""
    journey.schemas(TEXT, TEXT + 't("ä", Column("x", Text))\nt("Ä", Column("x", Text))')
    journey.converts(numbered(["a"]))
    assert journey.shop.rows('SELECT * FROM "Ä"') == []


TEXT = NOTES.format("Text")
INJECTED = '"; DROP TABLE notes; --'


def test_f66_sql_in_labels_defaults_reasons_and_values_is_inert(journey: Journey) -> None:
    """Enum labels, constants, reasons, titles and server defaults are literals, not SQL."""
    evil = "'; DROP TABLE notes; --"
    body = (
        f't("notes", Column("id", Integer, primary_key=True), Column("x", Enum("ok", {evil!r})),'
        f' Column("y", Text{{}}))'
    )
    journey.schemas(
        body.format(""),
        body.format(f", server_default={evil!r}") + f'\nt({INJECTED!r}, Column("x", Text))',
        f"""
        step.table(new.notes).values(y={evil!r})
        step.drop(old.notes.c.y, because={evil!r})
        step.table(new.notes).drop_rows(old.notes.c.x == {evil!r}, because={evil!r})
        step.same({evil!r}, old=select(func.count(old.notes.c.id)), new=select(sa.literal("3")))
        """,
    )
    journey.shop.create(inserts("notes", [(1, "ok", evil), (2, evil, evil)]))
    error = journey.stops(MigrateError)
    assert evil in error.message
    script = journey.shop.root / "migrators/1to2.py"
    lines = [line for line in script.read_text().splitlines() if "step.same" not in line]
    script.write_text("\n".join(lines) + "\n")
    receipt = journey.goes(changed=["notes"])
    assert journey.shop.rows("SELECT * FROM notes") == [(1, "ok", evil)]
    assert [(x.because, x.rows) for x in receipt.tables[-1].left] == [(evil, 1)]


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("name", INJECTED),
        ("file", "../../outside.csv"),
        ("file", "/etc/passwd"),
        ("column", 'id" FROM x; --'),
        ("type", "integer(32); DROP"),
        ("sequence", INJECTED),
    ],
)
def test_f66_sql_in_a_manifest_is_refused(journey: Journey, key: str, bad: str) -> None:
    """Names come from the schema module; a manifest may only repeat them."""
    journey.schemas(TEXT)
    journey.shop.create(numbered(["a"]))
    source = journey.extract()
    path = source / "manifest.json"
    manifest = json.loads(path.read_text())
    table = manifest["tables"][0]
    match key:
        case "name":
            table["name"] = bad
        case "file":
            table["files"][0]["name"] = bad
        case "column":
            table["columns"][0]["name"] = bad
        case "type":
            table["columns"][0]["type"] = bad
        case _:
            manifest["sequences"] = {bad: 1}
    path.write_text(json.dumps(manifest))
    assert str(source) in journey.not_loaded(source, ExtractError).message
    assert not (journey.shop.root / "outside.csv").exists()


def test_f67_names_that_share_a_file_name_get_files_of_their_own(journey: Journey) -> None:
    """255 bytes, capitals, what Windows reserves, a name and the file name of another."""
    names = [
        "n" * 255,
        "n" * 254 + "m",
        "Users",
        "users_",
        "con",
        "nul",
        "a.b",
        "a-b",
        "a b",
        "é",
        "e",
    ]
    journey.schemas("\n".join(f't({n!r}, Column("x", Text))' for n in names))
    journey.arrives(*(inserts(n, [(n,)]) for n in names))
    files = [p.name for p in journey.extract().iterdir() if p.name != "manifest.json"]
    assert len({f.lower() for f in files}) == len(names)
    assert max(len(f) for f in files) < 200


SELF = (
    't("nodes", Column("id", Integer, primary_key=True),'
    ' Column("parent", Integer, ForeignKey("nodes.id")))\n'
)


def test_f68_rows_that_refer_forward_to_their_own_table(journey: Journey) -> None:
    """Parents after children, a row that is its own parent, a circle within one table."""
    journey.schemas(SELF)
    journey.arrives(inserts("nodes", [(1, 3), (2, 2), (3, 1), (4, None), (5, 4)]))
    assert journey.shop.rows("PRAGMA foreign_key_check") == []


def test_f69_tables_that_refer_to_each_other(journey: Journey) -> None:
    """In a circle of three, each NOT NULL; checked after the data, and declared as before."""
    circle = "\n".join(
        f't("{a}", Column("id", Integer, primary_key=True), Column("{b}_id", Integer,'
        f' ForeignKey("{b}.id", name="fk_{a}", use_alter=True), nullable=False))'
        for a, b in (("a", "b"), ("b", "c"), ("c", "a"))
    )
    journey.schemas(circle)
    rows = [(1, 2), (2, 1)]
    journey.arrives(*(inserts(t, rows) for t in "abc"))
    for table in "abc":
        keys = f"SELECT * FROM pragma_foreign_key_list('{table}')"
        assert journey.shop.rows(keys) == journey.shop.rows(keys, 1) != []


def test_f69_a_circle_that_does_not_close_is_refused(journey: Journey) -> None:
    """Order does not excuse a reference to nothing."""
    journey.schemas(SELF)
    error = journey.refused(Refused, inserts("nodes", [(1, 3), (2, 9), (3, 1), (4, 8)]))
    assert named(error) == ("nodes", "parent", 2, ["id 2", "id 4"])


PARENTS = 't("parents", Column("id", Integer, primary_key=True))\n'
CHILDREN = (
    't("children", Column("id", Integer, primary_key=True),'
    ' Column("parent_id", Integer, ForeignKey("parents.id")))\n'
)


def test_f70_a_source_that_breaks_its_foreign_key(journey: Journey) -> None:
    """`check` finds it with count and keys; a run is refused, too."""
    journey.schemas(PARENTS + CHILDREN)
    error = journey.refused(
        Refused,
        inserts("parents", [(1,)]),
        inserts("children", [(1, 1), (2, 5), (3, 6), (4, None)]),
    )
    assert named(error) == ("children", "parent_id", 2, ["id 2", "id 3"])
    finding = only_stop(checked(journey.shop))
    assert "children.parent_id" in finding.title
    assert "2" in finding.facts[0]


def test_f70_a_source_that_breaks_its_check(journey: Journey) -> None:
    """Written with `PRAGMA ignore_check_constraints`; found before, refused by the new table."""
    journey.schemas(
        't("notes", Column("id", Integer, primary_key=True), Column("x", Integer),'
        ' CheckConstraint("x > 0", name="positive"))'
    )
    error = journey.refused(
        Refused, "PRAGMA ignore_check_constraints = ON", numbered([1, -1, 0, None])
    )
    assert named(error) == ("notes", "positive", 2, ["id 2", "id 3"])
    finding = only_stop(checked(journey.shop))
    assert "positive" in " ".join([finding.title, *finding.facts])
    assert "id 2" in " ".join(finding.facts)


def test_f70_a_null_in_a_primary_key(journey: Journey) -> None:
    """SQLite lets NULL into a key that is no integer, even several."""
    journey.schemas('t("notes", Column("x", Text, primary_key=True), Column("y", Integer))')
    journey.shop.sql("CREATE TABLE notes (x TEXT, y INTEGER, PRIMARY KEY (x))")
    error = journey.refused(Refused, "INSERT INTO notes VALUES (NULL, 1), ('a', 2), (NULL, 3)")
    assert (error.table, error.column, error.count) == ("notes", "x", 2)
    finding = only_stop(checked(journey.shop))
    assert "notes.x" in finding.title
    assert "2 rows" in finding.facts[0]


def test_f70_a_null_in_a_not_null_column(journey: Journey) -> None:
    """A column that becomes NOT NULL: found before, refused by the run."""
    journey.schemas(TEXT, NOTES.format("Text, nullable=False"))
    error = journey.refused(Refused, numbered(["a", None, "", None]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 4"])
    assert "notes.x" in only_stop(checked(journey.shop)).title


def test_f71_duplicate_rows_without_a_key_keep_their_number(journey: Journey) -> None:
    """Rows are compared as a multiset; none is lost, none doubled."""
    journey.schemas('t("log", Column("x", Text), Column("y", Integer), Column("z", Float))')
    rows = [("a", 1, 0.5)] * 3 + [("a", None, None)] * 2 + [(None, None, None)] * 4 + [("", 1, 0.5)]
    receipt = journey.arrives(inserts("log", rows))
    assert [(t.read, t.written) for t in receipt.tables] == [(10, 10)]
    assert len(journey.cells("log")) == 10


def test_f71_a_lost_and_a_doubled_row_are_noticed(journey: Journey) -> None:
    """The number of rows is the same, and verification still tells."""
    from migrators.errors import VerifyMismatch
    from migrators.events import silent
    from migrators.run import verify_only

    journey.schemas('t("log", Column("x", Text))')
    journey.arrives(inserts("log", [("a",), ("a",), ("b",)]))
    source = journey.extract()
    verify_only(journey.shop.project, source, emit=silent)
    journey.shop.sql("UPDATE log SET x = 'b' WHERE rowid = 1", version=2)
    with pytest.raises(VerifyMismatch, match="log"):
        verify_only(journey.shop.project, source, emit=silent)


def test_f72_null_keys_are_included(journey: Journey) -> None:
    """Rows whose unique key is NULL, wholly or in part, several of them."""
    journey.schemas(
        't("notes", Column("x", Integer, unique=True), Column("y", Text),'
        ' UniqueConstraint("x", "y"))'
    )
    journey.arrives(inserts("notes", [(None, "a"), (None, "a"), (1, None), (2, "b"), (None, None)]))
    assert journey.shop.rows("SELECT count(*) FROM notes WHERE x IS NULL") == [(3,)]


def test_f73_keys_at_the_edges_are_all_there(journey: Journey) -> None:
    """Negative, sparse, the smallest and the largest; real keys; collated ones; two columns."""
    journey.schemas(
        't("i", Column("id", BigInteger, primary_key=True))\n'
        't("r", Column("id", Float, primary_key=True))\n'
        't("c", Column("id", String(9, collation="NOCASE"), primary_key=True))\n'
        't("d", Column("id", Numeric(10, 2), primary_key=True))\n'
        't("p", Column("a", Text, primary_key=True), Column("b", Integer, primary_key=True))\n'
        't("b", Column("id", LargeBinary, primary_key=True))\n'
    )
    journey.arrives(
        inserts("i", [(-(2**63),), (-1,), (0,), (1,), (2**62,), (2**63 - 1,)]),
        inserts("r", [(-1e308,), (-0.5,), (0.0,), (5e-324,), (1e308,)]),
        "INSERT INTO r VALUES (9e999), (-9e999)",
        inserts("c", [("b",), ("A",), ("a b",), ("C",), ("",), ("é",), ("É",)]),
        inserts("d", [(-0.01,), (10,), (9.99,), (100000,)]),
        inserts("p", [("b", 1), ("a", 2), ("a", -1), ("", 5), ("B", 1)]),
        inserts("b", [(b"",), (b"\0",), (b"\xff",), (b"\0\0",)]),
    )


def test_f74_partial_and_expression_indexes_are_there_and_used(journey: Journey) -> None:
    """Declared as before, unique where they are, and the planner takes them."""
    journey.schemas("""
        n = t("notes", Column("id", Integer, primary_key=True), Column("x", Text),
              Column("gone", Boolean))
        Index("live", n.c.x, unique=True, sqlite_where=n.c.gone == sa.false())
        Index("folded", sa.func.lower(n.c.x))
        Index("down", n.c.x.desc())
    """)
    rows = [(1, "a", 0), (2, "a", 1), (3, "A", 0), (4, None, 0), (5, "a", 1)]
    journey.arrives(inserts("notes", rows))
    made = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql > '' ORDER BY name"
    assert [name for name, _ in journey.shop.rows(made)] == ["down", "folded", "live"]
    assert journey.shop.rows(made) == journey.shop.rows(made, 1)
    plan = journey.shop.rows(
        "EXPLAIN QUERY PLAN SELECT * FROM notes INDEXED BY folded WHERE lower(x) = 'a'"
    )
    assert "folded" in plan[0][3]
    assert journey.shop.rows("PRAGMA integrity_check") == [("ok",)]
    with pytest.raises(sqlite3.IntegrityError):
        journey.shop.sql("INSERT INTO notes VALUES (9, 'a', 0)", version=2)


def test_f74_a_new_partial_unique_index_that_rows_break_is_refused(journey: Journey) -> None:
    """By name, and nothing is there."""
    old = NOTES.format("Text")
    new = 'n = t("notes", Column("id", Integer, primary_key=True), Column("x", Text))\n'
    journey.schemas(old, new + 'Index("one", n.c.x, unique=True, sqlite_where=n.c.id.in_([2, 3]))')
    error = journey.refused(Refused, numbered(["a", "b", "b", "a"]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    journey.shop.sql("DELETE FROM notes WHERE id = 3")
    journey.goes()


def test_f75_triggers_do_not_fire_during_the_load(journey: Journey) -> None:
    """They are made after the rows, and work from then on."""
    journey.schemas(NOTES.format("Text") + 't("log", Column("x", Text))')
    trigger = (
        "CREATE TRIGGER seen AFTER INSERT ON notes BEGIN INSERT INTO log VALUES ('seen'); END;"
    )
    veto = (
        "CREATE TRIGGER no BEFORE INSERT ON log WHEN NEW.x = 'no'"
        " BEGIN SELECT RAISE(FAIL, 'no'); END;"
    )
    for version in (1, 2):
        journey.shop.write(f"schemas/v{version}.after.sql", f"{trigger}\n{veto}\n")
    journey.shop.create(numbered(["a", "b"]), inserts("log", [("no",)]), trigger, veto)
    journey.goes()
    assert journey.shop.rows("SELECT * FROM log") == [("no",)]
    journey.shop.sql("INSERT INTO notes VALUES (3, 'c')", version=2)
    assert journey.shop.rows("SELECT * FROM log") == [("no",), ("seen",)]


def test_f76_views_of_views_come_in_their_order(journey: Journey) -> None:
    """After the tables that they read; the one that stands below reads the one above."""
    journey.schemas(TEXT, 't("texts", Column("id", Integer, primary_key=True), Column("x", Text))',
                    "step.table(new.texts, source=old.notes)")  # fmt: skip
    journey.shop.write(
        "schemas/v2.after.sql",
        "CREATE VIEW full_ones AS SELECT * FROM texts WHERE x > '';\n"
        "CREATE VIEW how_many AS SELECT count(*) AS n FROM full_ones;\n",
    )
    journey.converts(numbered(["a", "", None, "b"]))
    assert journey.shop.rows("SELECT n FROM how_many") == [(2,)]


def test_f76_sql_that_does_not_run_is_refused_by_name(journey: Journey) -> None:
    """The statement is shown; nothing is published."""
    journey.schemas(TEXT)
    journey.shop.write(
        "schemas/v2.after.sql", "CREATE VIEW a AS SELECT 1; CREAT VIEW b AS SELECT 1;"
    )
    error = journey.refused(DatabaseError, numbered(["a"]))
    assert "CREAT VIEW b" in error.message


def test_f74_a_new_unique_index_over_an_expression_that_rows_break(journey: Journey) -> None:
    """Folded and descending; NULLs are equal to none."""
    journey.schemas(
        TEXT,
        """
        n = t("notes", Column("id", Integer, primary_key=True), Column("x", Text))
        Index("folded", sa.func.lower(n.c.x).desc(), unique=True)
        """,
    )
    error = journey.refused(Refused, numbered(["a", "b", "B", None, None]))
    assert named(error) == ("notes", "lower(x)", 2, ["id 2", "id 3"])


def test_f71_a_new_primary_key_that_rows_break(journey: Journey) -> None:
    """Two columns; every row in the way is counted, and some are named."""
    body = 't("log", Column("x", Text{0}), Column("y", Integer{0}))'
    journey.schemas(body.format(""), body.format(", primary_key=True"))
    error = journey.refused(
        Refused, inserts("log", [("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)])
    )
    assert named(error) == ("log", "x, y", 5, ["x a, y 1"] * 3 + ["x b, y 1"] * 2)


@pytest.mark.parametrize("columns", [1_600, 1_999, 2_000])
def test_f78_a_very_wide_table(journey: Journey, columns: int) -> None:
    """SQLite takes 2,000 columns; more cells in a row than a driver has parameters."""
    body = f"""
        t("wide", Column("id", Integer, primary_key=True),
          *(Column(f"c{{i}}", Text if i % 2 else Integer) for i in range({columns - 1})))
    """
    journey.schemas(body)
    cells = [f"'{i}'" if i % 2 else str(i) for i in range(columns - 1)]
    row = ", ".join(cells)
    journey.converts(
        f"INSERT INTO wide VALUES (1, {row})", "INSERT INTO wide (id, c0) VALUES (2, NULL)"
    )
    for one, other in zip(
        journey.shop.rows("SELECT * FROM wide", 1), journey.shop.rows("SELECT * FROM wide"),
        strict=True,
    ):  # fmt: skip
        assert one == other


def test_f78_more_terms_than_a_select_may_have_are_refused(journey: Journey) -> None:
    """Decimals and JSON are read by two terms each, of which SQLite has 2,000."""
    journey.schemas("""
        t("wide", Column("id", Integer, primary_key=True),
          *(Column(f"c{i}", JSON if i % 2 else Numeric(5, 2)) for i in range(1_100)))
    """)
    error = journey.refused(DatabaseError, "INSERT INTO wide (id) VALUES (1)")
    assert error.message.startswith("wide: to read 1101 columns at once takes 2201 terms")


def test_f79_tables_without_rowid_and_strict_ones_arrive(journey: Journey) -> None:
    """As they were declared, rows and all."""
    journey.schemas("""
        t("slim", Column("k", Text, primary_key=True), Column("n", Integer, primary_key=True),
          Column("x", LargeBinary), sqlite_with_rowid=False)
        t("firm", Column("id", Integer, primary_key=True), Column("x", Text),
          sqlite_strict=True)
    """)
    journey.arrives(
        inserts("slim", [("b", 1, b""), ("a", 2, None), ("a", 1, b"\0")]),
        inserts("firm", [(1, "007"), (2, None)]),
    )
    made = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name IN ('slim', 'firm')"
    assert sorted(journey.shop.rows(made)) == sorted(journey.shop.rows(made, 1))
    assert "WITHOUT ROWID" in str(journey.shop.rows(made))
    assert "STRICT" in str(journey.shop.rows(made))


ANY = [
    ([1, -(2**63), None], "Integer"),
    (["1", "007", "x", None], "Text"),
    ([1.5, 0.5, None], "sa.REAL"),
    ([b"1", None], "LargeBinary"),
]


@pytest.mark.parametrize(("values", "declared"), ANY, ids=[d for _, d in ANY])
def test_f79_any_of_a_strict_table_is_what_its_values_are(
    journey: Journey, values: list[Any], declared: str
) -> None:
    """SQLite keeps there whatever comes, as it comes; `freeze` and drift look at the values."""
    journey.schemas(NOTES.format(declared).replace("))\n", "), sqlite_strict=True)\n"))
    journey.shop.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, x ANY) STRICT")
    journey.shop.sql(numbered(values))
    journey.converts_what_is_there()
    kept = "SELECT id, x, typeof(x) FROM notes ORDER BY id"
    assert journey.shop.rows(kept) == journey.shop.rows(kept, 1)


def test_f79_any_of_values_of_several_kinds_is_refused(journey: Journey) -> None:
    """No column of an extract holds both: which rows hold what is said."""
    journey.schemas(NOTES.format("Text").replace("))\n", "), sqlite_strict=True)\n"))
    journey.shop.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, x ANY) STRICT")
    journey.shop.sql(numbered(["1", 1, b"1", None]))
    assert named(journey.stops(Refused))[:4] == ("notes", "x", 2, ["id 2", "id 3"])


def test_f79_a_broken_reference_from_a_table_without_rowid_is_refused(journey: Journey) -> None:
    """SQLite does not say which row; the table, the column and the number are still named."""
    journey.schemas(
        PARENTS + 't("slim", Column("k", Text, primary_key=True), Column("parent_id", Integer,'
        ' ForeignKey("parents.id")), sqlite_with_rowid=False)'
    )
    error = journey.refused(Refused, inserts("slim", [("a", 1), ("b", None), ("c", 2)]))
    assert named(error)[:3] == ("slim", "parent_id", 2)


def test_f79_a_full_text_index_that_no_schema_knows_is_refused(journey: Journey) -> None:
    """Its rows would be left behind; the name is said."""
    journey.schemas(TEXT)
    error = journey.refused(
        Findings,
        numbered(["a"]),
        "CREATE VIRTUAL TABLE words USING fts5(x)",
        "INSERT INTO words VALUES ('cheese')",
    )
    assert "words" in error.message


def test_f79_a_full_text_index_made_after_the_data_is_there(journey: Journey) -> None:
    """Where the schema's own SQL makes and fills it, on both sides."""
    journey.schemas(TEXT)
    script = (
        "CREATE VIRTUAL TABLE words USING fts5(x);\n"
        "INSERT INTO words (rowid, x) SELECT id, x FROM notes;\n"
    )
    for version in (1, 2):
        journey.shop.write(f"schemas/v{version}.after.sql", script)
    journey.shop.create(numbered(["old cheese", "wine"]), *script.strip().split("\n"))
    journey.converts_what_is_there()
    assert journey.shop.rows("SELECT rowid FROM words WHERE words MATCH 'cheese'") == [(1,)]


SIDE = "CREATE TABLE side(a);\n"


@pytest.mark.parametrize("beside", ["", SIDE, f"{SIDE}INSERT INTO side SELECT 1 WHERE 0;\n"])
def test_f83_rows_of_a_table_that_only_sql_beside_a_schema_makes(
    journey: Journey, beside: str
) -> None:
    """No step can read them; SQL that has filled nothing is noticed before the publish."""
    journey.schemas(TEXT)
    journey.shop.write("schemas/v1.after.sql", SIDE)
    journey.shop.write("schemas/v2.after.sql", beside)
    journey.shop.create(numbered(["a"]), SIDE, "INSERT INTO side VALUES (7)")
    with pytest.raises(Findings, match=r"rows in .*side"):
        journey.shop.migrate()
    assert not journey.shop.database(2).exists()
    if "INSERT" not in beside:
        finding = only_stop(checked(journey.shop))
        assert "only SQL beside schemas/v1.py makes side" in finding.title
    journey.shop.sql("DELETE FROM side")
    assert journey.shop.migrate().outcome == "published"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("(2, 'seven'), (3, '7x')", "text"),
        ("(2, x'37'), (3, x'')", "blob"),
        ("(2, 1.5), (3, 9e999)", "real"),
    ],
)
def test_f80_what_is_no_integer_in_an_integer_column(
    journey: Journey, cells: str, told: str
) -> None:
    """Found by storage class, before and in the run."""
    journey.schemas(NOTES.format("Integer"))
    error = journey.refused(Refused, f"INSERT INTO notes VALUES (1, 1), {cells}")
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    assert f"is {told} where integer(32) is declared" in error.reason
    finding = only_stop(checked(journey.shop))
    assert finding.title == "notes.x holds what is not integer(32)"


def test_f80_a_wrong_cell_after_many_good_ones(journey: Journey) -> None:
    """In a later batch than the first, where a driver has made up its mind."""
    journey.schemas(NOTES.format("Integer"))
    error = journey.refused(
        Refused,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)"
        " INSERT INTO notes SELECT i, i FROM n",
        "UPDATE notes SET x = 'bad' WHERE id = 69999",
    )
    assert named(error) == ("notes", "x", 1, ["id 69999"])


def test_f81_nulls_first_and_values_later(journey: Journey) -> None:
    """More NULLs than a batch has rows, of every kind, and then a value."""
    journey.schemas(
        't("notes", Column("id", Integer, primary_key=True), Column("x", Text),'
        ' Column("i", Integer), Column("f", Float),'
        ' Column("d", Numeric(10, 2)), Column("b", LargeBinary),'
        ' Column("t", DateTime), Column("j", JSON), Column("u", Uuid))'
    )
    journey.arrives(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 65600)"
        " INSERT INTO notes (id) SELECT i FROM n",
        "INSERT INTO notes VALUES (65601, '007', 9007199254740993, 0.1, 12.34, x'00',"
        " '2024-01-01 00:00:00.000000', '[1]', '00112233445566778899aabbccddeeff')",
    )
    assert journey.shop.rows("SELECT count(*), count(x), count(u) FROM notes") == [(65601, 1, 1)]


def test_f82_decimals_held_as_reals_are_exact_where_declared(journey: Journey) -> None:
    """What SQLAlchemy wrote as Numeric(10, 2): integers, reals, money."""
    journey.schemas(NOTES.format("Numeric(10, 2)"))
    values = [0.1, 12345678.99, -0.01, 100, 0.07, 1.10, None]
    journey.arrives(numbered(values))
    assert [x for (x,) in journey.shop.rows("SELECT x FROM notes ORDER BY id")] == values


def test_f82_reals_that_are_no_decimals_need_a_declared_rounding(journey: Journey) -> None:
    """0.1 + 0.2 is not 0.30 by itself; the step may say that it is, and that is counted."""
    journey.schemas(NOTES.format("Numeric(10, 2)"))
    error = journey.refused(Refused, "INSERT INTO notes VALUES (1, 0.1), (2, 0.1 + 0.2), (3, 1e12)")
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    journey.shop.sql("DELETE FROM notes WHERE id = 3")
    journey.shop.schema(1, NOTES.format("Float").replace("Float", "sa.REAL"))
    journey.shop.database(1).unlink()
    journey.shop.step(
        'step.table(new.notes).values(x=rules.decimal(old.notes.c.x, rounding="half_even"))'
    )
    receipt = journey.converts("INSERT INTO notes VALUES (1, 0.1), (2, 0.1 + 0.2)")
    assert journey.shop.rows("SELECT x FROM notes ORDER BY id") == [(0.1,), (0.3,)]
    assert rules(receipt) == [("notes", "x", "decimal", 1)]


def test_f83_what_the_step_does_not_mention_is_refused(journey: Journey) -> None:
    """A table or column of the old schema needs a place, or a reason to be dropped."""
    journey.schemas(TEXT + 't("extra", Column("y", Text))', TEXT)
    with pytest.raises(PlanError, match="extra: no column of it is carried anywhere"):
        journey.shop.plan()
    journey.shop.step('step.drop(old.extra, because="not needed")')
    receipt = journey.arrives(numbered(["a"]), inserts("extra", [("b",), (None,)]))
    assert receipt.dropped == (("extra", "not needed", 2),)


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE stray (x)", "INSERT INTO stray VALUES (NULL)"],
        ["ALTER TABLE notes ADD COLUMN stray TEXT", "UPDATE notes SET stray = ''"],
        ["ALTER TABLE notes ADD COLUMN stray TEXT DEFAULT 'x'"],
    ],
)
def test_f83_what_the_old_schema_does_not_mention_is_refused(
    journey: Journey, statements: list[str]
) -> None:
    """Something in the live database that no file knows of would be left behind."""
    journey.schemas(TEXT)
    error = journey.refused(Findings, numbered(["a"]), *statements)
    assert "stray" in error.message
    assert any("stray" in " ".join([f.title, *f.facts]) for f in stops(checked(journey.shop)))


def test_f83_a_view_and_an_index_that_stay_behind_are_said(journey: Journey) -> None:
    """They hold no data, so nothing is lost with them: the run and its receipt name them."""
    journey.schemas(TEXT)
    receipt = journey.arrives(
        numbered(["a"]), "CREATE VIEW stray AS SELECT x FROM notes", "CREATE INDEX ix ON notes (x)"
    )
    assert receipt.unknown == ("index notes.ix", "view stray")
    assert "  stays behind: no schema says it" in count_lines(receipt)
    assert journey.shop.rows("SELECT name FROM sqlite_master WHERE name IN ('ix', 'stray')") == []


def test_e58_json_arrives_with_its_bytes(journey: Journey) -> None:
    """Spaces, order of keys, doubled keys."""
    journey.schemas(NOTES.format("JSON"))
    journey.arrives(numbered(['{ "b":1,"a" : [1,2 ], "b": 2}', "[]", '""']))


def test_e59_an_enum_label_that_is_gone_is_refused(journey: Journey) -> None:
    """And the empty label, and one that differs in case."""
    journey.schemas(
        NOTES.format("Enum('red', 'blue', 'Red', '')"), NOTES.format("Enum('red', 'blue')")
    )
    error = journey.refused(Refused, numbered(["red", "Red", "", "blue", None]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    rule = 'rules.enum(old.notes.c.x, {"Red": "red"}, otherwise="blue")'
    journey.shop.step(f"step.table(new.notes).values(x={rule})")
    receipt = journey.goes(changed=["notes"])
    assert [x for (x,) in journey.shop.rows("SELECT x FROM notes ORDER BY id")] == [
        "red", "red", "blue", "blue", None,
    ]  # fmt: skip
    assert rules(receipt) == [("notes", "x", "enum", 2)]


def test_e61_generated_columns_are_recomputed(journey: Journey) -> None:
    """Stored and virtual ones are no part of an extract; the new definition counts."""
    body = (
        't("notes", Column("id", Integer, primary_key=True), Column("x", Integer),'
        ' Column("s", Integer, sa.Computed("x * {}", persisted=True)),'
        ' Column("v", Integer, sa.Computed("x + 1", persisted=False)))'
    )
    journey.schemas(body.format(2), body.format(3))
    journey.converts("INSERT INTO notes (id, x) VALUES (1, 5), (2, NULL)")
    assert journey.shop.rows("SELECT * FROM notes ORDER BY id") == [
        (1, 5, 15, 6),
        (2, None, None, None),
    ]


def test_e62_the_next_key_is_above_all_that_were_ever_given(journey: Journey) -> None:
    """After rows were deleted, and in a table that is empty now."""
    body = (
        't("{}", Column("id", Integer, primary_key=True), Column("x", Text),'
        " sqlite_autoincrement=True)\n"
    )
    journey.schemas(body.format("notes") + body.format("emptied") + body.format("never"))
    journey.arrives(
        numbered(["a", "b", "c"]),
        "DELETE FROM notes WHERE id = 3",
        numbered(["a", "b"], "emptied"),
        "DELETE FROM emptied",
    )
    with closing(sqlite3.connect(journey.shop.database(2))) as connection:
        given = [
            connection.execute(f"INSERT INTO {table} (x) VALUES ('n') RETURNING id").fetchone()[0]
            for table in ("notes", "emptied", "never")
        ]
    assert given == [4, 3, 1]


def test_e60_a_row_of_nulls_is_a_row(journey: Journey) -> None:
    """SQLite has no composites; of rows, one that is all NULL counts as one."""
    journey.schemas('t("notes", Column("x", Text), Column("y", Integer))')
    assert journey.arrives(inserts("notes", [(None, None)] * 2)).tables[0].written == 2


def test_f66_a_fixture_of_an_awkward_table_loads(journey: Journey) -> None:
    """The header of a file holds names as they are."""
    name = 'a "b",\nc'
    journey.schemas(f't("notes", Column({name!r}, Text), Column("id", Integer, primary_key=True))')
    source = journey.fixture(notes=pa.RecordBatch.from_pydict({name: ["x"], "id": [1]}))
    journey.loads(source)
    assert journey.shop.rows("SELECT * FROM notes") == [("x", 1)]
