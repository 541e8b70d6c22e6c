"""What is said of a fence: that it stands, since when, who passes, and what opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.report.text import escape, plural, when, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.receipt import FenceReceipt


def fence_lines(made: FenceReceipt, version: int) -> list[str]:
    """Return the page of `migrate fence`."""
    return [
        f"{escape(made.database)} is FENCED since {when(made.since)}, by {escape(made.by)}.",
        *ended_lines(made),
        f"To open it     migrate unfence {version}",
    ]


def ended_lines(made: FenceReceipt) -> list[str]:
    """Return whose sessions were ended, and who passes."""
    total = sum(count for _, count in made.ended)
    who = ", ".join(f"{name} {count}" for name, count in made.ended)
    lines = wrap(f"{plural(total, 'session')} ended: {who}", "  ", 4) if total else []
    passing = ", ".join(made.passing)
    return [*lines, *(wrap(f"who passes all the same: {passing}", "  ", 4) if passing else [])]


def unfence_lines(
    was: FenceReceipt | None, database: str, failed: Sequence[str] = (), unwritten: str = ""
) -> list[str]:
    """Return the page of `migrate unfence`.

    Parameters
    ----------
    unwritten : str
        Why it is in no journal.
    """
    if was is None:
        return [f"{escape(database)} is not fenced: nothing to do."]
    said = f"{escape(was.database)} is open again, as it was before {when(was.since)}"
    more = [f"  not written down: {escape(unwritten)}"] if unwritten else []
    if not failed:
        return [f"{said}.", *more]
    listed = [f"  {escape(line)}" for line in failed]
    return [f"{said}, but for what this role may not give back:", *listed, *more]


def receipt_lines(made: FenceReceipt) -> list[str]:
    """Return what a receipt says of the fence."""
    until = f"until {when(made.until)}" if made.until else "and is closed still"
    since = f"{escape(made.database)} was closed by {escape(made.by)} {when(made.since)}"
    return ["", "  fence", *wrap(f"{since}, {until}", "    ", 6),
            *(f"  {line}" for line in ended_lines(made))]  # fmt: skip
