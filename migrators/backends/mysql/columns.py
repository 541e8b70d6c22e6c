"""Blocks of rows → columns of text, all cells of a column at once.

A cell is a length and its bytes (dev.mysql.com, Protocol::LengthEncodedString); NULL is 0xFB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.mysql.wire import Block

    Bytes = np.ndarray[Any, np.dtype[np.uint8]]
    Integers = np.ndarray[Any, np.dtype[np.int64]]

_NULL = 251
_WIDTHS = ((252, 2), (253, 3), (254, 8))
_NARROW = 64
"""Bytes: cells up to here are cut out as a matrix, longer ones one by one."""
_MOST = 2**31 - 1


def columns(block: Block, count: int) -> Iterator[pa.BinaryArray]:
    """Yield each column of a block as its bytes; NULL where the cell is.

    Raises
    ------
    pa.ArrowInvalid
        If the rows have another number of cells.
    """
    padded = np.concatenate([block.data, np.zeros(_NARROW, np.uint8)])
    at = block.starts
    for _ in range(count):
        start, lengths, null = _cells(padded, at)
        at = start + lengths
        yield _array(padded, start, lengths, null)
    if not np.array_equal(at, block.ends):
        raise pa.ArrowInvalid(f"rows of another number of cells than {count}")


def _cells(data: Bytes, at: Integers) -> tuple[Integers, Integers, Any]:
    """Return where cells begin, how long they are, and which are NULL."""
    first = data[at]
    lengths = first.astype(np.int64)
    start = at + 1
    if first.size == 0 or first.max() < _NULL:
        return start, lengths, None
    null = first == _NULL
    lengths[null] = 0
    for mark, width in _WIDTHS:
        (rows,) = np.nonzero(first == mark)
        if rows.size:
            lengths[rows] = _little_endian(data, start[rows], width)
            start[rows] += width
    return start, lengths, null if null.any() else None


def _little_endian(data: Bytes, at: Integers, width: int) -> Integers:
    found = np.zeros(len(at), np.int64)
    for byte in range(width):
        found |= data[at + byte].astype(np.int64) << (8 * byte)
    return found


def _array(data: Bytes, start: Integers, lengths: Integers, null: Any) -> pa.BinaryArray:
    total = int(lengths.sum())
    if total > _MOST:
        raise pa.ArrowCapacityError(f"{total} bytes in one cell")
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    valid = None
    if null is not None:
        valid = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes())
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(_gathered(data, start, lengths, total))]
    return pa.Array.from_buffers(pa.binary(), len(lengths), buffers)


def _gathered(data: Bytes, start: Integers, lengths: Integers, total: int) -> Any:
    """Return the cells' bytes one after the other."""
    if not total:
        return b""
    longest = int(lengths.max())
    if longest <= _NARROW:
        matrix = np.lib.stride_tricks.sliding_window_view(data, longest)[start]
        if longest * len(start) == total:
            return matrix.ravel()
        return matrix[np.arange(longest) < lengths[:, None]]
    whole = data.tobytes()
    ends = start + lengths
    return b"".join([whole[a:b] for a, b in zip(start.tolist(), ends.tolist(), strict=True)])
