"""Which cells of a query are not what is declared: counted exactly, with sample keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrators.backends.sqlite import sql
from migrators.backends.sqlite.scan import clean
from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from migrators.backends.interface import ReadColumn, ReadQuery

SAMPLES = 5
_LONGEST = 60
_HINT = (
    "correct the rows; or declare in the old schema module what the column really holds,",
    "and convert it in the step with a rule",
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
            with_values(self.reason, self.samples),
            count=self.count,
            samples=self.samples,
            hint=_HINT,
        )


def with_values(reason: str, samples: Sequence[tuple[str, str]]) -> str:
    """Return a reason with the first values that it holds for."""
    values = list(dict.fromkeys(value for _, value in samples))[:2]
    return f"{reason}: {', '.join(values)}" if values else reason


def wrong_class(
    query: ReadQuery, rows: Callable[[str], list[tuple[Any, ...]]]
) -> ValueRefused | None:
    """Return the refusal of the first column with cells of another storage class.

    Parameters
    ----------
    rows : callable
        Runs SQL in the same snapshot.
    """
    for column in query.columns:
        cell = sql.name(column.name)
        where = f"FROM ({query.sql}) WHERE NOT {clean(column, cell)}"
        kinds = rows(f"SELECT typeof({cell}), count(*) {where} GROUP BY 1 ORDER BY 2 DESC, 1")
        if kinds:
            return _refused(query, column, kinds, rows(_samples(query, cell, where)))
    return None


def _samples(query: ReadQuery, cell: str, where: str) -> str:
    cells = [*(sql.name(label) for label in query.key), _cut(cell)]
    return f"SELECT {', '.join(cells)} {where} LIMIT {SAMPLES}"


def _cut(cell: str) -> str:
    """SQL: the beginning of a long text or blob."""
    return (
        f"CASE WHEN typeof({cell}) IN ('text', 'blob') THEN substr({cell}, 1, 80) ELSE {cell} END"
    )


def _refused(
    query: ReadQuery,
    column: ReadColumn,
    kinds: Sequence[tuple[str, int]],
    found: Sequence[tuple[Any, ...]],
) -> ValueRefused:
    told = " or ".join(kind for kind, _ in kinds)
    tally = Tally(
        column.table,
        column.source or column.name,
        f"is {told} where {column.type} is declared",
        sum(count for _, count in kinds),
        [(key_text(key_names(query), row[:-1]), shown(row[-1])) for row in found],
    )
    return tally.error()
