"""The process's allocator, set so that freed memory goes back.

A run's batches are made in one thread and freed in another. With an arena a thread (glibc's
default) and Arrow's own pool (mimalloc) the benchmark's peak was 415 to 469 MB, of which
Arrow never held more than 34; with two arenas and the system's allocator it was 273 MB, at
the same speed.
"""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # mallopt(3)
_ARENAS = 2


def give_back() -> None:
    """Set the allocator; only the command does, since the process is its own."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
