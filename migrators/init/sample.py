"""The sample project: two tables, two versions, one step, six rows."""

from __future__ import annotations

from typing import Any

PYPROJECT = """\
[tool.migrators]
name = {name}
url = {url}
"""

URLS = """
[tool.migrators.urls]
{version} = {url}
"""

RUFF = """
[tool.ruff.lint.per-file-ignores]
"migrators/*.py" = ["INP001"]  # steps are loaded by path: an __init__.py would be wrong here
"""

GITIGNORE = (".migrate/", "/data/")
GITATTRIBUTES = ("fixtures/** -text", "fixtures/**/*.csv merge=union")

SCHEMA_1 = '''\
"""Schema 1 of {name}: counts are text for people, flags are 0 and 1."""

import sqlalchemy as sa

metadata = sa.MetaData()

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("chatname", sa.String(64)),
    sa.PrimaryKeyConstraint("id", name="pk_users"),
)

posts = sa.Table(
    "posts",
    metadata,
    sa.Column("id", sa.Integer),
    sa.Column("author_id", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("views", sa.String(20), nullable=False),
    sa.Column("published", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_posts"),
    sa.ForeignKeyConstraint(
        ["author_id"],
        ["users.id"],
        name="fk_posts_author_id_users",
    ),
)
'''

SCHEMA_2 = '''\
"""Schema 2 of {name}: counts are numbers, flags are true or false."""

import sqlalchemy as sa

metadata = sa.MetaData()

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("rocketchat_user", sa.String(64)),
    sa.PrimaryKeyConstraint("id", name="pk_users"),
)

posts = sa.Table(
    "posts",
    metadata,
    sa.Column("id", sa.Integer),
    sa.Column("author_id", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("views", sa.Integer, nullable=False),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_posts"),
    sa.ForeignKeyConstraint(
        ["author_id"],
        ["users.id"],
        name="fk_posts_author_id_users",
    ),
    sa.Index("ix_posts_author_id", "author_id"),
)
'''

STEP = '''\
"""1to2: chat names are Rocket.Chat's; views become numbers, flags become booleans."""

from migrators import rules


def migrate(step, old, new):
    """Take schema 1 to schema 2; what is not mentioned is carried by name."""
    step.table(new.users).values(rocketchat_user=old.users.c.chatname)
    step.table(new.posts).values(
        views=rules.integer(old.posts.c.views, thousands=","),
        published=rules.boolean(old.posts.c.published),
    )
'''

README = """\
# {name}

The major number of a release is the version of its database schema.

    migrate load fixtures/v1     makes {name}_v1 from the rows in fixtures/v1
    migrate plan 1to2            says what will happen; writes nothing
    migrate 1to2                 makes {name}_v2; {name}_v1 stays as it is

| where | what |
|---|---|
| schemas/vN.py | the tables of schema N |
| migrators/NtoM.py | how rows of schema N become rows of schema M |
| fixtures/vN/ | rows for tests and for a first look, as CSV |
"""

ROWS: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"id": 1, "name": "Ada Lovelace", "chatname": "ada"},
        {"id": 2, "name": 'Grace "Amazing" Hopper', "chatname": ""},
        {"id": 3, "name": "Zoë, called Zed", "chatname": None},
    ],
    "posts": [
        {"id": 1, "author_id": 1, "title": "Notes", "views": "12,345", "published": 1},
        {"id": 2, "author_id": 2, "title": "A bug\nis found", "views": "7", "published": 1},
        {"id": 3, "author_id": 1, "title": "NULL", "views": "0", "published": 0},
    ],
}
"""Rows of fixtures/v1: a comma, quotes, a line break, an empty text, a NULL and a "NULL"."""
