"""Local times ⇄ instants, row by row: what falls into a gap or a fold is never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.rules import columns

if TYPE_CHECKING:
    import pyarrow as pa


def known(zone: str) -> None:
    """Raise ValueError unless the time zone database has `zone`."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        msg = f"zone={zone!r} is not in the time zone database: write one like 'Europe/Berlin'"
        raise ValueError(msg) from None


def instants(
    local: pa.Array, zone: str, ambiguous: str, nonexistent: str
) -> tuple[pa.Array, pa.Array]:
    """Return when local times were, and which had to be resolved.

    Parameters
    ----------
    local : pa.Array of timestamp[us]
    zone : str
    ambiguous : "refuse", "earlier" or "later"
        For times that the clocks showed twice.
    nonexistent : "refuse" or "forward"
        For times that the clocks skipped: the first moment after them.

    Returns
    -------
    values : pa.Array of timestamp[us, UTC]
        NULL where refused.
    resolved : pa.Array of bool
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    early, late = (
        pc.assume_timezone(local, zone, ambiguous=side, nonexistent=side).cast("int64")
        for side in ("earliest", "latest")
    )
    # Arrow gives the moments on both sides of a gap, 1 µs apart, and both times of a fold.
    apart = pc.fill_null(pc.subtract(late, early), 0)
    folded, skipped = pc.greater(apart, 1), pc.equal(apart, 1)
    values = pc.if_else(folded, early, late) if ambiguous == "earlier" else late
    refused = pc.or_(
        pc.and_(folded, pa.scalar(ambiguous == "refuse")),
        pc.and_(skipped, pa.scalar(nonexistent == "refuse")),
    )
    made = columns.where(pc.invert(refused), values).cast(pa.timestamp("us", "UTC"))
    return made, pc.and_not(pc.or_(folded, skipped), refused)


def local_times(moments: pa.Array, zone: str) -> pa.Array:
    """Return what the clocks in `zone` showed.

    Parameters
    ----------
    moments : pa.Array of timestamp[us, UTC]

    Returns
    -------
    pa.Array of timestamp[us]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.local_timestamp(moments.cast(pa.timestamp("us", zone)))
