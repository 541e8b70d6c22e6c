"""What the live old database looks like: rows, bytes, room. `plan` and `check` print it.

Apart from the plan on purpose: a plan is made without a database. Nothing is written.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends import where
from migrators.backends.live import Live
from migrators.plan.model import Apply
from migrators.survey.left import Left, left_behind
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.backends.interface import Backend, Snapshot
    from migrators.plan.model import Plan

_EXTRACT = 0.6
"""Of the old size. Parquet took 0.23 of a generated 86 MB database; bytes that do not
compress take all of theirs."""
_TARGET = 1.3
"""Of the old size, where keys keep their types: every index is built, nothing is packed."""
_REKEYED = 2.0
"""Where integers become UUIDs; 1.67 measured for 2to3 of that database."""


@dataclass(frozen=True)
class Survey:
    """Facts about the live old database, and what a run will take.

    Attributes
    ----------
    rows : mapping of old table to int
    size_bytes : int
        Of the old database.
    extract_bytes, target_bytes, temp_bytes : int
        Estimates: extract, new database, temporary files at their height.
    free : mapping of place to bytes, or None where they cannot be seen
    needed : mapping of place to bytes
        Estimates, added up where extract and target lie on one file system.
    engine : str
        "SQLite 3.40.1".
    notes : tuple of str
        Plain facts: the journal mode, files beside the database.
    left : tuple of Left
        What the step leaves behind, in the order of `survey.left.questions`.
    live : Live
        Who else is on the old database's server.
    log : str
        What the new database's engine calls its log; see `Live.log`.
    log_bytes, sort_bytes : int
        Estimates: what a load writes besides, and what a server sorts in files.
    """

    rows: dict[str, int]
    size_bytes: int
    extract_bytes: int
    target_bytes: int
    temp_bytes: int
    free: dict[str, int | None]
    needed: dict[str, int]
    engine: str
    notes: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    live: Live = field(default_factory=Live)
    log: str = ""
    log_bytes: int = 0
    sort_bytes: int = 0

    @property
    def around(self) -> tuple[str, ...]:
        """Who else is there, and what they will feel of a run; a sentence each."""
        there = "; ".join(self.live.people)
        people = (f"connected now: {there}; --fence ends them",) if there else ()
        return (*people, *self.live.followers)


def survey(plan: Plan, old: Backend, new: Backend, runs: Path, *, seconds: float = 0.0) -> Survey:
    """Look at the old database and at the room there is; no snapshot may be open.

    Parameters
    ----------
    plan : Plan
    old, new : Backend
        `new` need not exist.
    runs : Path
        Where extracts and temporary files will be; need not exist.
    seconds : float
        How long to go on counting what is left behind; unless given none is counted.

    Raises
    ------
    DatabaseError, Locked
        The old database cannot be read.
    """
    size, (rows, left) = old.size_bytes(), _counts(plan, old, seconds)
    extract, temp = int(size * _EXTRACT), _temporary(plan, old, rows, size)
    target = int(size * (_REKEYED if _rekeys(plan) else _TARGET))
    here, there = _places(runs, new)
    needed = {here: extract + temp}
    there_live = new.live()
    log, sorts = int(target * there_live.log_share), _sorted(plan, rows, target, there_live)
    needed[there] = needed.get(there, 0) + target + log + sorts
    return Survey(
        rows=rows,
        size_bytes=size,
        extract_bytes=extract,
        target_bytes=target,
        temp_bytes=temp,
        free={here: _free(runs), there: new.free_bytes()},
        needed=needed,
        engine=old.engine_version(),
        notes=old.notes(),
        left=left,
        live=old.live(),
        log=there_live.log,
        log_bytes=log,
        sort_bytes=sorts,
    )


def row_counts(old: Backend, snapshot: Snapshot, tables: Sequence[sa.Table]) -> dict[str, int]:
    """Count the rows of old tables, each by a query of its own."""
    found = {}
    for table in tables:
        select = sa.select(sa.func.count()).select_from(table)
        ((number,),) = snapshot.rows(old.sql(select))
        found[table.key] = int(number)
    return found


def _counts(plan: Plan, old: Backend, seconds: float) -> tuple[dict[str, int], tuple[Left, ...]]:
    """Count rows, and those left behind; a table that drift has taken away has none."""
    there = {name for kind, name in old.catalog().objects if kind == "table"}
    closed = old.unreadable(list(plan.old.tables))
    tables = [plan.old.metadata.tables[n] for n in plan.old.tables if n in there - closed.keys()]
    with tempfile.TemporaryDirectory() as scratch, old.snapshot(Path(scratch)) as snapshot:
        rows = row_counts(old, snapshot, tables)
        return rows, tuple(left_behind(plan, old, snapshot, rows, seconds))


def _sorted(plan: Plan, rows: dict[str, int], target: int, live: Live) -> int:
    """Return what a server sorts at once, at most: an index of the largest table."""
    cells = [rows.get(name, 0) * len(table.columns) for name, table in plan.old.tables.items()]
    return int(target * max(cells, default=0) / max(sum(cells), 1)) if live.sorts else 0


def _rekeys(plan: Plan) -> bool:
    """Whether a UUID is made of what was none."""
    outputs = (o for t in plan.tables for p in t.parts for o in p.outputs)
    return any(o.type.kind is Kind.UUID and isinstance(o.node, Apply) for o in outputs)


def _temporary(plan: Plan, old: Backend, rows: dict[str, int], size: int) -> int:
    """Return the sorted runs of the largest table that does not come in order, and a copy."""
    cells = {
        name: rows.get(name, 0) * len(table.columns) for name, table in plan.old.tables.items()
    }
    whole = max(sum(cells.values()), 1)
    shares = [
        sum(cells.get(part.source, whole) if part.source else whole for part in table.parts)
        for table in plan.tables
        if not table.ordered and table.lookup is None
    ]
    share = min(max(shares, default=0) / whole, 1.0)
    return int(size * share) + (size if old.copies_to_read() else 0)


def _places(runs: Path, new: Backend) -> tuple[str, str]:
    """Name where extract and target lie; alike where they share a file system."""
    here = _existing(runs)
    file = where.database_file(new.url)
    if file is None:
        return str(runs), new.database
    there = _existing(file.parent)
    same = here.stat().st_dev == there.stat().st_dev
    return str(runs), str(runs) if same else str(file.parent)


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _free(runs: Path) -> int:
    return shutil.disk_usage(_existing(runs)).free
