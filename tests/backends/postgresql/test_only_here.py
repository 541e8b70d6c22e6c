"""What only PostgreSQL has: it arrives as it was, or is refused by name."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migrators.errors import ValueRefused
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.backends.postgresql.conftest import Server
    from tests.served import Served

KEY = 'sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)'
ANIMALS = f"""
animals = sa.Table("animals", metadata, {KEY},
    sa.Column("name", sa.Text))
cats = sa.Table("cats", metadata, {KEY},
    sa.Column("name", sa.Text), sa.Column("lives", sa.Integer), postgresql_inherits="animals")
"""
FILES = f"""
files = sa.Table("files", metadata, {KEY},
    sa.Column("body", {{}}))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    """A project whose databases are on the server."""
    with served("postgresql", tmp_path / "shop") as made:
        yield made


@pytest.mark.fault("E64")
def test_rows_of_a_table_that_inherits_are_read_once(shop: Served) -> None:
    """`FROM animals` gives the cats as well; each row arrives in its own table."""
    shop.old(
        "CREATE TABLE animals (id int PRIMARY KEY, name text)",
        "CREATE TABLE cats (lives int, PRIMARY KEY (id)) INHERITS (animals)",
        "INSERT INTO animals VALUES (1, 'newt')",
        "INSERT INTO cats VALUES (2, 'Tom', 9), (3, 'Kit', 7)",
    )
    shop.schema(ANIMALS)
    shop.ran("1to2")
    for query in ("ONLY animals ORDER BY id", "animals ORDER BY id", "cats ORDER BY id"):
        text = f"SELECT * FROM {query}"
        assert shop.rows(2, text) == shop.rows(1, text)


@pytest.mark.fault("E63")
def test_a_large_object_is_refused_and_carried_by_its_bytes(shop: Served) -> None:
    """Its number alone would point to nothing in the new database."""
    shop.old(
        "CREATE TABLE files (id int PRIMARY KEY, body oid)",
        "INSERT INTO files VALUES (1, 17), (2, lo_from_bytea(0, '\\xfeed')), (3, NULL)",
    )
    shop.schema(FILES.format("postgresql.OID"))
    done = shop.run("1to2")
    assert (done.code, done.clear) == (1, True)
    assert "files.body: 1 row at id 2: points to a large object" in done.said
    assert "func.lo_get(old.files.c.body)" in done.said
    with pytest.raises(Exception, match="does not exist"):
        shop.rows(2)
    (shop.root / "schemas" / "v2.py").write_text(
        (shop.root / "schemas" / "v1.py").read_text().replace("postgresql.OID", "sa.LargeBinary")
    )
    shop.step(
        "body = sa.func.lo_get(old.files.c.body, type_=sa.LargeBinary)\n    "
        'step.table(new.files).values(body=body).drop_rows(old.files.c.id == 1, because="no file")'
    )
    shop.ran("1to2")
    assert shop.rows(2, "SELECT * FROM files ORDER BY id") == [(2, b"\xfe\xed"), (3, None)]


@pytest.mark.fault("E60")
def test_a_domain_neither_rounds_nor_cuts(server: Server) -> None:
    """COPY into a domain over numeric(4,2) rounds, with success: refused by name."""
    domain = postgresql.DOMAIN("cents", sa.Numeric(8, 4), create_type=False)
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", domain))
    before = {"postgresql": "CREATE DOMAIN cents AS numeric(4, 2); CREATE DOMAIN c2 AS cents"}
    database, schema = server.backend(), server.schema(metadata, before=before)
    database.create(schema)
    columns = schema.tables["t"].stored
    values = {"id": pa.array([7], pa.int32()), "n": pa.array([Decimal("1.2345")])}
    values = {c.name: values[c.name].cast(c.type.arrow) for c in columns}
    with pytest.raises(ValueRefused, match=r"t\.n: 1 row at id 7: has more digits"):
        database.write("t", columns, iter([pa.RecordBatch.from_pydict(values)]))
