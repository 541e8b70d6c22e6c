"""`freeze`: what is written, how it looks, what a second freeze lets through."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrators import drift
from migrators.backends import backend_for
from migrators.errors import CodeError, DatabaseError, UsageError
from migrators.freeze import freeze, spell
from migrators.project import Project
from migrators.schema import SchemaVersion, load_schema

MODELS = """\
import enum
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s"})
class Status(enum.Enum):
    open = "o"
    closed = "c"
class Upper(sa.types.TypeDecorator):
    impl = sa.String(20)
    cache_ok = True
class User(Base):
    __tablename__ = "users"
    __table_args__ = (sa.CheckConstraint("name <> 'it''s \\"x\\"'", name="name"),
                      {"sqlite_autoincrement": True, "comment": "who logs in"})
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Upper, unique=True)
    status: Mapped[Status] = mapped_column(default=Status.open)
    flag = sa.Column(sa.Boolean(create_constraint=True, name="flag"), server_default=sa.false())
    bio = sa.Column(sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb"))
    at = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    big = sa.Column(sa.BigInteger, sa.Identity(always=True, start=5))
    low = sa.Column(sa.String(20), sa.Computed("lower(name)", persisted=True))
    price = sa.Column(sa.Numeric(12, 2), nullable=False, server_default=sa.text("0"))
    boss_id = sa.Column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    nick = sa.Column("class", sa.Unicode(40, collation="NOCASE"), index=True)
sa.Index("ix_low", sa.func.lower(User.name), User.price.desc(), sqlite_where=User.price > 3)
class Tag(Base):
    __tablename__ = "user tags"
    user_id = sa.Column(sa.ForeignKey("users.id"), primary_key=True)
    tag = sa.Column(sa.String, primary_key=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with nothing in it but its settings."""
    (tmp_path / "pyproject.toml").write_text('[tool.migrators]\nname = "shop"\n')
    return Project.find(tmp_path, environment={})


def _models(project: Project, text: str, name: str) -> str:
    """Write an application's module under a name of its own, since imports are cached."""
    (project.root / f"{name}.py").write_text(text)
    return name


def _text(project: Project, version: int) -> str:
    return project.schema_path(version).read_text("utf-8")


def _formatted(project: Project, length: int) -> bool:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check"]
    command += [f"--line-length={length}", str(project.root / "schemas")]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _linted(project: Project) -> bool:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=E,F,I,D1,Q,UP"]
    command += ["--ignore=E501", str(project.root / "schemas")]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_models_round_trip_to_an_equal_fingerprint(project: Project) -> None:
    """What is written declares exactly what the named models declare."""
    name = _models(project, MODELS, "freeze_models")
    done = freeze(project, 3, f"{name}:Base")
    assert done.written == (project.schema_path(3),)
    written = load_schema(project, 3)
    metadata = sys.modules[name].Base.metadata
    assert SchemaVersion(3, written.path, metadata).fingerprint == written.fingerprint


def test_models_read_as_a_person_would_write(project: Project) -> None:
    """One column a line, names explicit, decorators as their impl, imports only as used."""
    freeze(project, 3, f"{_models(project, MODELS, 'freeze_look')}:Base")
    lines = [line.strip() for line in _text(project, 3).splitlines()]
    for line in (
        '"""Schema 3 of shop, frozen from freeze_look:Base."""',
        "import sqlalchemy as sa",
        "from sqlalchemy.dialects import mysql",
        "users = sa.Table(",
        "user_tags = sa.Table(",
        'sa.Column("id", sa.Integer),',
        'sa.Column("name", sa.String(20), nullable=False),',
        'sa.Enum("open", "closed", name="status"),',
        'default="open",',
        'sa.Column("bio", sa.Text().with_variant(mysql.LONGTEXT(), "mariadb", "mysql")),',
        'server_default=sa.text("CURRENT_TIMESTAMP"),',
        'sa.Column("big", sa.BigInteger, sa.Identity(always=True, start=5), nullable=False),',
        'sa.Column("class", sa.Unicode(40, collation="NOCASE")),',
        'sa.PrimaryKeyConstraint("id", name="pk_users"),',
        'sa.UniqueConstraint("name", name="uq_users_name"),',
        'sa.CheckConstraint("name <> \'it\'\'s \\"x\\"\'", name="ck_users_name"),',
        'sa.Boolean(name="ck_users_flag", create_constraint=True),',
        "server_default=sa.false(),",
        'sa.Index("ix_users_class", "class"),',
        "sqlite_autoincrement=True,",
    ):
        assert line in lines
    assert _formatted(project, 88)
    assert _formatted(project, 100)
    assert _linted(project)


def test_a_check_inside_a_column_is_kept(project: Project) -> None:
    """It stands with its column only, not among the table's constraints."""
    models = (
        "import sqlalchemy as sa\nm = sa.MetaData()\n"
        "sa.Table('t', m, sa.Column('a', sa.Integer, sa.CheckConstraint('a > 2', name='big')))\n"
    )
    freeze(project, 1, f"{_models(project, models, 'freeze_inside')}:m")
    assert 'sa.CheckConstraint("a > 2", name="big")' in _text(project, 1)


def test_a_nameless_check_inside_a_column_gets_a_name_and_may_not_change(project: Project) -> None:
    """It says its table through its column; a change of it is the next schema."""
    models = (
        "import sqlalchemy as sa\nm = sa.MetaData()\n"
        "sa.Table('t', m, sa.Column('a', sa.Integer, sa.CheckConstraint('a > 2')))\n"
    )
    freeze(project, 1, f"{_models(project, models, 'freeze_mute')}:m")
    assert 'sa.CheckConstraint("a > 2", name="ck_t_1")' in _text(project, 1)
    other = _models(project, models.replace("a > 2", "a > 3"), "freeze_other")
    with pytest.raises(UsageError, match="that is schema 2"):
        freeze(project, 1, f"{other}:m")


def test_nameless_constraints_get_names(project: Project) -> None:
    """Without a convention of the application's, the documented one applies."""
    models = (
        "import sqlalchemy as sa\nm = sa.MetaData()\n"
        "sa.Table('u', m, sa.Column('id', sa.Integer, primary_key=True))\n"
        "sa.Table('t', m, sa.Column('a', sa.ForeignKey('u.id'), unique=True),\n"
        "    sa.CheckConstraint('a > 2'), sa.CheckConstraint('a < 9'))\n"
    )
    freeze(project, 1, f"{_models(project, models, 'freeze_names')}:m")
    text = _text(project, 1)
    for name in ("pk_u", "uq_t_a", "fk_t_a_u"):
        assert f'name="{name}"' in text
    assert 'sa.CheckConstraint("a < 9", name="ck_t_1")' in text
    assert 'sa.CheckConstraint("a > 2", name="ck_t_2")' in text


SCHEMAS = """\
import sqlalchemy as sa
m = sa.MetaData()
sa.Table("users", m, sa.Column("id", sa.Integer, primary_key=True), schema="app")
sa.Table("log", m, sa.Column("id", sa.Integer, primary_key=True, key="number"),
    sa.Column("user_id", sa.ForeignKey("app.users.id"), index=True),
    sa.Column("cause", sa.ForeignKey("audit.log.number")), schema="audit")
sa.Table("log", m, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("audited", sa.ForeignKey("audit.log.number", use_alter=True)))
"""


def test_tables_in_schemas_and_columns_with_keys(project: Project) -> None:
    """`audit.log` beside `log`; references go by the names that the database knows."""
    name = _models(project, SCHEMAS, "freeze_schemas")
    freeze(project, 1, f"{name}:m")
    written = load_schema(project, 1)
    assert list(written.tables) == ["app.users", "audit.log", "log"]
    references = [
        (t.name, k.columns, k.target) for t in written.tables.values() for k in t.foreign_keys
    ]
    assert references == [
        ("audit.log", ("cause",), "audit.log"),
        ("audit.log", ("user_id",), "app.users"),
        ("log", ("audited",), "audit.log"),
    ]
    text = _text(project, 1)
    assert 'schema="audit",' in text
    assert 'sa.ForeignKeyConstraint(["cause"], ["audit.log.id"], name="fk_log_cause_log"),' in text
    assert freeze(project, 1, f"{name}:m").written == ()
    grown = _models(
        project,
        SCHEMAS.replace(', key="number"', ', key="number"), sa.Column("n", sa.Text'),
        "freeze_schemas_grown",
    )
    assert freeze(project, 1, f"{grown}:m").added == ("column audit.log.n",)


CIRCLE = """\
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    best: Mapped[int | None] = mapped_column(sa.ForeignKey("posts.id", use_alter=True))
class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    by: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
"""


def test_references_in_a_circle_are_frozen_as_they_are_made(project: Project) -> None:
    """`use_alter` stays, so that an application's `create_all` of the file goes in an order."""
    name = _models(project, CIRCLE, "freeze_circle")
    freeze(project, 1, f"{name}:Base")
    text = _text(project, 1)
    assert (text.count("use_alter=True"), text.count("sa.ForeignKeyConstraint(")) == (1, 2)
    tables = load_schema(project, 1).metadata.sorted_tables
    assert [t.name for t in tables] == ["users", "posts"]
    assert freeze(project, 1, f"{name}:Base").written == ()


def test_a_reference_to_a_name_with_a_dot_is_refused(project: Project) -> None:
    """In a reference's text a dot ends a schema's or a table's name."""
    models = (
        "import sqlalchemy as sa\nm = sa.MetaData()\n"
        "t = sa.Table('a.b', m, sa.Column('x.y', sa.Integer, primary_key=True))\n"
        "sa.Table('u', m, sa.Column('t', sa.ForeignKey(t.c['x.y'])))\n"
    )
    with pytest.raises(CodeError, match=r"u\.t refers to a\.b\.x\.y: a dot in a name") as caught:
        freeze(project, 1, f"{_models(project, models, 'freeze_dots')}:m")
    assert "by hand" in caught.value.hint[0]
    assert not project.schema_path(1).exists()


def test_deterministic(project: Project) -> None:
    """The same models give the same bytes, in another process too."""
    name = _models(project, MODELS, "freeze_twice")
    freeze(project, 3, f"{name}:Base")
    program = (
        "from pathlib import Path; from migrators.project import Project; "
        "from migrators.freeze import freeze; "
        f"freeze(Project.find(Path({str(project.root)!r})), 4, '{name}:Base')"
    )
    engine = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", program], check=True, cwd=engine)
    assert _text(project, 4) == _text(project, 3).replace("Schema 3", "Schema 4")


OLD = """\
import sqlalchemy as sa
metadata = sa.MetaData()
users = sa.Table("users", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("age", sa.Integer, nullable=False),
    sa.UniqueConstraint("name", name="uq_users_name"),
    sa.Index("ix_users_age", "age"))
posts = sa.Table("posts", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""


def _refreeze(project: Project, old: str, new: str, name: str) -> tuple[str, ...]:
    freeze(project, 2, f"{_models(project, OLD, name)}:metadata")
    assert old in OLD
    changed = _models(project, OLD.replace(old, new), f"{name}_changed")
    return freeze(project, 2, f"{changed}:metadata").added


@pytest.mark.parametrize(
    ("old", "new", "added"),
    [
        (
            'sa.Column("age"',
            'sa.Column("nick", sa.String(9)), sa.Column("age"',
            ("column users.nick",),
        ),
        (
            'sa.Column("age"',
            'sa.Column("n", sa.Integer, nullable=False, server_default="0"), sa.Column("age"',
            ("column users.n",),
        ),
        (
            'sa.Column("age"',
            'sa.Column("p", sa.ForeignKey("posts.id")), sa.Column("age"',
            ("column users.p",),
        ),
        ('sa.Index("ix', 'sa.Index("ix_n", "name"), sa.Index("ix', ("index ix_n",)),
        (
            "posts = ",
            'sa.Table("tags", metadata, sa.Column("t", sa.Integer))\nposts = ',
            ("table tags",),
        ),
    ],
    ids=["nullable", "defaulted", "reference", "index", "table"],
)
def test_additions_within_a_major(
    project: Project, old: str, new: str, added: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    """New tables, optional columns and indexes are taken in; old columns stay first."""
    name = f"grow_{request.node.callspec.id}"
    assert _refreeze(project, old, new, name) == added
    columns = [c.name for c in load_schema(project, 2).tables["users"].columns]
    assert columns[:3] == ["id", "name", "age"]
    assert f'"""Schema 2 of shop, frozen from {name}:metadata."""' in _text(project, 2)
    assert _formatted(project, 88)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"name", sa.S', '"label", sa.S', "users.name was renamed or dropped"),
        ('posts = sa.Table("posts"', 'x = sa.Table("p"', "posts was renamed or dropped"),
        ("String(40)", "String(50)", "users.name changed its type from text(40) to text(50)"),
        ("40), nullable=False", "40)", "users.name became nullable"),
        (
            "40), nullable=False",
            "40), nullable=False, server_default='x'",
            "users.name changed its server default",
        ),
        (
            'sa.Column("age"',
            'sa.Column("n", sa.Integer, nullable=False), sa.Column("age"',
            "users.n is new, not null and has no server default",
        ),
        ('sa.Index("ix_users_age", "age")', "", "index ix_users_age was changed or dropped"),
        ('sa.UniqueConstraint("name"', 'sa.UniqueConstraint("age"', "was changed or dropped"),
        ("uq_users_name", "uq_other", "uq_users_name was renamed to uq_other"),
        (
            'sa.Index("ix',
            'sa.CheckConstraint("age > 3", name="ck"), sa.Index("ix',
            "users: ck is new",
        ),
        (
            'sa.Index("ix',
            'sa.Index("ux", "age", unique=True), sa.Index("ix',
            "unique index ux is new",
        ),
    ],
    ids=list("abcdefghijk"),
)
def test_the_rest_is_the_next_schema(
    project: Project, old: str, new: str, said: str, request: pytest.FixtureRequest
) -> None:
    """Every other change is refused in a sentence, and the file stays as it was."""
    name = f"shrink_{request.node.callspec.id}"
    if 'name", sa.S' in old:
        new_models = OLD.replace('"name"', '"label"')
        freeze(project, 2, f"{_models(project, OLD, name)}:metadata")
        changed = _models(project, new_models, f"{name}_changed")
        with pytest.raises(UsageError) as caught:
            freeze(project, 2, f"{changed}:metadata")
    else:
        with pytest.raises(UsageError) as caught:
            _refreeze(project, old, new, name)
    assert any(
        said in line and line.endswith(": that is schema 3")
        for line in caught.value.message.splitlines()
    )
    assert _text(project, 2).count("label") == 0
    assert load_schema(project, 2).tables["users"].column["name"].type.length == 40


def test_nothing_new_writes_nothing(project: Project) -> None:
    """A file that a person has edited stays as it is while it says all of it."""
    source = f"{_models(project, OLD, 'freeze_same')}:metadata"
    freeze(project, 2, source)
    path = project.schema_path(2)
    path.write_text(_text(project, 2) + "\n# by hand\n")
    assert freeze(project, 2, source).written == ()
    assert path.read_text().endswith("# by hand\n")


def test_sql_beside_a_file_that_is_there_is_named_not_written(project: Project) -> None:
    """A trigger made since: a person says where it stands, and then it is not named again."""
    trigger = "create trigger kept after delete on a begin\n  select 1;\nend"
    source = _live(project)
    freeze(project, 1, source)
    beside = project.root / "schemas" / "v1.after.sqlite.sql"
    before = beside.read_text()
    _live(project, trigger)
    done = freeze(project, 1, source)
    (note,) = (n for n in done.notes if "word for word" in n)
    begins = "CREATE TRIGGER kept after delete on a begin select 1; end"
    assert note.startswith("not in schemas/v1.after.sqlite.sql word for word, write it there: ")
    assert note.endswith((begins, f"{begins};"))
    assert (done.written, beside.read_text()) == ((), before)
    beside.write_text(f"{before}\nCREATE TRIGGER kept after delete on a begin select 1; end;\n")
    assert not [n for n in freeze(project, 1, source).notes if "word for word" in n]


LIVE = """
create table a(
  id integer primary key autoincrement,
  s varchar(3) collate nocase not null default 'AUTOINCREMENT',
  n numeric(10,2) check(n > 0 and
    s <> ')'), x real, y int unique, z numeric,
  g integer generated always as (y + 1) virtual, h integer as (max(y, 2)) stored,
  e text default (datetime('now')), constraint [the check] check (y < 5));
create table "w x"(k text not null, v blob, b boolean, d datetime default current_timestamp,
  f double, t timestamp, j json, constraint [PK w] primary key (k)) without rowid;
create table st(k integer primary key, a_id integer
  references a on delete cascade deferrable initially deferred) strict;
create table q(z money, x integer constraint fkx references a(id),
  y integer constraint uy unique constraint nn not null, constraint "u z" unique(x, y));
create index i1 on a(s) where s
  is not null and n > 1;
create index i2 on a(lower(s)); create index i3 on a(x desc); create unique index i4 on a(s, x);
create view vv as select id from a;
create trigger tt after insert on a begin update a set x = 1; select 2; end;
create table alembic_version(version_num varchar(32) primary key not null);
insert into alembic_version values('ab12');
create view migrate_stamp as select 1 as version;
"""


def _live(project: Project, script: str = LIVE) -> str:
    with closing(sqlite3.connect(project.root / "live.db")) as connection:
        connection.executescript(script)
    return "sqlite:///live.db"


def test_reflected_sqlite(project: Project) -> None:
    """What SQLite knows is kept: also what SQLAlchemy's reflection leaves out."""
    done = freeze(project, 1, _live(project))
    assert done.notes == (
        "a.z is NUMERIC without precision: declared as Float, read as binary floating point",
        "q.z is NUMERIC without precision: declared as Float, read as binary floating point",
    )
    lines = [line.strip() for line in _text(project, 1).splitlines()]
    for line in (
        'alembic_head = "ab12"',
        'sa.String(3, collation="nocase"),',
        "server_default=sa.text(\"'AUTOINCREMENT'\"),",
        'sa.Column("n", sa.Numeric(10, 2)),',
        'sa.Column("x", sa.REAL),',
        'sa.Column("g", sa.Integer, sa.Computed("y + 1", persisted=False)),',
        'sa.Column("h", sa.Integer, sa.Computed("max(y, 2)", persisted=True)),',
        'sa.Column("e", sa.Text, server_default=sa.text("(datetime(\'now\'))")),',
        'sa.CheckConstraint("y < 5", name="the check"),',
        'sa.UniqueConstraint("y"),',
        'sa.Index("i1", "s", sqlite_where=sa.text("s\\n  is not null and n > 1")),',
        'sa.Index("i4", "s", "x", unique=True),',
        "sqlite_autoincrement=True,",
        "sqlite_with_rowid=False,",
        "sqlite_strict=True,",
        'sa.PrimaryKeyConstraint("k", name="PK w"),',
        'sa.Column("d", sa.DateTime, server_default=sa.text("current_timestamp")),',
        'sa.Column("t", sa.TIMESTAMP),',
        'ondelete="CASCADE",',
        'initially="DEFERRED",',
        'sa.Column("k", sa.Integer, primary_key=True),',
        'sa.UniqueConstraint("y", name="uy"),',
        'sa.UniqueConstraint("x", "y", name="u z"),',
        'sa.ForeignKeyConstraint(["x"], ["a.id"], name="fkx"),',
    ):
        assert line in lines
    assert "alembic_version" not in _text(project, 1)
    assert _formatted(project, 88)
    assert _linted(project)


COLONS = r"""
create table t(a text default ' :b' check(a <> ' :c' and a not like '%x' and a <> '\:c'),
  c text as (a || ' :z') stored, u text default '\:q', d text default (lower(' :D')));
create index i on t(a) where a <> ' :q';
"""


def test_sql_with_colons_is_built_again_alike(project: Project) -> None:
    """To SQLAlchemy ` :b` is a parameter, which it would write as NULL."""
    freeze(project, 1, _live(project, COLONS))
    for path in (project.root / "live.db", _built(project)):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("insert into t(u) values ('x:')")
            connection.execute("pragma ignore_check_constraints = on")
            connection.execute("insert into t default values")
            assert connection.execute("select * from t").fetchall() == [
                (" :b", " :b :z", "x:", " :d"),
                (" :b", " :b :z", "\\:q", " :d"),
            ]
    live, built = _sql_of(project.root / "live.db"), _sql_of(project.root / "fresh.db")
    strings = [sorted(re.findall(r"'[^']*'", sql)) for sql in live]
    assert strings == [sorted(re.findall(r"'[^']*'", sql)) for sql in built]


def test_strings_with_colons_in_models_are_literals(project: Project) -> None:
    """A default that is a string, and a CHECK that is an expression, have no parameters."""
    models = (
        "import sqlalchemy as sa\nm = sa.MetaData()\n"
        "sa.Table('t', m, sa.Column('a', sa.Text, server_default=' :b'),\n"
        "    sa.CheckConstraint(sa.column('a') != ' :c'))\n"
    )
    freeze(project, 1, f"{_models(project, models, 'freeze_colons')}:m")
    (sql,) = _sql_of(_built(project))
    assert "DEFAULT ' :b'" in sql
    assert "CHECK (a != ' :c')" in sql


def _sql_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [sql for (sql,) in connection.execute("select sql from sqlite_master")]


def test_what_cannot_be_declared_stands_beside(project: Project) -> None:
    """Views, triggers and indexes over expressions are SQL, in the order they were made."""
    done = freeze(project, 1, _live(project))
    beside = project.root / "schemas" / "v1.after.sqlite.sql"
    assert done.written == (project.schema_path(1), beside)
    statements = beside.read_text().strip().split("\n\n")
    assert [s.split()[1] + " " + s.split()[2] for s in statements] == [
        "INDEX i2",
        "INDEX i3",
        "VIEW vv",
        "TRIGGER tt",
    ]
    assert all(sqlite3.complete_statement(s) for s in statements)
    assert load_schema(project, 1).after == {"sqlite": beside.read_text()}


def _said(row: tuple[object, ...]) -> str:
    """Return a pragma's row, however its type is spaced and a reference to a key is said."""
    text = str(row[1:]).upper().replace(" ", "")
    text = text.replace("'ID','INTEGER',0,", "'ID','INTEGER',1,")
    return text.replace("'K','INTEGER',0,", "'K','INTEGER',1,").replace(
        "'A_ID',NONE", "'A_ID','ID'"
    )


def _catalogue(path: Path) -> list[object]:
    """Return what SQLite's pragmas say of a database."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name, wr, strict FROM pragma_table_list WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version' ORDER BY name"
        ).fetchall()
        found: list[object] = list(tables)
        for name, *_ in tables:
            for pragma in ("table_xinfo", "foreign_key_list", "index_list"):
                rows = connection.execute(f"SELECT * FROM pragma_{pragma}(?)", (name,)).fetchall()
                found.append((name, pragma, sorted(_said(row) for row in rows)))
        return found


def _built(project: Project) -> Path:
    """Build a frozen schema in a new file, as SQLAlchemy would, with the SQL beside it."""
    schema = load_schema(project, 1)
    path = project.root / "fresh.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    schema.metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema.after.get("sqlite", ""))
    return path


def test_reflected_database_is_built_again_alike(project: Project) -> None:
    """SQLite says the same of the live database and of one built from the frozen file."""
    freeze(
        project, 1, _live(project, LIVE.replace("y int ", "y integer ").replace("money", "real"))
    )
    assert _catalogue(project.root / "live.db") == _catalogue(_built(project))


def test_reflected_database_has_no_drift(project: Project, tmp_path: Path) -> None:
    """The catalogue of the live database equals that of one freshly built from the file."""
    source = _live(project, LIVE.replace("money", "real"))
    freeze(project, 1, source)
    live = backend_for(sa.make_url(f"sqlite:///{project.root / 'live.db'}"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    fresh = drift.fresh_catalog(live, load_schema(project, 1), scratch)
    assert drift.compare(live.catalog(), fresh) == []
    assert len(fresh.objects) > 40
    assert list(scratch.iterdir()) == []


def test_a_key_in_another_order_than_its_columns(project: Project) -> None:
    """PRIMARY KEY (b, a) stays so: it says how rows are found, and in SQLite how they lie."""
    freeze(project, 1, _live(project, "CREATE TABLE t (a int, b int, v int, PRIMARY KEY (b, a))"))
    assert load_schema(project, 1).tables["t"].primary_key == ("b", "a")
    assert _drift(project) == []


def test_what_cannot_be_frozen_exactly_says_in_what(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part is named, and nobody is sent to a file that is gone."""
    monkeypatch.setattr(spell, "_made", lambda _column: ())  # a writer that forgets Computed
    with pytest.raises(CodeError, match="its columns would not be declared as they are") as refused:
        freeze(project, 3, f"{_models(project, MODELS, 'freeze_forgets')}:Base")
    assert "nothing was written" in str(refused.value)
    assert not project.schema_path(3).exists()
    assert "compare" not in refused.value.hint[0]


def test_live_database_is_only_read(project: Project) -> None:
    """Not a byte of it changes."""
    source = _live(project)
    before = (project.root / "live.db").read_bytes()
    freeze(project, 1, source)
    assert (project.root / "live.db").read_bytes() == before


def test_bad_sources(project: Project) -> None:
    """Each is one sentence, and nothing is written."""
    with pytest.raises(DatabaseError, match=r"there is no database .*missing\.db"):
        freeze(project, 1, "sqlite:///missing.db")
    (project.root / "text.db").write_text("this is not a database, not at all " * 40)
    with pytest.raises(DatabaseError, match="file is not a database"):
        freeze(project, 1, "sqlite:///text.db")
    with pytest.raises(UsageError, match="neither module:Base"):
        freeze(project, 1, "myapp")
    with pytest.raises(UsageError) as caught:
        freeze(project, 1, "text.db")
    assert caught.value.hint[1] == "migrate freeze 1 --from sqlite:///text.db     a database"
    with pytest.raises(UsageError, match="no_such_app"):
        freeze(project, 1, "no_such_app:Base")
    empty = _models(project, "import sqlalchemy as sa\nm = sa.MetaData()\n", "freeze_empty")
    with pytest.raises(UsageError, match="has no tables"):
        freeze(project, 1, f"{empty}:m")
    text = "import sqlalchemy as sa\nm = sa.MetaData()\nsa.Table('t', m, sa.Column('c'))"
    loose = _models(project, text, "freeze_loose")
    with pytest.raises(CodeError, match=r"t\.c: NullType\(\) is not a type"):
        freeze(project, 1, f"{loose}:m")
    assert not project.schema_path(1).exists()


WORDS = """
create table words(
  id integer primary key, a integer unsigned, b tinyint(1), c unsigned big int, d int(11),
  e double precision, f varying character(255), g varchar2(20), h longblob, i datetime(6),
  j boolean(1), k number(10, 2), l string, m uuid, n money, o string(50), p, q, r, s, t);
insert into words values (1, 5, 1, 9, 2, 2.5, 'f', 'g', x'00', '2024-01-01 00:00:00.123456', 1,
  1.25, 'l', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', 12.5, 'o', 'p', 7, x'01', 1.5, null);
"""
FULL_TEXT = """
create table docs(id integer primary key, body text);
insert into docs values (1, 'a word');
create virtual table found using fts5(body, content='docs', content_rowid='id');
create virtual table own using fts5(body);
create virtual table place using rtree(id, low, high);
"""


def _drift(project: Project) -> list[drift.Difference]:
    """Return what the live database has otherwise than the file that was just written."""
    backend = backend_for(sa.make_url(f"sqlite:///{project.root / 'live.db'}"))
    schema = load_schema(project, 1)
    return drift.compare(backend.catalog(), drift.fresh_catalog(backend, schema, project.root))


def test_any_word_is_a_type_that_shows_no_drift(project: Project) -> None:
    """Its affinity is all that a word says on SQLite; where that is open, the values are asked."""
    done = freeze(project, 1, _live(project, WORDS))
    numeric = '().with_variant(sa.NUMERIC(), "sqlite")'
    blob = '().with_variant(sa.BLOB(), "sqlite")'
    types = ["Integer", "Integer", "BigInteger", "Integer", "Double", "String(255)", "String(20)"]
    types += ["LargeBinary", "DateTime", "Boolean", "Numeric(10, 2)", f"Text{numeric}"]
    types += [f"Text{numeric}", f"Float{numeric}", f"Text{numeric}", f"Text{blob}"]
    types += [f"BigInteger{blob}", "LargeBinary", f"Float{blob}", f"Text{blob}"]
    text = _text(project, 1)
    for name, declared in zip("abcdefghijklmnopqrst", types, strict=True):
        assert f'sa.Column("{name}", sa.{declared}),' in text
    assert _drift(project) == []
    assert "words.l is declared string: written as Text, which is what it holds: text" in done.notes
    assert (
        "words.q has no declared type: written as BigInteger, which is what it holds: integer"
    ) in done.notes
    assert "words.t has no declared type: written as Text, and holds nothing yet" in done.notes


def test_a_column_of_several_storage_classes_is_said(project: Project) -> None:
    """Nothing is guessed: it is text, and check will name the numbers in it."""
    done = freeze(
        project, 1, _live(project, "create table t(x string); insert into t values (7), ('seven')")
    )
    assert done.notes == (
        "t.x is declared string: written as Text, but it holds integer and text: "
        "check names the rows",
    )


def test_virtual_tables_stand_in_the_sql_beside_the_schema(project: Project) -> None:
    """Their stores are theirs; an index of another table is filled anew, of others it is said."""
    done = freeze(project, 1, _live(project, FULL_TEXT))
    beside = (project.root / "schemas" / "v1.after.sqlite.sql").read_text()
    assert list(load_schema(project, 1).tables) == ["docs"]
    assert beside.count("CREATE VIRTUAL TABLE") == 3
    assert beside.count("INSERT INTO") == 1
    assert """INSERT INTO "found"("found") VALUES ('rebuild');""" in beside
    filled = "found is a virtual table, made by the SQL beside the schema, which fills it anew"
    assert [note for note in done.notes if note.startswith("found")] == [filled]
    assert (
        sum("no step reads its rows, so fill it there, INSERT INTO" in n for n in done.notes) == 2
    )
    assert _drift(project) == []


def test_any_of_a_strict_table_is_written_as_what_it_holds(
    project: Project, tmp_path: Path
) -> None:
    """A STRICT table takes no NUMERIC: what is written can be made, and is no drift."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a ANY, b ANY, c ANY, d ANY, e TEXT) STRICT")
        connection.execute("INSERT INTO t VALUES (1, 'x', x'00', 1, 'e'), (2, 3, NULL, 0.5, NULL)")
        connection.commit()
    done = freeze(project, 1, f"sqlite:///{path}")
    written = [str(c.type) for c in load_schema(project, 1).metadata.tables["t"].columns]
    assert written == ["INTEGER", "TEXT", "BLOB", "REAL", "TEXT"]
    assert done.notes[1].startswith("t.b is declared ANY: written as TEXT, but it holds integer")
    backend = backend_for(sa.make_url(f"sqlite:///{path}"))
    fresh = drift.fresh_catalog(backend, load_schema(project, 1), project.root)
    assert drift.compare(backend.catalog(), fresh) == []


def test_models_say_more_than_a_file_that_was_read_from_their_database(
    project: Project, tmp_path: Path
) -> None:
    """`init` around a database, then `freeze` of its models: the other way out is said, too."""
    (tmp_path / "enums.py").write_text(
        "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
        "t = sa.Table('t', metadata, sa.Column('id', sa.Integer, primary_key=True),\n"
        "    sa.Column('e', sa.Enum('a', 'b', name='e')))\n"
    )
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, e VARCHAR(1))")
    freeze(project, 1, f"sqlite:///{path}")
    with pytest.raises(UsageError, match=r"t\.e changed its type") as caught:
        freeze(project, 1, "enums:metadata")
    assert "rm schemas/v1.py     first, where the models are release 1's" in str(caught.value.hint)
    with pytest.raises(UsageError) as caught:
        freeze(project, 1, _other(tmp_path))
    assert "rm schemas" not in str(caught.value.hint)


def _other(folder: Path) -> str:
    path = folder / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, e INTEGER)")
    return f"sqlite:///{path}"
