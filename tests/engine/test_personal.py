"""Personal columns: never bare in what is committed, and still of use in a test."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.errors import UsageError, ValueRefused
from migrators.events import silent
from migrators.personal import Treatment, bare
from migrators.personal.pseudonym import of_bytes, of_decimal, of_number
from migrators.project import Project
from migrators.report.fixtures import fixtures_lines
from migrators.run import (
    Options,
    SampleOptions,
    check_fixtures,
    extract_only,
    sample,
    upgrade_fixtures,
)
from migrators.sample import Request
from migrators.schema import Column, load_schema
from migrators.types import describe
from tests.acceptance.cheeseshop import parsed

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

KEY = "0123456789abcdef-a"
OTHER = "0123456789abcdef-b"
SCHEMA = """
t("users", Column("email", String(60), primary_key=True, info={"pii": "email"}),
  Column("name", String(40), unique=True, info={"pii": "name"}), Column("bio", Text),
  Column("phone", BigInteger, info={"pii": "number"}),
  Column("wage", Numeric(9, 2), info={"pii": "number"}), Column("no", Integer, unique=True),
  Column("born", Date, info={"pii": {"shift": "no"}}), Column("note", Text, info={"pii": "null"}),
  Column("joined", DateTime, info={"pii": {"shift": "no", "days": 9}}))
t("orders", Column("id", Integer, primary_key=True), Column("of", ForeignKey("users.email")),
  Column("phone", Integer, info={"pii": "number"}), Column("no", Integer),
  Column("paid", Numeric(12, 4), info={"pii": "number"}),
  Column("sent", Date, info={"pii": {"shift": "no"}}))
"""
SETTINGS = """
[tool.migrators]
url = "sqlite:///shop_v{version}.db"
[tool.migrators.pii]
"users.bio" = {constant = "..."}
"""
USERS = 40


@pytest.fixture
def shop(shop: Sandbox) -> Sandbox:
    """A database of version 1 with personal columns, declared in both places."""
    shop.schema(1, SCHEMA)
    shop.write("pyproject.toml", SETTINGS)
    day = "date('1970-01-01', '+{} days')"
    shop.create(
        *(
            f"INSERT INTO users VALUES ('u{n}@real.com', 'Real Name {n}', 'me {n}', {31600000 + n},"
            f" {n * 7}.25, {n}, {day.format(n * 99)}, 'secret', '2020-01-01 01:02:03.000004')"
            for n in range(USERS)
        ),
        "INSERT INTO users (email, name) VALUES ('', NULL)",
        *(
            f"INSERT INTO orders VALUES ({n}, 'u{n % 9}@real.com', {31600000 + n % 9}, {n % 9}, "
            f"{n % 9 * 7}.25, {day.format(n % 9 * 99 + 5)})"
            for n in range(30)
        ),
    )
    return shop


def made(
    shop: Sandbox, key: str = KEY, where: dict[str, str] | None = None, **options: Any
) -> dict[str, list[dict[str, str]]]:
    """Make a sample of all rows; return those of each table."""
    project = Project.find(shop.root, environment={"MIGRATE_PII_KEY": key})
    asked = SampleOptions(replace=True, **options)
    request = Request(rows=1000, where=where or {}, tables=("users",) if where else ())
    place = sample(project, 1, request, asked, emit=silent).path
    return {p.stem: parsed(p.read_bytes()) for p in place.glob("*.csv")}


def everything(shop: Sandbox) -> str:
    """Return the text of all that is committed."""
    return "".join(p.read_text() for p in (shop.root / "fixtures").rglob("*") if p.is_file())


def test_nothing_personal_is_written_and_the_check_is_well(shop: Sandbox) -> None:
    """No bare value, no key, in any file; types, lengths, uniqueness and references hold."""
    found = made(shop)
    text = everything(shop)
    assert not re.search(r"real|Real|me \d|secret|316000|\.25|1970-01-01", text, re.IGNORECASE)
    assert KEY not in text
    assert len(found["users"]) == USERS + 1
    assert {user["bio"] for user in found["users"]} == {"...", ""}
    assert {user["note"] for user in found["users"]} == {""}
    (checked,) = check_fixtures(shop.project)
    assert checked.findings == ()


def test_a_personal_text_that_is_no_value_is_not_quoted(shop: Sandbox) -> None:
    """Somebody typed one into a column of dates: line and column are said."""
    made(shop)
    users = shop.root / "fixtures" / "v1" / "users.csv"
    users.write_text(re.sub(r",\d{4}-\d\d-\d\d,", ",at noon,", users.read_text(), count=1))
    (checked,) = check_fixtures(shop.project)
    assert [each.what for each in checked.findings] == ["is not a date, as 2024-02-29"]


def test_equal_values_stay_equal_in_every_table_and_sample(shop: Sandbox) -> None:
    """Also numbers of columns of another width or scale; under another key all are others."""
    found = made(shop)
    phones = {user["email"]: user["phone"] for user in found["users"]}
    assert all(phones[order["of"]] == order["phone"] for order in found["orders"])
    wages = {user["email"]: Decimal(user["wage"] or 0) for user in found["users"]}
    assert all(wages[order["of"]] == Decimal(order["paid"]) for order in found["orders"])
    assert all(len(phone) == 8 for phone in phones.values() if phone)
    assert made(shop) == found
    other = made(shop, OTHER)
    assert not {u["email"] for u in other["users"]} & {
        u["email"] for u in found["users"] if u["email"]
    }


def test_dates_of_one_key_move_together(shop: Sandbox) -> None:
    """So that what was five days later is: in the table itself and in others."""
    from datetime import date

    found = made(shop)
    born = {user["no"]: date.fromisoformat(user["born"]) for user in found["users"] if user["no"]}
    for order in found["orders"]:
        assert (date.fromisoformat(order["sent"]) - born[order["no"]]).days == 5
    real = [date.fromordinal(date(1970, 1, 1).toordinal() + n * 99) for n in range(USERS)]
    moves = {(born[str(n)] - real[n]).days for n in range(USERS)}
    assert 0 not in moves
    assert len(moves) > USERS // 2
    joined = {user["joined"][:10] for user in found["users"] if user["joined"]}
    assert len(joined) in range(2, 20)
    assert all(user["joined"].endswith(" 01:02:03.000004") for user in found["users"] if user["no"])


@pytest.mark.parametrize(
    "number",
    [0, 7, -7, 10, 99, 127, -128, 128, 2**31 - 1, -(2**31), 2**31, 10**9, 2**63 - 1, 10**30],
)
def test_a_number_fits_where_it_did(number: int) -> None:
    """As many digits, and every type of integers that holds the one holds the other."""
    moved = of_number(KEY.encode(), number)
    assert (len(str(moved)), moved < 0) == (len(str(number)), number < 0)
    for bits in (7, 8, 15, 31, 32, 63, 64):
        assert (-(2**bits) <= moved < 2**bits) == (-(2**bits) <= number < 2**bits)


def test_numbers_stay_different_to_the_limits_of_a_type() -> None:
    """A permutation: of all numbers of 16 bits, and of those just below and above 32."""
    for numbers in (range(-(2**15), 2**15), range(2**31 - 300, 2**31 + 300)):
        assert len({of_number(KEY.encode(), n) for n in numbers}) == len(numbers)


def test_decimals_of_any_scale_are_one_value() -> None:
    """1.5 and 1.50, -20 and -20.00; different ones stay different, of as many digits."""
    key = KEY.encode()
    for number in (0, 1, 15, -15, 20, -20, 4095, 10**20, 10**20 + 1):
        plain = of_decimal(key, number, 1)
        assert of_decimal(key, number * 10, 2) == plain * 10
        assert of_decimal(key, number * 10**9, 10) == plain * 10**9
        assert len(str(plain)) == len(str(number))
    assert of_decimal(key, 700, 2) == of_number(key, 7) * 100
    numbers = range(-2_000, 2_000)
    assert len({of_decimal(key, n, 2) for n in numbers}) == len(numbers)


def test_a_sample_without_the_key_is_refused(shop: Sandbox) -> None:
    """And with one that can be guessed; nothing is written."""
    for key, says in (("", "MIGRATE_PII_KEY is not set"), ("short", "shorter than 16")):
        with pytest.raises(UsageError, match=says):
            made(shop, key)
    assert not (shop.root / "fixtures").exists()


def test_an_extract_below_fixtures_is_refused_and_elsewhere_made(shop: Sandbox) -> None:
    """It writes values as they are."""
    to = shop.project.fixtures(1)
    with pytest.raises(UsageError, match=r"bare: orders\.of, .*users\.bio, users\.born"):
        extract_only(shop.project, [(1, 1)], to, Options(files="csv"), emit=silent)
    assert not to.exists()
    extract_only(shop.project, [(1, 1)], shop.root / "mine", Options(), emit=silent)


def test_what_a_link_leads_to_is_below_fixtures_all_the_same(shop: Sandbox) -> None:
    """A repository may keep them beside its tests."""
    (shop.root / "tests" / "fixtures").mkdir(parents=True)
    (shop.root / "fixtures").symlink_to("tests/fixtures")
    with pytest.raises(UsageError, match="is committed, and would have personal columns bare"):
        extract_only(shop.project, [(1, 1)], shop.project.fixtures(1), Options(), emit=silent)


RENAMED = """
t("people", Column("id", Integer, primary_key=True), Column("full_name", String(40){pii}))
"""


@pytest.fixture
def renaming(shop: Sandbox) -> Sandbox:
    """A step that gives a personal column another name, and a schema that does not know of it."""
    shop.schema(
        1, 't("users", Column("id", Integer, primary_key=True), Column("name", String(40)))'
    )
    shop.write("pyproject.toml", '[tool.migrators]\nurl = "sqlite:///names_v{version}.db"\n')
    shop.schema(2, RENAMED.format(pii=""))
    shop.step("step.table(new.people, source=old.users).values(full_name=old.users.c.name)")
    url = shop.project.url(1)
    engine = backend_for(url).engine()
    load_schema(shop.project, 1).metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users VALUES (1, 'Ann Smith')")
    engine.dispose()
    return shop


def test_what_is_personal_is_so_under_another_name(renaming: Sandbox) -> None:
    """A step carries values, and no declaration: what holds them bare is not committed."""
    renaming.write(
        "pyproject.toml",
        '[tool.migrators]\nurl = "sqlite:///names_v{version}.db"\n'
        '[tool.migrators.pii]\n"users.name" = "name"\n',
    )
    to = renaming.project.fixtures(2)
    with pytest.raises(UsageError, match=r"bare: people\.full_name \(as users\.name of schema 1\)"):
        extract_only(renaming.project, [(1, 2)], to, Options(files="csv"), emit=silent)
    extract_only(renaming.project, [(1, 2)], renaming.root / "mine", Options(), emit=silent)


@pytest.mark.parametrize("mark", ["", "invented"])
def test_what_is_personal_only_now_is_not_certified(renaming: Sandbox, mark: str) -> None:
    """Old fixtures speak of their own columns: another one's mark says nothing of this one."""
    extract_only(
        renaming.project, [(1, 1)], renaming.project.fixtures(1), Options(files="csv"), emit=silent
    )
    renaming.schema(2, RENAMED.format(pii=", info={'pii': 'name'}"))
    if mark:
        manifest = renaming.project.fixtures(1) / "manifest.json"
        text = manifest.read_text()
        assert '"name": "id", ' in text
        manifest.write_text(text.replace('"name": "id", ', f'"name": "id", "pii": "{mark}", '))
    upgrade_fixtures(renaming.project, 1, 2, emit=silent)
    (checked,) = check_fixtures(renaming.project, [renaming.project.fixtures(2)])
    assert [(f.column, f.what) for f in checked.findings] == [
        ("full_name", "is personal, and bare")
    ]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("email", "real.person@corp.com, x@example.org"),
        ("email", "Ada <a@b.com>@localhost"),
        ("email", "ann@corp.com\nx@example.org"),
        ("name", "Real Person x-abcdef"),
        ("text", "my life, x-abcdefgh"),
    ],
)
def test_a_pseudonym_is_the_whole_value(how: str, text: str) -> None:
    """What only ends like one is bare."""
    column = Column("v", describe(sa.Text()), nullable=True)
    found = bare(pa.array([text]), column, Treatment(how), how)
    assert found.to_pylist() == [True]


@pytest.mark.parametrize("key", [f"a key of its own, {n}".encode() for n in range(20)])
def test_small_numbers_stay_different_too(key: bytes) -> None:
    """Of either sign; 0 is nobody's."""
    numbers = range(-120, 121)
    made_of = [of_number(key, number) for number in numbers]
    assert len(set(made_of)) == len(numbers)
    assert [(m > 0) - (m < 0) for m in made_of] == [(n > 0) - (n < 0) for n in numbers]


def test_a_bare_value_in_committed_files_is_found(shop: Sandbox) -> None:
    """By line, and never shown: typed later, or a whole extract that no sample made."""
    made(shop)
    file = shop.project.fixtures(1) / "users.csv"
    lines = len(file.read_text().splitlines())
    file.write_text(f'{file.read_text()}"ann@corp.com","Ann Smith","my life",,,99,,,\n')
    (checked,) = check_fixtures(shop.project)
    bare = "is personal, and bare"
    assert [str(finding) for finding in checked.findings] == [
        f"users.csv:{lines + 1} {column}: {bare}" for column in ("email", "name", "bio")
    ]
    manifest = shop.project.fixtures(1) / "manifest.json"
    manifest.write_text(re.sub(r', "pii": "[a-z]+"|"pii": "[a-z]+", ', "", manifest.read_text()))
    (checked,) = check_fixtures(shop.project)
    assert {finding.column for finding in checked.findings} >= {"phone", "born", "wage", "sent"}


def test_invented_values_are_said_to_be_so_and_steps_carry_it(shop: Sandbox) -> None:
    """What a person made up is nobody's; an upgraded extract says what the old one said."""
    made(shop)
    manifest = shop.project.fixtures(1) / "manifest.json"
    manifest.write_text(
        re.sub(r'"pii": "(name|number)"', '"pii": "invented"', manifest.read_text())
    )
    file = shop.project.fixtures(1) / "users.csv"
    file.write_text(f'{file.read_text()}"ann@example.org","Ann Smith",,123,,99,,,\n')
    (checked,) = check_fixtures(shop.project)
    assert checked.findings == ()
    shop.schema(2, SCHEMA)
    shop.step("")
    upgrade_fixtures(shop.project, 1, 2, emit=silent)
    assert (shop.project.fixtures(2) / "users.csv").read_text().count("Ann Smith") == 1
    assert [c.findings for c in check_fixtures(shop.project)] == [(), ()]


@pytest.mark.parametrize(
    ("column", "said", "says"),
    [
        ("users.bio", "true", "users.bio is personal, and nothing says what replaces its values"),
        ("users.bio", '"e-mail"', "says not what replaces its values"),
        ("users.bio", '"number"', "the column is a text"),
        ("users.no", '{constant = "x"}', "is not a value that integer(32) holds exactly"),
        ("users.no", "{constant = 1}", "one value for all, and the column is unique"),
        ("orders.id", '"null"', "the column is never NULL"),
        ("orders.of", '"text"', "hold the same values, and are replaced otherwise: email, text"),
        ("users.born", '{shift = "nr"}', "users has no column `nr`"),
        ("users.boi", '"text"', "`users.boi` is a column of no schema"),
    ],
)
def test_what_does_not_fit_a_column_is_refused(
    shop: Sandbox, column: str, said: str, says: str
) -> None:
    """Before a row is read, with what to write instead."""
    text = SETTINGS.replace('"users.bio" = {constant = "..."}', f'"{column}" = {said}')
    shop.write("pyproject.toml", text)
    with pytest.raises(UsageError, match=re.escape(says)):
        made(shop)


def test_what_models_say_of_a_column_is_frozen(shop: Sandbox) -> None:
    """`freeze` writes it, and the fingerprint is the same with it as without."""
    from migrators.schema import load_schema

    with_it = load_schema(shop.project, 1)
    shop.schema(1, re.sub(r', info=\{"pii": (?:"\w+"|\{.*?\})\}', "", SCHEMA))
    assert load_schema(shop.project, 1).fingerprint == with_it.fingerprint
    from migrators.freeze.spell import column

    spelled = str(column(with_it.metadata.tables["users"].c.born, lambda _: None))
    assert 'info={"pii": {"shift": "no"}}' in spelled


def test_nothing_personal_is_on_the_disk_while_a_sample_is_made(
    shop: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a run which is killed leaves nothing of it."""
    seen: list[bytes] = []

    def stopped(*_: Any, scratch: Any, **__: Any) -> None:
        seen.extend(p.read_bytes() for p in scratch.parent.rglob("*") if p.is_file())
        raise KeyboardInterrupt

    monkeypatch.setattr("migrators.run.sampling.write", stopped)
    with pytest.raises(KeyboardInterrupt):
        made(shop)
    assert len(seen) >= 2
    assert not any(word in text for text in seen for word in (b"real.com", b"Real Name", b"secret"))


def test_the_next_command_removes_what_a_killed_one_held_on_the_disk(shop: Sandbox) -> None:
    """Whatever the command is: rows of an extract that is sampled are there as they are."""
    from migrators.run.directory import new_run

    killed = new_run(shop.project, "migrate sample big").scratch / "source.db"
    killed.write_text("rows")
    made(shop)
    assert not killed.parent.exists()


def test_no_error_shows_a_personal_value(shop: Sandbox) -> None:
    """A key that is personal names no row; nor does a check show what stands in a column."""
    shop.sql("PRAGMA foreign_keys = 0", "UPDATE orders SET \"of\" = 'gone@real.com' WHERE id = 1")
    shop.sql("PRAGMA foreign_keys = 0", "DELETE FROM orders WHERE id <> 1")
    with pytest.raises(ValueRefused) as refused:
        made(shop)
    assert (
        str(refused.value) == "orders.of: 1 row at id 1: refers to a row of users that is not there"
    )
    assert refused.value.values == ("of gone@real.com",)
    option, _, typed = shlex.split(refused.value.hint[0])[-1].partition("=")
    assert (option, typed) == ("orders", '"of" IN (SELECT email FROM users)')
    assert made(shop, where={option: typed})["orders"] == []
    file = shop.project.fixtures(1) / "users.csv"
    file.write_text(f"{file.read_text()},,,,,9,31.12.1980,,\n")
    (checked,) = check_fixtures(shop.project)
    assert "is not a date" in str(checked.findings)
    assert "1980" not in str(checked.findings)


@pytest.mark.parametrize("keyed", [True, False])
def test_a_row_without_a_key_is_not_named_by_its_values(shop: Sandbox, *, keyed: bool) -> None:
    """What stands in its columns is for who asks for values."""
    key = ", primary_key=True" if keyed else ""
    shop.schema(
        1, f't("a", Column("id", Integer, primary_key=True))\n'
        f't("b", Column("n", Integer{key}), Column("of", ForeignKey("a.id")))'
    )  # fmt: skip
    shop.database(1).unlink()
    shop.write("pyproject.toml", '[tool.migrators]\nurl = "sqlite:///shop_v{version}.db"\n')
    shop.create("PRAGMA foreign_keys = 0", "INSERT INTO b VALUES (77, 5)")
    with pytest.raises(ValueRefused) as refused:
        made(shop)
    assert ("n 77" in str(refused.value)) == keyed


def test_a_pseudonym_that_the_schema_refuses_says_what_else_there_is(shop: Sandbox) -> None:
    """Which columns were replaced, and a line that does it otherwise."""
    shop.schema(1, SCHEMA.replace('Column("no", Integer, unique=True)',
        'Column("no", Integer, unique=True), '
        'CheckConstraint("phone < 31700000", name="ck_p")'))  # fmt: skip
    with pytest.raises(ValueRefused, match="breaks CHECK ck_p") as refused:
        made(shop)
    assert '"users.bio" = {constant = ...} in [tool.migrators.pii]' in refused.value.hint[-1]
    assert "users.phone" in refused.value.hint[-2]


def test_numbers_and_dates_are_believed_and_that_is_said(shop: Sandbox) -> None:
    """One typed later looks like what replaced the others: which columns, and what to do."""
    made(shop)
    (checked,) = check_fixtures(shop.project)
    assert checked.believed == (
        "orders.paid", "orders.phone", "orders.sent",
        "users.born", "users.joined", "users.phone", "users.wage",
    )  # fmt: skip
    said = " ".join(fixtures_lines([checked]))
    assert "users.born" in said
    assert "one that was typed since looks the same: see git diff" in said


def test_a_uuid_of_somebody_is_bare() -> None:
    """Pseudonyms are of version 8, which nobody else gives."""
    column = Column("v", describe(sa.Uuid()), nullable=True)
    values = [UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8").bytes, of_bytes(KEY.encode(), "x"), None]
    found = bare(pa.array(values, pa.binary(16)), column, Treatment("text"), "text")
    assert found.to_pylist() == [True, False, False]


def test_a_sample_of_a_sample_has_its_values(shop: Sandbox) -> None:
    """What stands for a value stands for it in both; what is bare there is replaced as ever."""
    whole = made(shop)
    manifest = shop.project.fixtures(1) / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"wage", "pii": "number"', '"wage", "pii": "invented"')
    )
    file = shop.project.fixtures(1) / "users.csv"
    file.write_text(f'{file.read_text()}"ann@corp.com","Ann Smith",,12,34.50,99,2001-02-03,,\n')
    project = Project.find(shop.root, environment={"MIGRATE_PII_KEY": OTHER})
    options = SampleOptions(to=shop.root / "fixtures" / "few")
    few = sample(project, shop.project.fixtures(1), Request(rows=1000), options, emit=silent).path
    users = parsed((few / "users.csv").read_bytes())
    assert [user for user in users if user["no"] != "99"] == whole["users"]
    (ann,) = [user for user in users if user["no"] == "99"]
    assert (ann["wage"], ann["phone"]) == ("34.50", "12")
    assert re.fullmatch(r".*@example\.org.* x-.*", f"{ann['email']} {ann['name']}")
    assert '"wage", "pii": "invented"' in (few / "manifest.json").read_text()
