"""A cast in SQL converts without a count: refused where old values go through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import PlanError

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

VIEWS = 't("posts", Column("id", Integer, primary_key=True), Column("views", {}))'
VIEW_CASTS = {
    "alone": "step.table(new.posts).values(views=sa.cast(old.posts.c.views, Integer))",
    "in an expression": """
        views = func.coalesce(old.posts.c.views.cast(Integer), 0)
        step.table(new.posts).values(views=views)""",
    "a result of a case": """
        views = case((old.posts.c.id > 1, sa.try_cast(old.posts.c.views, Integer)), else_=0)
        step.table(new.posts).values(views=views)""",
    "in a rule": """
        views = sa.cast(old.posts.c.views, Integer)
        step.table(new.posts).values(views=rules.default(views, 0))""",
    "in a subquery's column": """
        views = sa.cast(old.posts.c.views, Integer).label("views")
        step.table(new.posts, source=select(old.posts.c.id, views).subquery())""",
    "in a query": """
        views = sa.cast(old.posts.c.views, Integer).label("views")
        step.table(new.posts).query(select(old.posts.c.id, views), rows=new)""",
    "in an aggregate": """
        posts = old.posts.alias()
        most = select(func.max(sa.cast(posts.c.views, Integer))).scalar_subquery()
        step.table(new.posts).values(views=most)""",
    "of unknown SQL": """
        views = sa.cast(func.substr(old.posts.c.views, 1, 3), Integer)
        step.table(new.posts).values(views=views)""",
    "in a key that is asked for": """
        posts = step.table(new.posts)
        posts.values(views=posts.key(sa.cast(old.posts.c.views, Integer)))""",
}


@pytest.mark.parametrize("step", VIEW_CASTS.values(), ids=VIEW_CASTS)
def test_a_cast_that_converts_without_a_word_is_refused(shop: Sandbox, step: str) -> None:
    """'12,345' would be 12, and nothing would tell: the plan names column and rule."""
    shop.schema(1, VIEWS.format("String(20)"))
    shop.schema(2, VIEWS.format("Integer"))
    shop.step(step.replace("Integer", "sa.Integer"))
    with pytest.raises(PlanError, match=r"rules\.integer\(") as caught:
        shop.plan()
    said = " ".join(caught.value.problems)
    assert "posts.views: a cast of" in said or "posts: a cast of" in said
    assert ".c.views to Integer()" in said


def test_what_cannot_be_bound_is_not_lost(shop: Sandbox) -> None:
    """Its column is on its way somewhere: nobody is told to drop it."""
    shop.schema(1, VIEWS.format("String(20)"))
    shop.schema(2, VIEWS.format("Integer").replace('"views"', '"seen"'))
    shop.step("step.table(new.posts).values(seen=old.posts.c.views)")
    with pytest.raises(PlanError, match=r"write rules\.integer") as caught:
        shop.plan()
    assert "step.drop" not in str(caught.value.hint)


@pytest.mark.parametrize(
    "calculated", ["sa.literal(2) - posts.views", "sa.literal(1) * posts.views"]
)
def test_arithmetic_on_text_is_refused(shop: Sandbox, calculated: str) -> None:
    """'12,345' times 1 is 12 on some databases, an error on others, and counted nowhere."""
    shop.schema(1, VIEWS.format("String(20)"))
    shop.schema(2, VIEWS.format("Integer"))
    shop.step(f"""
        posts = old.posts.c
        views = sa.type_coerce({calculated}, sa.Integer())
        step.table(new.posts).values(views=views)""")
    with pytest.raises(PlanError, match=r"arithmetic on the text of old\.posts\.c\.views"):
        shop.plan()


def test_a_cast_of_a_table_read_by_a_function_is_refused(shop: Sandbox) -> None:
    """What a function is given has arrived, too."""
    shop.schema(1, VIEWS.format("String(20)"))
    shop.schema(2, VIEWS.format("Integer"))
    reads = 'select(old.posts.c.id, sa.cast(old.posts.c.views, sa.Integer).label("views"))'
    shop.step(
        f"step.table(new.posts).computed(same, reads={reads})",
        before="def same(frames):\n    yield from frames\n",
    )
    with pytest.raises(PlanError, match=r"rules\.integer\(old\.posts\.c\.views\)"):
        shop.plan()


def test_casts_that_are_exact_or_decide_only_are_taken(shop: Sandbox) -> None:
    """An integer's digits are the same everywhere; a condition converts nothing that arrives."""
    shop.schema(1, VIEWS.format("String(20)"))
    shop.schema(2, VIEWS.format("String(20)"))
    shop.step("""
        posts = old.posts.c
        many = sa.cast(posts.views, sa.Integer) > 10
        named = "no. " + sa.cast(posts.id, sa.String)
        (step.table(new.posts, only=sa.cast(posts.views, sa.Integer) > 0, because="not seen")
             .values(views=case((many, posts.views), else_=named)))
    """)
    shop.create("INSERT INTO posts VALUES (1, '12,345'), (2, '7'), (3, '0')")
    shop.migrate()
    assert shop.rows("SELECT * FROM posts") == [(1, "12,345"), (2, "no. 2")]
