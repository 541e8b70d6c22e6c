"""Rows counted per partition, of what was read beside what was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.receipt import PartitionRows

if TYPE_CHECKING:
    from migrators.backends.interface import Backend


def counted(old: Backend | None, new: Backend) -> tuple[PartitionRows, ...]:
    """Return the rows of each partition, by table and name.

    Parameters
    ----------
    old : Backend or None
        The database that was read, where one was; nothing may be written to it meanwhile.
    """
    before, after = old.partitions() if old else {}, new.partitions()
    return tuple(
        PartitionRows(table, name, was.get(name), now.get(name))
        for table in sorted(before.keys() | after.keys())
        for was, now in [(before.get(table, {}), after.get(table, {}))]
        for name in dict.fromkeys([*was, *now])
    )
