"""Finished tables of an extract that is not finished: what is known of each, beside its file.

For a run that goes on with the extract of one that stopped, where nothing can have been written
to the old database meanwhile. When all tables are there the manifest says it, and these go.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrators.extracts.atomic import AtomicFile
from migrators.extracts.interface import ColumnEntry, FileEntry, TableEntry

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = ".kept"


def keep(path: Path, table: TableEntry, facts: dict[str, Any]) -> None:
    """Write down that a table is finished, durably.

    Parameters
    ----------
    path : Path
        The extract's directory.
    facts : dict
        What else has to be known of it, as plain data.
    """
    (file,) = table.files
    with AtomicFile(path / f"{file.name}{_SUFFIX}", 0o600) as sink:
        sink.write(json.dumps({"table": asdict(table), "facts": facts}).encode())


def found(path: Path) -> dict[str, tuple[TableEntry, dict[str, Any]]]:
    """Return the finished tables of a directory, by name, whose files are as they were written."""
    tables = {}
    for note in sorted(path.glob(f"*{_SUFFIX}")):
        try:
            said = json.loads(note.read_bytes())
            table, facts = _table(said["table"]), dict(said["facts"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # cut short: it was never said
        if all(_is_there(path, file) for file in table.files):
            tables[table.name] = table, facts
    return tables


def _table(said: dict[str, Any]) -> TableEntry:
    return TableEntry(
        said["name"],
        tuple(ColumnEntry(**column) for column in said["columns"]),
        tuple(FileEntry(**file) for file in said["files"]),
        ordered=said["ordered"],
    )


def _is_there(path: Path, file: FileEntry) -> bool:
    try:
        with (path / file.name).open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def files(table: TableEntry) -> set[str]:
    """Return the names of all that belongs to a finished table."""
    return {name for file in table.files for name in (file.name, f"{file.name}{_SUFFIX}")}


def clear(path: Path) -> None:
    """Remove what was written down."""
    for note in path.glob(f"*{_SUFFIX}"):
        note.unlink()
