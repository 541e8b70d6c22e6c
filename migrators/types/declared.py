"""A declared SQLAlchemy type → `ColumnType`: the only place that looks at one.

Types that several databases have are known by their class. What one database alone has is
known by SQLAlchemy's name of it (`__visit_name__`), or is `Kind.NATIVE`: that server's own
text, named `<database>:<type>` after the module that declares it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from migrators.types.model import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_DECIMAL_DIGITS = 76  # Arrow's decimal256
_DIALECTS = "sqlalchemy.dialects."
_SPEC = re.compile(r"[a-z_][a-z0-9_ .,()\[\]-]{0,199}")


class UnsupportedType(Exception):
    """`describe` does not know the type; the caller adds table and column."""


def describe(declared: TypeEngine[Any]) -> ColumnType:
    """Return the `ColumnType` of a declared SQLAlchemy type.

    Parameters
    ----------
    declared : sqlalchemy.types.TypeEngine
        A `TypeDecorator` counts as its `impl`; of variants, the type they vary.

    Raises
    ------
    UnsupportedType
        For a type that no kind holds exactly; the message says which to declare.
    """
    while isinstance(declared, TypeDecorator) and not isinstance(declared, sa.Interval):
        declared = declared.impl_instance
    named = _NAMED.get(getattr(declared, "__visit_name__", ""))
    if named is not None:
        return named(declared)
    for sqltype, make in _KINDS:
        if isinstance(declared, sqltype):
            return ColumnType(make) if isinstance(make, Kind) else make(declared)
    return _native(declared)


def on(declared: TypeEngine[Any], database: str) -> TypeEngine[Any]:
    """Return the type that a column is of on one kind of database: a variant, or the type.

    Parameters
    ----------
    declared : sqlalchemy.types.TypeEngine
        A `TypeDecorator` counts as its `impl`.
    database : str
        SQLAlchemy's name of the dialect.
    """
    while True:
        variant = getattr(declared, "_variant_mapping", {}).get(database)
        if variant is not None:
            declared = variant
        elif isinstance(declared, TypeDecorator) and not isinstance(declared, sa.Interval):
            declared = declared.impl_instance
        else:
            return declared


def _native(declared: TypeEngine[Any]) -> ColumnType:
    module, name = type(declared).__module__, getattr(declared, "__visit_name__", None)
    if isinstance(declared, UserDefinedType):
        spec = str(declared.get_col_spec()).lower()
        if _SPEC.fullmatch(spec):
            return ColumnType(Kind.NATIVE, native=spec)
    elif module.startswith(_DIALECTS) and name:
        database = module.removeprefix(_DIALECTS).partition(".")[0]
        return ColumnType(Kind.NATIVE, native=f"{database}:{name.lower()}")
    msg = f"{declared!r} is not a type that an extract can hold exactly"
    raise UnsupportedType(msg)


def _bits(declared: sa.Integer) -> int:
    if isinstance(declared, sa.BigInteger):
        return 64
    return 16 if isinstance(declared, sa.SmallInteger) else 32


def _is_unsigned(declared: Any) -> bool:
    return bool(getattr(declared, "unsigned", False) or getattr(declared, "zerofill", False))


def _integer(bits: int | None = None) -> Callable[[Any], ColumnType]:
    return lambda t: ColumnType(Kind.INTEGER, bits=bits or _bits(t), unsigned=_is_unsigned(t))


def _decimal(declared: sa.Numeric[Any]) -> ColumnType:
    precision, scale = declared.precision, declared.scale or 0
    if precision is None and hasattr(declared, "zerofill"):  # of the one where DECIMAL is (10, 0)
        precision = 10
    held = precision is not None and 0 <= scale <= precision <= _MAX_DECIMAL_DIGITS
    if precision is None or not held:
        return ColumnType(Kind.DECIMAL, as_text=True)
    unsigned = _is_unsigned(declared)
    return ColumnType(Kind.DECIMAL, precision=precision, scale=scale, unsigned=unsigned)


def _float(declared: sa.Float[Any]) -> ColumnType:
    return ColumnType(Kind.FLOAT, unsigned=_is_unsigned(declared))


def _text(declared: sa.String) -> ColumnType:
    fixed = isinstance(declared, sa.CHAR | sa.NCHAR)
    return ColumnType(Kind.TEXT, length=declared.length, fixed=fixed)


def _binary(declared: Any) -> ColumnType:
    return ColumnType(
        Kind.BINARY, length=getattr(declared, "length", None), fixed=isinstance(declared, sa.BINARY)
    )


def _bit(declared: Any) -> ColumnType:
    varying = bool(getattr(declared, "varying", False))
    length = declared.length if varying else declared.length or 1
    return ColumnType(Kind.BITS, length=length, fixed=not varying)


def _time(declared: sa.Time) -> ColumnType:
    if declared.timezone:
        return ColumnType(Kind.NATIVE, native="time with time zone")
    return ColumnType(Kind.TIME)


def _array(declared: Any) -> ColumnType:
    return ColumnType(Kind.ARRAY, item=describe(declared.item_type))


_NAMED: dict[str, Callable[[Any], ColumnType]] = {
    "TINYINT": _integer(8),
    "MEDIUMINT": _integer(24),
    "YEAR": lambda _: ColumnType(Kind.INTEGER, bits=16, unsigned=True),
    "OID": lambda _: ColumnType(Kind.INTEGER, bits=32, unsigned=True),
    "MONEY": lambda _: ColumnType(Kind.DECIMAL, precision=19, scale=2),
    "INTERVAL": lambda _: ColumnType(Kind.INTERVAL),
    "BIT": _bit,
    "SET": lambda t: ColumnType(Kind.SET, labels=tuple(t.values)),
    "DOMAIN": lambda t: describe(t.data_type),
}
"""Types of one database that mean the same elsewhere."""

_KINDS: tuple[tuple[Any, Any], ...] = (
    (sa.Interval, Kind.INTERVAL),
    (sa.Boolean, Kind.BOOLEAN),
    (sa.JSON, Kind.JSON),
    (sa.Uuid, Kind.UUID),
    (sa.Date, Kind.DATE),
    (sa.Time, _time),
    (sa.DateTime, lambda t: ColumnType(Kind.INSTANT if t.timezone else Kind.TIMESTAMP)),
    (sa.Integer, _integer()),
    (sa.Enum, lambda t: ColumnType(Kind.ENUM, length=t.length, labels=tuple(t.enums))),
    (sa.String, _text),
    (sa.types._Binary, _binary),  # noqa: SLF001  BLOB too
    (sa.Float, _float),
    (sa.Numeric, _decimal),
    (sa.ARRAY, _array),
)
"""Most special first: an Enum is a String, a Float is a Numeric."""
