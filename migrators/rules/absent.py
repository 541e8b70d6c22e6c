"""`rules.default`, `rules.fill`, `rules.first`: what stands where there is nothing."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any, ClassVar

from migrators.rules import columns
from migrators.rules.base import Outcome, Rule
from migrators.rules.signatures import TEXTS, reads, textual, unified
from migrators.types import ColumnType, Kind, constants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


def default(x: Any, value: Any) -> Rule:
    """Put a value where there is NULL; counted.

    Parameters
    ----------
    x : expression or rule
    value : constant, expression or rule
        Of the same kind as `x`.

    Examples
    --------
    >>> show(rules.default([5, None], 0))
    5    -> 5
    None -> 0   (changed)
    """
    return Default((x,), value) if constants.is_constant(value) else DefaultFrom((x, value))


def first(x: Any, *others: Any) -> Rule:
    """Take the first of several values that is not NULL; counted where it is not `x`.

    Parameters
    ----------
    x, others : expressions, rules or constants
        Of one kind.

    Examples
    --------
    >>> show(rules.first(["Ann", None, None], ["ann", "bob", None]))
    'Ann', 'ann' -> 'Ann'
    None, 'bob'  -> 'bob'   (changed)
    None, None   -> None
    """
    return First((x, *others))


def fill(x: Any, pattern: str, /, **others: Any) -> Rule:
    """Put a text made from other columns where there is NULL; counted.

    Parameters
    ----------
    x : expression or rule
        Text.
    pattern : str
        With `{name}` where the exact text of a column goes; `{{` for a brace. A row that
        needs a column that is NULL too is refused.
    others : expressions or rules
        Columns, by the names in the pattern.

    Examples
    --------
    >>> show(rules.fill([None, "a@b.c"], "missing-{id}@example.invalid", id=[7, 8]))
    None, 7    -> 'missing-7@example.invalid'   (changed)
    'a@b.c', 8 -> 'a@b.c'
    """
    parts = tuple(_parts(pattern, others))
    return Fill((x, *others.values()), parts, tuple(others))


def _parts(pattern: str, names: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Literal texts, each with the name of the column that follows it."""
    found: list[tuple[str, str | None]] = []
    for text, name, form, conversion in Formatter().parse(pattern):
        if name is not None and (name not in names or form or conversion):
            msg = f"rules.fill: {{{name}}} is not one of {', '.join(names) or 'the columns given'}"
            raise ValueError(msg)
        found.append((text, name))
    used = {name for _, name in found}
    if unused := [name for name in names if name not in used]:
        msg = f"rules.fill: {', '.join(unused)} does not occur in {pattern!r}"
        raise ValueError(msg)
    return found


@dataclass(frozen=True)
class Default(Rule):
    """NULL → a constant."""

    value: Any = None
    name: ClassVar[str] = "default"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the input's type, widened where the constant needs it."""
        given = inputs[0]
        try:
            constants.exact(self.value, given)
        except TypeError:
            given = unified(self.name, [given, constants.natural([self.value])])
        return textual(target) if given.kind is Kind.TEXT else given

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Fill NULLs."""
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        values = _as(arrays[0], inputs[0], to)
        filled = pc.fill_null(values, constants.scalar(self.value, to))
        return Outcome(filled, changed=columns.lost(values, filled))


@dataclass(frozen=True)
class First(Rule):
    """The first of several values that is not NULL."""

    name: ClassVar[str] = "first"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the type that holds the values of all inputs."""
        to = unified(self.name, inputs)
        return textual(target) if to.kind is Kind.TEXT else to

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Take the first."""
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        held = [_as(array, given, to) for array, given in zip(arrays, inputs, strict=True)]
        values = pc.coalesce(*held)
        return Outcome(values, changed=columns.lost(held[0], values))


@dataclass(frozen=True)
class DefaultFrom(First):
    """NULL → the value of an expression."""

    name: ClassVar[str] = "default"


@dataclass(frozen=True)
class Fill(Rule):
    """NULL → text made from other columns."""

    parts: tuple[tuple[str, str | None], ...] = ()
    names: tuple[str, ...] = ()
    name: ClassVar[str] = "fill"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return text."""
        reads(self.name, inputs[0], *TEXTS)
        return textual(target)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Write the pattern for every row, and take it where there is NULL."""
        import pyarrow as pa
        import pyarrow.compute as pc

        made = self._written(arrays[1:], inputs[1:], len(arrays[0]))
        values = pc.coalesce(arrays[0], made.cast(pa.string()))
        refused = pc.is_null(values)
        return Outcome(
            values,
            changed=columns.lost(arrays[0], values),
            refused=refused if pc.any(refused, min_count=0).as_py() else None,
            reason=f"is NULL and so is {' or '.join(self.names)}",
        )

    def _written(
        self, arrays: Sequence[pa.Array], inputs: Sequence[ColumnType], rows: int
    ) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        from migrators.types.text import to_text

        texts = {
            name: to_text(array, given)
            for name, array, given in zip(self.names, arrays, inputs, strict=True)
        }
        pieces = [pa.repeat(pa.scalar("", pa.string()), rows)]
        for text, name in self.parts:
            pieces.append(pa.repeat(pa.scalar(text, pa.string()), rows))
            pieces.extend([texts[name]] if name is not None else [])
        return pc.binary_join_element_wise(*pieces, "")


def _as(array: pa.Array, given: ColumnType, to: ColumnType) -> pa.Array:
    """Return the values in a type that holds them exactly."""
    import pyarrow as pa

    if array.type == to.arrow:
        return array
    if given.kind is Kind.INTEGER:
        array = array.cast(pa.decimal128(19, 0))  # Arrow wants room for any integer otherwise
    return array.cast(to.arrow)
