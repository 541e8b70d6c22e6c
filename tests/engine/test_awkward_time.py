"""Dates and times as SQLite keeps them: text, numbers, zones said and unsaid."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from migrators.errors import PlanError, ValueRefused
from tests.engine.journey import NOTES, inserts, named, numbered, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.journey import Journey

NAIVE = NOTES.format("DateTime")
AWARE = NOTES.format("DateTime(timezone=True)")
TEXT = NOTES.format("Text")
BY_RULE = "step.table(new.notes).values(x=rules.{}(old.notes.c.x{}))"


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A client whose own zone is not the data's, and has summer time."""
    monkeypatch.setenv("TZ", "Pacific/Apia")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def x_of(journey: Journey) -> list[object]:
    """Return the new values in the order of their keys."""
    return [x for (x,) in journey.shop.rows("SELECT x FROM notes ORDER BY id")]


@pytest.mark.usefixtures("far_away")
def test_c31_instants_in_the_fold_and_the_gap_stay_in_utc(journey: Journey) -> None:
    """Both hours of the fold, whatever zone the client is in."""
    stored = ["2024-10-27 00:30:00.000000", "2024-10-27 01:30:00.000000", None]
    journey.schemas(AWARE)
    journey.arrives(numbered(stored))
    assert x_of(journey) == stored


@pytest.mark.usefixtures("far_away")
def test_c31_offsets_are_reckoned_to_utc(journey: Journey) -> None:
    """What was written with an offset is the same instant, written as SQLAlchemy does."""
    journey.schemas(AWARE)
    journey.converts(
        numbered(["2024-10-27T02:30:00+02:00", "2024-10-27 02:30:00+01:00", "2024-06-01 12:00:00Z"])
    )
    assert x_of(journey) == [
        "2024-10-27 00:30:00.000000",
        "2024-10-27 01:30:00.000000",
        "2024-06-01 12:00:00.000000",
    ]


def test_c31_a_local_time_that_is_twice_or_never_is_refused(journey: Journey) -> None:
    """02:30 on the night of the change; the step says which, and it is counted."""
    journey.schemas(NAIVE, AWARE, BY_RULE.format("timestamp", ', zone="Europe/Berlin"'))
    twice, never = "2024-10-27 02:30:00.000000", "2024-03-31 02:30:00.000000"
    error = journey.refused(ValueRefused, numbered(["2024-01-01 12:00:00.000000", twice]))
    assert named(error) == ("notes", "x", 1, ["id 2"])
    journey.shop.sql(f"UPDATE notes SET x = '{never}' WHERE id = 2")
    assert named(journey.stops(ValueRefused)) == ("notes", "x", 1, ["id 2"])
    journey.shop.sql(f"INSERT INTO notes VALUES (3, '{twice}')")
    said = ', zone="Europe/Berlin", ambiguous="later", nonexistent="forward"'
    journey.shop.step(BY_RULE.format("timestamp", said))
    receipt = journey.goes(changed=["notes"])
    assert x_of(journey) == [
        "2024-01-01 11:00:00.000000",
        "2024-03-31 01:00:00.000000",
        "2024-10-27 01:30:00.000000",
    ]
    assert rules(receipt) == [("notes", "x", "timestamp", 2)]


@pytest.mark.usefixtures("far_away")
def test_c32_naive_stays_naive(journey: Journey) -> None:
    """No shift by the client's zone or anybody's, not even in the hour that is not there."""
    stored = ["2024-03-31 02:30:00.000000", "2011-12-30 12:00:00.000001",
              "0001-01-01 00:00:00.000000",
              "9999-12-31 23:59:59.999999", None]  # fmt: skip
    journey.schemas(NAIVE)
    journey.arrives(numbered(stored))
    assert x_of(journey) == stored


def test_c33_an_aware_time_in_a_naive_column_is_refused(journey: Journey) -> None:
    """By cell where it stands, and by plan where the columns' declarations differ."""
    journey.schemas(NAIVE)
    error = journey.refused(
        ValueRefused, numbered(["2024-01-01 00:00:00.000000", "2024-01-01 00:00:00+02:00"])
    )
    assert named(error) == ("notes", "x", 1, ["id 2"])
    assert "UTC offset" in error.reason
    journey.schemas(AWARE, NAIVE)
    with pytest.raises(PlanError, match=r"notes\.x: instant does not become timestamp by itself"):
        journey.shop.plan()


def test_c34_a_naive_time_needs_a_declared_zone_to_become_an_instant(journey: Journey) -> None:
    """Refused by the plan; exact with a zone."""
    journey.schemas(NAIVE, AWARE)
    with pytest.raises(PlanError, match=r"notes\.x: timestamp does not become instant by itself"):
        journey.shop.plan()
    journey.shop.step(BY_RULE.format("timestamp", ', zone="Asia/Kolkata"'))
    journey.converts(numbered(["2024-01-01 00:00:00.000000", None]))
    assert x_of(journey) == ["2023-12-31 18:30:00.000000", None]


REFUSED = {
    "c35_infinity": ["infinity", "-infinity"],
    "c36_294276": ["294276-12-31 00:00:00", "294276-12-31"],
    "c37_bc_and_past_9999": ["10000-01-01 00:00:00", "0000-01-01 00:00:00", "-0044-03-15 00:00:00",
                             "0044-03-15 BC"],
    "c38_zero": ["0000-00-00 00:00:00", "2023-00-00 00:00:00", "2023-02-30 00:00:00"],
    "c40_nanoseconds": ["2024-01-01 00:00:00.123456789", "2024-01-01 00:00:00.1234567"],
}  # fmt: skip


def _refused(journey: Journey, case: str, declared: str = NAIVE) -> None:
    bad = REFUSED[case]
    journey.schemas(declared)
    error = journey.refused(ValueRefused, numbered(["2024-01-01 00:00:00.000000", *bad]))
    assert named(error) == ("notes", "x", len(bad), [f"id {i}" for i in range(2, len(bad) + 2)])


@pytest.mark.parametrize("declared", [NAIVE, AWARE], ids=["naive", "aware"])
def test_c35_infinite_times_are_refused(journey: Journey, declared: str) -> None:
    """SQLite and SQLAlchemy know no infinity of time."""
    _refused(journey, "c35_infinity", declared)


@pytest.mark.parametrize("declared", [NAIVE, AWARE], ids=["naive", "aware"])
def test_c36_the_last_day_that_postgresql_knows_is_refused(journey: Journey, declared: str) -> None:
    """No application could read it back."""
    _refused(journey, "c36_294276", declared)


@pytest.mark.parametrize("declared", [NAIVE, AWARE], ids=["naive", "aware"])
def test_c37_years_before_1_and_past_9999_are_refused(journey: Journey, declared: str) -> None:
    """Counted, each."""
    _refused(journey, "c37_bc_and_past_9999", declared)


@pytest.mark.parametrize("declared", [NAIVE, AWARE], ids=["naive", "aware"])
def test_c38_zero_dates_are_refused(journey: Journey, declared: str) -> None:
    """Neither the zero date, nor half of one, nor the 30th of February is a date."""
    _refused(journey, "c38_zero", declared)


def test_c38_zero_dates_become_null_by_rule_and_are_counted(journey: Journey) -> None:
    """The old column is declared as the text that it is; the rule says what is nothing."""
    journey.schemas(
        TEXT,
        NOTES.format("Date"),
        'step.table(new.notes).values(x=rules.date(rules.null_if(old.notes.c.x, "0000-00-00")))',
    )
    receipt = journey.converts(numbered(["2024-02-29", "0000-00-00", None, "0000-00-00"]))
    assert x_of(journey) == ["2024-02-29", None, None, None]
    assert rules(receipt) == [("notes", "x", "null_if", 2)]


def test_c38_zero_dates_in_a_date_column_are_refused(journey: Journey) -> None:
    """Where the old column is declared Date, it is refused by name."""
    journey.schemas(NOTES.format("Date"))
    error = journey.refused(ValueRefused, numbered(["2024-02-29", "0000-00-00", "2023-02-29"]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])


def test_c39_a_type_that_would_cut_microseconds_is_refused_in_the_plan(journey: Journey) -> None:
    """SQLite has no (0) or (3); SQLAlchemy's `truncate_microseconds` is the like of it."""
    cut = "DateTime().with_variant(sa.dialects.sqlite.DATETIME(truncate_microseconds=True)"
    journey.schemas(NAIVE, NOTES.format(f"{cut}, 'sqlite')"))
    journey.shop.write(
        "schemas/v2.py",
        "import sqlalchemy.dialects.sqlite\n"
        + (journey.shop.root / "schemas/v2.py").read_text("utf-8"),
    )
    with pytest.raises(PlanError, match="storage_format of its own"):
        journey.shop.plan()


def test_c39_a_time_into_a_date_is_refused_unless_it_may_be_cut(journey: Journey) -> None:
    """Midnight fits; anything after it is refused, or cut by rule and counted."""
    journey.schemas(NAIVE, NOTES.format("Date"), BY_RULE.format("date", ""))
    stored = ["2024-01-01 00:00:00.000000", "2024-01-01 00:00:00.000001"]
    error = journey.refused(ValueRefused, numbered(stored))
    assert named(error) == ("notes", "x", 1, ["id 2"])
    journey.shop.step(BY_RULE.format("date", ", truncate=True"))
    receipt = journey.goes(changed=["notes"])
    assert x_of(journey) == ["2024-01-01", "2024-01-01"]
    assert rules(receipt) == [("notes", "x", "date", 1)]


@pytest.mark.parametrize("declared", [NAIVE, AWARE], ids=["naive", "aware"])
def test_c40_nanoseconds_are_refused(journey: Journey, declared: str) -> None:
    """Seven digits of a second are one too many; six and fewer are exact."""
    _refused(journey, "c40_nanoseconds", declared)


def test_c40_fewer_digits_of_a_second_are_the_same_instant(journey: Journey) -> None:
    """Read without a fraction, or with some of it; written as SQLAlchemy writes."""
    journey.schemas(NAIVE)
    journey.converts(numbered(["2024-01-01 00:00:00", "2024-01-01T00:00:00.5"]))
    assert x_of(journey) == ["2024-01-01 00:00:00.000000", "2024-01-01 00:00:00.500000"]


def test_c41_times_that_are_no_time_of_day_are_refused(journey: Journey) -> None:
    """24:00:00, MySQL's -838 hours, a time with zone."""
    journey.schemas(NOTES.format("Time"))
    error = journey.refused(
        ValueRefused,
        numbered(["23:59:59.999999", "24:00:00", "-838:59:59.999999", "12:00:00+02:00", "25:00"]),
    )
    assert named(error) == ("notes", "x", 4, ["id 2", "id 3", "id 4", "id 5"])


def test_c41_times_of_day_arrive(journey: Journey) -> None:
    """To the microsecond."""
    journey.schemas(NOTES.format("Time"))
    journey.arrives(numbered(["00:00:00.000000", "23:59:59.999999", "12:00:00.000001", None]))


def test_c42_a_month_is_not_thirty_days(journey: Journey) -> None:
    """SQLAlchemy keeps an interval as the epoch plus it; a month is none, and is refused."""
    journey.schemas(NOTES.format("sa.Interval"))
    stored = ["1970-01-31 00:00:00.000000", "1969-12-31 23:59:59.999999", None]
    error = journey.refused(ValueRefused, numbered([*stored, "1 month", "P1M"]))
    assert named(error) == ("notes", "x", 2, ["id 4", "id 5"])
    journey.shop.sql("DELETE FROM notes WHERE id > 3")
    journey.goes()
    assert x_of(journey) == stored


def test_c43_unix_julian_and_text_in_one_column_are_refused(journey: Journey) -> None:
    """Guessing which is which would be wrong somewhere."""
    journey.schemas(NAIVE)
    error = journey.refused(
        ValueRefused, numbered(["2024-01-01 00:00:00.000000", 1704067200, 2460310.5])
    )
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    assert "is integer or real where timestamp is declared" in error.reason


@pytest.mark.parametrize(
    ("old", "unit", "values"),
    [
        ("Integer", "s", [1704067200, -1, None]),
        ("BigInteger", "ms", [1704067200000, -1000, None]),
        ("BigInteger", "us", [1704067200000000, -1000000, None]),
        ("Float", "julian", [2460310.5, 2440587.5 - 1 / 86400, None]),
    ],
)
def test_c43_a_declared_unit_is_read_as_declared(
    journey: Journey, old: str, unit: str, values: list[object]
) -> None:
    """The old column is declared as the number that it is; the rule says of what."""
    journey.schemas(NOTES.format(old), AWARE, BY_RULE.format("timestamp", f', unit="{unit}"'))
    if unit == "julian":
        values = [values[0], None]
    journey.converts(numbered(values))
    expected = ["2024-01-01 00:00:00.000000", "1969-12-31 23:59:59.000000", None]
    assert x_of(journey) == (expected[::2] if unit == "julian" else expected)


def test_c44_defaults_of_the_server_do_not_fire(journey: Journey) -> None:
    """A NULL stays NULL beside DEFAULT CURRENT_TIMESTAMP, and no trigger touches a row."""
    body = (
        't("notes", Column("id", Integer, primary_key=True), Column("x", DateTime,'
        ' server_default=sa.text("CURRENT_TIMESTAMP")))'
    )
    journey.schemas(body)
    touch = (
        "CREATE TRIGGER touch AFTER {} ON notes BEGIN"
        " UPDATE notes SET x = '2000-01-01 00:00:00.000000' WHERE id = NEW.id; END;\n"
    )
    script = touch.format("INSERT") + touch.format("UPDATE").replace(" touch ", " touch2 ")
    journey.shop.write("schemas/v2.after.sql", script)
    journey.arrives(numbered([None, "2024-01-01 00:00:00.000000"]))
    assert x_of(journey) == [None, "2024-01-01 00:00:00.000000"]
    assert journey.shop.rows("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'") == [(2,)]


@pytest.mark.parametrize(
    "pragma",
    ["encoding = 'UTF-16le'", "encoding = 'UTF-16be'", "page_size = 512", "auto_vacuum = FULL"],
)
def test_c45_a_database_made_with_other_settings_gives_the_same_bytes(
    journey: Journey, pragma: str
) -> None:
    """What SQLite has of settings that stay in the file: encoding, page size, vacuuming."""
    journey.schemas(
        NOTES.format("Text, unique=True") + 't("words", Column("x", String(20), primary_key=True))'
    )
    journey.shop.sql(f"PRAGMA {pragma}", "CREATE TABLE made (x)", "DROP TABLE made")
    words = ["é", "日本", "😀", "\ufeff", "\uffff", "z", ""]
    journey.arrives(
        numbered([*words, None, "a" * 5000]), inserts("words", [(word,) for word in words])
    )
