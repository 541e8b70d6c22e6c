"""Progress: one line redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from migrators.events import (
    Event,
    Note,
    RunBegan,
    StageDone,
    StageStarted,
    TableDone,
    TableProgress,
)
from migrators.report.bar import Progress, bar
from migrators.report.teller import Teller
from migrators.report.text import clock

START = datetime(2026, 11, 21, 2, 0, 9, tzinfo=UTC)
AT = clock(START)


class _Clock:
    """A steady clock that the test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def _teller(*, terminal: bool = False, colour: bool = False) -> tuple[Teller, io.StringIO, _Clock]:
    stream, seconds = io.StringIO(), _Clock()
    teller = Teller(stream, terminal=terminal, colour=colour, seconds=seconds, now=lambda: START)
    return teller, stream, seconds


def test_a_stage_that_is_done_is_one_line() -> None:
    """Clock time, stage, what it did, how long; further facts below."""
    teller, stream, _ = _teller()
    teller(StageStarted("extract", "14 tables", 100))
    teller(StageDone("extract", 702.0, ("14 tables, 9.1 GB", "access: as before")))
    assert stream.getvalue() == (
        f"{AT}  extract   14 tables, 9.1 GB".ljust(73) + "11m 42s\n"
        "                    access: as before\n"
    )


def test_what_is_promised_is_said_when_work_begins() -> None:
    """Once, before the first event; not by a line of ours that says that nothing is to do."""
    teller, stream, _ = _teller()
    teller.first(lambda run: [f"run {run}", "2to3 publishes last"])
    teller.line("2to3")
    teller(RunBegan("20261121-020007"))
    assert stream.getvalue() == "2to3\n"
    teller(Note("the extract is used again"))
    teller(Note("and loaded"))
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == [
        "2to3",
        "20261121-020007",
        "last",
        "again",
        "loaded",
    ]


def test_a_stage_without_facts_says_what_it_was_about() -> None:
    """Nothing is left blank."""
    teller, stream, _ = _teller()
    teller(StageStarted("still", "the old database"))
    teller(StageDone("still", 1.0))
    assert stream.getvalue().split() == [AT, "still", "the", "old", "database", "1.0s"]


def test_a_stage_with_nothing_to_say_leaves_no_line() -> None:
    """No empty line, with or without a bar; what comes next starts a line of its own."""
    for terminal in (False, True):
        teller, stream, _ = _teller(terminal=terminal)
        teller(StageStarted("finish"))
        teller(StageDone("finish", 0.0, ("",)))
        teller.line("next")
        assert [x for x in stream.getvalue().split("\r") if x.strip()][-1] == "next\n"
        assert stream.getvalue().count("\n") == 1


def test_a_stage_that_counts_no_rows_says_what_it_is_about() -> None:
    """While indexes are built for minutes the line is not blank."""
    teller, stream, _ = _teller(terminal=True)
    teller(StageStarted("finish", "indexes, keys"))
    assert stream.getvalue() == f"\r{AT}  finish    indexes, keys"


def test_a_rate_that_does_not_fit_is_left_out() -> None:
    """A number cut in two would be another number."""
    at = Progress("02:00:09", "extract", "invoice_lines", 1_577_515, 1_807_607, 1.6)
    assert bar(at, 90).endswith("1,577,515 of 1,807,607 rows, at invoice_lines")
    assert bar(at, 100).endswith("1,807,607 rows, at invoice_lines  985,947/s")


def test_every_line_names_places_shortly() -> None:
    """Errors, too: a path is said from the cwd, whoever says it."""
    stream = io.StringIO()
    teller = Teller(stream, short=lambda text: text.replace("/srv/shop/", ""))
    teller.line("/srv/shop/shop_v2.db is stale")
    assert stream.getvalue() == "shop_v2.db is stale\n"


def test_a_note_has_a_time_and_no_stage() -> None:
    """As the clock stands."""
    teller, stream, _ = _teller()
    teller(Note("shop_v2 is no longer needed"))
    assert stream.getvalue() == f"{AT}            shop_v2 is no longer needed\n"


def test_without_a_terminal_a_line_every_few_seconds() -> None:
    """Three batches within five seconds say nothing; the next one says all."""
    teller, stream, seconds = _teller()
    teller(StageStarted("load", "2 tables", 6_000))
    for at in (1.0, 2.0, 3.0, 6.0):
        seconds.at = at
        teller(TableProgress("load", "releases", 1_000))
    assert stream.getvalue() == f"{AT}  load      4,000 of 6,000 rows, at releases\n"


def test_table_done_does_not_count_twice() -> None:
    """Rows told in batches are part of the table's."""
    teller, stream, seconds = _teller()
    teller(StageStarted("load", "", 30))
    teller(TableProgress("load", "a", 10))
    teller(TableDone("load", "a", 10))
    seconds.at = 9.0
    teller(TableDone("load", "b", 15))
    assert stream.getvalue() == f"{AT}  load      25 of 30 rows, at b\n"


def test_a_table_that_has_more_rows_than_were_read_is_not_past_the_end() -> None:
    """What is counted is what is read: a table that is split has more."""
    teller, stream, seconds = _teller()
    teller(StageStarted("extract", "", 30))
    teller(TableProgress("extract", "a", 30))
    seconds.at = 9.0
    teller(TableDone("extract", "a", 90))
    assert stream.getvalue() == f"{AT}  extract   30 of 30 rows, at a\n"


def test_a_bar_is_redrawn_ten_times_a_second_at_most() -> None:
    """A hundred batches in one second: eleven drawings with the first."""
    teller, stream, seconds = _teller(terminal=True)
    teller(StageStarted("load", "", 1_000))
    for batch in range(1, 101):
        seconds.at = batch / 100
        teller(TableProgress("load", "a", 10))
    assert stream.getvalue().count("\r") <= 11
    assert "\n" not in stream.getvalue()


def test_the_bar_shows_rows_and_rate_and_no_time_of_arrival() -> None:
    """Half of the rows are half of the bar."""
    teller, stream, seconds = _teller(terminal=True)
    teller(StageStarted("load", "", 1_000))
    seconds.at = 2.0
    teller(TableProgress("load", "users", 500))
    drawn = stream.getvalue().rsplit("\r", 1)[1].rstrip()
    assert drawn == f"{AT}  load      [##########----------] 500 of 1,000 rows, at users  250/s"


def test_the_bar_leaves_nothing_behind() -> None:
    """It is blanked before the line that stays, and never wider than the terminal."""
    teller, stream, seconds = _teller(terminal=True)
    teller(StageStarted("load", "", 10))
    seconds.at = 1.0
    teller(TableProgress("load", "t" * 200, 5))
    drawn = stream.getvalue().rsplit("\r", 1)[1]
    assert len(drawn) < 90
    teller(StageDone("load", 1.0, ("every row",)))
    blank, line = stream.getvalue().split("\r")[-2:]
    assert blank == " " * len(drawn)
    assert line.startswith(f"{AT}  load      every row")


def test_a_run_that_stops_says_how_far_it_came() -> None:
    """The line that a failure stands under."""
    teller, stream, _ = _teller()
    teller(StageStarted("load", "", 6_310_400))
    teller(TableProgress("load", "releases", 4_113_408))
    teller.stop()
    teller.stop()
    assert stream.getvalue() == f"{AT}  load      4,113,408 of 6,310,400 rows, at releases\n"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([TableDone("load", "users", 90)], "releases: 4,113,408 of 6,310,400 rows"),
        ([TableProgress("load", "users", 20)], "4,113,428 of 6,310,490 rows, at users"),
        ([TableDone("load", "releases", 6_310_400)], "4,113,408 of 6,310,490 rows, at releases"),
    ],
    ids=["one", "several", "none"],
)
def test_a_run_that_stops_at_one_table_says_its_own_rows(others: list[Event], said: str) -> None:
    """Where several are at work the numbers are of all: of one of them they would be wrong."""
    teller, stream, _ = _teller()
    teller(StageStarted("load", "", 6_310_490, {"releases": 6_310_400, "users": 90}))
    teller(TableProgress("load", "releases", 4_113_408))
    for event in others:
        teller(event)
    teller.stop()
    assert stream.getvalue() == f"{AT}  load      {said}\n"


def test_names_are_escaped() -> None:
    """F120, in every place a name can stand."""
    evil = "\x1b[2J\nDONE"
    teller, stream, seconds = _teller()
    teller(StageStarted(evil, evil, 10))
    seconds.at = 6.0
    teller(TableProgress(evil, evil, 5))
    teller(StageDone(evil, 1.0, (evil,)))
    teller(Note(evil))
    assert "\x1b" not in stream.getvalue()
    assert [x for x in stream.getvalue().split("\n") if x.startswith("DONE")] == []


def test_colour() -> None:
    """Only where it is wanted."""
    teller, stream, _ = _teller(colour=True)
    teller.line("DONE in 1s")
    assert stream.getvalue() == "\033[1;32mDONE\033[0m in 1s\n"


def test_a_command_that_has_not_begun() -> None:
    """A note is not a beginning; a stage is."""
    teller, _, _ = _teller()
    teller(Note("x"))
    assert not teller.began
    teller(StageStarted("extract"))
    assert teller.began
