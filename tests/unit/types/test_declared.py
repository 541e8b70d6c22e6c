"""Every type that the three dialects of SQLAlchemy declare, and what it is here."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from migrators.types import ColumnType, Kind, UnsupportedType, describe, parse

_ARGUMENTS: dict[str, Any] = {
    "ARRAY": (sa.Integer,),
    "DOMAIN": ("short", sa.String(3)),
    "ENUM": ("a", "b"),
    "SET": ("a", "b"),
}
_ABSTRACT = {"NamedType", "AbstractRange", "AbstractSingleRange", "AbstractMultiRange"}


def _declared(database: str) -> dict[str, TypeEngine[Any]]:
    """One of each type that a dialect's module offers."""
    module = import_module(f"sqlalchemy.dialects.{database}")
    found = {}
    for name in set(dir(module)) - _ABSTRACT:
        sqltype = getattr(module, name)
        if inspect.isclass(sqltype) and issubclass(sqltype, TypeEngine):
            more = {"name": "e"} if name == "ENUM" and database == "postgresql" else {}
            found[name] = sqltype(*_ARGUMENTS.get(name, ()), **more)
    return found


DECLARED = [
    pytest.param(declared, id=f"{database}-{name}")
    for database in ("sqlite", "postgresql", "mysql")
    for name, declared in sorted(_declared(database).items())
]


def test_the_dialects_declare_what_they_do() -> None:
    """The walk over their modules finds the types, and not a handful of them."""
    assert len(DECLARED) >= 100


@pytest.mark.parametrize("declared", DECLARED)
def test_every_type_has_a_name_that_says_it(declared: TypeEngine[Any]) -> None:
    """What stands in a manifest is read back as a type with the same Arrow type."""
    described = describe(declared)
    read = parse(str(described))
    assert (str(read), read.arrow) == (str(described), described.arrow)
    assert parse(str(read)) == read


def integer(bits: int, *, unsigned: bool = False) -> ColumnType:
    """Return an integer type."""
    return ColumnType(Kind.INTEGER, bits=bits, unsigned=unsigned)


def native(name: str) -> ColumnType:
    """Return a native type."""
    return ColumnType(Kind.NATIVE, native=name)


class _Point(UserDefinedType[Any]):
    def get_col_spec(self, **_options: Any) -> str:
        return "GEOMETRY(Point, 4326)"


class _Shouted(TypeDecorator[str]):
    impl = sa.String(7)
    cache_ok = True


CASES: list[tuple[TypeEngine[Any], str, ColumnType]] = [
    (mysql.TINYINT(1), "integer(8)", integer(8)),
    (mysql.TINYINT(unsigned=True), "integer(8) unsigned", integer(8, unsigned=True)),
    (mysql.MEDIUMINT(), "integer(24)", integer(24)),
    (mysql.BIGINT(unsigned=True), "integer(64) unsigned", integer(64, unsigned=True)),
    (mysql.INTEGER(zerofill=True), "integer(32) unsigned", integer(32, unsigned=True)),
    (mysql.YEAR(), "integer(16) unsigned", integer(16, unsigned=True)),
    (postgresql.OID(), "integer(32) unsigned", integer(32, unsigned=True)),
    (mysql.DECIMAL(65, 30), "decimal(65,30)", ColumnType(Kind.DECIMAL, precision=65, scale=30)),
    (mysql.DECIMAL(), "decimal(10,0)", ColumnType(Kind.DECIMAL, precision=10)),
    (mysql.DOUBLE(unsigned=True), "float unsigned", ColumnType(Kind.FLOAT, unsigned=True)),
    (postgresql.MONEY(), "decimal(19,2)", ColumnType(Kind.DECIMAL, precision=19, scale=2)),
    (sa.Numeric(), "decimal", ColumnType(Kind.DECIMAL, as_text=True)),
    (sa.Numeric(1000, 900), "decimal", ColumnType(Kind.DECIMAL, as_text=True)),
    (sa.Numeric(3, 5), "decimal", ColumnType(Kind.DECIMAL, as_text=True)),
    (sa.Numeric(12), "decimal(12,0)", ColumnType(Kind.DECIMAL, precision=12)),
    (sa.CHAR(5), "text(5)", ColumnType(Kind.TEXT, length=5, fixed=True)),
    (sa.BINARY(16), "binary(16)", ColumnType(Kind.BINARY, length=16, fixed=True)),
    (mysql.BIT(10), "bits(10)", ColumnType(Kind.BITS, length=10, fixed=True)),
    (postgresql.BIT(), "bits(1)", ColumnType(Kind.BITS, length=1, fixed=True)),
    (postgresql.BIT(9, varying=True), "bits(9)", ColumnType(Kind.BITS, length=9)),
    (mysql.SET("a", "b"), "set", ColumnType(Kind.SET, labels=("a", "b"))),
    (mysql.TIME(fsp=6), "time", ColumnType(Kind.TIME)),
    (mysql.TIMESTAMP(fsp=6), "timestamp", ColumnType(Kind.TIMESTAMP)),
    (sa.Time(timezone=True), "native(time with time zone)", native("time with time zone")),
    (postgresql.TIMESTAMP(timezone=True), "instant", ColumnType(Kind.INSTANT)),
    (postgresql.INTERVAL(), "interval", ColumnType(Kind.INTERVAL)),
    (sa.Interval(), "interval", ColumnType(Kind.INTERVAL)),
    (postgresql.CITEXT(), "text", ColumnType(Kind.TEXT)),
    (postgresql.JSONB(), "json", ColumnType(Kind.JSON)),
    (postgresql.INET(), "native(postgresql:inet)", native("postgresql:inet")),
    (postgresql.TSTZRANGE(), "native(postgresql:tstzrange)", native("postgresql:tstzrange")),
    (_Point(), "native(geometry(point, 4326))", native("geometry(point, 4326)")),
    (postgresql.DOMAIN("money_", sa.Numeric(9, 2)), "decimal(9,2)",
     ColumnType(Kind.DECIMAL, precision=9, scale=2)),
    (sa.ARRAY(sa.Numeric(9, 2)), "array(decimal(9,2))",
     ColumnType(Kind.ARRAY, item=ColumnType(Kind.DECIMAL, precision=9, scale=2))),
    (_Shouted(), "text(7)", ColumnType(Kind.TEXT, length=7)),
    (sa.JSON().with_variant(postgresql.ARRAY(sa.Text), "postgresql"), "json",
     ColumnType(Kind.JSON)),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "name", "expected"), CASES)
def test_what_a_type_is(declared: TypeEngine[Any], name: str, expected: ColumnType) -> None:
    """Width, sign, digits, length, and whose text it is."""
    assert (str(describe(declared)), describe(declared)) == (name, expected)


@pytest.mark.parametrize("declared", [sa.types.NullType(), sa.types.TupleType(sa.Integer)])
def test_what_is_no_type_of_a_column_is_refused(declared: TypeEngine[Any]) -> None:
    """Nothing says which values it holds."""
    with pytest.raises(UnsupportedType, match="is not a type that an extract can hold exactly"):
        describe(declared)


@pytest.mark.parametrize(
    "name",
    ["", "integer(7)", "integer(x)", "text unsigned", "native", "native(A'b)", "array", "array(x)",
     "decimal(9)", "decimal(123,2)", "bits(-1)", "enum(a)", "float\n", "unknown"],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str) -> None:
    """I119: a manifest is not trusted."""
    with pytest.raises(ValueError, match="is the name of no type"):
        parse(name)


def test_integers_hold_what_their_bits_do() -> None:
    """B16: 64 bits without a sign are beyond Arrow's int64, and have a type of their own."""
    wide = integer(64, unsigned=True)
    assert (wide.range, str(wide.arrow), wide.whole_digits) == ((0, 2**64 - 1), "uint64", 20)
    assert (integer(24).range, str(integer(24).arrow)) == ((-(2**23), 2**23 - 1), "int64")
