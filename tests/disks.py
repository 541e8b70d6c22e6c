"""Disks that get full: a small one of a test's own, which only root may have."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BALLAST = "ballast"


def mount(place: Path, options: str) -> bool:
    """Put a disk of its own at a folder; return whether that is allowed."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(place: Path) -> None:
    """Take a disk away."""
    subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def room(place: Path, left: int) -> Iterator[None]:
    """Leave only some KiB of a disk."""
    ballast = place / _BALLAST
    free = shutil.disk_usage(place).free
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free - left * 1024)))
    try:
        yield
    finally:
        ballast.unlink()


def filling(place: Path) -> tuple[str, ...]:
    """Return what is typed so that a disk is full; `emptied` gives the room back."""
    return "sh", "-c", 'cat /dev/zero > "$0" 2> /dev/null; true', str(place / _BALLAST)


@contextmanager
def emptied(place: Path) -> Iterator[None]:
    """Give the room back that something inside may have filled."""
    try:
        yield
    finally:
        (place / _BALLAST).unlink(missing_ok=True)
