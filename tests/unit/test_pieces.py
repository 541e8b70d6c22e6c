"""Pieces of a table, read by several readers: in order, bounded, the first error in its turn."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from migrators.extract.pieces import Idle, Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

Item = tuple[int, int]


def pieces(
    count: int, idle: Idle, read: Callable[[Any, Any], Generator[Item]], own: str = "own"
) -> Iterator[Item]:
    """Return the items of pieces 0, 1, …, of readers that are names."""
    queries: Any = list(range(count))
    reader: Any = own
    return Pieces(queries, reader, idle, read).items()


def lent(idle: Idle, *readers: Any) -> Idle:
    """Lend readers that wait for pieces."""
    for reader in readers:
        idle.give(reader)
    return idle


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_items_come_piece_after_piece(helpers: int) -> None:
    """Whoever reads them, and however long that takes; idle readers do take part."""
    readers = set()

    def read(reader: str, query: int) -> Generator[Item]:
        readers.add(reader)
        for item in range(query % 4):
            time.sleep(0.001 * (query % 3))
            yield query, item

    idle = lent(Idle(1), *(f"helper {n}" for n in range(helpers)))
    expected = [(query, item) for query in range(40) for item in range(query % 4)]
    assert expected == list(pieces(40, idle, read))
    assert {"own", *(f"helper {n}" for n in range(helpers))} == readers


def test_a_reader_that_becomes_idle_joins() -> None:
    """Its own tables were smaller; the pieces that are left are shared."""
    idle: Any = Idle(1)
    readers = []

    def read(reader: str, query: int) -> Generator[Item]:
        readers.append(reader)
        time.sleep(0.002)
        yield query, 0

    for query, _ in pieces(40, idle, read):
        if query == 5:
            idle.give("late")
    assert "late" not in readers[:6]
    assert "late" in readers


def test_what_waits_is_bounded() -> None:
    """A reader is a few items ahead of a consumer who takes his time, never a whole table."""
    ahead, most, lock = 0, 0, threading.Lock()

    def read(_reader: str, query: int) -> Generator[Item]:
        nonlocal ahead, most
        for item in range(5):
            with lock:
                ahead += 1
                most = max(most, ahead)
            yield query, item

    for _ in pieces(20, lent(Idle(1), "b", "c"), read):
        time.sleep(0.001)
        with lock:
            ahead -= 1
    assert most <= 3 * 4


def test_the_first_error_in_order_is_raised_and_readers_are_free() -> None:
    """Later pieces may have failed before; what comes before it has been given."""

    def read(_reader: str, query: int) -> Generator[Item]:
        if query in (6, 7):
            raise ValueError(query)
        time.sleep(0.002)
        yield query, 0

    idle: Any = lent(Idle(1), "b", "c")
    given: list[int] = []
    with pytest.raises(ValueError, match="6"):
        given.extend(query for query, _ in pieces(20, idle, read))
    assert {idle.take(), idle.take()} == {"b", "c"}
    assert idle.take() is None


def test_a_consumer_who_stops_frees_the_readers() -> None:
    """Each piece that was begun is closed, so that its reader can be used for something else."""
    open_pieces = set()

    def read(_reader: str, query: int) -> Generator[Item]:
        open_pieces.add(query)
        try:
            for item in range(100):
                yield query, item
        finally:
            open_pieces.discard(query)

    idle: Any = lent(Idle(1), "b")
    stream: Any = pieces(20, idle, read)
    assert next(stream) == (0, 0)
    stream.close()
    assert open_pieces == set()
    assert idle.take() == "b"


def test_who_lends_a_reader_waits_for_the_last_table() -> None:
    """The snapshot is closed when all have returned."""
    idle = Idle(2)
    lender = threading.Thread(target=idle.lend, args=("b",))
    with ExitStack() as stack:
        lender.start()
        stack.callback(lender.join)
        idle.through()
        lender.join(0.05)
        assert lender.is_alive()
        idle.through()
    assert not lender.is_alive()
