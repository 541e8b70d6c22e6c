"""Several values as one text that no others have: what rows and keys are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.types import ColumnType


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


def _marked(texts: pa.Array) -> pa.Array:
    lengths = pc.binary_length(texts).cast(pa.string())
    marked = pc.binary_join_element_wise(lengths, texts, ":")
    return pc.fill_null(marked, "~")
