"""What a rule is: a frozen value that computes one Arrow column from others, and counts.

`plan` binds a rule: its `inputs` (SQLAlchemy expressions or further rules) become
positions in the rows that the old server returned, so that a bound rule is plain data
and can be sent to another process. `extract` evaluates it batch by batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from migrators.types import ColumnType


class _Refuse:
    """The default of `otherwise`: a value that the rule cannot convert stops the run."""

    def __repr__(self) -> str:
        return "REFUSE"

    def __reduce__(self) -> str:
        return "REFUSE"  # unpickled as the same object


REFUSE = _Refuse()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule made of one batch.

    Attributes
    ----------
    values : pa.Array
        As long as the inputs, of the Arrow type that `Rule.result` declared.
    changed : pa.Array of bool, or None
        True where the rule gave another value than a plain exact conversion would
        have: filled, trimmed, replaced, rounded. Counted in the receipt.
    refused : pa.Array of bool, or None
        True where there is no exact result. One such row stops the run.
    reason : str
        Why they were refused: "is not an integer".
    """

    values: pa.Array
    changed: pa.Array | None = None
    refused: pa.Array | None = None
    reason: str = ""


@dataclass(frozen=True)
class Rule(ABC):
    """One conversion, written in a step as `rules.integer(old.t.c.x, thousands=",")`.

    Subclasses are frozen dataclasses whose fields are plain, picklable options. The
    constructor functions in `migrators.rules` are what users call.

    Attributes
    ----------
    inputs : tuple
        SQLAlchemy expressions, constants' literals or rules; emptied when bound.
    """

    inputs: tuple[Any, ...]
    name: ClassVar[str] = ""
    """What the step calls it: "integer"."""
    explodes: ClassVar[bool] = False
    """Whether it gives a list per row (`rules.split`), one new row per element."""

    @abstractmethod
    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the type of what `apply` gives; raise TypeError, saying what fits instead.

        Parameters
        ----------
        inputs : sequence of ColumnType
            Types of the inputs, in order.
        target : ColumnType
            Type of the new column that the outermost rule fills. An inner rule gets it
            too and may ignore it.
        """

    @abstractmethod
    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],
    ) -> Outcome:
        """Compute one batch.

        Parameters
        ----------
        arrays : sequence of pa.Array
            One per input, equally long, of the inputs' Arrow types.
        inputs, target : as in `result`
        maps : mapping
            What had to be read first (lookups, key maps), by name.
        """
