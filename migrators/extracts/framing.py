r"""Bytes of a CSV file → records and fields, strictly (RFC 4180), a block at a time.

pyarrow's reader accepts cut lines, unterminated quotes and text after a closing quote, and
drops blank lines; Python's knows no NULL and takes thirty times as long. Here a block is
framed with numpy: a separator counts where an even number of quotes stands before it.

Records end in LF. CR outside quotes is refused: an editor that turned `\n` into `\r\n` at
the ends of lines has done it inside quoted text as well, and nothing tells which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from migrators.errors import ExtractError
from migrators.extracts import unmerged
from migrators.types.hexadecimal import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

    Positions = NDArray[np.int64]

BLOCK_BYTES = 4 * 2**20
"""Bytes framed at once; ten columns make about 40,000 rows of them."""

MAX_RECORD_BYTES = 256 * 2**20
"""The longest record. CSV is for files that people review; Parquet holds what is longer."""
MAX_MARKS = 2**24
"""The most quotes, and the most of what separates, in a record that is longer than a block. Each
takes eight bytes and more while it is framed: 256 MB of commas took fifteen gigabytes."""
_GROWTH_BYTES = 2**24
"""What is read at most before a long record is looked at again."""

LF, CR, QUOTE, COMMA = 10, 13, 34, 44
_SEPARATING = (b"\n", b"\r", b",")
_OUTSIDE = np.isin(np.arange(256), [LF, CR, COMMA])
_AROUND_QUOTES = np.isin(np.arange(256), [LF, COMMA, QUOTE])
_OF_GIT = (b"<<<<<<< ", b"||||||| ", b"=======\n", b">>>>>>> ")
"""What git begins lines with where it could not merge two branches."""
_BEGINS_OF_GIT = np.isin(np.arange(256), [mark[0] for mark in _OF_GIT])


@dataclass(frozen=True)
class Block:
    """Some whole records.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    first_line : int
        Line of the first record, 1-based.
    data : array of uint8
        The bytes, up to and with the last LF.
    ends : array of int
        Where each field ends: the position of its comma or LF.
    quotes : array of int
        Positions of all quotes.
    """

    name: str
    first_line: int
    data: NDArray[np.uint8]
    ends: Positions
    quotes: Positions

    @cached_property
    def starts(self) -> Positions:
        """Where each field starts."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1] + 1])

    @cached_property
    def last_in_record(self) -> Positions:
        """Indices of the fields that end a record."""
        return np.flatnonzero(self.data[self.ends] == LF)

    @cached_property
    def empty(self) -> NDArray[np.bool_]:
        """Fields with nothing at all between the separators: NULL."""
        return np.equal(self.starts, self.ends)

    @property
    def lines(self) -> int:
        """Lines in the block, those in quoted text included."""
        return int(np.count_nonzero(self.data == LF))

    def line(self, field: int) -> int:
        """Return the line on which a field starts."""
        return self.first_line + _lines_before(self.data, int(self.starts[field]))

    def lines_of(self, fields: Positions) -> Positions:
        """Return the lines on which fields start."""
        ends = np.flatnonzero(self.data == LF)
        return self.first_line + np.searchsorted(ends, self.starts[fields])

    def check_merged(self) -> None:
        """Refuse a line of git's where a record begins; a text in quotes may begin like one."""
        begins = self.starts[np.concatenate([[0], self.last_in_record[:-1] + 1])]
        like = _BEGINS_OF_GIT[self.data[begins]]
        like &= self.data[np.minimum(begins + 6, len(self.data) - 1)] == self.data[begins]
        for begin in begins[like]:
            if self.data[begin : begin + 8].tobytes() in _OF_GIT:
                line = self.first_line + _lines_before(self.data, int(begin))
                raise _unmerged(self.name, line)

    def check_width(self, width: int) -> None:
        """Refuse a record that has not exactly `width` fields."""
        found = np.diff(self.last_in_record, prepend=-1)
        wrong = np.flatnonzero(found != width)
        if not wrong.size:
            return
        record = int(wrong[0])
        first = record * width
        if found[record] == 1 and self.empty[first]:
            raise refused(self.name, self.line(first), "is blank", "delete the line")
        has = f"has {found[record]} fields, not {width}"
        raise refused(self.name, self.line(first), has, "quote text that has a comma in it")

    def texts(self) -> pa.Array:
        """Return every field's text, unquoted, in order; empty where it is NULL."""
        openings, closings = self.quotes[0::2], self.quotes[1::2]
        doubled = openings[1:][openings[1:] == closings[:-1] + 1]
        keep = np.ones(len(self.data), np.bool_)
        keep[self.ends] = False
        keep[self.quotes] = False
        keep[doubled] = True
        dropped = np.searchsorted(self.quotes, self.ends) - np.searchsorted(doubled, self.ends)
        ends = self.ends - np.arange(len(self.ends)) - dropped
        offsets = np.concatenate([np.zeros(1, np.int64), ends])
        texts = build(pa.string(), offsets, self.data[keep], None)
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid as error:
            raise self._not_utf8(texts) from error
        return texts

    def _not_utf8(self, texts: pa.Array) -> ExtractError:
        for field, raw in enumerate(texts.view(pa.binary()).to_pylist()):
            try:
                raw.decode()
            except UnicodeDecodeError:
                return refused(self.name, self.line(field), *_NOT_UTF8, raw[:20].hex())
        return refused(self.name, self.first_line, *_NOT_UTF8)


_NOT_UTF8 = ("is not UTF-8", "save the file as UTF-8")


def refused(name: str, line: int, what: str, hint: str, value: str = "") -> ExtractError:
    """Return the error for a line of a file; the value is in no message."""
    return ExtractError(f"{name}:{line} {what}", hint=hint, value=value)


def _unmerged(name: str, line: int) -> ExtractError:
    hint = f"keep the rows of one side, or of both; {unmerged.DELETE}"
    return refused(name, line, f"is a line of git's: {unmerged.WHY}", hint)


def _lines_before(data: NDArray[np.uint8], position: int) -> int:
    return int(np.count_nonzero(data[:position] == LF))


def blocks(file: BinaryIO, name: str) -> Iterator[Block]:
    """Cut an open file into blocks of whole records.

    Raises
    ------
    ExtractError
        With file and line, for anything that is not exactly framed, and for a file that
        does not end in a line end: it was cut.
    """
    held, line, wanted = b"", 1, BLOCK_BYTES
    while more := file.read(wanted):
        held += more
        ends = b"\n" in more or b"\r" in more  # else no record does, and nothing is framed
        block = _framed(name, held, line) if ends else None
        if block is None:
            _check_record(name, held, line)
            # doubled, so that a long record is not framed too often
            wanted = min(len(held), _GROWTH_BYTES)
            continue
        yield block
        line += block.lines
        held = held[len(block.data) :]
        wanted = BLOCK_BYTES
    if held:
        _check_merged(name, held, line)
        raise _cut(name, held, line)


def _framed(name: str, held: bytes, line: int) -> Block | None:
    """Return the whole records there are; git's lines in broken quotes are why they are broken."""
    try:
        block = _whole_records(name, held, line)
    except ExtractError:
        _check_merged(name, held, line)
        raise
    if block is not None:
        block.check_merged()
    return block


def _check_merged(name: str, held: bytes, line: int) -> None:
    if found := unmerged.BEGINS.search(held):
        raise _unmerged(name, line + held.count(b"\n", 0, found.start()))


def _check_record(name: str, held: bytes, line: int) -> None:
    """Refuse a record that goes on for longer, or has more fields or quotes, than any may."""
    what = ""
    if len(held) > MAX_RECORD_BYTES:
        what = f"{MAX_RECORD_BYTES} bytes"
    elif held.count(b'"') > MAX_MARKS or sum(map(held.count, _SEPARATING)) > MAX_MARKS:
        what = f"{MAX_MARKS} quotes, or commas and line ends,"
    if what:
        raise refused(name, line, f"has more than {what} in one record", "extract as Parquet")


def _whole_records(name: str, held: bytes, line: int) -> Block | None:
    data = np.frombuffer(held, np.uint8)
    quotes = np.flatnonzero(data == QUOTE)
    _check_quotes(name, data, quotes, line)
    separators = np.flatnonzero(_OUTSIDE[data])
    separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    kinds = data[separators]
    returns = separators[kinds == CR]
    if returns.size:
        raise _returned(name, line + _lines_before(data, int(returns[0])))
    records = np.flatnonzero(kinds == LF)
    if not records.size:
        return None
    ends = separators[: int(records[-1]) + 1]
    size = int(ends[-1]) + 1
    return Block(name, line, data[:size], ends, quotes[: np.searchsorted(quotes, size)])


def _check_quotes(name: str, data: NDArray[np.uint8], quotes: Positions, line: int) -> None:
    openings, closings = quotes[0::2], quotes[1::2]
    before = data[np.maximum(openings - 1, 0)]
    stray = openings[~_AROUND_QUOTES[before] & (openings > 0)]
    known = closings[closings + 1 < len(data)]
    after = known[~_AROUND_QUOTES[data[known + 1]]]
    if stray.size and (not after.size or stray[0] < after[0]):
        at = line + _lines_before(data, int(stray[0]))
        hint = 'put the whole field in quotes and write each quote in it twice: "5"" pipe"'
        raise refused(name, at, "has a quote inside an unquoted field", hint)
    if after.size and data[after[0] + 1] == CR:
        raise _returned(name, line + _lines_before(data, int(after[0])))
    if after.size:
        at = line + _lines_before(data, int(after[0]))
        hint = 'a field ends at its closing quote; a quote in text is written twice: "5"" pipe"'
        raise refused(name, at, "has text after a closing quote", hint)


def _returned(name: str, line: int) -> ExtractError:
    hint = "save the file with LF line ends; quote text that has a CR in it"
    return refused(name, line, "has a CR outside quotes", hint)


def _cut(name: str, held: bytes, line: int) -> ExtractError:
    data = np.frombuffer(held, np.uint8)
    quotes = np.flatnonzero(data == QUOTE)
    if len(quotes) % 2:
        at = line + _lines_before(data, int(quotes[-1]))
        return refused(name, at, "opens a quote that nothing closes", "the file was cut there")
    at = line + _lines_before(data, len(data))
    return refused(name, at, "does not end in a line end", "the file was cut, or add a line end")
