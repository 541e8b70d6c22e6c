"""A network that cuts, slices and delays, at every phase of the protocol; the next run ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.small import small
from tests.crash import matrix, network, sharing
from tests.crash.conftest import on_each
from tests.crash.proxy import Cut

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop

IN_THE_SUITE = (
    "auth",
    "an answer to a query",
    "COPY out",
    "rows",
    "COPY in, its data",
    "LOAD DATA, its rows",
    "the answer to a table's COMMIT",
    "the answer to a rename",
)
"""The others: `python -m tests.crash --network`."""
PHASES = [(kind, p) for kind, cuts in network.CUTS.items() for p in cuts if p in IN_THE_SUITE]


@pytest.mark.parametrize(("made", "phase"), on_each(PHASES), indirect=["made"])
@pytest.mark.fault("H94")
def test_a_connection_that_is_cut(made: Shop, plain: Undisturbed, phase: str) -> None:
    """FAULTS H94: exit 1 and clear, absent or complete; without the proxy the same ends it."""
    assert network.wrong(made, plain, network.CUTS[made.kind][phase]) == []


@pytest.mark.parametrize("made", on_each([(kind,) for kind in network.CUTS]), indirect=True)
@pytest.mark.fault("H95")
def test_the_answer_to_the_last_commit_is_lost(made: Shop, plain: Undisturbed) -> None:
    """FAULTS H95: the name was given, and nobody was told; the next run finds it so."""
    last = network.LAST[made.kind]
    times = network.count(made, last)
    made.reset()
    with network.between(made) as by:
        by.cut = Cut(last, answer_only=True, time=times)
        done = made.run("1to2", "--yes", url=network.through(made, by))
    assert (by.done, done.code, done.clear) == (1, 1, True), done.said
    assert made.is_there(2)
    again = made.run("1to2", "--yes")
    assert (again.code, "already" in again.said) == (0, True), again.said
    assert list(matrix.converged(made, plain)) == []


@pytest.mark.parametrize("made", on_each([(kind,) for kind in network.CUTS]), indirect=True)
@pytest.mark.parametrize(("largest", "delay"), [(61, 0.0), (0, 0.002)], ids=["sliced", "slow"])
def test_a_network_that_is_bad_and_loses_nothing(
    made: Shop, plain: Undisturbed, largest: int, delay: float
) -> None:
    """Blocks of a few bytes, and late ones, change nothing."""
    made.reset()
    with network.between(made) as by:
        by.largest, by.delay = largest, delay
        done = made.run("1to2", "--yes", url=network.through(made, by))
    assert (done.code, done.clear) == (0, True), done.said
    assert list(matrix.converged(made, plain)) == []


@pytest.mark.server
@pytest.mark.fault("G89", on="mysql")
def test_a_lock_where_commands_share_sessions(tmp_path: Path) -> None:
    """FAULTS G89: a pooler that gives each command another session is refused at once."""
    with small("mysql", tmp_path / "shop") as made:
        url = made.project.url(1)
        with sharing.shared(url.host or "127.0.0.1", url.port or 3306) as port:
            there = url.set(host="127.0.0.1", port=port).update_query_dict({"ssl_disabled": "true"})
            shown = there.render_as_string(hide_password=False)
            typed = ("--url", shown.replace("shop_v1", "shop_v{version}"), "1to2", "--yes")
            done = made.run(*typed)
        assert (done.code, done.clear) == (1, True), done.said
        assert "pooler that shares sessions" in done.said
        made.ran("1to2")
