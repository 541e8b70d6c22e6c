"""`rules.timestamp`, `rules.date` and `rules.time`."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrators import rules
from tests.unit.rules.applied import applied, at, values

_BERLIN = "Europe/Berlin"
_FOLD = at("2021-10-31 02:30")
_GAP = at("2021-03-28 02:30")
_NAIVE = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))  # noqa: DTZ001


def test_c31_fold_and_gap_are_refused() -> None:
    """FAULTS C31: a time that the clocks showed twice, or never, is refused by its row."""
    got = applied(rules.timestamp([_FOLD, _GAP, at("2021-07-01 12:00"), None], _BERLIN), "instant")
    assert [None, None, at("2021-07-01 10:00+00:00"), None] == got.values
    assert ([0, 1], f"is not one moment in {_BERLIN}") == (got.refused, got.reason)


@pytest.mark.parametrize(("side", "expected"), [("earlier", "00:30"), ("later", "01:30")])
def test_c31_fold_resolved_by_the_step(side: Any, expected: str) -> None:
    """FAULTS C31: `ambiguous` takes one of both moments and counts it; the gap stays refused."""
    rule = rules.timestamp([_FOLD, _GAP, at("2021-10-31 03:00")], _BERLIN, ambiguous=side)
    got = applied(rule, "instant")
    assert [at(f"2021-10-31 {expected}+00:00"), None, at("2021-10-31 02:00+00:00")] == got.values
    assert (got.changed, got.refused) == ([0], [1])


def test_c31_gap_resolved_by_the_step() -> None:
    """FAULTS C31: `nonexistent="forward"` takes the first moment after the gap, counted."""
    rule = rules.timestamp([_GAP, _FOLD], _BERLIN, nonexistent="forward")
    got = applied(rule, "instant")
    assert [at("2021-03-28 01:00+00:00"), None] == got.values
    assert (got.changed, got.refused) == ([0], [1])


def test_c31_the_session_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS C31: the process's own zone changes nothing."""
    rule = rules.timestamp(["2021-07-01 12:00", "2021-07-01T12:00:00Z"], _BERLIN)
    expected = [at("2021-07-01 10:00+00:00"), at("2021-07-01 12:00+00:00")]
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert expected == values(rule, "instant")


def test_c32_naive_stays_naive() -> None:
    """FAULTS C32: text without a zone into a column without one is the same clock time."""
    texts = ["2021-07-01 12:00:00.000001", "2021-07-01T12:00", "2021-07-01", None]
    expected = [at("2021-07-01 12:00:00.000001"), at("2021-07-01 12:00"), at("2021-07-01"), None]
    assert expected == values(rules.timestamp(texts), "timestamp")


def test_c33_aware_into_naive_is_refused() -> None:
    """FAULTS C33: as a column when the step is planned, as text by row."""
    with pytest.raises(TypeError, match='zone="UTC" says where'):
        applied(rules.timestamp([at("2021-07-01 12:00+00:00")]), "timestamp")
    got = applied(rules.timestamp(["2021-07-01 12:00Z", "2021-07-01 12:00"]), "timestamp")
    assert ([None, at("2021-07-01 12:00")], [0]) == (got.values, got.refused)
    assert got.reason == "has a zone, and the new column has none"


def test_c33_aware_into_naive_at_a_declared_place() -> None:
    """FAULTS C33: with `zone` it is the local time there, both times of a fold too."""
    moments = [at("2021-10-31 00:30+00:00"), at("2021-10-31 01:30+00:00"), None]
    assert values(rules.timestamp(moments, _BERLIN), "timestamp") == [_FOLD, _FOLD, None]


def test_c34_naive_into_aware_is_refused() -> None:
    """FAULTS C34: without a declared zone nothing is assumed, neither UTC nor the session's."""
    with pytest.raises(TypeError, match='zone="Europe/Berlin" says which'):
        applied(rules.timestamp([_FOLD]), "instant")
    got = applied(rules.timestamp(["2021-07-01 12:00", "2021-07-01 12:00+02:00"]), "instant")
    assert ([None, at("2021-07-01 10:00+00:00")], [0]) == (got.values, got.refused)
    assert got.reason == "has no zone, and no zone= is given"


def test_c37_years_beyond_four_digits_are_refused() -> None:
    """FAULTS C37: year 0, 10000, BC, and what a zone moves out of 9999."""
    texts = ["0000-01-01", "10000-01-01", "-0001-01-01", "0001-01-01", "9999-12-31 23:59:59.999999"]
    got = applied(rules.timestamp(texts), "timestamp")
    assert (got.refused, [i for i, v in enumerate(got.values) if v]) == ([0, 1, 2], [3, 4])
    got = applied(rules.timestamp(["9999-12-31 23:59"], "America/New_York"), "instant")
    assert (got.values, got.refused) == ([None], [0])


def test_c38_zero_dates_are_refused() -> None:
    """FAULTS C38: 0000-00-00 and 2023-00-00 are no dates."""
    texts = ["0000-00-00", "2023-00-00", "0000-00-00 00:00:00", "2023-02-30"]
    assert applied(rules.timestamp(texts), "timestamp").refused == [0, 1, 2, 3]
    assert applied(rules.date(texts), "date").refused == [0, 1, 2, 3]


def test_c38_zero_dates_by_rule() -> None:
    """FAULTS C38: NULL, or a day, by what the step says; counted."""
    texts = ["0000-00-00", "2023-01-02"]
    got = applied(rules.date(rules.null_if(texts, "0000-00-00")), "date")
    assert ([None, dt.date(2023, 1, 2)], [0], []) == (got.values, got.changed, got.refused)
    got = applied(rules.date(texts, otherwise=dt.date(1970, 1, 1)), "date")
    assert ([dt.date(1970, 1, 1), dt.date(2023, 1, 2)], [0]) == (got.values, got.changed)


def test_c40_nanoseconds_are_refused() -> None:
    """FAULTS C40: seven decimals are not cut to six, in text or in numbers."""
    got = applied(rules.timestamp(["2021-07-01 12:00:00.1234567", "2021-07-01 12:00:00.123456"]))
    assert got.refused == [0]
    numbers = [Decimal("1.0000001"), Decimal("1.0000010")]
    got = applied(rules.timestamp(numbers, unit="s"), "instant")
    assert ([None, at("1970-01-01 00:00:01.000001+00:00")], [0]) == (got.values, got.refused)


def test_c41_twenty_four_hours_is_refused() -> None:
    """FAULTS C41: 24:00:00 and negative times are no times of day."""
    got = applied(
        rules.time(["24:00:00", "-00:30:00", "23:59:59.999999", "23:59", None, "2"]), "time"
    )
    expected = [None, None, dt.time(23, 59, 59, 999999), dt.time(23, 59), None, None]
    assert (expected, [0, 1, 5]) == (got.values, got.refused)


def test_c43_mixed_forms_are_refused_unless_declared() -> None:
    """FAULTS C43: unix numbers among ISO texts are refused; a column of one kind says its unit."""
    got = applied(
        rules.timestamp(["2020-01-02 03:04:05", "1577934245", "2458850.627835"]), "timestamp"
    )
    assert got.refused == [1, 2]
    with pytest.raises(TypeError, match="needs a unit"):
        applied(rules.timestamp([1577934245]), "instant")
    when = at("2020-01-02 03:04:05+00:00")
    assert [when, None] == values(rules.timestamp([1577934245, None], unit="s"), "instant")
    assert [when] == values(rules.timestamp([1577934245000], unit="ms"), "instant")
    assert [when] == values(rules.timestamp([1577934245000000], unit="us"), "instant")
    local = values(rules.timestamp(rules.integer(["1577934245"]), "UTC", unit="s"), "timestamp")
    assert [at("2020-01-02 03:04:05")] == local


def test_c43_julian_days_to_the_millisecond() -> None:
    """FAULTS C43: a whole millisecond is exact, what lies between is counted, NaN is refused."""
    days = [2440587.5, 2440587.500000005, float("nan"), 1e12, None]
    got = applied(rules.timestamp(days, unit="julian"), "instant")
    epoch = at("1970-01-01 00:00+00:00")
    assert [epoch, epoch, None, None, None] == got.values
    assert (got.changed, got.refused) == ([1], [2, 3])
    assert [epoch] == values(rules.timestamp([Decimal("2440587.5")], unit="julian"), "instant")


@settings(deadline=None, derandomize=True)
@given(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)))  # noqa: DTZ001
def test_c43_julian_days_that_sqlite_wrote(stamp: dt.datetime) -> None:
    """FAULTS C43: what SQLite's julianday() made of a millisecond is that millisecond again."""
    stamp = stamp.replace(microsecond=stamp.microsecond // 1000 * 1000)
    with contextlib.closing(sqlite3.connect(":memory:")) as sqlite:
        days = sqlite.execute("SELECT julianday(?)", [stamp.isoformat(" ", "milliseconds")])
        number = days.fetchone()[0]
    rule = rules.timestamp([number], "UTC", unit="julian")
    assert [stamp] == values(rule, "timestamp")


def test_float_seconds_to_the_nearest_microsecond() -> None:
    """A float that is no whole microsecond is counted; NaN and far years are refused."""
    numbers = [1.5, 1.0000004, float("nan"), 1e30, 3e11]
    got = applied(rules.timestamp(numbers, unit="s"), "instant")
    expected = [
        at("1970-01-01 00:00:01.5+00:00"),
        at("1970-01-01 00:00:01+00:00"),
        None,
        None,
        None,
    ]
    assert (expected, [1], [2, 3, 4]) == (got.values, got.changed, got.refused)


def test_numbers_outside_the_years_are_refused() -> None:
    """No wrap-around: int64 seconds do not fit."""
    top = 253402300799
    got = applied(rules.timestamp([2**63 - 1, -(2**63), top + 1, top], unit="s"), "instant")
    assert ([None, None, None, at("9999-12-31 23:59:59+00:00")], [0, 1, 2]) == (
        got.values,
        got.refused,
    )


def test_iso_forms_of_text() -> None:
    """T, Z, offsets with and without colon, one to six decimals."""
    texts = ["2021-07-01T12:00:00.5Z", "2021-07-01 12:00+0200", "2021-07-01T12:00:00.12345+02"]
    expected = ["12:00:00.5", "10:00", "10:00:00.12345"]
    got = values(rules.timestamp(texts), "instant")
    assert [at(f"2021-07-01 {t}+00:00") for t in expected] == got
    bad = [
        "20210701",
        "2021-7-1",
        "2021-07-01 1:00",
        "2021-07-01 12",
        "2021-07-01Z",
        "",
        "2021-07-01 12:60",
    ]
    assert list(range(len(bad))) == applied(rules.timestamp(bad), "timestamp").refused


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.lists(
        st.from_regex(
            r"\A(000[01]|2024|9999)-(02|12)-(29|30|31)([ T][0-3][0-9]:[0-6][0-9](:[0-6][0-9]"
            r"(\.[0-9]{1,7})?)?(Z|[+-][0-3][0-9](:?[0-6][0-9])?)?)?\Z"
        ),
        min_size=1,
    )
)
def test_good_rows_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    """Alone, which Arrow reads, and beside a bad row, which goes one by one, it is the same."""
    alone = [applied(rules.timestamp([text], "UTC"), "instant").values[0] for text in texts]
    together = applied(rules.timestamp([*texts, "2023-02-30"], "UTC"), "instant")
    assert together.values == [*alone, None]


@pytest.mark.parametrize("neighbours", [[], ["2023-02-30"]])
def test_there_is_no_year_0(neighbours: list[str]) -> None:
    """Not even where its offset brings a moment into the year 1."""
    got = applied(rules.timestamp(["0000-12-31 20:08-10", *neighbours], "UTC"), "instant")
    assert got.values == [None, *(None for _ in neighbours)]
    assert values(rules.timestamp(["0001-01-01 20:08-10"], "UTC"), "instant") == [
        at("0001-01-02 06:08+00:00")
    ]


def test_format_is_strict() -> None:
    """30 February is not 1 March; what is left over is refused; an offset makes an instant."""
    texts = ["29.02.2024 08:05", "30.02.2024 08:05", "29.02.2024 08:05x", " 29.02.2024 08:05", None]
    got = applied(rules.timestamp(texts, format="%d.%m.%Y %H:%M"), "timestamp")
    assert [at("2024-02-29 08:05"), None, None, None, None] == got.values
    assert got.refused == [1, 2, 3]
    rule = rules.timestamp(["29/02/2024 08:05 +0200"], format="%d/%m/%Y %H:%M %z")
    assert [at("2024-02-29 06:05+00:00")] == values(rule, "instant")
    rule = rules.timestamp(["29.02.2024"], _BERLIN, format="%d.%m.%Y")
    assert [at("2024-02-28 23:00+00:00")] == values(rule, "instant")


@pytest.mark.parametrize(
    "form", ["%d.%m.", "%H:%M", "%Y", "%d.%m.%Y %I:%M", "%Y-%m-%d %Z", "%Q", ""]
)
def test_format_must_say_the_day(form: str) -> None:
    """A format that would guess the year, the day or the afternoon is a mistake in the step."""
    with pytest.raises(ValueError, match="does not say"):
        rules.timestamp("x", format=form)


def test_options_are_checked() -> None:
    """Zones, units and policies that do not exist are mistakes in the step."""
    with pytest.raises(ValueError, match="time zone database"):
        rules.timestamp("x", zone="Europe/Nowhere")
    with pytest.raises(ValueError, match="unit='min'"):
        rules.timestamp("x", unit="min")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ambiguous="):
        rules.timestamp("x", ambiguous="raise")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nonexistent="):
        rules.timestamp("x", nonexistent="back")  # type: ignore[arg-type]


def test_dates_become_midnight() -> None:
    """In a column without a zone as it is, in one with a zone at the declared place."""
    days = [dt.date(2021, 7, 1), None]
    assert [at("2021-07-01"), None] == values(rules.timestamp(days), "timestamp")
    assert [at("2021-06-30 22:00+00:00"), None] == values(rules.timestamp(days, _BERLIN), "instant")


def test_timestamp_otherwise() -> None:
    """It stands for what is unreadable and for what a zone cannot place; counted."""
    rule = rules.timestamp(
        ["x", "2021-10-31 02:30"], _BERLIN, otherwise=at("2000-01-01 00:00+00:00")
    )
    got = applied(rule, "instant")
    assert ([at("2000-01-01 00:00+00:00")] * 2, [0, 1], []) == (
        got.values,
        got.changed,
        got.refused,
    )


def test_date_of_timestamps() -> None:
    """A time of day is refused, or left out and counted; before 1970 the day does not shift."""
    stamps = [at("1969-12-31 23:00"), at("2021-07-01"), None]
    got = applied(rules.date(stamps), "date")
    assert ([None, dt.date(2021, 7, 1), None], [0]) == (got.values, got.refused)
    got = applied(rules.date(stamps, truncate=True), "date")
    assert ([dt.date(1969, 12, 31), dt.date(2021, 7, 1), None], [0]) == (got.values, got.changed)
    with pytest.raises(TypeError, match=r"write rules\.timestamp"):
        applied(rules.date([at("2021-07-01 00:00+00:00")]), "date")
    day = rules.date(rules.timestamp([at("2021-07-01 23:00+00:00")], _BERLIN), truncate=True)
    assert [dt.date(2021, 7, 2)] == applied(day, "date").values


def test_time_of_timestamps_counts_every_row() -> None:
    """The day is lost in each row, so each is counted."""
    got = applied(rules.time([at("2021-07-01 08:05"), None]), "time")
    assert ([dt.time(8, 5), None], [0]) == (got.values, got.changed)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.none() | _NAIVE))
def test_timestamp_of_text_is_itself(stamps: list[dt.datetime | None]) -> None:
    """Every timestamp comes back from its text form."""
    given_ = [*stamps, at("2021-07-01")]
    assert given_ == values(rules.timestamp(rules.text(given_)), "timestamp")


@settings(deadline=None, derandomize=True)
@given(st.lists(_NAIVE.map(lambda d: d.replace(tzinfo=dt.UTC)), min_size=1))
def test_instant_of_text_is_itself(moments: list[dt.datetime]) -> None:
    """Every instant comes back from its text form."""
    assert moments == values(rules.timestamp(rules.text(moments)), "instant")


@settings(deadline=None, derandomize=True)
@given(
    st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2035, 1, 1)),  # noqa: DTZ001
    st.sampled_from([_BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Monrovia"]),
)
def test_zones_agree_with_zoneinfo(stamp: dt.datetime, zone: str) -> None:
    """A clock time is resolved exactly where Python's own rules find one moment for it."""
    one, two = (
        stamp.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC) for fold in (0, 1)
    )
    got = applied(rules.timestamp([stamp], zone), "instant")
    assert [one if one == two else None] == got.values


@settings(deadline=None, derandomize=True)
@given(st.lists(st.dates(), min_size=1), st.lists(st.times(), min_size=1))
def test_date_and_time_of_text_are_themselves(days: list[dt.date], clocks: list[dt.time]) -> None:
    """Every date and every time of day comes back from its text form."""
    assert days == values(rules.date(rules.text(days)), "date")
    assert clocks == values(rules.time(rules.text(clocks)), "time")
