"""The small project that is stopped and started: its old database, and what must hold of it.

Every kind of object is there that is made in an act of its own: a renamed table, one that is
split, keys, an index, foreign keys, a view, a trigger, and on servers a role that may read.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

import migrators
from migrators.backends import backend_for
from migrators.errors import WrongVersion
from migrators.project import Project
from migrators.schema import load_schema
from tests import servers
from tests.acceptance.cheeseshop import sha256
from tests.crash import sessions
from tests.crash.preloaded import Ended, Preloaded, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import Backend
    from tests.crash.faults import Fault

KINDS = ("sqlite", "postgresql", "mysql")
"""Kinds of databases; the one that answers as mysql is a MariaDB."""
PEOPLE = 12
_OWN = ("shop_v1", "shop_v2", "shop_v3", "other_v1", "given")
"""What the names begin with that a run may leave."""
PASSWORD = "only-here"  # noqa: S105

_SCHEMAS = {
    1: """
people = t("people", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(40), nullable=False), sa.Column("bio", sa.String(200)))
accounts = t("accounts", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", name="fk_person"),
        nullable=False),
    sa.Column("balance", sa.Integer, nullable=False))
""",
    2: """
members = t("members", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(40), nullable=False), sa.UniqueConstraint("name", name="uq_name"))
profiles = t("profiles", sa.Column("member_id", sa.Integer,
    sa.ForeignKey("members.id", name="fk_profile"), primary_key=True, autoincrement=False),
    sa.Column("bio", sa.String(200), nullable=False))
accounts = t("accounts", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("member_id", sa.Integer, sa.ForeignKey("members.id", name="fk_member"),
        nullable=False),
    sa.Column("balance", sa.Integer, nullable=False), sa.Column("tier", sa.String(9)),
    sa.Index("ix_member", "member_id"))
""",
}
_SCHEMAS[3] = _SCHEMAS[2].replace(
    'sa.Column("bio"', 'sa.Column("shown", sa.Integer, nullable=False), sa.Column("bio"'
)
_HEAD = '''\
"""Schema {}."""

import sqlalchemy as sa

metadata = sa.MetaData()


def t(name, *columns):
    return sa.Table(name, metadata, *columns)

'''
_STEPS = {
    "1to2": '''\
"""1to2: people become members; what they say of themselves gets a table of its own."""


def migrate(step, old, new):
    step.table(new.members, source=old.people)
    bio = old.people.c.bio
    profiles = step.table(new.profiles, source=old.people, only=bio.is_not(None), because="mute")
    profiles.values(member_id=old.people.c.id, bio=bio)
    step.table(new.accounts).values(member_id=old.accounts.c.person_id, tier="basic")
''',
    "2to3": '''\
"""2to3: what members say of themselves may be hidden."""


def migrate(step, old, new):
    step.table(new.profiles).values(shown=1)
''',
    "3to2": '''\
"""3to2: nothing is hidden any more."""

from sqlalchemy import func, select


def migrate(step, old, new):
    step.drop(old.profiles.c.shown, because="schema 2 hides nothing")
    step.loss("who hides what", count=select(func.count()).where(old.profiles.c.shown == 0))
''',
}
_AFTER = {
    "": "CREATE VIEW rich AS SELECT id, balance FROM accounts WHERE balance > 100;\n",
    "sqlite": (
        "CREATE TRIGGER kept BEFORE DELETE ON members BEGIN SELECT RAISE(ABORT, 'no'); END;\n"
    ),
    "postgresql": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE 'no'; END$$;\n"
        "CREATE TRIGGER kept BEFORE DELETE ON members FOR EACH ROW EXECUTE FUNCTION refuse();\n"
    ),
    "mysql": (
        "CREATE TRIGGER kept BEFORE DELETE ON members FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no';\n"
    ),
}
_ROLES = {
    "postgresql": (
        "CREATE ROLE \"{own}app\" SUPERUSER LOGIN PASSWORD '{password}'",
        "CREATE ROLE \"{own}reader\" LOGIN PASSWORD '{password}'",
    ),
    "mysql": (
        "CREATE USER '{own}app'@'%' IDENTIFIED BY '{password}'",
        "GRANT ALL ON *.* TO '{own}app'@'%' WITH GRANT OPTION",
        "CREATE USER '{own}reader'@'%' IDENTIFIED BY '{password}'",
    ),
}
_GRANT = {
    "postgresql": 'GRANT SELECT ON accounts TO "{own}reader"',
    "mysql": "GRANT SELECT ON {own}shop_v1.accounts TO '{own}reader'@'%'",
}
_FORGET = {
    "postgresql": ('DROP ROLE IF EXISTS "{own}{role}"',),
    "mysql": ("DROP USER IF EXISTS '{own}{role}'@'%'",),
}


@dataclass(frozen=True)
class Shop:
    """The project at `root`, with a database of version 1.

    Attributes
    ----------
    own : str
        What the names of its databases and roles begin with on a server.
    admin : str
        The server, as somebody who may do anything there; empty for files.
    """

    kind: str
    own: str
    root: Path
    commands: Preloaded
    admin: str = ""

    # what is typed ---------------------------------------------------------------------

    def run(
        self,
        *typed: str,
        fault: Fault | None = None,
        also: Fault | None = None,
        trace: str = "",
        signals: tuple[tuple[float, int], ...] = (),
        url: str = "",
    ) -> Ended:
        """Run a command in a process of its own."""
        where = ("--url", url) if url else ()
        line = ("-C", str(self.root), *where, *typed)
        said = str(self.root / "said.txt")
        faults = tuple(each for each in (fault, also) if each is not None)
        return self.commands.run(Request(line, said, faults, trace, signals))[0]

    def run_together(
        self, times: int, *typed: str, checkouts: tuple[Path, ...] = ()
    ) -> list[Ended]:
        """Start a command so many times at once, in turn in each checkout of the project."""
        roots = checkouts or (self.root,)
        asked = [
            Request(("-C", str(roots[n % len(roots)]), *typed), str(self.root / f"said-{n}.txt"))
            for n in range(times)
        ]
        return self.commands.run(*asked)

    def checkout(self, root: Path) -> Path:
        """Return another checkout of the project, which has run nothing yet."""
        kept = shutil.ignore_patterns(".migrate", "data", "*.txt", "__pycache__")
        return Path(shutil.copytree(self.root, root, ignore=kept))

    # where things are ------------------------------------------------------------------

    @cached_property
    def project(self) -> Project:
        """The project."""
        return Project.find(self.root, environment={})

    def database(self, version: int) -> Backend:
        """The database of a version."""
        return backend_for(self.project.url(version))

    def elsewhere(self, name: str) -> sa.URL:
        """Return the URL of another database, beside the project's own."""
        own = self.project.url(1)
        return own.set(database=str(own.database).replace("shop_v1", name))

    @property
    def served(self) -> bool:
        """Whether the databases are on a server."""
        return bool(self.admin)

    @property
    def rights_last(self) -> bool:
        """Whether a published version may lack its rights until the next command."""
        return self.kind == "mysql"

    def there(self) -> list[str]:
        """Return what lies beside the databases, or the names of the project's on the server."""
        if not self.served:
            return sorted(p.name.partition(".")[0] + p.suffix.removeprefix(".db")
                          for p in (self.root / "data").iterdir())  # fmt: skip
        names = sessions.asked(self.admin, servers.SERVERS[self.kind].listing)
        return sorted(n.removeprefix(self.own) for (n,) in names if n.startswith(self.own))

    def drop(self, begins: str) -> None:
        """Drop the databases of the server whose names begin so, after the project's own."""
        quote = {"postgresql": '"', "mysql": "`"}[self.kind]
        force = servers.SERVERS[self.kind].force
        for name in self.there():
            if name.startswith(begins):
                sessions.asked(self.admin, f"DROP DATABASE {quote}{self.own}{name}{quote}{force}")

    # what must hold --------------------------------------------------------------------

    def content(self, version: int) -> dict[str, Any]:
        """Return all that is in a database of the project's."""
        database = self.database(version)
        found = self.whole(database, version)
        if version == 1 and not self.served:
            found["bytes"] = sha256(Path(database.database))
        return found

    def whole(self, database: Backend, version: int) -> dict[str, Any]:
        """Return all that is in one: rows, catalogue, rights, and what its stamp says."""
        found = self.kept(database, version)
        found["objects"] = {str(k): str(v) for k, v in database.catalog().objects.items()}
        found["rights"] = sorted(map(str, database.access().grants))
        return found

    def kept(self, database: Backend, version: int) -> dict[str, Any]:
        """Return what is in a database, however it is called: rows, triggers, its stamp."""
        found: dict[str, Any] = {}
        engine = database.engine()
        tables = load_schema(self.project, version).metadata.tables
        with engine.connect() as connection:
            for name in (*tables, *(("rich",) if version > 1 else ())):
                rows = connection.exec_driver_sql(f"SELECT * FROM {name}")
                found[name] = sorted(map(tuple, rows), key=repr)
        engine.dispose()
        found["triggers"] = self._triggers(database)
        stamp = database.stamp()
        found["stamp"] = stamp and (stamp.version, stamp.fingerprint, stamp.step)
        return found

    def asides(self) -> list[dict[str, Any]]:
        """Return what is in the versions that were set aside."""
        names = [name for name in self.there() if name.startswith("shop_v2__was_")]
        url = self.project.url(2)
        return [
            self.kept(backend_for(url.set(database=str(url.database).replace("shop_v2", name))), 2)
            for name in names
        ]

    def _triggers(self, database: Backend) -> list[str]:
        query = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
            "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
            "mysql": "SELECT trigger_name FROM information_schema.triggers "
            "WHERE trigger_schema = DATABASE()",
        }[self.kind]
        engine = database.engine()
        with engine.connect() as connection:
            found = sorted(map(str, connection.exec_driver_sql(query).scalars()))
        engine.dispose()
        return found

    def is_there(self, version: int) -> bool:
        """Whether an application that asks `migrators.require` would start."""
        return self.is_made(self.database(version), version)

    def is_made(self, database: Backend, version: int) -> bool:
        """As `is_there`, of any database."""
        if not database.exists():
            return False
        engine = database.engine()
        try:
            migrators.require(engine, major=version)
        except WrongVersion:
            return False
        finally:
            engine.dispose()
        return True

    def read_by_role(self, version: int) -> list[tuple[Any, ...]] | None:
        """Return what the role that may read accounts sees of them; None where nothing."""
        if not self.served:
            return None
        url = self.database(version).url.set(username=f"{self.own}reader", password=PASSWORD)
        shown = url.render_as_string(hide_password=False)
        try:
            with (
                closing(sessions.connected(shown)) as connection,
                connection.cursor() as cursor,
            ):
                cursor.execute("SELECT id, member_id, balance, tier FROM accounts ORDER BY id")
                return [tuple(row) for row in cursor.fetchall()]
        except sessions.REFUSED:
            return None

    def rights(self) -> list[str]:
        """Return who may do what with the old database, in the server's own words.

        MariaDB keeps the rights on a database that is dropped.
        """
        if not self.served:
            return []
        queries = {
            "postgresql": ["SELECT datacl::text FROM pg_database WHERE datname = '{own}shop_v1'"],
            "mysql": [f"SHOW GRANTS FOR '{{own}}{role}'@'%'" for role in ("app", "reader")],
        }[self.kind]
        found = [sessions.asked(self.admin, query.format(own=self.own)) for query in queries]
        said = [str(row) for rows in found for row in rows]
        return [row for row in said if not any(name in row for name in _OWN[1:])]

    def left(self) -> list[str]:
        """Return what no run may leave: databases, files, sessions, what the lock's file says."""
        found = [name for name in self.there() if not name.startswith(_OWN)]
        found += [name for name in self.there() if "loading" in name]
        place = self.root / ".migrate"
        for path in sorted(place.rglob("*")):
            inside = path.relative_to(place)
            if path.name in ("scratch", ".incomplete", "secret") or path.name.endswith(".part"):
                found.append(str(inside))
            elif path.name.startswith("extract-") and not (path / "manifest.json").exists():
                found.append(f"unfinished: {inside}")
            elif path.parent.name == "runs" and not (path / "journal.jsonl").exists():
                found.append(f"empty: {inside}")
        if (place / "lock").exists() and (place / "lock").read_bytes():
            found.append("the lock says that it is held")
        if self.served and (alive := sessions.still(self.admin, f"{self.own}app")):
            found.append(f"{len(alive)} sessions")
        return found

    def reset(self) -> None:
        """Forget every run, and what it made."""
        shutil.rmtree(self.root / ".migrate", ignore_errors=True)
        if self.served:
            for begins in ("shop_v1__", *_OWN[1:]):
                self.drop(begins)
            return
        for path in (self.root / "data").iterdir():
            if not path.name.startswith("shop_v1.db"):
                path.unlink()


@contextmanager
def shop(kind: str, root: Path, commands: Preloaded, server: str = "") -> Iterator[Shop]:
    """Give the project; its databases and roles are removed again.

    Parameters
    ----------
    server : str
        URL of a server's superuser; the one that all tests share unless given.
    """
    if kind not in servers.SERVERS:
        _write(root, "crash", "sqlite:///data/shop_v{version}.db")
        (root / "data").mkdir()
        made = Shop(kind, "", root, commands)
        _fill(made)
        yield made
        return
    own = f"t{secrets.token_hex(4)}_"
    admin = sa.make_url(server) if server else servers.server_url(kind)
    url = admin.set(username=f"{own}app", password=PASSWORD, database="DB")
    shown = url.render_as_string(hide_password=False)
    _write(root, f"{own}crash", shown.replace("/DB", f"/{own}shop_v{{version}}"))
    made = Shop(kind, own, root, commands, admin.render_as_string(hide_password=False))
    try:
        _admin(made, *_ROLES[kind], f"CREATE DATABASE {own}shop_v1")
        _fill(made)
        yield made
    finally:
        sessions.end(made.admin, f"{own}app")
        made.drop("")
        for role in ("app", "reader"):
            _admin(made, *_FORGET[kind], role=role)


def _admin(made: Shop, *statements: str, role: str = "") -> None:
    for each in statements:
        sessions.asked(made.admin, each.format(own=made.own, password=PASSWORD, role=role))


def _write(root: Path, name: str, url: str) -> None:
    for folder in ("schemas", "migrators"):
        (root / folder).mkdir(parents=True)
    text = f'[tool.migrators]\nname = "{name}"\nurl = "{url}"\nkeep_extracts = 1\n'
    (root / "pyproject.toml").write_text(text)
    for version, body in _SCHEMAS.items():
        (root / "schemas" / f"v{version}.py").write_text(_HEAD.format(version) + body)
    for version in (2, 3):
        for kind, script in _AFTER.items():
            (root / "schemas" / f"v{version}.after{kind and '.'}{kind}.sql").write_text(script)
    for step, body in _STEPS.items():
        (root / "migrators" / f"{step}.py").write_text(body)


def _fill(made: Shop) -> None:
    tables = load_schema(made.project, 1).metadata
    engine = made.database(1).engine()
    people: list[dict[str, Any]] = [
        {"id": n, "name": f"é {n}", "bio": None if n % 3 else f"says {n}"} for n in range(PEOPLE)
    ]
    accounts = [{"id": n, "person_id": n % PEOPLE, "balance": n * 10} for n in range(3 * PEOPLE)]
    with engine.begin() as connection:
        tables.create_all(connection)
        connection.execute(sa.insert(tables.tables["people"]), people)
        connection.execute(sa.insert(tables.tables["accounts"]), accounts)
        if made.served:
            connection.exec_driver_sql(_GRANT[made.kind].format(own=made.own).replace("%", "%%"))
    engine.dispose()
