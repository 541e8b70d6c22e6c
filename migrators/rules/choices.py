"""`rules.boolean`, `rules.enum`, `rules.map`, `rules.null_if`: one value for another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from migrators.rules import columns
from migrators.rules.base import REFUSE, Outcome, Rule
from migrators.rules.signatures import TEXTS, checked, reads, reads_text, textual
from migrators.types import ColumnType, Kind, constants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_TRUE = (1, "1", "t", "true", "yes", "y")
_FALSE = (0, "0", "f", "false", "no", "n")


def boolean(
    x: Any,
    true: Sequence[Any] = _TRUE,
    false: Sequence[Any] = _FALSE,
    otherwise: Any = REFUSE,
) -> Rule:
    """Integer, text, decimal or float → boolean.

    Text is compared as it stands: `TRUE` is refused unless `true` has it, or the column is
    wrapped in `rules.lower`.

    Parameters
    ----------
    x : expression or rule
    true, false : sequence of constants
        What counts as true and as false; by default 1, t, true, yes, y and 0, f, false,
        no, n.
    otherwise : constant
        Stands for any other value; counted.

    Examples
    --------
    >>> show(rules.boolean([0, 1, 2, None]))
    0    -> False
    1    -> True
    2    refused: is neither true nor false
    None -> None
    """
    return Boolean((x,), tuple(true), tuple(false), otherwise)


def enum(x: Any, labels: Mapping[str, str], otherwise: Any = REFUSE) -> Rule:
    """Rename labels of an enum; labels that are not named stay as they are.

    A label that the new column does not have is refused.

    Parameters
    ----------
    x : expression or rule
    labels : mapping
        Old label to new label.
    otherwise : constant
        Stands for a label that the new column does not have; counted.

    Examples
    --------
    >>> show(rules.enum(["new", "open", "lost"], {"new": "open"}), to="enum(open|closed)")
    'new'  -> 'open'   (changed)
    'open' -> 'open'
    'lost' refused: is no label of the new column
    """
    return Enum((x,), tuple(labels.items()), otherwise)


def map(x: Any, values: Mapping[Any, Any], otherwise: Any = REFUSE) -> Rule:  # noqa: A001
    """Replace every value by the one that a table gives for it.

    Parameters
    ----------
    x : expression or rule
    values : mapping
        Old value to new value, of one kind each. Each mapped row is counted as changed
        unless both are the same. None as a new value gives NULL; NULL stays NULL.
    otherwise : constant
        Stands for a value that is not in the map; counted.

    Examples
    --------
    >>> show(rules.map(["low", "high", "?"], {"low": 1, "high": 3}))
    'low'  -> 1   (changed)
    'high' -> 3   (changed)
    '?'    refused: is not in the map
    """
    if None in values:
        msg = "rules.map leaves NULL as NULL: use rules.default for it"
        raise ValueError(msg)
    return Map((x,), tuple(values.items()), otherwise)


def null_if(x: Any, *values: Any) -> Rule:
    """Turn certain values into NULL; counted.

    Parameters
    ----------
    x : expression or rule
    values : constants
        Compared exactly, text by bytes; `float("nan")` is equal to itself here.

    Examples
    --------
    >>> show(rules.null_if(["0000-00-00", "2020-02-29"], "0000-00-00", ""))
    '0000-00-00' -> None   (changed)
    '2020-02-29' -> '2020-02-29'
    """
    return NullIf((x,), values)


@dataclass(frozen=True)
class Boolean(Rule):
    """Integer, text, decimal or float → boolean."""

    true: tuple[Any, ...] = _TRUE
    false: tuple[Any, ...] = _FALSE
    otherwise: Any = REFUSE
    name: ClassVar[str] = "boolean"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return boolean."""
        kinds = (Kind.INTEGER, *TEXTS, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN)
        reads(self.name, inputs[0], *kinds)
        given = _comparable(inputs[0])
        if not _held((*self.true, *self.false), given) and given.kind is not Kind.BOOLEAN:
            msg = f"rules.boolean: none of true= and false= is a value of {inputs[0]}"
            raise TypeError(msg)
        return checked(ColumnType(Kind.BOOLEAN), self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Look each value up among the true and the false ones."""
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        given = _comparable(inputs[0])
        if given.kind is Kind.BOOLEAN:
            return Outcome(arrays[0])
        yes, no = (_is_in(arrays[0], _held(v, given), given) for v in (self.true, self.false))
        return columns.finished(
            columns.where(pc.or_(yes, no), yes),
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            reason="is neither true nor false",
        )


@dataclass(frozen=True)
class Enum(Rule):
    """Old label → new label."""

    labels: tuple[tuple[str, str], ...] = ()
    otherwise: Any = REFUSE
    name: ClassVar[str] = "enum"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the new column's type; every new label must be one of its labels."""
        reads_text(self.name, inputs[0])
        to = target if target.kind is Kind.ENUM else textual(target)
        for _, new in self.labels:
            checked(to, self.name, new)
        return checked(to, self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Rename, then look each label up among those of the new column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        old, new = (pa.array([pair[i] for pair in self.labels], pa.string()) for i in (0, 1))
        at = pc.index_in(arrays[0], value_set=old)
        labels = pc.coalesce(new.take(at), arrays[0])
        changed = columns.differs(labels, arrays[0])
        if to.labels:
            known = pc.is_in(labels, value_set=pa.array(to.labels, pa.string()))
            labels = columns.where(known, labels)
        return columns.finished(
            labels,
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            changed=changed,
            reason="is no label of the new column",
        )


@dataclass(frozen=True)
class Map(Rule):
    """Any value → the one that a table gives for it."""

    values: tuple[tuple[Any, Any], ...] = ()
    otherwise: Any = REFUSE
    name: ClassVar[str] = "map"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the new column's type if it holds the new values, else their own."""
        for old, _ in self.values:
            checked(_unlimited(inputs[0]), self.name, old)
        new = [value for _, value in self.values]
        to = target if len(_held(new, target)) == len(new) else constants.natural(new)
        return checked(to, self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Look each value up."""
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        given = _unlimited(inputs[0])
        old = constants.array([pair[0] for pair in self.values], given)
        new = constants.array([pair[1] for pair in self.values], to)
        at = pc.index_in(arrays[0], value_set=old)
        values = new.take(at)
        found = pc.is_valid(at)
        bad = pc.and_not(pc.is_valid(arrays[0]), found)
        same = arrays[0].type == values.type
        changed = pc.and_not(found, columns.sure(pc.equal(values, arrays[0]))) if same else found
        if self.otherwise is REFUSE:
            return Outcome(values, changed=changed, refused=bad, reason="is not in the map")
        filled = columns.replaced(values, bad, self.otherwise, to)
        return Outcome(filled, changed=pc.or_(changed, bad))


@dataclass(frozen=True)
class NullIf(Rule):
    """Certain values → NULL."""

    values: tuple[Any, ...] = ()
    name: ClassVar[str] = "null_if"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the input's type, which must hold every value given."""
        for value in self.values:
            checked(_unlimited(inputs[0]), self.name, value)
        return textual(target) if inputs[0].kind is Kind.TEXT else inputs[0]

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Leave the values out."""
        import pyarrow.compute as pc

        self.result(inputs, target)
        changed = _is_in(arrays[0], self.values, _unlimited(inputs[0]))
        return Outcome(columns.where(pc.invert(changed), arrays[0]), changed=changed)


def _comparable(given: ColumnType) -> ColumnType:
    """Type in which constants are compared with values of `given`: numbers as they are."""
    return ColumnType(Kind.TEXT) if given.kind in TEXTS else given


def _unlimited(given: ColumnType) -> ColumnType:
    """Return the type without its length and labels: what is never there may be named."""
    return ColumnType(Kind.TEXT) if given.kind in (Kind.TEXT, Kind.ENUM) else given


def _held(values: Sequence[Any], given: ColumnType) -> tuple[Any, ...]:
    """Those of `values` that `given` holds."""
    return tuple(value for value in values if _holds(value, given))


def _holds(value: Any, given: ColumnType) -> bool:
    try:
        constants.exact(value, given)
    except TypeError:
        return False
    return True


def _is_in(array: pa.Array, values: Sequence[Any], given: ColumnType) -> pa.Array:
    """Where the array holds one of the constants; never at NULL."""
    import pyarrow.compute as pc

    held = [value for value in values if value is not None]
    found = pc.is_in(array, value_set=constants.array(held, given))
    return pc.and_(found, pc.is_valid(array))
