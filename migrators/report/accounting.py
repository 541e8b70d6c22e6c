"""Where the rows went: read = written + left behind, and what else a receipt counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.report.text import columns, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrators.receipt import Receipt, RuleCount, TableReceipt

_HEAD = ("source -> new", "read", "=  written", "+  left behind", "")
_ALIGN = "lrrrl"


def accounting_lines(receipt: Receipt, *, whole: bool = False) -> list[str]:
    """Return the accounting table.

    Parameters
    ----------
    whole : bool
        Name every table; otherwise those that were carried one to one are one line.
    """
    steps = list(dict.fromkeys(table.step for table in receipt.tables))
    if len(steps) <= 1:
        return _accounted(receipt.tables, whole=whole)
    lines: list[str] = []
    for step in steps:
        tables = [table for table in receipt.tables if table.step == step]
        lines += ["", f"  {step}", *_accounted(tables, whole=whole)]
    return lines[1:]


def _accounted(tables: Sequence[TableReceipt], *, whole: bool) -> list[str]:
    told = [t for t in tables if whole or not _plain(t)]
    rest = len(tables) - len(told)
    lines = columns([_HEAD, *_rows(told)], _ALIGN) if told else []
    if rest:
        name = "all other tables" if told else "all tables"
        lines.append(f"  {name}    written = read; nothing rejected anywhere")
    return lines


def count_lines(receipt: Receipt) -> list[str]:
    """Return what rules changed, what was dropped and lost, and which statements agree."""
    return [
        *_section(
            "changed by rules",
            [(f"{r.table}.{r.column}", count(r.changed), r.rule) for r in _changed(receipt)],
        ),
        *_section(
            "dropped", [(what, count(held), because) for what, because, held in receipt.dropped]
        ),
        *_section(
            "lost, as accepted",
            [(why, "" if lost is None else count(lost), "") for why, lost in receipt.losses],
        ),
        *_section("stays behind: no schema says it", [(what, "", "") for what in receipt.unknown]),
        *_section("the same before and after", [(t, said, "") for t, said in receipt.sames]),
    ]


_SHOWN = 12


def partition_lines(receipt: Receipt, *, whole: bool = False) -> list[str]:
    """Return the rows of each partition, of what was read beside what was made.

    Parameters
    ----------
    whole : bool
        Show every one of them, not only the first.
    """
    found = receipt.partitions
    if not found:
        return []
    shown = found if whole else found[:_SHOWN]
    rows = [(f"{p.table}: {p.partition}", _rows_of(p.old), _rows_of(p.new)) for p in shown]
    rest = len(found) - len(shown)
    more = [f"  and {count(rest)} more: receipt.txt"] if rest else []
    return ["", *columns([("rows per partition", "old", "new"), *rows], "lrr"), *more]


def _rows_of(number: int | None) -> str:
    return "-" if number is None else count(number)


def _changed(receipt: Receipt) -> list[RuleCount]:
    return [rule for rule in receipt.rules if rule.changed]


def _plain(table: TableReceipt) -> bool:
    """Whether a table needs no line of its own: same name, every row, one to one."""
    same = table.table == table.source and table.read == table.written
    return same and not table.left and not table.own_grain


def _rows(tables: Sequence[TableReceipt]) -> Iterable[Sequence[str]]:
    for table in tables:
        name = f"{table.source} -> {table.table}" if table.source != table.table else table.table
        if table.own_grain:
            yield (name, count(table.read), count(table.written), "", "a grain of its own")
            others = _left(table)
        else:
            first, *others = _left(table) or [("0", "")]
            yield (name, count(table.read), count(table.written), *first)
        for left in others:
            yield ("", "", "", *left)


def _left(table: TableReceipt) -> list[tuple[str, str]]:
    return [(count(left.rows), left.because or left.condition) for left in table.left]


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", f"  {title}", *columns(rows, "lrl", indent=4)] if rows else []
