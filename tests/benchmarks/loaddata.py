"""The same rows by `seed` and by Django's loaddata, each in a process of its own.

    python -m tests.benchmarks.loaddata FOLDER URL ROWS make|seed|loaddata

`make` writes them as a committed extract and as Django's JSON; the others print their seconds.
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_PROJECT = '[tool.migrators]\nname = "bench"\nurl = "sqlite:///bench_v{version}.db"\n'
_SCHEMA = '''"""One table of ten columns."""
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table(
    "bench_item",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("email", sa.String(120), nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("price", sa.Numeric(10, 2), nullable=False),
    sa.Column("weight", sa.Float(53)),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("made", sa.DateTime(timezone=True), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)
'''


def rows(number: int) -> list[dict[str, Any]]:
    """Return rows; the same each time."""
    chance = random.Random(20261121)
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    return [
        {
            "id": n,
            "name": f"Item {n}",
            "email": f"item{n}@example.org",
            "note": None if n % 3 else f'Said "{chance.randrange(10**9)}",\nand more',
            "price": Decimal(chance.randrange(10**6)) / 100,
            "weight": chance.random() if n % 2 else None,
            "active": bool(n % 5),
            "made": begin + timedelta(seconds=chance.randrange(10**8)),
            "day": (begin + timedelta(days=n % 900)).date(),
            "count": chance.randrange(10**6),
        }
        for n in range(1, number + 1)
    ]


def make(folder: Path, number: int) -> None:
    """Write both kinds of fixtures."""
    import pyarrow as pa

    from migrators.extracts.directory import ExtractWriter
    from migrators.project import Project
    from migrators.schema import load_schema

    (folder / "schemas").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PROJECT)
    (folder / "schemas" / "v1.py").write_text(_SCHEMA)
    schema = load_schema(Project.find(folder), 1)
    made = rows(number)
    writer = ExtractWriter(folder / "fixtures" / "v1", schema, "csv", 0o644, committed=True)
    table = schema.tables["bench_item"]
    fields = pa.schema([(c.name, c.type.arrow) for c in table.stored])
    with writer.table("bench_item", ordered=True) as out:
        out.write(pa.RecordBatch.from_pylist(made, fields))
    writer.finish()
    with (folder / "items.json").open("w") as file:
        said = [{"model": "bench.item", "pk": r.pop("id"), "fields": r} for r in made]
        json.dump(said, file, default=str)


def seed(folder: Path, url: str) -> float:
    """Return the seconds of seeding an empty database."""
    import migrators.backends.postgresql
    import migrators.backends.sqlite
    import migrators.testing.seeding  # noqa: F401  imports are not what is compared
    from migrators.testing import seed as seeded

    engine = sa.create_engine(_url(url, folder, "seed"))
    began = time.perf_counter()
    seeded(engine, folder / "fixtures" / "v1")
    seconds = time.perf_counter() - began
    with engine.begin() as connection:
        connection.execute(sa.text("DROP VIEW migrate_stamp"))
        connection.execute(sa.text("DROP TABLE bench_item"))
    engine.dispose()
    return seconds


def loaddata(folder: Path, url: str) -> float:
    """Return the seconds of loaddata into an empty table."""
    import django
    from django.conf import settings

    where = _url(url, folder, "django")
    found: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": where.database}
    if url:
        found = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": where.database,
            "USER": where.username,
            "HOST": where.host,
            "PORT": where.port,
        }
    settings.configure(DATABASES={"default": found}, USE_TZ=True)
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    model = _model()
    with connection.schema_editor() as editor:
        editor.create_model(model)
    began = time.perf_counter()
    call_command("loaddata", str(folder / "items.json"), verbosity=0)
    return time.perf_counter() - began


def _model() -> Any:
    from django.apps import apps
    from django.apps.config import AppConfig
    from django.db import models

    config = AppConfig("bench", sys.modules[__name__])
    config.apps, config.models = apps, {}
    apps.app_configs["bench"] = config
    fields = {
        "id": models.BigAutoField(primary_key=True),
        "name": models.CharField(max_length=80),
        "email": models.CharField(max_length=120),
        "note": models.TextField(null=True),
        "price": models.DecimalField(max_digits=10, decimal_places=2),
        "weight": models.FloatField(null=True),
        "active": models.BooleanField(),
        "made": models.DateTimeField(),
        "day": models.DateField(),
        "count": models.IntegerField(),
    }
    meta = type("Meta", (), {"app_label": "bench"})
    model = type("Item", (models.Model,), {**fields, "Meta": meta, "__module__": __name__})
    config.models = apps.all_models["bench"]
    return model


def _url(url: str, folder: Path, name: str) -> sa.URL:
    """Return the server's database, or a file."""
    if not url:
        return sa.URL.create("sqlite", database=str(folder / f"{name}.db"))
    return sa.make_url(url).set(drivername="postgresql+psycopg")


if __name__ == "__main__":
    place, at, count, what = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    if what == "make":
        make(place, count)
        print(0.0)
    else:
        print({"seed": seed, "loaddata": loaddata}[what](place, at))
