"""The step language, verb by verb, from old rows to new ones."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from migrators.errors import CodeError, PlanError, ValueRefused

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

USERS = 't("users", Column("id", Integer, primary_key=True), Column("name", String(20)))\n'


def test_unmentioned_tables_are_carried_by_name(shop: Sandbox) -> None:
    """A step that says nothing carries everything, and reads as much as it writes."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 'ann'), (2, NULL), (3, '')")
    receipt = shop.migrate()
    assert receipt.outcome == "published"
    assert shop.rows("SELECT * FROM users") == [(1, "ann"), (2, None), (3, "")]
    (table,) = receipt.tables
    assert (table.read, table.written, table.left) == (3, 3, ())


def test_a_column_is_renamed_and_a_nullable_one_is_new(shop: Sandbox) -> None:
    """`values` renames; a new nullable column is NULL."""
    shop.schema(1, USERS)
    shop.schema(
        2,
        't("users", Column("id", Integer, primary_key=True), Column("nick", String(20)),'
        ' Column("bio", Text))',
    )
    shop.step("step.table(new.users).values(nick=old.users.c.name)")
    shop.create("INSERT INTO users VALUES (1, 'ann')")
    shop.migrate()
    assert shop.rows("SELECT id, nick, bio FROM users") == [(1, "ann", None)]


def test_a_lost_column_is_a_plan_error_with_the_line_to_add(shop: Sandbox) -> None:
    """What is carried nowhere is refused before anything runs."""
    shop.schema(1, USERS)
    shop.schema(2, 't("users", Column("id", Integer, primary_key=True), Column("nick", Text))')
    shop.step("")
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert caught.value.problems == ("users.name is carried nowhere",)
    assert "step.table(new.users).values(nick=old.users.c.name)" in caught.value.hint
    assert 'step.drop(old.users.c.name, because="...")' in caught.value.hint


def test_f83_an_old_table_that_nobody_mentions_is_refused(shop: Sandbox) -> None:
    """A table only the old schema has needs a place or a reason."""
    shop.schema(1, USERS + 't("gone", Column("id", Integer, primary_key=True))')
    shop.schema(2, USERS)
    shop.step("")
    with pytest.raises(PlanError, match="gone: no column of it is carried anywhere"):
        shop.plan()
    shop.step('step.drop(old.gone, because="not needed")')
    assert [d.what for d in shop.plan().dropped] == ["gone"]


def test_rows_are_left_out_by_named_conditions_and_null_stays(shop: Sandbox) -> None:
    """`drop_rows` leaves out what is true; NULL is not true. `only` keeps what is true."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("""
        step.table(new.users).drop_rows(old.users.c.name == "bot", because="no bots")
        step.table(new.users, only=old.users.c.id < 5, because="old ones")
    """)
    shop.create(
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bot'), (3, NULL), (7, 'zoe'), (8, 'bot')"
    )
    receipt = shop.migrate()
    assert shop.rows("SELECT id FROM users") == [(1,), (3,)]
    (table,) = receipt.tables
    assert (table.read, table.written) == (5, 2)
    assert [(x.because, x.rows) for x in table.left] == [("no bots", 2), ("old ones", 1)]


def test_rekey_gives_ordered_uuids_and_references_follow(shop: Sandbox) -> None:
    """Integer keys become UUIDs; foreign keys and declared followers get the same ones."""
    shop.schema(
        1,
        USERS + 't("posts", Column("id", Integer, primary_key=True), Column("user_id",'
        ' ForeignKey("users.id")), Column("seen_by", Integer))',
    )
    shop.schema(
        2,
        't("users", Column("id", Uuid, primary_key=True), Column("name", String(20)))\n'
        't("posts", Column("id", Integer, primary_key=True), Column("user_id", Uuid,'
        ' ForeignKey("users.id")), Column("seen_by", Uuid))',
    )
    shop.step("""
        step.rekey(new.users)
        step.follows(new.posts.c.seen_by, new.users)
    """)
    shop.create(
        "INSERT INTO users VALUES (-5, 'neg'), (1, 'ann'), (9223372036854775807, 'max')",
        "INSERT INTO posts VALUES (1, 1, -5), (2, NULL, 9223372036854775807)",
    )
    shop.migrate()
    keys = dict(shop.rows("SELECT name, id FROM users"))
    assert [keys["neg"], keys["ann"], keys["max"]] == sorted(keys.values())
    assert {uuid.UUID(key).version for key in keys.values()} == {8}
    assert shop.rows("SELECT user_id, seen_by FROM posts ORDER BY id") == [
        (keys["ann"], keys["neg"]),
        (None, keys["max"]),
    ]


def test_split_with_keys_both_ways(shop: Sandbox) -> None:
    """A table split in two: each row knows the other's key, NULL where there is none."""
    shop.schema(1, 't("users", Column("id", Integer, primary_key=True), Column("bio", Text))\n')
    shop.schema(
        2,
        't("users", Column("id", Integer, primary_key=True), Column("profile_id", Integer,'
        ' ForeignKey("profiles.id", name="fk_p", use_alter=True)))\n'
        't("profiles", Column("id", Integer, primary_key=True), Column("bio", Text),'
        ' Column("user_id", Integer, ForeignKey("users.id"), nullable=False))',
    )
    shop.step("""
        profiles = step.table(new.profiles, source=old.users,
                              only=old.users.c.bio.is_not(None), because="no profile")
        users = step.table(new.users)
        profiles.values(user_id=users.key(old.users.c.id))
        users.values(profile_id=profiles.key(old.users.c.id))
    """)
    shop.create("INSERT INTO users VALUES (1, 'hello'), (2, NULL)")
    shop.migrate()
    assert shop.rows("SELECT id, profile_id FROM users ORDER BY id") == [(1, 1), (2, None)]
    assert shop.rows("SELECT id, bio, user_id FROM profiles") == [(1, "hello", 1)]


def test_a_lookup_serves_two_columns_and_split_fills_a_link_table(shop: Sandbox) -> None:
    """Distinct values become rows with keys in byte order; a split gives a row an element."""
    shop.schema(
        1,
        't("a", Column("id", Integer, primary_key=True), Column("tags", Text))\n'
        't("b", Column("id", Integer, primary_key=True), Column("tag", Text))',
    )
    shop.schema(
        2,
        't("tags", Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))\n'
        't("a", Column("id", Integer, primary_key=True))\n'
        't("a_tags", Column("a_id", Integer, ForeignKey("a.id"), primary_key=True),'
        ' Column("tag_id", Integer, ForeignKey("tags.id"), primary_key=True))\n'
        't("b", Column("id", Integer, primary_key=True), Column("tag_id", Integer,'
        ' ForeignKey("tags.id")))',
    )
    shop.step("""
        words = rules.split(old.a.c.tags, ",")
        tags = step.lookup(new.tags, key=new.tags.c.name, of=[words, old.b.c.tag])
        step.table(new.a_tags, source=old.a).values(a_id=old.a.c.id, tag_id=tags.id(words))
        step.table(new.b).values(tag_id=tags.id(old.b.c.tag))
    """)
    shop.create(
        "INSERT INTO a VALUES (1, 'soft, blue'), (2, NULL), (3, 'blue,Blue')",
        "INSERT INTO b VALUES (1, 'zebra'), (2, NULL)",
    )
    receipt = shop.migrate()
    assert shop.rows("SELECT * FROM tags") == [(1, "Blue"), (2, "blue"), (3, "soft"), (4, "zebra")]
    assert shop.rows("SELECT * FROM a_tags") == [(1, 2), (1, 3), (3, 1), (3, 2)]
    assert shop.rows("SELECT * FROM b ORDER BY id") == [(1, 4), (2, None)]
    assert {t.table: t.written for t in receipt.tables}["a_tags"] == 4


def test_a_same_of_several_rows_is_told_by_their_number(shop: Sandbox) -> None:
    """The receipt is for people; the manifest has every row."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("""
        step.same("names", old=select(old.users.c.name), new=select(new.users.c.name))
        step.same("one", old=select(func.min(old.users.c.name), func.max(old.users.c.id)),
                  new=select(func.min(new.users.c.name), func.max(new.users.c.id)))
    """)
    shop.create("INSERT INTO users VALUES (1, NULL), (2, NULL)")
    assert shop.migrate().sames == (("names", "2 rows"), ("one", "NULL, 2"))


def test_query_and_same(shop: Sandbox) -> None:
    """A query fills a table at its own grain; `same` agrees before and after."""
    shop.schema(1, USERS)
    shop.schema(
        2, USERS + 't("totals", Column("name", Text, primary_key=True), Column("n", Integer))'
    )
    shop.step("""
        step.table(new.totals).query(
            select(func.coalesce(old.users.c.name, "?").label("name"), func.count().label("n"))
            .group_by(old.users.c.name), rows=new)
        step.same("users", old=select(func.count(old.users.c.id)),
                  new=select(func.sum(new.totals.c.n)))
    """)
    shop.create("INSERT INTO users VALUES (1, 'b'), (2, 'a'), (3, 'b'), (4, 'B')")
    receipt = shop.migrate()
    assert shop.rows("SELECT * FROM totals") == [("B", 1), ("a", 1), ("b", 2)]
    assert receipt.sames == (("users", "4"),)


SAME = """
step.same("users", old=select(func.count(old.users.c.id)), new=select(func.count(new.users.c.id)))
"""


@pytest.mark.parametrize("form", ["frames", "batches", "rows"])
def test_a_function_computes_a_table(shop: Sandbox, form: str) -> None:
    """A top-level function gets frames, batches or rows and yields the new columns."""
    functions = {
        "frames": """
            def shout(frames):
                for frame in frames:
                    yield frame.assign(name=frame["name"].str.upper())
        """,
        "batches": """
            from collections.abc import Iterator
            import pyarrow as pa, pyarrow.compute as pc
            def shout(batches: Iterator[pa.RecordBatch]):
                for batch in batches:
                    yield batch.set_column(1, "name", pc.utf8_upper(batch["name"]))
        """,
        "rows": """
            def shout(rows: "Iterator[dict]"):
                for row in rows:
                    yield {**row, "name": row["name"] and row["name"].upper()}
        """,
    }
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(
        "step.table(new.users).computed(shout, reads=select(old.users.c.id, old.users.c.name))"
        + SAME,
        before=functions[form],
    )
    shop.create("INSERT INTO users VALUES (2, 'b'), (1, NULL), (9007199254740993, 'big')")
    shop.migrate()
    expected = [(1, None), (2, "B"), (9007199254740993, "BIG")]
    assert shop.rows("SELECT * FROM users ORDER BY id") == expected


def test_a_function_that_makes_floats_of_integers_is_refused(shop: Sandbox) -> None:
    """What pandas does to a nullable integer is refused by name."""
    shop.schema(1, USERS)
    shop.schema(2, 't("users", Column("id", Integer, primary_key=True), Column("name", Integer))')
    shop.step(
        "step.table(new.users).computed(spoil, reads=select(old.users.c.id, old.users.c.name))"
        + SAME,
        before="""
            def spoil(frames):
                for frame in frames:
                    yield frame.assign(name=frame["id"].astype("float64"))
        """,
    )
    shop.create("INSERT INTO users VALUES (1, NULL)")
    with pytest.raises(ValueRefused, match=r"users\.name: .* is double, declared int64"):
        shop.migrate()


def test_two_sources_fill_one_table(shop: Sandbox) -> None:
    """Employees and customers become people."""
    shop.schema(
        1,
        't("employees", Column("id", Integer, primary_key=True), Column("name", Text))\n'
        't("customers", Column("id", Integer, primary_key=True), Column("name", Text))',
    )
    shop.schema(
        2,
        't("people", Column("id", Integer, primary_key=True), Column("name", Text),'
        ' Column("kind", Text))',
    )
    shop.step("""
        step.table(new.people, source=old.employees).values(kind="e")
        step.table(new.people, source=old.customers).values(kind="c", id=old.customers.c.id + 100)
    """)
    shop.create(
        "INSERT INTO employees VALUES (1, 'ann'), (2, 'bob')",
        "INSERT INTO customers VALUES (1, 'cat')",
    )
    shop.migrate()
    assert shop.rows("SELECT * FROM people") == [
        (1, "ann", "e"),
        (2, "bob", "e"),
        (101, "cat", "c"),
    ]


def test_rekey_back_reverses_and_numbers_the_rest(shop: Sandbox) -> None:
    """UUID to integer: derived ones come back, others are numbered after the highest."""
    shop.schema(1, 't("users", Column("id", Integer, primary_key=True), Column("name", Text))')
    shop.schema(2, 't("users", Column("id", Uuid, primary_key=True), Column("name", Text))')
    shop.schema(3, 't("users", Column("id", Integer, primary_key=True), Column("name", Text))')
    shop.step("step.rekey(new.users)")
    shop.step("step.rekey(new.users)", "2to3")
    shop.create("INSERT INTO users VALUES (7, 'ann'), (3, 'bob')")
    shop.migrate()
    shop.sql(f"INSERT INTO users VALUES ('{uuid.UUID(int=5, version=4).hex}', 'new')", version=2)
    shop.migrate(2, 3)
    assert shop.rows("SELECT * FROM users", 3) == [(3, "bob"), (7, "ann"), (8, "new")]


@pytest.mark.parametrize("call", ["func.now()", "func.random()", "func.datetime('now')"])
def test_what_changes_each_time_is_refused(shop: Sandbox, call: str) -> None:
    """A step gives the same result twice."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(f"step.table(new.users).values(name=sa.cast({call}, sa.String))")
    with pytest.raises(PlanError, match="another value each time"):
        shop.plan()


def test_text_does_not_become_integer_by_itself(shop: Sandbox) -> None:
    """Kinds change by a rule only, and the error names it."""
    shop.schema(1, USERS)
    shop.schema(2, 't("users", Column("id", Integer, primary_key=True), Column("name", Integer))')
    shop.step("")
    with pytest.raises(PlanError, match=r"write rules\.integer"):
        shop.plan()


def test_a_step_that_raises_names_file_and_line(shop: Sandbox) -> None:
    """A typing slip in a step is said with its line."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("step.table(new.user)")
    with pytest.raises(CodeError, match=r"1to2\.py:8: schema 2 has no table user; did you mean"):
        shop.plan()


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("def migrate(step, old):", "migrate(step, old) does not take the three"),
        ("def migrate(step, old, new, more):", "migrate(step, old, new, more) does not take"),
        ("def migrate(*, step, old, new):", "migrate(*, step, old, new) does not take"),
        ("async def migrate(step, old, new):", "migrate must be a plain function"),
    ],
)
def test_a_migrate_of_another_signature_is_shown(shop: Sandbox, signature: str, said: str) -> None:
    """File and line of the function, and how it has to begin."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.write("migrators/1to2.py", f'"""A step."""\n\n{signature}\n    pass\n')
    with pytest.raises(CodeError) as refused:
        shop.plan()
    assert refused.value.message.startswith(f"1to2.py:3: {said}")
    assert refused.value.hint == ("def migrate(step, old, new):",)


def test_a_migrate_with_further_defaults_is_called(shop: Sandbox) -> None:
    """What can be called with three is: a wrapper's `*args`, an argument with a default."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    for signature in ("*args", "step, old, new, more=None"):
        shop.write("migrators/1to2.py", f'"""A step."""\n\ndef migrate({signature}):\n    pass\n')
        assert shop.plan().columns_carried == 2


SAME_LABELS = 'select(old.users.c.id, old.users.c.name, old.users.c.id.label("name"))'


@pytest.mark.parametrize(
    "step",
    [
        f"step.table(new.users).query({SAME_LABELS}, rows=new)",
        f"step.table(new.users).query(sa.union_all({SAME_LABELS}, {SAME_LABELS}), rows=new)",
        f"step.table(new.users, source={SAME_LABELS}.subquery())",
        f"step.table(new.users).computed(same, reads={SAME_LABELS})",
        f'step.same("users", old={SAME_LABELS}, new=select(new.users.c.id))',
    ],
    ids=["query", "union", "source", "computed", "same"],
)
def test_two_columns_with_one_label_are_refused(shop: Sandbox, step: str) -> None:
    """With the step's line, before any SQL is made; the first is not taken for both."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(step, before="def same(frames):\n    yield from frames\n")
    with pytest.raises(CodeError, match=r"two columns with the label name: give one") as refused:
        shop.plan()
    lines = (shop.root / "migrators/1to2.py").read_text("utf-8").splitlines()
    assert refused.value.line == 1 + next(i for i, x in enumerate(lines) if "new." in x)


def test_a_refused_value_names_the_old_key(shop: Sandbox) -> None:
    """A rule's refusal says table, column, key and how to find the others."""
    shop.schema(1, USERS)
    shop.schema(2, 't("users", Column("id", Integer, primary_key=True), Column("name", Integer))')
    shop.step("step.table(new.users).values(name=rules.integer(old.users.c.name))")
    shop.create("INSERT INTO users VALUES (1, '12'), (14, 'x'), (15, 'y')")
    with pytest.raises(ValueRefused, match=r"users\.name: 2 rows at id 14, id 15"):
        shop.migrate()
    assert not shop.database(2).exists()
    assert [p.name for p in shop.root.glob("*loading*")] == []


SHARED = """
    t("users", Column("id", {0}, primary_key=True), Column("name", Text))
    t("pages", Column("id", {0}, ForeignKey("users.id"), primary_key=True))
    t("seen", Column("n", Integer, primary_key=True), Column("page", {0}))
"""


@pytest.mark.parametrize("up", [True, False])
def test_what_follows_a_table_follows_the_key_that_table_has(shop: Sandbox, *, up: bool) -> None:
    """A page's key is its user's: what names a page names it by that, not by one of its own."""
    shop.schema(1, SHARED.format("Integer" if up else "Uuid"))
    shop.schema(2, SHARED.format("Uuid" if up else "Integer"))
    shop.step("""
        step.rekey(new.users, new.pages)
        step.follows(new.seen.c.page, new.pages)
    """)
    ann, bob = ("1", "2") if up else (f"'{uuid.UUID(int=1).hex}'", f"'{uuid.UUID(int=2).hex}'")
    shop.create(
        f"INSERT INTO users VALUES ({ann}, 'ann'), ({bob}, 'bob')",
        f"INSERT INTO pages VALUES ({bob})",
        f"INSERT INTO seen VALUES (1, {bob})",
    )
    shop.migrate()
    assert shop.rows(
        "SELECT users.name FROM seen JOIN pages ON pages.id = seen.page"
        " JOIN users ON users.id = pages.id"
    ) == [("bob",)]


SLIPS = {
    "step.table('users')": r"step\.table takes a table, such as new\.users, not 'users'",
    "step.table(None)": r"step\.table takes a table, such as new\.users, not None",
    "step.table(new.users, source=select(old.users))": r"source= takes .* not a select",
    "step.table(new.users, only=True, because='x')": r"only= takes a condition .* not True",
    "step.table(new.users).drop_rows(True, because='x')": "drop_rows takes a condition",
    "step.table(new.users).drop_rows('x', because='x')": "drop_rows takes a condition",
    "step.table(new.users).query(new.users, rows=new)": "query takes a select",
    "step.table(new.users).computed('f', reads=select(old.users))": "computed takes a function",
    "step.table(new.users).reads('name')": r"reads takes a column, such as new\.users\.c\.name",
    "step.drop('users', because='x')": r"step\.drop takes .* old\.users or .* not 'users'",
    "step.drop(old.users, because=7)": r"step\.drop: a reason is required",
    "step.same('n', old=1, new=2)": "old= takes a select",
    "step.loss('x', count=3)": "count= takes a select",
    "step.lookup(new.users, key='name', of=[])": r"key= takes a column, .*new\.users\.c\.name",
    "step.lookup(new.users, key=new.users.c.name, of=['x'])": "of= takes columns",
    "step.lookup(new.users, key=new.users.c.name, of=[]).values(nme=1)": "did you mean name",
    "step.rekey('users')": r"step\.rekey takes a table",
    "step.follows('x', new.users)": r"step\.follows takes a column",
    "step.uuid('users', old.users.c.id)": r"step\.uuid takes a table",
    "step.grant(new.users, like='users')": r"like= takes a table, such as old\.",
    "raise SystemExit(0)": "SystemExit: 0: a step says what goes where, and returns",
    "(old.users.c.id > 1) and 7": "conditions are joined by & and",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_said_with_its_line(shop: Sandbox, slip: str) -> None:
    """What is no table, condition or select is said where it stands, and how to go on."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(f"pass\n{slip}")
    with pytest.raises(CodeError, match=SLIPS[slip]) as caught:
        shop.plan()
    lines = (shop.root / "migrators" / "1to2.py").read_text().splitlines()
    at = next(i for i, line in enumerate(lines, 1) if slip in line)
    assert caught.value.line == at
    assert caught.value.hint == (
        f"mend line {at} of migrators/1to2.py, then type the same command again",
    )


def test_values_that_do_not_fit_are_said_with_their_lines(shop: Sandbox) -> None:
    """A single one's line stands with the file's name, of several each has its own."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    begin = "users = step.table(new.users)\n"
    shop.step(f"{begin}users.values(name=rules.integer(old.users.c.name))")
    with pytest.raises(PlanError, match=r"^1to2\.py:9: users\.name: integer.* write rules\.text"):
        shop.plan()
    shop.step(f"{begin}users.values(name=old.users)\nusers.values(id=old.users.c.name)")
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert [p.split(": ")[:3] for p in caught.value.problems[:2]] == [
        ["line 10", "users.id", "text(20) does not become integer(32) by itself"],
        ["line 9", "users.name", "a table is no value"],
    ]


@pytest.mark.parametrize("ends", ["raise SystemExit(0)", "1 / 0"])
@pytest.mark.parametrize("after", ["", "    yield\n"])
def test_a_function_that_ends_is_said_with_its_line(shop: Sandbox, ends: str, after: str) -> None:
    """Called, or asked for its first rows: the run stops, and nothing is published."""
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step(
        "step.table(new.users).computed(some, reads=select(old.users))" + SAME,
        before=f"def some(frames):\n    {ends}\n{after}",
    )
    shop.create()
    with pytest.raises(CodeError, match=r"^1to2\.py:7: some: ") as caught:
        shop.migrate()
    assert caught.value.hint[0].startswith("mend line 7 of migrators/1to2.py")
    assert not shop.database(2).exists()
