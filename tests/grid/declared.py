"""Which types each database declares, with parameters, and what stands for them elsewhere.

`DECLARED` starts from the dialect's own table of types, so that a type which SQLAlchemy adds is
in the grid, or is named in `LEFT_OUT`, before the tests are green again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import UserDefinedType

from migrators.types import Kind, UnsupportedType, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrators.types import ColumnType

    Type = sa.types.TypeEngine[Any]

DATABASES = ("postgresql", "mysql", "sqlite")
_MYSQL_DIGITS, _MYSQL_SCALE, _MYSQL_BITS = 65, 30, 64
_SQLITE_DIGITS = 15


def _each(cls: Callable[..., Type], *arguments: Any) -> tuple[Callable[[], Type], ...]:
    """Return what makes a type of each argument."""
    return tuple(partial(cls, argument) for argument in arguments)


class Named(UserDefinedType[str]):
    """A type that a database has and SQLAlchemy has no class for."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        """Return how DDL spells it."""
        return self.spec


PARAMETERS: dict[str, dict[str, tuple[Callable[[], Type], ...]]] = {
    "postgresql": {
        "NUMERIC": (
            postgresql.NUMERIC,
            lambda: postgresql.NUMERIC(5, 2),
            lambda: postgresql.NUMERIC(38, 10),
            lambda: postgresql.NUMERIC(76, 20),
            lambda: postgresql.NUMERIC(30, 30),
        ),
        "FLOAT": (postgresql.FLOAT, lambda: postgresql.FLOAT(24)),
        "VARCHAR": (postgresql.VARCHAR, lambda: postgresql.VARCHAR(12)),
        "CHAR": (lambda: postgresql.CHAR(1), lambda: postgresql.CHAR(3)),
        "BIT": (
            postgresql.BIT,
            lambda: postgresql.BIT(8),
            lambda: postgresql.BIT(70),
            lambda: postgresql.BIT(12, varying=True),
            lambda: postgresql.BIT(varying=True),
        ),
        "TIMESTAMP": (
            postgresql.TIMESTAMP,
            lambda: postgresql.TIMESTAMP(precision=3),
            lambda: postgresql.TIMESTAMP(timezone=True),
            lambda: postgresql.TIMESTAMP(timezone=True, precision=0),
        ),
        "TIME": (
            postgresql.TIME,
            lambda: postgresql.TIME(precision=0),
            lambda: postgresql.TIME(timezone=True),
        ),
        "INTERVAL": (postgresql.INTERVAL,),
        "ENUM": (lambda: postgresql.ENUM("new", "old, but", "it's", "é", name="state"),),
        "DOMAIN": (
            lambda: postgresql.DOMAIN("positive", sa.Integer(), check=sa.text("VALUE > 0")),
        ),
        "ARRAY": _each(
            postgresql.ARRAY,
            sa.Integer(),
            sa.Text(),
            sa.Boolean(),
            sa.Numeric(),
            postgresql.TIMESTAMP(),
            postgresql.DOUBLE_PRECISION(),
            postgresql.UUID(),
            postgresql.BYTEA(),
            postgresql.JSONB(),
            postgresql.INET(),
        ),
    },
    "mysql": {
        **{
            name: (cls, partial(cls, unsigned=True))
            for name, cls in (
                ("TINYINT", mysql.TINYINT),
                ("SMALLINT", mysql.SMALLINT),
                ("MEDIUMINT", mysql.MEDIUMINT),
                ("INTEGER", mysql.INTEGER),
                ("BIGINT", mysql.BIGINT),
            )
        },
        "DECIMAL": (
            mysql.DECIMAL,
            lambda: mysql.DECIMAL(5, 2),
            lambda: mysql.DECIMAL(65, 30),
            lambda: mysql.DECIMAL(12, 2, unsigned=True),
            lambda: mysql.DECIMAL(8, 3, zerofill=True),
        ),
        "NUMERIC": (lambda: mysql.NUMERIC(30, 30),),
        "FLOAT": (mysql.FLOAT, lambda: mysql.FLOAT(53), lambda: mysql.FLOAT(unsigned=True)),
        "DOUBLE": (mysql.DOUBLE, lambda: mysql.DOUBLE(unsigned=True)),
        "BIT": (mysql.BIT, lambda: mysql.BIT(8), lambda: mysql.BIT(64)),
        "CHAR": (lambda: mysql.CHAR(3), lambda: mysql.CHAR(3, charset="latin1")),
        "NCHAR": (lambda: mysql.NCHAR(3),),
        "VARCHAR": (
            lambda: mysql.VARCHAR(12),
            lambda: mysql.VARCHAR(12, charset="utf8mb3"),
            lambda: mysql.VARCHAR(12, collation="utf8mb4_bin"),
        ),
        "NVARCHAR": (lambda: mysql.NVARCHAR(12),),
        "BINARY": (lambda: mysql.BINARY(4),),
        "VARBINARY": (lambda: mysql.VARBINARY(90),),
        "ENUM": (lambda: mysql.ENUM("new", "old, but", "it's", "é"),),
        "SET": (lambda: mysql.SET("a", "b c", "é"),),
        "TIME": (mysql.TIME, lambda: mysql.TIME(fsp=6)),
        "DATETIME": (mysql.DATETIME, lambda: mysql.DATETIME(fsp=3), lambda: mysql.DATETIME(fsp=6)),
        "TIMESTAMP": (mysql.TIMESTAMP, lambda: mysql.TIMESTAMP(fsp=6)),
        "YEAR": (mysql.YEAR,),
        "UUID": (sa.UUID, lambda: sa.Uuid(native_uuid=False)),
    },
    "sqlite": {
        "NUMERIC": (lambda: sqlite.NUMERIC(12, 2), lambda: sqlite.NUMERIC(15, 0)),
        "DECIMAL": (lambda: sqlite.DECIMAL(15, 5),),
        "VARCHAR": (sqlite.VARCHAR, lambda: sqlite.VARCHAR(12)),
        "CHAR": (lambda: sqlite.CHAR(3), sa.Uuid),
        "DATETIME": (sqlite.DATETIME, sa.Interval),
        "TEXT": (sqlite.TEXT, lambda: sa.Enum("new", "old", name="state")),
    },
}
"""More than one of a type, or one that needs an argument."""

FURTHER: dict[str, tuple[Callable[[], Type], ...]] = {
    "postgresql": _each(
        Named,
        "xml",
        "point",
        "line",
        "lseg",
        "box",
        "path",
        "polygon",
        "circle",
        "jsonpath",
        "pg_lsn",
        "ltree",
        "money[]",
        "pair",
        "name",
    ),
    "mysql": (mysql.INET4, mysql.INET6),
    "sqlite": (sa.LargeBinary,),
}
"""Beside the dialect's table of types."""

LEFT_OUT = {
    "postgresql": {
        "REGCONFIG": "a number of the server's own; it is read as its name",
    },
    "mysql": {},
    "sqlite": {"JSONB": "SQLite 3.45 and later"},
}
"""Not in the grid, and why."""

_TABLES: dict[str, dict[str, Any]] = {
    "postgresql": postgresql.base.ischema_names,
    "mysql": mysql.base.ischema_names,
    "sqlite": sqlite.base.ischema_names,
}
_MODULES: dict[str, Any] = {"postgresql": postgresql, "mysql": mysql, "sqlite": sqlite}
_BOUND = {"postgresql": ("ENUM", "DOMAIN"), "mysql": ("REAL",), "sqlite": ()}
"""Classes that the dialect's table of types leaves to reflection."""


def declared(database: str) -> tuple[Type, ...]:
    """Return every type of a database that the grid has, each once."""
    parameters, out = PARAMETERS[database], LEFT_OUT[database]
    names = dict.fromkeys([*_classes(database), *_BOUND[database]])
    found: list[Type] = []
    for name in names:
        if name not in out:
            found += [make() for make in parameters.get(name, (_plain(database, name),))]
    found += [make() for make in FURTHER[database]]
    return tuple({(spelled(database, t), describe(t)): t for t in found}.values())


def missing(database: str) -> set[str]:
    """Return types of the dialect that are neither in the grid, nor left out, nor refused."""
    there = {spelled(database, t).lower() for t in declared(database)}
    named = {name for t in declared(database) for name in (type(t).__name__, t.__visit_name__)}
    out = {*named, *LEFT_OUT[database]}
    names = {*_classes(database), *_public(database)} - out
    made = {name: _plain(database, name)() for name in names}
    return {name for name, t in made.items() if not _is_refused(t) and _is_new(database, t, there)}


def _is_new(database: str, found: Type, there: set[str]) -> bool:
    return spelled(database, found).lower() not in there


def _is_refused(found: Type) -> bool:
    """Whether a column of a type is refused by its name wherever it is read."""
    try:
        describe(found)
    except UnsupportedType:
        return True
    return False


def _public(database: str) -> Iterable[str]:
    """Return the types that a person may import, also those that reflection never gives."""
    module = _MODULES[database]
    found = {name: getattr(module, name) for name in module.__all__}
    return [
        name
        for name, each in found.items()
        if isinstance(each, type) and issubclass(each, sa.types.TypeEngine)
    ]


def _classes(database: str) -> Iterable[str]:
    return sorted({cls.__name__ for cls in _TABLES[database].values()})


def _plain(database: str, name: str) -> Callable[[], Type]:
    found = [cls for cls in _TABLES[database].values() if cls.__name__ == name]
    made: Callable[[], Type] = found[0] if found else getattr(_MODULES[database], name)
    return made


def dialect(database: str) -> sa.Dialect:
    """Return the dialect whose DDL a database is given; MariaDB's for `mysql`."""
    from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect

    if database == "mysql":
        return MariaDBDialect()
    made = {"postgresql": postgresql.dialect, "sqlite": sqlite.dialect}[database]
    return made()  # type: ignore[no-any-return]


def spelled(database: str, type_: Type) -> str:
    """Return a type as the database's DDL has it."""
    return str(type_.compile(dialect=dialect(database)))


def counterpart(type_: Type, database: str) -> Type:
    """Return the type of another database that takes the values of a type."""
    kind = describe(type_)
    made = _OWN_COUNTERPARTS[database].get(kind.kind)
    return made(kind) if made else _COUNTERPARTS[kind.kind](kind)


def _decimal(kind: ColumnType) -> Type:
    if kind.as_text:
        return sa.Numeric()
    return sa.Numeric(kind.precision, kind.scale)


def _mysql_decimal(kind: ColumnType) -> Type:
    fits = kind.precision <= _MYSQL_DIGITS and kind.scale <= _MYSQL_SCALE
    return sa.Text() if kind.as_text or not fits else _decimal(kind)


def _sqlite_decimal(kind: ColumnType) -> Type:
    fits = not kind.as_text and kind.precision <= _SQLITE_DIGITS
    return _decimal(kind) if fits else sa.String()


def _mysql_bits(kind: ColumnType) -> Type:
    fits = kind.fixed and (kind.length or 1) <= _MYSQL_BITS
    return mysql.BIT(kind.length or 1) if fits else mysql.LONGTEXT()


def _integer(kind: ColumnType) -> Type:
    low, high = kind.range
    if low >= -(2**31) and high < 2**31:
        return sa.Integer()
    return sa.BigInteger() if high < 2**63 else sa.Numeric(20, 0)


_COUNTERPARTS: dict[Kind, Callable[[ColumnType], Type]] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: lambda _: sa.Boolean(),
    Kind.FLOAT: lambda _: sa.Double(),
    Kind.DECIMAL: _decimal,
    Kind.TEXT: lambda _: sa.Text(),
    Kind.ENUM: lambda _: sa.Text(),
    Kind.SET: lambda _: sa.Text(),
    Kind.JSON: lambda _: sa.JSON(),
    Kind.BINARY: lambda _: sa.LargeBinary(),
    Kind.BITS: lambda _: sa.Text(),
    Kind.UUID: lambda _: sa.Uuid(native_uuid=False),
    Kind.DATE: lambda _: sa.Date(),
    Kind.TIME: lambda _: sa.Time(),
    Kind.TIMESTAMP: lambda _: sa.DateTime(),
    Kind.INSTANT: lambda _: sa.DateTime(timezone=True),
    Kind.INTERVAL: lambda _: sa.Interval(),
    Kind.ARRAY: lambda _: sa.JSON(),
    Kind.NATIVE: lambda _: sa.Text(),
}
_OWN_COUNTERPARTS: dict[str, dict[Kind, Callable[[ColumnType], Type]]] = {
    "postgresql": {
        Kind.UUID: lambda _: sa.Uuid(),
        Kind.BITS: lambda kind: postgresql.BIT(kind.length, varying=not kind.fixed),
    },
    "mysql": {
        Kind.INTEGER: lambda kind: mysql.BIGINT(unsigned=kind.unsigned),
        Kind.DECIMAL: _mysql_decimal,
        Kind.BITS: _mysql_bits,
        Kind.TIME: lambda _: mysql.TIME(fsp=6),
        **dict.fromkeys(
            (Kind.TIMESTAMP, Kind.INSTANT, Kind.INTERVAL), lambda _: mysql.DATETIME(fsp=6)
        ),
        **dict.fromkeys((Kind.TEXT, Kind.ENUM, Kind.SET, Kind.NATIVE), lambda _: mysql.LONGTEXT()),
        Kind.BINARY: lambda _: mysql.LONGBLOB(),
    },
    "sqlite": {
        Kind.INTEGER: lambda _: sa.BigInteger(),
        Kind.DECIMAL: _sqlite_decimal,
        Kind.ARRAY: lambda _: sa.Text(),
    },
}
