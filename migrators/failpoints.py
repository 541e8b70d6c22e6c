"""Every durable act of a run has a name here, so that tests can stop a run before and after it.

The crash matrix is made of this list (`python -m tests.crash`): each act × each way to fail ×
each kind of database, then the same command again. Outside of tests nothing listens, and an
act costs two comparisons.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACTS = {
    # locks
    "project lock taken": "the file's lock is had, and says whose it is",
    "server lock taken": "the session's lock on a server is had",
    "project lock freed": "the lock's file says of nobody",
    # the fence around the old database
    "journal fence": "what undoes a fence is written down",
    "fence closed": "others are kept out",
    "journal fenced": "whose sessions were ended is written down",
    "fence opened": "what lets others in is as it was",
    "journal unfenced": "that is written down",
    # the run directory
    "run directory made": "a run has a place",
    "journal begun": "the command is written down",
    "journal asked": "the flags, and what the steps are",
    "journal extract": "an extract is about to be written",
    "journal extracted": "an extract is complete, and what it depends on",
    "journal scratch": "a scratch database is named before it is made",
    "journal staging": "a staging database is named before it is made",
    "journal table": "a table is in the extract, or in the staging database",
    "journal loaded": "all of them are",
    "journal verified": "a staging database holds what the extract does",
    "journal written": "the old database was written to, and that was accepted",
    "journal publish": "a name is about to be given",
    "journal gone": "a staging database is no more",
    "journal published": "a name was given",
    "journal finished": "a run has come to its end",
    "journal drop": "a published database is about to be removed",
    "journal cleared": "an old extract is about to be removed",
    "scratch cleared": "what did not fit in memory is removed",
    # files: of an extract, its manifest, the receipt
    "extract begun": "a directory is marked as an unfinished extract",
    "file made": "a file has a temporary name",
    "file synced": "its bytes are on the disk",
    "file named": "it has its name",
    "folder synced": "its name is on the disk",
    "extract taken over": "an unfinished one is another run's, which goes on with it",
    "extract unmarked": "a directory is marked as unfinished no more",
    "extract removed": "an old or unfinished extract is gone",
    # a staging database
    "staging made": "it is there, empty",
    "staging tables made": "it has its tables",
    "load begun": "a staging database says what is loaded into it",
    "tables emptied": "what a load that stopped left half is gone",
    "table loaded": "a table's rows are committed, and that they are",
    "load ended": "a staging database is not loaded into any more",
    "indexes built": "keys and indexes are there",
    "references added": "foreign keys are there, perhaps unchecked",
    "references proven": "they hold",
    "counters set": "keys go on after the old ones",
    "own SQL run": "views, triggers and what else stands beside the schema module",
    "statistics gathered": "the planner knows the tables",
    "staging synced": "a staging file is on the disk",
    "staging removed": "it is gone",
    # publishing
    "stamp written": "a database says what it is",
    "access given": "roles may do with it what they could",
    "staging settled": "nothing lies beside a staging file",
    "mode given": "a file may be read by who could read the old one",
    "name linked": "a file has a name more",
    "name dropped": "a file has a name less",
    "name replaced": "a name is another file's",
    "names changed": "a transaction that renames databases is committed",
    "intent written": "what a publish will do stands in the staging database",
    "database made": "the database that tables are moved to is there",
    "programs dropped": "triggers and views make room",
    "tables moved": "all of them have their new place",
    "programs made": "routines, views and triggers are there, the stamp last",
    "rights given": "accounts have their rights on the new name",
}
"""Act → what is so when it is done."""

_listening: Callable[[str], None] | None = None


def reach(point: str) -> None:
    """Tell whoever listens that a run is at a point; nobody does outside of tests."""
    if _listening is not None:
        _listening(point)


@contextmanager
def act(name: str) -> Iterator[None]:
    """Mark a durable act: around a statement, or above a function that is one.

    Parameters
    ----------
    name : str
        One of `ACTS`; its points are "before" and "after" it.
    """
    reach(f"before {name}")
    yield
    reach(f"after {name}")


def listen(listener: Callable[[str], None] | None) -> None:
    """Let a test hear of every point; None: nobody.

    Parameters
    ----------
    listener : callable
        Is given the point; what it raises, the act raises. May be called in any thread.
    """
    global _listening  # noqa: PLW0603  the one switch, which only tests turn
    _listening = listener


def points() -> tuple[str, ...]:
    """Return every point of `ACTS`, in its order."""
    return tuple(f"{when} {name}" for name in ACTS for when in ("before", "after"))
