"""An engine whose connections are all one, in one transaction that is rolled back after a test.

What code under test begins is a savepoint, what it commits is released, and what it rolls back
is rolled back to there: so it may commit, and open as many connections as it likes, one after
the other or one inside the other. Only where the order of two at once cannot be told with
savepoints (one would take back what another has committed) the test is refused, with what to
type. Nothing here depends on the kind of database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrators.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_OUTER = "migrate_test"
_PART = "migrators.part"
"""Where a connection of the pool keeps what it has begun."""
_READS = ("SELECT", "SHOW", "EXPLAIN", "VALUES", "PRAGMA")
_COPY = 'mark it: @pytest.mark.migrate(isolation="copy")     gives it a database of its own'


@dataclass(eq=False)
class _Part:
    """A transaction of code under test.

    Attributes
    ----------
    begun : int
        How many writes there had been.
    """

    name: str
    begun: int
    over: bool = False
    failed: bool = False


class Shared:
    """One connection to a test's database, and the engine that gives it out.

    Parameters
    ----------
    url : sqlalchemy.URL
        As an application's engine is given it.
    connection : object
        The driver's, or None to connect.
    """

    def __init__(self, url: sa.URL, connection: Any | None = None) -> None:
        self._raw = _connected(url) if connection is None else connection
        self.engine = sa.create_engine(url, creator=lambda: self._raw, poolclass=NullPool)
        self._parts: list[_Part] = []
        self._writes: list[_Part] = []
        self._made = 0
        self._begun = False
        self._refused: str = ""
        _override(self.engine.dialect, self._dialect_methods())
        sa.event.listen(self.engine, "before_cursor_execute", self._before)
        sa.event.listen(self.engine, "handle_error", self._failed)

    def end(self) -> None:
        """Roll back all that a test did.

        Raises
        ------
        UsageError
            There is no transaction any more: something was committed for good.
        """
        self._parts.clear()
        self._writes.clear()
        self._refused = ""
        begun, self._begun = self._begun, False
        try:
            if begun:
                self._back_to(_OUTER)
        finally:
            self._raw.rollback()

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    # what the dialect is made to do ------------------------------------------------------

    def _dialect_methods(self) -> dict[str, Callable[..., Any]]:
        return {
            "do_begin": self._begin,
            "do_commit": lambda connection: self._finish(connection, undo=False),
            "do_rollback": lambda connection: self._finish(connection, undo=True),
            "do_close": _nothing,
            "do_terminate": _nothing,
            "set_isolation_level": _no_level,
        }

    def _begin(self, connection: Any) -> None:
        if not self._begun:
            self._run(f"SAVEPOINT {_OUTER}")
            self._begun = True
        self._made += 1
        part = _Part(f"{_OUTER}_{self._made}", len(self._writes))
        self._run(f"SAVEPOINT {part.name}")
        self._parts.append(part)
        connection.record_info[_PART] = part

    def _finish(self, connection: Any, *, undo: bool) -> None:
        part = connection.record_info.pop(_PART, None)
        if part not in self._parts:  # of a test before this one, or none was begun
            return
        since = self._writes[part.begun :]
        if undo and all(writer is part for writer in since):
            self._undo(part)
        elif undo and (part in since or part.failed):
            self._refused = (
                "a connection was rolled back, and another has committed since it began: "
                "in one transaction, the one cannot be undone without the other"
            )
            part.over = True
        else:
            part.over = True
        while self._parts and self._parts[-1].over and not self._refused:
            self._kept(f"RELEASE SAVEPOINT {self._parts.pop().name}")

    def _undo(self, part: _Part) -> None:
        """Roll back to where a part began; parts inside it have written nothing, and go on."""
        self._back_to(part.name)
        del self._writes[part.begun :]
        inside = self._parts[self._parts.index(part) + 1 :]
        for other in inside:
            other.begun = part.begun
            self._run(f"SAVEPOINT {other.name}")
        part.over = True

    def _before(self, connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if self._refused:
            raise UsageError(self._refused, hint=_COPY)
        part = _part_of(connection)
        if part is None:  # SQLAlchemy's own questions
            return
        if part not in self._parts:
            raise UsageError(
                "a connection of an earlier test is still used",
                hint="close sessions and connections at the end of the test that opened them",
            )
        if not statement.lstrip(" \t\r\n(").upper().startswith(_READS):
            self._writes.append(part)

    def _failed(self, context: sa.engine.ExceptionContext) -> None:
        if context.connection is not None and not context.connection.invalidated:
            part = _part_of(context.connection)
            if part is not None:
                part.failed = True

    def _back_to(self, name: str) -> None:
        self._kept(f"ROLLBACK TO SAVEPOINT {name}")

    def _kept(self, statement: str) -> None:
        """Run what fails if the transaction has ended that the savepoints were in."""
        try:
            self._run(statement)
        except Exception as error:
            raise UsageError(
                "the test ended the transaction that it ran in, and what it wrote was committed: "
                "by a statement that creates or alters something, or by a COMMIT of its own",
                hint=_COPY,
            ) from error

    def _run(self, statement: str) -> None:
        cursor = self._raw.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()


def _part_of(connection: sa.Connection) -> _Part | None:
    part: _Part | None = (connection.connection.record_info or {}).get(_PART)
    return part


def _connected(url: sa.URL) -> Any:
    """Return a connection of the driver, as an engine of this URL opens it."""
    dialect = sa.create_engine(url, poolclass=NullPool).dialect
    positional, named = dialect.create_connect_args(url)
    return dialect.connect(*positional, **named)


def _override(dialect: sa.Dialect, methods: dict[str, Callable[..., Any]]) -> None:
    """Let one dialect object do otherwise; its class, and other engines', stay as they are."""
    vars(dialect).update(methods)


def _nothing(_connection: Any) -> None:
    """Leave the connection open for the next who asks."""


def _no_level(_connection: Any, level: str) -> None:
    raise UsageError(
        f"isolation level {level}: the test runs inside a transaction that has begun",
        hint=_COPY,
    )
