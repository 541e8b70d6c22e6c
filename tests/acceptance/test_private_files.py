"""Everything that a command writes is its user's alone, whatever the umask; fixtures are not.

Files are looked at while the commands work as well: what is there for a moment only can be read.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from migrators.load import finish, load
from migrators.run.kept import Kept
from tests.acceptance.cheeseshop import cheeseshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import Backend
    from tests.acceptance.cheeseshop import Cheeseshop

PUBLIC = ("fixtures", "schemas", "migrators", "docs")
"""Folders of a project whose files are committed."""
COMMANDS = (
    "load {root}/fixtures/v2",
    "plan 2to3",
    "check 2to3",
    "2to3 --rehearse",
    "2to3",
    "2to3 --fresh --replace --yes",
    "3to4 --json",
    "status",
    "extract 3 --to {root}/deep/er/out --format csv",
    "verify {root}/deep/er/out",
    "sample 3 --to {root}/some/sample --rows 3",
    "copy 3 --to sqlite:///{root}/moved/to/shop_v{{version}}.db",
    "fixtures check",
    "create 1",
    "drop 1 --yes",
    "discard",
)


_PAUSE = 0.01
"""Seconds between two looks."""


class _Watch(threading.Thread):
    """Looks at folders over and over; keeps the loosest mode that each path was seen with."""

    def __init__(self, *folders: Path) -> None:
        super().__init__(daemon=True)
        self._folders = folders
        self._ended = threading.Event()
        self.modes: dict[Path, int] = {}
        self.rounds = 0

    def run(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(_PAUSE)

    def look(self) -> None:
        """Look once."""
        for path in (path for folder in self._folders for path in _below(folder)):
            try:
                found = path.lstat()
            except OSError:  # it is gone again
                continue
            kept = self.modes.get(path, 0)
            self.modes[path] = kept | stat.S_IMODE(found.st_mode)
        self.rounds += 1

    def end(self) -> None:
        """Look a last time."""
        self._ended.set()
        self.join()
        self.look()


def _below(folder: Path) -> Iterator[Path]:
    """Yield what is below a folder; what goes away meanwhile is passed over."""
    for above, folders, files in os.walk(folder):
        yield from (Path(above, name) for name in (*folders, *files))


@contextmanager
def umask(value: int) -> Iterator[None]:
    """Set the process's umask for a while."""
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cheeseshop:
    """The reference application, and a folder of its own for what is temporary."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return cheeseshop(tmp_path / "cheeseshop")


def _loose(shop: Cheeseshop, modes: dict[Path, int], before: set[Path]) -> dict[str, str]:
    """Return what others may read, write or enter, of all that is new."""
    return {
        str(path): oct(mode)
        for path, mode in modes.items()
        if path not in before and mode & 0o077 and not _committed(shop, path)
    }


def _committed(shop: Cheeseshop, path: Path) -> bool:
    return path.is_relative_to(shop.root) and path.relative_to(shop.root).parts[0] in PUBLIC


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_i116_nobody_else_reads_what_a_command_writes(shop: Cheeseshop, mask: int) -> None:
    """Journal, receipt, lock, extract, scratch, databases and what SQLite keeps beside them."""
    before = {path for folder in (shop.root, shop.root.parent) for path in folder.rglob("*")}
    watch = _Watch(shop.root.parent)
    watch.start()
    try:
        with umask(mask):
            for command in COMMANDS if mask == 0 else COMMANDS[:2]:
                shop.ran(*command.format(root=shop.root).split())
    finally:
        watch.end()
    assert _loose(shop, watch.modes, before) == {}
    if mask:
        return
    kinds = {path.name.rpartition(".")[2] for path in watch.modes if path not in before}
    assert {"jsonl", "json", "lock", "parquet", "csv", "db", "scratch"} <= kinds
    assert watch.rounds > len(COMMANDS)


def test_i116_nobody_else_reads_the_databases_of_tests(shop: Cheeseshop) -> None:
    """Nor the files that name them."""
    from migrators.events import silent
    from migrators.extracts import ExtractReader
    from migrators.schema import load_schema

    schema = load_schema(shop.project, 2)
    reader = ExtractReader.open(shop.fixtures(2), schema)

    def fill(made: Backend) -> None:
        load(reader, schema, made, emit=silent)
        finish(reader, schema, made, emit=silent)

    place = shop.root / "runs" / "testing"
    with umask(0):
        entry = Kept(place, backend_for(shop.project.url(2))).shared("whole", fill)
    found = (place.parent, *place.parent.rglob("*"), shop.data, *shop.data.iterdir())
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in found}
    entry.remove()
    assert _loose(shop, modes, set()) == {}
    assert len(modes) >= 5
