"""A Parquet file's footer and page headers, looked at before pyarrow does.

pyarrow ends the whole process (`terminate called`) when it is asked about a column chunk
that a damaged footer does not describe: one flipped bit in 400 was enough. And it believes a
page's header, which no checksum covers: a file of a few bytes that says two gigabytes gets
them. So both are walked here first, with limits.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from migrators.errors import ExtractError
from migrators.extracts.pages import check_pages
from migrators.extracts.thrift import compact

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_FOOTER_BYTES = 256 * 2**20
"""About 300,000 row groups of ten columns, or 20 billion rows."""

MAX_GROUP_ROWS = 2**20
MAX_CHUNK_BYTES = 2**31 - 1
"""Sixteen batches, and the longest Arrow array: what one column of a row group may claim."""
MAX_GROUP_BYTES = 256 * 2**20
"""What all columns of a row group may claim where it has several rows: sixteen times what is
written. A row that is heavier by itself stands in a group of its own."""

_MAGIC = b"PAR1"
_TAIL = 8
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
        types), dictionaries, chunks in other files; sizes beyond the limits;
        pages that are not what the footer says.
    """
    size = file.seek(0, 2)
    file.seek(max(size - _TAIL, 0))
    tail = file.read(_TAIL)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not 0 < length <= min(MAX_FOOTER_BYTES, size - _TAIL - 4):
        raise _damaged(name, "it does not end as a Parquet file")
    file.seek(size - _TAIL - length)
    try:
        read, _ = compact(file.read(length))
        _check(name, read, size - _TAIL - length)
        for chunk in (c[_CHUNK] for group in read[_GROUPS] for c in group[_CHUNKS]):
            check_pages(
                file, name, chunk[_DATA_AT], chunk[_PACKED], chunk[_UNPACKED], chunk[_VALUES]
            )
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
        claimed = sum(chunk[_CHUNK][_UNPACKED] for chunk in group[_CHUNKS])
        if group[_GROUP_ROWS] > 1 and claimed > MAX_GROUP_BYTES:
            raise ExtractError(f"{name}: row group {i} claims {claimed} bytes in several rows")
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
