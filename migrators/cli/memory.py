"""What the command's own process holds: its allocator, and no pandas where none computes.

A run's batches are made in one thread and freed in another. With an arena a thread (glibc's
default) and Arrow's own pool (mimalloc) the benchmark's peak was 415 to 469 MB, of which
Arrow never held more than 34; with two arenas and the system's allocator 316 to 357 MB, at
the same speed.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import ExitStack, contextmanager
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

from migrators.events import Planned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.events import Emit, Event

_M_ARENA_MAX = -8  # mallopt(3)
_ARENAS = 2
_M_MMAP_THRESHOLD = -3
_LARGE = 2**17
"""Bytes of what goes back to the system at once: a column of a batch. By default glibc learns to
keep buffers of up to 32 MB, which left holes between them. One million rows take 191 MB, ten
million 209; from 256 KB on they take 196 to 213 and 234, and are no faster."""


def give_back() -> None:
    """Set the allocator; only the command does, since the process is its own.

    Called before pyarrow is imported: it and NumPy read the environment once, then.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's; nothing here multiplies matrices
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)


class _NoPandas(MetaPathFinder):
    """Says that there is no pandas."""

    @staticmethod
    def find_spec(fullname: str, *_: object) -> None:
        """Find nothing; of pandas, say so."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


@contextmanager
def sparing(emit: Emit) -> Iterator[Emit]:
    """Listen to a run: once it is planned without functions of a step, spare it pandas."""
    with ExitStack() as stack:

        def told(event: Event) -> None:
            if isinstance(event, Planned) and not event.computes:
                stack.enter_context(without_pandas())
            emit(event)

        yield told


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep pyarrow from importing pandas, for commands that run no function of a step.

    pyarrow imports it (0.25 s, 40 MB) at the first Python list it is handed, to see whether
    that is a Series.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
