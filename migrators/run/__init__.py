"""The chains of stages behind each command; journal, lock, publish.

`cli` calls one function here per verb; each works on a `Project`, emits events and returns
a frozen result. Everything that writes holds the project's lock.
"""

from migrators.run.beforehand import beforehand
from migrators.run.checking import check_fixtures
from migrators.run.extracting import extract_only
from migrators.run.fencing import fence, unfence
from migrators.run.fixtures import carried, kept_at, upgrade_fixtures
from migrators.run.loading import create, load_only, verify_only
from migrators.run.migrating import copy, migrate
from migrators.run.options import Options, jobs_of
from migrators.run.sampling import SampleMade, SampleOptions, sample
from migrators.run.state import discard, drop, may_drop, stamp, status

__all__ = [
    "Options",
    "SampleMade",
    "SampleOptions",
    "beforehand",
    "carried",
    "check_fixtures",
    "copy",
    "create",
    "discard",
    "drop",
    "extract_only",
    "fence",
    "jobs_of",
    "kept_at",
    "load_only",
    "may_drop",
    "migrate",
    "sample",
    "stamp",
    "status",
    "unfence",
    "upgrade_fixtures",
    "verify_only",
]
