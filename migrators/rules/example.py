"""Rules over Python lists, to see what one does; the examples in the docstrings use it.

>>> show(rules.default([5, None], 0))
5    -> 5
None -> 0   (changed)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from migrators import types
from migrators.rules import columns
from migrators.rules.base import Outcome, Rule
from migrators.types import ColumnType, Kind, constants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


def show(rule: Rule, to: str = "text", of: Mapping[int, str] | None = None) -> None:
    """Print what a rule makes of each row of the lists that stand for its columns.

    Parameters
    ----------
    rule : Rule
        Its inputs are lists of Python values, constants or rules over such.
    to : str
        Type of the new column, as in a manifest: "decimal(12,2)", "enum(open|closed)".
    of : mapping of int to str
        Types of inputs by position, where the values do not say them.
    """
    target = parse(to)
    outcome, made = evaluate(rule, target, of)
    befores = [", ".join(map(_written, row)) for row in zip(*_lists(rule), strict=True)]
    width = max(map(len, befores), default=0)
    flags = [_flags(mask, len(befores)) for mask in (outcome.changed, outcome.refused)]
    for before, value, changed, refused in zip(befores, outcome.values, *flags, strict=True):
        after = f"-> {_written(value.as_py(), made)}"
        after = f"refused: {outcome.reason}" if refused else after
        print(f"{before:{width}} {after}{'   (changed)' if changed else ''}")  # noqa: T201


def evaluate(
    rule: Rule, target: ColumnType, of: Mapping[int, str] | None = None
) -> tuple[Outcome, ColumnType]:
    """Apply a rule whose inputs are lists, and the rules inside it; return its type, too.

    A row is changed or refused where the rule or one inside it says so.
    """
    length = max((len(column) for column in _lists(rule)), default=0)
    parts = [
        _input(value, target, parse((of or {})[i]) if i in (of or {}) else None, length)
        for i, value in enumerate(rule.inputs)
    ]
    inner = [outcome for outcome, _ in parts]
    given = [declared for _, declared in parts]
    made = rule.result(given, target)
    outcome = rule.apply([part.values for part in inner], given, target, {})
    whole = [*inner, outcome]
    return Outcome(
        outcome.values,
        changed=columns.merged(*(part.changed for part in whole)),
        refused=columns.merged(*(part.refused for part in whole)),
        reason=" or ".join(dict.fromkeys(part.reason for part in whole if part.reason)),
    ), made


def parse(name: str) -> ColumnType:
    """Return the type that a manifest calls `name`, or an enum with labels: "enum(a|b)"."""
    if match := re.fullmatch(r"enum\((.+)\)", name):
        return ColumnType(Kind.ENUM, labels=tuple(match[1].split("|")))
    return types.parse(name)


def _lists(rule: Rule) -> list[list[Any]]:
    """Return the lists at the bottom of a rule, from left to right."""
    found: list[list[Any]] = []
    for value in rule.inputs:
        found.extend(_lists(value) if isinstance(value, Rule) else [])
        found.extend([value] if isinstance(value, list) else [])
    return found


def _input(
    value: Any, target: ColumnType, declared: ColumnType | None, length: int
) -> tuple[Outcome, ColumnType]:
    if isinstance(value, Rule):
        return evaluate(value, target)
    values: Sequence[Any] = value if isinstance(value, list) else [value] * length
    declared = declared or constants.natural(values)
    return Outcome(constants.array(values, declared)), declared


def _flags(mask: pa.Array | None, length: int) -> list[bool]:
    return [False] * length if mask is None else mask.to_pylist()


def _written(value: Any, declared: ColumnType | None = None) -> str:
    if declared is not None and declared.kind is Kind.UUID and value is not None:
        return str(UUID(bytes=value))
    return repr(value) if isinstance(value, str | bytes | list) else str(value)
