"""`rules.split`: one text → several, one new row for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from migrators.rules import columns
from migrators.rules.base import Outcome, Rule
from migrators.rules.signatures import reads_text
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa


def split(
    x: Any,
    separator: str,
    *,
    strip: bool = True,
    drop_empty: bool = True,
    unique: bool = True,
) -> Rule:
    """Split delimited text: the mapping gets one new row for each element.

    Counted are the rows where an element was stripped, or left out because it was empty or
    there already. NULL gives no new row.

    Parameters
    ----------
    x : expression or rule
    separator : str
    strip : bool
        Take white space off both ends of each element.
    drop_empty : bool
        Leave empty elements out.
    unique : bool
        Leave elements out that the row has had already, by bytes; the first one stays.

    Examples
    --------
    >>> show(rules.split(["web,db", "web, db,,web", None], ","))
    'web,db'       -> ['web', 'db']
    'web, db,,web' -> ['web', 'db']   (changed)
    None           -> None
    """
    if not separator:
        msg = "rules.split: the separator is empty"
        raise ValueError(msg)
    return Split((x,), separator, strip, drop_empty, unique)


@dataclass(frozen=True)
class Split(Rule):
    """Delimited text → list of texts."""

    separator: str = ","
    strip: bool = True
    drop_empty: bool = True
    unique: bool = True
    name: ClassVar[str] = "split"
    explodes: ClassVar[bool] = True

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the type of the elements: text."""
        reads_text(self.name, inputs[0])
        return target if target.kind is Kind.TEXT else ColumnType(Kind.TEXT)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],  # noqa: ARG002
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Split; `values` are lists of strings, NULL where the text was."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        lists = pc.split_pattern(arrays[0], self.separator)
        row = pc.list_parent_indices(lists).to_numpy()
        raw = lists.flatten()
        parts = pc.utf8_trim_whitespace(raw) if self.strip else raw
        kept = self._kept(parts, row)
        touched = ~kept | columns.differs(parts, raw).to_numpy(zero_copy_only=False)
        changed = np.zeros(len(lists), dtype=bool)
        changed[row[touched]] = True
        ends = np.cumsum(np.bincount(row[kept], minlength=len(lists)))
        offsets = pa.array(np.concatenate(([0], ends)), pa.int32())
        mask = pc.is_null(arrays[0]) if arrays[0].null_count else None
        values = pa.ListArray.from_arrays(offsets, parts.filter(pa.array(kept)), mask=mask)
        return Outcome(values, changed=pa.array(changed))

    def _kept(self, parts: pa.Array, row: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Which elements stay."""
        import numpy as np
        import pyarrow.compute as pc

        kept = np.ones(len(parts), dtype=bool)
        if self.drop_empty:
            kept = pc.greater(pc.binary_length(parts), 0).to_numpy(zero_copy_only=False).copy()
        if self.unique and len(parts):
            encoded = parts.dictionary_encode()
            codes = encoded.indices.to_numpy().astype(np.int64)
            pairs = row.astype(np.int64) * len(encoded.dictionary) + codes
            _, at = np.unique(pairs, return_index=True)
            first = np.zeros(len(parts), dtype=bool)
            first[at] = True
            kept &= first
        return kept
