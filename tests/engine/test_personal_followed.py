"""What is personal is declared once, in any version: steps carry it to the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from migrators.errors import UsageError
from migrators.events import silent
from migrators.project import Project
from migrators.run import SampleOptions, check_fixtures, sample
from migrators.sample import Request
from tests.acceptance.cheeseshop import parsed

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

KEY = "0123456789abcdef-a"
OLD = """
t("users", Column("id", Integer, primary_key=True), Column("no", Integer),
  Column("name", String(40){name}), Column("born", Date{born}), Column("mail", Text{mail}))
t("notes", Column("of", ForeignKey("users.id")), Column("signed", Text))
"""
NEW = """
t("people", Column("id", Integer, primary_key=True), Column("number", Integer),
  Column("full_name", String(40){name}), Column("birthday", Date{born}),
  Column("mail", Text), Column("mailed", Boolean{mailed}))
t("notes", Column("of", ForeignKey("people.id")), Column("signed", Text))
"""
STEP = """
users = old.users.c
step.table(new.people, source=old.users).values(number=users.no, full_name=users.name,
    birthday=users.born, mailed=case((users.mail.is_(None), False), else_=True))
"""


def info(said: object) -> str:
    """Return what a column says of itself."""
    return f", info={{'pii': {said!r}}}"


def declared(shop: Sandbox, *, old: dict[str, str], new: dict[str, str]) -> None:
    """Make both schemas, a step that renames, and a database of version 1."""
    none = dict.fromkeys(("name", "born", "mail", "mailed"), "")
    shop.schema(1, OLD.format(**none | old))
    shop.schema(2, NEW.format(**none | new))
    shop.step(STEP)
    if not shop.database(1).exists():
        shop.create(
            "INSERT INTO users VALUES (1, 7, 'Ann Real', '1970-01-01', 'ann@real.com')",
            "INSERT INTO notes VALUES (1, 'Ann Real')",
        )


def sampled(shop: Sandbox, version: int) -> dict[str, str]:
    """Make a sample; return the only row of its first table."""
    project = Project.find(shop.root, environment={"MIGRATE_PII_KEY": KEY})
    place = sample(project, version, Request(), SampleOptions(replace=True), emit=silent).path
    (row,) = parsed((place / ("users.csv" if version == 1 else "people.csv")).read_bytes())
    return row


def test_what_the_next_version_declares_is_replaced_in_this_one(shop: Sandbox) -> None:
    """Under its own name, by the same pseudonyms; the key of a shift has another name, too."""
    declared(shop, old={}, new={"name": info("name"), "born": info({"shift": "number"})})
    old = sampled(shop, 1)
    assert re.search(" x-", old["name"])
    assert old["born"] != "1970-01-01"
    (checked,) = check_fixtures(shop.project)
    assert checked.findings == ()
    shop.migrate()
    new = sampled(shop, 2)
    assert (new["full_name"], new["birthday"]) == (old["name"], old["born"])


def test_what_the_version_before_declares_is_replaced_in_this_one(shop: Sandbox) -> None:
    """And found in fixtures, by line; what is said here wins, also that it is not personal."""
    declared(shop, old={"name": info("name"), "mail": info("email")}, new={})
    shop.migrate()
    with pytest.raises(UsageError, match=r"people\.mailed is personal as users\.mail of schema 1"):
        sampled(shop, 2)
    declared(
        shop,
        old={"name": info("name"), "mail": info("email")},
        new={"name": info({"constant": "nobody"})},
    )
    settings = (shop.root / "pyproject.toml").read_text()
    shop.write("pyproject.toml", f'{settings}\n[tool.migrators.pii]\n"people.mailed" = false\n')
    new = sampled(shop, 2)
    assert (new["full_name"], new["mailed"]) == ("nobody", "true")
    assert new["mail"].endswith("@example.org")
    file = shop.project.fixtures(2) / "people.csv"
    file.write_text(file.read_text().replace(new["mail"], "ann@real.com"))
    (checked,) = check_fixtures(shop.project)
    assert [str(f) for f in checked.findings] == ["people.csv:2 mail: is personal, and bare"]


def test_a_step_that_is_being_written_carries_by_name(shop: Sandbox) -> None:
    """What is personal stays so: `notes.signed` is in both versions."""
    declared(shop, old={}, new={})
    shop.write("schemas/v2.py", shop.project.schema_path(2).read_text().replace(
        'Column("signed", Text)', f'Column("signed", Text{info("text")})'))  # fmt: skip
    shop.step("step.nonsense()")
    sampled(shop, 1)
    (note,) = parsed((shop.project.fixtures(1) / "notes.csv").read_bytes())
    assert note["signed"].startswith("x-")


def test_over_several_steps(shop: Sandbox) -> None:
    """A version in between says nothing of it, and has it under a third name."""
    declared(shop, old={}, new={})
    shop.schema(3, 't("names", Column("id", Integer, primary_key=True), '
                   f'Column("whole", String(40){info("name")}))')  # fmt: skip
    drops = [f"step.drop(old.people.c.{name}, because='x')"
             for name in ("number", "birthday", "mail", "mailed")]  # fmt: skip
    carried = "step.table(new.names, source=old.people).values(whole=old.people.c.full_name)"
    gone = "step.drop(old.notes, because='x')"
    shop.step("\n".join([carried, gone, *drops]), "2to3")
    assert re.search(" x-", sampled(shop, 1)["name"])


def test_what_refers_to_it_in_another_version_is_replaced_in_this_one(shop: Sandbox) -> None:
    """`notes.signed` is a user's name by a reference that only version 1 states."""
    declared(shop, old={"name": info("name")}, new={"name": info(False)})
    settings = (shop.root / "pyproject.toml").read_text()
    said = '\n[tool.migrators]\nreferences = ["notes.signed = users.name"]\n'
    shop.write("pyproject.toml", settings.replace("\n[tool.migrators]\n", said))
    name = sampled(shop, 1)["name"]
    file = shop.project.fixtures(1) / "notes.csv"
    assert name in file.read_text()
    file.write_text(file.read_text().replace(name, "Ann Real"))
    (checked,) = check_fixtures(shop.project)
    assert [str(f) for f in checked.findings][:1] == ["notes.csv:2 signed: is personal, and bare"]
    shop.migrate()
    assert sampled(shop, 2)["full_name"] == "Ann Real"
    (note,) = parsed((shop.project.fixtures(2) / "notes.csv").read_bytes())
    assert note["signed"] == name
