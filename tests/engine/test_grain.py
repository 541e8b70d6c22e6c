"""Rows and columns that a step would lose or double without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import CodeError, PlanError, ValueRefused

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

USERS = 't("users", Column("id", Integer, primary_key=True), Column("name", String(20)))\n'
SEEN = 't("seen", Column("by", Integer))\n'


def test_a_table_beside_the_source_is_refused(shop: Sandbox) -> None:
    """A condition over another table is a join: it would double rows, or leave them out."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS + SEEN)
    shop.step('step.table(new.users, only=old.seen.c.by == old.users.c.id, because="unseen")')
    with pytest.raises(PlanError) as caught:
        shop.plan()
    (said,) = caught.value.problems
    assert said.startswith("users: seen is read beside users, and each row of one would meet")


def test_a_value_of_another_table_is_refused(shop: Sandbox) -> None:
    """One value of another table is asked for with a scalar subquery."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS)
    shop.step("step.table(new.users).values(name=old.seen.c.by.cast(sa.String))")
    with pytest.raises(PlanError, match="seen is read beside users"):
        shop.plan()


def test_a_column_beside_the_select_it_is_in_is_refused(shop: Sandbox) -> None:
    """Of a select the select's columns are taken; the table's own would be a second reading."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, 't("visits", Column("name", String(20)))')
    shop.step("""
        users = old.users
        both = select(users.c.name, old.seen.c.by).join(old.seen, old.seen.c.by == users.c.id)
        step.table(new.visits, source=both.subquery()).values(name=users.c.name)
    """)
    with pytest.raises(PlanError, match="users is read beside the source"):
        shop.plan()


def test_conditions_with_exists_and_values_with_subqueries_are_taken(shop: Sandbox) -> None:
    """What asks other tables without joining them is as it was."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS.replace(")\n", ', Column("seen", Integer))\n', 1))
    shop.step("""
        seen, user = old.seen.c, old.users.c
        step.table(
            new.users, only=select(seen.by).where(seen.by == user.id).exists(), because="unseen"
        ).values(seen=select(func.max(seen.by)).where(seen.by == user.id).scalar_subquery())
        step.same("seen", old=select(func.count(seen.by.distinct())),
                  new=select(func.count(new.users.c.seen)))
    """)
    shop.create(
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bob')", "INSERT INTO seen VALUES (2), (2)"
    )
    shop.migrate()
    assert shop.rows("SELECT id, name, seen FROM users") == [(2, "bob", 2)]


def test_a_table_of_constants_has_as_many_rows_as_its_source(shop: Sandbox) -> None:
    """Nothing of a source without a key is read, and its rows are counted all the same."""
    shop.schema(1, SEEN)
    shop.schema(2, 't("points", Column("given", Integer), Column("why", Text))')
    shop.step("""
        step.table(new.points, source=old.seen).values(given=1, why="seen")
        step.drop(old.seen.c.by, because="everybody gets the same")
    """)
    shop.create("INSERT INTO seen VALUES (7), (8)")
    receipt = shop.migrate()
    assert shop.rows("SELECT given, why FROM points") == [(1, "seen"), (1, "seen")]
    assert [(t.read, t.written) for t in receipt.tables] == [(2, 2)]


def test_what_decides_whether_a_key_is_there_is_not_carried(shop: Sandbox) -> None:
    """`key` asks which rows are left out; the column it asks reaches no new row by that."""
    shop.schema(1, 't("users", Column("id", Integer, primary_key=True), Column("age", Integer))')
    shop.schema(2, 't("users", Column("id", Integer, primary_key=True), Column("me", Integer))')
    shop.step("""
        users = step.table(new.users, only=old.users.c.age > 17, because="too young")
        users.values(me=users.key(old.users.c.id))
    """)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert caught.value.problems == ("users.age is carried nowhere",)


COUNTRY = 't("users", Column("id", Integer, primary_key=True), Column("country", Text{}))\n'
LISTED = """
    t("users", Column("id", Integer, primary_key=True), Column("country_id", Integer))
    t("countries", Column("id", Integer, primary_key=True), Column("name", Text))
"""


def test_a_list_of_values_does_not_carry_whose_they_were(shop: Sandbox) -> None:
    """A lookup that no column refers to tells which countries there were, not whose."""
    shop.schema(1, COUNTRY.format(""))
    shop.schema(2, LISTED)
    shop.step("step.lookup(new.countries, key=new.countries.c.name, of=[old.users.c.country])")
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert caught.value.problems == ("users.country is carried nowhere",)


def test_a_list_of_unique_values_carries_them(shop: Sandbox) -> None:
    """Where each value stands in one row, a list of them is all of them."""
    shop.schema(1, COUNTRY.format(", unique=True"))
    shop.schema(2, LISTED)
    shop.step("step.lookup(new.countries, key=new.countries.c.name, of=[old.users.c.country])")
    shop.create("INSERT INTO users VALUES (1, 'no'), (2, 'at')")
    shop.migrate()
    assert shop.rows("SELECT id, name FROM countries") == [(1, "at"), (2, "no")]


FILES = 't("files", Column("of", Integer), Column("name", Text))\n'
NAMED = """
    file, user = old.files.c, old.users.c
    step.table(new.users).values(
        file=select(file.name).where(file.of == user.id){first}.scalar_subquery()
    )
    step.drop(file.of, because="the user names the file")
    step.same("who has files", old=select(func.count(file.of.distinct())).where({of}),
              new=select(func.count(new.users.c.file)))
"""


def test_a_subquery_of_several_values_is_refused(shop: Sandbox) -> None:
    """SQLite would take any of them; which one is for the step to say."""
    shop.schema(1, USERS + FILES)
    shop.schema(2, USERS.replace(")\n", ', Column("file", Text))\n', 1))
    shop.create(
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')",
        "INSERT INTO files VALUES (1, 'a'), (1, 'b'), (2, 'c')",
    )
    shop.step(NAMED.format(first="", of="file.of > 0"))
    with pytest.raises(ValueRefused) as caught:
        shop.migrate()
    assert (caught.value.table, caught.value.column, caught.value.count) == ("users", "file", 1)
    shop.step(NAMED.format(first=".order_by(file.name.desc()).limit(1)", of="file.of > 0"))
    shop.migrate()
    assert shop.rows("SELECT file FROM users ORDER BY id") == [("b",), ("c",), (None,)]


def test_several_values_of_rows_that_are_left_out_are_nobodys(shop: Sandbox) -> None:
    """Only rows that become new rows are asked."""
    shop.schema(1, USERS + FILES)
    shop.schema(2, USERS.replace(")\n", ', Column("file", Text))\n', 1))
    shop.create(
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bob')",
        "INSERT INTO files VALUES (1, 'a'), (1, 'b'), (2, 'c')",
    )
    shop.step(
        NAMED.format(first="", of="file.of > 1")
        + '    step.table(new.users).drop_rows(user.id == 1, because="no ann")'
    )
    shop.migrate()
    assert shop.rows("SELECT file FROM users") == [("c",)]


def test_rows_that_a_split_makes_nothing_of_are_counted(shop: Sandbox) -> None:
    """What else stood in such a row is left behind, so the receipt has a line for it."""
    shop.schema(1, 't("users", Column("name", Text), Column("tags", Text))')
    shop.schema(2, 't("tags", Column("name", Text), Column("tag", Text))')
    shop.step(
        'step.table(new.tags, source=old.users).values(tag=rules.split(old.users.c.tags, ","))'
    )
    shop.create("INSERT INTO users VALUES ('ann', 'x,y'), ('bob', NULL), ('cid', ' , ')")
    (table,) = shop.migrate().tables
    assert (table.read, table.written) == (3, 2)
    assert [(x.because, x.rows) for x in table.left] == [("nothing to split", 2)]


@pytest.mark.parametrize(
    "filled",
    ["query(select(user), rows=new)", "computed(fill, reads=select(user))"],
)
def test_a_condition_on_what_a_select_fills_is_refused(shop: Sandbox, filled: str) -> None:
    """It would leave nothing out: the select has a WHERE of its own."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(
        f"""
        user = old.users
        step.table(new.users, only=user.c.id > 1, because="the first is nobody").{filled}
        """,
        before="def fill(rows: 'Iterator[dict]'):\n    yield from rows\n",
    )
    with pytest.raises(CodeError, match=r"rows of a select are left out in its own \.where"):
        shop.plan()


@pytest.mark.parametrize("window", ["over(order_by=age)", "over(partition_by=age)"])
def test_what_orders_a_window_is_not_carried(shop: Sandbox, window: str) -> None:
    """Its values decide which row is meant, and reach none."""
    shop.schema(1, USERS.replace(")\n", ', Column("age", Integer))\n', 1))
    shop.schema(2, USERS)
    shop.step(f"""
        age = old.users.c.age
        step.table(new.users).values(name=func.max(old.users.c.name).{window})
    """)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert caught.value.problems == ("users.age is carried nowhere",)


def test_in_takes_a_subquery_of_many(shop: Sandbox) -> None:
    """`IN (SELECT ...)` asks for any of several: nobody has to say which."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS)
    shop.step("""
        known = old.users.c.id.in_(select(old.seen.c.by))
        step.table(new.users).values(name=case((known, old.users.c.name)))
        step.drop(old.seen, because="asked")
    """)
    shop.create("INSERT INTO users VALUES (1, 'a'), (2, 'b')", "INSERT INTO seen VALUES (1), (3)")
    shop.migrate()
    assert shop.rows("SELECT name FROM users ORDER BY id") == [("a",), (None,)]


@pytest.mark.parametrize(
    ("value", "said", "line"),
    [
        (
            "func.count(old.seen.c.by)",
            "func.count(old.seen.c.by) makes one row of all",
            "n=select(func.count(old.seen.c.by)).where(...).scalar_subquery(),",
        ),
        ("func.max(old.users.c.id) + 1", "func.max(old.users.c.id) makes one row of all", "n="),
        (
            "rules.default(func.sum(old.users.c.id), 0)",
            "func.sum(old.users.c.id) makes one row of all",
            "n=select(func.sum(old.users.c.id))",
        ),
        ("func.count().filter(old.users.c.id > 1)", "func.count() makes one row of all", "n="),
        ("func.min(func.length(old.users.c.name))", "func.min(...) makes one row of all", "n="),
    ],
)
def test_an_aggregate_as_a_value_is_refused_in_the_plan(
    shop: Sandbox, value: str, said: str, line: str
) -> None:
    """It would make one row of the table; a subquery asks for it a row."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS.replace(")\n", ', Column("n", Integer))\n', 1) + SEEN)
    shop.step(f"step.table(new.users).values(n={value})")
    with pytest.raises(PlanError) as caught:
        shop.plan()
    (problem,) = caught.value.problems
    assert problem == f"users.n: {said}: ask for it in a subquery"
    assert caught.value.hint[0].startswith(line)


def test_an_aggregate_in_a_condition_is_refused_in_the_plan(shop: Sandbox) -> None:
    """A WHERE knows of one row only."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step('step.table(new.users, only=old.users.c.id < func.max(old.users.c.id), because="x")')
    with pytest.raises(PlanError, match=r"a condition on func\.max\(.*\) is one on all rows"):
        shop.plan()


@pytest.mark.parametrize(
    "value",
    [
        "func.count().over(partition_by=old.users.c.name)",
        "func.max(old.users.c.id, 7)",
        "select(func.count()).select_from(old.seen).scalar_subquery()",
    ],
)
def test_windows_and_subqueries_give_a_value_a_row(shop: Sandbox, value: str) -> None:
    """As does SQLite's `max` of several arguments."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS.replace(")\n", ', Column("n", Integer))\n', 1) + SEEN)
    shop.step(f"step.table(new.users).values(n=sa.type_coerce({value}, sa.Integer))")
    shop.create("INSERT INTO users VALUES (1, 'a'), (2, 'a')")
    shop.migrate()
    assert len(shop.rows("SELECT n FROM users")) == 2


SAME = "step.same('ids', old=select(func.max(user.id)), new=select(func.max(new.users.c.id)))"
MERGING = [
    ("select(user.name, user.id).distinct()", "has DISTINCT"),
    ("select(user.name, func.max(user.id).label('id')).group_by(user.name)", "has GROUP BY"),
    ("select(user.name, user.id).limit(1)", "has LIMIT"),
    ("select(user.name, user.id).where(user.id > 1)", "has WHERE"),
    ("select(func.max(user.name).label('name'), func.max(user.id).label('id'))", "an aggregate"),
    ("select(user.name, user.id).join(old.seen, old.seen.c.by == user.id)", "joins tables"),
    ("select(select(user.name, user.id).distinct().subquery())", "has DISTINCT"),
    ("sa.union(select(user.name, user.id), select(user.name, user.id))", "unites several"),
]


@pytest.mark.parametrize(("source", "said"), MERGING)
def test_a_source_that_merges_rows_says_that_its_grain_is_its_own(
    shop: Sandbox, source: str, said: str
) -> None:
    """Rows that such a select loses or doubles are in no account: the step says so."""
    shop.schema(1, USERS + SEEN)
    shop.schema(2, USERS + SEEN)
    step = "user = old.users.c\nstep.table(new.users, source=({}).subquery(){})"
    shop.step(step.format(source, ""))
    with pytest.raises(PlanError, match=rf"users: its source .*{said}.*, so its rows") as caught:
        shop.plan()
    assert caught.value.hint[0] == "step.table(new.users, source=..., rows=new)"
    shop.step(step.format(source, ", rows=new"))
    with pytest.raises(PlanError, match="users: nothing counts its rows, which reach users") as own:
        shop.plan()
    assert own.value.hint[0].startswith('step.same("rows of users", old=select(')
    shop.step(f"{step.format(source, ', rows=new')}\n{SAME}")
    assert shop.plan().tables


@pytest.mark.parametrize(
    "source", ["old.users.alias()", "select(old.users).subquery()", "select(old.users).cte()"]
)
def test_a_source_of_one_tables_rows_needs_no_word(shop: Sandbox, source: str) -> None:
    """An alias, or a select of a table's columns, is the table."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(f"step.table(new.users, source={source})")
    shop.create("INSERT INTO users VALUES (1, 'a'), (2, 'a')")
    shop.migrate()
    assert len(shop.rows("SELECT * FROM users")) == 2


def test_the_rows_of_a_table_are_counted(shop: Sandbox) -> None:
    """`rows=new` beside a table would say that they are not."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("step.table(new.users, rows=new)")
    with pytest.raises(CodeError, match="users: rows=new is for a select: the rows of a table"):
        shop.plan()


def test_the_plan_says_who_computes_a_column(shop: Sandbox) -> None:
    """`rules.uuid` reads one, `step.uuid` and `rekey` derive one, a function computes."""
    shop.schema(1, 't("a", Column("id", Integer, primary_key=True), Column("u", Text))\n' + SEEN)
    shop.schema(
        2,
        't("a", Column("id", Uuid, primary_key=True), Column("u", Uuid), Column("v", Uuid))\n'
        't("seen", Column("by", Integer), Column("why", Text))',
    )
    shop.step(
        """
        step.rekey(new.a)
        step.table(new.a).values(u=rules.uuid(old.a.c.u), v=step.uuid(new.a, old.a.c.id))
        step.table(new.seen).computed(see, reads=select(old.seen.c.by)).values(why="x")
        step.same("seen", old=select(old.seen.c.by), new=select(new.seen.c.by))
        """,
        before="def see(rows: 'Iterator[dict]'):\n    yield from rows\n",
    )
    how = {(t.name, o.column): o.how for t in shop.plan().tables for o in t.parts[0].outputs}
    assert how == {
        ("a", "id"): "carried, rekeyed",
        ("a", "u"): "rules.uuid",
        ("a", "v"): "step.uuid",
        ("seen", "by"): "computed by see",
        ("seen", "why"): "constant",
    }


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            "step.table(new.users).values(name=old.users.c.name + sa.bindparam('suffix'))",
            "users: the parameter :suffix has no value: write the value itself",
        ),
        (
            "step.table(new.users).drop_rows(sa.text(\"name = ' :a'\"), because='x')",
            "users: the parameter :a has no value: write the value itself; a colon that is one is",
        ),
        (
            "step.same('ids', old=select(old.users.c.id).where(old.users.c.id > sa.bindparam('n')),"
            " new=select(new.users.c.id))",
            "step.same('ids'): the parameter :n has no value",
        ),
        (
            "step.loss('ids', count=select(func.count(old.users.c.id) + sa.bindparam('n')))",
            "step.loss('ids'): the parameter :n has no value",
        ),
        (
            "step.table(new.users).values("
            "name=case((old.users.c.name == sa.literal(object(), sa.PickleType), 'x')))",
            "users: Could not render literal value",
        ),
    ],
)
def test_sql_that_cannot_be_written_is_a_problem_of_its_line(
    shop: Sandbox, step: str, said: str
) -> None:
    """A parameter without a value would be NULL; what SQLAlchemy cannot compile is the step's."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(step)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert said in " ".join(caught.value.problems)
    assert "parent stack" not in str(caught.value)
