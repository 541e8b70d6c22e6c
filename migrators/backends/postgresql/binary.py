"""Rows in COPY's binary form, made of Arrow's buffers: no Python object a cell.

A row is the number of its columns and, for each, how many bytes follow and those bytes, in
network order; -1 stands for NULL (PostgreSQL's manual, COPY, "Binary Format"). What columns of
fixed width are made of stands side by side in one array of records, and Arrow joins those with
the texts between them. Two million rows of ten columns take the client 0.7 s of processor,
ADBC 1.9 and CSV 4.7; and the server may freeze the rows as they come.

Which types go this way is what the generated grid proves: each has a row in `_FORMS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.postgresql.feed import Form
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrators.backends.postgresql.feed import Taken
    from migrators.schema import Column

    Part = tuple[str, Any]  # numpy's name of a type, and values: one for all rows or one for each
    Maker = Callable[[pa.Array], "_Cells"]

BEGINS = b"PGCOPY\n\xff\r\n\0" + bytes(8)
ENDS = b"\xff\xff"
_NULL = -1
_EMPTY = pa.scalar(b"", pa.large_binary())
_LENGTH = ">i4"
_EPOCH_DAYS = 10_957
"""From 1970 to 2000, where PostgreSQL counts from."""
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000
_DIGITS = 4
_BASE = 10**_DIGITS
"""numeric's digits count to 10,000 each."""
_NEGATIVE = 0x4000
_WORD_BITS, _WORD_DIGITS = 64, 18
_LIMB_BITS = 32


@dataclass(frozen=True)
class _Cells:
    """A column's cells.

    Attributes
    ----------
    length : int or array of int
        Bytes of each.
    parts : sequence of part
        Numbers of fixed width that it is made of.
    text : pa.Array or None
        What comes after them.
    """

    length: Any
    parts: Sequence[Part] = ()
    text: pa.Array | None = None


def form(columns: Sequence[Column], taken: Taken) -> Form | None:
    """Return how rows are written, or None where a column's type has no binary form here."""
    makers = [_maker(column, taken) for column in columns]
    found = [maker for maker in makers if maker is not None]
    if len(found) < len(makers):
        return None
    return Form("binary", lambda batch: _rows(batch, found), BEGINS, ENDS)


def _rows(batch: pa.RecordBatch, makers: list[Maker]) -> pa.Buffer:
    """Return a batch's rows, one after the other."""
    count = len(batch)
    if not count:
        return pa.py_buffer(b"")
    made: list[pa.Array] = []
    waiting: list[Part] = [(">i2", batch.num_columns)]
    for values, maker in zip(batch.columns, makers, strict=True):
        cells = maker(values)
        if values.null_count:
            known = values.is_valid().to_numpy(zero_copy_only=False)
            waiting.append((_LENGTH, np.where(known, cells.length, _NULL)))
            if cells.parts:
                made += [_records(waiting, count), _some(cells.parts, known)]
                waiting = []
        else:
            waiting += [(_LENGTH, cells.length), *cells.parts]
        if cells.text is not None:
            made += [_records(waiting, count)] if waiting else []
            made.append(cells.text)
            waiting = []
    if waiting:
        made.append(_records(waiting, count))
    joined = pc.binary_join_element_wise(*made, _EMPTY, null_handling="replace")
    ends = np.frombuffer(joined.buffers()[1], "<i8", count + 1, joined.offset * 8)
    return joined.buffers()[2].slice(int(ends[0]), int(ends[-1] - ends[0]))


def _records(parts: Sequence[Part], count: int) -> pa.Array:
    """Return the parts of each row side by side, as one binary value a row."""
    made = _side_by_side(parts, count)
    return _binary(made, np.arange(0, made.nbytes + 1, made.itemsize, dtype="<i8"))


def _some(parts: Sequence[Part], known: Any) -> pa.Array:
    """Return the same of the rows that have a value; nothing of the others."""
    made = _side_by_side(parts, len(known))
    ends = np.zeros(len(known) + 1, "<i8")
    np.cumsum(known * made.itemsize, out=ends[1:])
    return _binary(made[known], ends)


def _side_by_side(parts: Sequence[Part], count: int) -> Any:
    made = np.empty(count, np.dtype([(str(at), kind) for at, (kind, _) in enumerate(parts)]))
    for at, (_, values) in enumerate(parts):
        made[str(at)] = values
    return made


def _binary(made: Any, ends: Any) -> pa.Array:
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(made)]
    return pa.Array.from_buffers(pa.large_binary(), len(ends) - 1, buffers)


# columns ---------------------------------------------------------------------------------


def _maker(column: Column, taken: Taken) -> Maker | None:
    kind, declared = column.type.kind, taken.types.get(column.name, "")
    if column.type.as_text or pa.types.is_uint64(column.type.arrow):
        return None
    if column.name in taken.enums:
        return _text if kind is Kind.ENUM else None
    forms = _FORMS.get(kind, ())
    return next((make for pattern, make in forms if re.fullmatch(pattern, declared)), None)


def _numbers(values: pa.Array, kind: str, words: int = 1) -> Any:
    """Return a view of values of fixed width; what stands under NULL is anything."""
    at = values.offset * np.dtype(kind).itemsize * words
    return np.frombuffer(values.buffers()[1], kind, len(values) * words, at)


def _fixed(kind: str, made: Callable[[pa.Array], Any]) -> Maker:
    width = np.dtype(kind).itemsize
    return lambda values: _Cells(width, [(kind, made(values))])


def _plain(kind: str, held: str, earlier: int = 0) -> Maker:
    """Return what writes numbers that Arrow holds as another type, and counts from earlier."""
    return _fixed(kind, lambda values: _numbers(values, held) - np.dtype(held).type(earlier))


def _flags(values: pa.Array) -> Any:
    return _numbers(values.cast(pa.uint8()), "u1")


def _floats(values: pa.Array) -> Any:
    known = values.fill_null(0) if values.null_count else values  # anything overflows a real
    return _numbers(known, "<f8")


def _text(values: pa.Array) -> _Cells:
    return _Cells(_lengths(values), text=values.cast(pa.large_binary()))


def _jsonb(values: pa.Array) -> _Cells:
    """The first byte is the form's version: 1."""
    return _Cells(_lengths(values) + 1, [("u1", 1)], values.cast(pa.large_binary()))


def _lengths(values: pa.Array) -> Any:
    ends = np.frombuffer(values.buffers()[1], "<i4", len(values) + 1, values.offset * 4)
    return np.diff(ends)


def _numeric(values: pa.Array) -> _Cells:
    """Digits to the base 10,000, as many for each row: the server takes zeros away.

    Its weight is that of the first one; the sign and how many decimals are shown come before.
    """
    scale = values.type.scale
    before = -(-(values.type.precision - scale) // _DIGITS) if scale < values.type.precision else 0
    known = values.fill_null(0) if values.null_count else values
    digits = _digits(pc.abs(known), before, scale)
    words = values.type.bit_width // _WORD_BITS
    negative = _numbers(known, "<i8", words)[words - 1 :: words] < 0
    return _Cells(
        8 + 2 * len(digits),
        [
            (">i2", len(digits)),
            (">i2", before - 1),
            (">u2", np.where(negative, _NEGATIVE, 0)),
            (">i2", scale),
            *((">i2", digit) for digit in digits),
        ],
    )


def _digits(values: pa.Array, before: int, scale: int) -> list[Any]:
    """Return digits of unscaled numbers, first the highest; those after the point are aligned."""
    number = _Limbs.of(values)
    found = []
    if short := scale % _DIGITS:
        found.append(number.take(10**short) * 10 ** (_DIGITS - short))
    found += [number.take(_BASE) for _ in range(scale // _DIGITS + before)]
    if number.more():
        raise pa.ArrowInvalid(f"a number of more digits than {values.type}")
    return found[::-1]


@dataclass
class _Limbs:
    """Numbers that are not negative, in words of which the first is the lowest."""

    words: list[Any]

    @classmethod
    def of(cls, values: pa.Array) -> _Limbs:
        """Take a decimal array's numbers apart: one word where they are short, else of 32 bits."""
        if values.type.precision <= _WORD_DIGITS:
            words = values.type.bit_width // _WORD_BITS
            return cls([_numbers(values, "<u8", words)[::words]])
        words = values.type.bit_width // _LIMB_BITS
        table = _numbers(values, "<u4", words).reshape(-1, words)
        return cls([table[:, at].astype("u8") for at in range(words)])

    def take(self, base: int) -> Any:
        """Divide by a base; return what remained."""
        rest: Any = np.uint64(0)
        for at in reversed(range(len(self.words))):
            whole = (rest << np.uint64(_LIMB_BITS)) | self.words[at]
            self.words[at], rest = np.divmod(whole, np.uint64(base))
        return rest

    def more(self) -> bool:
        """Whether anything is left."""
        return any(bool(word.any()) for word in self.words)


_MOMENT = _plain(">i8", "<i8", _EPOCH_MICROSECONDS)
_FORMS: dict[Kind, tuple[tuple[str, Maker], ...]] = {
    Kind.INTEGER: (
        ("smallint", _plain(">i2", "<i8")),
        ("integer", _plain(">i4", "<i8")),
        ("bigint", _plain(">i8", "<i8")),
    ),
    Kind.BOOLEAN: (("boolean", _fixed("u1", _flags)),),
    Kind.FLOAT: (
        ("double precision", _fixed(">f8", _floats)),
        ("real", _fixed(">f4", _floats)),
    ),
    Kind.DECIMAL: ((r"numeric\(\d+,\d+\)", _numeric),),
    Kind.TEXT: ((r"text|character varying(\(\d+\))?|character\(\d+\)", _text),),
    Kind.JSON: (("json", _text), ("jsonb", _jsonb)),
    Kind.BINARY: (("bytea", _text),),
    Kind.UUID: (("uuid", _fixed("V16", lambda values: _numbers(values, "V16"))),),
    Kind.DATE: (("date", _plain(">i4", "<i4", _EPOCH_DAYS)),),
    Kind.TIME: ((r"time(\(\d\))? without time zone", _plain(">i8", "<i8")),),
    Kind.TIMESTAMP: ((r"timestamp(\(\d\))? without time zone", _MOMENT),),
    Kind.INSTANT: ((r"timestamp(\(\d\))? with time zone", _MOMENT),),
}
"""Kind → patterns of the server's types, and what makes their cells. `feed` has looked at the
values: they fit."""
