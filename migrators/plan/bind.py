"""Values written in a step → nodes over the columns of one SELECT.

A `Binder` collects the columns that the old server must return; a bound rule knows them
by position only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from migrators import types
from migrators.backends.interface import ReadColumn
from migrators.plan.columns import calculations, carried, casts, changing, is_opaque
from migrators.plan.model import Apply, Constant, Node, Read, Widen
from migrators.rules.base import Rule
from migrators.types import ColumnType, Kind, fit
from migrators.types.constants import exact, type_of

if TYPE_CHECKING:
    from migrators.backends.interface import Backend


class BindError(Exception):
    """A value that does not fit its column; the message says what to write instead."""


UNPLANNED = (BindError, TypeError, sa.exc.SQLAlchemyError)
"""What a step's expressions raise when a plan is made of them."""


def sentence(error: Exception) -> str:
    """Return what an error says, without the page that SQLAlchemy names for it."""
    if not isinstance(error, sa.exc.SQLAlchemyError):
        return str(error)
    said = str(error.args[0] if error.args else error).strip().split("\n", 1)[0]
    return said.removesuffix("; see parent stack trace for more detail.")


def require_values(element: Any) -> None:
    """Refuse parameters that nobody gives a value: they would be NULL.

    Raises
    ------
    BindError
    """
    for part in visitors.iterate(element):
        if isinstance(part, sa.BindParameter) and part.required and part.callable is None:
            msg = (
                f"the parameter :{part.key} has no value: write the value itself; a colon that is "
                "one is \\: in sa.text"
            )
            raise BindError(msg)


class Binder:
    """Binds the values of one part.

    Parameters
    ----------
    backend : Backend or None
        The old database, where the values go into new rows; None where they are only
        compared: what a cast does to those is seen.

    Attributes
    ----------
    carried : set of Column
        Old columns whose values some output carries.
    filling : str
        The new column that is being bound, "users.name": what SQL gives for it is known by
        that name.
    """

    def __init__(self, backend: Backend | None) -> None:
        self._backend = backend
        self._expressions: list[sa.ColumnElement[Any]] = []
        self._types: list[ColumnType] = []
        self._places: list[tuple[str, str]] = []
        self.carried: set[sa.Column[Any]] = set()
        self.filling = ""
        self.opaque = False

    def bind(self, value: Any, target: ColumnType) -> Node:
        """Return the node that computes `value`, of kind `target` or of another kind.

        Raises
        ------
        BindError
        """
        if isinstance(value, Rule):
            return self._rule(value, target)
        if isinstance(value, sa.sql.ClauseElement):
            return self.read(value)
        try:
            return Constant(exact(value, target), target)
        except TypeError as error:
            raise BindError(str(error)) from None

    def read(self, expression: Any) -> Read:
        """Return the node of a SQL expression, read once however often it is used."""
        for index, known in enumerate(self._expressions):
            if known is expression:
                return Read(index, self._types[index])
        declared = self._type(expression)
        self.carried.update(carried(expression))
        self.check_casts(expression)
        self.opaque |= is_opaque(expression)
        self._expressions.append(expression)
        self._types.append(declared)
        self._places.append(_where(expression, self.filling))
        return Read(len(self._types) - 1, declared)

    def _type(self, expression: Any) -> ColumnType:
        asked = changing(expression)
        if asked:
            msg = f"{asked} gives another value each time: use step.now or step.uuid(...)"
            raise BindError(msg)
        if isinstance(expression, sa.Select):
            msg = "a select that gives one value needs .scalar_subquery()"
            raise BindError(msg)
        if not isinstance(expression, sa.ColumnElement):
            what = "a table" if isinstance(expression, sa.FromClause) else "SQL of no value"
            msg = f"{what} is no value: name one of its columns, such as old.users.c.id"
            raise BindError(msg)
        if isinstance(expression.type, sa.types.NullType):
            said = " ".join(str(expression).split())
            again = said if len(said) <= _REPEATED else "..."
            msg = (
                f"the type of {said} is not known: sa.type_coerce({again}, sa.Integer()), or "
                "whichever it is"
            )
            raise BindError(msg)
        try:
            return types.describe(expression.type)
        except types.UnsupportedType as error:
            raise BindError(str(error)) from None

    def check_casts(self, expression: Any) -> None:
        """Refuse a cast, or arithmetic on text, that may change a value without a word.

        Raises
        ------
        BindError
            The message names the old column, and the rule to write instead.
        """
        if self._backend is None:
            return
        for cast in casts(expression):
            own, target = _described(cast.clause.type), _described(cast.type)
            if own is None or target is None or not _cast_keeps(own, target, self._backend):
                raise BindError(_of_cast(cast, target, alone=cast is expression))
        for operand in calculations(expression):
            own = _described(operand.type)
            if own is not None and own.kind in _TEXTUAL:
                raise BindError(_of_calculation(operand))

    def _rule(self, rule: Rule, target: ColumnType) -> Apply:
        from migrators.step.keys import KeyOf

        if isinstance(rule, KeyOf):
            msg = "a key cannot stand inside another rule"
            raise BindError(msg)
        shown = to_rules(target)
        args = tuple(to_rule(self._argument(value, shown)) for value in rule.inputs)
        try:
            made = rule.result([arg.type for arg in args], shown)
        except TypeError as error:
            raise BindError(str(error)) from None
        return Apply(replace(rule, inputs=()), args, made, shown)

    def _argument(self, value: Any, target: ColumnType) -> Node:
        if isinstance(value, Rule | sa.sql.ClauseElement):
            return self.bind(value, target)
        try:
            own = type_of(value, target)
            return Constant(exact(value, own), own)
        except TypeError as error:
            raise BindError(str(error)) from None

    # what the binder collected ---------------------------------------------------------

    def expression(self, index: int) -> sa.ColumnElement[Any]:
        """SQL expression of a `Read`."""
        return self._expressions[index]

    def labelled(self) -> list[sa.Label[Any]]:
        """Return the SELECT's columns: c0, c1 … (no length or folding rule can hurt them)."""
        return [sa.label(f"c{i}", e) for i, e in enumerate(self._expressions)]

    def columns(self) -> tuple[ReadColumn, ...]:
        """Return what they are."""
        return tuple(
            ReadColumn(f"c{i}", declared, *place)
            for i, (declared, place) in enumerate(zip(self._types, self._places, strict=True))
        )


def _where(expression: Any, filling: str) -> tuple[str, str]:
    """Return what an expression is known by to people: a table and its column, or a name."""
    if isinstance(expression, sa.Column) and isinstance(expression.table, sa.Table):
        return expression.table.key, expression.name
    return "", filling or str(getattr(expression, "name", "") or "expression")


def fitted(node: Node, target: ColumnType) -> Node:
    """Return `node` widened to `target` where that is exact by nature.

    Raises
    ------
    BindError
        Where it is not; the message names the rule that says how.
    """
    if node.type == target or _same_form(node.type, target):
        return node  # whether each value fits the declared length is asked of each value
    if fit.widens(node.type, target) or _both_integers(node.type, target):
        return Widen(node, target)
    msg = f"{node.type} does not become {target} by itself: {_how(node.type, target)}"
    raise BindError(msg)


def _how(own: ColumnType, target: ColumnType) -> str:
    """Say what makes values of one type from those of another: a line that the plan takes."""
    kinds = {own.kind, target.kind}
    if kinds == {Kind.INTEGER, Kind.UUID}:
        return "write step.rekey(new.<its table>), which those that refer to it follow" + (
            ", or step.uuid(...)" if target.kind is Kind.UUID else ""
        )
    if kinds in ({Kind.INTEGER, Kind.ENUM}, {Kind.BOOLEAN, Kind.ENUM}):
        return "write rules.map(...)"
    if target.kind is Kind.INTERVAL:
        return "no rule makes one: compute it in a function with .computed(...)"
    if target.kind in _WITHOUT_RULE:
        return "no rule makes one, only an expression that the old database computes"
    return f"write rules.{rule_for(target)}(...)"


def _described(declared: sa.types.TypeEngine[Any]) -> ColumnType | None:
    try:
        return types.describe(declared)
    except types.UnsupportedType:
        return None


def _cast_keeps(own: ColumnType, target: ColumnType, backend: Backend) -> bool:
    """Whether SQL's cast gives each value exactly; what has no room is cut off by some."""
    if own.kind is Kind.INTEGER and target.kind is Kind.TEXT:
        return target.length is None or target.length >= _INTEGER_DIGITS
    return (own.kind, target.kind) in backend.exact_casts and target.length is None


_INTEGER_DIGITS = 20
"""Of an integer of 64 bits, with its sign."""


def _of_cast(cast: sa.Cast[Any], target: ColumnType | None, *, alone: bool) -> str:
    """Say why a cast is refused, and what to write."""
    names = list(dict.fromkeys(f"old.{c.table.key}.c.{c.name}" for c in carried(cast.clause)))
    how = "leave the cast out"
    if target is not None and target.kind not in (*_WITHOUT_RULE, Kind.INTERVAL):
        how = f"write rules.{rule_for(target)}({names[0] if len(names) == 1 else '...'})"
    elsewhere = "" if alone else ", or compute the value in a function with .computed(...)"
    return (
        f"a cast of {', '.join(names)} to {cast.type!r} changes what does not fit and counts "
        f"nothing, each database in its own way: {how}{elsewhere}"
    )


def _of_calculation(operand: Any) -> str:
    """Say why arithmetic on text is refused, and what to write."""
    names = list(dict.fromkeys(f"old.{c.table.key}.c.{c.name}" for c in carried(operand)))
    return (
        f"arithmetic on the text of {', '.join(names)} makes a number of it, each database in its "
        "own way, and counts nothing: write rules.integer(...) or rules.decimal(...), or compute "
        "the value in a function with .computed(...)"
    )


_REPEATED = 60
"""Letters of an expression that a message says twice; longer ones stand there once."""
_TEXTUAL = (Kind.TEXT, Kind.ENUM, Kind.SET)
_SIZED = (Kind.BINARY, Kind.BITS)
_WITHOUT_RULE = (Kind.SET, Kind.BITS, Kind.ARRAY, Kind.NATIVE)


def _both_integers(own: ColumnType, target: ColumnType) -> bool:
    return own.kind is target.kind is Kind.INTEGER


def _same_form(own: ColumnType, target: ColumnType) -> bool:
    if own.kind in _TEXTUAL and target.kind in _TEXTUAL:
        return True
    if own.kind is Kind.TEXT and (target.kind is Kind.BITS or target.as_text):
        return True
    if _both_integers(own, target):
        return own.range[1] <= _INT64_MAX and target.range[1] <= _INT64_MAX
    signed = replace(own, unsigned=target.unsigned)
    return own.kind is target.kind and (own.kind in _SIZED or signed == target)


_INT64_MAX = 2**63 - 1
_SIGNED = ColumnType(Kind.INTEGER, bits=64)


def to_rules(declared: ColumnType) -> ColumnType:
    """Return a column's type as the rules know it: what they do not know is text to them."""
    if declared.as_text or declared.kind in _WITHOUT_RULE:
        return ColumnType(Kind.TEXT, length=declared.length)
    return declared


def to_rule(node: Node) -> Node:
    """Return a rule's argument as the rules know its type; see `to_rules`.

    64 bits without a sign are given as 64 with one, and refused where they do not fit.
    """
    if _both_integers(node.type, _SIGNED) and node.type.range[1] > _INT64_MAX:
        return Widen(node, _SIGNED)
    shown = to_rules(node.type)
    return node if shown == node.type else replace(node, type=shown)


def rule_for(target: ColumnType) -> str:
    """Return the name of the rule that makes values of a type."""
    rules = {"instant": "timestamp", "float": "float_", "binary": "bytes_"}
    return rules.get(target.kind, str(target.kind))
