"""An existing database as SQLAlchemy declares it, and SQL for what it does not model.

`freeze --from URL` asks. SQLAlchemy's own reflection is the default; where it sees less
than the catalogue holds, a database's part below adds it.
"""

from __future__ import annotations

import sqlite3
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends import where
from migrators.backends.sqlite import reflection as sqlite_reflection
from migrators.config import redact
from migrators.errors import DatabaseError, UsageError
from migrators.guard import STAMP

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALEMBIC = sqlite_reflection.ALEMBIC


@dataclass(frozen=True)
class Reflected:
    """A live database's schema.

    Attributes
    ----------
    metadata : sqlalchemy.MetaData
        Its tables, with generic types where those give the same DDL on this database.
    database : str
        Which kind of database: the `<database>` of `vN.after.<database>.sql`.
    after : str
        SQL of views, triggers and indexes that SQLAlchemy does not model; may be empty.
    alembic_head : str or None
        What Alembic's table says, where there is one.
    notes : tuple of str
        What could not be declared exactly, a sentence each.
    """

    metadata: sa.MetaData
    database: str
    after: str = ""
    alembic_head: str | None = None
    notes: tuple[str, ...] = ()


def reflect(url: sa.URL) -> Reflected:
    """Read the schema of a live database; nothing is written.

    Raises
    ------
    DatabaseError
        It is missing, or cannot be read.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return _reflect(connection)
    except sa.exc.DBAPIError as error:
        raise DatabaseError(f"{redact(str(url))} cannot be read: {error.orig}") from None
    except ModuleNotFoundError as error:
        raise DatabaseError(f"{redact(str(url))}: the driver {error.name} is missing") from None
    finally:
        engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    file = where.database_file(url)
    if file is None:
        return _server(url)
    if not file.is_file():
        raise DatabaseError(f"there is no database {file}")
    location = f"{file.resolve().as_uri()}?mode=ro"
    return sa.create_engine(
        url.set(database=None, query={}),
        creator=lambda: sqlite3.connect(location, uri=True),
        poolclass=sa.pool.NullPool,
    )


def _server(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(url)
    except sa.exc.NoSuchModuleError:
        raise UsageError(
            f"{url.drivername} is no database that SQLAlchemy knows",
            hint=f"URLs look like {where.FILE} or {where.SERVER}",
        ) from None


def _reflect(connection: sa.Connection) -> Reflected:
    database = connection.dialect.name
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # unmodelled indexes: added below
        metadata.reflect(connection, only=lambda name, _: name not in (_ALEMBIC, STAMP))
    notes: list[str] = []
    for table in metadata.tables.values():
        for column in table.columns:
            notes += _generic(column, connection.dialect)
    after = ""
    if database == "sqlite":
        after = sqlite_reflection.amend(connection, metadata)
        notes += sqlite_reflection.untold(connection, metadata)
    return Reflected(metadata, database, after, _head(connection), tuple(sorted(notes)))


def _head(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_ALEMBIC):
        return None
    found = connection.execute(
        sa.select(sa.column("version_num", sa.String)).select_from(sa.table(_ALEMBIC))
    )
    heads = list(found.scalars())
    return heads[0] if len(heads) == 1 else None


def _generic(column: sa.Column[Any], dialect: sa.Dialect) -> list[str]:
    """Give a column a generic type where the database cannot tell the difference."""
    found: Any = column.type
    if isinstance(found, sa.types.NullType):
        raise DatabaseError(
            f"{column.table.name}.{column.name} has no declared type: "
            "nothing says which values an extract has to hold",
            hint="give the column a type in the database, then type the same command again",
        )
    if isinstance(found, sa.Numeric) and not isinstance(found, sa.Float) and not found.precision:
        column.type = sa.Float().with_variant(found, dialect.name)
        said = f"{column.table.name}.{column.name} is {_ddl(found, dialect)} without precision"
        return [f"{said}: declared as Float, read as binary floating point"]
    for candidate in _candidates(found):
        if _ddl(candidate, dialect) == _ddl(found, dialect):
            column.type = candidate
            break
    return []


def _candidates(found: Any) -> Iterator[sa.types.TypeEngine[Any]]:
    """Yield generic types that a reflected type may be another spelling of."""
    length = getattr(found, "length", None)
    if getattr(found, "collation", None) is None:
        yield from (sa.Integer(), sa.BigInteger(), sa.SmallInteger(), sa.Boolean(), sa.Date())
        yield from (sa.DateTime(), sa.Time(), sa.Text(), sa.String(length), sa.JSON())
        yield from (sa.Double(), sa.LargeBinary())
        if isinstance(found, sa.Numeric) and not isinstance(found, sa.Float):
            yield sa.Numeric(found.precision, found.scale)
        if isinstance(found, sa.Float):
            yield sa.Float(found.precision)


def _ddl(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str | None:
    try:
        return dialect.type_compiler_instance.process(declared)
    except sa.exc.CompileError:
        return None
