"""What a foreign key refers to and how it acts, in one normal form, for the catalogue.

Silence has a meaning: the parent's primary key, NO ACTION, checked at once. Whoever writes
that out says nothing else (sqlite.org/foreignkeys.html, sections 4.2, 4.3 and 6).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrators.backends.sqlite import sql, tokens

if TYPE_CHECKING:
    import sqlite3

_ACTION = r"(no action|set null|set default|cascade|restrict)"
_SILENT = re.compile(r" (on (delete|update) no action|match \w+|not deferrable( initially \w+)?)\b")
"""SQLite parses MATCH and does not obey it; NOT DEFERRABLE is checked at once, whatever follows."""
_REVERSED = re.compile(rf" (on update {_ACTION}) (on delete {_ACTION})\b")


def normal(connection: sqlite3.Connection, text: str) -> str:
    """Return "references parent ( key ) on delete cascade", the key spelled out.

    Parameters
    ----------
    text : str
        The clause from REFERENCES on, as joined tokens.
    """
    words = text.split(" ")
    after = words.index(")") + 1 if words[2:3] == ["("] else 2
    key = words[3 : after - 1] if after > 2 else _primary_key(connection, words[1])  # noqa: PLR2004
    return " ".join([*words[:2], "(", *key, ")"]) + _acts(words[after:])


def _primary_key(connection: sqlite3.Connection, parent: str) -> list[str]:
    name = sql.name(tokens.unquoted(parent))
    rows = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
    key = [tokens.quoted(row[1]) for row in sorted(rows, key=lambda r: r[5]) if row[5]]
    return " , ".join(key).split(" ")


def _acts(words: list[str]) -> str:
    """Return the clauses that say more than silence does, ON DELETE before ON UPDATE."""
    said = _SILENT.sub("", "".join(f" {word}" for word in words))
    return _REVERSED.sub(r" \3 \1", said)
