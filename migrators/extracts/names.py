"""Table names → file names that are safe and distinct on every file system.

A name that is plain stays itself: `users.parquet`. Any other (capitals, since some file
systems do not tell `A` from `a`; slashes, dots, emoji, 255 bytes, what Windows reserves)
becomes a readable part and a digest: `user-log-3f2a…`. The dash cannot be in a plain name,
so that the two kinds never meet.
"""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,99}")
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_SAFE = re.compile(r"[a-z0-9_][a-z0-9_-]{0,150}\.(?:csv|parquet)")
_READABLE = 60
_DIGEST = 16


def file_name(table: str, suffix: str) -> str:
    """Return the name of a table's data file.

    Parameters
    ----------
    suffix : str
        ".csv" or ".parquet".
    """
    if _PLAIN.fullmatch(table) and not _RESERVED.fullmatch(table):
        return table + suffix
    readable = re.sub(r"[^a-z0-9_]+", "-", table.lower()).strip("-")[:_READABLE]
    digest = hashlib.sha256(table.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{readable or 'table'}-{digest}{suffix}"


def is_safe(name: str) -> bool:
    """Return whether a name is of the form that `file_name` gives: no folder, no dots."""
    stem = name.partition(".")[0]
    return bool(_SAFE.fullmatch(name)) and not _RESERVED.fullmatch(stem)
