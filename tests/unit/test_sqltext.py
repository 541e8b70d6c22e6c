"""SQL as `sqlalchemy.text` takes it: whatever colons it has, it comes out as it was."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from migrators.schema.sqltext import as_text


def _compiled(text: str) -> str:
    """Return what SQLAlchemy writes into a CREATE TABLE."""
    column = sa.Column("c", sa.Text, server_default=sa.text(text))
    compiler = sqlite.dialect().ddl_compiler(sqlite.dialect(), None)  # type: ignore[arg-type]
    sa.Table("t", sa.MetaData(), column)
    return str(compiler.get_column_default_string(column))


@given(st.text(alphabet=":\\aä1_ '%(", max_size=9))
@example("a::int")
@example(r"\:b")
@example(r"\\:b \:: \: :b:")
@example(":$a")
@example("$:a")
def test_any_sql_comes_out_as_it_was(sql: str) -> None:
    """No colon is a parameter, no backslash is taken off."""
    assert _compiled(as_text(sql)) == sql


@pytest.mark.parametrize("sql", ["CURRENT_TIMESTAMP", "'12:30'", "a::int", "x LIKE 'a\\%'"])
def test_what_needs_no_backslash_gets_none(sql: str) -> None:
    """Files read as a person would have written them."""
    assert as_text(sql) == sql


def test_without_it_sqlalchemy_writes_null() -> None:
    """The fault that this is for; where it is gone, this room may go too."""
    assert _compiled("' :b'") == "' NULL'"
