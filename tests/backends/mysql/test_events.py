"""Events of a schema's own SQL: found, however they are written, and made so that they wait."""

from __future__ import annotations

import pytest

from migrators.backends.mysql import events

EVERY = "ON SCHEDULE EVERY 1 DAY"


@pytest.mark.parametrize(
    ("written", "made", "name"),
    [
        (f"CREATE EVENT e {EVERY} DO SELECT 1", f"CREATE EVENT e {EVERY} DISABLE DO SELECT 1", "e"),
        (
            f"create or replace definer = `a``b`@`%` event if not exists `my e``v` {EVERY}\n"
            "on completion preserve enable comment 'do: it''s' do delete from `do`",
            f"create or replace definer = `a``b`@`%` event if not exists `my e``v` {EVERY}\n"
            "on completion preserve DISABLE comment 'do: it''s' do delete from `do`",
            "my e`v",
        ),
        (
            "CREATE DEFINER=CURRENT_USER() EVENT shop.$e -- do this\nON SCHEDULE AT now() DO BEGIN"
            " SET @a = 'ENABLE'; END",
            "CREATE DEFINER=CURRENT_USER() EVENT shop.$e -- do this\nON SCHEDULE AT now() DISABLE"
            " DO BEGIN SET @a = 'ENABLE'; END",
            "$e",
        ),
        (
            f"/*!50106 CREATE*/ /*!50117 DEFINER=`r`@`h`*/ /*!50106 EVENT `e` {EVERY} COMMENT"
            " 'DISABLE' DO SELECT 1 */",
            f" CREATE  DEFINER=`r`@`h`  EVENT `e` {EVERY} DISABLE COMMENT 'DISABLE' DO SELECT 1 ",
            "e",
        ),
    ],
)
def test_an_event_waits(written: str, made: str, name: str) -> None:
    """DISABLE stands where its clause belongs, and nothing else is another."""
    assert events.held(written) == (made, name)


@pytest.mark.parametrize(
    "written",
    [
        f"CREATE EVENT e {EVERY} DISABLE DO SELECT 1",
        f"CREATE EVENT e {EVERY} DISABLE ON SLAVE COMMENT 'c' DO SELECT 1",
        "CREATE TABLE event (do int)",
        "CREATE DEFINER=`a`@`b` VIEW event AS SELECT 'enable' do",
        "CREATE DEFINER=`a`@`b` PROCEDURE p() COMMENT 'EVENT e' DO 1",
        "CREATE DEFINER=a@b TRIGGER event BEFORE INSERT ON t FOR EACH ROW DO 1",
        "ALTER EVENT e ENABLE",
    ],
)
def test_nothing_else_is_touched(written: str) -> None:
    """What is not to run, and what is no event, is run as it is written."""
    assert events.held(written) is None
