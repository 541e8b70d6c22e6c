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


def _cuts(
    auth: bytes, query: bytes, out: str, into: tuple[str, bytes, str], index: bytes, rename: bytes
) -> dict[str, Cut]:
    """Return phase → what is cut, by what a protocol says in it.

    Parameters
    ----------
    out : str
        What reading rows is called.
    into : tuple of str, bytes and str
        What loading is called, by which statement, and what its rows are called.
    """
    loading, load, data = into
    return {
        "connect": Cut(),
        "the server's first answer": Cut(to_server=False),
        "auth": Cut(auth),
        "a session that is lost later": Cut(auth, time=6),
        "query": Cut(query),
        "an answer to a query": Cut(query, answer_only=True),
        out: Cut(b"says 3", to_server=False),
        loading: Cut(load),
        data: Cut(b"says 3"),
        "COMMIT": Cut(b"COMMIT"),
        "the answer to a table's COMMIT": Cut(b"COMMIT", answer_only=True),
        "CREATE DATABASE": Cut(b"CREATE DATABASE"),
        "the answer to CREATE DATABASE": Cut(b"CREATE DATABASE", answer_only=True),
        "an index": Cut(index, answer_only=True),
        "verifying": Cut(b"says 3", to_server=False, time=2),
        "publishing": Cut(rename),
        "the answer to a rename": Cut(rename, answer_only=True),
    }


CUTS: dict[str, dict[str, Cut]] = {
    "postgresql": _cuts(
        auth=b"client_encoding\0",
        query=b"pg_attribute",
        out="COPY out",
        into=("COPY in", b"FROM STDIN", "COPY in, its data"),
        index=b"CREATE INDEX",
        rename=b"RENAME TO",
    ),
    "mysql": _cuts(
        auth=b"mysql_native_password",
        query=b"CHECKSUM",
        out="rows",
        into=("LOAD DATA", b"LOAD DATA", "LOAD DATA, its rows"),
        index=b"ADD INDEX",
        rename=b"RENAME TABLE",
    ),
}
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
