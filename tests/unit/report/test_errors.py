"""Errors as lines."""

from __future__ import annotations

from pathlib import Path

from migrators.errors import (
    CodeError,
    DatabaseError,
    Findings,
    PlanError,
    TargetExists,
    UsageError,
    ValueRefused,
)
from migrators.report.errors import error_lines, unexpected_lines
from migrators.report.text import WIDTH


def test_what_happened_then_what_to_type() -> None:
    """Hints stand below one another."""
    error = TargetExists(
        "shop_v3 exists already", hint=("migrate 2to3 --replace", "migrate status")
    )
    assert error_lines(error) == [
        "shop_v3 exists already",
        "  to do  migrate 2to3 --replace",
        "         migrate status",
    ]


def test_a_plan_error_prints_the_lines_to_add() -> None:
    """Unwrapped, to be copied."""
    long = f'step.drop(old.users.c.bio, because="{"x" * 100}")'
    error = PlanError(["users.bio is carried nowhere"], path=Path("m/2to3.py"), hint=long)
    assert error_lines(error) == [
        "2to3.py: users.bio is carried nowhere",
        "  add to 2to3.py:",
        f"    {long}",
    ]


def test_several_problems_are_counted() -> None:
    """A line each, a name's line break escaped."""
    error = PlanError(["a\x1b is lost", "b\nc is lost"], path=Path("2to3.py"), line=7)
    assert error_lines(error) == [
        "2to3.py:7: 2 problems",
        "  a\\x1b is lost",
        "  b\\nc is lost",
    ]


def test_a_list_keeps_its_lines() -> None:
    """Findings are several lines; none of them can pass for one of ours."""
    error = Findings("shop_v2 is not schemas/v2.py:\n  column a.b is missing\nDONE in 1s")
    assert error_lines(error) == [
        "shop_v2 is not schemas/v2.py:",
        "    column a.b is missing",
        "  DONE in 1s",
    ]


def test_what_is_listed_keeps_to_the_page() -> None:
    """A line that is too long goes on below itself."""
    lines = error_lines(Findings(f"it lacks:\n  {'a word ' * 20}\nand more"))
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 4, 6, 2]
    assert max(map(len, lines)) <= WIDTH


def test_a_refused_value_is_one_line() -> None:
    """F120: the sample's line break is shown."""
    error = ValueRefused("t", "c", "is too long", count=3, samples=[("id 'a\nb'", "v")])
    assert error_lines(error) == ["t.c: 3 rows at id 'a\\nb': is too long"]


def test_no_password_in_message_or_hint() -> None:
    """Whoever put it there."""
    url = "postgresql://app:canary@db/shop"
    error = DatabaseError(f"cannot reach {url}", hint=f"check {url}")
    assert [line for line in error_lines(error) if "canary" in line] == []
    assert [x for x in unexpected_lines(ValueError(url)) if "canary" in x] == []


def test_code_errors_name_file_and_line() -> None:
    """As the error has it."""
    error = CodeError("invalid syntax", path=Path("schemas/v2.py"), line=3)
    assert error_lines(error) == ["v2.py:3: invalid syntax"]


def test_a_hint_of_several_lines_is_indented() -> None:
    """As configuration is shown."""
    error = UsageError("no urls", hint='[tool.migrators.urls]\n1 = "sqlite:///x"')
    assert error_lines(error)[1:] == [
        "  to do  [tool.migrators.urls]",
        '         1 = "sqlite:///x"',
    ]


def test_problems_are_wrapped() -> None:
    """A table of many columns has a long problem; the page is 90 columns wide."""
    long = f"users: {', '.join(f'column_{n}' for n in range(20))} are carried nowhere"
    error = PlanError([long, "b is lost"], path=Path("2to3.py"))
    lines = error_lines(error)
    assert max(map(len, lines)) <= 90
    assert lines[2].startswith("    column_")
