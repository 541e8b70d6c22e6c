"""A whole schema module as text."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

from migrators.freeze import spell
from migrators.freeze.layout import literal, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

    from migrators.freeze.spell import Names

_TAKEN = frozenset({"sa", "metadata", "alembic_head", *keyword.kwlist, *dir(builtins)})


def text(
    tables: Sequence[sa.Table],
    names: Names,
    orders: Mapping[str, Sequence[str]],
    *,
    docstring: str,
    alembic_head: str | None = None,
) -> str:
    """Return the text of `schemas/vN.py`; the same text for the same declarations.

    Parameters
    ----------
    tables : sequence of sqlalchemy.Table
        In the order they are to stand in, parents first.
    names : function of a constraint
        Gives its name, or None for none.
    orders : mapping
        Per table, the names of its columns in the order they are to stand in.
    docstring : str
        The module's.
    alembic_head : str or None
        Revision that the file equals.
    """
    calls = [spell.table(table, names, orders[table.key]) for table in tables]
    imports = sorted({module for one in calls for module in spell.modules(one)})
    lines = [f'"""{_escaped(docstring)}"""', "", "import sqlalchemy as sa"]
    lines += [f"from sqlalchemy.dialects import {', '.join(imports)}"] if imports else []
    lines += ["", "metadata = sa.MetaData()"]
    lines += [f"alembic_head = {literal(alembic_head)}"] if alembic_head else []
    variables = _variables(tables, taken=_TAKEN | set(imports))
    for variable, one in zip(variables, calls, strict=True):
        lines += ["", f"{variable} = {spread(one, 0)}"]
    return "\n".join(lines) + "\n"


def _variables(tables: Sequence[sa.Table], *, taken: frozenset[str]) -> list[str]:
    """Return a variable for each table: its name, made a free identifier where it is none."""
    found: list[str] = []
    for table in tables:
        name = re.sub(r"\W", "_", table.key)
        if not name.isidentifier():
            name = f"t_{name}"
        while name in taken or name in found:
            name += "_"
        found.append(name)
    return found


def _escaped(docstring: str) -> str:
    body = docstring.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f"{body}\n" if "\n" in body else body
