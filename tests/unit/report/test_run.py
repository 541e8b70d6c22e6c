"""The pages of a run."""

from __future__ import annotations

from dataclasses import replace

from migrators.receipt import (
    FenceReceipt,
    LeftBehind,
    PartitionRows,
    Receipt,
    RuleCount,
    RunState,
    StageTime,
    Status,
    TableReceipt,
    VersionState,
)
from migrators.report.accounting import accounting_lines, count_lines, partition_lines
from migrators.report.run import (
    Deed,
    promise_lines,
    receipt_text,
    start_lines,
    stopped_lines,
    success_lines,
)
from migrators.report.text import WIDTH, when

AT = "2026-11-21T02:00:07+00:00"

DEED = Deed(
    name="2to3",
    again="migrate 2to3 --rehearse",
    old=2,
    new=3,
    source="shop_v2",
    target="shop_v3",
    back="3to2",
)
RECEIPT = Receipt(
    run="20261121-020007",
    command="migrate 2to3",
    outcome="published",
    started="2026-11-21T02:00:07+00:00",
    finished="2026-11-21T02:40:25+00:00",
    old="shop_v2",
    new="shop_v3",
    directory=".migrate/runs/20261121-020007",
    tables=(
        TableReceipt(
            "projects",
            "packages",
            91_328,
            88_210,
            (LeftBehind("status = 'deleted'", "purged under the retention rule", 3_118),),
        ),
        TableReceipt(
            "files",
            "releases",
            20,
            10,
            (LeftBehind("a", "nothing was uploaded", 7), LeftBehind("b", "too old", 3)),
        ),
        TableReceipt("keywords", "query", 5, 12, own_grain=True),
        TableReceipt("users", "users", 9, 9),
    ),
    rules=(RuleCount("projects", "downloads", "rules.integer", 12), RuleCount("a", "b", "r", 0)),
    stages=(StageTime("2to3", "extract", 702.0),),
    dropped=(("recruits.id_number", "no longer collected", 1_904),),
    losses=(("maintainers", 17),),
    sames=(("downloads in all", "[['5']]"),),
    facts={"tool": "0.1.0"},
)


def test_before_it_begins() -> None:
    """What is read and what is made."""
    assert start_lines(DEED) == ["2to3    shop_v2 -> shop_v3"]


def test_when_it_begins() -> None:
    """What is never touched, and whether anybody will see what is made."""
    never = "        never touches rows, tables or schema of the old database"
    assert promise_lines(DEED) == [f"{never}; publishes last", ""]
    named = " " * 8 + "run 20261121-020007"
    assert promise_lines(DEED, "20261121-020007") == [f"{never}; publishes last", named, ""]
    assert promise_lines(replace(DEED, rehearse=True)) == [f"{never}; publishes nothing", ""]
    assert promise_lines(replace(DEED, new=None)) == [never, ""]
    assert promise_lines(Deed("load fixtures/v2", "migrate load fixtures/v2")) == [""]


def test_read_is_written_and_left_behind() -> None:
    """Each condition its own line; what is plain is one line for all."""
    assert accounting_lines(RECEIPT) == [
        "  source -> new           read  =  written  +  left behind",
        "  packages -> projects  91,328      88,210           3,118  purged under the retention",
        "                                                            rule",
        "  releases -> files         20          10               7  nothing was uploaded",
        "                                                         3  too old",
        "  query -> keywords          5          12                  a grain of its own",
        "  all other tables    written = read; nothing rejected anywhere",
    ]


def test_all_tables_one_to_one() -> None:
    """No head where there is no row."""
    plain = replace(RECEIPT, tables=(TableReceipt("users", "users", 9, 9),))
    assert accounting_lines(plain) == ["  all tables    written = read; nothing rejected anywhere"]


def test_a_table_that_does_not_add_up_is_named() -> None:
    """Never among `all other tables`."""
    wrong = replace(RECEIPT, tables=(TableReceipt("users", "users", 9, 8),))
    assert [x for x in accounting_lines(wrong) if "users" in x and " 9 " in x and " 8 " in x]
    assert "written = read" not in "".join(accounting_lines(wrong))


def test_what_else_is_counted() -> None:
    """Rules that changed nothing are not worth a line."""
    lines = count_lines(RECEIPT)
    assert "    projects.downloads  12  rules.integer" in lines
    assert [line for line in lines if "a.b" in line] == []
    assert "    recruits.id_number  1,904  no longer collected" in lines
    assert "    maintainers  17" in lines
    assert "    downloads in all  [['5']]" in lines


def test_success() -> None:
    """DONE, what now, and both ways back."""
    lines = success_lines(RECEIPT, DEED)
    done = "DONE in 40m 18s: shop_v3 is here.   Receipt: .migrate/runs/20261121-020007"
    assert lines[lines.index(done) :] == [
        done,
        "",
        "Now      1. start release 3",
        "         2. back up shop_v3: no backup of it exists yet",
        "Back     before release 3 writes:  start release 2",
        "         after it has written:    migrate 3to2   (first: migrate plan 3to2)",
    ]


def test_no_way_back_is_said() -> None:
    """Before somebody needs it."""
    lines = success_lines(RECEIPT, replace(DEED, back=""))
    assert "no 3to2.py: what release 3 wrote stays behind" in lines[-1]


def test_a_verification_says_what_is_equal() -> None:
    """Database and extract, by name."""
    lines = success_lines(replace(RECEIPT, outcome="verified", old="fixtures/v3"), DEED)
    assert ": shop_v3 equals fixtures/v3." in "".join(lines)


def test_a_rehearsal_publishes_nothing() -> None:
    """And says so; release 3 is not to be started."""
    lines = success_lines(replace(RECEIPT, outcome="rehearsed"), DEED)
    assert "rehearsed, nothing was published" in "".join(lines)
    assert lines[-1] == "Next     migrate 2to3"
    assert [line for line in lines if "start release" in line] == []


def test_nothing_to_do() -> None:
    """The same command again is a sentence."""
    lines = success_lines(replace(RECEIPT, outcome="already done", tables=()), DEED)
    assert lines == [
        "shop_v3 is here already, and what it was made from still stands: nothing to do."
    ]


def test_receipt_in_full() -> None:
    """Every table by name, stages, facts."""
    text = receipt_text(RECEIPT)
    assert "  users" in text
    assert "    2to3  extract  11m 42s" in text
    assert "    tool  0.1.0" in text


STATUS = Status(
    "shop",
    (VersionState(2, "shop_v2", exists=True), VersionState(3, "shop_v3", exists=False)),
    (
        RunState(
            "20261121-020007",
            "migrate 2to3",
            "stopped",
            "load",
            "2026-11-21T02:19:40+00:00",
            extract="complete",
            staging="unfinished",
        ),
    ),
)


def test_stopped() -> None:
    """The state of the world, then both ways out."""
    assert stopped_lines(DEED, STATUS, ["free about 13 GB on db1"], 1) == [
        "",
        "Nothing is lost and nobody has seen anything.",
        "  shop_v2  no row, table or schema of it was changed by this run",
        "  extract  complete; will be used again",
        "  staging  unfinished",
        "  shop_v3  does not exist",
        "",
        "To go on     free about 13 GB on db1",
        "             then type the same command again:",
        "                 migrate 2to3 --rehearse",
        "To give up   migrate discard 2to3     removes what is half made; loses nothing",
        "",
        "Exit 1.   Run: 20261121-020007",
    ]


def test_stopped_where_nothing_is_used_again() -> None:
    """The same command, typed again, would start from nothing."""
    fresh = replace(DEED, again="migrate 2to3 --fresh")
    assert "  extract  complete; used again without --fresh" in stopped_lines(fresh, STATUS, [], 1)


def test_what_to_type_again_is_said_once() -> None:
    """A hint may end with it, too."""
    lines = stopped_lines(DEED, STATUS, ["stop it, then type the same command again"], 1)
    at = lines.index("To go on     stop it")
    assert lines[at + 1] == "             then type the same command again:"


def test_stopped_by_a_signal() -> None:
    """No hint: the same command goes on."""
    lines = stopped_lines(DEED, STATUS, [], 130)
    at = lines.index("To go on     type the same command again:")
    assert lines[at + 1] == "                 migrate 2to3 --rehearse"
    assert lines[-1] == "Exit 130.   Run: 20261121-020007"


def test_stopped_under_a_fence() -> None:
    """FENCED is never left unsaid, and what opens it comes first."""
    fenced = replace(STATUS.versions[0], fenced=AT)
    lines = stopped_lines(DEED, replace(STATUS, versions=(fenced, STATUS.versions[1])), [], 1)
    assert f"  shop_v2  not changed by this run; FENCED since {when(AT)}: nobody can write" in lines
    at = lines.index("To give up   migrate unfence 2     then start release 2; loses nothing")
    assert lines[at + 1].strip().startswith("migrate discard 2to3")
    whole = replace(STATUS, versions=(fenced,), runs=())
    assert not any("do nothing" in line for line in stopped_lines(DEED, whole, [], 1))


def test_a_published_run_leaves_the_old_version_fenced() -> None:
    """Said at the end, with the way back; a fence that ended with the run is history."""
    deed = replace(DEED, rehearse=False)
    fence = FenceReceipt("shop_v2", AT, "root@db1", (("gunicorn", 16),), ("superusers (root)",))
    receipt = replace(RECEIPT, outcome="published", old="shop_v2", fence=fence)
    lines = success_lines(receipt, deed)
    assert any(line.startswith("Closed   shop_v2 is FENCED since") for line in lines)
    assert any("migrate unfence 2, start release 2" in line for line in lines)
    text = receipt_text(receipt)
    assert "and is closed still" in text
    assert "16 sessions ended: gunicorn 16" in text
    ended = replace(receipt, fence=replace(fence, until=AT))
    assert not any("FENCED" in line or "unfence" in line for line in success_lines(ended, deed))


def test_giving_up_where_nothing_is_half_made() -> None:
    """There is nothing to remove."""
    whole = replace(STATUS, runs=(replace(STATUS.runs[0], staging=""),))
    lines = stopped_lines(DEED, whole, [], 1)
    assert "To give up   do nothing: release 2 goes on as before" in lines


def test_nobody_has_seen_anything_is_said_only_where_it_is_so() -> None:
    """A new version that is there, or a state that cannot be read, may have been seen."""
    there = replace(STATUS, versions=(VersionState(3, "shop_v3", exists=True),))
    assert stopped_lines(DEED, there, [], 1)[1] == "Nothing is lost."
    assert stopped_lines(DEED, None, [], 1)[1] == "Nothing is lost."


def test_another_run_is_not_taken_for_this_one() -> None:
    """The last journal may be of another command."""
    other = replace(STATUS, runs=(replace(STATUS.runs[0], command="migrate load x"),))
    assert stopped_lines(DEED, other, [], 1)[-1] == "Exit 1."


def test_pages_keep_to_ninety_columns() -> None:
    """With names of ordinary length."""
    lines = [*start_lines(DEED), *success_lines(RECEIPT, DEED), *stopped_lines(DEED, STATUS, [], 1)]
    assert max(len(line) for line in lines) <= WIDTH


def test_hostile_names_are_inert() -> None:
    """F120: no page of a run lets an escape code or a line break through."""
    evil = "\x1b[2J\nDONE"
    receipt = replace(
        RECEIPT,
        old=evil,
        new=evil,
        directory=evil,
        command=evil,
        run=evil,
        tables=(TableReceipt(evil, evil, 2, 1, (LeftBehind(evil, evil, 1),)),),
        rules=(RuleCount(evil, evil, evil, 1),),
        dropped=((evil, evil, 1),),
        losses=((evil, 1),),
        sames=((evil, evil),),
        stages=(StageTime(evil, evil, 1.0),),
        facts={evil: evil},
    )
    deed = replace(DEED, name=evil, again=evil, source=evil, target=evil)
    status = replace(
        STATUS,
        versions=(VersionState(2, evil, exists=True), VersionState(3, evil, exists=False)),
        runs=(replace(STATUS.runs[0], command=f"migrate {evil}", extract=evil, staging=evil),),
    )
    lines = [
        *start_lines(deed),
        *success_lines(receipt, deed),
        *receipt_text(receipt).split("\n"),
        *stopped_lines(deed, status, [evil], 1),
    ]
    assert [line for line in lines if "\x1b" in line or "\n" in line] == []
    assert [line for line in lines if line == "DONE"] == []


def test_many_partitions_are_a_page_of_the_receipt() -> None:
    """The first of them are shown, and all are in receipt.txt."""
    many = tuple(PartitionRows("events", f"p{n}", 1000, None) for n in range(15))
    receipt = replace(RECEIPT, partitions=many)
    lines = partition_lines(receipt)
    assert lines[2].split() == ["events:", "p0", "1,000", "-"]
    assert lines[-1] == "  and 3 more: receipt.txt"
    assert len(partition_lines(receipt, whole=True)) == 2 + 15
