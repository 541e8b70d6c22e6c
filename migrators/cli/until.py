"""`--until 04:00`: when a run has to be done, by the clock on the wall."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import click

from migrators.report.text import duration

_NEAR = timedelta(hours=12)
"""A time of day that was nearer than it will be is past: the window has closed."""


def moment(text: str, now: datetime) -> datetime:
    """Return the next moment at which a clock shows `text`.

    Parameters
    ----------
    text : str
        "04:00", of 24 hours.
    now : datetime
        With its zone, which is the clock's.

    Raises
    ------
    click.BadParameter
        It is no time of day, or was less than twelve hours ago.
    """
    try:
        wanted = time.fromisoformat(text)
    except ValueError:
        wanted = None
    if wanted is None or len(text) != len("04:00") or wanted.tzinfo:
        raise click.BadParameter(f"{text!r} is no time of day such as 04:00")
    at = now.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
    at = at if at > now else at + timedelta(days=1)
    if at - now > _NEAR:
        ago = duration((now - (at - timedelta(days=1))).total_seconds())
        raise click.BadParameter(f"{text} was {ago} ago: name a later time, or leave it out")
    return at


def _told(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    return None if value is None else moment(value, datetime.now().astimezone())


until = click.option(
    "--until",
    metavar="HH:MM",
    callback=_told,
    help="Stop before publishing when the clock shows this; say early that it will come to that.",
)
"""Option of the verbs that publish what they read; what is complete is used again."""
