"""An existing database as SQLAlchemy declares it, and SQL for what it does not model.

`freeze --from URL` asks. SQLAlchemy's own reflection is the default; where it sees less
than the catalogue holds, a database's part below adds it.
"""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends import portable, where
from migrators.backends.stamping import ALEMBIC_TABLE, OURS
from migrators.config import redact
from migrators.errors import DatabaseError, UsageError
from migrators.schema.fingerprint import constraints
from migrators.schema.sqltext import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_MYSQL = frozenset({"mysql", "mariadb"})


@dataclass(frozen=True)
class Reflected:
    """A live database's schema.

    Attributes
    ----------
    metadata : sqlalchemy.MetaData
        Its tables, with generic types where those give the same DDL on this database.
    database : str
        Which kind of database: the `<database>` of `vN.after.<database>.sql`.
    beside : mapping of str to str
        SQL of what SQLAlchemy does not model (types, partitions, views, triggers …), by when
        it runs: "before", "between", "after".
    alembic_head : str or None
        What Alembic's table says, where there is one.
    notes : tuple of str
        What could not be declared exactly, a sentence each.
    """

    metadata: sa.MetaData
    database: str
    beside: dict[str, str] = field(default_factory=dict)
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
    from migrators.backends import backend_for

    with suppress(UsageError):  # what no backend serves can be frozen all the same
        return backend_for(url).engine()
    try:
        return sa.create_engine(where.spelled(url))
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
        beside, notes = _tables(connection, metadata)
    for table in metadata.tables.values():
        for column in table.columns:
            notes += _generic(column, connection.dialect)
    if database == "sqlite":
        from migrators.backends.sqlite import reflection

        after = reflection.amend(connection, metadata)
        beside = {"after": after} if after else {}
    for table in metadata.tables.values():
        _mean_colons(table)
        for column in table.columns:
            column.type = portable.portable(column.type, connection.dialect)
    return Reflected(metadata, database, beside, _head(connection), tuple(sorted(notes)))


def _tables(connection: sa.Connection, metadata: sa.MetaData) -> tuple[dict[str, str], list[str]]:
    """Reflect the tables; return SQL beside them by when it runs, and notes.

    Each database's part is imported when it is asked: another's driver may not be there.
    """
    database = connection.dialect.name
    if database == "postgresql":
        from migrators.backends.postgresql import reflection as postgresql

        postgresql.reflect(connection, metadata, OURS)
        return postgresql.amend(connection, metadata)
    if database in _MYSQL:
        from migrators.backends.mysql import reflection as mysql

        mysql.check_names(connection)
    if database == "sqlite":
        return {}, _file(connection, metadata)
    metadata.reflect(connection, only=lambda name, _: name not in OURS)
    return mysql.amend(connection, metadata) if database in _MYSQL else ({}, [])


def _file(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Reflect the tables of a SQLite file that can be declared; say what of them is open."""
    from migrators.backends.sqlite import declared, reflection

    unread = reflection.unread(connection)
    metadata.reflect(connection, only=lambda name, _: name not in OURS and name not in unread)
    return [*filter(None, unread.values()), *declared.declare(connection, metadata)]


def _mean_colons(table: sa.Table) -> None:
    """Let the SQL of a reflected table mean itself: what a catalogue says has no parameters."""
    for column in table.columns:
        default = column.server_default
        if isinstance(default, sa.DefaultClause):
            default.arg = _meant(default.arg)
        if column.computed is not None:
            column.computed.sqltext = _meant(column.computed.sqltext)
    for constraint in constraints(table):
        if isinstance(constraint, sa.CheckConstraint):
            constraint.sqltext = _meant(constraint.sqltext)
    for index in table.indexes:
        index.expressions = [_meant(one) for one in index.expressions]
        for key, value in list(index.dialect_kwargs.items()):
            index.dialect_kwargs[key] = _meant(value)


def _meant(found: Any) -> Any:
    return sa.text(as_text(found.text)) if isinstance(found, sa.TextClause) else found


def _head(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(ALEMBIC_TABLE):
        return None
    found = connection.execute(
        sa.select(sa.column("version_num", sa.String)).select_from(sa.table(ALEMBIC_TABLE))
    )
    heads = list(found.scalars())
    return heads[0] if len(heads) == 1 else None


def _generic(column: sa.Column[Any], dialect: sa.Dialect) -> list[str]:
    """Give a column a generic type where the database cannot tell the difference."""
    found: Any = column.type
    if isinstance(found, sa.types.NullType):
        raise DatabaseError(
            f"{column.table.key}.{column.name} is of a type that SQLAlchemy does not know",
            hint=(
                "write the schema module by hand: its type is a sa.types.UserDefinedType,",
                "of POINT or other geometry sa.LargeBinary().with_variant(that, 'mysql', "
                "'mariadb')",
            ),
        )
    if getattr(found, "_variant_mapping", None):  # chosen by what the database holds
        return []
    bare = isinstance(found, sa.Numeric) and not isinstance(found, sa.Float)
    if bare and not found.precision and dialect.name == "sqlite":
        column.type = sa.Float().with_variant(found, dialect.name)
        said = f"{column.table.name}.{column.name} is {_ddl(found, dialect)} without precision"
        return [f"{said}: declared as Float, read as binary floating point"]
    for candidate in _candidates(found):
        if not _loses(candidate, dialect) and _ddl(candidate, dialect) == _ddl(found, dialect):
            column.type = candidate
            break
    return []


def _loses(candidate: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> bool:
    """Whether a generic type says less than what is there: `sa.DateTime` is of whole seconds."""
    if dialect.name not in _MYSQL:
        return False
    from migrators.backends.mysql import language

    return language.lint(candidate, dialect) is not None


def _candidates(found: Any) -> Iterator[sa.types.TypeEngine[Any]]:
    """Yield generic types that a reflected type may be another spelling of."""
    length = getattr(found, "length", None)
    if getattr(found, "collation", None) is None:
        yield from (sa.Integer(), sa.BigInteger(), sa.SmallInteger(), sa.Boolean(), sa.Date())
        yield from (sa.DateTime(), sa.Time(), sa.Text(), sa.String(length), sa.JSON())
        yield from (sa.DateTime(timezone=True), sa.Uuid())
        yield from (sa.Double(), sa.LargeBinary())
        if isinstance(found, sa.Numeric) and not isinstance(found, sa.Float):
            yield sa.Numeric(found.precision, found.scale)
        if isinstance(found, sa.Float):
            yield sa.Float(found.precision)


def _ddl(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str | None:
    try:
        text = dialect.type_compiler_instance.process(declared)
    except sa.exc.CompileError:
        return None
    return text.replace("NUMERIC(", "DECIMAL(") if dialect.name in _MYSQL else text  # one type
