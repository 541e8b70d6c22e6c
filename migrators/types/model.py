"""What a column holds: `Kind` and `ColumnType`, whatever a database calls it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_NARROW_DECIMAL = 38  # Arrow's decimal128
_INT64_MAX = 2**63 - 1


class Kind(StrEnum):
    """What a column holds."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    FLOAT = "float"
    DECIMAL = "decimal"
    TEXT = "text"
    ENUM = "enum"
    SET = "set"
    JSON = "json"
    BINARY = "binary"
    BITS = "bits"
    UUID = "uuid"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INSTANT = "instant"
    INTERVAL = "interval"
    ARRAY = "array"
    NATIVE = "native"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column as declared, and as it is held in an extract.

    Attributes
    ----------
    kind : Kind
    bits : int
        Declared width of an integer: 8, 16, 24, 32 or 64; 0 for other kinds.
    precision, scale : int
        Digits in all and after the point, of a decimal; precision 0: as many as a value has.
    length : int or None
        Longest text, in characters, binary, in bytes, or string of bits.
    labels : tuple of str
        Of an enum or a set, in declared order.
    unsigned : bool
        A number that is never negative; such an integer has one more bit for its value.
    fixed : bool
        Padded to its length by databases that know such a type: CHAR, BINARY, BIT.
    native : str
        Whose text it is, of `Kind.NATIVE`: "<database>:<type>".
    item : ColumnType or None
        Of an array.
    as_text : bool
        Held as the exact text of each value, because Arrow's type does not hold them all.
    """

    kind: Kind
    bits: int = 0
    precision: int = 0
    scale: int = 0
    length: int | None = None
    labels: tuple[str, ...] = ()
    unsigned: bool = False
    fixed: bool = False
    native: str = ""
    item: ColumnType | None = None
    as_text: bool = False

    def __str__(self) -> str:
        """Name as it stands in a manifest: `decimal(12,2)`, `text(255)`, `integer(32)`."""
        return f"{self._name()} unsigned" if self.unsigned else self._name()

    def _name(self) -> str:
        inside: object = self.length
        if self.kind is Kind.DECIMAL and self.precision:
            inside = f"{self.precision},{self.scale}"
        elif self.kind is Kind.INTEGER:
            inside = self.bits
        elif self.kind is Kind.NATIVE:
            inside = self.native
        elif self.kind is Kind.ARRAY:
            inside = self.item
        return str(self.kind) if inside is None else f"{self.kind}({inside})"

    @property
    def is_text(self) -> bool:
        """Whether Arrow holds it as a string."""
        return self.as_text or self.kind in _STRINGS

    @property
    def may_be_text(self) -> bool:
        """Whether a column of it may be held as text where Arrow's type is too narrow."""
        return self.kind in _MAY_BE_TEXT

    def in_text(self) -> ColumnType:
        """Return the type of the same column held as text."""
        return replace(self, as_text=True)

    @property
    def range(self) -> tuple[int, int]:
        """Lowest and highest value of an integer."""
        bits = self.bits or 64
        if self.unsigned:
            return 0, 2**bits - 1
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    @property
    def whole_digits(self) -> int:
        """Digits before the point of an integer or a decimal."""
        if self.kind is Kind.INTEGER:
            return len(str(self.range[1]))
        return self.precision - self.scale

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of its values."""
        import pyarrow as pa

        if self.is_text:
            return pa.string()
        if self.kind is Kind.DECIMAL:
            make = pa.decimal128 if self.precision <= _NARROW_DECIMAL else pa.decimal256
            return make(self.precision, self.scale)
        if self.kind is Kind.INTEGER and self.range[1] > _INT64_MAX:
            return pa.uint64()
        return _ARROW[self.kind](pa)


_STRINGS = (Kind.TEXT, Kind.ENUM, Kind.SET, Kind.JSON, Kind.BITS, Kind.ARRAY, Kind.NATIVE)
_MAY_BE_TEXT = (
    Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT, Kind.INTERVAL,
)  # fmt: skip

_ARROW: dict[Kind, Any] = {
    Kind.INTEGER: lambda pa: pa.int64(),
    Kind.BOOLEAN: lambda pa: pa.bool_(),
    Kind.FLOAT: lambda pa: pa.float64(),
    Kind.BINARY: lambda pa: pa.binary(),
    Kind.UUID: lambda pa: pa.binary(16),
    Kind.DATE: lambda pa: pa.date32(),
    Kind.TIME: lambda pa: pa.time64("us"),
    Kind.TIMESTAMP: lambda pa: pa.timestamp("us"),
    Kind.INSTANT: lambda pa: pa.timestamp("us", tz="UTC"),
    Kind.INTERVAL: lambda pa: pa.duration("us"),
}
