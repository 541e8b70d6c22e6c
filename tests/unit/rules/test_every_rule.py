"""What holds for all rules: documented, picklable, comparable, lazy, NULL-safe."""

from __future__ import annotations

import datetime as dt
import doctest
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators import rules, types
from migrators.rules import example, reference
from migrators.rules.base import REFUSE, Rule
from migrators.types import ColumnType, Kind

_MODULES = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
_NAMES = sorted(name for names in reference.GROUPS.values() for name in names)

_T = sa.table("t", sa.column("a", sa.String), sa.column("b", sa.String))
_BUILT: dict[str, Any] = {
    "boolean": lambda x: rules.boolean(x, otherwise=None),
    "bytes_": rules.bytes_,
    "date": lambda x: rules.date(x, truncate=True, otherwise=dt.date(2024, 2, 29)),
    "decimal": lambda x: rules.decimal(x, thousands=",", rounding="half_even"),
    "decode": rules.decode,
    "default": lambda x: rules.default(x, "x"),
    "enum": lambda x: rules.enum(x, {"a": "b"}),
    "fill": lambda x: rules.fill(x, "-{b}", b=x),
    "first": lambda x: rules.first(x, x),
    "float_": rules.float_,
    "integer": lambda x: rules.integer(x, thousands=",", otherwise=0),
    "json": lambda x: rules.json(x, kind="list"),
    "json_object": lambda x: rules.json_object(a=x),
    "lower": rules.lower,
    "map": lambda x: rules.map(x, {"a": "b"}),
    "null_if": lambda x: rules.null_if(x, "", "a"),
    "replace": lambda x: rules.replace(x, "a", "b"),
    "scrub": rules.scrub,
    "split": lambda x: rules.split(x, ","),
    "text": rules.text,
    "time": rules.time,
    "timestamp": lambda x: rules.timestamp(x, "Europe/Berlin", ambiguous="later"),
    "trim": lambda x: rules.trim(x, "-"),
    "truncate": lambda x: rules.truncate(x, 3),
    "upper": rules.upper,
    "uuid": rules.uuid,
}
_TARGETS = {"decimal": "decimal(9,2)", "enum": "enum(a|b)", "timestamp": "instant"}


def _bound(name: str) -> Rule:
    """Return the rule as `plan` hands it on: without inputs."""
    rule: Rule = _BUILT[name](_T.c.a)
    object.__setattr__(rule, "inputs", ())
    return rule


def _rows(name: str, array: pa.Array, given: ColumnType) -> Any:
    rule = _BUILT[name](_T.c.a)
    arrays = [array] * len(rule.inputs)
    target = example.parse(_TARGETS.get(name, "text"))
    return rule.apply(arrays, [given] * len(arrays), target, {})


def test_every_rule_is_listed() -> None:
    """The public functions, the page and the cases below name the same rules."""
    public = {n for n in rules.__all__ if inspect.isfunction(getattr(rules, n))}
    assert sorted(public) == _NAMES == sorted(_BUILT)


@pytest.mark.parametrize("name", _MODULES)
def test_examples_in_docstrings(name: str) -> None:
    """Each before/after example gives what it says."""
    module = importlib.import_module(f"migrators.rules.{name}")
    known = {"rules": rules, "show": example.show, "datetime": dt.datetime}
    assert doctest.testmod(module, extraglobs=known).failed == 0


@pytest.mark.parametrize("name", _NAMES)
def test_has_an_example(name: str) -> None:
    """No rule without a before/after example."""
    assert f">>> show(rules.{name}(" in (inspect.getdoc(getattr(rules, name)) or "")


def test_reference_page_is_generated() -> None:
    """docs/rules.md is what `python -m migrators.rules.reference` writes."""
    page = Path(__file__).parents[3] / "docs" / "rules.md"
    assert reference.page() == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", _NAMES)
def test_pickles_and_compares(name: str) -> None:
    """A bound rule is the same on the other side of a process boundary."""
    rule = _bound(name)
    again = pickle.loads(pickle.dumps(rule))  # noqa: S301
    assert (rule, hash(rule), repr(rule)) == (again, hash(again), repr(again))
    assert _bound(name) == rule
    assert name == rule.name


def test_rules_that_differ_are_not_equal() -> None:
    """Options and inputs count."""
    assert rules.integer(_T.c.a) == rules.integer(_T.c.a)
    assert rules.integer(_T.c.a) != rules.integer(_T.c.b)
    assert rules.integer(_T.c.a) != rules.integer(_T.c.a, thousands=",")
    assert rules.lower(_T.c.a) != rules.upper(_T.c.a)


def test_refuse_stays_the_same_object() -> None:
    """The default of `otherwise` is known by identity in another process, too."""
    assert REFUSE is pickle.loads(pickle.dumps(rules.integer(1))).otherwise  # noqa: S301


@pytest.mark.parametrize("name", _NAMES)
def test_null_and_empty_batches(name: str) -> None:
    """NULL stays NULL, uncounted; no rows give no rows."""
    given = ColumnType(Kind.BINARY if name == "decode" else Kind.TEXT)
    filled = {"default", "fill", "json_object"}
    got = _rows(name, pa.nulls(3, given.arrow), given)
    assert len(got.values) == 3
    assert name in filled or got.values.null_count == 3
    for mask in (got.changed, got.refused):
        assert name in filled or mask is None or mask.true_count == 0
    assert len(_rows(name, pa.array([], given.arrow), given).values) == 0


@pytest.mark.parametrize("name", _NAMES)
def test_slices_are_read_where_they_lie(name: str) -> None:
    """A slice of a batch gives what the same rows give on their own (apache/arrow#49410)."""
    given = ColumnType(Kind.BINARY if name == "decode" else Kind.TEXT)
    texts = ["zz", "1,234", None, "a, b", "2024-02-29 10:00", "true", "zz"]
    whole = pa.array(texts, pa.string()).cast(given.arrow)
    sliced, alone = whole.slice(1, 5), pa.array(texts[1:6], pa.string()).cast(given.arrow)
    got, expected = _rows(name, sliced, given), _rows(name, alone, given)
    assert expected.values.to_pylist() == got.values.to_pylist()
    assert expected.changed == got.changed
    assert expected.refused == got.refused


@pytest.mark.parametrize(
    ("rule", "given", "said"),
    [
        (
            rules.integer(1),
            "timestamp",
            "rules.integer reads text, integer, decimal, boolean or float",
        ),
        (rules.float_(1), "boolean", "rules.float_ reads text, integer, decimal or float"),
        (rules.decimal(1), "date", "rules.decimal reads text, integer, float or decimal, not date"),
        (rules.decimal(1), "text", "rules.decimal fills a decimal column"),
        (rules.boolean(1), "date", "rules.boolean reads integer, text, decimal, float or boolean"),
        (rules.boolean(1, true=["J"], false=["N"]), "integer", "none of true= and false="),
        (rules.timestamp(1), "boolean", "rules.timestamp reads text"),
        (rules.timestamp(1, unit="s"), "text", "unit= is for numbers, not for text"),
        (rules.timestamp(1, format="%Y%m%d"), "date", "format= is for text, not for date"),
        (rules.date(1), "integer", "write rules.timestamp(...) around it"),
        (rules.time(1), "date", "rules.time reads text, timestamp or time, not date"),
        (rules.decode(1), "text", "rules.decode reads binary, not text"),
        (rules.uuid(1), "integer", "rules.uuid reads text, binary or uuid, not integer(64)"),
        (rules.integer(1, otherwise="0"), "text", "rules.integer: otherwise='0' is not a value"),
        (rules.integer(1, otherwise=True), "text", "otherwise=True is not a value that integer"),
    ],
)
def test_combinations_that_make_no_sense(rule: Rule, given: str, said: str) -> None:
    """They are refused before a row is read, in a sentence that says what fits."""
    with pytest.raises(TypeError) as refused:
        rule.result([types.parse(given)], ColumnType(Kind.TEXT))
    assert said in str(refused.value)


def test_importing_rules_loads_no_arrow() -> None:
    """A step can be read and planned without pyarrow, numpy or pandas."""
    code = (
        "import sys; from migrators import rules, types;"
        "t = types.parse('text'); d = types.parse('decimal(9,2)');"
        "rules.integer(1, otherwise=0).result([t], t); rules.decimal(1).result([t], d);"
        "rules.timestamp(1, zone='UTC').result([t], types.parse('instant'));"
        "print(*sorted({'pyarrow', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
