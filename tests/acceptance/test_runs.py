"""What the command does around a step: rehearse, replace, again, stale, drop, stamp, create."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrators import __version__
from migrators.events import StageStarted, TableProgress
from migrators.project import Project
from migrators.run import Options, migrate
from migrators.run.lock import locked
from tests.acceptance.cheeseshop import cheeseshop, sha256, tables

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.events import Event
    from tests.acceptance.cheeseshop import Cheeseshop


# extract, load, verify -------------------------------------------------------------------


def test_parquet_and_csv_load_to_equal_content(tmp_path: Path, two: Cheeseshop) -> None:
    """An extract of either format makes the same database, cell by cell."""
    made = []
    for files in ("parquet", "csv"):
        place = two.root / files
        two.ran("extract", "2", "--to", str(place), "--format", files)
        other = cheeseshop(tmp_path / f"from-{files}")
        other.ran("load", str(place))
        other.ran("verify", str(place))
        made.append(other.contents(2, "out"))
    assert made[0] == made[1] == tables(two.fixtures(2))


def test_an_extract_of_a_step_loads_where_the_old_database_is_not(
    tmp_path: Path, two: Cheeseshop
) -> None:
    """The extract is all that crosses: another project makes version 3 of it."""
    place = two.root / "crossing"
    said = two.ran("extract", "2to3", "--to", str(place)).err
    assert "every row in" in said
    other = cheeseshop(tmp_path / "other")
    other.ran("load", str(place))
    assert other.databases() == ["cheeseshop_v3.db"]
    assert other.contents(3, "out") == tables(two.fixtures(3))


def test_verify_names_the_table_and_key_of_a_changed_cell(three: Cheeseshop) -> None:
    """Exit 4; and 0 again when the cell is what it was."""
    ((key, name),) = three.rows(3, "SELECT id, name FROM keywords WHERE id = 7")
    three.sql(3, f"UPDATE keywords SET name = '{name}!' WHERE id = {key}")
    done = three.run("verify", str(three.fixtures(3)))
    assert (done.code, done.clear) == (4, True)
    assert "keywords" in done.said
    assert "7" in done.said.split("keywords", 1)[1]
    three.sql(3, f"UPDATE keywords SET name = '{name}' WHERE id = {key}")
    three.ran("verify", str(three.fixtures(3)))


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("DELETE FROM project_keywords WHERE rowid = 3", "project_keywords"),
        ("INSERT INTO countries (id, name) VALUES (99, 'Utopia')", "countries"),
        ('UPDATE "DownloadLog" SET "Count" = "Count" + 1 WHERE rowid = 1', "DownloadLog"),
        ("UPDATE users SET last_login = NULL WHERE last_login IS NOT NULL", "users"),
        ("UPDATE releases SET version = version || ' ' WHERE id = 5", "releases"),
    ],
)
def test_verify_finds_any_difference(three: Cheeseshop, statement: str, table: str) -> None:
    """A lost row, an added one, one without a key, a NULL, a space."""
    three.sql(3, "PRAGMA foreign_keys = OFF", statement)
    done = three.run("verify", str(three.fixtures(3)))
    assert (done.code, done.clear) == (4, True)
    assert table in done.said


def test_verify_without_a_database_says_how_to_make_one(cheese: Cheeseshop) -> None:
    """Exit 1."""
    done = cheese.run("verify", str(cheese.fixtures(3)))
    assert (done.code, done.clear) == (1, True)
    assert "does not exist" in done.said
    assert "migrate load" in done.said


def test_a_journal_says_what_was_asked_and_what_was_done(three: Cheeseshop) -> None:
    """Command, tool, flags, digests; intents before facts; every table, when it is on disk."""
    lines = three.journals()[-1]
    begun, asked, *_ = lines
    assert (begun["command"], begun["tool"]) == ("migrate 2to3", __version__)
    assert (asked["what"], asked["fence"], asked["replace"]) == ("asked", False, False)
    (step,) = asked["steps"]
    assert step["step"] == "2to3"
    assert all(len(step[each]) == 64 for each in ("digest", "old", "new"))
    order = [line["what"] for line in lines if line["what"] != "table"]
    assert order == [
        *("begun", "asked", "extract", "extracted", "staging", "loaded", "verified"),
        *("publish", "gone", "published", "finished"),
    ]
    rows = {
        stage: {line["table"]: line["rows"] for line in lines if line.get("stage") == stage}
        for stage in ("extract", "load")
    }
    assert rows["extract"] == rows["load"] != {}
    assert sorted(line["at"] for line in lines) == [line["at"] for line in lines]
    assert lines[-1]["outcome"] == "published"


# the same command again ------------------------------------------------------------------


@pytest.mark.fault("H105")
def test_again_is_done_already(three: Cheeseshop) -> None:
    """Exit 0, and not one byte of either database is written."""
    before = sha256(three.database(2), three.database(3))
    done = three.ran("2to3")
    assert "already" in done.out
    assert sha256(three.database(2), three.database(3)) == before
    assert json.loads(three.ran("2to3", "--json").out)["outcome"] == "already done"


def test_again_after_release_3_wrote_is_still_done(three: Cheeseshop) -> None:
    """What was written to version 3 since is its own business."""
    three.sql(3, "UPDATE users SET name = 'changed'")
    before = sha256(three.database(3))
    three.ran("2to3")
    assert sha256(three.database(3)) == before


def test_stale_when_the_old_database_was_written_to(three: Cheeseshop) -> None:
    """Exit 3 names `--replace`; with it, what was written is there and the former set aside."""
    three.sql(2, "UPDATE users SET username = 'changed' WHERE id = 1")
    before = sha256(three.database(3))
    done = three.run("2to3")
    assert (done.code, done.clear) == (3, True)
    assert "stale" in done.said
    assert "migrate 2to3 --replace" in done.said
    assert sha256(three.database(3)) == before
    done = three.ran("2to3", "--replace", "--yes")
    query = "SELECT count(*) FROM users WHERE username = 'changed'"
    assert three.rows(3, query) == [(1,)]
    (former,) = three.aside(3)
    assert sha256(former) == before
    assert "Aside" in done.out
    assert former.name in done.out.split("Aside")[1]
    assert former.name in three.ran("status").out
    former.unlink()
    assert "aside" not in three.ran("status").out
    three.ran("2to3")


def test_a_version_that_something_else_made_is_never_overwritten(cheese: Cheeseshop) -> None:
    """Exit 1; with `--replace` it is set aside whole."""
    cheese.ran("load", str(cheese.fixtures(2)))
    cheese.ran("load", str(cheese.fixtures(3)))
    before = sha256(cheese.database(3))
    done = cheese.run("2to3")
    assert (done.code, done.clear) == (1, True)
    assert "exists already; nothing was overwritten" in done.said
    assert "--replace" in done.said
    assert sha256(cheese.database(3)) == before
    cheese.ran("2to3", "--replace", "--yes")
    assert sha256(*cheese.aside(3)) == before


def test_loading_again_and_replacing(two: Cheeseshop) -> None:
    """`load` of the same files is done already; `--replace` sets aside what was written."""
    assert "already" in two.ran("load", str(two.fixtures(2))).out
    two.sql(2, "UPDATE users SET username = 'changed' WHERE id = 1")
    before = sha256(two.database(2))
    two.ran("load", str(two.fixtures(2)), "--replace", "--yes")
    assert sha256(*two.aside(2)) == before
    two.ran("verify", str(two.fixtures(2)))


def test_edited_fixtures_are_not_what_is_there(two: Cheeseshop) -> None:
    """A person edits a row in a text editor: the database is of other files, exit 1."""
    file = two.fixtures(2) / "settings.csv"
    file.write_bytes(file.read_bytes() + b'"a.new.setting","1"\n')
    done = two.run("load", str(two.fixtures(2)))
    assert (done.code, done.clear) == (1, True)
    two.ran("load", str(two.fixtures(2)), "--replace", "--yes")
    query = "SELECT count(*) FROM settings WHERE key = 'a.new.setting'"
    assert two.rows(2, query) == [(1,)]


@pytest.mark.fault("H104")
def test_an_extract_is_used_again_only_while_all_it_depends_on_stands(two: Cheeseshop) -> None:
    """The same step uses it; an edited step, or `--fresh`, makes another. It says why."""
    assert "extracted anew" not in two.ran("2to3", "--rehearse").said
    assert "used again" in two.ran("2to3", "--rehearse").said
    fresh = two.ran("2to3", "--rehearse", "--fresh").said
    assert "used again" not in fresh
    assert "extracted anew" not in fresh  # who asked for it is not told
    two.sql(2, "UPDATE settings SET value = value || ' '")
    said = two.ran("2to3", "--rehearse").said
    assert "extracted anew: the old database has changed since run" in said
    step = two.root / "migrators" / "2to3.py"
    step.write_text(step.read_text().replace('tier="basic"', 'tier="gold"'))
    said = two.ran("2to3", "--rehearse").said
    assert "extracted anew: the step or a schema has changed since run" in said
    (part,) = (two.root / ".migrate" / "runs").glob("*/extract-2to3/users*")
    part.write_bytes(part.read_bytes()[:-1])
    assert "extracted anew: that of run" in (said := two.ran("2to3").said)
    assert "is damaged: " in said
    assert two.rows(3, "SELECT DISTINCT tier FROM projects") == [("gold",)]


# rehearsal -------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [("2to3",), ("2to4",), ("load", "fixtures/v3")])
def test_a_rehearsal_publishes_nothing(two: Cheeseshop, typed: tuple[str, ...]) -> None:
    """Everything is done but the publish, and nothing but the receipt and extract is left."""
    kept = two.databases()
    done = two.ran(*typed, "--rehearse", "--json")
    assert json.loads(done.out)["outcome"] == "rehearsed"
    assert two.databases() == kept


def test_a_rehearsal_beside_a_published_version(three: Cheeseshop) -> None:
    """It needs no `--replace`, since it replaces nothing."""
    before = sha256(three.database(3))
    three.ran("2to3", "--rehearse")
    assert sha256(three.database(3)) == before
    assert three.aside(3) == []


# the way down ----------------------------------------------------------------------------


def test_a_lossy_downgrade_says_what_is_lost_and_refuses(three: Cheeseshop) -> None:
    """Exit 3 with each loss and its count; nothing is written."""
    three.sql(3, "UPDATE projects SET tier = 'gold' WHERE name = (SELECT min(name) FROM projects)")
    three.sql(3, "INSERT INTO keywords VALUES (9001, 'unused')",
              "INSERT INTO countries VALUES (9001, 'Nowhere'), (9002, 'Elsewhere')")  # fmt: skip
    kept = three.databases()
    done = three.run("3to2")
    assert (done.code, done.clear) == (3, True)
    assert "tiers other than basic: 1" in done.said
    assert "keywords that no project has: 1" in done.said
    assert "countries that nobody is in: 2" in done.said
    assert "keywords in a package's history: 62" in done.said
    assert "maintainers: 0" in done.said
    assert "migrate 3to2 --accept-loss" in done.said
    assert three.databases() == kept


def test_an_accepted_loss_sets_the_former_version_aside(three: Cheeseshop) -> None:
    """No `--replace` is needed; the receipt counts what was lost; again is done already."""
    before = sha256(three.database(2))
    receipt = json.loads(three.ran("3to2", "--accept-loss", "--json").out)
    assert ["keywords in a package's history", 62] in receipt["losses"]
    assert sha256(*three.aside(2)) == before
    assert "already" in three.ran("3to2").out
    assert len(three.aside(2)) == 1


def test_up_again_after_a_rollback_is_stale(three: Cheeseshop) -> None:
    """3to2 made another version 2, so version 3 is not of it: exit 3."""
    three.ran("3to2", "--accept-loss")
    done = three.run("2to3")
    assert (done.code, done.clear) == (3, True)
    assert "stale" in done.said


# create, stamp, drop, discard, status ----------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_create_makes_an_empty_database(cheese: Cheeseshop, version: int) -> None:
    """With every table and no row; again is done already, in the way is refused."""
    cheese.ran("create", str(version))
    names = cheese.rows(
        version, "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    )
    assert names != []
    for (name,) in names:
        assert cheese.rows(version, f'SELECT count(*) FROM "{name}"') == [(0,)]
    assert "already" in cheese.ran("create", str(version)).out
    done = cheese.run("load", str(cheese.fixtures(version)))
    assert (done.code, done.clear) == (1, True)


def test_an_empty_database_migrates(cheese: Cheeseshop) -> None:
    """FAULTS A10: tables without rows keep their types, up and down."""
    cheese.ran("create", "2")
    cheese.ran("2to4")
    cheese.ran("2to3")
    cheese.ran("3to2", "--accept-loss")
    assert cheese.rows(4, "SELECT count(*) FROM users") == [(0,)]


def test_stamp_adopts_a_database_that_is_its_schema(two: Cheeseshop) -> None:
    """A database without a stamp gets one, and migrates with or without."""
    two.sql(2, "DROP VIEW migrate_stamp")
    assert json.loads(two.ran("status", "--json").out)["versions"][1]["stamp"] is None
    assert "migrate stamp 2" in two.ran("status").out
    two.ran("stamp", "2")
    stamp = json.loads(two.ran("status", "--json").out)["versions"][1]["stamp"]
    assert (stamp["version"], stamp["step"]) == (2, "migrate stamp 2")
    assert "migrate stamp" not in two.ran("status").out.split("Next")[1]
    two.ran("2to3")


def test_stamp_leaves_alone_what_says_so_already(three: Cheeseshop) -> None:
    """The database of a run stays its own: typed again, there is nothing to do."""
    before = sha256(three.database(3))
    three.ran("stamp", "3")
    assert sha256(three.database(3)) == before
    assert "nothing to do" in three.ran("2to3").out


def test_stamp_keeps_who_made_a_database_that_has_grown(three: Cheeseshop) -> None:
    """The schema took in an index of a minor release: the stamp says that, and no more."""
    schema = three.root / "schemas" / "v3.py"
    grown = 'import sqlalchemy as sa\nsa.Index("added", metadata.tables["users"].c.name)\n'
    schema.write_text(f"{schema.read_text()}{grown}")
    three.sql(3, "CREATE INDEX added ON users (name)")
    (before,) = three.rows(3, "SELECT step, extract, fingerprint FROM migrate_stamp")
    three.ran("stamp", "3")
    (after,) = three.rows(3, "SELECT step, extract, fingerprint FROM migrate_stamp")
    assert after[:2] == before[:2] == ("migrate 2to3", after[1])
    assert after[2] != before[2]


def test_stamp_refuses_what_has_drifted(two: Cheeseshop) -> None:
    """Exit 3 lists each difference; nothing is stamped. So does the step refuse it."""
    two.sql(
        2,
        "DROP VIEW migrate_stamp",
        "DROP INDEX ix_packages_owner_id",
        "ALTER TABLE users RENAME COLUMN username TO login",
    )
    before = sha256(two.database(2))
    done = two.run("stamp", "2")
    assert (done.code, done.clear) == (3, True)
    assert "users.login" in done.said
    assert "users.username" in done.said
    assert "ix_packages_owner_id" in done.said
    assert "or, where the database is right, correct schemas/v2.py" in done.said
    assert "freeze" not in done.said  # it takes in additions alone
    assert sha256(two.database(2)) == before
    done = two.run("2to3")
    assert (done.code, done.clear) == (3, True)
    assert not two.database(3).exists()


def test_stamp_says_where_a_trigger_is_declared(two: Cheeseshop) -> None:
    """The schema module cannot hold it: it stands in the SQL beside it, and then all agree."""
    trigger = "CREATE TRIGGER audit AFTER DELETE ON users BEGIN SELECT 1; END"
    two.sql(2, "DROP VIEW migrate_stamp", trigger)
    done = two.run("stamp", "2")
    assert (done.code, done.clear) == (3, True)
    assert "say so in schemas/v2.after.sqlite.sql: trigger users.audit" in done.said
    with (two.root / "schemas" / "v2.after.sqlite.sql").open("a") as file:
        file.write(f"\n{trigger};\n")
    two.ran("stamp", "2")


def test_additions_within_a_major_are_not_drift_for_stamp(two: Cheeseshop) -> None:
    """A table more is of a minor release: adopted."""
    two.sql(2, "DROP VIEW migrate_stamp", "CREATE INDEX added ON users (email)")
    two.ran("stamp", "2")


def test_name_and_stamp_must_agree(three: Cheeseshop) -> None:
    """Somebody copied version 3 over version 2: said by status (exit 3) and by the step."""
    three.database(2).write_bytes(three.database(3).read_bytes())
    done = three.run("status")
    assert (done.code, done.clear) == (3, True)
    done = three.run("2to3")
    assert (done.code, done.clear) == (1, True)
    assert "stamped as version 3" in done.said


def test_drop_removes_a_version_and_nothing_else(three: Cheeseshop) -> None:
    """It needs `--yes` here, and is refused for the last database."""
    done = three.run("drop", "2")
    assert (done.code, three.database(2).exists()) == (2, True)
    three.ran("drop", "2", "--yes")
    assert three.databases() == ["cheeseshop_v3.db"]
    done = three.run("drop", "3", "--yes")
    assert (done.code, done.clear) == (2, True)
    assert "the only database" in done.said
    done = three.run("drop", "2", "--yes")
    assert (done.code, done.clear) == (1, True)
    assert three.databases() == ["cheeseshop_v3.db"]


def test_discard_removes_what_a_killed_run_left(two: Cheeseshop) -> None:
    """Only what a journal names: a stranger's file of a like name stays."""
    run = two.root / ".migrate" / "runs" / "20200101-000000"
    (run / "extract-2to3").mkdir(parents=True)
    (run / "extract-2to3" / ".incomplete").touch()
    staging = two.data / "cheeseshop_v3__loading_20200101-000000.db"
    stranger = two.data / "cheeseshop_v3__loading_20190101-000000.db"
    for file in (staging, stranger):
        file.write_bytes(b"half")
    journal = [
        {"at": "2020-01-01T00:00:00+00:00", "what": "begun", "command": "migrate 2to3"},
        {"at": "", "what": "staging", "database": str(staging), "version": 3, "name": run.name},
    ]
    (run / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in journal))
    done = two.ran("discard")
    assert staging.name in done.out
    assert two.databases() == ["cheeseshop_v2.db", stranger.name]
    assert not (run / "extract-2to3").exists()
    assert "Nothing was left" in two.ran("discard").out


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("discard", "2to9"), "there is no migrators/"),
        (("unfence", "9"), "there is no schemas/v9.py; there are schemas 1, 2, 3, 4"),
    ],
)
def test_a_version_that_nothing_knows_is_not_taken_for_done(
    two: Cheeseshop, typed: tuple[str, ...], says: str
) -> None:
    """Exit 2: somebody mistyped it, and what was meant is as it was."""
    done = two.run(*typed)
    assert (done.code, done.clear, says in done.said) == (2, True, True), done.said


def test_status_tells_where_the_project_stands(three: Cheeseshop) -> None:
    """Versions, stamps, runs, writes since, and what comes next."""
    said = json.loads(three.ran("status", "--json").out)
    assert [v["exists"] for v in said["versions"]] == [False, True, True, False]
    assert [r["command"] for r in said["runs"]][-1] == "migrate 2to3"
    assert said["runs"][-1]["outcome"] == "published"
    assert "migrate 3to4" in said["next"]
    assert said["versions"][2]["written"] == "not written to since it was published"
    three.sql(3, "UPDATE users SET name = 'changed'")
    said = json.loads(three.ran("status", "--json").out)
    assert said["versions"][2]["written"] == "written to since it was published"


def test_status_of_a_database_that_cannot_be_read(two: Cheeseshop) -> None:
    """It is there: nothing is to be made in its place."""
    two.database(2).write_bytes(b"a person's notes")
    done = two.refused("status", code=3, words=["STOP", "is not a SQLite database"])
    assert "no database yet" not in done.out
    assert f"mend {two.database(2)}" in done.out.split("Next")[1]


def test_status_says_what_a_run_came_to(three: Cheeseshop) -> None:
    """Refused before it wrote, killed in the load, or at work at this moment."""

    def last() -> tuple[str, str, str]:
        run = json.loads(three.ran("status", "--json").out)["runs"][-1]
        return run["outcome"], run["phase"], run["staging"]

    three.run("3to2")
    assert last() == ("stopped", "", "")
    run = three.root / ".migrate" / "runs" / "20990101-000000"
    run.mkdir()
    lines = [
        {"at": "2099-01-01T00:00:00+00:00", "what": "begun", "command": "migrate 3to4"},
        {"at": "2099-01-01T00:00:01+00:00", "what": "extract", "step": "3to4"},
        {"at": "2099-01-01T00:00:02+00:00", "what": "extracted", "step": "3to4", "basis": ""},
        {"at": "2099-01-01T00:00:03+00:00", "what": "staging", "database": "x", "name": run.name},
    ]
    (run / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert last() == ("stopped", "load", "unfinished")
    with locked(Project.find(three.root, environment={}), "migrate 3to4"):
        assert last() == ("running", "load", "unfinished")


def test_status_tells_of_the_others_where_one_cannot_be_read(two: Cheeseshop) -> None:
    """Exit 3, and what is sound is said to be."""
    two.database(1).write_text("this is no database " * 100)
    done = two.run("status")
    assert (done.code, done.clear) == (3, True)
    assert "cannot be read" in done.out
    assert "not a SQLite database" in " ".join(done.out.split())
    assert "migrate check 2to3, then migrate 2to3" in done.out


def test_status_of_nothing_says_what_to_type(cheese: Cheeseshop) -> None:
    """No database yet: exit 0 and the first line to type."""
    assert "migrate load fixtures/v4" in cheese.ran("status").out


def test_a_published_database_says_what_made_it(three: Cheeseshop) -> None:
    """The stamp names version, step and the digest that the receipt's journal has."""
    with closing(sqlite3.connect(three.database(3))) as connection:
        connection.row_factory = sqlite3.Row
        stamp = dict(connection.execute("SELECT * FROM migrate_stamp").fetchone())
    finished = three.journals()[-1][-1]
    assert (stamp["version"], stamp["step"]) == (3, "migrate 2to3")
    assert (finished["what"], finished["extract"]) == ("finished", stamp["extract"])


def test_no_stage_is_past_its_end(two: Cheeseshop) -> None:
    """Rows that are read are rows that were counted: of a table that two are made of, twice."""
    told: list[Event] = []
    migrate(two.project, two.project.chain(2, 3), Options(), emit=told.append)
    for stage in ("extract", "load"):
        (total,) = (e.total for e in told if isinstance(e, StageStarted) and e.stage == stage)
        rows = sum(e.rows for e in told if isinstance(e, TableProgress) and e.stage == stage)
        assert 0 < rows <= total
