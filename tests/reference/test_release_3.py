"""What release 3 does on its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

pytestmark = pytest.mark.migrate("fixtures/v3")

FRONT_PAGE = sa.text("SELECT releases FROM release_index WHERE name = :name")
UPLOAD = sa.text(
    "INSERT INTO files (id, release_id, filename) SELECT 9001, min(id), 'new.tar.gz' FROM releases"
)
RECENT = sa.text("SELECT count(*) FROM projects WHERE last_updated > '2025-01-01'")


def busiest(session: Session) -> tuple[str, int]:
    """Return the project that the front page shows with the most releases."""
    found = session.execute(
        sa.text("SELECT name, releases FROM release_index ORDER BY releases DESC, name LIMIT 1")
    ).one()
    return str(found.name), int(found.releases)


def test_the_front_page_counts_releases(migrate_session: Session) -> None:
    """A view, over rows that the fixtures hold."""
    name, releases = busiest(migrate_session)
    counted = sa.text(
        "SELECT count(*) FROM releases JOIN projects ON projects.id = project_id WHERE name = :name"
    )
    assert migrate_session.scalar(counted, {"name": name}) == releases > 1


def test_an_upload_is_news_of_its_project(migrate_session: Session) -> None:
    """A trigger, which has not fired on the fixtures' own files."""
    before = migrate_session.scalar(RECENT)
    migrate_session.execute(UPLOAD)
    migrate_session.commit()
    assert migrate_session.scalar(RECENT) == (before or 0) + 1


def test_a_name_is_given_once(migrate_session: Session) -> None:
    """A unique key, over a name that is in the fixtures."""
    twice = sa.text("INSERT INTO countries (id, name) SELECT 9001, min(name) FROM countries")
    with pytest.raises(sa.exc.IntegrityError):
        migrate_session.execute(twice)
    migrate_session.rollback()
    assert busiest(migrate_session)[1] > 1
