"""Extracts damaged and forged at random, each read by a process that must survive it.

A crash of the interpreter, a hang, and memory without end all end that process, and so fail.
`python -m tests.damage` does the same for as long as one likes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import damage

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20261121
FLIPS = {"no": 500, "yes": 250}
MEMORY = 400 * 2**20
"""What the process may hold; pyarrow's and SQLAlchemy's code alone take a hundred megabytes."""


@pytest.mark.parametrize("files", ["csv", "parquet"])
def test_h102_i114_every_flipped_bit_of_an_extract_is_refused(tmp_path: Path, files: str) -> None:
    """In any data file, and in the manifest: its digests are of all that it holds."""
    found = damage.attempts(damage.extract(tmp_path / "x", files), SEED, FLIPS["no"], "no")
    assert found["not refused"] == {}
    assert sum(found["counts"].values()) == FLIPS["no"]
    assert found["peak"] < MEMORY


@pytest.mark.parametrize("files", ["csv", "parquet"])
def test_h102_i114_flipped_bits_with_digests_that_agree(tmp_path: Path, files: str) -> None:
    """Whoever made the extract can count them anew: no harm, and of Parquet no other value.

    A letter of a CSV file that became another one is a value like any other: there, as in a
    committed fixture that has no digests, only what is no value can be seen.
    """
    found = damage.attempts(damage.extract(tmp_path / "x", files), SEED + 1, FLIPS["yes"], "yes")
    assert sum(found["counts"].values()) == FLIPS["yes"]
    assert found["peak"] < MEMORY
    if files == "parquet":
        assert found["not refused"].get("other values .parquet", []) == []
