"""Numbers, times and foreign text."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from migrators.report import paint, text
from migrators.report.data import as_json


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\r\ttab", r"two\nlines\r\ttab"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\x9b2J", r"\x9b2J"),
        ("lone \ud800", r"lone \ud800"),
        ("na\u00efve \u6f22\u5b57 \U0001f600", "na\u00efve \u6f22\u5b57 \U0001f600"),
    ],
)
def test_escape(given: str, expected: str) -> None:
    """What cannot be seen is spelled; letters of any script stay."""
    assert text.escape(given) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_140_000_000, "9.1 GB"),
        (24_000_000_000, "24 GB"),
    ],
)
def test_size(number: int, expected: str) -> None:
    """Decimal units, a digit behind the point below ten."""
    assert text.size(number) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0s"), (9.94, "9.9s"), (41.6, "42s"), (702, "11m 42s"), (3725, "1h 02m")],
)
def test_duration(seconds: float, expected: str) -> None:
    """Two units at most."""
    assert text.duration(seconds) == expected


def test_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The incident channel uses the clock on the wall."""
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert text.clock(datetime(2026, 11, 21, 17, 0, 7, tzinfo=UTC)) == "02:00:07"
        assert text.when("2026-11-21T17:00:07+00:00") == "2026-11-22 02:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_that_is_none() -> None:
    """A tampered stamp is shown, escaped."""
    assert text.when("\x1b[2J") == r"\x1b[2J"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/srv/shop/data/v2.db is here", "data/v2.db is here"),
        ("cp /srv/shop/a /srv/shop/b", "cp a b"),
        ("cd /srv/shop", "cd /srv/shop"),
        ("/srv/shop2/a", "/srv/shop2/a"),
        ("/mnt/srv/shop/a", "/mnt/srv/shop/a"),
        ("sqlite:////srv/shop/a.db", "sqlite:////srv/shop/a.db"),
    ],
)
def test_paths_below_the_cwd(given: str, expected: str) -> None:
    """Shorter, and still right when they are typed there; nothing else is touched."""
    assert text.relative(given, "/srv/shop") == expected


def test_paths_below_the_root_folder() -> None:
    """There every path is below the cwd, and none becomes shorter by much."""
    assert text.relative("/srv/a", "/") == "/srv/a"


def test_wrap_keeps_to_the_page() -> None:
    """90 columns, the rest under the text."""
    lines = text.wrap("word " * 40, "02:00:09  load      ", 20)
    assert max(len(line) for line in lines) <= text.WIDTH
    assert lines[1].startswith(" " * 20 + "word")


def test_columns_align_numbers_right() -> None:
    """Cells are escaped before they are measured."""
    rows = [("name", "rows"), ("a\nb", "1,234")]
    assert text.columns(rows, "lr") == ["  name   rows", "  a\\nb  1,234"]


def test_columns_fit_the_page() -> None:
    """The widest column of text is wrapped beside the last one; numbers stay in one piece."""
    rows = [
        ("source -> new", "read", "=  written", "+  left behind", ""),
        ("customers.country, suppliers.country_name -> countries", "10", "10", "", "its own grain"),
        ("releases -> files", "82", "58", "24", "nothing was uploaded by anybody"),
    ]
    assert text.columns(rows, "lrrrl") == [
        "  source -> new                read  =  written  +  left behind",
        "  customers.country,             10          10                  its own grain",
        "    suppliers.country_name ->",
        "    countries",
        "  releases -> files              82          58              24  nothing was uploaded by",
        "                                                                 anybody",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    environment: dict[str, str], *, expected: bool
) -> None:
    """NO_COLOR counts when it is not empty (no-color.org)."""
    assert paint.wanted(_Terminal(), environment) is expected
    assert paint.wanted(io.StringIO(), environment) is False


def test_only_our_own_words_are_coloured() -> None:
    """STOP and DONE at the start of a line; nothing that data says."""
    assert paint.paint("DONE in 1s") == "\033[1;32mDONE\033[0m in 1s"
    assert paint.paint("  STOP   rows") == "  \033[1;31mSTOP\033[0m   rows"
    assert paint.paint("02:00:09  STOPPED   x") == "02:00:09  \033[1;31mSTOPPED\033[0m   x"
    assert paint.paint("a table named DONE") == "a table named DONE"


def test_json_is_ascii() -> None:
    """No value reaches a terminal that would obey it."""
    assert as_json({"a": "\x1b[2J\u00e9", "b": datetime(2026, 1, 1, tzinfo=UTC)}) == (
        '{\n  "a": "\\u001b[2J\\u00e9",\n  "b": "2026-01-01 00:00:00+00:00"\n}'
    )
