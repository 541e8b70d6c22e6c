"""Values may be personal data: they leave only where `--show-values` is typed; keys always do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.cli import main
from tests.sandbox import Sandbox, sandbox
from tests.served import KINDS, served

if TYPE_CHECKING:
    from pathlib import Path

MAIL = "ann@example.org"
OLD = 't("users", Column("id", Integer, primary_key=True), Column("mail", Text))\n'
UNIQUE = 't("users", Column("id", Integer, primary_key=True), Column("mail", Text, unique=True))\n'
NUMBER = 't("users", Column("id", Integer, primary_key=True), Column("mail", Integer))\n'
TWICE = f"INSERT INTO users VALUES (7, '{MAIL}'), (8, '{MAIL}')"
COMPUTED = """
def made(rows: Iterator[dict]) -> Iterator[dict]:
    for row in rows:
        yield row
"""
CASES = {
    "another storage class": (NUMBER, NUMBER, ""),
    "a rule": (OLD, NUMBER, "step.table(new.users).values(mail=rules.integer(old.users.c.mail))"),
    "UNIQUE": (OLD, UNIQUE, ""),
    "a function": (
        OLD,
        NUMBER,
        "step.table(new.users).computed(made, reads=select(old.users.c.id, old.users.c.mail))\n"
        "step.same('users', old=select(func.count(old.users.c.id)), "
        "new=select(func.count(new.users.c.id)))",
    ),
    "a foreign key": (
        OLD + 't("owners", Column("mail", Text, primary_key=True))\n',
        't("owners", Column("mail", Text, primary_key=True))\n'
        't("users", Column("id", Integer, primary_key=True),'
        ' Column("mail", Text, ForeignKey("owners.mail")))\n',
        "",
    ),
}
"""What refuses: old schema, new schema, step."""
SHOWN = set(CASES) - {"a rule"}
"""Of what a rule refuses the key is known, and nothing else is kept."""


@pytest.fixture(params=CASES)
def case(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[str, Sandbox]:
    """A project whose rows 7 and 8 are refused, and why."""
    old, new, step = CASES[request.param]
    shop = sandbox(tmp_path)
    shop.schema(1, old)
    shop.schema(2, new)
    shop.step(step, before=f"from collections.abc import Iterator\n{COMPUTED}")
    shop.create(TWICE)
    return request.param, shop


def _said(shop: Sandbox, capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    assert main(["-C", str(shop.root), *typed]) in (1, 3)
    found = capsys.readouterr()
    assert "Traceback" not in found.err
    return found.out + found.err


def test_a_run_names_keys_and_no_values(
    case: tuple[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither on the screen nor in what the run keeps; what to type is said."""
    name, shop = case
    said = _said(shop, capsys, "1to2")
    assert MAIL not in said
    kept = [
        p for p in (shop.root / ".migrate").rglob("*") if p.suffix in (".json", ".jsonl", ".txt")
    ]
    assert not any(MAIL in path.read_text("utf-8") for path in kept)
    assert ("--show-values" in said) == (name in SHOWN)
    assert any(key in said for key in ("id 7", "id 8", "row 0"))


def test_a_run_shows_values_when_asked(
    case: tuple[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    """Behind the reason."""
    name, shop = case
    said = _said(shop, capsys, "1to2", "--show-values")
    assert (MAIL in said) == (name in SHOWN)
    assert "--show-values     shows" not in said


def test_check_names_keys_and_no_values(
    case: tuple[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    """Functions are left to a rehearsal, the rest is found."""
    name, shop = case
    main(["-C", str(shop.root), "check", "1to2"])
    found = capsys.readouterr()
    assert MAIL not in found.out + found.err
    assert ("id 7" in found.out) == (name != "a function")


def test_extract_and_load_do_as_the_run_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verbs of the phases alone."""
    shop = sandbox(tmp_path)
    shop.schema(1, NUMBER)
    shop.create(TWICE)
    assert MAIL not in _said(shop, capsys, "extract", "1")
    assert MAIL in _said(shop, capsys, "extract", "1", "--show-values")
    shop.schema(1, OLD)
    assert main(["-C", str(shop.root), "extract", "1", "--format", "csv"]) == 0
    assert main(["-C", str(shop.root), "load", "--help"]) == 0
    assert "--show-values" in capsys.readouterr().out


def test_load_names_the_line_of_a_file_and_no_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field of a CSV file that is no value of its column's type."""
    shop = sandbox(tmp_path)
    shop.schema(1, OLD)
    shop.create(TWICE)
    fixture = shop.root / "fixtures" / "v1"
    assert main(["-C", str(shop.root), "extract", "1", "--to", str(fixture)]) == 0
    rows = fixture / "users.csv"
    rows.write_text(rows.read_text("utf-8").replace("8,", f"{MAIL},"), "utf-8")
    capsys.readouterr()
    shop.database().unlink()
    said = _said(shop, capsys, "load", str(fixture))
    assert "users.csv:3 id: is not an integer" in said
    assert MAIL not in said
    assert "--show-values     shows" in said
    assert MAIL in _said(shop, capsys, "load", str(fixture), "--show-values")


SERVED = {
    "UNIQUE": ("sa.Text", "sa.String(60), unique=True", ""),
    "a length": ("sa.Text", "sa.String(5)", ""),
    "CHECK": ("sa.Text", "sa.String(60), sa.CheckConstraint('length(mail) < 9')", ""),
    "a rule": (
        "sa.Text",
        "sa.Integer",
        "from migrators import rules; "
        "step.table(new.users).values(mail=rules.integer(old.users.c.mail))",
    ),
    "a foreign key": ("sa.String(60)", "sa.String(60), sa.ForeignKey('owners.mail')", ""),
    "step.same": (
        "sa.Text",
        "sa.Text",
        "step.table(new.users).values(mail='x'); "
        "step.drop(old.users.c.mail, because='unused'); "
        "step.same('mails', old=sa.select(old.users.c.mail), new=sa.select(new.users.c.mail))",
    ),
}
"""What refuses on every database: old type, new type, step."""
_TABLES = """
sa.Table("owners", metadata, sa.Column("mail", sa.String(60), primary_key=True))
sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("mail", {}))
"""


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.fault("I120")
def test_no_database_quotes_a_value(kind: str, name: str, tmp_path: Path) -> None:
    """Neither what is found before nor what the server says: in output, journal and receipt."""
    old, new, step = SERVED[name]
    with served(kind, tmp_path / "shop") as made:
        made.schema(_TABLES.format(old))
        (made.root / "schemas" / "v2.py").write_text(
            (made.root / "schemas" / "v1.py").read_text().replace(_TABLES.format(old), "")
            + _TABLES.format(new)
        )
        made.step(step or "pass")
        made.ran("create", "1")
        made.rows(1, TWICE)
        said = ""
        for typed in ("check 1to2", "1to2"):
            done = made.run(*typed.split())
            assert (done.code in (0, 1, 2, 3, 4), done.clear) == (True, True), done.said
            said += done.said
        assert done.code != 0
        assert MAIL not in said
        kept = [p for p in (made.root / ".migrate").rglob("*.json*") if "extract" not in str(p)]
        assert kept != []
        assert [p for p in kept if MAIL in p.read_text("utf-8")] == []
