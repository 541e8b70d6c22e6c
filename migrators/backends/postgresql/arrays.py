"""Arrays as JSON where they have one dimension that counts from 1, else as the server's literal.

The server makes the JSON: numbers and booleans bare, what is neither as the text of each item.
Back, it is made a literal here (manual, 8.15.6), which the server's input function reads.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import Kind

if TYPE_CHECKING:
    from migrators.types import ColumnType

_BARE = (Kind.INTEGER, Kind.FLOAT, Kind.BOOLEAN)
_LITERAL = re.compile(r"\{|\[[+-]?[0-9]+:")


class _Number(str):
    """A number's own digits."""

    __slots__ = ()


def render(declared: ColumnType) -> str:
    """Return SQL over `{x}` whose text is an array's form."""
    kind = declared.item.kind if declared.item is not None else None
    items = "{x}" if kind in _BARE else "({x})::text[]"
    if kind is Kind.DECIMAL:
        items = "({x})::numeric[]"
    return (
        "CASE WHEN array_ndims({x}) > 1 OR array_lower({x}, 1) <> 1 THEN ({x})::text "
        f"ELSE array_to_json({items})::text END"
    )


def encode(array: pa.Array) -> pa.Array:
    """Return the server's literal of every array.

    Raises
    ------
    ValueError
        For a text that `odd` marks.
    """
    return _each(array, _literal)


def odd(array: pa.Array) -> pa.BooleanArray:
    """Return where a text is neither an array as the server makes JSON of it, nor a literal."""
    bad = [text for text in array.drop_null().unique().to_pylist() if not _is_form(text)]
    return pc.is_in(array, value_set=pa.array(bad, pa.string()))


def _each(array: pa.Array, made: Any) -> pa.Array:
    distinct = array.drop_null().unique()
    found = pa.array([made(text) for text in distinct.to_pylist()], pa.string())
    return found.take(pc.index_in(array, value_set=distinct))


def _is_form(text: str) -> bool:
    if _LITERAL.match(text):
        return True
    try:
        return f"[{','.join(map(_json, _items(text)))}]" == text
    except ValueError:
        return False


def _items(text: str) -> list[Any]:
    found = json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_refuse)
    if not isinstance(found, list) or any(isinstance(item, list | dict) for item in found):
        raise ValueError(text)
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _json(item: Any) -> str:
    return str(item) if isinstance(item, _Number) else json.dumps(item, ensure_ascii=False)


def _literal(text: str) -> str:
    return text if _LITERAL.match(text) else f"{{{','.join(map(_item, _items(text)))}}}"


def _item(item: Any) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, bool):
        return "t" if item else "f"
    quoted = str(item).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
