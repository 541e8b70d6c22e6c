"""`step.rekey(random=True)`: keys that nobody can compute, and an application's start on them."""

from __future__ import annotations

import stat
import uuid
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import migrators
from migrators.errors import WrongVersion
from tests.unit.preflight.asking import checked, stops

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

_OLD = """
t("users", Column("id", Integer, primary_key=True), Column("name", Text))
t("posts", Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("users.id")))
t("seen", Column("id", Integer, primary_key=True), Column("by", Integer))
"""
_NEW = """
t("users", Column("id", Uuid, primary_key=True), Column("name", Text))
t("posts", Column("id", Integer, primary_key=True), Column("user_id", Uuid, ForeignKey("users.id")))
t("seen", Column("id", Integer, primary_key=True), Column("by", Uuid))
"""
_STEP = "step.rekey(new.users{})\nstep.follows(new.seen.c.by, new.users)"
_NAMES = "SELECT name, id FROM users ORDER BY name"


@pytest.fixture
def random(shop: Sandbox) -> Sandbox:
    """Three users, with references declared and not declared."""
    shop.schema(1, _OLD)
    shop.schema(2, _NEW)
    shop.step(_STEP.format(", random=True"))
    shop.create(
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'cyd')",
        "INSERT INTO posts VALUES (1, 3), (2, NULL), (3, 1)",
        "INSERT INTO seen VALUES (1, 2), (2, NULL)",
    )
    return shop


def test_references_follow_random_keys(random: Sandbox) -> None:
    """Foreign keys and followers name the same UUIDs, NULL stays; `check` has nothing to say."""
    assert stops(checked(random)) == []
    random.migrate()
    keys = dict(random.rows(_NAMES))
    assert len(set(keys.values())) == len(keys)
    posts = random.rows("SELECT user_id FROM posts ORDER BY id")
    assert posts == [(keys["cyd"],), (None,), (keys["ann"],)]
    assert random.rows('SELECT "by" FROM seen ORDER BY id') == [(keys["bob"],), (None,)]


def test_random_keys_are_not_the_derived_ones(random: Sandbox) -> None:
    """Whoever knows table and old key knows nothing; another secret gives other keys."""
    random.migrate()
    first = random.rows(_NAMES)
    random.migrate(replace=True, fresh=True)
    second = random.rows(_NAMES)
    random.step(_STEP.format(""))
    random.migrate(replace=True)
    derived = random.rows(_NAMES)
    seen = {key for rows in (first, second, derived) for _, key in rows}
    assert len(seen) == len(first) * 3
    assert all(uuid.UUID(key) for key in seen)


def test_the_secret_is_private(random: Sandbox) -> None:
    """It lies in the run directory, for its owner only."""
    receipt = random.migrate()
    secret = random.root / ".migrate" / "runs" / receipt.run / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def _engine(path: Path) -> sa.Engine:
    return sa.create_engine(f"sqlite:///{path}", poolclass=sa.pool.NullPool)


def test_an_application_starts_on_its_own_version_only(random: Sandbox) -> None:
    """`migrators.require` reads the stamp that a run has written, and says what to type."""
    random.migrate()
    migrators.require(_engine(random.database(2)), major=2)
    with pytest.raises(WrongVersion) as caught:
        migrators.require(_engine(random.database(2)), major=3)
    assert "is schema 2, and this application needs schema 3" in str(caught.value)
    assert caught.value.hint[0].startswith("migrate 2to3")
