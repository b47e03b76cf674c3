"""Settings are checked at the start, and errors never contain secrets."""

import json
import stat
from pathlib import Path

import pytest

from memesnipe.config.example import env_example
from memesnipe.config.settings import Settings, load_settings, read_resolved, settings_from, write_resolved
from memesnipe.config.types import range_of
from memesnipe.errors import SettingsError
from memesnipe.roles.feed_endpoints import endpoints_of
from memesnipe.testing.chaos.replay import QUICK


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.fields():
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DASHBOARD_PORT", "99999", "DASHBOARD_PORT is '99999'"),
        ("MUTATION_RATE", "1.5", "must be a number from 0 to 1"),
        ("INITIAL_CAPITAL_USD", "inf", "must be a number from 0.01 to 1000000000"),
        ("MIN_SHARPE_TO_STAY", "nan", "must be a number from -1000000 to 1000000"),
        ("LATENCY_MS", "99999999999999999", "must be a whole number from 0 to 600000"),
        ("SEED", "9" * 40, "must be a whole number from 0 to 9223372036854775807"),
        ("DATABASE_URL", "postgresql://me:secret@host:99999999/db", "its port must be from 1 to 65535"),
        ("DATABASE_URL", "postgresql://me:secret@host:many/db", "must be like postgresql://USER"),
        ("REDIS_URL", "redis://:secret@host:many/0", "must be like redis://HOST:PORT/DB"),
        ("REDIS_URL", "redis://:secret@host/first", "its database, behind the last /, must be a number"),
        ("MEMESNIPE_HOME", "x" * 300, "is too long"),
        ("STRATEGY_PATH", "~nobody-of-that-name/mine", "cannot be found"),
        ("POPULATION_SIZE", "many", "POPULATION_SIZE is 'many'"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("DATABASE_URL", "mysql://me:secret@host/db", "must start with postgresql://"),
        ("REDIS_URL", "http://:secret@host", "must start with redis://"),
        ("SOLANA_WS_URL", "https://host/?api-key=secret", "must be like wss://HOST/PATH"),
        ("SOLANA_WS_URL", "wss://host/secret, ", "must be like wss://HOST/PATH"),
        ("SOLANA_WS_URL", "wss://host:99999/secret", "must be like wss://HOST/PATH"),
        ("SOLANA_WS_URL", "wss://[secret", "must be like wss://HOST/PATH"),
        ("SOLANA_RPC_URL", "wss://host/secret", "must be like https://HOST/PATH"),
        ("SOLANA_RPC_URL", "https://host:99999/?api-key=secret", "must be like https://HOST/PATH"),
        ("SOLANA_WS_URL", "wss://host/secret,wss://host/secret", "names a URL twice"),
        ("PYTH_URL", "pyth.example.org", "must be like https://HOST/PATH"),
        ("PYTH_URL", "https://host/ hermes", "must be like https://HOST/PATH"),
        ("PYTH_URL", "https://host:0", "must be like https://HOST/PATH"),
        ("JUPITER_API_URL", "https:///price", "must be like https://HOST/PATH"),
        ("HELIUS_WS_URL", "wss://host/?api-key=secret", "must have no password and no query"),
        ("SOCIAL_CASHTAGS", "BONK=short", "must be like TICKER=MINT"),
        ("SOCIAL_CASHTAGS", f"BONK={'A' * 40},$bonk={'B' * 40}", "names a ticker twice"),
        ("JUPITER_API_KEY", "two secret", "must be a key of visible ASCII characters"),
        ("PYTH_API_KEY", "secret\u00e4", "must be a key of visible ASCII characters"),
    ],
)
def test_the_error_of_an_invalid_value_names_the_variable_and_the_range(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    line = str(caught.value)
    assert name in line
    assert expected in line
    assert "\n" not in line
    assert "secret" not in line


def test_the_environment_overrides_the_file_and_the_file_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("POPULATION_SIZE=17\nARENA_SIZE=8\nUNKNOWN_SETTING=1\nREDIS_URL=\n")
    monkeypatch.setenv("ARENA_SIZE", "9")
    settings = load_settings()
    assert (settings.evolution.population_size, settings.simulation.arena_size, settings.evolution.tournament_size) == (
        17,
        9,
        3,
    )
    assert settings.servers.redis_url is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"# caf\xe9\nSEED=3\n", ".env:1: byte 6 of the line is 0xe9, which is not UTF-8"),
        (b"SEED=3\n\n  SLIPAGE_BPS=50\n", ".env:3: there is no setting SLIPAGE_BPS; did you mean SLIPPAGE_BPS?"),
        (
            b"\nMAX_POSITION_USD=5\n",
            ".env:2: there is no setting MAX_POSITION_USD; did you mean GLOBAL_MAX_POSITION_USD?",
        ),
        (b"MEMESNIPE_LATENCY=5\n", ".env:1: there is no setting MEMESNIPE_LATENCY; did you mean LATENCY_MS?"),
        (b"MEMESNIPE_SEED=5\n", ".env:1: there is no setting MEMESNIPE_SEED; did you mean SEED?"),
        (b"SEED=3\n# again\nseed=4\n", ".env:3: SEED is already set in line 1"),
        (b"\nSEED\n", ".env:2: SEED has no value"),
        (b"SEED=3\n= 4\n", ".env:2: is not of the form NAME=VALUE"),
        (b"SEED=3\nARENA_SIZE='4\n", ".env:2: is not of the form NAME=VALUE"),
        (b"STRATEGY_PATH='a\nSEED=3'\n", ".env:1: the value of STRATEGY_PATH contains a control character"),
        (b"SEED=\x003\n", ".env:1: contains a zero byte"),
        ("SEED=3".encode("utf-16"), ".env:1: byte 1 of the line is 0xff"),
        (b"#" * (1 << 20) + b"\n", ".env: is larger than"),
    ],
)
def test_the_error_of_an_invalid_settings_file_names_the_line(tmp_path: Path, text: bytes, expected: str) -> None:
    (tmp_path / ".env").write_bytes(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_ignored_and_a_folder_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("SEED=3\n".encode("utf-8-sig"))
    assert load_settings().simulation.seed == 3
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"^\.env: is not a settings file"):
        load_settings()


def test_ignored_names_are_printed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("memesnipe.config.settings._PRINTED", set())
    monkeypatch.setenv("SLIPAGE_BPS", "5")
    monkeypatch.setenv("MEMESNIPE_DASHBOARD_PORT", "5")
    (tmp_path / ".env").write_text("COMPOSE_PROJECT_NAME=x\n\nPOPULATION=y\n")
    load_settings()
    load_settings()
    first, second, third = capsys.readouterr().err.splitlines()
    assert (
        first == "memesnipe: note: .env contains names that are not settings of MemeSnipe, "
        "ignored: COMPOSE_PROJECT_NAME (line 1), POPULATION (line 3, the nearest setting is POPULATION_SIZE)"
    )
    assert "MEMESNIPE_DASHBOARD_PORT is not a setting" in second
    assert "did you mean DASHBOARD_PORT?" in second
    assert "SLIPAGE_BPS" in third
    assert "did you mean SLIPPAGE_BPS?" in third


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"POPULATION_SIZE": "7"}, "SPECS_PER_GENERATION is 8 and POPULATION_SIZE is 7: no more genomes can be chosen"),
        ({"ARENA_SIZE": "7"}, "SPECS_PER_GENERATION is 8 and ARENA_SIZE is 7"),
        ({"TOURNAMENT_SIZE": "51"}, "TOURNAMENT_SIZE is 51 and POPULATION_SIZE is 50"),
        ({"MAX_STRATEGY_SHARE_PERCENT": "90"}, "MAX_STRATEGY_SHARE_PERCENT is 90 and MAX_INVESTED_SHARE_PERCENT is 80"),
        (
            {"MIN_SHARPE_TO_STAY": "5"},
            "MIN_SHARPE_TO_STAY is 5 and MIN_SHARPE_FOR_PROMOTION is 0.5: a promoted strategy",
        ),
        (
            {"MIN_PRIORITY_FEE_LAMPORTS": "300001"},
            "MIN_PRIORITY_FEE_LAMPORTS is 300001 and MAX_PRIORITY_FEE_LAMPORTS is 300000: no priority fee",
        ),
        ({"MAX_TIP_LAMPORTS": "999"}, "MIN_TIP_LAMPORTS is 1000 and MAX_TIP_LAMPORTS is 999: no tip is within"),
        ({"BID_MAX_AGE_SECS": "9"}, "BID_REFRESH_SECS is 10 and BID_MAX_AGE_SECS is 9: every estimate"),
        (
            {"SENDER_URL": "https://sender.example.org", "SENDER_TIP_ACCOUNT": "4" * 40},
            "MIN_TIP_LAMPORTS is 1000 and SENDER_URL is set: the Sender takes no tip below 1000000 lamports",
        ),
        (
            {"DASHBOARD_PORT": "81", "EXECUTOR_METRICS_PORT": "81"},
            "DASHBOARD_PORT and EXECUTOR_METRICS_PORT are",
        ),
        ({"MEMESNIPE_HOME": "file"}, "MEMESNIPE_HOME is 'file': that is not a folder"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], expected: str
) -> None:
    (tmp_path / "file").touch()
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(expected)


def test_the_quick_settings_of_chaos_are_consistent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    assert load_settings().lifecycle.min_sharpe_for_promotion == -1000.0


def test_every_number_has_a_range() -> None:
    numbers = [name for name, field in Settings.fields().items() if field.annotation in (int, float)]
    assert len(numbers) > 40
    assert [name for name in numbers if not range_of(Settings.fields()[name])] == []


def test_the_example_lists_every_setting_with_its_meaning() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    assert example == env_example(), "run: python -m memesnipe.config.example > .env.example"


def test_the_example_gives_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(env_example())
    assert load_settings() == settings_from({}, env_file=None)


def test_resolved_settings_are_passed_in_a_private_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@host/db")
    settings = load_settings()
    assert "secret" not in repr(settings) + str(settings) + str(settings.deciding)
    path = tmp_path / "settings.json"
    write_resolved(settings, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setenv("POPULATION_SIZE", "99")
    read = read_resolved(path)
    assert read == settings
    assert read.servers.database_url is not None
    assert read.servers.database_url.get_secret_value() == "postgresql+psycopg://me:secret@host/db"


def test_keys_of_feeds_are_shown_nowhere_and_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLANA_WS_URL", "wss://a.example.org/?api-key=secret , wss://b.example.org/secret")
    monkeypatch.setenv("SOLANA_RPC_URL", "https://rpc.example.org/?api-key=secret")
    monkeypatch.setenv("PYTH_API_KEY", "secret1")
    monkeypatch.setenv("JUPITER_API_KEY", "")
    monkeypatch.setenv("SIGNALS_FILE", "mine.jsonl")
    monkeypatch.setenv("SOCIAL_CASHTAGS", f"$moon = {'A' * 40}, MOO={'B' * 40}")
    settings = load_settings()
    write_resolved(settings, tmp_path / "settings.json")
    endpoints = endpoints_of(read_resolved(tmp_path / "settings.json"))
    assert endpoints.solana_ws_urls == ("wss://a.example.org/?api-key=secret", "wss://b.example.org/secret")
    assert endpoints.solana_rpc_url == "https://rpc.example.org/?api-key=secret"
    assert (endpoints.pyth_api_key, endpoints.jupiter_api_key) == ("secret1", None)
    assert endpoints.cashtags == {"MOON": "A" * 40, "MOO": "B" * 40}
    assert endpoints.signals_file == tmp_path / "mine.jsonl"
    assert "secret" not in repr(settings) + str(settings.feeds) + repr(endpoints)


def test_the_url_of_a_service_contains_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("https://me:pw@host/", "https://host/?key=pw"):
        monkeypatch.setenv("PYTH_URL", url)
        with pytest.raises(SettingsError, match="must have no password and no query; keys have settings of their own"):
            load_settings()


def test_no_deciding_setting_is_secret() -> None:
    deciding = settings_from({}, env_file=None).deciding
    assert not [name for name in deciding if "url" in name or "key" in name]


def test_a_name_is_in_one_group_only() -> None:
    names = [name for group in Settings.groups().values() for name in group.model_fields]
    assert len(names) == len(set(names)) == len(Settings.fields())
    assert not set(names) & set(Settings.groups())


def test_the_deciding_settings_change_deliberately() -> None:
    """A run is resumed only with the same ones: a change of names or defaults ends all runs that go on."""
    recorded = json.loads((Path(__file__).parent / "deciding_24_0_0.json").read_text())
    assert json.loads(json.dumps(settings_from({}, env_file=None).deciding)) == recorded


def test_a_changed_copy_keeps_the_other_settings() -> None:
    settings = settings_from({"seed": 3, "arena_size": 9}, env_file=None)
    changed = settings.changed(seed=4, dashboard_port=81)
    assert changed.flat == settings.flat | {"seed": 4, "dashboard_port": 81}
    assert changed.given - settings.given == {"dashboard_port"}
    assert settings.simulation.seed == 3
    with pytest.raises(SettingsError, match="there is no setting sed; the nearest is seed"):
        settings.changed(sed=4)
    with pytest.raises(SettingsError, match="there is no setting arena; the nearest is arena_size"):
        settings_from({"arena": 4})


def test_resolved_settings_of_another_version_are_read_with_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("memesnipe.config.settings._PRINTED", set())
    path = tmp_path / "settings.json"
    path.write_text('{"dashboard_port": 81, "redis_url": null, "removed_setting": 5}')
    settings = read_resolved(path)
    assert (settings.api.dashboard_port, settings.servers.redis_url) == (81, None)
    assert capsys.readouterr().err.endswith("is of another version of MemeSnipe; ignored: removed_setting\n")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"dashboard_port": 0}', '{"seed": null}'])
def test_the_error_of_unreadable_resolved_settings_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_resolved(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("; stop `memesnipe up` and start it again")
    assert "\n" not in str(caught.value)


def test_the_error_of_an_invalid_value_in_the_file_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("# mine\n\nSEED=1\nLATENCY_MS=abc\nLOG_LEVEL=LOUD\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(".env:4: LATENCY_MS is 'abc': must be a whole number from 0 to 600000; ")
    assert ".env:5: LOG_LEVEL is 'LOUD': must be 'DEBUG'," in str(caught.value)
    monkeypatch.setenv("LATENCY_MS", "def")
    with pytest.raises(SettingsError, match=r"^LATENCY_MS is 'def'"):
        load_settings()
