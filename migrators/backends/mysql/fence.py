"""The fence of a database: accounts lose what lets them write there, and sessions are ended.

Table locks would keep every account out, but they end with the session that holds them, and who
waits for one writes the moment that it goes: into a database that nobody reads any more. Rights
stay taken until they are given back.

A right on a pattern of names (`shop%`) cannot be taken for one of them. But of several patterns
the most specific one counts alone (manual, "GRANT", "Database Privileges"), so such an account
is given the rights to read, and no others, on this very name. Accounts with rights on all
databases pass, and so does the account that migrates.
"""

from __future__ import annotations

import re
import time
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pymysql
from pymysql.constants import ER

from migrators.access import Grant
from migrators.backends.fencing import Closed, Fence, Saved
from migrators.backends.mysql import connect, failures, rights, sql, staging, uncommitted
from migrators.errors import DatabaseError, Locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

T = TypeVar("T")
_NOTHING = "LOCK TABLES"
"""A right that lets nobody do anything without SELECT, for a name that has to have one."""
_READS = frozenset({"SELECT", "SHOW VIEW", "SHOW CREATE ROUTINE", _NOTHING})
_EVERYWHERE = """
SELECT DISTINCT grantee FROM information_schema.user_privileges WHERE privilege_type IN
    ('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER', 'CREATE', 'TRIGGER', 'EXECUTE') ORDER BY 1
"""
_SESSIONS = """
SELECT p.id, p.user, SUBSTRING_INDEX(p.host, ':', 1) FROM information_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.id <> CONNECTION_ID() AND (
    p.db = %s OR (t.trx_rows_modified > 0 OR p.id IN ({writers})) AND p.user IN ({users})
)
ORDER BY 2, 1
"""
"""Those who are in it; and of those whom it is closed to, who is about to commit something."""
_GONE = (ER.NO_SUCH_THREAD,)
_NO_SUCH_GRANT = (
    ER.NONEXISTING_GRANT,
    ER.NONEXISTING_TABLE_GRANT,
    ER.NONEXISTING_PROC_GRANT,
    ER.NO_SUCH_TABLE,
)
_DENIED = (1044, 1045, 1095, 1142, 1227, 1401, 1698)
_PATIENCE = 10.0
_PAUSE = 0.02
_SHOWN = 5


class MySQLFence(Fence):
    """The fence of one database."""

    way: ClassVar[str] = "closed to writers"

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._name = str(url.database)

    def before(self) -> Saved:
        """Return which rights to write there are; refuse an account that may not take them."""
        with connect.opened(self._url, "looking", database=False) as connection:
            ((me,),) = connect.rows(connection, "SELECT current_user()")
            self._require(connection, str(me))
            return {
                "account": str(me),
                "taken": [list(each) for each in self._writes(connection, str(me))],
                "given": [list(each) for each in self._shadows(connection, str(me))],
                "grants": [list(astuple(each)) for each in rights.grants(connection, self._name)],
            }

    def _require(self, connection: Connection, me: str) -> None:
        needs = f"GRANT PROCESS, CONNECTION ADMIN ON *.* TO {rights.quoted(me)}"
        try:
            uncommitted.sessions(connection)
            uncommitted.prepared(connection)
        except pymysql.err.MySQLError as error:
            if failures.code(error) not in _DENIED:
                raise
            raise DatabaseError(
                f"{me} may not fence {self._name}: it does not see who is connected", hint=needs
            ) from None
        if not rights.sees_all(connection):
            raise DatabaseError(
                f"{me} may not fence {self._name}: it does not see the rights of others",
                hint=f"GRANT SELECT ON mysql.* TO {rights.quoted(me)}",
            )

    # what is taken, and what is given in its place --------------------------------------

    def _writes(self, connection: Connection, me: str) -> Iterator[tuple[Any, ...]]:
        """Yield each right to write that can be taken: a grant, and the pattern it is on."""
        for grantee, privilege, option, pattern in rights.on_databases(connection):
            account = rights.account_of(grantee)
            if account != me and privilege not in _READS and self._is_name(pattern):
                grant = Grant("database", "", "", privilege, account, bool(option))
                yield (*astuple(grant), pattern)
        for grant in rights.grants(connection, self._name):
            if grant.on != "database" and grant.grantee != me and grant.privilege not in _READS:
                yield (*astuple(grant), "")

    def _is_name(self, pattern: str) -> bool:
        return re.sub(r"\\(.)", r"\1", str(pattern)) == self._name

    def _shadows(self, connection: Connection, me: str) -> Iterator[tuple[str, str, str]]:
        """Yield what is given on the very name, so that no wider pattern counts."""
        mine: dict[str, set[str]] = {}
        wider: dict[str, dict[str, set[str]]] = {}
        for grantee, privilege, _, pattern in rights.on_databases(connection):
            account = rights.account_of(grantee)
            if account == me or not rights.matches(str(pattern), self._name):
                continue
            if self._is_name(pattern):
                mine.setdefault(account, set()).add(privilege)
            else:
                wider.setdefault(account, {}).setdefault(str(pattern), set()).add(privilege)
        for account, patterns in wider.items():
            counts = patterns[max(patterns, key=_fixed)]
            has = mine.get(account)
            keeps = (counts if has is None else has) & _READS
            if has is None and counts <= _READS:
                continue
            for privilege in sorted(keeps - (has or set())) or ([] if keeps else [_NOTHING]):
                yield account, self._escaped, privilege

    @property
    def _escaped(self) -> str:
        """The name, as a pattern that matches no other."""
        return re.sub(r"([_%\\])", r"\\\1", self._name)

    # closing and opening ----------------------------------------------------------------

    def close(self, saved: Saved) -> Closed:
        """Take the rights, and end the sessions of those who had them, or are in it."""
        with connect.opened(self._url, "fencing", database=False) as connection:
            for statement in _given(saved, "GRANT", "TO"):
                self._run(connection, statement)
            for grant, pattern in _taken(saved):
                self._run(connection, f"REVOKE {self._right(grant, pattern, 'FROM')}")
            if left := self._left(connection, saved):
                raise DatabaseError(f"{self._name}: {left[0]} may write there all the same")
            ended = self._ended(connection, saved)
            self._require_none_prepared(connection)
            everywhere = connect.rows(connection, _EVERYWHERE)
        passing = {rights.account_of(grantee) for (grantee,) in everywhere}
        return Closed(
            ended=tuple(ended.items()), passing=tuple(sorted(passing | {str(saved["account"])}))
        )

    def _right(self, grant: Grant, pattern: str, to: str) -> str:
        column = f" ({sql.name(grant.column)})" if grant.column else ""
        on = f"{sql.name(pattern)}.*" if pattern else rights.place(self._name, grant)
        return f"{grant.privilege}{column} ON {on} {to} {rights.quoted(grant.grantee)}"

    def _run(self, connection: Connection, statement: str) -> None:
        """Run a statement that may have been run before."""
        try:
            connect.run(connection, statement)
        except pymysql.err.MySQLError as error:
            if failures.code(error) in _DENIED:
                raise DatabaseError(
                    f"the rights on {self._name} are not this account's to take: "
                    f"{failures.said(error)}",
                    hint=f"GRANT ALL PRIVILEGES ON {sql.name(self._escaped)}.* TO CURRENT_USER() "
                    "WITH GRANT OPTION",
                ) from None
            if failures.code(error) not in _NO_SUCH_GRANT:
                raise

    def _left(self, connection: Connection, saved: Saved) -> list[str]:
        me = str(saved["account"])
        writes = {str(row[4]) for row in self._writes(connection, me)}
        return sorted(writes | {who for who, _, _ in self._shadows(connection, me)})

    def _ended(self, connection: Connection, saved: Saved) -> dict[str, int]:
        ended: dict[int, str] = {}
        until = time.monotonic() + _PATIENCE
        while there := self._sessions(connection, saved):
            if time.monotonic() > until:
                raise Locked(
                    f"{self._name} cannot be fenced: {_people(there)} will not go, or comes back",
                    hint="stop it, then type the same command again",
                )
            for number, user, _ in there:
                if number not in ended and self._killed(connection, int(number), saved):
                    ended[number] = str(user)
            time.sleep(_PAUSE)
        counted: dict[str, int] = {}
        for name in ended.values():
            counted[name] = counted.get(name, 0) + 1
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def _require_none_prepared(self, connection: Connection) -> None:
        """Wait for transactions that anybody can still commit, and may have written there.

        The server does not say in which database; those that come now find the fence.
        """
        first = uncommitted.prepared(connection)
        if there := _staying(lambda: first & uncommitted.prepared(connection)):
            one = min(there)
            raise Locked(
                f"{self._name} cannot be fenced: transaction {one} is prepared on its server, and "
                "what it wrote is in no snapshot",
                hint=f"XA COMMIT {one}     or XA ROLLBACK",
            )

    def _killed(self, connection: Connection, number: int, saved: Saved) -> bool:
        try:
            connect.run(connection, f"KILL {number}")
        except pymysql.err.MySQLError as error:
            code = failures.code(error)
            if code not in _DENIED and code not in _GONE:
                raise
            if code in _DENIED and number in {row[0] for row in self._sessions(connection, saved)}:
                me = rights.quoted(str(saved["account"]))
                raise DatabaseError(
                    f"{saved['account']} may not end the sessions of others",
                    hint=f"GRANT CONNECTION ADMIN ON *.* TO {me}",
                ) from None
        return True

    def _sessions(self, connection: Connection, saved: Saved) -> list[tuple[Any, ...]]:
        users = {grant.grantee for grant, _ in _taken(saved)} | {x[0] for x in saved["given"]}
        names = [sql.literal(user.rpartition("@")[0]) for user in sorted(users)] or ["NULL"]
        writers = [str(number) for number in sorted(uncommitted.sessions(connection))] or ["NULL"]
        query = _SESSIONS.format(users=", ".join(names), writers=", ".join(writers))
        return connect.rows(connection, query, (self._name,))

    def closed(self, saved: Saved) -> bool:
        """Whether nobody has a right to write there who had one."""
        with connect.opened(self._url, "looking", database=False) as connection:
            there = staging.holds_anything(connection, self._name)
            return there and not self._left(connection, saved)

    def holes(self, saved: Saved) -> tuple[str, ...]:
        """Say whose right came back, and who is in."""
        with connect.opened(self._url, "looking", database=False) as connection:
            left = [f"{account} may write there again" for account in self._left(connection, saved)]
            there = _staying(lambda: self._sessions(connection, saved))
        return (*left, *([f"connected to it: {_people(there)}"] if there else []))

    def open(self, saved: Saved) -> tuple[str, ...]:
        """Give back what was taken, and take what was given in its place."""
        failed = []
        with connect.opened(self._url, "unfencing", database=False) as connection:
            connect.run(connection, f"SET SESSION sql_mode = {rights.MODE}")
            there = set(self._writes(connection, str(saved["account"])))
            for grant, pattern in _taken(saved):
                if (*astuple(grant), pattern) in there:
                    continue
                option = " WITH GRANT OPTION" if grant.grantable else ""
                statement = f"GRANT {self._right(grant, pattern, 'TO')}{option}"
                try:
                    connect.run(connection, statement)
                except pymysql.err.MySQLError as error:
                    failed.append(f"{statement};     {failures.said(error)}")
            for statement in _given(saved, "REVOKE", "FROM"):
                self._run(connection, statement)
        return tuple(failed)


def _staying(look: Callable[[], T]) -> T:
    """Return what does not go by itself, as the session of a `migrate status` does."""
    until = time.monotonic() + _PATIENCE
    while (there := look()) and time.monotonic() < until:
        time.sleep(_PAUSE)
    return there


def _fixed(pattern: str) -> int:
    """Return how much of a pattern stands before its first wildcard: more is more specific."""
    wild = re.search(r"(?<!\\)[%_]", pattern)
    return wild.start() if wild else len(pattern)


def _taken(saved: Saved) -> Iterator[tuple[Grant, str]]:
    for *grant, pattern in saved["taken"]:
        yield Grant(*grant), str(pattern)


def _given(saved: Saved, verb: str, to: str) -> Iterator[str]:
    """Yield the statements of what is given, or taken again."""
    for account, pattern, privilege in saved["given"]:
        yield f"{verb} {privilege} ON {sql.name(pattern)}.* {to} {rights.quoted(account)}"


def before(saved: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return the rights that there were before a fence took some and gave others."""
    return tuple(sorted(Grant(*grant) for grant in saved["grants"]))


def _people(there: list[tuple[Any, ...]]) -> str:
    said = [f"{user} from {client}" for _, user, client in there[:_SHOWN]]
    return "; ".join(said) + ("; and others" if len(there) > _SHOWN else "")
