"""The tutorial: a test types all of it, and looks whether every row is where it belongs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrators.project import Project
from migrators.schema import load_schema
from tests.acceptance.chinook import TOTALS, make
from tests.markdown import Block, blocks, edit

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
SEE_FOR_YOURSELF = "## 6."
ON_A_SERVER = "## 8."

_LIKE = [
    (r"\d{8}-\d{6}", "RUN"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d:\d\d", "TIME"),
    (r"[\d.]+ (B|kB|MB|GB|TB)\b", "SIZE"),
    (r"\b\d+\.\ds\b|\b\d+s\b", "SPAN"),
    (r"SQLite [\d.]+", "SQLite N"),
    (r"^(\d+)\|\1\|\1$", "N|N|N"),
    (r"revenue +[\d.]+", "revenue N"),
]
"""What is another at each run, or in the stand-in."""


def like(line: str) -> str:
    """Return a line with what may differ taken out; rows of tables lose their counts."""
    said = " ".join(line.split())
    for pattern, name in _LIKE:
        said = re.sub(pattern, name, said)
    counts = " -> " in said or re.search(r"(renamed|merged) 1to2", said)
    return re.sub(r" [\d,]+(?= |$)", " N", said) if counts else said


def chunks(said: list[str]) -> list[list[str]]:
    """Cut what a page says was said at the lines `...` that stand for more."""
    cut: list[list[str]] = [[]]
    for line in said:
        if line == "...":
            cut.append([])
        else:
            cut[-1].append(like(line))
    return cut


def lacking(said: list[str], heard: str) -> list[str]:
    """Return the first lines that were not heard, one after the other, in this order."""
    lines = [like(line) for line in heard.splitlines() if line.strip()]
    whole = "..." not in said
    at = 0
    for chunk in chunks(said):
        starts = range(at, len(lines) - len(chunk) + 1)
        found = next((i for i in starts if lines[i : i + len(chunk)] == chunk), None)
        if found is None:
            return chunk
        at = found + len(chunk)
    return [f"more was said than the page says: {lines}"] if whole and len(lines) > at else []


def typed(line: str, folder: Path) -> tuple[int, str]:
    """Type a line of the page in the project's folder; return exit code and what was said."""
    command, _, rest = line.partition(" ")
    if command == "sqlite3":
        return 0, _asked(folder, rest)
    assert command == "migrate"
    done = subprocess.run(
        [sys.executable, "-m", "migrators", *rest.split()],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _asked(folder: Path, rest: str) -> str:
    """Do what `sqlite3 FILE "SQL"` does; the program itself may not be there."""
    name, sql = re.fullmatch(r'(\S+) "(.*)"', rest, re.DOTALL).groups()  # type: ignore[union-attr]
    attached = re.search(r"ATTACH '([^']+)' AS (\w+);", sql)
    with closing(sqlite3.connect(folder / name)) as connection, connection:
        if attached is not None:
            connection.execute(f"ATTACH '{folder / attached[1]}' AS {attached[2]}")
            sql = sql.replace(attached[0], "")
        rows = connection.execute(sql).fetchall()
    return "".join(f"{'|'.join('' if v is None else str(v) for v in row)}\n" for row in rows)


def follow(folder: Path, page: list[Block]) -> None:
    """Do what the blocks say: write files, edit them (`try`: until the next answer), type."""
    kept: list[tuple[Path, str]] = []
    for block in page:
        what, _, name = block.mark.partition(" ")
        if what == "file":
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(block.text, "utf-8")
        elif what in ("edit", "try"):
            kept += [(folder / name, (folder / name).read_text("utf-8"))] * (what == "try")
            edit(folder / name, block.text)
        elif what == "part":
            text = (folder / name.removeprefix("of ")).read_text("utf-8")
            assert block.text.rstrip() in text
        else:
            _type(block, folder, int(name or 0))
            for path, text in kept:
                path.write_text(text, "utf-8")
            kept = []


def _let_a_second_pass(folder: Path) -> None:
    """Wait while a run has the name of this second, which a person types two commands in never."""
    runs = folder / ".migrate" / "runs"
    while (runs / time.strftime("%Y%m%d-%H%M%S")).exists():
        time.sleep(0.05)


def _type(block: Block, folder: Path, expected: int) -> None:
    assert block.language == "console"
    for line, said in block.typed:
        _let_a_second_pass(folder)
        code, heard = typed(line, folder)
        assert (code, lacking(said, heard)) == (expected, []), f"{PAGE}:{block.line}\n{heard}"


def until(heading: str) -> list[Block]:
    """Return the page's blocks before a heading."""
    lines = PAGE.read_text("utf-8").partition(heading)[0].count("\n")
    return [block for block in blocks(PAGE) if block.line <= lines]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with the old database in it."""
    make(tmp_path / "chinook.db")
    return tmp_path


def test_the_page_says_what_is_said(folder: Path) -> None:
    """Every file, every command, every answer; in the end a price was rounded, and counted."""
    follow(folder, until(ON_A_SERVER))
    rounded = _rows(folder / "chinook_v2.db", "SELECT total FROM invoices WHERE invoice_id = 7")
    assert rounded == [(0.3,)]
    assert len(list(folder.glob("chinook_v2__was_*.db"))) == 1


def test_every_row_is_where_it_belongs(folder: Path) -> None:
    """Counts, people of both kinds, whom they report to, who looks after them, what they paid."""
    before = hashlib.sha256((folder / "chinook.db").read_bytes()).hexdigest()
    follow(folder, until(SEE_FOR_YOURSELF))
    assert hashlib.sha256((folder / "chinook.db").read_bytes()).hexdigest() == before
    compare(folder)


def compare(folder: Path) -> None:
    """Compare the old and the new database, row for row, by what has not changed."""
    shutil.copyfile(folder / "chinook.db", folder / "old.db")
    old, new = folder / "old.db", folder / "chinook_v2.db"
    _same_rows(old, new)
    _same_people(old, new)
    _same_money(folder, old)


def _same_rows(old: Path, new: Path) -> None:
    """Tables that are renamed hold the same rows, in the same columns; invoices all but one."""
    names = {
        "Artist": "artists",
        "Album": "albums",
        "Genre": "genres",
        "MediaType": "media_types",
        "Track": "tracks",
        "Playlist": "playlists",
        "PlaylistTrack": "playlist_tracks",
        "InvoiceLine": "invoice_lines",
    }
    for was, now in names.items():
        order = "ORDER BY 1, 2"
        assert _rows(old, f"SELECT * FROM {was} {order}") == _rows(
            new, f"SELECT * FROM {now} {order}"
        )
    bill = "BillingAddress, BillingCity, BillingState, BillingCountry, BillingPostalCode"
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", bill).lower()
    bills = _rows(old, f"SELECT InvoiceId, date(InvoiceDate), {bill} FROM Invoice ORDER BY 1")
    made = f"SELECT invoice_id, date(invoice_date), {snake} FROM invoices ORDER BY 1"
    assert _rows(new, made) == bills


def _same_people(old: Path, new: Path) -> None:
    """People are named by their address; so are their superiors and agents."""
    place = "{0}.Address, {0}.City, {0}.State, {0}.Country, {0}.PostalCode, {0}.Phone, {0}.Fax"
    employees = f"""
        SELECT e.Email, 'employee', e.FirstName, e.LastName, e.Title, NULL, date(e.BirthDate),
               date(e.HireDate), {place.format("e")}, boss.Email, NULL, 0
        FROM Employee e LEFT JOIN Employee boss ON boss.EmployeeId = e.ReportsTo"""
    customers = f"""
        SELECT c.Email, 'customer', c.FirstName, c.LastName, NULL, c.Company, NULL, NULL,
               {place.format("c")}, NULL, agent.Email,
               (SELECT count(*) FROM Invoice i WHERE i.CustomerId = c.CustomerId)
        FROM Customer c LEFT JOIN Employee agent ON agent.EmployeeId = c.SupportRepId"""
    people = """
        SELECT p.email, p.kind, p.first_name, p.last_name, p.title, p.company, p.birth_date,
               p.hire_date, p.address, p.city, p.state, p.country, p.postal_code, p.phone, p.fax,
               boss.email, agent.email, p.invoice_count
        FROM people p LEFT JOIN people boss ON boss.person_id = p.reports_to
        LEFT JOIN people agent ON agent.person_id = p.support_rep_id ORDER BY 1"""
    assert _rows(new, people) == _rows(old, f"{employees} UNION ALL {customers} ORDER BY 1")
    buyers = "SELECT i.InvoiceId, c.Email FROM Invoice i JOIN Customer c USING (CustomerId)"
    now = "SELECT i.invoice_id, p.email FROM invoices i JOIN people p ON person_id = customer_id"
    assert sorted(_rows(new, now)) == sorted(_rows(old, buyers))
    ids = "SELECT email, person_id FROM people WHERE kind = 'employee' ORDER BY 1"
    assert _rows(new, ids) == _rows(old, "SELECT Email, EmployeeId FROM Employee ORDER BY 1")


def _same_money(folder: Path, old: Path) -> None:
    """Each amount is the very decimal that its double stands for; the application reads it."""
    project = Project.find(folder, environment={})
    tables = load_schema(project, 2).metadata.tables
    engine = sa.create_engine(project.url(2))
    columns = {
        "invoices": ("Invoice", "Total"),
        "invoice_lines": ("InvoiceLine", "UnitPrice"),
        "tracks": ("Track", "UnitPrice"),
    }
    with engine.connect() as connection:
        for name, (was, amount) in columns.items():
            table = tables[name]
            price = table.c.total if name == "invoices" else table.c.unit_price
            key = next(iter(table.primary_key.columns))
            read = connection.execute(sa.select(key, price).order_by(key)).all()
            meant = _rows(old, f"SELECT {was}Id, {amount} FROM {was} ORDER BY 1")
            assert [(k, str(v)) for k, v in read] == [
                (k, str(Decimal(str(v)).quantize(Decimal("0.01")))) for k, v in meant
            ]
            assert all(Decimal(str(v)) == w for (_, v), (_, w) in zip(meant, read, strict=True))
    engine.dispose()


def test_the_stand_in_holds_money_as_doubles(folder: Path) -> None:
    """Otherwise the comparison of amounts would prove nothing."""
    stored = _rows(folder / "chinook.db", "SELECT typeof(Total), count(*) FROM Invoice GROUP BY 1")
    assert stored == [("integer", 2), ("real", len(TOTALS) - 2)]


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        (["a", "b"], "a\nb\n", []),
        (["a", "...", "d"], "a\nb\nc\nd\n", []),
        (["a", "c"], "a\nb\nc\n", ["a", "c"]),
        (["a", "...", "x"], "a\nb\n", ["x"]),
        (["15:04:01  load   0.1s"], "16:00:00  load   2.0s\n", []),
        (["1 finding"], "2 findings\n", ["1 finding"]),
    ],
)
def test_what_the_page_says_is_compared(said: list[str], heard: str, expected: list[str]) -> None:
    """In order and without gaps but where it says so; times, sizes, run numbers may differ."""
    assert lacking(said, heard) == expected


def _rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()
