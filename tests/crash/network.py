"""What a bad network does, phase by phase of each protocol, and a run that goes through it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tests import servers
from tests.crash import matrix
from tests.crash.proxy import Cut, Proxy, proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop

CUTS: dict[str, dict[str, Cut]] = {
    "postgresql": {
        "connect": Cut(),
        "the server's first answer": Cut(to_server=False),
        "auth": Cut(b"client_encoding\0"),
        "a session that is lost later": Cut(b"client_encoding\0", time=6),
        "query": Cut(b"pg_attribute"),
        "an answer to a query": Cut(b"pg_attribute", answer_only=True),
        "COPY out": Cut(b"says 3", to_server=False),
        "COPY in": Cut(b"FROM STDIN"),
        "COPY in, its data": Cut(b"says 3"),
        "COMMIT": Cut(b"COMMIT"),
        "the answer to a table's COMMIT": Cut(b"COMMIT", answer_only=True),
        "CREATE DATABASE": Cut(b"CREATE DATABASE"),
        "the answer to CREATE DATABASE": Cut(b"CREATE DATABASE", answer_only=True),
        "an index": Cut(b"CREATE INDEX", answer_only=True),
        "verifying": Cut(b"says 3", to_server=False, time=2),
        "publishing": Cut(b"RENAME TO"),
        "the answer to a rename": Cut(b"RENAME TO", answer_only=True),
    },
    "mysql": {
        "connect": Cut(),
        "the server's first answer": Cut(to_server=False),
        "auth": Cut(b"mysql_native_password"),
        "a session that is lost later": Cut(b"mysql_native_password", time=6),
        "query": Cut(b"CHECKSUM"),
        "an answer to a query": Cut(b"CHECKSUM", answer_only=True),
        "rows": Cut(b"says 3", to_server=False),
        "LOAD DATA": Cut(b"LOAD DATA"),
        "LOAD DATA, its rows": Cut(b"says 3"),
        "COMMIT": Cut(b"COMMIT"),
        "the answer to a table's COMMIT": Cut(b"COMMIT", answer_only=True),
        "CREATE DATABASE": Cut(b"CREATE DATABASE"),
        "the answer to CREATE DATABASE": Cut(b"CREATE DATABASE", answer_only=True),
        "an index": Cut(b"ADD INDEX", answer_only=True),
        "verifying": Cut(b"says 3", to_server=False, time=2),
        "publishing": Cut(b"RENAME TABLE"),
        "the answer to a rename": Cut(b"RENAME TABLE", answer_only=True),
    },
}
"""Phase → what is cut, and where."""
LAST = {"postgresql": b"COMMIT", "mysql": b"DROP DATABASE `"}
"""What a publish ends with."""
_TYPED = ("1to2", "--yes")


@contextmanager
def between(shop: Shop) -> Iterator[Proxy]:
    """Give a proxy of a project's server."""
    url = sa.make_url(shop.admin)
    usual = sa.make_url(servers.SERVERS[shop.kind].default)
    with proxy(url.host or "127.0.0.1", url.port or usual.port or 0) as made:
        yield made


def through(shop: Shop, by: Proxy) -> str:
    """Return the project's URL, by way of a proxy, which reads what passes."""
    url = shop.project.url(1).set(host="127.0.0.1", port=by.port)
    plain = {"sslmode": "disable"} if shop.kind == "postgresql" else {}
    shown = url.update_query_dict(plain).render_as_string(hide_password=False)
    return shown.replace("shop_v1", "shop_v{version}")


def wrong(shop: Shop, plain: Undisturbed, cut: Cut) -> list[str]:
    """Cut a run's connection, run again without the proxy; return what does not hold."""
    shop.reset()
    with between(shop) as by:
        by.cut = cut
        first = shop.run(*_TYPED, url=through(shop, by))
    found = list(matrix.stands(shop, plain))
    whole = first.code == 0 and shop.is_there(2)  # read again by another session of the snapshot
    if not whole and (by.done, first.code, first.clear) != (1, 1, True):
        found.append(f"cut {by.done} times, ended with {first.code}: {first.said}")
    second = shop.run(*_TYPED)
    if (second.code, second.clear) != (0, True):
        found.append(f"the same again: {second.code}: {second.said}")
    return [*found, *matrix.converged(shop, plain)]


def count(shop: Shop, what: bytes) -> int:
    """Return how often something is said to the server in a run."""
    shop.reset()
    with between(shop) as by:
        by.cut = Cut(what, time=10**9)
        done = shop.run(*_TYPED, url=through(shop, by))
    assert done.code == 0, done.said
    return by.seen
