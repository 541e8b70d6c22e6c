"""The same command again: done already, stale, or made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import Findings

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

USERS = 't("users", Column("id", Integer, primary_key=True), Column("name", String(20)))\n'
UPPER = "step.table(new.users).values(name=rules.upper(old.users.c.name))"


def _published(shop: Sandbox) -> None:
    shop.schema(1, USERS)
    shop.schema(2, USERS)
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 'ann')")
    assert shop.migrate().outcome == "published"


def test_nothing_has_changed_is_already_done(shop: Sandbox) -> None:
    """Neither the old database nor what the step says."""
    _published(shop)
    assert shop.migrate().outcome == "already done"


@pytest.mark.fault("H104")
def test_a_changed_step_is_not_already_done(shop: Sandbox) -> None:
    """A corrected step has not been run: to say that it was would leave the mistake there."""
    _published(shop)
    shop.step(UPPER)
    with pytest.raises(Findings, match="is stale: the step or a schema has changed since run"):
        shop.migrate()
    assert shop.migrate(replace=True).outcome == "published"
    assert shop.rows("SELECT name FROM users") == [("ANN",)]


def test_a_changed_schema_is_not_already_done(shop: Sandbox) -> None:
    """The same step over another schema makes another database."""
    _published(shop)
    shop.schema(2, USERS.replace("String(20)", "String(30)"))
    with pytest.raises(Findings, match="is stale: the step or a schema has changed since run"):
        shop.migrate()


def test_a_changed_old_database_is_not_already_done(shop: Sandbox) -> None:
    """Rows that came since are not in the new database."""
    _published(shop)
    shop.sql("INSERT INTO users VALUES (2, 'bob')")
    with pytest.raises(Findings, match="is stale: the old database has changed since run"):
        shop.migrate()
