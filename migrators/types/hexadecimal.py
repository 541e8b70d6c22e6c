"""Bytes and UUIDs ⇄ hexadecimal text, a whole column at a time.

Arrow has no kernel for it; Python's `bytes.hex` over `to_pylist` takes about twenty times
as long. Used by `types.text` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_BYTE = np.arange(256)
_PAIRS = np.stack([_DIGITS[_BYTE >> 4], _DIGITS[_BYTE & 15]], axis=1)
"""The two digits of every byte."""

_NOT_A_DIGIT = 255
_NIBBLES = np.full(256, _NOT_A_DIGIT, np.uint8)
_NIBBLES[_DIGITS] = np.arange(16)
_NIBBLES[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)
"""The value of every hexadecimal digit."""

_UUID_CHARACTERS = 36
_DASHES = (8, 13, 18, 23)
_UUID_DIGITS = np.array([i for i in range(_UUID_CHARACTERS) if i not in _DASHES])
_OFFSET_LIMIT = 2**31 - 1


def parts(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return offsets (from 0, one more than rows) and bytes of a binary or string array.

    What stands under a NULL is empty.
    """
    filled = array.fill_null("" if pa.types.is_string(array.type) else b"")
    _, offsets, data = filled.buffers()
    if not len(filled):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32)[filled.offset : filled.offset + len(filled) + 1]
    held = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return ends.astype(np.int64) - int(ends[0]), held[int(ends[0]) : int(ends[-1])]


def build(
    kind: pa.DataType, offsets: NDArray[np.int64], data: NDArray[np.uint8], nulls: pa.Array | None
) -> pa.Array:
    """Return a binary or string array of these parts; NULL where `nulls` is true.

    Raises
    ------
    pa.ArrowCapacityError
        For more than 2 GiB, the most that one such array holds.
    """
    if int(offsets[-1]) > _OFFSET_LIMIT:
        msg = f"{int(offsets[-1])} bytes in one batch"
        raise pa.ArrowCapacityError(msg)
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    array = pa.Array.from_buffers(kind, len(offsets) - 1, buffers)
    return array if nulls is None else pc.if_else(nulls, pa.nulls(len(array), kind), array)


def _nulls(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None


def hex_of(array: pa.Array) -> pa.Array:
    """Return the lower-case hexadecimal text of a binary array."""
    offsets, data = parts(array)
    return build(pa.string(), offsets * 2, _PAIRS[data].reshape(-1), _nulls(array))


def bytes_of(array: pa.Array) -> pa.Array:
    """Return the bytes of hexadecimal text, either case; NULL for what is none."""
    offsets, data = parts(array)
    nibbles = _NIBBLES[data]
    bad = (np.diff(offsets) % 2).astype(bool)
    wrong = np.flatnonzero(nibbles == _NOT_A_DIGIT)
    bad[np.searchsorted(offsets, wrong, side="right") - 1] = True
    if bad.any():
        return bytes_of(pc.if_else(pa.array(bad), pa.nulls(len(array), pa.string()), array))
    return build(pa.binary(), offsets // 2, _joined(nibbles[0::2], nibbles[1::2]), _nulls(array))


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(high << 4 | low, np.uint8)


def uuid_text(array: pa.Array) -> pa.Array:
    """Return the 36 lower-case characters of a fixed_size_binary(16) array."""
    held = array.fill_null(bytes(16)) if array.null_count else array
    raw = np.frombuffer(held.buffers()[1], np.uint8) if len(held) else np.empty(0, np.uint8)
    rows = raw[held.offset * 16 : (held.offset + len(held)) * 16].reshape(-1, 16)
    text = np.full((len(rows), _UUID_CHARACTERS), ord("-"), np.uint8)
    text[:, _UUID_DIGITS] = _PAIRS[rows].reshape(len(rows), 32)
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * _UUID_CHARACTERS
    return build(pa.string(), offsets, text.reshape(-1), _nulls(array))


def uuid_bytes(array: pa.Array) -> pa.Array:
    """Return the UUIDs of 36-character texts.

    Raises
    ------
    ValueError
        If one of them is not of that form.
    """
    nil = "00000000-0000-0000-0000-000000000000"
    offsets, data = parts(array.fill_null(nil) if array.null_count else array)
    if (np.diff(offsets) != _UUID_CHARACTERS).any():
        msg = "not 36 characters"
        raise ValueError(msg)
    text = data.reshape(-1, _UUID_CHARACTERS)
    nibbles = _NIBBLES[text[:, _UUID_DIGITS]]
    if (nibbles == _NOT_A_DIGIT).any() or (text[:, _DASHES] != ord("-")).any():
        msg = "not a UUID"
        raise ValueError(msg)
    raw = pa.py_buffer(_joined(nibbles[:, 0::2], nibbles[:, 1::2]))
    found = pa.Array.from_buffers(pa.binary(16), len(text), [None, raw])
    nulls = _nulls(array)
    return found if nulls is None else pc.if_else(nulls, pa.nulls(len(found), pa.binary(16)), found)
