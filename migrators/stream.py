"""Running an iterator ahead of its consumer, and several tables side by side.

Reading from a database, computing in Arrow and writing Parquet all release the GIL.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType

T = TypeVar("T")
W = TypeVar("W")
R = TypeVar("R")
E = TypeVar("E")
F = TypeVar("F", bound="Callable[..., Any]")

_LOOK = 0.2  # seconds
_AGAIN = 2.0  # seconds until what did not end is cancelled once more: it was between statements
_DEPTH = 2  # batches waiting: more costs memory and was not faster
_FEW = 2  # threads side by side; where there are more, the others work while one waits


UNINTERRUPTED: set[CodeType] = set()
"""Code that a signal lets come to its end: what it waits for would be closed under a thread."""


def _uninterrupted(function: F) -> F:
    UNINTERRUPTED.add(function.__code__)
    return function


class _Stopped(Exception):  # nothing went wrong here
    """Nobody wants the work any more: another thread's has failed, or it was interrupted."""


class _Stop:
    """Whether a thread's work is wanted still, and what ends the waiting in it."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._cancels: list[Callable[[], object]] = []

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self) -> None:
        """Let the work end when it looks next."""
        self._asked.set()

    def now(self) -> None:
        """End what it waits for, too."""
        self.ask()
        for cancel in reversed(self._cancels):
            with suppress(Exception):  # a server that is gone needs no cancelling
                cancel()

    @contextmanager
    def calling(self, cancel: Callable[[], object]) -> Iterator[None]:
        """Let `now` call something while what is inside runs."""
        self._cancels.append(cancel)
        try:
            yield
        finally:
            self._cancels.remove(cancel)


class _Thread(threading.local):
    """Facts of the thread that looks at it.

    Attributes
    ----------
    stop : _Stop or None
        What may stop it; the main thread is stopped by signals.
    depth : int
        Batches that wait in what it runs ahead.
    """

    stop: _Stop | None = None
    depth: int = _DEPTH


_this = _Thread()


@contextmanager
def cancellable(cancel: Callable[[], object]) -> Iterator[None]:
    """Let `ahead` and `side_by_side` end what runs inside, which may wait for minutes.

    Parameters
    ----------
    cancel : callable
        Called from another thread, perhaps more than once, when nobody wants the result any
        more: what waits then raises.
    """
    if _this.stop is None:
        yield
        return
    with _this.stop.calling(cancel):
        yield


def abandoned() -> bool:
    """Whether this thread works for somebody who wants it no more."""
    return _this.stop is not None and _this.stop.asked


class _Work(threading.Thread):
    """A thread that says itself when it has ended.

    `join`, interrupted, takes a running thread for ended (CPython 3.11).
    """

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            self._work()
        finally:
            self.ended.set()

    @_uninterrupted
    def begin(self) -> None:
        self.start()

    @_uninterrupted
    def end(self, cancel: Callable[[], None]) -> None:
        """Wait for the end, whatever comes meanwhile; what has not begun has none."""
        interrupted: KeyboardInterrupt | None = None
        while self.ident is not None and not self.ended.is_set():
            try:
                cancel()
                self.ended.wait(_AGAIN)
            except KeyboardInterrupt as again:
                interrupted = again
        if interrupted is not None:
            raise interrupted


@contextmanager
def _closed(source: Iterator[object]) -> Iterator[None]:
    """Close a generator here and now: what it reads, perhaps in threads, is closed after it."""
    try:
        yield
    finally:
        if (close := getattr(source, "close", None)) is not None:
            close()


class _Producer(Generic[T]):
    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._depth = _this.depth
        self._ready: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(self._depth)
        self.stop = _Stop()
        self._thread = _Work(self._run)

    def start(self) -> None:
        self._thread.begin()

    def _run(self) -> None:
        _this.stop, _this.depth = self.stop, self._depth
        try:
            with _closed(self._source):
                for item in self._source:
                    if not self._put((True, item)):
                        return
            self._put((False, None))
        except BaseException as error:  # noqa: BLE001  raised again in the consumer
            self._put((False, error))

    def _put(self, item: tuple[bool, T | BaseException | None]) -> bool:
        while not self.stop.asked:
            try:
                self._ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def items(self) -> Iterator[T]:
        while True:
            more, item = self._next()
            if not more:
                if item is not None:
                    raise item  # type: ignore[misc]
                return
            yield item  # type: ignore[misc]

    def _next(self) -> tuple[bool, T | BaseException | None]:
        """Wait for an item; for none that a stopped thread will not give."""
        while True:
            try:
                return self._ready.get(timeout=_LOOK)
            except queue.Empty:
                if self.stop.asked:
                    raise _Stopped from None

    def end(self) -> None:
        self._thread.end(self.stop.now)


@contextmanager
def ahead(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """Give an iterator over `source`, which a thread runs up to two items ahead.

    Leaving the context stops the thread and waits for it, so that a connection that
    `source` reads from can be closed after it. Errors of `source` are raised where the
    item would have come.
    """
    producer = _Producer(source)
    try:
        producer.start()
        with cancellable(producer.stop.now):
            yield producer.items()
    finally:
        producer.end()


def side_by_side(
    items: Sequence[T],
    workers: Sequence[W],
    work: Callable[[T, W, Callable[[E], None]], R],
    emit: Callable[[E], None],
    *,
    weigh: Callable[[T], float] | None = None,
) -> list[R]:
    """Return what `work` gives for each item, in the items' order.

    Each worker (a connection, say) takes the next item when it is done with one, in a
    thread of its own; a single one works in the caller's. When one fails nothing more is
    begun; what is at work on a later item is cancelled, on an earlier one it ends at its
    next event, so that of several errors the first in the items' order is raised. When the
    caller is interrupted all are cancelled.

    Parameters
    ----------
    work : callable
        Called with an item, a worker and an `emit`, which it calls at least once a batch.
    emit : callable
        Takes an event; called by one thread at a time.
    weigh : callable, optional
        What an item takes. Several workers begin with the heaviest, and end together.
    """
    if len(workers) == 1 or len(items) <= 1:
        return [work(item, workers[0], emit) for item in items]
    order = list(range(len(items)))
    if weigh is not None:
        order.sort(key=lambda at: -weigh(items[at]))
    team: _Team[T, W, R, E] = _Team([(at, items[at]) for at in order], work, emit)
    try:
        team.start(workers[: len(items)])
        team.wait()
    finally:
        team.end()
    if team.errors:
        raise team.errors[min(team.errors)]
    return [team.results[i] for i in range(len(items))]


class _Team(Generic[T, W, R, E]):
    """The threads of `side_by_side`, and what they share."""

    def __init__(
        self,
        items: list[tuple[int, T]],
        work: Callable[[T, W, Callable[[E], None]], R],
        emit: Callable[[E], None],
    ) -> None:
        self.results: dict[int, R] = {}
        self.errors: dict[int, BaseException] = {}
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._threads: list[_Work] = []
        self._at_work: dict[int, _Stop] = {}
        self._over = False  # nothing more is begun
        self._items = iter(items)
        self._work = work
        self._emit = emit
        self._lock = threading.Lock()

    def start(self, workers: Sequence[W]) -> None:
        """Begin, a thread for each worker."""
        self._threads = [_Work(partial(self._serve, worker)) for worker in workers]
        for thread in self._threads:
            thread.begin()

    def wait(self) -> None:
        """Wait for the threads; a signal that another thread got is seen within `_LOOK`.

        Raises
        ------
        _Stopped
            Nobody wants the caller's own work any more.
        """
        working, again = len(self._threads), 0.0
        while working:
            with suppress(queue.Empty):
                self._ended.get(timeout=_LOOK)
                working -= 1
            if abandoned():
                raise _Stopped
            if self.errors and time.monotonic() > again:
                self._cancel(after=min(self.errors))
                again = time.monotonic() + _AGAIN

    def end(self) -> None:
        """Cancel what is still at work, and wait for its end."""
        self._over = True
        for thread in self._threads:
            thread.end(partial(self._cancel, after=-1))

    def _cancel(self, *, after: int) -> None:
        for at, stop in list(self._at_work.items()):
            if at > after:
                stop.now()
            else:
                stop.ask()

    def _serve(self, worker: W) -> None:
        """Take item after item until there are none, or one failed."""
        _this.depth = 1 if len(self._threads) > _FEW else _DEPTH
        try:
            while self._took(worker):
                pass
        finally:
            self._ended.put(None)

    def _took(self, worker: W) -> bool:
        stop = _this.stop = _Stop()
        with self._lock:
            at, item = next(self._items, (-1, None))
            if at < 0 or self._over:
                return False
            self._at_work[at] = stop
        try:
            self.results[at] = self._work(item, worker, self._teller(stop))  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001  raised again in the caller
            self._failed(at, error)
        finally:
            del self._at_work[at]
        return True

    def _failed(self, at: int, error: BaseException) -> None:
        """Keep an error, but for one that stopping brought about."""
        with self._lock:
            if isinstance(error, _Stopped) or at > min(self.errors, default=at):
                return
            self.errors[at] = error
            self._over = True
        for stop in list(self._at_work.values()):
            stop.ask()

    def _teller(self, stop: _Stop) -> Callable[[E], None]:
        def told(event: E) -> None:
            with self._lock:
                if stop.asked or self._over:
                    raise _Stopped
                try:
                    self._emit(event)
                except BaseException:
                    self._over = True  # it hears of nothing more
                    raise

        return told
