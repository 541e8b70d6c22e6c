"""`rules.enum`, `map`, `null_if`, `default`, `fill` and `first`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from migrators import rules
from tests.unit.rules.applied import applied, values


def test_d59_label_that_is_gone_is_refused() -> None:
    """FAULTS D59: an old label without a place in the new enum, and the empty one, are refused."""
    got = applied(
        rules.enum(["new", "open", "lost", "", None], {"new": "open"}), "enum(open|closed)"
    )
    assert (got.values, got.changed) == (["open", "open", None, None, None], [0])
    assert (got.refused, got.reason) == ([2, 3], "is no label of the new column")


def test_d59_label_by_rule() -> None:
    """FAULTS D59: renamed by the mapping, or all others by `otherwise`; counted."""
    rule = rules.enum(["new", "open", "lost"], {"new": "open"}, otherwise="closed")
    got = applied(rule, "enum(open|closed)")
    assert (got.values, got.changed, got.refused) == (["open", "open", "closed"], [0, 2], [])


def test_enum_labels_of_the_step_must_exist() -> None:
    """A new label with a typing error is found when the step is planned."""
    with pytest.raises(TypeError, match="'opn' is not a value that enum holds"):
        applied(rules.enum(["new"], {"new": "opn"}), "enum(open|closed)")
    assert applied(rules.enum(["a", "c"], {"a": "b"}), "text").values == ["b", "c"]


def test_map_needs_every_value() -> None:
    """A value that is not in the map is refused, or replaced and counted; NULL stays."""
    got = applied(rules.map(["low", "high", "?", None], {"low": 1, "high": None}), "integer(16)")
    assert (got.values, got.changed, got.refused) == ([1, None, None, None], [0, 1], [2])
    got = applied(rules.map(["low", "?"], {"low": 1}, otherwise=0), "integer(16)")
    assert (got.values, got.changed, got.refused) == ([1, 0], [0, 1], [])
    got = applied(rules.map(["a", "b"], {"a": "a", "b": "c"}))
    assert (got.values, got.changed) == (["a", "c"], [1])


def test_map_types_are_checked() -> None:
    """Keys must be of the input's kind, None is none, and values of one kind."""
    with pytest.raises(TypeError, match="'1' is not a value that integer"):
        applied(rules.map([1], {"1": "a"}))
    with pytest.raises(ValueError, match="leaves NULL as NULL"):
        rules.map("x", {None: 1})
    with pytest.raises(TypeError, match="do not go together"):
        applied(rules.map(["a", "b"], {"a": 1, "b": "c"}), "date")


def test_map_between_kinds() -> None:
    """Dates to text, integers to decimals of the column."""
    day = dt.date(2024, 2, 29)
    assert applied(rules.map([day], {day: "leap"})).values == ["leap"]
    got = applied(rules.map([1], {1: Decimal("2.5")}), "decimal(5,2)")
    assert [Decimal("2.50")] == got.values


def test_b22_nan_to_null_by_rule() -> None:
    """FAULTS B22, B23: NaN becomes NULL only by `null_if`, counted; other NULLs are not."""
    got = applied(rules.null_if([float("nan"), None, 1.5], float("nan")))
    assert (got.values, got.changed) == ([None, None, 1.5], [0])


def test_null_if_compares_exactly() -> None:
    """By bytes and by kind: no trimming, no folding, no 1 for '1'."""
    got = applied(rules.null_if(["", " ", "N/A", "n/a", None], "", "N/A"))
    assert (got.values, got.changed) == ([None, " ", None, "n/a", None], [0, 2])
    with pytest.raises(TypeError, match="'0' is not a value that integer"):
        applied(rules.null_if([1], "0"))


def test_default_fills_null_only() -> None:
    """The empty string and zero are values; each filled row is counted."""
    got = applied(rules.default(["", None], "x"))
    assert (got.values, got.changed) == (["", "x"], [1])
    got = applied(rules.default([None, 0], 7))
    assert (got.values, got.changed) == ([7, 0], [0])
    with pytest.raises(TypeError, match="do not go together"):
        applied(rules.default([1], "none"))


def test_default_of_an_expression() -> None:
    """Another column, and a constant where that is NULL too."""
    inner = rules.default([None, None, 1], [None, 2, 3])
    got = applied(rules.default(inner, 0))
    assert (got.values, got.changed) == ([0, 2, 1], [0, 1])
    assert (inner.name, len(inner.inputs)) == ("default", 2)


def test_default_widens_where_the_constant_needs_it() -> None:
    """An integer of 16 bits with a larger default is one of 64 bits."""
    got = applied(rules.default([1, None], 2**40), of={0: "integer(16)"})
    assert got.values == [1, 2**40]


def test_first_counts_what_is_not_the_first() -> None:
    """Integers and decimals go together; NULL where all are."""
    got = applied(rules.first([1, None, None], [Decimal("2.5"), Decimal("3.5"), None]))
    assert ([Decimal("1.0"), Decimal("3.5"), None], [1]) == (got.values, got.changed)
    got = applied(rules.first([None, "a"], "constant"))
    assert (got.values, got.changed) == (["constant", "a"], [0])
    with pytest.raises(TypeError, match="do not go together"):
        applied(rules.first([1], [dt.date(2024, 2, 29)]))


def test_fill_writes_exact_texts() -> None:
    """Other columns stand in their exact text form; braces are doubled."""
    rule = rules.fill([None, "a", None], "{{{a}}}-{b}", a=[1, 2, None], b=[Decimal("1.50")] * 3)
    got = applied(rule)
    assert (got.values, got.changed) == (["{1}-1.50", "a", None], [0])
    assert (got.refused, got.reason) == ([2], "is NULL and so is a or b")


@pytest.mark.parametrize("pattern", ["{other}", "{id!r}", "{id:>5}", "{}", "{id.x}", "no column"])
def test_fill_pattern_is_checked(pattern: str) -> None:
    """Only names of the columns given, without formats of Python's own, and all of them."""
    with pytest.raises(ValueError, match=r"rules\.fill"):
        rules.fill("x", pattern, id="y")


def test_fill_reads_text() -> None:
    """A number is filled by `default`, not by text."""
    with pytest.raises(TypeError, match="reads text, not integer"):
        applied(rules.fill([1], "{id}", id=[1]))
    assert values(rules.fill(["x"], "constant")) == ["x"]
