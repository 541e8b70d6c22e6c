"""Work side by side: results in order, the first error stops all, events one at a time."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from migrators.stream import ahead, cancellable, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_results_stand_in_the_order_of_the_items() -> None:
    """Whoever was first to end."""
    waits = [0.05, 0.0, 0.02, 0.0]

    def work(wait: float, worker: str, _emit: Callable[[str], None]) -> tuple[float, str]:
        time.sleep(wait)
        return wait, worker

    found = side_by_side(waits, ["a", "b"], work, lambda _: None)
    assert [wait for wait, _ in found] == waits
    assert {worker for _, worker in found} == {"a", "b"}


def test_a_single_worker_needs_no_thread() -> None:
    """The caller's own thread does it."""
    found = side_by_side(
        [1, 2], ["only"], lambda item, _w, _e: (item, threading.current_thread()), lambda _: None
    )
    assert found == [(1, threading.main_thread()), (2, threading.main_thread())]


@pytest.mark.parametrize("workers", [["a"], ["a", "b"]])
def test_the_first_error_stops_the_others(workers: list[str]) -> None:
    """An endless item ends at its next event, the rest is not begun, the error is raised."""
    begun = []

    def work(item: int, _worker: str, emit: Callable[[str], None]) -> None:
        begun.append(item)
        if item == 1:
            raise ValueError(item)
        while len(workers) > 1:
            emit("still here")

    with pytest.raises(ValueError, match="1"):
        side_by_side([1, 2, 3, 4], workers, work, lambda _: None)
    assert set(begun) <= {1, 2}


def test_the_heaviest_are_begun_first() -> None:
    """Not one after the others are done; results stand as the items do."""
    begun = []

    def work(item: int, _worker: str, _emit: Callable[[str], None]) -> int:
        begun.append(item)
        time.sleep(0.02)
        return -item

    assert side_by_side([1, 9, 3, 8], ["a", "b"], work, lambda _: None, weigh=float) == [
        -1,
        -9,
        -3,
        -8,
    ]
    assert set(begun[:2]) == {9, 8}


def test_of_several_errors_the_first_in_order_is_raised() -> None:
    """Though it came later; what was at work before it came to its next event."""
    failed = threading.Event()

    def work(item: int, _worker: str, _emit: Callable[[str], None]) -> None:
        if item == 1:
            assert failed.wait(5)
            time.sleep(0.05)
        else:
            failed.set()
        raise ValueError(item)

    with pytest.raises(ValueError, match="1"):
        side_by_side([1, 2], ["a", "b"], work, lambda _: None)


def waiting(cancelled: threading.Event) -> Iterator[str]:
    """Wait as for a server: until cancelled, and then fail."""
    with cancellable(cancelled.set):
        assert cancelled.wait(5)
    raise OSError("cancelled by request")
    yield "never"


@pytest.mark.parametrize("reading_ahead", [False, True])
def test_what_waits_is_cancelled_when_another_fails(*, reading_ahead: bool) -> None:
    """Also in a thread that reads ahead for it; what the cancelling brings about is not told."""
    waits, cancelled = threading.Event(), threading.Event()

    def work(item: int, _worker: str, _emit: Callable[[str], None]) -> None:
        if item == 1:
            assert waits.wait(5)
            raise ValueError(item)
        waits.set()
        if reading_ahead:
            with ahead(waiting(cancelled)) as items:
                list(items)
        list(waiting(cancelled))

    with pytest.raises(ValueError, match="1"):
        side_by_side([1, 2], ["a", "b"], work, lambda _: None)
    assert cancelled.is_set()


def test_what_waits_is_cancelled_by_an_interrupt() -> None:
    """All of it, whatever stands first."""
    both = threading.Barrier(2)
    cancelled = [threading.Event(), threading.Event()]

    def work(item: int, _worker: str, _emit: Callable[[str], None]) -> None:
        if both.wait(5) == 0:
            signal.raise_signal(signal.SIGINT)
        list(waiting(cancelled[item]))

    # a process that was started in the background ignores the signal, and Python with it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            side_by_side([0, 1], ["a", "b"], work, lambda _: None)
    finally:
        signal.signal(signal.SIGINT, before)
    assert all(event.is_set() for event in cancelled)


def test_events_come_one_at_a_time() -> None:
    """A listener needs no lock of its own."""
    inside, most = 0, 0

    def listen(_event: int) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.0005)
        inside -= 1

    def work(item: int, _worker: int, emit: Callable[[int], None]) -> None:
        for _ in range(20):
            emit(item)

    side_by_side(range(6), [1, 2, 3], work, listen)
    assert most == 1


def test_an_interrupt_reaches_the_work() -> None:
    """Ctrl-C comes in the caller's thread; the others end at their next event."""
    ended = threading.Event()

    def work(item: int, _worker: str, emit: Callable[[int], None]) -> None:
        try:
            while True:
                emit(item)
                time.sleep(0.001)
        finally:
            ended.set()

    seen = 0

    def listen(_event: int) -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            signal.raise_signal(signal.SIGINT)

    # a process that was started in the background ignores the signal, and Python with it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            side_by_side([1, 2], ["a", "b"], work, listen)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.is_set()


def test_an_interrupted_caller_waits_for_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the thread reads is closed when it has ended, however often somebody interrupts."""
    closed, read_after = threading.Event(), []
    slow = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        slow.wait(0.3)
        read_after.append(closed.is_set())

    waited = threading.Event.wait
    signals = iter([KeyboardInterrupt, KeyboardInterrupt])

    def interrupted(event: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread() is threading.main_thread():
            for signal in signals:
                raise signal
        return waited(event, timeout)

    def consumed() -> None:
        with ahead(source()) as items:
            next(items)
            monkeypatch.setattr(threading.Event, "wait", interrupted)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consumed()
    closed.set()
    monkeypatch.undo()
    assert read_after == [False]


def test_a_source_that_nobody_wants_is_closed_before_the_context_is_left() -> None:
    """It may have threads of its own, which read what the caller closes next."""
    closed = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            time.sleep(0.05)
            closed.append(True)

    with ahead(source()) as items:
        assert next(items) == 0
        time.sleep(0.05)  # it waits with the next ones in its hands
    assert closed == [True]
