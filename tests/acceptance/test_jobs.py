"""`--jobs`: several tables at a time, with the same result."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from migrators.events import silent
from migrators.extracts.directory import ExtractReader
from migrators.run import Options, migrate
from tests.acceptance.engines import ENGINES, shops
from tests.acceptance.nights import SERVED, night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


@pytest.mark.parametrize("kind", SERVED)
def test_two_tables_are_loaded_at_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither begins before the other has begun, too: one at a time would never begin."""
    both = threading.Barrier(2)
    read, begun = ExtractReader.batches, set()

    def batches(reader: ExtractReader, table: str) -> Iterator[pa.RecordBatch]:
        if table not in begun:
            begun.add(table)
            both.wait(10)
        return read(reader, table)

    with night(kind, tmp_path / "shop") as shop:
        monkeypatch.setattr(ExtractReader, "batches", batches)
        migrate(shop.project, [(1, 2)], Options(jobs=2), emit=silent)
    assert begun == {"parents", "children"}


@pytest.mark.parametrize("kind", ENGINES)
def test_more_jobs_make_the_same_database(kind: str, tmp_path: Path) -> None:
    """Every cell is compared, by as many; the catalogue is the same."""
    with shops(kind, tmp_path / "shop") as shop:
        catalogues = []
        for jobs in ("1", "4"):
            shop.ran("load", str(shop.fixtures(2)), "--jobs", jobs, "--replace", "--yes")
            shop.ran("verify", str(shop.fixtures(2)), "--jobs", jobs)
            catalogues.append(backend_for(shop.project.url(2)).catalog().objects)
    assert catalogues[0] == catalogues[1]
