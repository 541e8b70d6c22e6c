"""What an extract's manifest says for a receipt and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.preflight import room, wording
from migrators.receipt import LeftBehind, RuleCount, TableReceipt

if TYPE_CHECKING:
    from migrators.extracts.interface import Manifest


def extent(extract: Manifest) -> str:
    """Return "14 tables, 9.1 GB"."""
    tables = wording.counted(len(extract.tables), "tables")
    return f"{tables}, {room.size(extract.size)}"


def answer(rows: list[list[str | None]]) -> str:
    """Return what a `step.same` gave, as people read it; the manifest has every row."""
    if len(rows) != 1:
        return f"{len(rows):,} rows"
    return ", ".join("NULL" if value is None else value for value in rows[0])


def receipt_parts(accounting: dict[str, Any], step: str = "") -> dict[str, Any]:
    """Return the accounting that a manifest keeps, as parts of a `Receipt`."""
    tables = [
        TableReceipt(**{**t, "left": tuple(LeftBehind(**x) for x in t["left"]), "step": step})
        for t in accounting.get("tables", ())
    ]
    return {
        "tables": tuple(tables),
        "rules": tuple(RuleCount(t, c, r, n, step) for t, c, r, n in accounting.get("rules", ())),
        "dropped": tuple((w, b, n) for w, b, n in accounting.get("dropped", ())),
        "losses": tuple((w, n) for w, n in accounting.get("losses", ())),
    }
