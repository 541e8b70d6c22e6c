"""How values stand in COPY's CSV: a codec per kind. The server renders, Arrow parses.

`snapshot` reads with them, `staging` writes; nobody else knows the forms. What Arrow's type
does not hold (infinity, year 10000, NaN in a decimal, 24:00:00, months in an interval) is not
parsed, and so refused by name: none of it is ever wrapped or rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.postgresql import arrays, intervals
from migrators.types import Kind
from migrators.types.hexadecimal import bytes_of, hex_of, uuid_bytes, uuid_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.types import ColumnType


def _plain(array: pa.Array) -> pa.Array:
    return array


@dataclass(frozen=True, slots=True)
class Codec:
    """One kind of value.

    Attributes
    ----------
    render : str
        SQL over `{x}` whose text COPY writes.
    parse : pyarrow.DataType or None
        What Arrow's CSV reader makes of it; None: the kind's own type.
    decode : callable
        From that to values of the kind's type.
    encode : callable
        From values to what Arrow's CSV writer writes and the server's input function takes.
    order : str
        SQL over `{x}` that sorts as Arrow sorts the values: text and bytes by bytes.
    what : str
        "is not …", for a cell that cannot be read.
    """

    what: str
    render: str = "{x}"
    parse: pa.DataType | None = None
    decode: Callable[[pa.Array], pa.Array] = _plain
    encode: Callable[[pa.Array], pa.Array] = _plain
    order: str = "{x}"


def _bytes_of_hex(array: pa.Array) -> pa.Array:
    if not pc.all(pc.starts_with(array, "\\x"), min_count=0).as_py():
        raise pa.ArrowInvalid("not bytes in hexadecimal")
    return bytes_of(pc.utf8_slice_codeunits(array, 2))


def _hex(array: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("\\x", hex_of(array), "")


_TEXT = Codec("is not text in UTF-8", parse=pa.string(), order='{x}::text COLLATE "C"')
_NATIVE = Codec("is not text in UTF-8", parse=pa.string(), order='{x}::text COLLATE "C"')

CODECS: dict[Kind, Codec] = {
    Kind.INTEGER: Codec("is not an integer in range"),
    Kind.BOOLEAN: Codec("is neither true nor false"),
    Kind.FLOAT: Codec("is not a binary floating-point number", render="({x})::float8"),
    Kind.DECIMAL: Codec("is not a decimal of so many digits"),
    Kind.TEXT: _TEXT,
    Kind.ENUM: _TEXT,
    Kind.JSON: Codec("is not text in UTF-8", parse=pa.string()),
    Kind.BINARY: Codec("is not bytes", parse=pa.string(), decode=_bytes_of_hex, encode=_hex),
    Kind.UUID: Codec("is not a UUID", parse=pa.string(), decode=uuid_bytes, encode=uuid_text),
    Kind.DATE: Codec("is not a date in the years 0001 to 9999"),
    Kind.TIME: Codec("is not a time of day before 24:00"),
    Kind.TIMESTAMP: Codec("is not a time without zone in the years 0001 to 9999"),
    Kind.INSTANT: Codec("is not a time with zone in the years 0001 to 9999"),
    Kind.INTERVAL: Codec(
        "is not days and a time of day",
        parse=pa.string(),
        decode=intervals.read,
        encode=intervals.write,
    ),
}
"""A kind is a row; one that is not here travels as the server's own text."""


def _moment(zone: str) -> Codec:
    era = "CASE WHEN extract(year FROM {x}) < 0 THEN ' BC' ELSE '' END"
    finite = f"to_char({{x}}, 'YYYY-MM-DD HH24:MI:SS.US') || '{zone}' || {era}"
    return Codec(
        "is not text",
        f"CASE WHEN isfinite({{x}}) THEN {finite} ELSE ({{x}})::text END",
        pa.string(),
    )


_AS_TEXT: dict[Kind, Codec] = {
    Kind.TIME: Codec("is not text", "to_char({x}, 'HH24:MI:SS.US')", pa.string()),
    Kind.TIMESTAMP: _moment(""),
    Kind.INSTANT: _moment("+00:00"),
    Kind.INTERVAL: Codec(
        "is not text",
        parse=pa.string(),
        decode=intervals.to_held,
        encode=intervals.of_held,
    ),
}
"""Of columns with values that Arrow's type does not hold, in the forms of `types.odd`."""


_MONEY_DIGITS = (19, 2)
_MONEY = Codec(
    "is not a decimal of so many digits",
    "CASE WHEN pg_typeof({x}) = 'money'::regtype THEN ({x})::text::money::numeric::text "
    "ELSE ({x})::text END",
)
"""What declares `money` has so many digits. A cast of anything else to numeric could round."""


def _array(declared: ColumnType) -> Codec:
    made = arrays.render(declared)
    return Codec(
        "is not text in UTF-8",
        made,
        pa.string(),
        encode=arrays.encode,
        order=f'({made}) COLLATE "C"',
    )


def codec(declared: ColumnType) -> Codec:
    """Return the codec of a column; of one held as text, and of what no other server has."""
    if declared.as_text:
        return _AS_TEXT.get(declared.kind, _NATIVE)
    if declared.kind is Kind.ARRAY:
        return _array(declared)
    if declared.kind is Kind.DECIMAL and (declared.precision, declared.scale) == _MONEY_DIGITS:
        return _MONEY
    return CODECS.get(declared.kind, _NATIVE)


def parsed_as(declared: ColumnType) -> pa.DataType:
    """Return the type that Arrow's CSV reader is given for a column."""
    if declared.kind is Kind.DECIMAL and pa.types.is_decimal256(declared.arrow):
        return pa.string()  # the reader knows no such decimals; a cast from text does
    return codec(declared).parse or declared.arrow


def decoded(array: pa.Array, declared: ColumnType) -> pa.Array:
    """Return what the reader made of a column as values of its type.

    Raises
    ------
    pa.ArrowInvalid, ValueError
        A cell is not of the type.
    """
    found = codec(declared).decode(array)
    if found.type != declared.arrow:
        found = found.cast(declared.arrow)
    if pa.types.is_decimal(found.type):
        require_digits(found, declared)
    return found


def require_digits(values: pa.Array, declared: ColumnType) -> None:
    """Refuse a number that the reader took although it has too many digits before the point.

    It counts the digits of the text, and not those that the scale adds (pyarrow 17 to 26).
    """
    bounds = pc.min_max(values).as_py()
    limit = Decimal(10) ** (declared.precision - declared.scale)
    if bounds["max"] is not None and not -limit < bounds["min"] <= bounds["max"] < limit:
        raise pa.ArrowInvalid(f"a number of more digits than {declared}")
