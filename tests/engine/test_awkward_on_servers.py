"""Awkward rows on servers: filled by plain SQL, migrated by the command, read by plain SQL.

What SQLite does with them is in the other files of this folder. Here all cases of a server are
in one database, which is migrated once; each test looks at its own tables. Types have a grid of
their own (`tests/grid`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.served import Served, connected, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVERS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(f"awkward {kind}"))
    for kind in ("postgresql", "mysql")
]
SCHEMA = """
def words(name, *more):
    return sa.Table(
        name, metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("x", sa.String(200)), *more,
    )

words("nulls", sa.Column("all_null", sa.String(9)), sa.Column("all_empty", sa.String(9)))
sa.Table("lone", metadata, sa.Column("x", sa.String(9)))
words("spelled")
words("framed")
words("empty", sa.Column("at", sa.Date))
words("formulas")
words("blanks")
words("composed")
words("late")
sa.Table("fired", metadata, sa.Column("what", sa.String(20)))
sa.Table("documents", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("x", sa.JSON))
long = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
sa.Table("long_texts", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("x", long))
latin = sa.String(40).with_variant(mysql.VARCHAR(40, charset="latin1"), "mysql", "mariadb")
sa.Table(
    "twice_encoded", metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("x", latin),
)
sa.Table("doubled", metadata, sa.Column("x", sa.String(9)), sa.Column("n", sa.Integer))
sa.Table(
    "unkeyed", metadata, sa.Column("a", sa.Integer), sa.Column("b", sa.Integer),
    sa.UniqueConstraint("a", "b", name="uq_unkeyed"),
)
sa.Table("edges", metadata, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))
sa.Table("collated", metadata, sa.Column("name", sa.String(40), primary_key=True))
sa.Table("naive", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")))
sa.Table(
    "tree", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("parent", sa.Integer, sa.ForeignKey("tree.id", name="fk_tree")),
)
sa.Table(
    "hens", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("egg", sa.Integer),
)
sa.Table(
    "eggs", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hen", sa.Integer, sa.ForeignKey("hens.id", name="fk_hen")),
)
metadata.tables["hens"].append_constraint(
    sa.ForeignKeyConstraint(["egg"], ["eggs.id"], name="fk_egg", use_alter=True)
)
sa.Table("given", metadata, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("x", sa.Integer))
sa.Table("emptied", metadata, sa.Column("id", sa.Integer, primary_key=True))
sa.Table(
    "computed", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("twice", sa.Integer, sa.Computed("id * 2", persisted=True)),
)
sa.Table(
    "wide", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    *(sa.Column(f"c{i}", sa.SmallInteger) for i in range(900)),
)
for name in NAMES:
    sa.Table(
        name, metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(name, sa.String(9)), sa.Index("ix " + name[:50], name),
    )
"""
NAMES = ("select", "Mixed Case", 'say "it" `so`', "line\nbreak", "caf\u00e9 \u6f22", "n" * 63,
         "a.b", "Same", "same")  # fmt: skip

TEXTS: dict[str, Sequence[str | None]] = {
    "spelled": ("NA", "NULL", "None", "nan", "N/A", r"\N", "#N/A", "<NA>", "null", r"\.", None),
    "framed": ("a\nb", "a\r\nb", "a\rb", '"', '""', 'a"b', ',"', "a,b", "\ufeffa", " a ", "\t",
               "\u2028", "\\", "'", "\x85", "007", "true", "1e5", "2020-01-01", "1.50", "0x1F"),
    "formulas": ("=cmd|' /C calc'!A0", "-1", "@x", "+1", "%s", ":x", "{0}", "$1"),
    "blanks": ("a", "a ", " a", "a  ", " ", "  ", ""),
    "composed": ("\u00e9", "e\u0301", "\U0001f9c0", "\U0001f468\u200d\U0001f469", "\u202eabc",
                 "\u05e9\u05dc\u05d5\u05dd"),
    "late": (*[None] * 40, "here"),
}  # fmt: skip
"""Rows 1, 2 and so on of tables of a key and a text."""

ROWS: dict[str, Sequence[tuple[Any, ...]]] = {
    "nulls": [(1, None, None, ""), (2, "", None, ""), (3, "x", None, "")],
    "lone": [(None,), ("",), (None,), ("x",), (None,)],
    "doubled": [("a", 1), ("a", 1), ("a", 1), (None, None), (None, None), ("b", 1)],
    "unkeyed": [(1, 1), (1, None), (None, 1), (None, None), (None, None)],
    "edges": [(-(2**63),), (-1,), (0,), (1,), (10**6,), (2**53 + 1,), (2**63 - 1,)],
    "collated": [("b",), ("B1",), ("a",), ("A1",), ("\u00f6",), ("z",), ("_",), ("10",), ("9",)],
    "naive": [(1, "2024-03-31 02:30:00.000001"), (2, "2024-10-27 02:30:00"), (3, None)],
    "tree": [(i, None) for i in range(1, 6)],
    "fired": [],
    "documents": [(1, '{"a":1,  "a":2}'), (2, '"\\u0000"'), (3, "12345678901234567890"), (4, None)],
    "long_texts": [(1, "x" * 3_000_000), (2, "\u00e9,\n" * 1_000_000)],
    "twice_encoded": [(1, "\u00c3\u00a9"), (2, "\u00e9")],
    "hens": [(1, None), (2, None)],
    "eggs": [(1, 2), (2, 1)],
    "wide": [(i, *range(900)) for i in (1, 2)],
    **{name: [(1, "a"), (2, None)] for name in NAMES},
}
"""Rows of the others, in the order of their columns."""

PLAIN = (
    "UPDATE hens SET egg = 3 - id",
    "UPDATE tree SET parent = CASE id WHEN 2 THEN 4 WHEN 3 THEN 1 WHEN 4 THEN 3 WHEN 5 THEN 5 END",
    "INSERT INTO computed (id) VALUES (1), (21)",
    "INSERT INTO given (x) VALUES (1), (2), (3)",
    "DELETE FROM given WHERE x > 1",
    "INSERT INTO emptied {} VALUES {}",
    "DELETE FROM emptied",
)


AFTER = {
    "postgresql": """
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO fired VALUES ('spelled'); RETURN NEW; END$$;
CREATE TRIGGER fires AFTER INSERT ON spelled FOR EACH ROW EXECUTE FUNCTION fires();
CREATE VIEW b_first AS SELECT id, x FROM spelled WHERE x IS NOT NULL;
CREATE VIEW a_second AS SELECT count(*) AS n FROM b_first;
""",
    "mysql": """
CREATE TRIGGER fires AFTER INSERT ON spelled FOR EACH ROW INSERT INTO fired VALUES ('spelled');
CREATE VIEW b_first AS SELECT id, x FROM spelled WHERE x IS NOT NULL;
CREATE VIEW a_second AS SELECT count(*) AS n FROM b_first;
""",
}
"""What the schema has beside its tables: a trigger that counts, and a view of a view."""


@pytest.fixture(scope="module")
def migrated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server's two databases: as it was filled, and what the command made of it."""
    with served(request.param, tmp_path_factory.mktemp("awkward") / "shop") as made:
        made.schema(f"NAMES = {NAMES!r}\n{SCHEMA}")
        (made.root / "schemas" / f"v1.after.{made.kind}.sql").write_text(AFTER[made.kind])
        made.same()
        made.ran("create", "1")
        _filled(made)
        made.ran("check", "1to2")
        made.ran("1to2")
        yield made


def _filled(made: Served) -> None:
    texts = {name: list(enumerate(values, 1)) for name, values in TEXTS.items()}
    connection = connected(made, 1)
    cursor = connection.cursor()
    for name, rows in {**texts, **ROWS}.items():
        for row in rows:
            marks = ", ".join(["%s"] * len(row))
            cursor.execute(f"INSERT INTO {made.quoted(name)} VALUES ({marks})", row)
    connection.close()
    one = ("(id)", "(DEFAULT), (DEFAULT)") if made.kind == "postgresql" else ("()", "(), ()")
    made.rows(1, *(statement.format(*one) for statement in PLAIN))


def held(made: Served, version: int, table: str) -> list[str]:
    """Return a table's rows as the driver gives them, to the bit."""
    return sorted(map(repr, made.rows(version, f"SELECT * FROM {made.quoted(table)}")))


def exact(made: Served, *tables: str) -> None:
    """Assert that tables arrived as they were, and were not empty."""
    for table in tables:
        rows = held(made, 1, table)
        assert rows != []
        assert held(made, 2, table) == rows


on_servers = pytest.mark.parametrize("migrated", SERVERS, indirect=True)


@on_servers
def test_a1_a2_f81_nulls_are_not_empty_strings(migrated: Served) -> None:
    """Beside each other, in a column of one or the other, alone in a table, first and late."""
    exact(migrated, "nulls", "lone", "late")
    assert migrated.rows(2, "SELECT count(*), count(x) FROM lone") == [(5, 2)]


@on_servers
def test_a3_a4_words_that_others_take_for_null_or_the_end(migrated: Served) -> None:
    """All are text, and one is NULL."""
    exact(migrated, "spelled")
    assert migrated.rows(2, "SELECT count(*) FROM spelled WHERE x IS NULL") == [(1,)]


@on_servers
def test_a5_a6_a13_texts_that_look_like_something_else(migrated: Served) -> None:
    """Framing, numbers, dates, formulas, parameters: text."""
    exact(migrated, "framed", "formulas")


@on_servers
def test_a10_a_table_without_rows(migrated: Served) -> None:
    """It is there, with its types."""
    assert migrated.rows(2, "SELECT count(*) FROM empty WHERE at > '2024-01-01'") == [(0,)]


@on_servers
def test_c31_c32_naive_times_are_not_shifted(migrated: Served) -> None:
    """Also those that a clock showed never, or twice."""
    exact(migrated, "naive")


@on_servers
def test_d49_d52_d54_texts_by_their_bytes(migrated: Served) -> None:
    """Blanks at the ends, composed and decomposed letters, past the basic plane."""
    exact(migrated, "blanks", "composed")
    counted = "SELECT sum(octet_length(x)) FROM {}"
    for table in ("blanks", "composed"):
        assert migrated.rows(2, counted.format(table)) == migrated.rows(1, counted.format(table))


@on_servers
def test_e61_generated_columns_are_computed_anew(migrated: Served) -> None:
    """They are not carried."""
    assert migrated.rows(2, "SELECT id, twice FROM computed ORDER BY id") == [(1, 2), (21, 42)]


@on_servers
def test_e62_the_next_key_is_one_that_nothing_ever_had(migrated: Served) -> None:
    """Of a table whose last rows are gone, and of one that was emptied."""
    one = ("(id)", "(DEFAULT)") if migrated.kind == "postgresql" else ("()", "()")
    migrated.rows(
        2, "INSERT INTO given (x) VALUES (9)", f"INSERT INTO emptied {one[0]} VALUES {one[1]}"
    )
    assert migrated.rows(2, "SELECT max(id) >= 4 FROM given") in ([(True,)], [(1,)])
    assert migrated.rows(2, "SELECT max(id) >= 3 FROM emptied") in ([(True,)], [(1,)])


@on_servers
@pytest.mark.parametrize("name", NAMES)
def test_f65_names(migrated: Served, name: str) -> None:
    """As table, column and in an index's name."""
    exact(migrated, name)


@on_servers
def test_f68_f69_references_forward_and_in_a_circle(migrated: Served) -> None:
    """Rows of a tree in any order; two tables that refer to each other."""
    exact(migrated, "tree", "hens", "eggs")


@on_servers
def test_f71_f72_rows_without_a_key(migrated: Served) -> None:
    """Each as often as it was, and NULL in what is unique."""
    exact(migrated, "doubled", "unkeyed")


@on_servers
def test_b15_f73_keys_at_the_edges_of_their_range(migrated: Served) -> None:
    """Negative, far apart, and in an order of letters that is not that of bytes."""
    exact(migrated, "edges", "collated")


@on_servers
def test_f78_nine_hundred_columns(migrated: Served) -> None:
    """More parameters than a statement may have are none."""
    exact(migrated, "wide")


@on_servers
def test_a14_fields_of_megabytes(migrated: Served) -> None:
    """Of one letter, and of separators and letters of two bytes."""
    exact(migrated, "long_texts")


@on_servers
def test_b30_d47_e58_documents_by_their_bytes(migrated: Served) -> None:
    """Spaces, a key twice, an escaped NUL, and more digits than a double has."""
    documents = "SELECT CAST(x AS {}) FROM documents ORDER BY id"
    kind = "text" if migrated.kind == "postgresql" else "CHAR"
    assert migrated.rows(2, documents.format(kind)) == migrated.rows(1, documents.format(kind))
    assert migrated.rows(2, documents.format(kind))[0] == ('{"a":1,  "a":2}',)


@on_servers
def test_d50_text_that_was_encoded_twice(migrated: Served) -> None:
    """It stays as it is, in a column of eight bits too."""
    exact(migrated, "twice_encoded")


@on_servers
def test_f75_triggers_do_not_fire_on_the_load(migrated: Served) -> None:
    """As many rows as the old one had written; the trigger is there, and fires afterwards."""
    exact(migrated, "fired")
    before = len(migrated.rows(2, "SELECT * FROM fired"))
    migrated.rows(2, "INSERT INTO spelled VALUES (99, NULL)", "DELETE FROM spelled WHERE id = 99")
    assert len(migrated.rows(2, "SELECT * FROM fired")) == before + 1
    migrated.rows(2, "DELETE FROM fired", "INSERT INTO fired SELECT 'spelled' FROM spelled")


@on_servers
def test_f76_views_of_views(migrated: Served) -> None:
    """Made in their order, whatever their names are."""
    assert migrated.rows(2, "SELECT n FROM a_second") == [(len(TEXTS["spelled"]) - 1,)]
