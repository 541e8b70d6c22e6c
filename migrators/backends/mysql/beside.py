"""What SHOW CREATE TABLE says and SQLAlchemy does not declare: the statements that make it again.

`reflection` asks, table by table. What the server keeps of versioned rows that were changed
(mariadb.com/kb, System-Versioned Tables) is not carried; a note says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends.mysql import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"^  (.*?),?$", re.MULTILINE)
_QUOTED = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'")
_PARTITIONS = re.compile(r"\n(?:/\*!\d+ )?( ?PARTITION BY .*?)(?:\*/)?\s*$", re.DOTALL)
_STORED = re.compile(r"\b(?:CHECKSUM|TRANSACTIONAL)=\d+|`[A-Z_]+`='?\w+'?")
_OF_COLUMN = re.compile(r"\b(?:INVISIBLE|COMPRESSED)\b")
_OF_INDEX = re.compile(r"\b(?:COMMENT|IGNORED|INVISIBLE|KEY_BLOCK_SIZE|DESC|OVERLAPS|USING)\b")
_HASHED = re.compile(r" USING HASH\b")
_KEY = re.compile(r"(?:(UNIQUE|FULLTEXT|SPATIAL) )?KEY `((?:[^`]|``)+)` ")
_PERIOD = re.compile(r"PERIOD FOR `((?:[^`]|``)+)` \(`((?:[^`]|``)+)`, ?`((?:[^`]|``)+)`\)")

_KEEPING = "SET STATEMENT system_versioning_alter_history = KEEP FOR"
"""What a table that is versioned already asks for; one that is not takes no such column."""


@dataclass
class Beside:
    """Statements by when they run, and notes."""

    between: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(table: sa.Table, text: str) -> Beside:
    """Return what is beside a table; what its declaration must not say is taken off it.

    Parameters
    ----------
    text : str
        SHOW CREATE TABLE.
    """
    found = Beside()
    lines = _LINE.findall(text)
    last = _PARTITIONS.sub("", text).rpartition("\n)")[2]
    versioned = "WITH SYSTEM VERSIONING" in _QUOTED.sub("", last)
    alters = [*_periods(table, lines), *_columns(lines), *_stored(last)]
    parted = [match[1].strip()] if (match := _PARTITIONS.search(text)) else []
    found.between = [_alter(table, part) for part in [*alters, *([] if versioned else parted)]]
    if versioned:  # its indexes and references come before: it takes few changes after
        found.after.append(_alter(table, ", ".join(_versioning(table, lines))))
        found.after += [f"{_KEEPING} {_alter(table, part)}" for part in _unversioned(lines)]
        found.after += [_alter(table, part) for part in parted]
        found.notes.append(f"{table.name} keeps what its rows were before: that is not carried")
    found.after += [_alter(table, part) for part in _indexes(table, lines)]
    return found


def _alter(table: sa.Table, part: str) -> str:
    return f"ALTER TABLE {sql.name(table.name)} {part}"


def _bare(line: str) -> str:
    """Return a line without names and texts."""
    return _QUOTED.sub("?", line)


def _columns(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("`") and _OF_COLUMN.search(_bare(line)):
            yield f"MODIFY {line}"


def _stored(last: str) -> Iterator[str]:
    """Yield how a table is kept, where SQLAlchemy does not read it or it is left out."""
    said = _STORED.findall(re.sub(r" COMMENT='(?:[^']|'')*'", "", last))
    if said:
        yield " ".join(said)


def _periods(table: sa.Table, lines: list[str]) -> Iterator[str]:
    """Yield periods, with the primary key that is of one: declared, it is of its two columns."""
    periods = {match[1]: match for line in lines if (match := _PERIOD.match(line))}
    for line in lines:
        if not line.startswith("PRIMARY KEY"):
            continue
        key = re.search(r",`((?:[^`]|``)+)` WITHOUT OVERLAPS", line)
        if key is None and not _OF_INDEX.search(_HASHED.sub("", _bare(line))):
            continue
        parts = [f"ADD {line}"]
        if key is not None:
            begins, ends = (periods[key[1]][n].replace("``", "`") for n in (2, 3))
            names = [column.name for column in table.primary_key.columns]
            _key_of(table, *(n for n in names if n not in (begins, ends)), ends, begins)
            parts.insert(0, f"ADD {periods.pop(key[1])[0]}")
        yield f"DROP PRIMARY KEY, {', '.join(parts)}"
    yield from (f"ADD {match[0]}" for match in periods.values())


def _key_of(table: sa.Table, *names: str) -> None:
    table.append_constraint(sa.PrimaryKeyConstraint(*names))


def _versioning(table: sa.Table, lines: list[str]) -> Iterator[str]:
    """Yield what makes a table versioned; columns that the server writes are not declared."""
    columns = [line for line in lines if line.startswith("`")]
    for before, line in zip(["", *columns], columns, strict=False):
        if re.search(r"\bAS ROW (?:START|END)\b", _bare(line)):
            name = str(_QUOTED.findall(line)[0])[1:-1].replace("``", "`")
            _take_off(table, name)
            yield f"ADD COLUMN {line} AFTER {_QUOTED.findall(before)[0]}"
    yield from (f"ADD {line}" for line in lines if line.startswith("PERIOD FOR SYSTEM_TIME"))
    yield "ADD SYSTEM VERSIONING"


def _unversioned(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("`") and "WITHOUT SYSTEM VERSIONING" in _bare(line):
            yield f"MODIFY {line}"


def _take_off(table: sa.Table, name: str) -> None:
    """Take a column off its table, and off the keys that the server put it into."""
    if name not in table.columns:  # SQLAlchemy reads some of them, and not how they are made
        return
    _key_of(table, *(c.name for c in table.primary_key.columns if c.name != name))
    for index in list(table.indexes):
        kept = [column for column in index.columns if column.name != name]
        if len(kept) < len(index.columns):
            table.indexes.remove(index)
            sa.Index(index.name, *kept, unique=index.unique)
    table._columns.remove(table.columns[name])  # noqa: SLF001


def _indexes(table: sa.Table, lines: list[str]) -> Iterator[str]:
    """Yield indexes that say more than is declared.

    They are declared all the same, for rows to be looked at before, and for other databases;
    but what is unique within a period is not unique.
    """
    for line in lines:
        match = _KEY.match(line)
        told = _HASHED.sub("", _bare(line)) if match and match[1] == "UNIQUE" else _bare(line)
        if match is None or not _OF_INDEX.search(told):
            continue
        name = match[2].replace("``", "`")
        declared = {index for index in table.indexes if index.name == name}
        if "WITHOUT OVERLAPS" in told:
            table.indexes -= declared
            declared = set()
        yield f"DROP INDEX {sql.name(name)}, ADD {line}" if declared else f"ADD {line}"
