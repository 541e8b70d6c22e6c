"""A small extract of a large database in which every reference leads somewhere.

`closure` chooses: some rows of the tables that were asked for, then for each row the rows that it
refers to, and, where that was asked for too, those that refer to it. The same rows are chosen
from the same data each time, whatever database it is in. Memory holds the keys of what was
chosen, and a batch of what is read.

| module     | what                                                            |
|------------|-----------------------------------------------------------------|
| request    | what was asked for                                              |
| references | the schema's foreign keys, and those that it does not state     |
| chance     | which rows: those whose keys hash lowest                        |
| reading    | rows of one table, all of them or those of some keys            |
| kept       | what has been chosen, on disk                                   |
| closure    | the order of it                                                 |
| write      | to an extract                                                   |
"""

from migrators.sample.closure import Sampled, choose
from migrators.sample.references import Reference, of_settings, references_of, spoken
from migrators.sample.request import Request
from migrators.sample.write import write

__all__ = [
    "Reference",
    "Request",
    "Sampled",
    "choose",
    "of_settings",
    "references_of",
    "spoken",
    "write",
]
