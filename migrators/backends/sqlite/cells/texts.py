"""Text, JSON, UUIDs and bytes in SQLite cells.

Text is UTF-8 or refused. A column of numeric affinity (declared JSON, or a name of the
application's own) turns text that reads like a number into that number; what would not
come back the same is refused when it is written.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.sqlite.cells import buffers
from migrators.backends.sqlite.cells.model import Affinity, Cells, Codec
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from migrators.types import ColumnType

_NUMERIC = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
_PROBABLY = r"^\s*[-+]?\.?\d"
_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INT64 = 2**63
_DASHES = (8, 13, 18, 23)
_ZEROS = {32: "0" * 32, 36: "00000000-0000-0000-0000-000000000000"}
_BAD = 255


def utf8(texts: pa.Array) -> Cells:
    """Return the texts, those that are not UTF-8 refused."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        refused = pa.array([cell is not None and not _is_utf8(cell) for cell in buffers.raw(texts)])
        return Cells(texts, refused, "is not UTF-8")
    return Cells(texts)


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode_text(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    return utf8(cells[0])


def _encode_text(values: pa.Array, declared: ColumnType, affinity: Affinity) -> Cells:
    if affinity in (Affinity.TEXT, Affinity.BLOB):
        return Cells(values)
    keeps = _survives_as_json if declared.kind is Kind.JSON else _is_not_number
    return Cells(values, _changed(values, keeps), f"would become a number ({affinity} affinity)")


def _changed(values: pa.Array, keeps: Callable[[str], bool]) -> pa.Array | None:
    """Return where a column of numeric affinity would give other text back."""
    likely = pc.match_substring_regex(values, _PROBABLY)
    if not pc.any(likely).as_py():
        return None
    pairs = zip(values.to_pylist(), likely.to_pylist(), strict=True)
    marked = [bool(suspect) and not keeps(text) for text, suspect in pairs]
    return pa.array(marked) if any(marked) else None


def _is_not_number(text: str) -> bool:
    return not _NUMERIC.fullmatch(text)


def _survives_as_json(text: str) -> bool:
    """Whether a JSON number is read back as the same text (see `_decode_json`)."""
    if _is_not_number(text):
        return True
    if re.fullmatch(r"0|-?[1-9]\d*", text, re.ASCII):
        return -_INT64 <= int(text) < _INT64
    value = float(text)
    whole = value.is_integer() and abs(value) < _INT64
    return math.isfinite(value) and repr(value) == text and not whole


def _decode_json(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    """Decode; a number that the column's affinity made of text becomes text again."""
    texts, reals = utf8(cells[0]), cells[1]
    if reals.null_count == len(reals) or texts.refused is not None:
        return texts
    doubles = reals.to_pylist()
    shown = pa.array([None if d is None else repr(d) for d in doubles], pa.string())
    odd = [d is not None and not math.isfinite(d) for d in doubles]
    refused = pa.array(odd) if any(odd) else None
    return Cells(pc.coalesce(texts.values, shown), refused, "is infinite, which JSON cannot say")


def _nibbles() -> NDArray[np.uint8]:
    table = np.full(256, _BAD, np.uint8)
    for value, digit in enumerate(b"0123456789abcdef"):
        table[digit] = table[ord(chr(digit).upper())] = value
    return table


_NIBBLE = _nibbles()
_HEX = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), np.uint16)


def _decode_uuid(cells: Sequence[pa.Array], declared: ColumnType) -> Cells:
    texts = cells[0]
    for width in _ZEROS:
        packed = _packed(texts, width)
        if packed is not None:
            return Cells(buffers.fixed(pa.binary(16), packed, texts))
    found, refused = buffers.each(texts, declared.arrow, _uuid)
    return Cells(found, refused, "is not a uuid (32 hex digits)")


def _uuid(text: str) -> bytes | None:
    return bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else None


def _packed(texts: pa.Array, width: int) -> NDArray[np.uint8] | None:
    """Return 16 bytes a cell if every cell is hex of this width; None otherwise."""
    sizes = pc.min_max(pc.binary_length(texts))
    if sizes["min"].as_py() != width or sizes["max"].as_py() != width:
        return None
    full = texts if not texts.null_count else texts.fill_null(_ZEROS[width])
    rows = _characters(full, width)
    if width == len(_ZEROS[36]):
        if not (rows[:, _DASHES] == ord("-")).all():
            return None
        rows = np.delete(rows, _DASHES, axis=1)
    digits = _NIBBLE[rows]
    if (digits == _BAD).any():
        return None
    return (digits[:, 0::2] * np.uint8(16) + digits[:, 1::2]).astype(np.uint8)


def _characters(texts: pa.Array, width: int) -> NDArray[np.uint8]:
    """Return the bytes of texts that are all of one width, a row each."""
    first = buffers.view(texts, np.int32)[0]
    data = np.frombuffer(texts.buffers()[2], np.uint8, count=len(texts) * width, offset=first)
    return data.reshape(len(texts), width)


def _encode_uuid(values: pa.Array, declared: ColumnType, affinity: Affinity) -> Cells:
    packed = np.frombuffer(
        values.buffers()[1], np.uint8, count=len(values) * 16, offset=values.offset * 16
    )
    offsets = np.arange(0, 32 * len(values) + 1, 32, dtype=np.int32)
    data = [buffers.validity(values), pa.py_buffer(offsets), pa.py_buffer(_HEX[packed])]
    texts = pa.Array.from_buffers(pa.string(), len(values), data)
    return _encode_text(texts, declared, affinity)


def _decode_binary(cells: Sequence[pa.Array], _declared: ColumnType) -> Cells:
    return Cells(cells[0])


def _encode_binary(values: pa.Array, _declared: ColumnType, _affinity: Affinity) -> Cells:
    return Cells(values)


_CLEAN = "typeof({x}) = 'text'"
TEXT = Codec(_CLEAN, _decode_text, _encode_text, ("''",))
JSON = Codec(
    "typeof({x}) <> 'blob'",
    _decode_json,
    _encode_text,
    ("''", "0.0"),
    (
        "CASE typeof({x}) WHEN 'text' THEN {x} WHEN 'integer' THEN CAST({x} AS TEXT) END",
        "CASE WHEN typeof({x}) = 'real' THEN {x} END",
    ),
)
UUID = Codec(_CLEAN, _decode_uuid, _encode_uuid, ("''",))
BINARY = Codec("typeof({x}) = 'blob'", _decode_binary, _encode_binary, ("x''",))
