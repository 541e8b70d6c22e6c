"""What release 3 does on its database: rows of the fixtures, and no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import sessionmaker

from tests.reference.application import File, Project, Refused, Shop

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

pytestmark = pytest.mark.migrate("fixtures/v3")


@pytest.fixture
def shop(migrate_engine: Engine) -> Shop:
    """The application on the test's database."""
    return Shop(sessionmaker(migrate_engine))


def test_the_front_page_begins_with_the_busiest(shop: Shop) -> None:
    """A view, over rows that the fixtures hold."""
    (name, releases), (_, fewer), *_ = shop.front_page()
    assert shop.versions(name) == releases >= fewer


def test_an_upload_is_news_of_its_project(shop: Shop, migrate_session: Session) -> None:
    """It commits, and a trigger dates the project, which it has not done of the fixtures."""
    brie = select(Project.last_updated).where(Project.name == "brie")
    assert str(migrate_session.scalar(brie)).startswith("2012-12-31")
    shop.upload("brie", "2.1", ["brie-2.1.tar.gz", "brie-2.1.zip"])
    assert str(migrate_session.scalar(brie)) > "2025"
    found = migrate_session.scalars(select(File.filename).where(File.filename.like("brie-2.1%")))
    assert sorted(found) == ["brie-2.1.tar.gz", "brie-2.1.zip"]


def test_a_version_is_published_once(shop: Shop) -> None:
    """A unique key says so; the application rolls back to its savepoint, and goes on."""
    with pytest.raises(Refused, match=r"brie 2\.0 is there already"):
        shop.upload("brie", "2.0", ["brie-2.0.tar.gz"])
    assert shop.versions("brie") == 3
    shop.upload("brie", "2.1", [])
    assert shop.versions("brie") == 4


def test_a_project_is_handed_over(shop: Shop) -> None:
    """To somebody there is."""
    assert shop.owner("brie") == "gromit"
    shop.hand_over("brie", "wallace")
    with pytest.raises(Refused):
        shop.hand_over("brie", "feathers")
    assert shop.owner("brie") == "wallace"


@pytest.mark.migrate("fixtures/v3", tables=["releases"])
def test_a_project_without_owner_is_shown(shop: Shop) -> None:
    """Releases come with the projects that they refer to; nobody has a role here."""
    assert shop.owner("brie") is None
    assert ("brie", 3) in shop.front_page()


@pytest.mark.migrate("fixtures/v3", isolation="copy")
def test_uploads_at_the_same_moment(shop: Shop) -> None:
    """Transactions that overlap, each with its own connection: one is refused."""

    def upload(_number: int) -> bool:
        try:
            shop.upload("brie", "2.1", [])
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(upload, range(2))) == [False, True]
    assert shop.versions("brie") == 4


@pytest.mark.migrate("fixtures/v2")
def test_release_2_called_them_packages(migrate_connection: Connection) -> None:
    """The last release is supported for a while, and has tests on its own version."""
    count = text("SELECT count(*) FROM packages WHERE name = 'brie'")
    assert migrate_connection.scalar(count) == 1
