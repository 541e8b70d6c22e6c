"""A sample: few rows, and all that they refer to; the same each time; it loads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from migrators.errors import ExtractError, UsageError, ValueRefused
from migrators.events import silent
from migrators.run import Options, SampleOptions, check_fixtures, extract_only, sample
from migrators.sample import Request
from tests.acceptance.cheeseshop import parsed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

SCHEMA = """
t("orgs", Column("id", Integer, primary_key=True),
  Column("owner", ForeignKey("users.id", name="fk_owner", use_alter=True)))
t("users", Column("id", Integer, primary_key=True), Column("login", String(9), unique=True),
  Column("boss", ForeignKey("users.id")), Column("org", ForeignKey("orgs.id"), nullable=False))
t("orders", Column("shop", Text, primary_key=True), Column("no", Integer, primary_key=True),
  Column("buyer", ForeignKey("users.login")))
t("lines", Column("id", Uuid, primary_key=True), Column("shop", Text), Column("no", Integer),
  ForeignKeyConstraint(["shop", "no"], ["orders.shop", "orders.no"]))
t("tags", Column("at", DateTime, primary_key=True))
t("tagged", Column("tag", ForeignKey("tags.at"), primary_key=True), Column("user",
  ForeignKey("users.id"), primary_key=True))
t("log", Column("login", Text), Column("what", Text))
"""
USERS = 300
"""Each has the one before as boss; org n % 10 is that of user n, whom user n + 10 owns."""


@pytest.fixture
def large(shop: Sandbox) -> Sandbox:
    """A database of version 1 in which everything refers to something."""
    shop.schema(1, SCHEMA)
    shop.create(
        *(f"INSERT INTO orgs VALUES ({n}, {n + 10})" for n in range(10)),
        *(
            f"INSERT INTO users VALUES ({n}, 'u{n}', {n - 1 if n % 50 else 'NULL'}, {n % 10})"
            for n in range(USERS)
        ),
        *(f"INSERT INTO orders VALUES ('s{n % 3}', {n // 3}, 'u{n % 7}')" for n in range(90)),
        *(f"INSERT INTO lines VALUES ('{n:032x}', 's{n % 3}', {n // 9})" for n in range(270)),
        *(f"INSERT INTO tags VALUES ('2024-01-01 00:00:0{n}.000000')" for n in range(9)),
        *(
            f"INSERT INTO tagged VALUES ('2024-01-01 00:00:0{n % 9}.000000', {n})"
            for n in range(0, USERS, 2)
        ),
        *(f"INSERT INTO log VALUES ('u{n % 60}', 'in')" for n in range(200)),
    )
    return shop


def sampled(
    shop: Sandbox, request: Request, source: int | Path = 1, **options: Any
) -> dict[str, list[dict[str, str]]]:
    """Make a sample in the place of the former; return the rows of each table."""
    asked = SampleOptions(replace=True, **options)
    made = sample(shop.project, source, request, asked, emit=silent)
    (checked,) = check_fixtures(shop.project, [made.path])
    assert checked.findings == ()
    return {p.stem: parsed(p.read_bytes()) for p in made.path.glob("*.csv")}


def test_each_row_comes_with_all_that_it_refers_to(large: Sandbox) -> None:
    """Up a chain of bosses, round a circle of tables, by keys of several columns and of text."""
    found = sampled(large, Request(rows=1, tables=("lines",)))
    (line,) = found["lines"]
    (order,) = found["orders"]
    assert (line["shop"], line["no"]) == (order["shop"], order["no"])
    users = {int(user["id"]): user for user in found["users"]}
    assert {u["login"] for u in users.values()} >= {order["buyer"]}
    assert all(int(u["boss"]) in users for u in users.values() if u["boss"])
    orgs = {org["id"]: int(org["owner"]) for org in found["orgs"]}
    assert {u["org"] for u in users.values()} == set(orgs)
    assert set(orgs.values()) <= set(users)
    assert (found["tags"], found["tagged"], found["log"]) == ([], [], [])


def test_the_same_rows_each_time_and_others_by_another_seed(large: Sandbox) -> None:
    """Also where the database gives them in another order, and a row was added."""
    request = Request(rows=5, tables=("tagged", "log", "lines"))
    once = sampled(large, request)
    assert [len(once[name]) for name in request.tables] == [5, 5, 5]
    large.sql(
        "CREATE TABLE kept AS SELECT * FROM log",
        "DELETE FROM log",
        "INSERT INTO log SELECT * FROM kept ORDER BY login DESC",
        "DROP TABLE kept",
    )
    assert sampled(large, request) == once
    assert sampled(large, Request(rows=5, tables=request.tables, seed=1)) != once


def test_rows_are_chosen_evenly(large: Sandbox) -> None:
    """Neither the first nor those that lie together."""
    found = sampled(large, Request(rows=60, tables=("tagged",)))
    chosen = [int(row["user"]) for row in found["tagged"]]
    assert len(chosen) == 60
    assert sum(user < USERS // 2 for user in chosen) in range(15, 46)


def test_conditions_choose_what_it_begins_with(large: Sandbox) -> None:
    """SQL on one table; text with colons and percent signs is itself."""
    where = {"orders": "buyer = 'u3' AND 'a:b' NOT LIKE '%:c%'", "tags": "1 = 0"}
    found = sampled(large, Request(rows=7, where=where))
    assert {order["buyer"] for order in found["orders"]} == {"u3"}
    assert (len(found["orders"]), found["tags"], found["lines"]) == (7, [], [])


def test_children_are_followed_as_deep_as_asked_and_no_further(large: Sandbox) -> None:
    """With a limit for each table that what others refer to is taken beyond."""
    by = {"orgs": "id = 4"}
    assert sampled(large, Request(where=by))["lines"] == []
    one = sampled(large, Request(where=by, children=1))
    assert len([u for u in one["users"] if u["org"] == "4"]) == USERS // 10
    assert (one["tagged"], one["orders"]) == ([], [])
    request = Request(where=by, children=2, most={"tagged": 3, "users": 4})
    made = sample(large.project, 1, request, SampleOptions(replace=True), emit=silent).sampled
    assert made.begun == {"orgs": 1}
    assert (made.children["users"], made.children["tagged"]) == (4, 3)
    assert made.parents["users"] > 4
    none = sampled(large, Request(where=by, children=2, most={"tagged": 0}))
    assert none["tagged"] == []


def test_references_that_the_schema_does_not_state(large: Sandbox) -> None:
    """By option or settings; a row that refers to nothing there is said, and stays."""
    begin = Request(rows=4, tables=("log",))
    assert sampled(large, begin)["users"] == []
    found = sampled(large, begin, references=("log.login = users.login",))
    logins = {user["login"] for user in found["users"]}
    assert {row["login"] for row in found["log"]} <= logins
    large.write(
        "pyproject.toml",
        '[tool.migrators]\nurl = "sqlite:///shop_v{version}.db"\n'
        'references = ["log(login) = users(login)", "gone.x = users.id"]\n',
    )
    assert sampled(large, begin) == found
    large.sql("UPDATE log SET login = 'nobody', what = rowid")
    said: list[str] = []
    asked = SampleOptions(replace=True)
    sample(large.project, 1, begin, asked, emit=lambda e: said.append(getattr(e, "text", "")))
    assert "log.login: 4 rows: refers to a row of users that is not there" in said
    assert any(text.startswith("no column is declared personal") for text in said)
    assert "[tool.migrators] references: schema 1 has no table `gone`: left out" in said


def test_a_lost_parent_is_refused_by_name(large: Sandbox) -> None:
    """The schema states it, so that no database would load it; nothing is left behind."""
    large.sql("PRAGMA foreign_keys = 0", "DELETE FROM orders WHERE shop = 's1' AND no = 5")
    with pytest.raises(ValueRefused, match=r"lines\.shop, no: .* refers to a row of orders that"):
        sampled(large, Request(where={"lines": "shop = 's1' AND no = 5"}))
    assert not large.project.fixtures(1).exists()


def test_a_large_extract_gives_the_same_sample_as_its_database(large: Sandbox) -> None:
    """Conditions and all: it is loaded into a file of the run first."""
    to = large.root / "whole"
    extract_only(large.project, [(1, 1)], to, Options(), emit=silent)
    request = Request(rows=9, where={"users": "id % 2 = 0"}, tables=("log",), children=1)
    assert sampled(large, request, to) == sampled(large, request)


@pytest.mark.parametrize(
    ("request_", "references", "says"),
    [
        (Request(tables=("user",)), (), "no table `user`"),
        (Request(where={"x": "1"}), (), "no table `x`"),
        (Request(most={"x": 1}), (), "no table `x`"),
        (Request(), ("log.login",), "`log.login` is no reference"),
        (Request(), ("log.lgin = users.login",), "log has no column `lgin`"),
        (Request(), ("log(login, what) = users.login",), "2 columns on one side, 1 on"),
        (Request(), ("log.login = users.id",), "log.login is a text and users.id a integer(32)"),
    ],
)
def test_what_is_not_there_is_said(
    large: Sandbox, request_: Request, references: tuple[str, ...], says: str
) -> None:
    """Before a row is read."""
    with pytest.raises(UsageError, match=re.escape(says)):
        sample(large.project, 1, request_, SampleOptions(references=references), emit=silent)


def test_nothing_of_someone_else_is_overwritten(large: Sandbox) -> None:
    """An extract only with `--replace`; anything else not even then."""
    sample(large.project, 1, Request(rows=1), SampleOptions(), emit=silent)
    with pytest.raises(ExtractError, match="nothing was overwritten"):
        sample(large.project, 1, Request(rows=1), SampleOptions(), emit=silent)
    large.write("mine/notes.csv", "mine")
    options = SampleOptions(to=large.root / "mine", replace=True)
    with pytest.raises(ExtractError, match="no extract"):
        sample(large.project, 1, Request(rows=1), options, emit=silent)
    assert (large.root / "mine" / "notes.csv").read_text() == "mine"
