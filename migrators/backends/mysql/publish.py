"""Making a staging database visible under its name, and taking databases away.

A database has no name that could be changed: all its tables are moved by one RENAME TABLE,
which is atomic, those of the version that is set aside in the same statement. Views, routines
and triggers cannot be moved and are made anew, the stamp last: published means stamped. Then
events are let run (`events`), and rights given.

What is to be made is written down in the staging database before anything is touched, in a
table of ours; so `recover` goes on from wherever a crash came: back before the RENAME, on to
the end after it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, events, granting, programs, sql
from migrators.backends.mysql.programs import Program
from migrators.backends.mysql.staging import holds_anything
from migrators.backends.server import LOADING
from migrators.errors import DatabaseError, TargetExists
from migrators.failpoints import act

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

_INTENT = "migrate_publishing"
_OURS = (_INTENT, granting.KEPT, events.HELD)


def publish(url: sa.URL, staging: str, aside: str | None) -> None:
    """Make the database `staging` visible under the URL's name.

    Parameters
    ----------
    aside : str or None
        Where the version that holds the name now goes; None refuses then.

    Raises
    ------
    TargetExists
        If the name is taken and there is no `aside`, or the set-aside name is taken.
    DatabaseError, Locked
    """
    name = str(url.database)
    with connect.opened(url, "publishing", connect.DEFINITIONS, database=False) as connection:
        for begun in _intents(connection, name, staging):
            _settle(connection, begun)
            if not holds_anything(connection, staging):
                return
        _refuse_taken(connection, name, aside)
        if not holds_anything(connection, staging):
            raise DatabaseError(f"{staging}: there is no such staging database")
        _write_intent(connection, name, staging, aside)
        _go_on(connection, staging)


def recover(url: sa.URL) -> None:
    """Finish a publish of this name that a crash cut short, or take it back."""
    with connect.opened(url, "publishing", connect.DEFINITIONS, database=False) as connection:
        for staging in _intents(connection, str(url.database)):
            _settle(connection, staging)


def _settle(connection: Connection, staging: str) -> None:
    """Go back where the crash came before the tables were moved, else on to the end."""
    if _tables(connection, staging) or not _intent(connection, staging):
        _take_back(connection, staging)
    else:
        _go_on(connection, staging)


@act("staging removed")
def discard(url: sa.URL) -> None:
    """Drop a database and all that is in it; one on its way to its name gets there first."""
    with connect.opened(url, "removing", connect.DEFINITIONS, database=False) as connection:
        name = str(url.database)
        if not _there(connection, name):  # DROP asks for a right on what is not there, too
            return
        if _intents(connection, name.partition(LOADING)[0], name):
            _settle(connection, name)
        connect.run(connection, f"DROP DATABASE IF EXISTS {sql.name(name)}")


def _refuse_taken(connection: Connection, name: str, aside: str | None) -> None:
    if aside is None and holds_anything(connection, name):
        raise TargetExists(
            f"{name}: exists already; nothing was overwritten",
            hint="add --replace to set it aside",
        )
    if aside is not None and not holds_anything(connection, name):
        raise DatabaseError(f"{name}: there is nothing to set aside")
    if aside is not None and holds_anything(connection, aside):
        raise TargetExists(f"{aside}: exists already; nothing was overwritten")


# what is to be done ------------------------------------------------------------------------


def _write_intent(connection: Connection, name: str, staging: str, aside: str | None) -> None:
    new = programs.of(connection, staging)
    old = programs.of(connection, name) if aside else []
    facts = {
        "name": name,
        "aside": aside or "",
        "made": [each for each in (name, aside) if each and not _there(connection, each)],
        "new": [vars(each) for each in new],
        "old": [vars(each) for each in old],
        "events": events.waiting(connection, staging),
        "access": granting.kept(connection, staging),
    }
    place = sql.table(staging, _INTENT)
    connect.run(connection, f"CREATE TABLE {place} (intent LONGTEXT NOT NULL) ENGINE = InnoDB")
    with act("intent written"):
        connect.run(connection, f"INSERT INTO {place} VALUES ({sql.literal(json.dumps(facts))})")


def _there(connection: Connection, database: str) -> bool:
    """Whether there is a database of a name, an empty one too."""
    known = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
    return bool(connect.rows(connection, known, (database,)))


def _intents(connection: Connection, name: str, staging: str | None = None) -> list[str]:
    """Return the staging databases that are on their way to a name."""
    found = connect.rows(
        connection,
        "SELECT table_schema FROM information_schema.tables WHERE table_name = %s",
        (_INTENT,),
    )
    places = [str(place) for (place,) in found if str(place).startswith(f"{name}{LOADING}")]
    return [place for place in places if staging in (None, place)]


def _intent(connection: Connection, staging: str) -> dict[str, object]:
    """Return what was written down; nothing where the crash came before."""
    found = connect.rows(connection, f"SELECT intent FROM {sql.table(staging, _INTENT)}")
    return dict(json.loads(found[0][0])) if found else {}


def _programs(facts: dict[str, object], which: str) -> list[Program]:
    return [Program(**each) for each in facts[which]]  # type: ignore[attr-defined]


# doing it ------------------------------------------------------------------------------------


def _go_on(connection: Connection, staging: str) -> None:
    facts = _intent(connection, staging)
    name, aside = str(facts["name"]), str(facts["aside"])
    new, old = _programs(facts, "new"), _programs(facts, "old")
    for database in filter(None, (name, aside)):
        with act("database made"):
            _make_database(connection, database, staging)
    if _tables(connection, staging):
        _move(connection, staging, name, aside, [*new, *old])
    if aside:
        programs.make_all(connection, aside, old)
        connection.select_db(name)
        kept = {(each.kind, each.name) for each in new}
        for each in old:
            if (each.kind, each.name) not in kept and each.kind != "TRIGGER":
                each.drop(connection)
    programs.make_all(connection, name, new)
    events.let_run(connection, name, facts.get("events", ()))  # type: ignore[arg-type]
    with act("rights given"):
        failed = granting.give(connection, name, facts.get("access"))
    with act("staging removed"):
        connect.run(connection, f"DROP DATABASE {sql.name(staging)}")
    granting.require(name, failed)


def _make_database(connection: Connection, name: str, like: str) -> None:
    ((charset, collation),) = connect.rows(
        connection,
        "SELECT default_character_set_name, default_collation_name "
        "FROM information_schema.schemata WHERE schema_name = %s",
        (like,),
    )
    connect.run(
        connection,
        f"CREATE DATABASE IF NOT EXISTS {sql.name(name)} "
        f"CHARACTER SET {charset} COLLATE {collation}",
    )


def _move(connection: Connection, staging: str, name: str, aside: str, made: list[Program]) -> None:
    """Move all tables in one statement; those with triggers cannot be moved, so they go first."""
    for database in filter(None, (staging, name if aside else "")):
        connection.select_db(database)
        for program in made:
            if program.kind == "TRIGGER":
                program.drop(connection)
    ways = [(name, aside)] if aside else []
    moves = [
        f"{sql.table(source, table)} TO {sql.table(target, table)}"
        for source, target in (*ways, (staging, name))
        for table in _tables(connection, source)
    ]
    if aside:
        _drop_views(connection, name, [p for p in made if p.kind == "VIEW"])
    with act("tables moved"):
        connect.run(connection, f"RENAME TABLE {', '.join(moves)}")


def _drop_views(connection: Connection, name: str, views: list[Program]) -> None:
    """Drop the views of the version that goes: a new table may have the name of one."""
    connection.select_db(name)
    for view in views:
        view.drop(connection)


def _take_back(connection: Connection, staging: str) -> None:
    """Give both databases their views and triggers again; the new name is gone."""
    facts = _intent(connection, staging)
    if facts:
        programs.make_all(connection, staging, _programs(facts, "new"))
    if facts and facts["aside"]:
        programs.make_all(connection, str(facts["name"]), _programs(facts, "old"))
    for made in map(str, facts.get("made", ())):  # type: ignore[call-overload]
        if not holds_anything(connection, made):
            connect.run(connection, f"DROP DATABASE IF EXISTS {sql.name(made)}")
    connect.run(connection, f"DROP TABLE {sql.table(staging, _INTENT)}")


def _tables(connection: Connection, database: str) -> list[str]:
    found = connect.rows(
        connection,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s "
        "AND table_type NOT LIKE '%%VIEW' ORDER BY 1",
        (database,),
    )
    return [str(name) for (name,) in found if name not in _OURS]
