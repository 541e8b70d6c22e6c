"""Apply a rule to lists and compare everything it says at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from migrators.rules.example import evaluate, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.rules.base import Rule


@dataclass(frozen=True)
class Applied:
    """What came out: values by row, and the rows that were changed or refused."""

    values: list[Any]
    changed: list[int]
    refused: list[int]
    reason: str


def applied(rule: Rule, to: str = "text", of: Mapping[int, str] | None = None) -> Applied:
    """Apply; the values must be of the Arrow type that the rule promised, and whole masks."""
    outcome, made = evaluate(rule, parse(to), of)
    expected = pa.list_(pa.string()) if rule.explodes else made.arrow
    assert expected == outcome.values.type
    outcome.values.validate(full=True)
    return Applied(
        outcome.values.to_pylist(),
        _rows(outcome.changed, len(outcome.values)),
        _rows(outcome.refused, len(outcome.values)),
        outcome.reason,
    )


def values(rule: Rule, to: str = "text", of: Mapping[int, str] | None = None) -> list[Any]:
    """Return the values of a rule that changes and refuses nothing."""
    got = applied(rule, to, of)
    assert Applied(got.values, [], [], got.reason) == got
    return got.values


def at(text: str) -> dt.datetime:
    """Return a datetime from ISO text, with the zone UTC where it has an offset."""
    read = dt.datetime.fromisoformat(text)
    return read if read.tzinfo is None else read.astimezone(dt.UTC)


def _rows(mask: pa.Array | None, length: int) -> list[int]:
    if mask is None:
        return []
    assert (length, 0) == (len(mask), mask.null_count)
    return [i for i, flag in enumerate(mask.to_pylist()) if flag]
