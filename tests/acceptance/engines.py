"""The reference application on each engine: where its databases are, and plain SQL in them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tests import servers
from tests.acceptance.cheeseshop import cheeseshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

ENGINES = ("sqlite", "postgresql", "mysql")
"""Kinds of databases that are tested; the one that answers as mysql is a MariaDB."""


def on_server(shop: Cheeseshop, kind: str, own: str) -> Cheeseshop:
    """Give a project databases on a server, whose names begin with `own`."""
    url = servers.server_url(kind).set(database=f"{own}shop_v")
    shown = url.render_as_string(hide_password=False)
    text = f'[tool.migrators]\nname = "{own}cheeseshop"\nurl = "{shown}{{version}}"\n'
    (shop.root / "pyproject.toml").write_text(text)
    return shop


@contextmanager
def shops(kind: str, root: Path) -> Iterator[Cheeseshop]:
    """Give the reference application with databases of its own on an engine."""
    if kind not in servers.SERVERS:
        yield cheeseshop(root)
        return
    with servers.prefix(kind) as own:
        yield on_server(cheeseshop(root), kind, own)


def there(shop: Cheeseshop) -> list[str]:
    """Return the names of the project's databases, without what is before `v`."""
    url = shop.project.url(1)
    if url.get_backend_name() in servers.SERVERS:
        found, begins = servers.names(url.get_backend_name()), str(url.database).removesuffix("v1")
    else:
        found, begins = [name.removesuffix(".db") for name in shop.databases()], "cheeseshop_"
    return sorted(name.removeprefix(begins) for name in found if name.startswith(begins))


def asked(shop: Cheeseshop, version: int, *statements: str) -> list[tuple[Any, ...]]:
    """Run SQL in a database by its driver alone; return the last statement's rows."""
    url = shop.project.url(version)
    engine = sa.create_engine(servers.driven(url))
    rows: list[tuple[Any, ...]] = []
    with engine.begin() as connection:
        for statement in statements:
            found = connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in found] if found.returns_rows else []
    engine.dispose()
    return rows
