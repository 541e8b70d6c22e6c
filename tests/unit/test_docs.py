"""The documentation: its examples run, its links lead somewhere, its map is the tree."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrators.errors import MigrateError
from tests.markdown import Block, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "docs" / "writing-steps.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

_IMPORTS = """\
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy import (
    Boolean, Column, Date, DateTime, ForeignKey, Integer, Numeric, String, Table, Text, Uuid,
    func, select, union_all,
)

from migrators import rules
"""


# the examples of writing-steps.md -----------------------------------------------------------


@dataclass
class Example:
    """Schemas and step, rows before and after, or what is refused."""

    code: Block
    before: str = ""
    after: str = ""
    refused: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, bool]:
        """Options of the run, as the comment above the code says."""
        return dict.fromkeys(self.code.mark.split(), True)

    @property
    def versions(self) -> tuple[int, int]:
        """Old and new version: those of the step's name."""
        (step,) = (name for name in self.files if "to" in name)
        old, new = re.findall(r"\d+", step)
        return int(old), int(new)

    def build(self, shop: Sandbox) -> None:
        """Write the project, and the old database."""
        for name, text in self.files.items():
            metadata = "metadata = sa.MetaData()\n" if name.startswith("schemas/") else ""
            shop.write(name, f"{_IMPORTS}\n{metadata}{text}")
        shop.create(*filter(str.strip, self.before.split(";")), version=self.versions[0])


def examples() -> list[Example]:
    """Examples of the page, in order."""
    found: list[Example] = []
    for block in blocks(STEPS):
        if block.language == "python" and block.first.startswith("# schemas/"):
            parts = re.split(
                r"^# ((?:schemas|migrators)/\w+\.py)\n", block.text, flags=re.MULTILINE
            )
            found.append(Example(block, files=dict(zip(parts[1::2], parts[2::2], strict=True))))
        elif block.language == "sql":
            before, _, after = block.text.partition("-- after\n")
            found[-1].before, found[-1].after = before.removeprefix("-- before\n"), after
        elif block.mark == "refused":
            found[-1].refused = block.text
    return found


EXAMPLES = examples()


def asked(after: str) -> Iterator[tuple[str, list[str]]]:
    """Queries of an example, each with the rows that it gives, as the page shows them."""
    for part in re.split(r"(?<=\n)(?=SELECT)", after):
        query, *rows = re.split(r"^-->", part, flags=re.MULTILINE)
        yield query, [row.strip("\n")[1:] for row in rows]


def shown(row: tuple[object, ...]) -> str:
    """A row as the page shows it."""
    return " | ".join("NULL" if cell is None else str(cell) for cell in row)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"line{e.code.line}")
def test_every_example_of_a_step_does_what_the_page_says(shop: Sandbox, example: Example) -> None:
    """From the rows before to the rows after, through a whole run; or to the refusal shown."""
    example.build(shop)
    old, new = example.versions
    if example.refused:
        with pytest.raises(MigrateError) as caught:
            shop.migrate(old, new, **example.options)
        said = f"{caught.value.message}\n" + "\n".join(caught.value.hint)
        missing = [x for x in map(str.strip, example.refused.splitlines()) if x not in said]
        assert missing == [], said
        return
    receipt = shop.migrate(old, new, **example.options)
    assert receipt.outcome == "published"
    for query, expected in asked(example.after):
        assert [shown(row) for row in shop.rows(query, new)] == expected


def test_the_examples_are_all_there() -> None:
    """Every example has an outcome, and the page shows every verb of the language."""
    from migrators.step import Lookup, Mapping, Step

    assert [e.code.line for e in EXAMPLES if not (e.after or e.refused)] == []
    code = "\n".join(text for e in EXAMPLES for name, text in e.files.items() if "to" in name)
    verbs = {n for cls in (Step, Mapping, Lookup) for n, v in vars(cls).items() if callable(v)}
    public = {n for n in verbs if n[0] != "_" and n != "keep"} | {"now"}  # `keep` is `only`
    assert sorted(n for n in public if f".{n}" not in code) == []
    assert "only=" in code


def test_a_loss_is_refused_unless_accepted(shop: Sandbox) -> None:
    """The example of the way down stops without `--accept-loss`, and says the count."""
    (example,) = (e for e in EXAMPLES if e.code.mark == "accept_loss")
    example.build(shop)
    with pytest.raises(MigrateError, match="nicknames: 1"):
        shop.migrate(*example.versions)


# links, files, the map ----------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file or a heading of the repository finds it."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            lost.append(target)
    assert lost == []


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def section(title: str) -> str:
    """Return the README's section of a title."""
    text = (ROOT / "README.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_map_is_the_tree() -> None:
    """The README names every file and folder of migrators/, and nothing else, a line each."""
    (tree,) = re.findall(r"```\n(.*?)```", section("A map of the code"), flags=re.DOTALL)
    lines = [line for line in tree.splitlines() if line.strip()]
    engine = [line for line in lines if line.startswith("  ")]
    named = [word for line in engine for word in line.split("   ")[0].split()]
    assert sorted(named) == sorted(tracked("migrators"))
    assert all(len(line.split("   ", 1)) == 2 and len(line) <= 100 for line in engine)
    beside = [line.split()[0] for line in lines if not line.startswith("  ")]
    assert sorted(beside) == sorted(n for n in tracked("") if n.endswith("/") and n[0] != ".")


def tracked(folder: str) -> set[str]:
    """Names below a folder that belong to the project: folders with a slash at the end."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", folder or "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    deep = len(Path(folder).parts)
    paths = [Path(name) for name in done.stdout.splitlines() if (ROOT / name).exists()]
    return {p.parts[deep] + ("/" if len(p.parts) > deep + 1 else "") for p in paths}


def test_every_promise_names_a_test_that_exists() -> None:
    """A promise of the README stands beside the test that breaks it on purpose."""
    rows = [line for line in section("What is promised").splitlines() if "tests/" in line]
    named = [name for row in rows for name in re.findall(r"`(tests/[^`]+)`", row)]
    assert len(rows) >= 8
    assert [name for name in named if not exists(name)] == []
    table = [x for x in section("What is promised").splitlines() if x.startswith("| **")]
    assert table == rows


def exists(name: str) -> bool:
    """Whether `tests/file.py::function` is there."""
    file, _, function = name.partition("::")
    path = ROOT / file
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body)


def test_the_two_lines_stand_verbatim() -> None:
    """What sets the project up, and what runs its tests, as the gate types them."""
    lines = [b for b in blocks(ROOT / "README.md") if b.mark == "two lines"]
    assert [(b.language, b.text) for b in lines] == [
        (
            "sh",
            "python3 -m venv .venv && .venv/bin/pip install -e . && "
            ".venv/bin/migrate load fixtures/v2 && .venv/bin/migrate 2to3\n",
        ),
        ("sh", ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest\n"),
    ]


def test_the_layout_of_a_derived_uuid_is_as_told() -> None:
    """The UUID that how-it-works.md takes apart is the one that is made."""
    import uuid

    import pyarrow as pa

    from migrators.step.keys import derive

    made = uuid.UUID(bytes=derive(pa.array([1], pa.int64()), "users")[0].as_py())
    assert f"`{made}`" in (ROOT / "docs" / "how-it-works.md").read_text("utf-8")


def test_the_stamp_has_the_columns_that_are_told(shop: Sandbox) -> None:
    """The columns of the view `migrate_stamp`, in the page's order."""
    EXAMPLES[0].build(shop)
    shop.migrate()
    with closing(sqlite3.connect(shop.database(2))) as connection:
        names = [row[0] for row in connection.execute("SELECT * FROM migrate_stamp").description]
    text = (ROOT / "docs" / "how-it-works.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text.partition("## The stamp")[2], re.MULTILINE) == names
