"""Every kind of value as a cell: how the server's text is read, and how a column is written.

One row of `CODECS` per kind. Text comes as the server renders it in its text protocol, which
is exact for all types but FLOAT (`read_sql` mends that). What Arrow's own parser takes is
taken from columns of the types it was proven for; anything else goes through the strict
reader of `types.text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE

from migrators.backends.mysql import written
from migrators.types import Kind, odd, text
from migrators.types.hexadecimal import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.backends.mysql.written import Encoded, Target
    from migrators.types import ColumnType

_INTEGERS = frozenset(
    {
        FIELD_TYPE.TINY,
        FIELD_TYPE.SHORT,
        FIELD_TYPE.LONG,
        FIELD_TYPE.LONGLONG,
        FIELD_TYPE.INT24,
        FIELD_TYPE.YEAR,
    }
)
_DECIMALS = frozenset({FIELD_TYPE.NEWDECIMAL})
_FLOATS = frozenset({FIELD_TYPE.DOUBLE})
_DAYS = frozenset({FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE})
_MOMENTS = frozenset({FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP})
_CLOCKS = frozenset({FIELD_TYPE.TIME})
_HEX_DIGITS, _DASHED, _RAW = 32, 36, 16

Read = tuple[pa.Array, pa.Array | None]
"""Values of the declared type, and where the stored value is none (None: nowhere)."""


@dataclass(frozen=True)
class Codec:
    """How one kind of value is read and written.

    Attributes
    ----------
    read : callable
        (bytes of the column, declared type, the server's field type) → `Read`.
    write : callable
        (Arrow array, declared type, the column as the server has it) → `Encoded`.
    sql : str
        What the server renders in place of the column `{0}`.
    """

    read: Callable[[pa.BinaryArray, ColumnType, int], Read]
    write: Callable[[pa.Array, ColumnType, Target], Encoded]
    sql: str = "{0}"


def _fast(trusted: frozenset[int], cast: Callable[[pa.Array, pa.DataType], pa.Array]) -> Any:
    """Return a reader that lets Arrow parse columns of the field types it is proven for."""

    def read(cells: pa.BinaryArray, declared: ColumnType, field: int) -> Read:
        texts = cells.cast(pa.string())
        if field in trusted:
            try:
                values = cast(texts, declared.arrow)
            except pa.ArrowInvalid:
                return _strict(texts, declared)
            if not _is_dated(declared) or not pc.any(text.outside_years(values)).as_py():
                return values, None
        return _strict(texts, declared)

    return read


def _is_dated(declared: ColumnType) -> bool:
    return declared.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)


def _strict(texts: pa.Array, declared: ColumnType) -> Read:
    values, bad = text.from_text(texts, declared)
    return values, bad if bad.true_count else None


def _plain(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    return array.cast(arrow)


def _clock(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    return (
        pc.binary_join_element_wise("1970-01-01", array, " ").cast(pa.timestamp("us")).cast(arrow)
    )


def _moment(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    return array.cast(pa.timestamp("us")).cast(arrow)


def _utc(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    return array.cast(pa.timestamp("us")).cast(pa.int64()).cast(arrow)


def _boolean(cells: pa.BinaryArray, _declared: ColumnType, _field: int) -> Read:
    texts = cells.cast(pa.string())
    values = pc.if_else(
        pc.is_in(texts, pa.array(["0", "1"])), texts, pa.nulls(len(texts), pa.string())
    )
    bad = pc.and_(texts.is_valid(), values.is_null())
    return pc.equal(values, "1"), bad if bad.true_count else None


def _text(cells: pa.BinaryArray, _declared: ColumnType, _field: int) -> Read:
    return cells.cast(pa.string()), None  # checks that it is UTF-8


def _binary(cells: pa.BinaryArray, _declared: ColumnType, _field: int) -> Read:
    return cells, None


def _uuid(cells: pa.BinaryArray, declared: ColumnType, _field: int) -> Read:
    lengths = pc.unique(pc.binary_length(cells.drop_null())).to_pylist()
    if lengths == [_RAW]:
        return cells.cast(declared.arrow), None
    texts = cells.cast(pa.string())
    if lengths == [_HEX_DIGITS]:
        found = bytes_of(texts)
        if found.null_count == texts.null_count:
            return found.cast(declared.arrow), None
    return _strict(texts, declared)


def _interval(cells: pa.BinaryArray, declared: ColumnType, field: int) -> Read:
    texts = cells.cast(pa.string())
    if field in _MOMENTS:  # counted from 1970, as SQLAlchemy's Interval is
        try:
            return texts.cast(pa.timestamp("us")).cast(pa.int64()).cast(declared.arrow), None
        except pa.ArrowInvalid:
            pass
    return _strict(texts, declared)


def _bits(cells: pa.BinaryArray, declared: ColumnType, field: int) -> Read:
    """Read digits; a BIT comes as bytes, the highest first, and any other column as text."""
    if field != FIELD_TYPE.BIT:
        return _strict(cells.cast(pa.string()), declared)
    distinct = cells.drop_null().unique()
    digits = f"0{declared.length or 1}b"
    found = [format(int.from_bytes(cell, "big"), digits) for cell in distinct.to_pylist()]
    return pa.array(found, pa.string()).take(pc.index_in(cells, value_set=distinct)), None


def _held(cells: pa.BinaryArray, declared: ColumnType, _field: int) -> Read:
    return odd.normal(cells.cast(pa.string()), declared), None


_TEXTUAL = Codec(_text, written.text_cells)
_HELD = Codec(_held, written.held)
"""A column held as text: zero dates, times beyond a day."""

CODECS: dict[Kind, Codec] = {
    Kind.INTEGER: Codec(_fast(_INTEGERS, _plain), written.plain),
    Kind.BOOLEAN: Codec(_boolean, written.booleans),
    Kind.FLOAT: Codec(_fast(_FLOATS, _plain), written.floats, "{0} * 1e0"),
    Kind.DECIMAL: Codec(_fast(_DECIMALS, _plain), written.decimals),
    Kind.TEXT: _TEXTUAL,
    Kind.ENUM: _TEXTUAL,
    Kind.SET: _TEXTUAL,
    Kind.JSON: _TEXTUAL,
    Kind.ARRAY: _TEXTUAL,
    Kind.NATIVE: _TEXTUAL,
    Kind.BITS: Codec(_bits, written.bits),
    Kind.BINARY: Codec(_binary, written.binary),
    Kind.UUID: Codec(_uuid, written.uuids),
    Kind.DATE: Codec(_fast(_DAYS, _plain), written.dates),
    Kind.TIME: Codec(_fast(_CLOCKS, _clock), written.clocks),
    Kind.TIMESTAMP: Codec(_fast(_MOMENTS, _moment), written.moments),
    Kind.INSTANT: Codec(_fast(_MOMENTS, _utc), written.moments),
    Kind.INTERVAL: Codec(_interval, written.intervals),
}
"""`* 1e0` turns FLOAT into DOUBLE, all digits of it; plain, the server rounds FLOAT to six."""

HELD = frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT, Kind.DECIMAL})
"""Kinds of which a column may be held as text, and is written from it."""


def codec_of(declared: ColumnType) -> Codec:
    """Return how values of a type are read and written."""
    return _HELD if declared.as_text and declared.kind in HELD else CODECS[declared.kind]


def read_sql(declared: ColumnType, column: str) -> str:
    """Return what the server is to render of a column."""
    return codec_of(declared).sql.format(column)
