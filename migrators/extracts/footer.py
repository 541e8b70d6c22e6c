"""A Parquet file's footer, looked at before pyarrow does.

pyarrow ends the whole process (`terminate called`) when it is asked about a column chunk
that a damaged footer does not describe: one flipped bit in 400 was enough. So the footer is
walked here first: Thrift's compact protocol (thrift-compact-protocol.md of the Apache
Thrift specification; field numbers from parquet.thrift), to plain dicts, with limits.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from migrators.errors import ExtractError

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_FOOTER_BYTES = 256 * 2**20
"""About 300,000 row groups of ten columns, or 20 billion rows."""

MAX_GROUP_ROWS = 2**20
MAX_CHUNK_BYTES = 2**31 - 1
"""Sixteen batches, and the longest Arrow array: what one column of a row group may claim."""

_MAGIC = b"PAR1"
_TAIL = 8
_DEEPEST = 12
_GAP = 4_096
"""Bytes between two chunks at most: pyarrow before 18 repeats a chunk's facts behind it."""

# Numbers of the fields of FileMetaData, SchemaElement, RowGroup, ColumnChunk and
# ColumnMetaData.
_SCHEMA, _ROWS, _GROUPS, _METADATA = 2, 3, 4, 5
_REPEATED, _OPTIONAL = 3, 1
_CHUNKS, _GROUP_ROWS = 1, 3
_ELSEWHERE, _CHUNK = 1, 3
_VALUES, _UNPACKED, _PACKED, _DATA_AT, _DICTIONARY_AT = 5, 6, 7, 9, 11


def check_footer(file: BinaryIO, name: str) -> None:
    """Refuse a footer that is damaged or claims what no extract has; rewinds the file.

    Raises
    ------
    ExtractError
        For broken framing; counts that disagree; key-value metadata (it may name extension
        types), dictionaries, chunks in other files; sizes beyond the limits.
    """
    size = file.seek(0, 2)
    file.seek(max(size - _TAIL, 0))
    tail = file.read(_TAIL)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not 0 < length <= min(MAX_FOOTER_BYTES, size - _TAIL - 4):
        raise _damaged(name, "it does not end as a Parquet file")
    file.seek(size - _TAIL - length)
    try:
        read = _Compact(file.read(length)).struct(0)
        _check(name, read, size - _TAIL - length)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise _damaged(name, "its footer cannot be read") from error
    file.seek(0)


def _damaged(name: str, what: str) -> ExtractError:
    return ExtractError(f"{name}: damaged: {what}", hint="make the extract again")


def _check(name: str, footer: dict[int, Any], end: int) -> None:
    if footer.get(_METADATA):
        raise ExtractError(f"{name} carries metadata that no extract has")
    groups = footer[_GROUPS]
    declared = footer[_SCHEMA][1:]  # flat: a root and its columns
    if any(element[_REPEATED] != _OPTIONAL for element in declared):
        raise _damaged(name, "a column is not optional, as all are written")
    at = len(_MAGIC)
    if footer[_ROWS] != sum(group[_GROUP_ROWS] for group in groups):
        raise _damaged(name, "its counts of rows disagree")
    for i, group in enumerate(groups):
        if not 0 < group[_GROUP_ROWS] <= MAX_GROUP_ROWS:
            raise ExtractError(f"{name}: row group {i} claims {group[_GROUP_ROWS]} rows")
        if len(group[_CHUNKS]) != len(declared):
            raise _damaged(name, f"row group {i} has {len(group[_CHUNKS])} columns")
        for chunk in group[_CHUNKS]:
            at = _check_chunk(f"{name}: row group {i}", chunk, group[_GROUP_ROWS], at)
    if not 0 <= end - at <= _GAP:
        raise _damaged(name, "its pages do not end where the footer begins")


def _check_chunk(where: str, chunk: dict[int, Any], rows: int, at: int) -> int:
    """Return where the next chunk must start: little lies between them."""
    facts = chunk[_CHUNK]
    if _ELSEWHERE in chunk:
        raise ExtractError(f"{where} refers to another file")
    if _DICTIONARY_AT in facts:
        raise ExtractError(f"{where} has a dictionary, which no extract has")
    if not 0 <= facts[_UNPACKED] <= MAX_CHUNK_BYTES:
        raise ExtractError(f"{where} claims {facts[_UNPACKED]} bytes in a column")
    gap = facts[_DATA_AT] - at
    if not 0 <= gap <= _GAP or facts[_PACKED] <= 0 or facts[_VALUES] != rows:
        raise _damaged(where, "its pages are not where it says")
    return int(facts[_DATA_AT] + facts[_PACKED])


class _Compact:
    """Thrift's compact protocol: structs to dicts by field number. Unknown types raise."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, depth: int) -> dict[int, Any]:
        """Read a struct; `depth` bounds the nesting."""
        if depth > _DEEPEST:
            raise ValueError(depth)
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step = head >> 4
            number = number + step if step else self._zigzag()
            found[number] = self._value(head & 15, depth, in_struct=True)
        return found

    def _value(self, kind: int, depth: int, *, in_struct: bool) -> Any:
        if kind in (1, 2):  # in a struct the type is the value
            return kind == 1 if in_struct else self._byte() == 1
        if kind == 3:  # noqa: PLR2004  a byte
            return self._byte()
        if kind == 4:  # noqa: PLR2004  an i16: none of what is looked at; a reader skips it there
            return ("i16", self._zigzag())
        if kind in (5, 6):
            return self._zigzag()
        if kind == 7:  # noqa: PLR2004  a double
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == 8:  # noqa: PLR2004  binary
            return self._bytes(self._varint())
        if kind in (9, 10):
            return self._list(depth + 1)
        if kind == 12:  # noqa: PLR2004
            return self.struct(depth + 1)
        raise ValueError(kind)

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4
        if count == 15:  # noqa: PLR2004
            count = self._varint()
        if count > len(self._data):
            raise ValueError(count)
        return [self._value(head & 15, depth, in_struct=False) for _ in range(count)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        self._at += count
        if self._at > len(self._data):
            raise ValueError(count)
        return self._data[self._at - count : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
