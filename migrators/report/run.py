"""The pages of a run: what it will touch, what it did, and what stands when it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrators.report.accounting import accounting_lines, count_lines, partition_lines
from migrators.report.fence import receipt_lines
from migrators.report.text import WIDTH, columns, duration, escape, when, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.receipt import Receipt, RunState, Status, VersionState

_ANEW = ", then type the same command again"
"""How a hint may end; on the page of a stopped run that is a line of its own."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a command is about, for the page before and the page after it.

    Attributes
    ----------
    name : str
        "2to3", "load fixtures/v2".
    again : str
        The whole line to type again: "migrate 2to3 --replace".
    old : int or None
        The version that is read, where one is; it is never changed.
    new : int or None
        The version that is to be published, where one is.
    source, target : str
        Databases or directories as messages name them.
    back : str
        The step that goes back, "3to2", where there is one.
    rehearse : bool
        Nothing will be published.
    moved : bool
        What is made is not the project's own database of that version.
    place : str
        Where it is then, to type behind --to.
    until : datetime or None
        When it has to be done.
    """

    name: str
    again: str
    old: int | None = None
    new: int | None = None
    source: str = ""
    target: str = ""
    back: str = ""
    rehearse: bool = False
    moved: bool = False
    place: str = ""
    until: datetime | None = None

    @property
    def own(self) -> int | None:
        """The project's own version that is to be published, where one is."""
        return None if self.moved else self.new


def start_lines(deed: Deed) -> list[str]:
    """Return what will be read and written."""
    arrow = " -> ".join(place for place in (deed.source, deed.target) if place)
    return [f"{escape(deed.name)}    {escape(arrow)}".rstrip()]


def promise_lines(deed: Deed, run: str = "") -> list[str]:
    """Return what is never touched, when what is made will be seen, and the run's name.

    For when the work begins: a run that finds nothing to do promises nothing.
    """
    indent = " " * (len(deed.name) + 4)
    by = f"    must be done by {deed.until:%H:%M}" if deed.until else ""
    name = [f"{indent}run {run}{by}"] if run else []
    if deed.old is None:
        return [*name, ""]
    last = "; publishes nothing" if deed.rehearse else "; publishes last"
    said = "never touches rows, tables or schema of the old database"
    return [f"{indent}{said}{last if deed.new is not None else ''}", *name, ""]


def success_lines(receipt: Receipt, deed: Deed) -> list[str]:
    """Return the result of a run that came to its end."""
    if receipt.outcome == "already done":
        said = "is here already, and what it was made from still stands: nothing to do."
        return [f"{escape(receipt.new)} {said}"]
    body = [*accounting_lines(receipt), *count_lines(receipt), *partition_lines(receipt)]
    early = _early(receipt, deed)
    done = f"DONE in {duration(_seconds(receipt))}{early}{_outcome(receipt)}."
    where = f"Receipt: {escape(receipt.directory)}"
    fits = len(done) + 3 + len(where) <= WIDTH
    return [
        *body,
        *([""] if body else []),
        *([f"{done}   {where}"] if fits else [done, where]),
        *_after(receipt, deed),
        *_aside(receipt),
        *_closed(receipt, deed),
    ]


def receipt_text(receipt: Receipt) -> str:
    """Return `receipt.txt`: every table, every count, every stage."""
    lines = [
        f"{escape(receipt.command)}    run {escape(receipt.run)}    {escape(receipt.outcome)}",
        f"  {escape(receipt.old)} -> {escape(receipt.new)}",
        f"  {when(receipt.started)} to {when(receipt.finished)}, {duration(_seconds(receipt))}",
        "",
        *accounting_lines(receipt, whole=True),
        *count_lines(receipt),
        *partition_lines(receipt, whole=True),
    ]
    if receipt.stages:
        spans = [(s.step, s.stage, duration(s.seconds)) for s in receipt.stages]
        lines += ["", "  time", *columns(spans, "llr", indent=4)]
    if receipt.fence is not None:
        lines += receipt_lines(receipt.fence)
    if receipt.written:
        lines += ["", *wrap(receipt.written, "  ", 4)]
    if receipt.facts:
        facts = [(name, str(value)) for name, value in receipt.facts.items()]
        lines += ["", "  facts", *columns(facts, "ll", indent=4)]
    return "\n".join(lines) + "\n"


def stopped_lines(
    deed: Deed, status: Status | None, hints: Sequence[str], exit_code: int
) -> list[str]:
    """Return what stands after a run stopped, and both ways out.

    Parameters
    ----------
    status : Status or None
        Read after the stop; None where it could not be read.
    hints : sequence of str
        What the error says to do first.
    """
    run = None if status is None else _own(deed, status)
    rows = [] if status is None else _standing(deed, status, run)
    published = (
        status is None
        or deed.moved
        or any(v.version == deed.new and v.exists for v in status.versions)
    )
    lines = [
        "",
        "Nothing is lost."
        if published or deed.new is None
        else "Nothing is lost and nobody has seen anything.",
        *columns(rows, "ll"),
        "",
        *_go_on(deed, hints),
    ]
    lines += _give_up(deed, run, fenced=_is_fenced(deed, status))
    journal = "" if run is None else f"   Run: {escape(run.id)}"
    return [*lines, "", f"Exit {exit_code}.{journal}"]


def _give_up(deed: Deed, run: RunState | None, *, fenced: bool) -> list[str]:
    ways = []
    if fenced:
        release = f"then start release {deed.old}; loses nothing"
        ways.append(f"migrate unfence {deed.old}     {release}")
    if run is not None and (run.staging or run.extract.startswith("unfinished")):
        what = f" {escape(deed.name)}" if None not in (deed.old, deed.new, deed.own) else ""
        what += f" --to {escape(deed.place)}" if deed.place else ""
        ways.append(f"migrate discard{what}     removes what is half made; loses nothing")
    elif deed.old is not None and not fenced:
        ways.append(f"do nothing: release {deed.old} goes on as before")
    return [f"{'To give up' if at == 0 else '':<13}{way}" for at, way in enumerate(ways)]


def _is_fenced(deed: Deed, status: Status | None) -> bool:
    states = () if status is None else status.versions
    return any(state.version == deed.old and state.fenced for state in states)


def _own(deed: Deed, status: Status) -> RunState | None:
    """Return the run that stopped: the last one, if it was of this command."""
    last = status.runs[-1] if status.runs else None
    return last if last is not None and last.command == f"migrate {deed.name}" else None


def _go_on(deed: Deed, hints: Sequence[str]) -> list[str]:
    again = f"                 {escape(deed.again)}"
    if not hints:
        return ["To go on     type the same command again:", again]
    said = [line.removesuffix(_ANEW) for hint in hints for line in hint.split("\n")]
    first, *others = said
    rest = [f"             {escape(line)}" for line in others]
    return [
        f"To go on     {escape(first)}",
        *rest,
        "             then type the same command again:",
        again,
    ]


def _standing(deed: Deed, status: Status, run: RunState | None) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for state in status.versions:
        if state.version == deed.old:
            said = "no row, table or schema of it was changed by this run"
            if state.fenced:
                said = (
                    f"not changed by this run; FENCED since {when(state.fenced)}: nobody can write"
                )
            rows.append((state.database, said if state.exists else "does not exist"))
    if run is not None:
        rows += [("extract", _extract(deed, run))] if run.extract else []
        rows += [("staging", run.staging)] if run.staging else []
    for state in status.versions:
        if state.version == deed.own:
            rows.append((state.database, _published(state, run)))
    return rows


def _published(state: VersionState, run: RunState | None) -> str:
    if not state.exists:
        return "does not exist"
    half = run is not None and run.phase == "publish" and state.stamp is None
    return "half published: nobody takes it for done before the stamp" if half else "is here"


def _extract(deed: Deed, run: RunState) -> str:
    if run.extract != "complete":
        return run.extract
    fresh = "--fresh" in deed.again.split()
    return "complete; used again without --fresh" if fresh else "complete; will be used again"


def _seconds(receipt: Receipt) -> float:
    begun, ended = (datetime.fromisoformat(at) for at in (receipt.started, receipt.finished))
    return (ended - begun).total_seconds()


def _early(receipt: Receipt, deed: Deed) -> str:
    if deed.until is None:
        return ""
    left = (deed.until - datetime.fromisoformat(receipt.finished)).total_seconds()
    return f", {duration(max(0.0, left))} before your limit"


def _outcome(receipt: Receipt) -> str:
    if receipt.outcome == "rehearsed":
        return ": rehearsed, nothing was published"
    if receipt.outcome == "verified":
        return f": {escape(receipt.new)} equals {escape(receipt.old)}"
    return f": {escape(receipt.new)} is here" if receipt.outcome == "published" else ""


def _after(receipt: Receipt, deed: Deed) -> list[str]:
    if receipt.outcome == "rehearsed":
        return ["", f"Next     {escape(_unrehearsed(deed, receipt))}"]
    if receipt.outcome != "published" or deed.new is None or deed.old is None:
        return []
    at = f" on {receipt.new}" if deed.moved else ""
    steps = [
        f"start release {deed.new}{escape(at)}",
        f"back up {receipt.new}: no backup of it exists yet",
    ]
    return ["", *_numbered("Now      ", steps), *([] if deed.moved else _back(deed, receipt))]


def _closed(receipt: Receipt, deed: Deed) -> list[str]:
    """Return that the old database is closed still, and what was written to it otherwise."""
    lines = wrap(receipt.written, "Written  ", 9) if receipt.written else []
    if receipt.fence is None or receipt.fence.until:
        return lines
    said = f"{receipt.old} is FENCED since {when(receipt.fence.since)}: nobody can write"
    return [*lines, *wrap(f"{said}; to open it: migrate unfence {deed.old}", "Closed   ", 9)]


def _aside(receipt: Receipt) -> list[str]:
    """Return where the version is that had the name before."""
    if not receipt.aside:
        return []
    return wrap(f"the former {receipt.new} is {receipt.aside}", "Aside    ", 9)


def _unrehearsed(deed: Deed, receipt: Receipt) -> str:
    """Return what to type after a rehearsal, place and fence included."""
    if not deed.moved:
        return f"migrate {deed.name}{'' if receipt.fence is None else ' --fence'}"
    return deed.again.replace(" --rehearse", "")


def _back(deed: Deed, receipt: Receipt) -> list[str]:
    way = (
        f"migrate {deed.back}   (first: migrate plan {deed.back})"
        if deed.back
        else f"no {deed.new}to{deed.old}.py: what release {deed.new} wrote stays behind"
    )
    closed = receipt.fence is not None and not receipt.fence.until
    opens = f"migrate unfence {deed.old}, " if closed else ""
    return [
        f"Back     before release {deed.new} writes:  {opens}start release {deed.old}",
        f"         after it has written:    {way}",
    ]


def _numbered(start: str, steps: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for at, step in enumerate(steps, 1):
        head = start if at == 1 else " " * len(start)
        lines += wrap(step, f"{head}{at}. ", len(start) + 3)
    return lines
