"""What a database holds besides rows, in comparable form; read from information_schema."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pymysql

from migrators.backends.interface import Catalog
from migrators.backends.mysql import connect, events, lone_sequences, sql
from migrators.backends.stamping import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

    Facts = Iterator[tuple[tuple[str, str], str]]

_TABLES = ("BASE TABLE", "SYSTEM VERSIONED")
_NO_OPTIONS = frozenset({"partitioned", "page_checksum=1"})
"""Said elsewhere; what Aria does unless told otherwise, and SHOW CREATE says it always."""
_UNSEEN = OURS | {events.HELD}
_NUMBERED = r"CONSTRAINT_\d+"
_NO_ACTIONS = ("RESTRICT", "NO ACTION")
"""The same thing to InnoDB: it checks at once."""


def read(url: sa.URL) -> Catalog:
    """Return the catalogue of a database.

    Raises
    ------
    DatabaseError
    """
    with connect.opened(url, "reading the catalogue") as connection:
        place = _Place(connection, str(url.database))
        found: dict[tuple[str, str], list[str]] = {}
        for key, facts in (fact for part in _PARTS for fact in part(place)):
            if _owner(key[1]) not in _UNSEEN:  # two keys of the same columns are one object
                found.setdefault(key, []).append(facts)
        return Catalog({key: " and ".join(sorted(facts)) for key, facts in found.items()})


def _owner(name: str) -> str:
    """Return the table of a column, key or trigger; a table itself is its own."""
    return name.partition(".")[0].partition("(")[0]


class _Place:
    """A database, and how it is asked."""

    def __init__(self, connection: Connection, database: str) -> None:
        self._connection = connection
        self._database = database
        self.mariadb = connect.is_mariadb(connection)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of a query in which `{db}` is the database's name."""
        return connect.rows(self._connection, query.replace("{db}", sql.text(self._database)))

    def sequences(self) -> Iterator[lone_sequences.Sequence]:
        """Yield sequences, which MariaDB has."""
        return lone_sequences.of(self._connection, self._database)

    def default(self, text: str) -> str:
        """Return a default without the database's own name."""
        return lone_sequences.without_place(text, self._database)

    def unused(self) -> str:
        """Return SQL that is YES where an index is there and not used, in this version of it."""
        there = self.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'STATISTICS' "
            "AND table_schema = 'information_schema'"
        )
        names = {str(name).upper() for (name,) in there}
        if "IS_VISIBLE" in names:
            return "IF(is_visible = 'NO', 'YES', 'NO')"
        return "ignored" if "IGNORED" in names else "'NO'"

    def quoted(self, table: str) -> str:
        """Return a table's name for SQL."""
        return sql.table(self._database, table)

    def bare(self, text: str) -> str:
        """Return SQL without the database's own name, in one line."""
        own = (f"{sql.name(self._database)}.", f"{self._database}.")
        return " ".join(text.replace(own[0], "").split())


def _said(*facts: str) -> str:
    return ", ".join(fact for fact in facts if fact)


def _named(facts: str, name: str, chosen: object) -> str:
    """Return facts with a name, unless it is one that the server gave.

    Models that leave names open are frozen with names, and the databases that they made have
    the server's: `drift` takes those for none.
    """
    return facts if chosen else _said(facts, f"named {name}")


def _tables(place: _Place) -> Facts:
    for name, kind, engine, collation, comment, options in place.rows(
        "SELECT table_name, table_type, engine, table_collation, table_comment, create_options "
        "FROM information_schema.tables WHERE table_schema = {db}"
    ):
        if kind in _TABLES:
            said = f"comment {sql.text(comment)}" if comment else ""
            versioned = "system versioned" if kind != "BASE TABLE" else ""
            facts = _said(f"engine {engine}".lower(), f"collation {collation}", versioned, said)
            yield ("table", name), facts
            kept = sorted({*str(options or "").lower().replace("`", "").split()} - _NO_OPTIONS)
            if kept:
                yield ("storage", name), ", ".join(kept)


def _history(place: _Place) -> Facts:
    """Yield tables that keep what their rows were before: no extract holds that."""
    for (name,) in place.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = {db} "
        "AND table_type = 'SYSTEM VERSIONED'"
    ):
        table = place.quoted(name)
        with suppress(pymysql.err.MySQLError):  # who may not read its rows does not migrate it
            ((rows,),) = place.rows(
                f"SELECT (SELECT count(*) FROM {table} FOR SYSTEM_TIME ALL) - "
                f"(SELECT count(*) FROM {table})"
            )
            if rows:
                yield ("history", name), f"{rows} rows as they were before"


def _sequences(place: _Place) -> Facts:
    for each in place.sequences():
        yield ("sequence", each.name), each.said.lower()


def _columns(place: _Place) -> Facts:
    for table, name, kind, nullable, default, extra, own, tables, made, comment in place.rows(
        "SELECT c.table_name, c.column_name, c.column_type, c.is_nullable, c.column_default, "
        "c.extra, c.collation_name, t.table_collation, c.generation_expression, "
        "c.column_comment FROM information_schema.columns AS c JOIN information_schema.tables "
        f"AS t ON t.table_schema = {{db}} AND {sql.same_name('t', 'c')} "
        "WHERE c.table_schema = {db} AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
    ):
        plain = default is None or (default == "NULL" and nullable == "YES")
        told = " ".join(str(extra).replace("DEFAULT_GENERATED", "").lower().split())
        yield (
            ("column", f"{table}.{name}"),
            _said(
                str(kind),
                "not null" if nullable == "NO" and not made else "",
                "" if plain else f"default {place.default(str(default))}",
                told,
                f"as ({place.bare(made)})" if made else "",
                f"collation {own}" if own and own != tables else "",
                f"comment {sql.text(comment)}" if comment else "",
            ),
        )


def _indexes(place: _Place) -> Facts:
    found: dict[tuple[str, str], _Index] = {}
    expression = "NULL" if place.mariadb else "expression"
    for table, name, repeats, kind, column, part, down, made, comment, unused in place.rows(
        "SELECT table_name, index_name, non_unique, index_type, column_name, sub_part, "
        f"collation, {expression}, index_comment, {place.unused()} "
        "FROM information_schema.statistics WHERE table_schema = {db} "
        "ORDER BY table_name, index_name, seq_in_index"
    ):
        term = f"({made})" if made else f"{column}({part})" if part else str(column)
        told = "" if kind == "BTREE" else str(kind).lower()
        told = _said(told, "ignored" if unused == "YES" else "")
        entry = found.setdefault((table, name), _Index(int(repeats), told, str(comment or "")))
        entry.columns.append(str(column))
        entry.terms.append(f"{term} desc" if down == "D" else term)
    implied = _implied(place)
    for (table, name), index in found.items():
        columns = ", ".join(index.terms)
        chosen = re.fullmatch(rf"{re.escape(index.columns[0])}(_\d+)?", name)
        if name == "PRIMARY":
            yield ("primary key", table), columns
        elif not index.repeats:
            yield ("unique", f"{table}({columns})"), _named(index.told, name, chosen)
        elif not (name in (keys := implied.get((table, columns), ())) or (keys and chosen)):
            yield ("index", f"{table}.{name}"), _said(columns, index.told)
        if index.comment:
            yield ("index comment", f"{table}.{name}"), sql.text(index.comment)


def _implied(place: _Place) -> dict[tuple[str, str], list[str]]:
    """Return names of foreign keys by table and columns, which the server makes an index for.

    It is called as the key is, or as its column where the key has no name.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for table, columns, name in place.rows(
        "SELECT table_name, GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ', '), "
        "constraint_name FROM information_schema.key_column_usage WHERE table_schema = {db} "
        "AND referenced_table_name IS NOT NULL GROUP BY table_name, constraint_name"
    ):
        found.setdefault((str(table), str(columns)), []).append(str(name))
    return found


@dataclass
class _Index:
    repeats: int
    told: str
    comment: str
    columns: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)


def _foreign_keys(place: _Place) -> Facts:
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in place.rows(
        "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, "
        "k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule "
        "FROM information_schema.key_column_usage AS k "
        "JOIN information_schema.referential_constraints AS r ON "
        "r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name "
        f"AND {sql.same_name('r', 'k')} WHERE k.table_schema = {{db}} "
        "AND k.referenced_table_name IS NOT NULL ORDER BY k.ordinal_position"
    ):
        found.setdefault((row[0], row[1]), []).append(row)
    for (table, name), rows in found.items():
        _, _, _, schema, parent, _, on_delete, on_update = rows[0]
        target = place.bare(f"{sql.name(schema)}.").strip() + str(parent)
        theirs = ", ".join(str(row[5]) for row in rows)
        facts = _said(
            f"references {target}({theirs})",
            "" if on_delete in _NO_ACTIONS else f"on delete {on_delete.lower()}",
            "" if on_update in _NO_ACTIONS else f"on update {on_update.lower()}",
        )
        chosen = re.fullmatch(rf"{re.escape(table)}_ibfk_\d+", name)
        columns = ", ".join(str(row[2]) for row in rows)
        yield ("foreign key", f"{table}({columns})"), _named(facts, name, chosen)


def _checks(place: _Place) -> Facts:
    query = (
        "SELECT table_name, constraint_name, check_clause, level FROM "
        "information_schema.check_constraints WHERE constraint_schema = {db}"
        if place.mariadb
        else "SELECT t.table_name, c.constraint_name, c.check_clause, 'Table' FROM "
        "information_schema.check_constraints AS c JOIN information_schema.table_constraints "
        "AS t USING (constraint_schema, constraint_name) WHERE constraint_schema = {db}"
    )
    for table, name, clause, level in place.rows(query):
        text = place.bare(clause)
        chosen = level == "Column" or re.fullmatch(rf"{_NUMBERED}|{re.escape(table)}_chk_\d+", name)
        yield ("check", f"{table}.{text if chosen else name}"), _named(text, name, chosen)


def _views(place: _Place) -> Facts:
    for name, text in place.rows(
        "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = {db}"
    ):
        yield ("view", name), place.bare(text)


def _programs(place: _Place) -> Facts:
    for name, table, timing, event, text in place.rows(
        "SELECT trigger_name, event_object_table, action_timing, event_manipulation, "
        "action_statement FROM information_schema.triggers WHERE trigger_schema = {db}"
    ):
        said = f"{timing} {event} on {table}".lower()
        yield ("trigger", f"{table}.{name}"), f"{said}: {place.bare(text)}"
    for name, kind, gives, text in place.rows(
        "SELECT routine_name, routine_type, dtd_identifier, routine_definition "
        "FROM information_schema.routines WHERE routine_schema = {db}"
    ):
        yield (str(kind).lower(), name), f"{gives or ''}: {place.bare(text or '')}"
    for name, text in place.rows(
        "SELECT event_name, event_definition FROM information_schema.events "
        "WHERE event_schema = {db}"
    ):
        yield ("event", name), place.bare(text)


def _definers(place: _Place) -> Facts:
    """Yield whose rights programs run with, unless those of who asks."""
    for kind, name, definer in place.rows(
        "SELECT kind, name, definer FROM ("
        "SELECT 'view' AS kind, table_name AS name, definer, table_schema AS db "
        "FROM information_schema.views UNION ALL "
        "SELECT LOWER(routine_type), routine_name, definer, routine_schema "
        "FROM information_schema.routines UNION ALL "
        "SELECT 'trigger', trigger_name, definer, trigger_schema "
        "FROM information_schema.triggers UNION ALL "
        "SELECT 'event', event_name, definer, event_schema FROM information_schema.events"
        ") AS programs WHERE db = {db} AND definer <> CURRENT_USER()"
    ):
        if name not in OURS:
            yield ("definer of", f"{kind} {name}"), str(definer)


_PARTS: tuple[Callable[[_Place], Facts], ...] = (
    _tables,
    _history,
    _sequences,
    _columns,
    _indexes,
    _foreign_keys,
    _checks,
    _views,
    _programs,
    _definers,
)
