"""What a refusal says: which cells, how many, sample keys. Asked by every database's part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from migrators.backends.interface import ReadQuery

SAMPLES = 5
_LONGEST = 60
_HINT = (
    "correct the rows; or declare in the old schema module what the column really holds,",
    "and convert it in the step with a rule",
)

_OF_SQL = (
    "SQL gives other values here than the step says: read the old columns as their schema",
    "declares them, and convert them by a rule of the step",
)


def shown(value: Any) -> str:
    """Return a value as one line of plain text: escaped, bytes as hex, cut."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return f"x'{value[:_LONGEST].hex()}'"
    text = value if isinstance(value, str) else str(value)
    return text.encode("unicode_escape").decode()[:_LONGEST]


def key_text(labels: Sequence[str], values: Sequence[Any]) -> str:
    """Return how a row is named: `id 7`, or `a 1, b 2`."""
    return ", ".join(f"{n} {shown(v)}" for n, v in zip(labels, values, strict=True))


def key_names(query: ReadQuery) -> list[str]:
    """Return the names that people know the key's columns by."""
    named = {column.name: column.source or column.name for column in query.columns}
    return [named[label] for label in query.key]


@dataclass
class Tally:
    """Refused cells of one column, counted over batches."""

    table: str
    column: str
    reason: str
    count: int = 0
    samples: list[tuple[str, str]] = field(default_factory=list)

    def add(self, mask: pa.Array, sample: Callable[[int], tuple[str, str]]) -> None:
        """Count what a batch's mask marks; `sample` names row i of the batch."""
        rows = [i for i, marked in enumerate(mask.to_pylist()) if marked]
        self.count += len(rows)
        self.samples += [sample(i) for i in rows[: SAMPLES - len(self.samples)]]

    def error(self) -> ValueRefused:
        """Return what to raise."""
        return ValueRefused(
            self.table,
            self.column,
            self.reason,
            count=self.count,
            samples=self.samples,
            hint=_HINT if self.table else _OF_SQL,
        )
