"""Release 3 of the cheeseshop, as small as an application can be: what its tests are about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003  a column of the models is of it

from sqlalchemy import DateTime, Enum, ForeignKey, Numeric, String, Uuid, func, select, text
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session, sessionmaker

MYSQL = ("mysql", "mariadb")
Key = Uuid().with_variant(Uuid(native_uuid=False), *MYSQL)
Instant = DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), *MYSQL)
FRONT_PAGE = text("SELECT name, releases FROM release_index ORDER BY releases DESC, name")


class Base(DeclarativeBase):
    """What the application knows of its schema."""


class User(Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(Key, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[UUID] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    last_updated: Mapped[datetime] = mapped_column(Instant)


class Role(Base):
    __tablename__ = "roles"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey(Project.id))
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id))
    role: Mapped[str] = mapped_column(Enum("owner", "maintainer", name="role_name"))


class Release(Base):
    __tablename__ = "releases"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey(Project.id))
    version: Mapped[str] = mapped_column(String(32))
    cost: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=Decimal(0))
    yanked: Mapped[bool] = mapped_column(default=False)
    uploaded: Mapped[datetime] = mapped_column(Instant, default=lambda: datetime.now(UTC))


class File(Base):
    __tablename__ = "files"
    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey(Release.id))
    filename: Mapped[str] = mapped_column(String(255))


class Refused(Exception):
    """What was asked for cannot be; nothing of it was done."""


class Shop:
    """What the web pages call; each call is a transaction."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def front_page(self) -> list[tuple[str, int]]:
        """Return projects, with how many releases they have, the busiest first."""
        with self._sessions() as session:
            return [(name, releases) for name, releases in session.execute(FRONT_PAGE)]

    def upload(self, project: str, version: str, files: Iterable[str]) -> None:
        """Publish a release; a version is published once."""
        with self._sessions.begin() as session:
            release = Release(project_id=_named(session, project).id, version=version)
            try:
                with session.begin_nested():
                    session.add(release)
            except IntegrityError:
                raise Refused(f"{project} {version} is there already") from None
            session.add_all(File(release_id=release.id, filename=name) for name in files)

    def hand_over(self, project: str, username: str) -> None:
        """Give a project another owner; the former one has no role any more."""
        with self._sessions.begin() as session:
            heir = session.scalar(select(User).where(User.username == username))
            if heir is None:
                raise Refused(f"there is no {username}")
            mine = select(Role).where(Role.project_id == _named(session, project).id)
            for role in session.scalars(mine.where(Role.user_id == heir.id)):
                session.delete(role)
            session.flush()
            session.scalars(mine.where(Role.role == "owner")).one().user_id = heir.id

    def owner(self, project: str) -> str | None:
        """Return who owns a project."""
        owns = select(User.username).join(Role).join(Project).where(Role.role == "owner")
        with self._sessions() as session:
            return session.scalar(owns.where(Project.name == project))

    def versions(self, project: str) -> int:
        """Return how many releases a project has."""
        count = select(func.count()).select_from(Release).join(Project)
        with self._sessions() as session:
            return session.scalars(count.where(Project.name == project)).one()


def _named(session: Session, project: str) -> Project:
    return session.scalars(select(Project).where(Project.name == project)).one()
