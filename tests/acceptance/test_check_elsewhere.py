"""`check --to` finds what the run would refuse there, with the key, and the run refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from tests.acceptance.cheeseshop import Cheeseshop
from tests.acceptance.test_moving import Owned, named, there
from tests.sandbox import sandbox

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["there"]  # a fixture

CASES = [
    ("sqlite", "mysql", "Float()", "1.5", "9e999", "infinite or not a number", "null_if"),
    ("postgresql", "mysql", "Float()", "0.0", "'-0'::float8", "-0.0", "+ 0.0"),
    ("postgresql", "sqlite", "Float()", "0.0", "'-0'::float8", "-0.0", "+ 0.0"),
    ("postgresql", "sqlite", "Float()", "1.5", "'NaN'::float8", "NaN", "null_if"),
    ("mysql", "postgresql", "Text()", "'a'", "CONCAT('a', CHAR(0))", "NUL", "rules.scrub"),
    ("sqlite", "mysql", "UTF8MB3", "'ä'", "'🎉'", "four bytes", "rules.replace"),
    ("sqlite", "mysql", "TINYTEXT", "'a'", f"'{'é' * 200}'", "longer than 255 bytes",
     "with_variant"),
    ("mysql", "sqlite", "UNSIGNED", "7", str(2**63), str(2**63 - 1), "with_variant"),
    ("sqlite", "postgresql", "Integer()", "7", str(2**31), "outside -2147483648", "correct them"),
    ("postgresql", "mysql", "SECONDS", "'2020-01-01'", "'2020-01-01 00:00:00.5'",
     "digits of a second", "with_variant"),
    ("sqlite", "mysql", "String(9), unique=True", "'b'", "'Anna'), (3, 'änna '", "share a value",
     "collation"),
]  # fmt: skip
SPELLED = {
    "Float()": 'Float().with_variant(mysql.DOUBLE(), "mysql")',
    "Text()": 'Text().with_variant(mysql.LONGTEXT(), "mysql")',
    "UTF8MB3": 'String(9).with_variant(mysql.VARCHAR(9, charset="utf8mb3"), "mysql")',
    "TINYTEXT": 'Text().with_variant(mysql.TINYTEXT(), "mysql")',
    "UNSIGNED": 'mysql.BIGINT(unsigned=True).with_variant(BigInteger(), "sqlite")',
    "SECONDS": 'DateTime().with_variant(mysql.DATETIME(), "mysql")',
}


def project(root: Path, column: str) -> Cheeseshop:
    """A project of one table with a key and a column."""
    shop = sandbox(root)
    spelled = SPELLED.get(column, column)
    head = "from sqlalchemy.dialects import mysql\n"
    table = f't("things", Column("id", Integer, primary_key=True), Column("v", {spelled}))\n'
    shop.schema(1, head + table)
    return named(Cheeseshop(root))


def filled(shop: Cheeseshop, url: str, *values: str) -> None:
    """Create the database at a URL, with a row for each value."""
    shop.ran("--url", url, "create", "1")
    moved = shop.project.moved(to=url)
    engine = backend_for(moved.target(1)).engine()
    with engine.begin() as connection:
        for key, value in enumerate(values, 1):
            connection.exec_driver_sql(f"INSERT INTO things VALUES ({key}, {value})")
    engine.dispose()


@pytest.mark.parametrize(("source", "target", "column", "good", "bad", "why", "mend"), CASES)
def test_check_finds_what_the_run_refuses(
    tmp_path: Path,
    there: Owned,
    source: str,
    target: str,
    column: str,
    good: str,
    bad: str,
    why: str,
    mend: str,
) -> None:
    """Exit 3 with column, key, and what to write; the run is refused by the same column."""
    shop = project(tmp_path / "shop", column)
    own = (
        "sqlite:///own_v{version}.db" if source == "sqlite" else there.url(source, "own_v{version}")
    )
    to = "sqlite:///to_v{version}.db" if target == "sqlite" else there.url(target, "to_v{version}")
    filled(shop, own, good, bad)
    found = shop.run("--url", own, "check", "1", "--to", to)
    assert (found.code, found.clear) == (3, True), found.said
    assert [x for x in ("things.v", "id 2", why, mend) if x not in found.said] == [], found.said
    refused = shop.run("--url", own, "copy", "1", "--to", to)
    assert (refused.code, refused.clear) == (1, True), refused.said
    assert "things.v" in refused.said
    assert not backend_for(shop.project.moved(to=to).target(1)).exists()


def test_without_the_odd_rows_there_is_nothing_to_find(tmp_path: Path, there: Owned) -> None:
    """The same columns side by side, with values that fit: exit 0, and the copy is made."""
    cases = [(column, good) for a, b, column, good, *_ in CASES if (a, b) == ("sqlite", "mysql")]
    columns = [SPELLED.get(column, column) for column, _ in cases]
    shop = project(tmp_path, "Integer")
    further = ", ".join(f'Column("v{n}", {c})' for n, c in enumerate(columns))
    schema = shop.root / "schemas" / "v1.py"
    schema.write_text(schema.read_text().replace('Column("v", Integer)', further))
    own, to = "sqlite:///own_v{version}.db", there.url("mysql")
    filled(shop, own, ", ".join(good for _, good in cases))
    shop.ran("--url", own, "check", "1", "--to", to)
    shop.ran("--url", own, "copy", "1", "--to", to)


def test_sql_that_is_none_there_is_found_before(tmp_path: Path, there: Owned) -> None:
    """A CHECK of one kind may be a syntax error of another: no run has to find out."""
    shop = sandbox(tmp_path)
    check = "sa.CheckConstraint('id <> ALL (ARRAY[7, 8])')"
    shop.schema(1, f't("a", Column("id", Integer, primary_key=True), {check})')
    own = named(Cheeseshop(tmp_path))
    source, to = there.url("postgresql"), ("--to", there.url("mysql"))
    own.ran("--url", source, "create", "1")
    found = own.run("--url", source, "check", "1", *to)
    assert (found.code, found.clear) == (3, True), found.said
    assert "shop_v1 cannot be made as schemas/v1.py" in found.said
    assert "near 'ARRAY[7, 8])" in found.said
    assert there.names("mysql") == []


def test_types_and_names_that_are_not_there_are_findings(
    tmp_path: Path,
    there: Owned,
) -> None:
    """Exit 3 and the line to write of each; copy and run say the same, and make nothing."""
    shop = sandbox(tmp_path)
    shop.schema(
        1,
        """
        t("a", Column("id", Integer, primary_key=True), Column("d", Numeric(20, 2)),
          Column("t", DateTime), Column("Same", Integer), Column("same", Integer))
        """,
    )
    own = named(Cheeseshop(tmp_path))
    to = ("--to", there.url("mysql"))
    source = there.url("postgresql")
    own.ran("--url", source, "create", "1")
    found = own.run("--url", source, "check", "1", *to)
    assert (found.code, found.clear) == (3, True), found.said
    assert "the columns Same and same would have one name" in found.said
    assert "DATETIME(fsp=6)" in found.said
    file = own.run("--url", source, "check", "1", "--to", "sqlite:///x.db")
    assert (file.code, "15" in file.said) == (3, True), file.said
    shop.write("schemas/v2.py", (tmp_path / "schemas" / "v1.py").read_text())
    shop.step("")
    given = there.empty("mysql")
    for made in (("copy", "1", *to), ("1to2", *to), ("copy", "1", "--into", given)):
        refused = own.run("--url", source, *made)
        assert (refused.code, refused.clear) == (3, True), refused.said
        assert "the columns Same and same would have one name" in refused.said
        assert "DATETIME(fsp=6)" in refused.said
        assert f"migrate check {' '.join(made[-3:])}" in refused.said
        assert there.names("mysql") == ["given"]
    own.ran("--url", source, "extract", "1", "--to", str(tmp_path / "rows"))
    refused = own.run("load", str(tmp_path / "rows"), *to)
    assert (refused.code, refused.clear) == (3, True), refused.said
    assert "the columns Same and same would have one name" in refused.said
    assert "edit schemas/v1.py" in refused.said
    assert there.names("mysql") == ["given"]


def test_what_a_step_gives_every_row_is_asked_too(tmp_path: Path, there: Owned) -> None:
    """A constant of the step and a default of the schema; nothing where there are no rows."""
    shop = sandbox(tmp_path)
    head = "from sqlalchemy.dialects import mysql\n"
    basic = 'String(9).with_variant(mysql.VARCHAR(9, charset="utf8mb3"), "mysql")'
    table = 't("things", Column("id", Integer, primary_key=True){})\n'
    shop.schema(1, table.format(""))
    more = f', Column("v", {basic})'
    shop.schema(2, head + table.format(more))
    shop.step('step.table(new.things).values(v="🎉")')
    shop.create()
    own = named(Cheeseshop(tmp_path))
    to = ("--to", there.url("mysql"))
    own.ran("check", "1to2", *to)
    default = f', Column("w", {basic}, server_default="🎊")'
    shop.schema(2, head + table.format(more + default))
    assert "cannot be made as schemas/v2.py says" in own.run("check", "1to2", *to).said
    shop.sql("INSERT INTO things VALUES (1), (2)")
    found = own.run("check", "1to2", *to)
    assert (found.code, found.clear) == (3, True), found.said
    words = ("things.v is held by", "things.w is held by", "2 rows have a character of four bytes",
             "give it another value in migrators/1to2.py:8", "with_variant(")  # fmt: skip
    assert [word for word in words if word not in found.said] == [], found.said
    shop.schema(2, head + table.format(more))
    refused = own.run("1to2", *to)
    assert (refused.code, "things.v" in refused.said) == (1, True), refused.said


def test_columns_that_the_other_database_computes_are_left_to_a_rehearsal(
    tmp_path: Path, there: Owned
) -> None:
    """On another kind of database; on the same kind they have been computed before."""
    shop = sandbox(tmp_path)
    shop.schema(
        1,
        """
        t("things", Column("id", Integer, primary_key=True, autoincrement=False),
          Column("twice", Integer, sa.Computed("id * 2", persisted=True)))
        """,
    )
    shop.create("INSERT INTO things (id) VALUES (1)")
    own = named(Cheeseshop(tmp_path))
    said = own.ran("check", "1", "--to", there.url("mysql")).said
    assert "only a rehearsal can prove of things:" in said
    assert "twice fits, id * 2 (the new database computes it)" in said
    assert "rehearsal can prove" not in own.ran("check", "1", "--to", "sqlite:///to.db").said


def test_rules_of_a_step_answer_what_check_found(
    tmp_path: Path,
    there: Owned,
) -> None:
    """1to2 --to: found without the rule, well with it, and counted."""
    shop = sandbox(tmp_path)
    table = 't("things", Column("id", Integer, primary_key=True), Column("v", String(9)))\n'
    basic = 'String(9).with_variant(mysql.VARCHAR(9, charset="utf8mb3"), "mysql")'
    shop.schema(1, table)
    head = "from sqlalchemy.dialects import mysql\n"
    shop.schema(2, head + table.replace("String(9)", basic))
    shop.step("")
    shop.create("INSERT INTO things VALUES (1, 'a'), (2, 'b🎉')")
    own = named(Cheeseshop(tmp_path))
    to = ("--to", there.url("mysql"))
    found = own.run("check", "1to2", *to)
    assert (found.code, "id 2" in found.said) == (3, True), found.said
    assert "rules.replace(old.things.c.v" in found.said
    shop.step('step.table(new.things).values(v=rules.replace(old.things.c.v, "🎉", "!"))')
    own.ran("check", "1to2", *to)
    assert "replace" in own.ran("1to2", *to).out
