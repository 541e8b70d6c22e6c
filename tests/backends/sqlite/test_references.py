"""Foreign keys in the catalogue: what silence means may be written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backends.sqlite.conftest import backend, run

if TYPE_CHECKING:
    from pathlib import Path


def fact(tmp_path: Path, clause: str) -> str:
    """Return what the catalogue says of one foreign key."""
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
    run(
        path,
        "CREATE TABLE p (id INTEGER, part INTEGER, PRIMARY KEY (part, id))",
        f"CREATE TABLE c (a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES p {clause})",
    )
    return backend(path).catalog().objects["foreign key", "c(a, b)"]


@pytest.mark.parametrize(
    "clause",
    [
        "",
        "(part, id)",
        "([part], [id])\n\t\tON DELETE NO ACTION ON UPDATE NO ACTION",
        "ON UPDATE NO ACTION",
        "(part, id) MATCH SIMPLE NOT DEFERRABLE",
        "NOT DEFERRABLE INITIALLY IMMEDIATE",
    ],
)
def test_silence_written_out_is_no_difference(tmp_path: Path, clause: str) -> None:
    """The primary key, NO ACTION and an immediate check are what saying nothing means."""
    assert fact(tmp_path, clause) == "references p ( part , id )"


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("ON DELETE CASCADE ON UPDATE NO ACTION", "on delete cascade"),
        (
            "(part, id) ON UPDATE SET NULL ON DELETE RESTRICT",
            "on delete restrict on update set null",
        ),
        ("DEFERRABLE INITIALLY DEFERRED", "deferrable initially deferred"),
        ("ON DELETE SET DEFAULT DEFERRABLE", "on delete set default deferrable"),
    ],
)
def test_what_acts_is_said_in_one_order(tmp_path: Path, clause: str, expected: str) -> None:
    """Actions and deferred checks are part of what a foreign key is."""
    assert fact(tmp_path, clause) == f"references p ( part , id ) {expected}"
