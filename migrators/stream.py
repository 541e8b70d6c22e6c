"""Running an iterator ahead of its consumer, so that reading and writing overlap.

Reading from a database, computing in Arrow and writing Parquet all release the GIL.
"""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_DEPTH = 2  # batches waiting: more costs memory and was not faster


class _Producer(Generic[T]):
    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._ready: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(_DEPTH)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
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
        self._thread.join()


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
