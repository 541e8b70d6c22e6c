"""`rules.decimal`: numbers into the declared digits, never through a float."""

from __future__ import annotations

import decimal as python
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from migrators.rules import columns
from migrators.rules.base import REFUSE, Outcome, Rule
from migrators.rules.numbers import grouped, separator
from migrators.rules.signatures import TEXTS, checked, reads
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

Rounding = Literal["half_even", "half_up", "down"]

_ROUNDING = {
    "half_even": python.ROUND_HALF_EVEN,
    "half_up": python.ROUND_HALF_UP,
    "down": python.ROUND_DOWN,
}
_FITS = "has more digits than"
_SHAPE = "is not a decimal number"


def decimal(
    x: Any,
    thousands: str = "",
    point: str = ".",
    rounding: Rounding | None = None,
    otherwise: Any = REFUSE,
) -> Rule:
    """Text, integer, float or decimal → the new column's decimal(precision, scale).

    Digits beyond the scale are refused unless they are zeros or `rounding` is given; too
    many before the point always are. A float counts as its shortest form, `0.1` as 0.1,
    so `0.1 + 0.2` is refused where `0.30` is meant. Text has no exponent.

    Parameters
    ----------
    x : expression or rule
    thousands : str
        Separator of groups of three digits; separated numbers are counted as changed.
    point : str
        The decimal point in text.
    rounding : "half_even", "half_up" or "down"
        What to do with digits beyond the scale; counted. Halves go to the even digit,
        away from zero; "down" cuts towards zero.
    otherwise : constant
        Stands where there is no such decimal; counted.

    Examples
    --------
    >>> show(rules.decimal(["1.2", "1.239", "12345"]), to="decimal(5,2)")
    '1.2'   -> 1.20
    '1.239' refused: has more digits than decimal(5,2)
    '12345' refused: has more digits than decimal(5,2)

    >>> show(rules.decimal(["1.234,5", "0,125"], thousands=".", point=",",
    ...                    rounding="half_even"), to="decimal(8,2)")
    '1.234,5' -> 1234.50   (changed)
    '0,125'   -> 0.12   (changed)
    """
    separator(thousands, point)
    if rounding is not None and rounding not in _ROUNDING:
        msg = f"rounding={rounding!r}: one of {', '.join(_ROUNDING)}"
        raise ValueError(msg)
    return Decimal((x,), thousands, point, rounding, otherwise)


@dataclass(frozen=True)
class Decimal(Rule):
    """Text, integer, float or decimal → decimal(precision, scale)."""

    thousands: str = ""
    point: str = "."
    rounding: Rounding | None = None
    otherwise: Any = REFUSE
    name: ClassVar[str] = "decimal"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the new column's type, which must be a decimal: it says how many digits."""
        reads(self.name, inputs[0], *TEXTS, Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL)
        if target.kind is not Kind.DECIMAL:
            msg = f"rules.decimal fills a decimal column, which says how many digits, not {target}"
            raise TypeError(msg)
        return checked(target, self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Convert what the declared digits hold, rounding where the step says so."""
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        texts, grouping = self._texts(arrays[0], inputs[0])
        values, rounded = _digits(texts, to, self.rounding)
        failed = pc.any(columns.lost(texts, arrays[0]), min_count=0).as_py()
        return columns.finished(
            values,
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            changed=columns.merged(grouping, rounded),
            reason=_SHAPE if failed else f"{_FITS} {to}",
        )

    def _texts(self, array: pa.Array, given: ColumnType) -> tuple[pa.Array, pa.Array | None]:
        """Numbers as text, NULL for what is none, and which had separators."""
        if given.kind in TEXTS:
            return self._plain(array)
        from migrators.types.text import to_text

        texts = to_text(array, given)
        if given.kind is Kind.FLOAT:
            return columns.where(columns.matches(texts, "[^naif]+"), texts), None
        return texts, None

    def _plain(self, texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        import pyarrow.compute as pc

        digits, point = grouped(self.thousands), re.escape(self.point)
        form = f"[+-]?(?:{digits}(?:{point}[0-9]+)?|{point}[0-9]+)"
        plain = columns.where(columns.matches(texts, form), texts)
        changed = None
        if self.thousands:
            changed = columns.sure(pc.match_substring(plain, self.thousands))
            plain = pc.replace_substring(plain, self.thousands, "")
        return pc.replace_substring(plain, self.point, "."), changed


def _digits(
    texts: pa.Array, to: ColumnType, rounding: Rounding | None
) -> tuple[pa.Array, pa.Array | None]:
    """Values, NULL for what does not fit; those that fit as they are go by Arrow alone."""
    import pyarrow.compute as pc

    before = to.precision - to.scale
    form = rf"[+-]?0*[0-9]{{0,{before}}}(?:\.[0-9]{{0,{to.scale}}}0*)?"
    exact = columns.matches(texts, form)
    short = pc.replace_substring_regex(
        columns.where(exact, texts), rf"(\.[0-9]{{{to.scale}}})0*\z|\.\z", r"\1"
    )
    short = pc.replace_substring_regex(short, r"\A([+-]?)0*([0-9])", r"\1\2")
    values = short.cast(to.arrow)
    if values.null_count == texts.null_count:
        return values, None
    rest, rounded = columns.with_flags(
        columns.where(pc.invert(exact), texts), lambda text: _one(text, to, rounding), to.arrow
    )
    return pc.coalesce(values, rest), rounded


def _one(text: str, to: ColumnType, rounding: Rounding | None) -> tuple[Any, bool]:
    """One number whose digits are not those of the type as they stand."""
    number = python.Decimal(text)
    room = max(number.adjusted(), 0) + abs(to.scale) + len(text) + 2
    context = python.Context(prec=room, rounding=_ROUNDING[rounding or "down"])
    unit = python.Decimal(1).scaleb(-to.scale)
    found = number.quantize(unit, context=context)
    if abs(found) >= python.Decimal(10) ** (to.precision - to.scale):
        return None, False
    changed = found != number
    return (None, False) if changed and rounding is None else (found, changed)
