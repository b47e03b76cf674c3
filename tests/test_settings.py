"""Settings are checked at the start, and secrets are not told."""

import stat
from pathlib import Path

import pytest

from memesnipe.bus.redis_bus import READ_LIMIT
from memesnipe.bus.streams import KEEP_EVENTS, MAX_IN_FLIGHT
from memesnipe.errors import RefusedError, SettingsError
from memesnipe.settings import DECIDING, Settings, env_example, load_settings, read_resolved, write_resolved


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DASHBOARD_PORT", "99999", "DASHBOARD_PORT is '99999'"),
        ("MUTATION_RATE", "1.5", "less than or equal to 1"),
        ("POPULATION_SIZE", "many", "POPULATION_SIZE is 'many'"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("DATABASE_URL", "mysql://me:secret@host/db", "must start with postgresql://"),
        ("REDIS_URL", "http://:secret@host", "must start with redis://"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_variable_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    line = str(caught.value)
    assert name in line
    assert told in line
    assert "\n" not in line
    assert "secret" not in line


@pytest.mark.parametrize(("name", "value"), [("LIVE_TRADING_ENABLED", "true"), ("PAPER_TRADING_MODE", "false")])
def test_live_trading_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RefusedError, match="LIVE_TRADING_ENABLED=false"):
        load_settings()


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("POPULATION_SIZE=7\nARENA_SIZE=8\nUNKNOWN_SETTING=1\nREDIS_URL=\n")
    monkeypatch.setenv("ARENA_SIZE", "9")
    settings = load_settings()
    assert (settings.population_size, settings.arena_size, settings.tournament_size) == (7, 9, 3)
    assert settings.redis_url is None


def test_the_window_of_a_generation_is_in_redis_however_far_its_reader_is_behind() -> None:
    [most] = [m.le for m in Settings.model_fields["tape_window_events"].metadata if hasattr(m, "le")]
    assert 0 < most <= KEEP_EVENTS - MAX_IN_FLIGHT - READ_LIMIT


def test_every_setting_is_in_the_example_with_its_meaning() -> None:
    example = (Path(__file__).parents[1] / ".env.example").read_text()
    assert example == env_example(), "run: python -m memesnipe.settings > .env.example"


def test_the_example_gives_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(env_example())
    assert load_settings() == Settings(_env_file=None)  # type: ignore[call-arg]


def test_what_up_decided_reaches_the_actors_through_a_file_that_only_we_can_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@host/db")
    settings = load_settings()
    assert "secret" not in repr(settings) + str(settings) + str(settings.deciding)
    path = tmp_path / "settings.json"
    write_resolved(settings, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setenv("POPULATION_SIZE", "99")
    read = read_resolved(path)
    assert read == settings
    assert read.database_url is not None
    assert read.database_url.get_secret_value() == "postgresql+psycopg://me:secret@host/db"


def test_no_secret_decides_anything() -> None:
    assert not [name for name in DECIDING if "url" in name or "key" in name]
