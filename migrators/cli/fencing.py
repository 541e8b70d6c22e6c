"""`--fence` and `--accept-unfenced`: what keeps writes out of the old database, or lets them be."""

from __future__ import annotations

from typing import Any

import click


def fencing(verb: Any) -> Any:
    """Give a verb both options."""
    accept = click.option(
        "--accept-unfenced",
        is_flag=True,
        help="Publish although the old database was written to; the receipt says so.",
    )
    fence = click.option(
        "--fence",
        is_flag=True,
        help="Close the old database to others before it is read; migrate unfence N opens it.",
    )
    return fence(accept(verb))
