"""What a database cannot hold at all, whatever the rows are: names, types, collations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.limits import text_type
from migrators.types import describe, on

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from migrators.backends.interface import Backend
    from migrators.schema import SchemaVersion


def lints(new: SchemaVersion, source: Backend, target: Backend) -> Iterator[str]:
    """Yield a sentence for each name and each declared type of a schema, with what to write.

    Parameters
    ----------
    source, target : Backend
        Of the old and the new database; neither is opened.
    """
    yield from target.lint_names(new.metadata)
    for name, table in new.metadata.tables.items():
        for column in table.c:
            said = target.lint(column.type) or _collated(column.type, source, target)
            if said:
                yield f"{name}.{column.name}: {said}"


def _collated(declared: sa.types.TypeEngine[Any], source: Backend, target: Backend) -> str | None:
    """Say of a collation that the other kind of database has none of that name."""
    found = on(declared, target.name)
    collation = getattr(found, "collation", None)
    if collation is None or _chosen(declared, target) or _akin(source, target):
        return None
    plain = text_type(describe(declared))
    return (
        f"collation {collation} is not one of {target.name}'s: write "
        f".with_variant({plain}, '{target.name}'), or name one of its own there"
    )


def _chosen(declared: sa.types.TypeEngine[Any], target: Backend) -> bool:
    """Whether somebody wrote what the type is to be on this kind of database."""
    found = on(declared, target.name)
    own = type(target.dialect).__module__.split(".")[:3]
    return found is not on(declared, "") or type(found).__module__.split(".")[:3] == own


def _akin(source: Backend, target: Backend) -> bool:
    """Whether the databases are of one kind, or one is a variety of the other."""
    return isinstance(source, type(target)) or isinstance(target, type(source))
