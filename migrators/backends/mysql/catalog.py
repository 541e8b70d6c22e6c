"""What a database holds besides rows, in comparable form; read from information_schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.interface import Catalog
from migrators.backends.mysql import connect, lone_sequences, sql
from migrators.backends.stamping import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

    Facts = Iterator[tuple[tuple[str, str], str]]

_TABLES = ("BASE TABLE", "SYSTEM VERSIONED")
_NO_OPTIONS = frozenset({"partitioned", "page_checksum=1"})
"""Said elsewhere; what Aria does unless told otherwise, and SHOW CREATE says it always."""
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
        found = (fact for part in _PARTS for fact in part(place))
        return Catalog({key: facts for key, facts in found if _owner(key[1]) not in OURS})


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

    def bare(self, text: str) -> str:
        """Return SQL without the database's own name, in one line."""
        own = (f"{sql.name(self._database)}.", f"{self._database}.")
        return " ".join(text.replace(own[0], "").split())


def _said(*facts: str) -> str:
    return ", ".join(fact for fact in facts if fact)


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
    found: dict[tuple[str, str], tuple[int, str, list[str]]] = {}
    expression = "NULL" if place.mariadb else "expression"
    for table, name, repeats, kind, column, part, down, made in place.rows(
        "SELECT table_name, index_name, non_unique, index_type, column_name, sub_part, "
        f"collation, {expression} FROM information_schema.statistics WHERE table_schema = {{db}} "
        "ORDER BY table_name, index_name, seq_in_index"
    ):
        term = f"({made})" if made else f"{column}({part})" if part else str(column)
        entry = found.setdefault((table, name), (int(repeats), str(kind), []))
        entry[2].append(f"{term} desc" if down == "D" else term)
    for (table, name), (repeats, kind, terms) in found.items():
        columns = ", ".join(terms)
        using = "" if kind == "BTREE" else kind.lower()
        if name == "PRIMARY":
            yield ("primary key", table), columns
        elif not repeats:
            yield ("unique", f"{table}({columns})"), _said(using, f"named {name}")
        else:
            yield ("index", f"{table}.{name}"), _said(columns, using)


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
            f"named {name}",
        )
        yield ("foreign key", f"{table}({', '.join(str(row[2]) for row in rows)})"), facts


def _checks(place: _Place) -> Facts:
    query = (
        "SELECT table_name, constraint_name, check_clause FROM "
        "information_schema.check_constraints WHERE constraint_schema = {db}"
        if place.mariadb
        else "SELECT t.table_name, c.constraint_name, c.check_clause FROM "
        "information_schema.check_constraints AS c JOIN information_schema.table_constraints "
        "AS t USING (constraint_schema, constraint_name) WHERE constraint_schema = {db}"
    )
    for table, name, clause in place.rows(query):
        yield ("check", f"{table}.{name}"), place.bare(clause)


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
    _sequences,
    _columns,
    _indexes,
    _foreign_keys,
    _checks,
    _views,
    _programs,
    _definers,
)
