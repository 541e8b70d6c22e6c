"""Settings: where they come from, which win, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.config import redact, settings
from migrators.errors import CodeError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
[tool.migrators]
name = "shop"
url = "postgresql://app@db/shop_v{version}"
[tool.migrators.urls]
1 = "postgresql://app@db/shop"
"""


def _written(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    return path


def test_file_gives_all(tmp_path: Path) -> None:
    """Without flags and environment the file counts, and runs have a default."""
    found = settings(_written(tmp_path), {})
    assert found.name == "shop"
    assert found.url == "postgresql://app@db/shop_v{version}"
    assert dict(found.urls) == {1: "postgresql://app@db/shop"}
    assert found.runs == ".migrate"


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    """Each source is overridden by the one before it; an empty variable is none."""
    path = _written(tmp_path)
    environment = {"MIGRATE_NAME": "env", "MIGRATE_RUNS": "/runs"}
    assert settings(path, environment).name == "env"
    assert settings(path, environment, {"name": "flag"}).name == "flag"
    assert settings(path, environment, {"name": ""}).name == "env"
    assert settings(path, {"MIGRATE_NAME": ""}).name == "shop"
    assert settings(path, environment).runs == "/runs"


def test_another_template_means_other_servers(tmp_path: Path) -> None:
    """MIGRATE_URL sets the file's aliases aside; MIGRATE_URL_1 names one."""
    path = _written(tmp_path)
    found = settings(path, {"MIGRATE_URL": "sqlite:///t_v{version}.db", "MIGRATE_URL_1": "x://y"})
    assert found.url == "sqlite:///t_v{version}.db"
    assert dict(found.urls) == {1: "x://y"}
    assert dict(settings(path, {"MIGRATE_URL": "x://{version}"}).urls) == {}


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    """A misspelt key is never ignored."""
    with pytest.raises(UsageError) as caught:
        settings(_written(tmp_path, '[tool.migrators]\nulr = "x"\n'), {})
    assert "unknown key `ulr`" in caught.value.message
    assert caught.value.hint == ("did you mean `url`?",)


def test_template_without_placeholder_is_refused(tmp_path: Path) -> None:
    """Two versions must never be the same database; the password is not shown."""
    text = '[tool.migrators]\nurl = "postgresql://app:geheim@db/shop"\n'
    with pytest.raises(UsageError, match=r"has no \{version\}") as caught:
        settings(_written(tmp_path, text), {})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.migrators]\nname = 3\n",
        '[tool.migrators]\nurls = "x"\n',
        '[tool.migrators.urls]\nv1 = "x"\n',
        "[tool.migrators.urls]\n1 = 2\n",
    ],
)
def test_wrong_kinds_are_refused(tmp_path: Path, text: str) -> None:
    """A value of another kind is a sentence, not a traceback."""
    with pytest.raises(UsageError):
        settings(_written(tmp_path, text), {})


def test_how_many_runs_keep_their_extracts(tmp_path: Path) -> None:
    """One unless said otherwise; the environment wins, an empty variable is none."""
    assert settings(_written(tmp_path), {}).keep_extracts == 1
    path = _written(tmp_path, "[tool.migrators]\nkeep_extracts = 3\n")
    assert settings(path, {}).keep_extracts == 3
    assert settings(path, {"MIGRATE_KEEP_EXTRACTS": ""}).keep_extracts == 3
    assert settings(path, {"MIGRATE_KEEP_EXTRACTS": "0"}).keep_extracts == 0


@pytest.mark.parametrize("value", ["-1", "1.5", "true", '"2"'])
def test_a_number_of_runs_is_whole(tmp_path: Path, value: str) -> None:
    """Nothing is cleared on a guess."""
    path = _written(tmp_path, f"[tool.migrators]\nkeep_extracts = {value}\n")
    with pytest.raises(UsageError, match="must be a number of runs"):
        settings(path, {})
    with pytest.raises(UsageError, match="must be a number of runs"):
        settings(_written(tmp_path), {"MIGRATE_KEEP_EXTRACTS": value})


def test_how_many_tables_at_a_time(tmp_path: Path) -> None:
    """As many as the machine is good for unless said; the flag wins, then the environment."""
    assert settings(_written(tmp_path), {}).jobs is None
    path = _written(tmp_path, "[tool.migrators]\njobs = 3\n")
    assert settings(path, {"MIGRATE_JOBS": ""}).jobs == 3
    assert settings(path, {"MIGRATE_JOBS": "2"}).jobs == 2
    assert settings(path, {"MIGRATE_JOBS": "2"}, {"jobs": "64"}).jobs == 64


@pytest.mark.parametrize("value", ["0", "-1", "65", "1.5", "true", '"2"'])
def test_a_number_of_tables_at_a_time_is_one_that_a_server_takes(
    tmp_path: Path, value: str
) -> None:
    """Wherever it is said, that is named."""
    path = _written(tmp_path, f"[tool.migrators]\njobs = {value}\n")
    with pytest.raises(UsageError, match=r"pyproject\.toml: \[tool.migrators\] jobs must be a num"):
        settings(path, {})
    with pytest.raises(UsageError, match=r"^MIGRATE_JOBS must be a number"):
        settings(_written(tmp_path), {"MIGRATE_JOBS": value})
    with pytest.raises(UsageError, match=r"^--jobs must be a number"):
        settings(_written(tmp_path), {}, {"jobs": value})


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    """A file that is not TOML is named with its line."""
    with pytest.raises(CodeError, match=r"pyproject\.toml:2: not TOML"):
        settings(_written(tmp_path, "[tool.migrators]\nname = \n"), {})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://app:geheim@db/shop", "postgresql://app:***@db/shop"),
        ("postgresql://app:ge@he/i:m@db/shop", "postgresql://app:***@db/shop"),
        ("postgresql://:geheim@db/shop", "postgresql://:***@db/shop"),
        ("postgresql://db/s?password=geheim&x=1", "postgresql://db/s?password=***&x=1"),
        ("postgresql://db/s?sslpassword=geheim", "postgresql://db/s?sslpassword=***"),
        ("postgresql://app@db/shop_v{version}", "postgresql://app@db/shop_v{version}"),
        ("sqlite:///data/shop.db", "sqlite:///data/shop.db"),
    ],
)
def test_redact(url: str, shown: str) -> None:
    """No password leaves, wherever in the URL it stands and whatever it holds."""
    assert redact(url) == shown


def test_settings_never_show_a_url(tmp_path: Path) -> None:
    """A debugger's repr holds no URL, hence no password."""
    assert "app@db" not in repr(settings(_written(tmp_path), {}))
