"""The page of `migrate check`: what is well, what would stop the run, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.report.text import clock, duration, escape, escape_lines, plural, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from migrators.preflight import Check, Finding


def check_lines(
    check: Check, name: str, database: str, *, at: datetime, following: str = ""
) -> list[str]:
    """Return the page.

    Parameters
    ----------
    name : str
        "2to3", "1to4" for a chain, "3" for a copy.
    database : str
        The old database.
    at : datetime
        When the check began.
    following : str
        What to type next; a rehearsal of the step unless given.
    """
    stops = [finding for finding in check.findings if finding.level == "STOP"]
    others = [finding for finding in check.findings if finding.level != "STOP"]
    head = escape(f"check {name}    {database}, live, read only")
    lines = [f"{head:<60} {clock(at)}", ""]
    lines += [line for said in check.ok for line in wrap(said, "  ok     ", 9)]
    lines += [f"  STOP   {plural(len(stops), 'finding')}, below"] if stops else []
    lines += [line for finding in others for line in _other(finding)]
    for number, finding in enumerate(stops, 1):
        lines += ["", *_stop(number, finding)]
    return [*lines, "", *_last(check, len(stops), following or f"migrate {name} --rehearse")]


def check_data(check: Check, name: str, database: str, later: Sequence[str]) -> dict[str, Any]:
    """Return the page as plain data for JSON.

    Parameters
    ----------
    later : sequence of str
        Further steps of a chain, whose rows have no database to be asked of yet.
    """
    from dataclasses import asdict

    return {"step": name, "database": database, **asdict(check), "later": list(later)}


def _other(finding: Finding) -> Iterable[str]:
    label = "note" if finding.level == "note" else "later"
    yield from wrap(finding.title, f"  {label:<5}  ", 9)
    for fact in (*finding.facts, *finding.mend):
        yield f"           {escape(fact)}"


def _stop(number: int, finding: Finding) -> Iterable[str]:
    """Lines of one finding; SQL and code stand as they are, to be copied."""
    yield from wrap(finding.title, f"{number:<3}", 3)
    yield from (line for fact in finding.facts for line in wrap(fact, "     ", 9))
    see = escape_lines(finding.see) if finding.see else []
    mend = [line for entry in finding.mend for line in escape_lines(entry)]
    for label, entries in (("see", see), ("mend", mend)):
        for at, line in enumerate(entries):
            yield f"   {label if at == 0 else '':<6} {line}"


def _last(check: Check, stops: int, following: str) -> list[str]:
    took = duration(check.seconds)
    if stops:
        return [f"{plural(stops, 'finding')} in {took}. Nothing was changed. Exit 3."]
    return [
        f"Nothing found that would stop it, in {took}. Nothing was changed.",
        f"Next     {escape(following)}{' --accept-loss' if check.loses else ''}",
    ]
