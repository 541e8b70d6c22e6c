"""`rules.timestamp`, `rules.date`, `rules.time`: points in time, and what zone they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from migrators.rules import columns, moments, zones
from migrators.rules.base import REFUSE, Outcome, Rule
from migrators.rules.signatures import TEXTS, checked, reads
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

Unit = Literal["s", "ms", "us", "julian"]

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
_TIMES = (Kind.TIMESTAMP, Kind.INSTANT)


def timestamp(
    x: Any,
    zone: str | None = None,
    *,
    unit: Unit | None = None,
    format: str | None = None,  # noqa: A002  strptime's own word
    ambiguous: Literal["refuse", "earlier", "later"] = "refuse",
    nonexistent: Literal["refuse", "forward"] = "refuse",
    otherwise: Any = REFUSE,
) -> Rule:
    """Text, number, date or timestamp → timestamp, with or without a zone.

    The new column says which: `DateTime` holds what a clock showed, and
    `DateTime(timezone=True)` an instant. From the one to the other only with `zone`.
    Text is ISO 8601: a date, or a date and a time to the minute, second or microsecond,
    with or without an offset. Years are 0001 to 9999; nanoseconds are refused.

    Parameters
    ----------
    x : expression or rule
    zone : str
        Zone of the clock, "Europe/Berlin": where a time without a zone was taken, or
        where the new column's clock stands.
    unit : "s", "ms", "us" or "julian"
        Of a number: since 1970-01-01 00:00 UTC, or a julian day as SQLite writes it. A
        float is read to the nearest microsecond (julian: millisecond), and counted where
        it was not that.
    format : str
        Of text, as `datetime.strptime` reads it: "%d.%m.%Y %H:%M".
    ambiguous : "refuse", "earlier" or "later"
        A time that the clocks showed twice; counted.
    nonexistent : "refuse" or "forward"
        A time that the clocks skipped: "forward" takes the first moment after; counted.
    otherwise : constant
        Stands for what cannot be converted; counted.

    Examples
    --------
    >>> show(rules.timestamp(["2021-07-01 12:00", "2021-10-31 02:30"], zone="Europe/Berlin"),
    ...      to="instant")
    '2021-07-01 12:00' -> 2021-07-01 10:00:00+00:00
    '2021-10-31 02:30' refused: is not one moment in Europe/Berlin

    >>> show(rules.timestamp([1577934245], unit="s"), to="instant")
    1577934245 -> 2020-01-02 03:04:05+00:00

    >>> show(rules.timestamp(["29.02.2024", "30.02.2024"], format="%d.%m.%Y"), to="timestamp")
    '29.02.2024' -> 2024-02-29 00:00:00
    '30.02.2024' refused: is not a timestamp
    """
    if zone is not None:
        zones.known(zone)
    if format is not None:
        moments.whole_format(format)
    _one_of("unit", unit, (None, "s", "ms", "us", "julian"))
    _one_of("ambiguous", ambiguous, ("refuse", "earlier", "later"))
    _one_of("nonexistent", nonexistent, ("refuse", "forward"))
    return Timestamp((x,), zone, unit, format, ambiguous, nonexistent, otherwise)


def date(x: Any, *, truncate: bool = False, otherwise: Any = REFUSE) -> Rule:
    """Text or timestamp → date.

    A time of day other than midnight is refused unless `truncate` is given. The day of an
    instant depends on where one is: wrap it in `rules.timestamp(x, zone=...)`.

    Parameters
    ----------
    x : expression or rule
    truncate : bool
        Leave the time of day out; counted.
    otherwise : constant
        Stands for what is no date; counted.

    Examples
    --------
    >>> show(rules.date(["2024-02-29", "2023-02-29", "2024-02-29 12:00"]))
    '2024-02-29'       -> 2024-02-29
    '2023-02-29'       refused: is not a date
    '2024-02-29 12:00' refused: is not a date

    >>> show(rules.date([datetime(2024, 2, 29, 12)], truncate=True))
    2024-02-29 12:00:00 -> 2024-02-29   (changed)
    """
    return Date((x,), truncate, otherwise)


def time(x: Any, otherwise: Any = REFUSE) -> Rule:
    """Text or timestamp → time of day.

    Text is `HH:MM`, `HH:MM:SS` or with up to six decimals; 24:00 is refused. A timestamp
    loses its day, so each row is counted as changed.

    Parameters
    ----------
    x : expression or rule
    otherwise : constant
        Stands for what is no time of day; counted.

    Examples
    --------
    >>> show(rules.time(["23:59:59.5", "24:00:00"]))
    '23:59:59.5' -> 23:59:59.500000
    '24:00:00'   refused: is not a time of day
    """
    return Time((x,), otherwise)


def _one_of(name: str, given: Any, known: Sequence[Any]) -> None:
    if given not in known:
        listed = ", ".join(repr(one) for one in known if one is not None)
        msg = f"{name}={given!r}: one of {listed}"
        raise ValueError(msg)


@dataclass(frozen=True)
class Timestamp(Rule):
    """Text, number, date or timestamp → timestamp or instant."""

    zone: str | None = None
    unit: Unit | None = None
    format: str | None = None
    ambiguous: str = "refuse"
    nonexistent: str = "refuse"
    otherwise: Any = REFUSE
    name: ClassVar[str] = "timestamp"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return instant or timestamp, as the new column is declared.

        Inside another rule: timestamp if a zone brings numbers and instants to a clock or
        if nothing has a zone, instant otherwise.
        """
        given = inputs[0]
        reads(self.name, given, *TEXTS, *_NUMBERS, Kind.DATE, *_TIMES)
        kind = target.kind if target.kind in _TIMES else self._natural(given)
        if problem := self._problem(given, kind):
            msg = f"rules.timestamp: {problem}"
            raise TypeError(msg)
        return checked(ColumnType(kind), self.name, self.otherwise)

    def _natural(self, given: ColumnType) -> Kind:
        aware = given.kind is Kind.INSTANT or given.kind in _NUMBERS
        aware |= self.format is not None and moments.has_offset(self.format)
        return Kind.INSTANT if aware == (self.zone is None) else Kind.TIMESTAMP

    def _problem(self, given: ColumnType, kind: Kind) -> str:
        """Say what makes no sense, and what to write; nothing if all is well."""
        number = given.kind in _NUMBERS
        if number and self.unit is None:
            return f'{given} needs a unit: unit="s", "ms", "us" or "julian"'
        if self.unit is not None and not number:
            return f"unit= is for numbers, not for {given}; write rules.integer(...) around text"
        if self.format is not None and given.kind not in TEXTS:
            return f"format= is for text, not for {given}"
        if given.kind in (Kind.DATE, Kind.TIMESTAMP):
            return self._zone_of_clock(given, kind)
        if given.kind is Kind.INSTANT or number:
            return self._zone_of_moment(given, kind)
        return ""

    def _zone_of_clock(self, given: ColumnType, kind: Kind) -> str:
        if kind is Kind.INSTANT and self.zone is None:
            return f'a {given} has no zone and the new column has: zone="Europe/Berlin" says which'
        if kind is Kind.TIMESTAMP and self.zone is not None:
            return f"neither a {given} nor the new column has a zone: leave zone= out"
        return ""

    def _zone_of_moment(self, given: ColumnType, kind: Kind) -> str:
        if kind is Kind.TIMESTAMP and self.zone is None:
            return f'{given} is a moment, and the new column a clock: zone="UTC" says where'
        if kind is Kind.INSTANT and self.zone is not None:
            return f"{given} is a moment already: leave zone= out"
        return ""

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Read, then bring to the zone."""
        import pyarrow.compute as pc

        from migrators.types.text import outside_years

        to = self.result(inputs, target)
        naive, aware, rounded = self._read(arrays[0], inputs[0])
        readable = pc.coalesce(naive.cast("int64"), aware.cast("int64"))
        failed = pc.any(columns.lost(readable, arrays[0]), min_count=0).as_py()
        values, resolved = self._zoned(naive, aware, to.kind)
        values = columns.where(pc.invert(outside_years(values)), values)
        return columns.finished(
            values,
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            changed=columns.merged(rounded, resolved),
            reason="is not a timestamp" if failed else self._unzoned(to.kind),
        )

    def _read(
        self, array: pa.Array, given: ColumnType
    ) -> tuple[pa.Array, pa.Array, pa.Array | None]:
        """Return clock times, moments (NULL where it is the other), and which were rounded."""
        import pyarrow as pa

        if given.kind in TEXTS:
            read = moments.formatted(array, self.format) if self.format else moments.iso(array)
            return *read, None
        rounded = None
        if given.kind in _NUMBERS:
            array, rounded = moments.numbered(array, given, self.unit or "s")
        if array.type == pa.timestamp("us", "UTC"):
            return pa.nulls(len(array), pa.timestamp("us")), array, rounded
        return array.cast(pa.timestamp("us")), pa.nulls(len(array), pa.timestamp("us", "UTC")), None

    def _zoned(
        self, naive: pa.Array, aware: pa.Array, kind: Kind
    ) -> tuple[pa.Array, pa.Array | None]:
        """Everything as `kind`, NULL where that takes a zone that is not given."""
        import pyarrow.compute as pc

        if kind is Kind.INSTANT:
            if self.zone is None:
                return aware, None
            made, resolved = zones.instants(naive, self.zone, self.ambiguous, self.nonexistent)
            return pc.coalesce(aware, made), resolved
        if self.zone is None:
            return naive, None
        return pc.coalesce(naive, zones.local_times(aware, self.zone)), None

    def _unzoned(self, kind: Kind) -> str:
        """Why a time that could be read has no result."""
        if self.zone is not None:
            return f"is not one moment in {self.zone}"
        if kind is Kind.INSTANT:
            return "has no zone, and no zone= is given"
        return "has a zone, and the new column has none"


@dataclass(frozen=True)
class Date(Rule):
    """Text or timestamp → date."""

    truncate: bool = False
    otherwise: Any = REFUSE
    name: ClassVar[str] = "date"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return date."""
        instead = "write rules.timestamp(...) around it, with its zone= or unit="
        reads(self.name, inputs[0], *TEXTS, Kind.TIMESTAMP, Kind.DATE, instead=instead)
        return checked(ColumnType(Kind.DATE), self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Read as a timestamp, and look at the time of day."""
        import pyarrow as pa
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        read = arrays[0]
        if inputs[0].kind in TEXTS:
            read, _ = moments.iso(read)
        days = pc.floor_temporal(read, unit="day").cast(pa.date32())
        cut = columns.differs(days.cast(pa.timestamp("us")), read.cast(pa.timestamp("us")))
        values = days if self.truncate else columns.where(pc.invert(cut), days)
        return columns.finished(
            values,
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            changed=cut if self.truncate else None,
            reason="is not a date",
        )


@dataclass(frozen=True)
class Time(Rule):
    """Text or timestamp → time of day."""

    otherwise: Any = REFUSE
    name: ClassVar[str] = "time"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return time."""
        instead = "write rules.timestamp(...) around it, with its zone= or unit="
        reads(self.name, inputs[0], *TEXTS, Kind.TIMESTAMP, Kind.TIME, instead=instead)
        return checked(ColumnType(Kind.TIME), self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Read text on some day, as `types.text` does, and leave the day out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        array, changed = arrays[0], None
        if inputs[0].kind is Kind.TIMESTAMP:
            changed = pc.is_valid(array)
        if inputs[0].kind in TEXTS:
            clock = columns.where(columns.matches(array, r"[0-9]{2}:.*"), array)
            array, _ = moments.iso(pc.binary_join_element_wise("1970-01-01", clock, " "))
        return columns.finished(
            array.cast(pa.time64("us")),
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            changed=changed,
            reason="is not a time of day",
        )
