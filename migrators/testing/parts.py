"""Transactions of code under test, as savepoints of one that is rolled back after the test.

What begins is a savepoint, what is committed is released, and what is rolled back is rolled back
to there. Savepoints lie inside one another, transactions need not: what is below another one stays
until that is over, and what others have written is never undone. Where that cannot be, all that
follows is refused, with what to type. One statement runs at a time, whichever thread it is of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING

from migrators.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

OUTER = "migrate_test"
COPY = 'mark it: @pytest.mark.migrate(isolation="copy")     gives it a database of its own'
_STATEMENT = f"{OUTER}_statement"
_READS = ("SELECT", "SHOW", "EXPLAIN", "VALUES", "PRAGMA")


@dataclass(eq=False)
class Part:
    """A transaction, or a savepoint that an application has set in it.

    Attributes
    ----------
    begun : int
        How many writes there had been.
    of : Part or None
        The transaction that a savepoint is in.
    failed : bool
        It takes nothing but a rollback any more.
    nested : dict
        Savepoints of a transaction, by the application's names for them.
    """

    name: str
    begun: int
    of: Part | None = None
    over: bool = False
    failed: bool = False
    nested: dict[str, Part] = field(default_factory=dict)

    @property
    def root(self) -> Part:
        """The transaction."""
        return self.of or self


class Parts:
    """The transactions of one test at a time.

    Parameters
    ----------
    run, back : callable
        Run a statement, and one that fails if the outermost transaction has ended.
    aborts : bool
        Whether an error makes a transaction refuse all but a rollback.
    """

    def __init__(
        self, run: Callable[[str], None], back: Callable[[str], None], *, aborts: bool
    ) -> None:
        self._run, self._back, self._aborts = run, back, aborts
        self._lock = RLock()
        self._open: list[Part] = []
        self._writes: list[Part] = []
        self._made = 0
        self._begun = False
        self._stuck: tuple[Part, str] | None = None
        """What has failed, and the savepoint that makes the connection usable again."""
        self._refused = ""

    def begin(self, of: Part | None = None) -> Part:
        """Begin a transaction, or a savepoint of one."""
        with self._lock:
            if of is not None:
                self._check(of)
            self._recover(of)
            if not self._begun:
                self._run(f"SAVEPOINT {OUTER}")
                self._begun = True
            self._made += 1
            part = Part(f"{OUTER}_{self._made}", len(self._writes), of)
            self._run(f"SAVEPOINT {part.name}")
            self._open.append(part)
            return part

    def execute(
        self, part: Part, statement: str, act: Callable[[], None], *, once: bool = True
    ) -> None:
        """Run a statement of a transaction.

        Parameters
        ----------
        once : bool
            It leaves nothing behind if it fails: it is not run for one row after the other.

        Raises
        ------
        UsageError
            Of an earlier test's connection, or where a rollback would undo what others wrote.
        """
        with self._lock:
            self._check(part)
            self._recover(part)
            writes = not statement.lstrip(" \t\r\n(").upper().startswith(_READS)
            if writes:
                self._writes.append(part)
            inner = self._innermost(part)
            apart = self._aborts and not self._alone(inner)
            if apart:
                self._run(f"SAVEPOINT {_STATEMENT}")
            try:
                act()
            except BaseException:
                if self._aborts:
                    self._stuck = inner, _STATEMENT if apart else inner.name
                if writes and once:
                    self._writes.pop()
                raise
            if apart:
                self._run(f"RELEASE SAVEPOINT {_STATEMENT}")

    def finish(self, part: Part, *, undo: bool) -> None:
        """Commit, or roll back; nothing where it is of an earlier test."""
        with self._lock:
            if part not in self._open:
                return
            self._recover(None)
            since = self._writes[part.begun :]
            if undo and all(writer is part.root for writer in since):
                self._undo(part)
            elif undo and part.root in since:
                self._refused = (
                    "a connection was rolled back, and another has committed since it began: "
                    "in one transaction, the one cannot be undone without the other"
                )
            for inside in self._inside(part):
                inside.over = inside.over or inside.root is part.root
            part.over = True
            while self._open and self._open[-1].over and not self._refused:
                self._back(f"RELEASE SAVEPOINT {self._open.pop().name}")

    def end(self) -> None:
        """Undo all that a test did; what it has left open is of an earlier test from now on."""
        with self._lock:
            self._open.clear()
            self._writes.clear()
            self._stuck, self._refused = None, ""
            begun, self._begun = self._begun, False
            if begun:
                self._back_to(OUTER)

    # -------------------------------------------------------------------------------------

    def _check(self, part: Part) -> None:
        if self._refused:
            raise UsageError(self._refused, hint=COPY)
        if part not in self._open:
            raise UsageError(
                "a connection of an earlier test is still used",
                hint="close sessions and connections at the end of the test that opened them",
            )
        if self._innermost(part).failed:
            raise UsageError(
                "a statement of this connection has failed: it takes nothing but a rollback",
                hint="session.rollback()",
            )

    def _recover(self, part: Part | None) -> None:
        """Make the connection usable after another one's error, which would have to wait."""
        if self._stuck is None or (part is not None and self._stuck[0].root is part.root):
            return
        (failed, name), self._stuck = self._stuck, None
        self._back_to(name)
        if name == failed.name:
            del self._writes[failed.begun :]
        failed.failed = True

    def _undo(self, part: Part) -> None:
        """Roll back to where a part began; parts inside it have written nothing, and go on."""
        inside = self._inside(part)
        self._back_to(part.name)
        del self._writes[part.begun :]
        for other in inside:
            if other.root is part.root:
                self._open.remove(other)
            else:
                other.begun = part.begun
                self._run(f"SAVEPOINT {other.name}")

    def _back_to(self, name: str) -> None:
        self._back(f"ROLLBACK TO SAVEPOINT {name}")

    def _inside(self, part: Part) -> list[Part]:
        return self._open[self._open.index(part) + 1 :]

    def _innermost(self, part: Part) -> Part:
        """Return the last savepoint of a transaction that is not over, else itself."""
        mine = (p for p in reversed(self._open) if p.root is part.root and not p.over)
        return next(mine, part)

    def _alone(self, part: Part) -> bool:
        """Whether what was written since a part began is its own, and it is the last begun."""
        mine = all(writer is part.root for writer in self._writes[part.begun :])
        return mine and self._open[-1] is part
