"""Declared SQL type → `ColumnType` → Arrow type. Nothing is ever inferred from data.

`describe` is the only place that looks at a SQLAlchemy type. Whoever moves values
(extracts, backends, rules, verify) sees a `ColumnType`. Exact text forms are in
`types.text`; whether values fit a declared type is asked of `types.fit`.

| kind      | Arrow                     | declared as                                   |
|-----------|---------------------------|-----------------------------------------------|
| integer   | int64                     | SmallInteger, Integer, BigInteger             |
| boolean   | bool                      | Boolean                                       |
| float     | float64                   | Float, Double                                 |
| decimal   | decimal128/256(p, s)      | Numeric(p, s)                                 |
| text      | string                    | String, Text, Unicode …                       |
| enum      | string                    | Enum (its labels)                             |
| json      | string, the text itself   | JSON                                          |
| binary    | binary                    | LargeBinary                                   |
| uuid      | fixed_size_binary(16)     | Uuid                                          |
| date      | date32                    | Date                                          |
| time      | time64[us]                | Time                                          |
| timestamp | timestamp[us]             | DateTime                                      |
| instant   | timestamp[us, UTC]        | DateTime(timezone=True)                       |
| interval  | duration[us]              | Interval                                      |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_DECIMAL_DIGITS = 76  # Arrow's decimal256


class Kind(StrEnum):
    """What a column holds, whatever a database calls it."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    FLOAT = "float"
    DECIMAL = "decimal"
    TEXT = "text"
    ENUM = "enum"
    JSON = "json"
    BINARY = "binary"
    UUID = "uuid"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INSTANT = "instant"
    INTERVAL = "interval"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column as declared, and as it is held in an extract.

    Attributes
    ----------
    kind : Kind
    bits : int
        Declared width of an integer: 16, 32 or 64; 0 for other kinds.
    precision, scale : int
        Digits in all and after the point, of a decimal.
    length : int or None
        Longest text, in characters, or binary, in bytes.
    labels : tuple of str
        Of an enum, in declared order.
    """

    kind: Kind
    bits: int = 0
    precision: int = 0
    scale: int = 0
    length: int | None = None
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name as it stands in a manifest: `decimal(12,2)`, `text(255)`, `integer(32)`."""
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        if self.kind is Kind.INTEGER:
            return f"integer({self.bits})"
        if self.length is not None:
            return f"{self.kind}({self.length})"
        return str(self.kind)

    @property
    def is_text(self) -> bool:
        """Whether Arrow holds it as a string."""
        return self.kind in (Kind.TEXT, Kind.ENUM, Kind.JSON)

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of its values."""
        import pyarrow as pa

        if self.kind is Kind.DECIMAL:
            make = pa.decimal128 if self.precision <= 38 else pa.decimal256  # noqa: PLR2004
            return make(self.precision, self.scale)
        return _ARROW[self.kind](pa)


_ARROW: dict[Kind, Any] = {
    Kind.INTEGER: lambda pa: pa.int64(),
    Kind.BOOLEAN: lambda pa: pa.bool_(),
    Kind.FLOAT: lambda pa: pa.float64(),
    Kind.TEXT: lambda pa: pa.string(),
    Kind.ENUM: lambda pa: pa.string(),
    Kind.JSON: lambda pa: pa.string(),
    Kind.BINARY: lambda pa: pa.binary(),
    Kind.UUID: lambda pa: pa.binary(16),
    Kind.DATE: lambda pa: pa.date32(),
    Kind.TIME: lambda pa: pa.time64("us"),
    Kind.TIMESTAMP: lambda pa: pa.timestamp("us"),
    Kind.INSTANT: lambda pa: pa.timestamp("us", tz="UTC"),
    Kind.INTERVAL: lambda pa: pa.duration("us"),
}


class UnsupportedType(Exception):
    """`describe` does not know the type; the caller adds table and column."""


def describe(declared: TypeEngine[Any]) -> ColumnType:
    """Return the `ColumnType` of a declared SQLAlchemy type.

    Parameters
    ----------
    declared : sqlalchemy.types.TypeEngine
        A `TypeDecorator` counts as its `impl`.

    Raises
    ------
    UnsupportedType
        For a type that no kind holds exactly; the message says which to declare.
    """
    while isinstance(declared, TypeDecorator) and not isinstance(declared, sa.Interval):
        declared = declared.impl_instance
    for sqltype, make in _KINDS:
        if isinstance(declared, sqltype):
            return ColumnType(make) if isinstance(make, Kind) else make(declared)
    msg = f"{declared!r} is not a type that an extract can hold exactly"
    raise UnsupportedType(msg)


def _bits(declared: sa.Integer) -> int:
    if isinstance(declared, sa.BigInteger):
        return 64
    return 16 if isinstance(declared, sa.SmallInteger) else 32


def _decimal(declared: sa.Numeric[Any]) -> ColumnType:
    precision, scale = declared.precision, declared.scale
    if precision is None:
        msg = "Numeric without precision: declare Numeric(precision, scale)"
        raise UnsupportedType(msg)
    if precision > _MAX_DECIMAL_DIGITS:
        msg = f"Numeric({precision}) has more than {_MAX_DECIMAL_DIGITS} digits"
        raise UnsupportedType(msg)
    if (scale or 0) > precision:
        msg = f"Numeric({precision}, {scale}) has more digits after the point than in all"
        raise UnsupportedType(msg)
    return ColumnType(Kind.DECIMAL, precision=precision, scale=scale or 0)


_KINDS: tuple[tuple[type[Any], Any], ...] = (
    (sa.Interval, Kind.INTERVAL),
    (sa.Boolean, Kind.BOOLEAN),
    (sa.JSON, Kind.JSON),
    (sa.Uuid, Kind.UUID),
    (sa.Date, Kind.DATE),
    (sa.Time, Kind.TIME),
    (sa.DateTime, lambda t: ColumnType(Kind.INSTANT if t.timezone else Kind.TIMESTAMP)),
    (sa.Integer, lambda t: ColumnType(Kind.INTEGER, bits=_bits(t))),
    (sa.Enum, lambda t: ColumnType(Kind.ENUM, length=t.length, labels=tuple(t.enums))),
    (sa.String, lambda t: ColumnType(Kind.TEXT, length=t.length)),
    (sa.types._Binary, lambda t: ColumnType(Kind.BINARY, length=t.length)),  # noqa: SLF001  BLOB too
    (sa.Float, Kind.FLOAT),
    (sa.Numeric, _decimal),
)
"""Most special first: an Enum is a String, a Float is a Numeric."""


def parse(name: str) -> ColumnType:
    """Return the type that `str(type)` named; labels of enums are not part of a name.

    Raises
    ------
    ValueError
        If the name is none that `ColumnType.__str__` writes.
    """
    match = re.fullmatch(r"([a-z]+)(?:\((\d{1,9})(?:,(\d{1,3}))?\))?", name)
    if not match:
        raise ValueError(name)
    kind = Kind(match[1])
    first, second = (int(g) if g is not None else None for g in match.groups()[1:])
    if kind is Kind.DECIMAL:
        return ColumnType(kind, precision=first or 0, scale=second or 0)
    if kind is Kind.INTEGER:
        return ColumnType(kind, bits=first or 64)
    return ColumnType(kind, length=first)
