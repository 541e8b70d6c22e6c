"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from migrators.errors import ExtractError
from migrators.extracts.atomic import AtomicFile, open_regular
from migrators.extracts.interface import FileEntry, Format
from migrators.schema import Column
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from pathlib import Path

ID = Column("id", ColumnType(Kind.INTEGER, bits=64), nullable=False)


def test_it_is_there_when_the_block_ends(tmp_path: Path) -> None:
    """Counted and hashed on the way; nothing under the name before."""
    path = tmp_path / "a"
    with AtomicFile(path) as file:
        file.write(b"one ")
        file.write(memoryview(b"two"))
        assert not path.exists()
    assert path.read_bytes() == b"one two"
    assert file.entry(5) == FileEntry("a", 5, 7, hashlib.sha256(b"one two").hexdigest())
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    """And no temporary one."""
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail() -> None:
        with AtomicFile(path) as file:
            file.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


@pytest.mark.parametrize(("umask", "mode", "expected"), [(0, 0o600, 0o600), (0o022, 0o644, 0o644)])
def test_i116_mode_under_any_umask(tmp_path: Path, umask: int, mode: int, expected: int) -> None:
    """0600 where the umask allows everything."""
    before = os.umask(umask)
    try:
        with AtomicFile(tmp_path / "a", mode) as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == expected


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    """Even where it is a link to somewhere else."""
    (tmp_path / "victim").write_bytes(b"untouched")
    (tmp_path / "a.part").symlink_to(tmp_path / "victim")
    with AtomicFile(tmp_path / "a") as file:
        file.write(b"x")
    assert (tmp_path / "victim").read_bytes() == b"untouched"
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("act", ["write", "fsync", "close"])
def test_h98_h100_disk_full_or_failing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format, act: str
) -> None:
    """Loud, with a hint; nothing is retried and nothing is left."""
    real = getattr(os, act)

    def fail(fd: int, *rest: object) -> object:
        if act == "close":
            real(fd, *rest)
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / f"t{form.suffix}"

    def fill() -> None:
        with form.writer(path, [ID]) as writer:
            monkeypatch.setattr(os, act, fail)
            writer.write(pa.record_batch({"id": pa.array(range(100_000))}))

    with pytest.raises(ExtractError, match=r"cannot write .*: No space left on device") as caught:
        fill()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert caught.value.hint


def test_i111_only_plain_files_are_opened(tmp_path: Path) -> None:
    """No link, FIFO, folder or device; none of them is waited for."""
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "dangling", "fifo", "."):
        with pytest.raises(ExtractError, match="is not a plain file"):
            open_regular(tmp_path / name)
    with pytest.raises(ExtractError, match="none is missing"):
        open_regular(tmp_path / "none")
    with open_regular(tmp_path / "real") as file:
        assert file.read() == b"x"
