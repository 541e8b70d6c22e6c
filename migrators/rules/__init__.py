"""Rules: conversions that a step writes, computed exactly and counted.

    from migrators import rules

    step.table(new.projects).values(
        downloads=rules.integer(old.packages.c.downloads, thousands=","))

A rule takes a SQLAlchemy expression over the old tables, a constant, or another rule. It
gives each row an exact value, or refuses it, or changes it in the way it says and counts
that. NULL stays NULL, except in `default`, `fill` and `first`. Where a rule takes
`otherwise`, that constant (or None) stands in for what would be refused.

Importing this loads no Arrow; applying a rule does.
"""

from __future__ import annotations

from migrators.rules.absent import default, fill, first
from migrators.rules.base import REFUSE, Outcome, Rule
from migrators.rules.binary import bytes_, decode, uuid
from migrators.rules.choices import boolean, enum, map, null_if  # noqa: A004
from migrators.rules.decimals import decimal
from migrators.rules.documents import json, json_object
from migrators.rules.lists import split
from migrators.rules.numbers import float_, integer
from migrators.rules.texts import lower, replace, scrub, text, trim, truncate, upper
from migrators.rules.times import date, time, timestamp

__all__ = [
    "REFUSE",
    "Outcome",
    "Rule",
    "boolean",
    "bytes_",
    "date",
    "decimal",
    "decode",
    "default",
    "enum",
    "fill",
    "first",
    "float_",
    "integer",
    "json",
    "json_object",
    "lower",
    "map",
    "null_if",
    "replace",
    "scrub",
    "split",
    "text",
    "time",
    "timestamp",
    "trim",
    "truncate",
    "upper",
    "uuid",
]
