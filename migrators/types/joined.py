"""Several values as one text that no others have: what rows and keys are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import ColumnType, Kind, text

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT = ColumnType(Kind.TEXT)


def joined(arrays: Sequence[pa.Array], types: Sequence[ColumnType]) -> pa.Array:
    """Return each row's values as `length:text`, one after the other, NULL as `~`.

    Lengths are in bytes, so that no value can look like two.

    Parameters
    ----------
    arrays : sequence of pa.Array
        One at least, of the Arrow types of `types`.
    """
    texts = [text.to_text(a, t) for a, t in zip(arrays, types, strict=True)]
    return pc.binary_join_element_wise(*map(_marked, texts), "")


def keys(arrays: Sequence[pa.Array], types: Sequence[ColumnType]) -> pa.Array:
    """Return each row's key, `joined`; NULL where a part of it is NULL, which equals nothing.

    Equal values are equal texts, also of a child's and a parent's column of another scale.
    """
    texts = [_comparable(a, t) for a, t in zip(arrays, types, strict=True)]
    whole = texts[0].is_valid()
    for other in texts[1:]:
        whole = pc.and_(whole, other.is_valid())
    # No NULL scalar: it corrupts slices of strings before pyarrow 24 (apache/arrow#49410).
    return pc.if_else(whole, joined(texts, [_TEXT] * len(texts)), pa.nulls(len(whole), pa.string()))


def _comparable(array: pa.Array, declared: ColumnType) -> pa.Array:
    found = text.to_text(array, declared)
    if declared.kind is Kind.DECIMAL:
        found = pc.replace_substring_regex(found, r"(\.\d*?)0+$", r"\1")
        found = pc.utf8_rtrim(found, ".")
    return found


def _marked(texts: pa.Array) -> pa.Array:
    lengths = pc.binary_length(texts).cast(pa.string())
    marked = pc.binary_join_element_wise(lengths, texts, ":")
    return pc.fill_null(marked, "~")
