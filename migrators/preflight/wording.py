"""How findings name rows, columns and the lines to type; values are never among them."""

from __future__ import annotations

import json
import keyword
import re
from pathlib import PurePath
from textwrap import indent
from typing import TYPE_CHECKING, Any

from migrators.plan.model import Apply, Read, Widen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrators.backends.interface import ReadColumn
    from migrators.plan.model import Node, Part, Plan, TablePlan
    from migrators.preflight.model import Fault, Finding, Level

SAMPLES = 5
"""Rows that are named; the count says how many there are."""
_LONGEST = 60
_STATEMENT = 78  # what fits in 90 columns beside `mend`
_SINGULAR = {"are": "is", "have": "has", "break": "breaks", "refer": "refers"}


def printable(value: Any) -> str:
    """Return a value for a terminal: control characters escaped, binary as hex, cut."""
    if isinstance(value, bytes):
        text = "x'" + value[:_LONGEST].hex() + "'"
    else:
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def short(database: str) -> str:
    """Return a database's name without the folders it lies in."""
    return PurePath(database).name


def row_name(names: Sequence[str], values: Sequence[Any]) -> str:
    """Return "id 14" or "package 3, version 7"; "NULL" stands for a missing key."""
    said = ("NULL" if value is None else printable(value) for value in values)
    return ", ".join(f"{name} {value}" for name, value in zip(names, said, strict=True))


def listed(samples: Sequence[str], count: int) -> str:
    """Return "id 14, 15, 22 and 282 more": the name of the key is said once."""
    if not samples:
        return ""
    heads = {sample.split(" ", 1)[0] for sample in samples}
    single = len(heads) == 1 and not any("," in s or " = " in s for s in samples)
    said = [samples[0], *(s.split(" ", 1)[1] for s in samples[1:])] if single else samples
    more = count - len(samples)
    joined = (", " if single else "; ").join(said)
    return f"{joined} and {more:,} more" if more > 0 else joined


def counted(count: int, said: str) -> str:
    """Return "287 rows are null", "1 row is null"."""
    if count != 1:
        return f"{count:,} {said}"
    what, *rest = said.split(" ")
    return " ".join(
        ["1", what.removesuffix("s"), *(_SINGULAR.get(r, r) for r in rest[:1]), *rest[1:]]
    )


def facts(faults: Sequence[Fault]) -> tuple[str, ...]:
    """Return a line for each fault, keys below one another."""
    rows = [(counted(f.count, f.said), listed(f.samples, f.groups or f.count)) for f in faults]
    width = max(len(said) for said, _ in rows)
    return tuple(f"{said:{width}}  {keys}".rstrip() for said, keys in rows)


def finding(level: Level, faults: Sequence[Fault], version: int) -> Finding:
    """Return one finding of all faults of one place."""
    from migrators.preflight.model import Finding

    demands = list(dict.fromkeys(fault.demand for fault in faults))
    title = f"{faults[0].where} {_joined(demands)} in schema {version}"
    see = "\n".join(dict.fromkeys(fault.see for fault in faults if fault.see))
    return Finding(level, title, facts(faults), see, tuple(_mends(faults)))


def _joined(demands: list[str]) -> str:
    """Return "is NOT NULL and UNIQUE" for "is NOT NULL", "is UNIQUE"."""
    return " and ".join(demands).replace(" and is ", " and ")


def _mends(faults: Iterable[Fault]) -> list[str]:
    """Return what mends faults, each once: lines to type in one piece, then what else may be."""
    lines = dict.fromkeys(line for fault in faults for line in fault.mend)
    return sorted(lines, key=lambda line: line.startswith("or "))


def accounted(plan: Plan) -> str:
    """Say that every column is accounted for; `plan` has refused what is not."""
    dropped = sum(
        len(plan.old.tables[d.what].stored) if d.what in plan.old.tables else 1
        for d in plan.dropped
    )
    said = f"{plan.columns_carried} carried, {dropped} dropped, {plan.columns_new} new"
    return f"every column is accounted for: {said}"


# code ------------------------------------------------------------------------------------


def column_path(table: str, column: str) -> str:
    """Return how a step writes an old column: `old.recruits.c.email`."""
    return f"{table_path('old', table)}.c{_item(column)}"


def table_path(side: str, table: str) -> str:
    """Return how a step writes a table: `new.recruits`, `old["Odd Name"]`."""
    return f"{side}{_item(table)}"


def _item(name: str) -> str:
    plain = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
    return f".{name}" if plain else f"[{json.dumps(name)}]"


def mapping(table: TablePlan, part: Part) -> str:
    """Return the call that gives a part's mapping again: `step.table(new.recruits)`."""
    new = table_path("new", table.name)
    if len(table.parts) > 1 and part.source:
        return f"step.table({new}, source={table_path('old', part.source)})"
    return f"step.table({new})"


def place(plan: Plan, of: TablePlan | Part) -> str:
    """Return where the step speaks of a table or a source: "migrators/2to3.py:31"."""
    return f"migrators/{plan.path.name}" + (f":{of.line}" if of.line else "")


def correct(plan: Plan, of: TablePlan | Part, lines: Sequence[str]) -> tuple[str, ...]:
    """Return the two ways to mend rows: in the old release, or by lines in the step."""
    first = f"correct them in release {plan.old.version}"
    if not lines:
        return (first,)
    if plan.old.version == plan.new.version:
        step = f"{plan.old.version}to{plan.old.version + 1}"
        return (
            f"{first}, or take them along by a step, migrate {step}, with one of:",
            *(indent(_broken(x), "  ") for x in lines),
        )
    return (
        f"{first}, or in {place(plan, of)} add one of:",
        *(indent(_broken(x), "  ") for x in lines),
    )


def _broken(line: str) -> str:
    """Return a statement on several lines where one is too long for the page."""
    match = re.fullmatch(r"(step\.table\(.*?\)\.\w+)\((.*)\)", line)
    if match is None or len(line) <= _STATEMENT:
        return line
    return f"{match[1]}(\n    {match[2]},\n)"


def values(column: str, value: str) -> str:
    """Return `.values(column=value)`, for any name."""
    if column.isidentifier() and not keyword.iskeyword(column):
        return f".values({column}={value})"
    return f".values(**{{{json.dumps(column)}: {value}}})"


# what a column is made of ----------------------------------------------------------------


def carried_from(part: Part, column: str) -> ReadColumn | None:
    """Return the old column that a new one carries as it is; None where it is computed."""
    node = next((o.node for o in part.outputs if o.column == column), None)
    while isinstance(node, Widen | Apply):
        if isinstance(node, Apply) and node.rule.name != "rekey":
            return None
        node = node.of if isinstance(node, Widen) else node.args[0]
    if isinstance(node, Read):
        read = part.query.columns[node.index]
        return read if read.table else None
    return None


def origin(part: Part, column: str) -> str:
    """Return the old column as a step writes it, or a gap for an expression to fill."""
    read = carried_from(part, column)
    return column_path(read.table, read.source) if read else "..."


def rekeyed(node: Node) -> str | None:
    """Return the tag of the `rekey` that a node goes through; None for no such node."""
    while isinstance(node, Widen):
        node = node.of
    tag = getattr(node.rule, "tag", None) if isinstance(node, Apply) else None
    return tag if isinstance(node, Apply) and node.rule.name == "rekey" else None
