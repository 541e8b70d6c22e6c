"""The tutorial on servers: the schema and the step of the page, and what it says of a server."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from migrators.cli import main
from tests import servers
from tests.acceptance.chinook import TOTALS, script
from tests.acceptance.test_chinook import connected
from tests.acceptance.test_tutorial import ON_A_SERVER, PAGE, chunks, like, until
from tests.markdown import Block, blocks, edit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Walk:
    """The walk on one kind of server: where it is, and a prefix of its own."""

    kind: str
    own: str
    folder: Path

    def url(self, database: str) -> str:
        """Return the URL of a database of the page."""
        url = servers.server_url(self.kind).set(database=f"{self.own}{database}")
        return url.render_as_string(hide_password=False)

    def here(self, text: str) -> str:
        """Return text of the page with the test's databases in place of the page's."""
        named = text.replace("--name chinook", f"--name {self.own}chinook")
        named = named.replace('name = "chinook"', f'name = "{self.own}chinook"')
        return named.replace(f"{self.kind}://app@db/chinook", self.url("chinook"))

    def typed(self, line: str) -> tuple[int, str]:
        """Type a line of the page; return exit code and what was said, as the page would."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main(self.here(line).split()[1:])
        return code, said.getvalue().replace(self.own, "")

    def follow(self, page: list[Block]) -> None:
        """Write and edit files, compare parts of them, and type."""
        for block in page:
            what, _, name = block.mark.partition(" ")
            path = self.folder / name.removeprefix("of ")
            if what == "file":
                path.parent.mkdir(exist_ok=True)
                path.write_text(block.text, "utf-8")
            elif what == "edit":
                edit(path, block.text)
            elif what == "part":
                assert self.here(block.text.rstrip()) in path.read_text("utf-8")
            else:
                self.type(block, int(name or 0))

    def type(self, block: Block, expected: int) -> None:
        """Type what a block says, and compare."""
        for line, said in block.typed:
            code, heard = self.typed(line)
            assert (code, missing(said, heard)) == (expected, []), f"{PAGE}:{block.line}\n{heard}"


def missing(said: list[str], heard: str) -> list[str]:
    """Return what was not heard in this order; the test's longer names break lines elsewhere."""
    rest = " ".join(like(line) for line in heard.splitlines() if line.strip())
    for chunk in filter(None, chunks(said)):
        before, found, rest = rest.partition(" ".join(chunk))
        if not found:
            return [*chunk, "is not in:", before]
    return []


@pytest.fixture
def walk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Walk]:
    """An empty folder, where one is, and Chinook as its script loads it."""
    kind = request.param
    monkeypatch.chdir(tmp_path)
    with servers.prefix(kind) as own:
        made = Walk(kind, own, tmp_path)
        servers.create_database(kind, f"{own}chinook")
        engine = connected(made.url("chinook"))
        with engine.begin() as connection:
            for statement in script(kind):
                connection.exec_driver_sql(statement)
        engine.dispose()
        yield made


def of(kind: str) -> list[Block]:
    """Return the blocks of a server's part of the page; its first one is marked."""
    page = blocks(PAGE)
    kinds = {block.mark: at for at, block in enumerate(page) if block.mark in servers.SERVERS}
    ends = [at for at in kinds.values() if at > kinds[kind]]
    first, *rest = page[kinds[kind] : min(ends, default=len(page))]
    return [Block(first.language, first.text, "", first.line), *rest]


@pytest.mark.parametrize("walk", servers.SERVERS, indirect=True)
def test_the_page_says_what_is_said_on_a_server(walk: Walk) -> None:
    """Schema 2 and the step of above; then people and invoices are what they are in a file."""
    first, *rest = of(walk.kind)
    above = [b for b in until(ON_A_SERVER) if b.mark.startswith("file ") or _widens(b)]
    walk.follow([first, *above, *rest])
    assert asked(walk, PEOPLE) == [
        (1, "employee", "Andrew", None, None, 0),
        (2, "employee", "Nancy", 1, None, 0),
        (3, "employee", "Jane", 2, None, 0),
        (9, "customer", "Luís", None, 3, 7),
        (10, "customer", "Leonie", None, 5, 7),
    ]
    assert [f"{total}" for (total,) in asked(walk, AMOUNTS)] == [f"{t:.2f}" for t in TOTALS]


PEOPLE = (
    "SELECT person_id, kind, first_name, reports_to, support_rep_id, invoice_count "
    "FROM people WHERE person_id IN (1, 2, 3, 9, 10) ORDER BY 1"
)
AMOUNTS = "SELECT total FROM invoices ORDER BY invoice_id"


def _widens(block: Block) -> bool:
    return block.mark == "edit schemas/v2.py" and "phone" in block.text


def asked(walk: Walk, query: str) -> list[tuple[object, ...]]:
    """Return rows of the new database, by its driver alone."""
    engine = connected(walk.url("chinook_v2"))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return rows
