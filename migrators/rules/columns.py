"""The few Arrow idioms that rules share: masks without NULL, distinct values, refusals.

A mask is True or False in every row. What a rule cannot convert it leaves NULL;
`finished` tells such rows from those that were NULL before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.rules.base import REFUSE, Outcome
from migrators.types import constants

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from migrators.types import ColumnType


def sure(mask: pa.Array) -> pa.Array:
    """Return a mask with False where it was NULL."""
    import pyarrow.compute as pc

    return pc.fill_null(mask, fill_value=False)


def matches(texts: pa.Array, pattern: str) -> pa.Array:
    """Return which texts match a regular expression (RE2) as a whole."""
    import pyarrow.compute as pc

    return sure(pc.match_substring_regex(texts, rf"\A(?:{pattern})\z"))


def differs(new: pa.Array, old: pa.Array) -> pa.Array:
    """Return where both have a value and it is not the same."""
    import pyarrow.compute as pc

    return sure(pc.not_equal(new, old))


def lost(new: pa.Array, old: pa.Array) -> pa.Array:
    """Return where `old` has a value and `new` has none."""
    import pyarrow.compute as pc

    return pc.and_(pc.is_null(new), pc.is_valid(old))


def where(mask: pa.Array, values: pa.Array) -> pa.Array:
    """Return `values` where `mask` is true, NULL elsewhere."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # A NULL scalar here corrupts slices of strings before pyarrow 24 (apache/arrow#49410).
    return pc.if_else(mask, values, pa.nulls(len(values), values.type))


def merged(*masks: pa.Array | None) -> pa.Array | None:
    """Return where any of the masks is true; None where there is no mask."""
    import pyarrow.compute as pc

    given = [mask for mask in masks if mask is not None]
    found = given[0] if given else None
    for mask in given[1:]:
        found = pc.or_(found, mask)
    return found


def per_distinct(array: pa.Array, function: Callable[[Any], Any], to: pa.DataType) -> pa.Array:
    """Map each distinct value by a Python function; NULL stays NULL."""
    import pyarrow as pa

    encoded = array.dictionary_encode()
    made = pa.array([function(value) for value in encoded.dictionary.to_pylist()], to)
    return made.take(encoded.indices)


def with_flags(
    array: pa.Array, function: Callable[[Any], tuple[Any, bool]], to: pa.DataType
) -> tuple[pa.Array, pa.Array]:
    """Do as `per_distinct` does with a function that gives a value and whether it changed it."""
    import pyarrow as pa

    encoded = array.dictionary_encode()
    made = [function(value) for value in encoded.dictionary.to_pylist()]
    values = pa.array([value for value, _ in made], to)
    flags = pa.array([flag for _, flag in made], pa.bool_())
    return values.take(encoded.indices), sure(flags.take(encoded.indices))


def replaced(values: pa.Array, mask: pa.Array, constant: Any, to: ColumnType) -> pa.Array:
    """Return `values`, which are NULL where `mask` is true, with a constant there."""
    import pyarrow.compute as pc

    if constant is None:
        return values
    return pc.if_else(mask, constants.scalar(constant, to), values)


def finished(
    values: pa.Array,
    source: pa.Array,
    *,
    to: ColumnType,
    reason: str,
    otherwise: Any = REFUSE,
    changed: pa.Array | None = None,
) -> Outcome:
    """Make the outcome of a conversion that left NULL where it could not convert.

    Parameters
    ----------
    values, source : pa.Array
        After and before.
    to : ColumnType
        Of `values`.
    otherwise : constant or REFUSE
        What stands where the conversion failed; counted as changed.
    """
    import pyarrow.compute as pc

    bad = lost(values, source)
    if not pc.any(bad, min_count=0).as_py():
        return Outcome(values, changed=changed)
    if changed is not None:
        changed = pc.and_not(changed, bad)
    if otherwise is REFUSE:
        return Outcome(values, changed=changed, refused=bad, reason=reason)
    return Outcome(replaced(values, bad, otherwise, to), changed=merged(changed, bad))
