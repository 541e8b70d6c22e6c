"""The page of `migrate plan`: what is read, built and left behind; sizes where known."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from migrators.report.text import columns, count, duration, escape, escape_lines, size, when, wrap
from migrators.survey.left import questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from migrators.plan.model import Part, Plan, TablePlan
    from migrators.survey import Survey
    from migrators.survey.left import Left

_CARRIED = "carried by name"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a step reads and writes, as messages name it.

    Attributes
    ----------
    took : str
        How long the last run of it took, and when that was; empty where none is known.
    """

    old: str
    new: str
    runs: str
    took: str = ""


def took(begun: datetime, ended: datetime, outcome: str, then: int | None, now: int | None) -> str:
    """Say how long a run took, when that was, and how large the database was and is.

    Parameters
    ----------
    then, now : int or None
        Bytes of the old database; None where they are not known.
    """
    run = "rehearsal" if outcome == "rehearsed" else "run"
    said = (
        f"{duration((ended - begun).total_seconds())}, from the {run} of {when(begun.isoformat())}"
    )
    if then is None:
        return said
    return f"{said} ({size(then)} then{'' if now is None else f', {size(now)} now'})"


def plan_lines(
    plan: Plan, places: Places, survey: Survey | None, *, whole: bool = False
) -> list[str]:
    """Return the page of one step.

    Parameters
    ----------
    survey : Survey or None
        Of the live old database; sizes are blank without one.
    whole : bool
        Name also the tables that are carried by name.
    """
    return [
        _title(plan, places, survey),
        "",
        *_places(places, survey),
        "",
        *_tables(plan, survey, whole=whole),
        *_left_behind(plan, survey),
        *_promises(plan),
        *(["", f"  time       {escape(places.took)}"] if places.took else []),
        "",
        _last(plan, survey),
    ]


def sql_lines(plan: Plan) -> list[str]:
    """Return every statement that will be put to the old database, each under its name."""
    lines: list[str] = []
    for title, sql in statements(plan):
        lines += [f"-- {escape(title)}", *escape_lines(sql.rstrip().rstrip(";") + ";"), ""]
    return lines[:-1]


def statements(plan: Plan) -> Iterable[tuple[str, str]]:
    """Return (what it is for, SQL) of all that is asked of the old database."""
    for key_map in plan.key_maps:
        yield f"keys of {key_map.name}", key_map.query.sql
    for table in plan.tables:
        for part in table.parts:
            yield f"{table.name}, from {part.source or table.origin or 'a query'}", part.query.sql
            if part.accounting is not None:
                yield f"{table.name}, rows left behind", part.accounting.sql
    for dropped in plan.dropped:
        yield f"{dropped.what}, dropped", dropped.count
    for same in plan.sames:
        yield f"same: {same.title}", same.old.sql
    for loss in plan.losses:
        if loss.count is not None:
            yield f"loss: {loss.why}", loss.count


def plan_data(plan: Plan, places: Places, survey: Survey | None) -> dict[str, Any]:
    """Return the page as plain data for JSON."""
    return {
        "step": plan.name,
        "digest": plan.digest,
        "downgrade": plan.is_downgrade,
        "reads": places.old,
        "publishes": places.new,
        "runs": places.runs,
        "tables": [_table_data(table, survey) for table in plan.tables],
        "left_behind": [
            {"what": x.what, "rows": x.count, "exact": x.exact, "because": x.because}
            for x in _left(plan, survey)
        ],
        "losses": [loss.why for loss in plan.losses],
        "same": [same.title for same in plan.sames],
        "statements": [{"for": title, "sql": sql} for title, sql in statements(plan)],
        "columns": {"carried": plan.columns_carried, "new": plan.columns_new},
        "survey": None if survey is None else asdict(replace(survey, left=())),
    }


def _title(plan: Plan, places: Places, survey: Survey | None) -> str:
    engine = "" if survey is None else f"    {survey.engine}"
    return escape(f"plan {plan.name}    {places.old} -> {places.new}{engine}")


def _places(places: Places, survey: Survey | None) -> list[str]:
    reads = writes = builds = ""
    if survey is not None:
        reads = size(survey.size_bytes)
        writes = f"about {size(survey.extract_bytes)}"
        builds = f"about {size(survey.target_bytes)}"
    rows = [
        ("reads", places.old, reads, "one snapshot; nothing in it is changed"),
        ("writes", places.runs, writes, "the extract"),
        ("builds", "a staging database", builds, "seen by nobody"),
        ("publishes", places.new, "", "one rename, last"),
    ]
    notes = () if survey is None else (*survey.notes, *_server(survey))
    said = [line for note in notes for line in wrap(note, "  note       ", 13)]
    return [*columns([*rows, *_room(survey)], "llrl"), *said]


def _server(survey: Survey) -> Iterable[str]:
    """Yield what a server writes besides the new database, and who is there."""
    if survey.log and survey.log_bytes:
        yield f"of the room there, about {size(survey.log_bytes)} is {survey.log}"
    if survey.sort_bytes:
        yield f"about {size(survey.sort_bytes)} is sorted at once, at most, when indexes are built"
    yield from survey.around


def _room(survey: Survey | None) -> list[tuple[str, str, str, str]]:
    """Return the room that each place needs and has."""
    if survey is None:
        return []
    rows = []
    for place, needed in survey.needed.items():
        free = survey.free.get(place)
        has = "free space cannot be seen" if free is None else f"of {size(free)} free"
        rows.append(("room", place, f"about {size(needed)}", has))
    return rows


def _tables(plan: Plan, survey: Survey | None, *, whole: bool) -> list[str]:
    told = [t for t in plan.tables if whole or t.how != _CARRIED]
    rows = [
        ("new table", "made from", "rows, about", "how"),
        *((t.name, t.origin, _about(_rows(t, survey)), _how(plan, t)) for t in told),
    ]
    others = [t for t in plan.tables if t not in told]
    if others:
        known = [n for t in others if (n := _rows(t, survey)) is not None]
        total = _about(sum(known)) if survey is not None else ""
        rows.append((f"{len(others)} more", "", total, f"{_CARRIED}  (--all)"))
    return columns(rows, "llrl")


def _how(plan: Plan, table: TablePlan) -> str:
    return table.how if table.line is None else f"{table.how}  {plan.path.name}:{table.line}"


def _rows(table: TablePlan, survey: Survey | None) -> int | None:
    """Rows that are read for a table; None where something else decides how many they make."""
    if survey is None or not table.parts or table.lookup is not None:
        return None
    if not all(_one_to_one(part) for part in table.parts):
        return None
    known = [survey.rows.get(part.source or "") for part in table.parts]
    return sum(n for n in known if n is not None) if None not in known else None


def _one_to_one(part: Part) -> bool:
    return part.source is not None and part.function is None and part.explodes is None


def _about(number: int | None) -> str:
    return "" if number is None else count(number)


def _left(plan: Plan, survey: Survey | None) -> Sequence[Left]:
    """Return what is left behind, counted where a database was looked at."""
    return survey.left if survey is not None else [q.uncounted for q in questions(plan)]


def _left_behind(plan: Plan, survey: Survey | None) -> list[str]:
    rows = [(x.what, _amount(x, survey), x.because) for x in _left(plan, survey)]
    if not rows:
        return ["", "  left behind      nothing"]
    return ["", *columns([("left behind", "how many", "because"), *rows], "lrl")]


def _amount(left: Left, survey: Survey | None) -> str:
    if left.count is None:
        return "" if survey is None else "not counted"
    return count(left.count) if left.exact else f"about {count(left.count)}"


def _promises(plan: Plan) -> list[str]:
    """Return the losses, which must be accepted, and what must be the same on both sides."""
    lines: list[str] = []
    if plan.losses:
        lines += ["", "  loses, only with --accept-loss; counted before anything runs"]
        lines += [line for loss in plan.losses for line in wrap(loss.why, "    ", 6)]
    if plan.sames:
        lines += ["", "  must be the same on both sides"]
        lines += [line for same in plan.sames for line in wrap(same.title, "    ", 6)]
    return lines


def _last(plan: Plan, survey: Survey | None) -> str:
    read = "No database was read" if survey is None else "The old database was only read"
    return f"{read}; nothing was written.    Next: migrate check {plan.name}"


def _table_data(table: TablePlan, survey: Survey | None) -> dict[str, Any]:
    return {
        "name": table.name,
        "from": table.origin,
        "how": table.how,
        "line": table.line,
        "rows": _rows(table, survey),
        "columns": [
            {"name": o.column, "type": str(o.type), "how": o.how}
            for o in (table.parts[0].outputs if table.parts else ())
        ],
    }
