"""An extract that was written once, with version 0.1 of the tool, and is never written again.

`format_1.zip` holds `EVERY` and `ROWS` of `test_functions`, as Parquet and as CSV, with digests.
The promise is that every later version reads it: this file is not to be mended, and the archive
is not to be made anew. A later format gets an archive of its own beside it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrators.events import silent
from migrators.run import Options, load_only
from tests.engine.test_functions import EVERY, ROWS

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

ARCHIVE = Path(__file__).with_name("format_1.zip")


@pytest.mark.parametrize("files", ["parquet", "csv"])
def test_an_extract_of_format_1_is_read(shop: Sandbox, files: str) -> None:
    """Digests, types, the schema's fingerprint and every cell are what they were."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(shop.root / "kept")
    shop.schema(1, EVERY)
    shop.schema(2, EVERY)
    shop.create(ROWS)
    receipt = load_only(shop.project, shop.root / "kept" / files, Options(), emit=silent)
    assert receipt.outcome == "published"
    assert shop.rows("SELECT * FROM things") == shop.rows("SELECT * FROM things", 1)
