"""Thrift's compact protocol, as Parquet's footers and page headers are written in it.

See thrift-compact-protocol.md of the Apache Thrift specification. Structs become dicts by
field number; what a damaged or forged file may say is bounded by the bytes that it has.
"""

from __future__ import annotations

import struct
from typing import Any

_DEEPEST = 12
_LONGEST = 63
"""Bits before the last byte of an integer."""


def compact(data: bytes) -> tuple[dict[int, Any], int]:
    """Return the struct that `data` begins with, and how many bytes it takes.

    Raises
    ------
    ValueError, IndexError, struct.error
        For what is no struct.
    """
    reader = _Compact(data)
    return reader.struct(0), reader.at


class _Compact:
    """Thrift's compact protocol: structs to dicts by field number. Unknown types raise."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

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
        self.at += 1
        return self._data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self._data):
            raise ValueError(count)
        return self._data[self.at - count : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > _LONGEST:  # else a million bytes make a number of a million digits
                raise ValueError(shift)
        return value | byte << shift

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
