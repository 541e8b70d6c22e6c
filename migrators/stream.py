"""Running an iterator ahead of its consumer, and several tables side by side.

Reading from a database, computing in Arrow and writing Parquet all release the GIL.
"""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
W = TypeVar("W")
R = TypeVar("R")
E = TypeVar("E")

_LOOK = 0.2  # seconds
_DEPTH = 2  # batches waiting: more costs memory and was not faster


class _Producer(Generic[T]):
    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._ready: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(_DEPTH)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.cancel: Callable[[], object] | None = None

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        _running.producer = self
        try:
            for item in self._source:
                if not self._put((True, item)):
                    return
            self._put((False, None))
        except BaseException as error:  # noqa: BLE001  raised again in the consumer
            self._put((False, error))

    def _put(self, item: tuple[bool, T | BaseException | None]) -> bool:
        while not self._stop.is_set():
            try:
                self._ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def items(self) -> Iterator[T]:
        while True:
            more, item = self._ready.get()
            if not more:
                if item is not None:
                    raise item  # type: ignore[misc]
                return
            yield item  # type: ignore[misc]

    def stop(self) -> None:
        self._stop.set()
        if (cancel := self.cancel) is not None:
            cancel()
        self._thread.join()


_running = threading.local()


@contextmanager
def cancellable(cancel: Callable[[], object]) -> Iterator[None]:
    """Let `ahead` end what runs inside, which may wait for a server for minutes.

    Parameters
    ----------
    cancel : callable
        Called from another thread when nobody wants the items any more: what waits then
        raises.
    """
    producer: _Producer[object] | None = getattr(_running, "producer", None)
    if producer is None:
        yield
        return
    producer.cancel = cancel
    try:
        yield
    finally:
        producer.cancel = None


def abandoned() -> bool:
    """Whether this thread runs an iterator ahead for somebody who wants it no more."""
    producer: _Producer[object] | None = getattr(_running, "producer", None)
    return producer is not None and producer.stopped


@contextmanager
def ahead(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """Give an iterator over `source`, which a thread runs up to two items ahead.

    Leaving the context stops the thread and waits for it, so that a connection that
    `source` reads from can be closed after it. Errors of `source` are raised where the
    item would have come.
    """
    producer = _Producer(source)
    producer.start()
    try:
        yield producer.items()
    finally:
        producer.stop()


def side_by_side(
    items: Sequence[T],
    workers: Sequence[W],
    work: Callable[[T, W, Callable[[E], None]], R],
    emit: Callable[[E], None],
) -> list[R]:
    """Return what `work` gives for each item, in the items' order.

    Each worker (a connection, say) takes the next item when it is done with one, in a
    thread of its own; a single one works in the caller's. The first error stops the others
    at the next event that they emit, and is raised when all have ended.

    Parameters
    ----------
    work : callable
        Called with an item, a worker and an `emit`, which it calls at least once a batch.
    emit : callable
        Takes an event; called by one thread at a time.
    """
    if len(workers) == 1:
        return [work(item, workers[0], emit) for item in items]
    team: _Team[T, W, R, E] = _Team(items, work, emit)
    threads = [threading.Thread(target=team.serve, args=(w,), daemon=True) for w in workers]
    for thread in threads:
        thread.start()
    try:
        team.wait(len(threads))
    finally:
        team.stop.set()
        for thread in threads:
            thread.join()
    if team.errors:
        raise team.errors[min(team.errors)]
    return [team.results[i] for i in range(len(items))]


class _Stopped(Exception):  # nothing went wrong here
    """Another thread's work has failed, or the work was interrupted."""


class _Team(Generic[T, W, R, E]):
    """What the threads of `side_by_side` share."""

    def __init__(
        self,
        items: Sequence[T],
        work: Callable[[T, W, Callable[[E], None]], R],
        emit: Callable[[E], None],
    ) -> None:
        self.stop = threading.Event()
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.results: dict[int, R] = {}
        self.errors: dict[int, BaseException] = {}
        self._items = iter(enumerate(items))
        self._work = work
        self._emit = emit
        self._lock = threading.Lock()

    def wait(self, workers: int) -> None:
        """Wait for the threads; a signal that another thread got is seen within `_LOOK`.

        Not by `join`: interrupted, CPython 3.11 takes the thread for ended.
        """
        while workers:
            with suppress(queue.Empty):
                self._ended.get(timeout=_LOOK)
                workers -= 1

    def serve(self, worker: W) -> None:
        """Take item after item until there are none, or one failed."""
        try:
            self._serve(worker)
        finally:
            self._ended.put(None)

    def _serve(self, worker: W) -> None:
        while not self.stop.is_set():
            with self._lock:
                index, item = next(self._items, (None, None))
            if index is None:
                return
            try:
                self.results[index] = self._work(item, worker, self._told)  # type: ignore[arg-type]
            except _Stopped:
                return
            except BaseException as error:  # noqa: BLE001  raised again in the caller
                self.errors[index] = error
                self.stop.set()

    def _told(self, event: E) -> None:
        if self.stop.is_set():
            raise _Stopped
        with self._lock:
            self._emit(event)
