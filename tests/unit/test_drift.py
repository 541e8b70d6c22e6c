"""Drift: what differs, said in a sentence; what a major may have more is a notice."""

from __future__ import annotations

import pytest

from migrators.backends.interface import Catalog
from migrators.drift import Difference, compare

USERS = {
    ("table", "users"): "table",
    ("column", "users.id"): "integer not null",
    ("column", "users.name"): "text(40) not null",
    ("index", "users.ix_name"): "(name)",
}


def _compare(changes: dict[tuple[str, str], str | None]) -> list[Difference]:
    """Compare a live database that has these changes with the schema."""
    live = {k: v for k, v in {**USERS, **changes}.items() if v is not None}
    return compare(Catalog(live), Catalog(USERS))


def test_alike() -> None:
    """Equal catalogues have no difference."""
    assert _compare({}) == []


def test_missing() -> None:
    """What the schema has and the database has not."""
    (found,) = _compare({("index", "users.ix_name"): None})
    assert found == Difference("index", "users.ix_name", "missing", fresh="(name)")
    assert str(found) == "index users.ix_name is missing: the schema says (name)"


def test_differs() -> None:
    """Both have it, and not alike."""
    (found,) = _compare({("column", "users.name"): "text(20) not null"})
    assert found.what == "differs"
    assert not found.additive
    assert str(found) == (
        "column users.name differs: the database has text(20) not null; "
        "the schema says text(40) not null"
    )


def test_missing_comes_first() -> None:
    """The order is fixed: missing things, then by kind and name."""
    changes = {("column", "users.a"): "text", ("table", "users"): "other"}
    found = _compare({**changes, ("index", "users.ix_name"): None})
    assert [d.name for d in found] == ["users.ix_name", "users.a", "users"]


@pytest.mark.parametrize(
    ("kind", "name", "facts", "additive"),
    [
        ("column", "users.nick", "text(9)", True),
        ("column", "users.n", "integer not null default 0", True),
        ("column", "users.n", "integer not null", False),
        ("index", "users.ix_id", "(id)", True),
        ("index", "users.ux_id", "unique (id)", False),
        ("view", "grown_ups", "select 1", True),
        ("function", "grown_up(integer)", "create function …", True),
        ("extension", "hstore", "1.8", True),
        ("trigger", "users.tt", "after insert", False),
        ("check", "users.ck", "id > 3", False),
        ("foreign key", "users.fk", "(id) -> x (id)", False),
    ],
)
def test_extra(kind: str, name: str, facts: str, additive: bool) -> None:  # noqa: FBT001
    """Only what leaves known rows meaning the same is a notice."""
    (found,) = _compare({(kind, name): facts})
    assert found == Difference(kind, name, "extra", live=facts, additive=additive)
    assert str(found) == f"{kind} {name} is in the database only: {facts}"


def test_a_further_table_is_a_notice_with_all_that_belongs_to_it() -> None:
    """Its columns, keys and triggers are no drift either."""
    found = _compare(
        {
            ("table", "tags"): "table",
            ("column", "tags.id"): "integer not null",
            ("trigger", "tags.tt"): "after insert",
            ("primary key", "tags"): "(id)",
        }
    )
    assert len(found) == 4
    assert all(d.additive for d in found)


NAMED = {
    ("primary key", "users"): "id, named pk_users",
    ("unique", "users(name)"): "named uq_users_name",
    ("foreign key", "users(boss)"): "references users ( id ), named fk_users_boss",
    ("check", "users.ck_users_1"): "id > 3, named ck_users_1",
}
NAMELESS = {
    ("primary key", "users"): "id",
    ("unique", "users(name)"): "",
    ("foreign key", "users(boss)"): "references users ( id )",
    ("check", "users.id > 3"): "id > 3",
}


def test_a_nameless_constraint_is_no_drift_from_one_that_freeze_has_named() -> None:
    """Models leave names open, so their databases have none; a frozen file has them."""
    assert compare(Catalog(NAMELESS), Catalog(NAMED)) == []
    assert len(compare(Catalog(NAMED), Catalog(NAMELESS))) == 5


@pytest.mark.parametrize("key", sorted(NAMELESS))
def test_a_nameless_constraint_that_says_something_else_is_drift(key: tuple[str, str]) -> None:
    """Only the name may be missing."""
    kind, name = key
    other = (kind, f"{name} + 1") if kind == "check" else key
    live = {**{k: v for k, v in NAMELESS.items() if k != key}, other: f"{NAMELESS[key]} + 1"}
    found = compare(Catalog(live), Catalog(NAMED))
    assert {difference.kind for difference in found} == {kind}


def test_another_name_is_drift() -> None:
    """A name that the database has is what `ALTER` and error messages speak of."""
    live = {**NAMED, ("unique", "users(name)"): "named other"}
    (found,) = compare(Catalog(live), Catalog(NAMED))
    assert found.what == "differs"
