"""A reflected type that other databases do not know, as one that they do, and a variant.

`freeze --from URL` writes what it gives, so that what was frozen on one kind of database can be
made on another (`migrate copy N --to URL`) as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.types import Kind, describe

if TYPE_CHECKING:
    from migrators.types import ColumnType

_TWO_NAMES = ("mysql", "mariadb")
"""SQLAlchemy's names of one kind of database."""
_SPELLED = (sa.String, sa.types._Binary, sa.DATETIME)  # noqa: SLF001  BLOB too
"""Types that have several names; of those in capitals not every database knows every one."""


def portable(found: Any, dialect: sa.Dialect) -> Any:
    """Return a type that any database has, and that is `found` on this one.

    Parameters
    ----------
    found : sqlalchemy.types.TypeEngine
        What is there.
    dialect : sqlalchemy.Dialect
        Of the database that it is on.

    Returns
    -------
    sqlalchemy.types.TypeEngine
        `found` itself where it is generic, or where a generic type would lose something of it.
    """
    if not isinstance(found, _SPELLED) or not type(found).__name__.isupper():
        return found
    kind = describe(found)
    plain = _generic(found, kind, dialect)
    if plain is None or describe(plain) != kind or repr(plain) == repr(found):
        return found
    names = _TWO_NAMES if dialect.name in _TWO_NAMES else (dialect.name,)
    return plain.with_variant(found, *names)


def _generic(found: Any, kind: ColumnType, dialect: sa.Dialect) -> Any:
    """Return the generic type of a kind whose names differ; None for any other.

    A collation that a person gave a column is a person's to give elsewhere, too; on MySQL and
    MariaDB every text has one.
    """
    if kind.kind is Kind.TEXT:
        if getattr(found, "collation", None) and dialect.name not in _TWO_NAMES:
            return None
        if not kind.length or isinstance(found, sa.Text):
            return sa.Text()
        return (sa.CHAR if kind.fixed else sa.String)(kind.length)
    if kind.kind is Kind.BINARY:
        return sa.LargeBinary(kind.length)
    return sa.DateTime() if kind.kind is Kind.TIMESTAMP else None
