"""An application whose engine is async, on each kind of database: it connects by itself."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.testing.conftest import EACH, opened, url_of

if TYPE_CHECKING:
    from migrators.project import Project

DRIVERS = {"sqlite": "aiosqlite", "postgresql": "psycopg", "mysql": "aiomysql"}
"""As docs/testing.md names them."""
ZED = sa.text("UPDATE suppliers SET name = 'Zed' WHERE id = 1")
NAME = sa.text("SELECT name FROM suppliers WHERE id = 1")


async def renamed(url: sa.URL) -> str:
    """Write in one session, and read in another."""
    engine = create_async_engine(url)
    async with AsyncSession(engine) as session:
        await session.execute(ZED)
        await session.commit()
    async with AsyncSession(engine) as session:
        found = (await session.execute(NAME)).scalar_one()
    await engine.dispose()
    return str(found)


@pytest.mark.parametrize("kind", EACH)
def test_an_async_engine_has_a_copy_of_its_own(kind: str, lone: Project) -> None:
    """What it commits is there for it, and gone for the next test."""
    if find_spec(DRIVERS[kind]) is None:
        pytest.skip(f"pip install {DRIVERS[kind]}")
    with url_of(kind) as url, opened(lone, url) as databases:
        database = databases.give((), {"isolation": "copy"})
        driver = f"{database.url.get_backend_name()}+{DRIVERS[kind]}"
        assert asyncio.run(renamed(database.url.set(drivername=driver))) == "Zed"
        databases.take_back(database)
        again = databases.give((), {"isolation": "copy"})
        with again.engine.connect() as connection:
            assert connection.execute(NAME).scalar() != "Zed"
        databases.take_back(again)
