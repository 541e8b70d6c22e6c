"""Proves, on the live old database and without changing it, what a migration will meet.

`check` asks everything at once: drift, stored cells of another type, rows that will not
fit the new schema, values that rules refuse, room on disk. `run` and `cli` call it.

    check        the order of the questions, and the lines that say what is well
    drifted      live catalogue against a freshly built one
    stored       cells that are not of their declared type
    demands      NOT NULL, length, range, labels, CHECK: asked row by row in one scan
    unique       primary keys and UNIQUE, over all parts of a table
    references   foreign keys, by anti-join
    crossing     what the new kind of database would not hold exactly
    collated     texts that its keys take for one
    ruled        rules, run for real over streamed rows, nothing written
    room         what a run takes on disk, and what is free
    access       who may do what, and whether it has somewhere to go
    losses       what the step declares to lose, counted
    unproven     what only a rehearsal can prove
    chain        what can be said of a chain's further steps
"""

from migrators.preflight.chain import with_later
from migrators.preflight.check import check
from migrators.preflight.model import Check, Finding

__all__ = ["Check", "Finding", "check", "with_later"]
