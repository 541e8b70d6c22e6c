"""One big table read by several readers of a moment: pieces in order, each an exact range.

A reader takes the next piece when it is done with one, and runs at most a few batches ahead
of the consumer, who asks for piece after piece: what waits is bounded by the readers. The
consumer never waits for a piece that nobody has begun: a reader takes its next one before it
says that one has ended.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from migrators.stream import abandoned, ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from migrators.backends.interface import ReadQuery, Snapshot

T = TypeVar("T")
_LOOK = 0.2  # seconds


class Idle:
    """Readers that have no table of their own left, for pieces of other tables.

    Parameters
    ----------
    tables : int
        How many are to be read in all.
    """

    def __init__(self, tables: int) -> None:
        self._tables = tables
        self._readers: list[Snapshot] = []
        self._changed = threading.Condition()

    def lend(self, reader: Snapshot) -> None:
        """Let others use a reader; return when every table is through."""
        self.give(reader)
        with self._changed:
            while self._tables and not abandoned():
                self._changed.wait(_LOOK)

    def through(self) -> None:
        """Say that a table is through, or has failed."""
        with self._changed:
            self._tables -= 1
            self._changed.notify_all()

    def take(self) -> Snapshot | None:
        """Return a reader that nobody uses, if there is one."""
        with self._changed:
            return self._readers.pop() if self._readers else None

    def give(self, reader: Snapshot) -> None:
        """Give a reader back."""
        with self._changed:
            self._readers.append(reader)


@dataclass(frozen=True)
class Pieces(Generic[T]):
    """How the pieces of one table are read.

    Attributes
    ----------
    queries : sequence of ReadQuery
        Whose rows, one after the other, are the table's.
    own : Snapshot
        The reader that the table has for itself.
    idle : Idle
    read : callable
        Reader, query → items.
    """

    queries: Sequence[ReadQuery]
    own: Snapshot
    idle: Idle
    read: Callable[[Snapshot, ReadQuery], Generator[T]]

    def items(self) -> Iterator[T]:
        """Yield the items of piece after piece, read by the own reader and by idle ones.

        Raises
        ------
        Exception
            What reading a piece raised, when its turn comes; all readers are free then.
        """
        with _Turns(self) as turns:
            for at in range(len(self.queries)):
                for item in turns.of(at):
                    turns.more_readers()
                    yield item


class _Turns(Generic[T]):
    """Which reader has which piece, and the streams they fill."""

    def __init__(self, pieces: Pieces[T]) -> None:
        self._pieces = pieces
        self._next = 0
        self._taken = threading.Lock()
        self._streams: dict[int, Iterator[tuple[T] | None]] = {}
        self._whose: dict[int, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> _Turns[T]:
        self._start(self._pieces.own, self._take(0), lent=False)
        self.more_readers()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, at: int) -> Iterator[T]:
        """Yield the items of a piece; all earlier ones have been given."""
        stream = self._streams[self._whose[at]]
        while (item := next(stream)) is not None:
            yield item[0]

    def more_readers(self) -> None:
        """Begin pieces with readers that have become idle."""
        while self._next < len(self._pieces.queries) and (reader := self._pieces.idle.take()):
            self._start(reader, self._take(len(self._streams)), lent=True)

    def _take(self, number: int) -> int | None:
        """Return the next piece that nobody has begun, which is that reader's now."""
        with self._taken:
            at = self._next
            if at == len(self._pieces.queries):
                return None
            self._next, self._whose[at] = at + 1, number
            return at

    def _start(self, reader: Snapshot, first: int | None, *, lent: bool) -> None:
        number = len(self._streams)
        filling = self._lent(reader, first, number) if lent else self._filled(reader, first, number)
        self._stack.enter_context(closing(filling))
        self._streams[number] = self._stack.enter_context(ahead(filling))

    def _lent(self, reader: Snapshot, at: int | None, number: int) -> Generator[tuple[T] | None]:
        try:
            yield from self._filled(reader, at, number)
        finally:
            self._pieces.idle.give(reader)

    def _filled(self, reader: Snapshot, at: int | None, number: int) -> Generator[tuple[T] | None]:
        """Yield items of piece after piece, each in a tuple; None ends a piece."""
        while at is not None:
            with closing(self._pieces.read(reader, self._pieces.queries[at])) as items:
                for item in items:
                    yield (item,)
            at = self._take(number)
            yield None
