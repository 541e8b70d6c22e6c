"""`rules.split`, `rules.json` and `rules.json_object`."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrators import rules
from tests.unit.rules.applied import applied, values

_ROWS = st.lists(st.none() | st.text("ab, \u00a0", max_size=12), max_size=6).map(
    lambda t: [*t, "x"]
)


def test_split_counts_what_it_drops() -> None:
    """Stripped, empty and repeated elements are counted by row; NULL stays NULL."""
    texts = ["web,db", "web, db", "a,,b", "a,a", "", None, "a"]
    got = applied(rules.split(texts, ","))
    assert got.values == [["web", "db"], ["web", "db"], ["a", "b"], ["a"], [], None, ["a"]]
    assert (got.changed, got.refused) == ([1, 2, 3, 4], [])


def test_split_as_it_stands() -> None:
    """With everything switched off each element is kept, and nothing is counted."""
    texts = [" a,,a", "", None]
    rule = rules.split(texts, ",", strip=False, drop_empty=False, unique=False)
    assert values(rule) == [[" a", "", "a"], [""], None]


def test_split_is_unique_by_bytes_and_in_order() -> None:
    """The first one stays; case and accents make others; rows are apart."""
    got = applied(rules.split(["b|a|b|B|ä|a", "b|a"], "|"))
    assert (got.values, got.changed) == ([["b", "a", "B", "ä"], ["b", "a"]], [0])


def test_split_options_are_checked() -> None:
    """An empty separator and a number are mistakes in the step."""
    with pytest.raises(ValueError, match="separator is empty"):
        rules.split("x", "")
    with pytest.raises(TypeError, match="reads text, not integer"):
        applied(rules.split([1], ","))


@given(rows=_ROWS, strip=st.booleans(), drop_empty=st.booleans(), unique=st.booleans())
def test_split_is_what_python_splits(
    rows: list[str | None],
    *,
    strip: bool,
    drop_empty: bool,
    unique: bool,
) -> None:
    """Compared with the loop a person would write, counts included."""
    expected: list[list[str] | None] = []
    changed = []
    for i, text in enumerate(rows):
        raw = None if text is None else text.split(",")
        parts = raw and [p.strip() if strip else p for p in raw]
        parts = parts and [p for p in parts if p or not drop_empty]
        parts = parts and (list(dict.fromkeys(parts)) if unique else parts)
        expected.append(parts)
        changed.extend([i] if parts != raw else [])
    got = applied(rules.split(rows, ",", strip=strip, drop_empty=drop_empty, unique=unique))
    assert (expected, changed) == (got.values, got.changed)


@given(_ROWS)
def test_json_string_is_read_back(texts: list[str | None]) -> None:
    """A JSON string holds the text; SQL NULL stays SQL NULL."""
    got = values(rules.json([*texts, 'a"\\\n\0é🧀']), "json")
    assert [*texts, 'a"\\\n\0é🧀'] == [None if t is None else json.loads(t) for t in got]
    assert json.dumps('a"\\\n\0é🧀') == got[-1]


def test_json_list() -> None:
    """Stripped and without empty ones, repeated ones kept; counted."""
    got = applied(rules.json(["a, b,,a", "", None, "a;b"], kind="list"), "json")
    assert got.values == ['["a", "b", "a"]', "[]", None, '["a;b"]']
    assert got.changed == [0, 1]
    assert values(rules.json(["a;b"], kind="list", separator=";")) == ['["a", "b"]']


def test_b30_json_document_stays_as_it_is() -> None:
    """FAULTS B30: numbers beyond floats, white space and repeated keys are kept to the byte."""
    texts = ['{"a": 9007199254740993}', " [1e400] ", '{"a":1,"a":2}', '"\\u0000"', "null", None]
    assert texts == values(rules.json(texts, kind="document"), "json")


@pytest.mark.parametrize("text", ["", "{a: 1}", "NaN", "[Infinity]", "{} {}", "'a'", "[" * 100_000])
def test_json_document_must_parse(text: str) -> None:
    """What is no JSON by RFC 8259 is refused by its row."""
    got = applied(rules.json([text, "1"], kind="document"), "json")
    assert (got.values, got.refused, got.reason) == ([None, "1"], [0], "is not a JSON document")


def test_json_options_are_checked() -> None:
    """A kind nobody knows, and an object without members, are mistakes in the step."""
    with pytest.raises(ValueError, match="'document'"):
        rules.json("x", kind="yaml")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        rules.json_object()


def test_json_object_of_every_kind() -> None:
    """Numbers, booleans and documents as such, decimals and the rest as their exact text."""
    rule = rules.json_object(
        i=[2**53 + 1], f=[0.5], b=[True], d=[Decimal("12.50")], t=['"\\'], y=[dt.date(2024, 2, 29)],
        raw=[b"\xff"], doc=['{"a":[1, 2]}'], none=[None], const="x",
    )  # fmt: skip
    got = values(rule, "json", of={7: "json"})
    expected = (
        '{"i": 9007199254740993, "f": 0.5, "b": true, "d": "12.50", "t": "\\"\\\\", '
        '"y": "2024-02-29", "raw": "ff", "doc": {"a":[1, 2]}, "none": null, "const": "x"}'
    )
    assert [expected] == got
    assert isinstance(json.loads(got[0]), dict)


def test_json_object_refuses_nan() -> None:
    """JSON has neither NaN nor infinity; NULL is null."""
    got = applied(rules.json_object(f=[float("nan"), float("-inf"), None, 1.0]), "json")
    assert (got.refused, got.values[2]) == ([0, 1], '{"f": null}')


@given(
    st.lists(st.tuples(st.none() | st.text(max_size=4), st.none() | st.integers(-5, 5)), min_size=1)
)
def test_json_object_is_what_python_dumps(rows: list[tuple[str | None, int | None]]) -> None:
    """Each document is the one that json.dumps writes, which is what SQLAlchemy stores."""
    names, numbers = [r[0] for r in rows], [r[1] for r in rows]
    got = values(rules.json_object(**{'a "é': [*names, "x"], "n": [*numbers, 1]}), "json")
    expected = [json.dumps({'a "é': a, "n": n}) for a, n in [*rows, ("x", 1)]]
    assert expected == got
