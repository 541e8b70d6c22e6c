"""Texts that an index takes for one: asked of the server, whose collations only it knows.

Nothing is stored, so that it can be asked before anything is made there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, sql
from migrators.backends.mysql.staging import defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

_AT_ONCE = 500
_BINARY = "binary"
_NO_PAD = ("nopad", "_0900_")
"""In the names of collations to which a space at the end counts (manuals, "PAD SPACE")."""


def same_text(
    url: sa.URL, dialect: sa.Dialect, column: sa.Column[object], like: str
) -> Callable[[list[str]], list[str]]:
    """Return what gives texts of a column the keys by which its indexes compare.

    Parameters
    ----------
    like : str
        The database whose character set and collation a new one takes.

    Raises
    ------
    DatabaseError
        The server does not answer.
    """
    declared = column.type.dialect_impl(dialect)
    options = column.table.dialect_options[dialect.name]
    charset = getattr(declared, "charset", None) or options.get("charset")
    collation = getattr(declared, "collation", None) or options.get("collate")
    with connect.opened(url, "looking", database=False) as connection:
        if collation is None and charset is not None:
            collation = _default(connection, str(charset))
        if collation is None:
            charset, collation = defaults(connection, like)
        if charset is None:
            charset = str(collation).partition("_")[0]
    return lambda texts: _keys(url, str(charset), str(collation), texts)


def _default(connection: Connection, charset: str) -> str:
    found = connect.rows(
        connection,
        "SELECT default_collate_name FROM information_schema.character_sets "
        "WHERE character_set_name = %s",
        (charset,),
    )
    return str(found[0][0]) if found else f"{charset}_bin"


def _keys(url: sa.URL, charset: str, collation: str, texts: list[str]) -> list[str]:
    if charset == _BINARY:
        return texts
    padded = not any(sign in collation for sign in _NO_PAD)
    compared = [text.rstrip(" ") for text in texts] if padded else texts
    found: list[str] = []
    with connect.opened(url, "comparing texts", database=False) as connection:
        for start in range(0, len(compared), _AT_ONCE):
            weights = ", ".join(
                f"HEX(WEIGHT_STRING(CONVERT({sql.literal(text)} USING {charset}) "
                f"COLLATE {collation}))"
                for text in compared[start : start + _AT_ONCE]
            )
            found += map(str, connect.rows(connection, f"SELECT {weights}")[0])
    return found
