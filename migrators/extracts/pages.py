"""The headers of a Parquet column's pages, held against what the footer claims of the column.

A page's checksum is of its values only. A header that says more bytes, or more values, than
the footer does would be given the memory; one whose checksum is gone would not be checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.errors import ExtractError
from migrators.extracts.thrift import compact

if TYPE_CHECKING:
    from typing import BinaryIO

_HEADER_BYTES = 2**13
"""Those that are written have some thirty; a person's program may put statistics into them."""

# Numbers of the fields of PageHeader and DataPageHeader (parquet.thrift).
_TYPE, _UNPACKED, _PACKED, _CHECKSUM, _DATA = 1, 2, 3, 4, 5
_DATA_PAGE = 0
_VALUES = 1


def check_pages(
    file: BinaryIO, name: str, at: int, packed: int, unpacked: int, values: int
) -> None:
    """Refuse a column of a row group whose pages are not what the footer says of it.

    Parameters
    ----------
    at : int
        Where in the file its first page begins.
    packed, unpacked : int
        Bytes of its pages with their headers, compressed and not, as the footer says.
    values : int
        NULLs included.

    Raises
    ------
    ExtractError
        For another kind of page, one without a checksum, and other sums.
    ValueError, KeyError, IndexError, TypeError, struct.error
        For bytes that are no header.
    """
    end = at + packed
    while at < end:
        file.seek(at)
        header, length = compact(file.read(min(_HEADER_BYTES, end - at)))
        if header[_TYPE] != _DATA_PAGE or _CHECKSUM not in header:
            raise _not_as_written(name, f"the page at byte {at} is not as pages are written")
        at += length + _size(header, _PACKED)
        unpacked -= length + _size(header, _UNPACKED)
        values -= _size(header[_DATA], _VALUES)
    if (at, unpacked, values) != (end, 0, 0):
        raise _not_as_written(name, "its pages are not what its footer says")


def _size(facts: dict[int, Any], number: int) -> int:
    found = facts[number]
    if not isinstance(found, int) or found < 0:
        raise ValueError(found)
    return found


def _not_as_written(name: str, what: str) -> ExtractError:
    return ExtractError(f"{name}: damaged: {what}", hint="make the extract again")
