"""docs/types.md, and the table for a terminal, from what the grid found."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.grid.declared import DATABASES, LEFT_OUT
from tests.grid.grid import cells, count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.grid.grid import Outcome, Sample, Way

PAGE = Path(__file__).parents[2] / "docs" / "types.md"
NAMES = {"postgresql": "PostgreSQL", "mysql": "MariaDB", "sqlite": "SQLite"}
_SHOWN, _WIDTH = 4, 44
_HEAD = """# Types: what is exact where, and what is refused

<!-- Made by `python -m tests.grid`, from what it finds; a test compares. -->

Every type that SQLAlchemy's dialects declare is filled
with edge values by plain SQL, extracted, written to files and loaded; what the new server says of
each cell is compared with what the old one said. Each is **exact**, or is **refused by name**:
the run, or its plan, stops with table, column and key. There is no third outcome, and Parquet and
CSV fare alike.

Loaded into a database of another kind, a column is of the variant that the schema module
declares there (`.with_variant`): a server's own types are text elsewhere, and go back to the
server as they came. Not every database is equal to the task; the lists below each table say which
values it cannot hold. A rule in the step converts them.
"""


def page(found: dict[str, dict[Way, Outcome]], samples: dict[str, Sequence[Sample]]) -> str:
    """Return docs/types.md."""
    total = sum(map(cells, DATABASES))
    parts = [_HEAD, f"{total:,} cells, on PostgreSQL 15, MariaDB 10.11 and SQLite 3.40.\n"]
    parts += [section(database, found[database], samples[database]) for database in DATABASES]
    return "\n".join(parts)


def section(database: str, found: dict[Way, Outcome], samples: Sequence[Sample]) -> str:
    """Return the part of the page about values that come from one database."""
    lines = [f"## From {NAMES[database]}\n"]
    lines.append("| type | held as | " + " | ".join(f"to {NAMES[t]}" for t in DATABASES) + " |")
    lines.append("|---|---|" + "---|" * len(DATABASES))
    for sample in samples:
        cell = [_said(found[sample.name, target, "parquet"], sample) for target in DATABASES]
        held = _escaped(str(sample.type))
        lines.append(f"| `{_escaped(sample.name)}` | {held} | {' | '.join(cell)} |")
    lines += ["", "Refused:", "", *_refusals(found, samples)]
    lines += [f"- `{name}` is not in the grid: {why}" for name, why in LEFT_OUT[database].items()]
    return "\n".join(lines) + "\n"


def _said(outcome: Outcome, sample: Sample) -> str:
    if outcome.wrong:
        return f"**{len(outcome.wrong)} wrong**"
    if not outcome.refused:
        return "exact"
    if not outcome.exact or all(r.startswith("plan: ") for r in outcome.refused.values()):
        return "refused"
    return f"{len(outcome.refused)} of {len(sample.literals)} refused"


def _refusals(found: dict[Way, Outcome], samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        for target in DATABASES:
            by_reason: dict[str, list[str]] = defaultdict(list)
            for key, reason in found[sample.name, target, "parquet"].refused.items():
                by_reason[reason].append(sample.literals[key - 1])
            for reason, literals in by_reason.items():
                yield f"- `{sample.name}` to {NAMES[target]}: {_why(reason, literals)}"


def _why(reason: str, literals: list[str]) -> str:
    if reason.startswith("plan: "):
        return f"by the plan: {reason.removeprefix('plan: ')}"
    shown = ", ".join(f"`{_cut(text)}`" for text in literals[:_SHOWN])
    more = f" and {len(literals) - _SHOWN} more" if len(literals) > _SHOWN else ""
    return f"{shown}{more}: {reason}"


def _cut(text: str) -> str:
    text = text.replace("\n", "\\n").replace("`", "'")
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def table(found: dict[str, dict[Way, Outcome]]) -> str:
    """Return the outcomes by source, target and format, for a terminal."""
    lines = [f"{'from':<12}{'to':<12}{'files':<9}{'exact':>7}{'refused':>9}{'wrong':>7}"]
    for database, ways in found.items():
        sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for way, outcome in ways.items():
            sums[way[1], way[2]] += count({way: outcome})
        for (target, files), said in sums.items():
            numbers = f"{said['exact']:>7}{said['refused']:>9}{said['wrong']:>7}"
            lines.append(f"{NAMES[database]:<12}{NAMES[target]:<12}{files:<9}{numbers}")
    return "\n".join(lines)
