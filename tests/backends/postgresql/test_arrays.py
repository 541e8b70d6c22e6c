"""Arrays between JSON and the server's literal; what is no such array is named."""

from __future__ import annotations

import pyarrow as pa
import pytest

from migrators.backends.postgresql import arrays


@pytest.mark.parametrize(
    ("form", "literal"),
    [
        ("[]", "{}"),
        ("[1,null,-3.50]", '{"1",NULL,"-3.50"}'),
        ("[true,false]", "{t,f}"),
        ('["NULL","","a,b","\\"","\\\\","é"]', '{"NULL","","a,b","\\"","\\\\","é"}'),
        ("{{1,2},{3,4}}", "{{1,2},{3,4}}"),
        ("[0:1]={1,2}", "[0:1]={1,2}"),
    ],
)
def test_a_form_is_made_a_literal(form: str, literal: str) -> None:
    """Items are quoted, so that NULL is only what JSON calls null."""
    given = pa.array([None, form])
    assert arrays.odd(given).true_count == 0
    assert arrays.encode(given).to_pylist() == [None, literal]


@pytest.mark.parametrize("form", ["[1, 2]", "[[1]]", '[{"a":1}]', "[NaN]", '"x"', "[1", "1"])
def test_what_the_server_would_write_otherwise_is_odd(form: str) -> None:
    """It would come back as another text, or not at all."""
    assert arrays.odd(pa.array([form])).to_pylist() == [True]
