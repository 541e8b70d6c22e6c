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

    from tests.sandbox import Sandbox


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give the tables whose load has begun; none goes on before another has begun, too."""
    both = threading.Barrier(2)
    read, names = ExtractReader.batches, set[str]()

    def batches(reader: ExtractReader, table: str) -> Iterator[pa.RecordBatch]:
        if table not in names:
            names.add(table)
            both.wait(10)
        return read(reader, table)

    monkeypatch.setattr(ExtractReader, "batches", batches)
    return names


@pytest.mark.parametrize("kind", SERVED)
def test_two_tables_are_loaded_at_once(kind: str, tmp_path: Path, begun: set[str]) -> None:
    """Neither begins before the other has begun, too: one at a time would never begin."""
    with night(kind, tmp_path / "shop") as shop:
        migrate(shop.project, [(1, 2)], Options(jobs=2), emit=silent)
    assert begun == {"parents", "children"}


def test_two_tables_are_loaded_into_files_at_once(shop: Sandbox, begun: set[str]) -> None:
    """SQLite has one writer to a file: the second table goes to a file of its own."""
    tables = [f't("{name}", Column("id", Integer, primary_key=True))' for name in ("one", "two")]
    shop.schema(1, "\n".join(tables))
    shop.schema(2, "\n".join(tables))
    shop.create("INSERT INTO one VALUES (1)", "INSERT INTO two VALUES (2)")
    shop.step("")
    shop.migrate(jobs=2)
    assert begun == {"one", "two"}
    assert shop.rows("SELECT id FROM one UNION SELECT id FROM two ORDER BY 1") == [(1,), (2,)]


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
