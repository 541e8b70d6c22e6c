"""The fence of a database: CONNECT is taken from everybody else, and their sessions are ended.

`datacl` holds who may connect, in the server's own words (manual, 5.7 "Privileges"); NULL is
what the server gives every new database. It is remembered as text, and comes back verbatim.
Superusers pass, and so does whoever logs in as the role that migrates.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import psycopg

from migrators.backends.fencing import Closed, Fence, Saved
from migrators.backends.postgresql import acl, catalog, connect, sql
from migrators.errors import DatabaseError, Locked

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection

_BEFORE = """
SELECT d.datacl::text, current_user::text, pg_has_role(d.datdba, 'USAGE'), pg_get_userbyid(d.datdba)
FROM pg_database AS d WHERE d.datname = %s
"""
_PREPARED = "SELECT gid FROM pg_prepared_xacts WHERE database = %s ORDER BY prepared"
_LET_IN = """
SELECT coalesce(quote_ident(r.rolname), 'PUBLIC') FROM pg_database AS d,
    aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
    LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE d.datname = %s AND a.privilege_type = 'CONNECT' AND r.rolname IS DISTINCT FROM %s
GROUP BY 1 ORDER BY 1
"""
_PASSING = """
SELECT rolname, rolsuper FROM pg_roles AS r
WHERE rolcanlogin AND (rolsuper OR rolname = %s OR has_database_privilege(oid, %s, 'CONNECT'))
ORDER BY NOT rolsuper, rolname
"""
_SESSIONS = """
SELECT pid, coalesce(nullif(application_name, ''), usename, backend_type, 'somebody'),
    coalesce(usename, 'a role that may not be seen'), coalesce(client_addr::text, 'this machine')
FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
    AND coalesce(backend_type, 'client backend')
        NOT IN ('autovacuum worker', 'parallel worker', 'walsender')
    AND (usename, application_name) IS DISTINCT FROM
        (current_user, current_setting('application_name'))
ORDER BY 2, 1
"""
"""Not those of this very command: `migrate status`, typed meanwhile, is one that reads."""
_CONNECTING = """
SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.objid
WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND d.datname = %s
    AND l.pid <> pg_backend_pid()
"""
"""Who is let in holds a lock on the database until it is among the sessions."""
_COUNTERS = """
SELECT c.oid, pg_relation_filenode(c.oid), s.n_tup_ins, s.n_tup_upd, s.n_tup_del
FROM pg_class AS c LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 ORDER BY 1
"""
"""16384 is the first of a user's. TRUNCATE moves no counter, but gives the table a new file."""
_EPOCH = """
SELECT pg_postmaster_start_time()::text, coalesce(stats_reset::text, ''),
    current_setting('track_counts')
FROM pg_stat_database WHERE datname = current_database()
"""
_PATIENCE = 10.0
"""Seconds that sessions have to end in, and those who are just connecting to be let in."""
_PAUSE = 0.02
_SHOWN = 5


class PostgreSQLFence(Fence):
    """The fence of one database."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._name = str(url.database)

    def before(self) -> Saved:
        """Return who may connect; refuse a role that is not the owner's, and open promises."""
        with connect.maintenance(self._url, "looking") as connection:
            row = connection.execute(_BEFORE, (self._name,)).fetchone()
            prepared = connection.execute(_PREPARED, (self._name,)).fetchall()
        if row is None:
            raise DatabaseError(f"{self._name} does not exist", hint="migrate status")
        rights, role, may, owner = row
        if not may:
            raise DatabaseError(
                f"{role} may not fence {self._name}: only its owner, or a superuser, can",
                hint=f"as a superuser: GRANT {sql.name(owner)} TO {sql.name(role)}",
            )
        if prepared:
            raise Locked(
                f"{self._name}: transaction {prepared[0][0]!r} is prepared there, and what it "
                "wrote is in no snapshot",
                hint=f"COMMIT PREPARED {sql.text(prepared[0][0])}     or ROLLBACK PREPARED",
            )
        return {"acl": rights, "role": role}

    def close(self, saved: Saved) -> Closed:
        """Take CONNECT from all but the role that migrates, and end the others' sessions."""
        role = str(saved["role"])
        with connect.maintenance(self._url, "fencing") as connection:
            with connect.transaction(connection):
                self._revoke(connection, role)
            ended = self._ended(connection)
            passing = connection.execute(_PASSING, (role, self._name)).fetchall()
        supers = [name for name, is_super in passing if is_super]
        others = [name for name, is_super in passing if not is_super]
        said = [*([f"superusers ({', '.join(supers)})"] if supers else []), *others]
        return Closed(ended=tuple(ended.items()), passing=tuple(said))

    def _revoke(self, connection: Connection, role: str) -> None:
        named = sql.name(self._name)
        for (grantee,) in connection.execute(_LET_IN, (self._name, role)).fetchall():
            connection.execute(f"REVOKE CONNECT ON DATABASE {named} FROM {grantee} CASCADE")
        row = connection.execute(
            "SELECT rolsuper OR has_database_privilege(rolname, %s, 'CONNECT') FROM pg_roles "
            "WHERE rolname = %s",
            (self._name, role),
        ).fetchone()
        if row is not None and not row[0]:
            connection.execute(f"GRANT CONNECT ON DATABASE {named} TO {sql.name(role)}")
        if left := self._let_in(connection, role):
            raise DatabaseError(
                f"{self._name}: CONNECT cannot be taken from {', '.join(left)}",
                hint="as a superuser, or the role that granted it: REVOKE CONNECT ON DATABASE "
                f"{named} FROM {left[0]}",
            )

    def _let_in(self, connection: Connection, role: str) -> list[str]:
        found = connection.execute(_LET_IN, (self._name, role)).fetchall()
        return [str(grantee) for (grantee,) in found]

    def _ended(self, connection: Connection) -> dict[str, int]:
        """End all sessions, and wait until they are gone: each counts what it wrote as it goes."""
        ended: dict[int, str] = {}
        until = time.monotonic() + _PATIENCE
        while (there := self._sessions(connection)) or self._connecting(connection):
            if time.monotonic() > until:
                if there:
                    raise self._stays(there)
                break
            for pid, name, *_ in there:
                if pid not in ended and _terminated(connection, pid):
                    ended[pid] = str(name)
            time.sleep(_PAUSE)
        counted: dict[str, int] = {}
        for name in ended.values():
            counted[name] = counted.get(name, 0) + 1
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def _sessions(self, connection: Connection) -> list[tuple[Any, ...]]:
        return connection.execute(_SESSIONS, (self._name,)).fetchall()

    def _connecting(self, connection: Connection) -> bool:
        row = connection.execute(_CONNECTING, (self._name,)).fetchone()
        return row is not None and row[0] > 0

    def _stays(self, there: list[tuple[Any, ...]]) -> Locked:
        return Locked(
            f"{self._name} cannot be fenced: {_people(there)} will not go, or comes back",
            hint="stop it, then type the same command again; to end the sessions of others takes: "
            "GRANT pg_signal_backend TO ...",
        )

    def closed(self, saved: Saved) -> bool:
        """Whether nobody else has the right to connect."""
        with connect.maintenance(self._url, "looking") as connection:
            there = connection.execute(_BEFORE, (self._name,)).fetchone() is not None
            return there and not self._let_in(connection, str(saved["role"]))

    def holes(self, saved: Saved) -> tuple[str, ...]:
        """Say whose right came back, and who is in."""
        with connect.maintenance(self._url, "looking") as connection:
            rights = self._let_in(connection, str(saved["role"]))
            there = self._sessions(connection)
        said = [f"{grantee} may connect again" for grantee in rights]
        return (*said, *([f"connected to it: {_people(there)}"] if there else []))

    def open(self, saved: Saved) -> tuple[str, ...]:
        """Bring the ACL back verbatim; see `acl.restore`."""
        with connect.maintenance(self._url, "unfencing") as connection:
            if connection.execute(_BEFORE, (self._name,)).fetchone() is None:
                return ()
            return acl.restore(connection, self._name, saved["acl"])

    def trace(self) -> str | None:
        """Digest the catalogue, and of each table counters of rows and the number of its file.

        Nobody else is in, so that every session has counted all that it wrote: it does so
        before it is gone. A rolled-back write is counted, too, and a digest tells then. The
        counters mean nothing across a restart or a reset. Of a million rows of five columns
        they took 0.04 s, a digest 1.4 s.
        """
        total = hashlib.sha256()
        with connect.opened(self._url, "looking") as connection:
            epoch = connection.execute(_EPOCH).fetchone()
            if epoch is None or epoch[2] != "on":
                return None
            total.update(repr((epoch, connection.execute(_COUNTERS).fetchall())).encode())
            for key, facts in sorted(catalog.read(connection).objects.items()):
                total.update(repr((key, facts)).encode())
        return total.hexdigest()


def _terminated(connection: Connection, pid: int) -> bool:
    try:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _people(there: list[tuple[Any, ...]]) -> str:
    said = [
        f"{role}{f' ({name})' if name != role else ''} from {client}"
        for _, name, role, client in there[:_SHOWN]
    ]
    return "; ".join(said) + ("; and others" if len(there) > _SHOWN else "")
