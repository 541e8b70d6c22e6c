"""Arrow arrays as numpy views and back, nulls kept; no copy where none is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import DTypeLike, NDArray


def view(array: pa.Array, dtype: DTypeLike) -> NDArray[Any]:
    """Return the values of a fixed-width array; what stands in null slots is arbitrary."""
    size = np.dtype(dtype).itemsize
    buffer = array.buffers()[1]
    if len(array) == 0 or buffer is None:
        return np.empty(0, dtype)
    return np.frombuffer(buffer, dtype, count=len(array), offset=array.offset * size)


def validity(array: pa.Array) -> pa.Buffer | None:
    """Return the null bitmap, its offset taken out; None where there is no null."""
    return array.is_valid().buffers()[1] if array.null_count else None


def fixed(kind: pa.DataType, values: NDArray[Any], like: pa.Array) -> pa.Array:
    """Return an array of a fixed-width type over `values`, null where `like` is."""
    nulls = validity(like)
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(like), [nulls, data])


def retype(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return a 64-bit array with the same bits under another type."""
    return array.view(kind)


def flags(mask: NDArray[np.bool_], like: pa.Array) -> pa.Array | None:
    """Return `mask` where `like` is not null, as Arrow; None where nothing is marked."""
    if like.null_count:
        mask = mask & like.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(mask) if mask.any() else None


def raw(array: pa.Array) -> Iterable[bytes | None]:
    """Yield a text or binary array's cells as bytes, valid UTF-8 or not."""
    values: list[bytes | None] = array.cast(pa.binary()).to_pylist()
    return values


def each(
    array: pa.Array, kind: pa.DataType, one: Callable[[str], object | None]
) -> tuple[pa.Array, pa.Array | None]:
    """Convert cell by cell: the slow exact way, for batches with odd cells.

    Parameters
    ----------
    one : callable
        Text → a Python value that `kind` takes; None where there is none.

    Returns
    -------
    values, refused
    """
    texts = [None if b is None else b.decode("utf-8", "backslashreplace") for b in raw(array)]
    found = [None if text is None else one(text) for text in texts]
    refused = np.array([t is not None and v is None for t, v in zip(texts, found, strict=True)])
    return pa.array(found, kind), (pa.array(refused) if refused.any() else None)
