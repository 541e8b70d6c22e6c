"""Names and values made to do harm, on every database: never run, never obeyed by a terminal.

Tables, columns, indexes, keys, labels and comments are SQL, quotes, line breaks and escape
sequences; all that the command prints of them stands on the lines it is printed on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.served import KINDS, Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Done

NAMES = (
    '"; DROP TABLE victim; --',
    "`; DROP TABLE victim; --",
    "'); DROP TABLE victim; --",
    "x\x1b[2J\x1b]0;owned\x07",
    "line\nDONE in 1s",
    "return\rDONE in 1s",
    "%s %(x)s {0} :x $1",
    "\u202egpj.exe",
)
"""Of at most 40 characters, so that indexes can be named after them."""
BROKEN = [name for name in NAMES if "`" in name or len(name.splitlines()) > 1]
"""Not read by `freeze` of MariaDB and MySQL, which says so."""
ORDERED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, but for the line break."""


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A project whose old database has a victim, and a table for each name."""
    with served(request.param, tmp_path / "shop") as made:
        made.old(*_victim(made), *(s for name in _names(made) for s in _table(made, name)))
        made.frozen()
        yield made


def _victim(made: Served) -> list[str]:
    return ["CREATE TABLE victim (id INT PRIMARY KEY)", "INSERT INTO victim VALUES (1), (2)"]


def _table(made: Served, name: str) -> Iterator[str]:
    """Yield SQL for a table that bears a name wherever it can bear one, and has it as a value."""
    own, index = made.quoted(name), made.quoted(f"ix {name}")
    key, check = made.quoted(f"fk {name}"), made.quoted(f"ck {name}")
    yield (
        f"CREATE TABLE {own} (id INT PRIMARY KEY, {own} VARCHAR(60) NOT NULL, parent INT,"
        f" CONSTRAINT {key} FOREIGN KEY (parent) REFERENCES victim (id),"
        f" CONSTRAINT {check} CHECK (id > 0))"
    )
    yield f"CREATE INDEX {index} ON {own} ({own})"
    yield f"INSERT INTO {own} VALUES (1, {_literal(made, name)}, 1), (2, 'b', 2)"
    if made.kind == "postgresql":
        yield f"COMMENT ON TABLE {own} IS {_literal(made, name)}"


def _literal(made: Served, text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _harmless(done: Done, code: int) -> Done:
    """Assert how a command ended, and that nothing it printed is obeyed or stands alone."""
    said = done.out + done.err
    assert (done.code, done.clear) == (code, True), said
    assert [c for c in said if ORDERED.match(c)] == []
    assert [line for line in said.splitlines() if line.startswith("DONE in 1s")] == []
    return done


def _rows(made: Served, version: int) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted(made.rows(version, f"SELECT * FROM {made.quoted(name)}"))
        for name in ("victim", *_names(made))
    }


def _names(made: Served) -> list[str]:
    return [name for name in NAMES if made.kind != "mysql" or name not in BROKEN]


@pytest.mark.fault("H105")
def test_f66_i120_names_are_inert_wherever_they_are_run_or_shown(shop: Served) -> None:
    """Frozen, planned, checked, migrated, verified, sampled, listed, replaced and dropped."""
    held = _rows(shop, 1)
    for command in ("plan 1to2", "plan 1to2 --json", "check 1to2", "1to2 --rehearse", "1to2"):
        _harmless(shop.run(*command.split()), 0)
    assert _rows(shop, 2) == held
    (run,) = {path.parent for path in shop.root.glob(".migrate/runs/*/extract-1to2")}
    _harmless(shop.run("verify", str(run / "extract-1to2")), 0)
    for command in ("status", "status --json", "1to2", "1to2 --fresh --replace --yes"):
        _harmless(shop.run(*command.split()), 0)
    assert _rows(shop, 2) == held
    _harmless(shop.run("extract", "1", "--to", str(shop.root / "out"), "--format", "csv"), 0)
    _harmless(shop.run("drop", "2", "--yes"), 0)
    assert (shop.exists(2), _rows(shop, 1)) == (False, held)


def test_f66_i120_names_are_inert_where_they_are_refused(shop: Served) -> None:
    """A difference, a broken reference and a column that goes nowhere name them, escaped."""
    held = _rows(shop, 1)
    shop.ran("1to2")
    for name in _names(shop):
        own = shop.quoted(name)
        shop.rows(2, f"UPDATE {own} SET {own} = 'changed' WHERE id = 2")
    (extract,) = shop.root.glob(".migrate/runs/*/extract-1to2")
    found = _harmless(shop.run("verify", str(extract)), 4)
    assert found.err.count("id 2: ") == len(_names(shop))
    path = shop.root / "schemas" / "v2.py"
    path.write_text(path.read_text().replace("nullable=False", "nullable=True", 1) + _WITHOUT)
    for command in ("plan 1to2", "check 1to2", "1to2 --replace --yes"):
        _harmless(shop.run(*command.split()), 2)
    assert _rows(shop, 1) == held


_WITHOUT = """
for _table in list(metadata.tables.values()):
    if _table.name != "victim":
        metadata.remove(_table)
"""
"""Schema 2 has none of them any more, and the step does not say why."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_name_that_mysql_cannot_freeze_is_said(tmp_path: Path, name: str) -> None:
    """MariaDB's and MySQL's: by the name, escaped; nothing is written."""
    with served("mysql", tmp_path / "shop") as made:
        made.old(*_victim(made), *_table(made, name))
        done = _harmless(made.run("freeze", "1", "--from", made.url(1)), 1)
        assert "it cannot be read" in done.said
        assert not (made.root / "schemas").exists()
