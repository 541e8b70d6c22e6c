"""`rules.json` and `rules.json_object`: values → the text of a JSON document.

Documents are written as Python's `json.dumps` does by default, which is what SQLAlchemy's
JSON type writes, so that the application's own rows look the same.
"""

from __future__ import annotations

import json as python_json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from migrators.rules import columns
from migrators.rules.base import Outcome, Rule
from migrators.rules.lists import Split
from migrators.rules.signatures import TEXTS, reads_text
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_JSON = ColumnType(Kind.JSON)


def json(x: Any, kind: Literal["text", "list", "document"] = "text", separator: str = ",") -> Rule:
    """Text → JSON.

    Parameters
    ----------
    x : expression or rule
    kind : "text", "list" or "document"
        One JSON string; or the elements of delimited text as a list of strings, without
        white space around them and without empty ones (counted); or text that is a JSON
        document already, kept as it is and refused if it is none (RFC 8259: no NaN).
    separator : str
        Of a list.

    Examples
    --------
    >>> show(rules.json(["green", None]))
    'green' -> '"green"'
    None    -> None

    >>> show(rules.json(["web, db"], kind="list"))
    'web, db' -> '["web", "db"]'   (changed)

    >>> show(rules.json(['{"a": 1}', "{a: 1}"], kind="document"))
    '{"a": 1}' -> '{"a": 1}'
    '{a: 1}'   refused: is not a JSON document
    """
    if kind not in ("text", "list", "document"):
        msg = f"kind={kind!r}: one of 'text', 'list', 'document'"
        raise ValueError(msg)
    return Json((x,), kind, separator)


def json_object(**columns: Any) -> Rule:
    """Several columns → one JSON object, keys in the order given; NULL becomes null.

    Integers and floats become numbers, booleans true and false, JSON columns are put in as
    they are. Decimals and everything else become strings of their exact text form, since
    readers turn a JSON number into a float.

    Parameters
    ----------
    columns : expressions, rules or constants
        By the keys that they get.

    Examples
    --------
    >>> show(rules.json_object(city=["Bonn", None], zip=["053", "07"], floor=[1, 2]))
    'Bonn', '053', 1 -> '{"city": "Bonn", "zip": "053", "floor": 1}'
    None, '07', 2    -> '{"city": null, "zip": "07", "floor": 2}'
    """
    if not columns:
        msg = "rules.json_object: name at least one column"
        raise ValueError(msg)
    return JsonObject(tuple(columns.values()), tuple(columns))


@dataclass(frozen=True)
class Json(Rule):
    """Text → JSON."""

    kind: Literal["text", "list", "document"] = "text"
    separator: str = ","
    name: ClassVar[str] = "json"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return json."""
        reads_text(self.name, inputs[0])
        return _JSON

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],
    ) -> Outcome:
        """Write, or check, each distinct document once."""
        import pyarrow as pa

        if self.kind == "list":
            split = Split((), self.separator, unique=False)
            made = split.apply(arrays, inputs, target, maps)
            values = [_list(part) for part in made.values.to_pylist()]
            return replace(made, values=pa.array(values, pa.string()))
        write = python_json.dumps if self.kind == "text" else _document
        values = columns.per_distinct(arrays[0], write, pa.string())
        return columns.finished(values, arrays[0], to=_JSON, reason="is not a JSON document")


def _list(parts: list[str] | None) -> str | None:
    return None if parts is None else python_json.dumps(parts)


def _document(text: str) -> str | None:
    try:
        python_json.loads(text, parse_constant=_no_constant, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return text


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are JavaScript's, not JSON's


@dataclass(frozen=True)
class JsonObject(Rule):
    """Several columns → one JSON object."""

    keys: tuple[str, ...] = ()
    name: ClassVar[str] = "json_object"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return json; every kind of column has a place in a document."""
        return _JSON

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Join the members, column by column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        pieces: list[Any] = []
        refused = None
        for key, array, given in zip(self.keys, arrays, inputs, strict=True):
            value = _value(array, given)
            refused = columns.merged(refused, columns.lost(value, array))
            start = ", " if pieces else "{"
            pieces.append(pa.scalar(f"{start}{python_json.dumps(key)}: "))
            pieces.append(pc.fill_null(value, "null"))
        return Outcome(
            pc.binary_join_element_wise(*pieces, "}", ""),
            refused=refused if pc.any(refused, min_count=0).as_py() else None,
            reason="is a number that JSON does not have",
        )


def _value(array: pa.Array, given: ColumnType) -> pa.Array:
    """Text of JSON values; NULL for NULL, and for what JSON has not."""
    import pyarrow as pa

    from migrators.types.text import to_text

    texts = to_text(array, given)
    if given.kind is Kind.FLOAT:
        return columns.where(columns.matches(texts, "[^naif]+"), texts)
    if given.kind in (Kind.INTEGER, Kind.BOOLEAN, Kind.JSON):
        return texts
    if given.kind in TEXTS:
        return columns.per_distinct(texts, python_json.dumps, pa.string())
    quote = pa.scalar('"')
    return _joined(quote, texts)


def _joined(quote: pa.Scalar, texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(quote, texts, quote, "")
