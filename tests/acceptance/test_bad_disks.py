"""Bad input: a disk that is full, and folders that may not be written.

Each stops a run with a plain sentence; nothing half made is visible, nothing is lost, and
the same command works once there is room, or the right.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests import disks
from tests.acceptance.cheeseshop import Cheeseshop, assert_refused, cheeseshop, finished
from tests.disks import room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CAPABILITIES = (1, 2, 3)  # DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER: linux/capability.h
_PR_CAPBSET_DROP = 24


def _no_leftover(shop: Cheeseshop) -> None:
    assert [name for name in shop.databases() if "loading" in name] == []
    assert list((shop.root / ".migrate").glob("runs/*/scratch")) == []
    for extract in (shop.root / ".migrate").glob("runs/*/extract-*"):
        assert (extract / "manifest.json").exists(), extract


# a full disk -----------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, 4 MB at first; only root may have one."""
    place = tmp_path / "disk"
    place.mkdir()
    if not disks.mount(place, "size=4m"):
        pytest.skip("only root may mount; test_a_file_that_may_not_grow tells the same")
    try:
        yield place
    finally:
        disks.unmount(place)


@pytest.mark.parametrize("left", [0, 4, 8, 16, 32, 64, 128, 192, 256])
@pytest.mark.fault("H98", "H99")
def test_a_full_disk(small: Path, left: int) -> None:
    """Wherever it gets full: exit 1 and "room"; with room, the same command works."""
    shop = cheeseshop(small / "shop", fixtures=[2, 3])
    shop.ran("load", str(shop.fixtures(2)))
    with room(small, left):
        shop.refused("2to3", code=1, words=["room"])
        assert shop.run("status").clear
        assert shop.databases() == ["cheeseshop_v2.db"]
    shop.ran("2to3")
    shop.ran("verify", str(shop.fixtures(3)))
    assert shop.databases() == ["cheeseshop_v2.db", "cheeseshop_v3.db"]
    _no_leftover(shop)


@pytest.mark.parametrize(
    "command", ["load {fixtures}/v3", "create 3", "fixtures 2to3", "extract 2 --to {disk}/out"]
)
@pytest.mark.parametrize("left", [0, 40])
def test_a_full_disk_stops_any_command(small: Path, command: str, left: int) -> None:
    """And with room again, any of them works."""
    shop = cheeseshop(small / "shop", fixtures=[2, 3])
    shop.ran("load", str(shop.fixtures(2)))
    before = shop.stored()
    typed = command.format(fixtures=shop.root / "fixtures", disk=small).split()
    with room(small, left):
        assert_refused(shop.run(*typed), 1, ["room"])
        assert shop.stored() == before
    shop.ran(*typed)
    _no_leftover(shop)


def test_a_full_disk_leaves_former_fixtures_as_they_were(small: Path) -> None:
    """`fixtures 2to3` writes into a folder that people edit: all or nothing."""
    shop = cheeseshop(small / "shop", fixtures=[2, 3])
    elsewhere = small.parent / "runs"
    (shop.fixtures(3) / "users.csv").write_text("what was there before\n")
    before = {p.name: p.read_bytes() for p in shop.fixtures(3).iterdir()}
    with room(small, 12):
        done = shop.run("--runs", str(elsewhere), "fixtures", "2to3")
        assert_refused(done, 1, ["room"])
        assert {p.name: p.read_bytes() for p in shop.fixtures(3).iterdir()} == before
    shop.ran("--runs", str(elsewhere), "fixtures", "2to3")
    assert (shop.fixtures(3) / "users.csv").read_text() != "what was there before\n"


@pytest.mark.parametrize("kilobytes", [1, 8, 60, 150])
def test_a_file_that_may_not_grow(two: Cheeseshop, kilobytes: int) -> None:
    """`ulimit -f`, or a file system's limit: exit 1; without it the same command works."""
    size = kilobytes * 1024

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    before = two.stored()
    done = finished(two.start("2to3", before=limit))
    assert_refused(done, 1, [])
    assert two.stored() == before
    two.ran("2to3")
    _no_leftover(two)


# folders that may not be written ---------------------------------------------------------


def _as_anybody() -> None:
    """Give up root's right to pass over modes; others have none to give up."""
    libc = ctypes.CDLL(None)
    for capability in _CAPABILITIES:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


@contextmanager
def _read_only(*folders: Path) -> Iterator[None]:
    modes = [folder.stat().st_mode for folder in folders]
    for folder in folders:
        folder.chmod(0o555)
    try:
        yield
    finally:
        for folder, mode in zip(folders, modes, strict=True):
            folder.chmod(mode)


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("data", "2to3"),
        ("data", "2to3 --rehearse"),
        ("data", "load {root}/fixtures/v3"),
        ("data", "create 3"),
        (".migrate/runs", "2to3"),
        (".migrate/runs", "extract 2"),
        (".migrate/runs", "stamp 2"),
        (".", "extract 2"),
        ("fixtures", "fixtures 2to3"),
    ],
)
def test_a_read_only_folder(two: Cheeseshop, folder: str, command: str) -> None:
    """Exit 1 names the folder; with the right to write, the same command works."""
    shutil.rmtree(two.fixtures(3))
    if "fixtures/v3" in command:
        shutil.copytree(cheeseshop(two.root.parent / "other").fixtures(3), two.fixtures(3))
    place = two.root / folder
    typed = command.format(root=two.root).split()
    before = two.stored()
    with _read_only(place):
        done = finished(two.start(*typed, before=_as_anybody))
        assert_refused(done, 1, [str(place) if folder != "." else str(two.root), "to do"])
        assert folder != "data" or "extract  " not in done.err  # before any work
        assert two.stored() == before
    two.ran(*typed)
    _no_leftover(two)


def test_a_read_only_project_can_be_looked_at(two: Cheeseshop) -> None:
    """What only reads needs no right to write, a database in WAL mode included.

    Check says where the run will need it.
    """
    two.sql(2, "PRAGMA journal_mode = WAL")
    folders = [p for p in two.root.rglob("*") if p.is_dir()]
    with _read_only(two.root, *folders):
        for command in ("plan 2to3", "status", "2to3 --dry-run"):
            done = finished(two.start(*command.split(), before=_as_anybody))
            assert (done.code, done.clear) == (0, True), done.said
        done = finished(two.start("check", "2to3", before=_as_anybody))
        assert_refused(done, 3, ["2 findings", f"{two.data}: ", f"{two.root / '.migrate/runs'}: "])


def test_settings_that_may_not_be_read(two: Cheeseshop) -> None:
    """Exit 2 names the file."""
    (two.root / "pyproject.toml").chmod(0)
    done = finished(two.start("status", before=_as_anybody))
    assert_refused(done, 2, [f"{two.root}/pyproject.toml: Permission denied", "to do"])


def test_an_old_database_that_may_not_be_read(two: Cheeseshop) -> None:
    """Exit 1 names it and its rights."""
    two.database(2).chmod(0)
    done = finished(two.start("2to3", before=_as_anybody))
    assert_refused(done, 1, ["cheeseshop_v2.db"])
    two.database(2).chmod(0o400)
    done = finished(two.start("2to3", before=_as_anybody))
    assert (done.code, done.clear) == (0, True), done.said


@pytest.mark.parametrize("what", ["", "journal.jsonl"])
def test_a_run_of_somebody_else(two: Cheeseshop, what: str) -> None:
    """It may tell of a fence, so it is not taken for none: exit 1 names it."""
    run = max((two.root / ".migrate" / "runs").glob("*-*/receipt.json"))
    closed = run.parent / what
    closed.chmod(0)
    for command in ("status", "unfence 2", "2to3"):
        done = finished(two.start(*command.split(), before=_as_anybody))
        assert_refused(done, 1, [f"{closed}", "Permission denied", "look at the rights"])
    closed.chmod(0o700)
    two.ran("2to3")


def test_runs_can_be_kept_elsewhere(two: Cheeseshop, tmp_path: Path) -> None:
    """What the message about a read-only project says to type works."""
    elsewhere = tmp_path / "elsewhere"
    with _read_only(two.root, two.root / ".migrate"):
        done = finished(
            two.start("2to3", before=_as_anybody, environment={"MIGRATE_RUNS": str(elsewhere)})
        )
    assert (done.code, done.clear) == (0, True), done.said
    assert list(elsewhere.glob("runs/*/receipt.json")) != []
    assert os.listdir(two.root / ".migrate" / "runs")[1:] == []  # noqa: PTH208
