"""A changed `.env` is taken over where a setting allows it, and everything else is said."""

from pathlib import Path

import pytest

from memesnipe.config.group import decides, reloadable
from memesnipe.config.reload import EnvChanges, EnvWatch, ResolvedWatch
from memesnipe.config.settings import Settings, load_settings, write_resolved


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.fields():
        monkeypatch.delenv(name.upper(), raising=False)


def changed(watch: EnvWatch, text: str) -> EnvChanges | None:
    Path("new").write_text(text)
    Path("new").replace(".env")  # another file at once, whatever the resolution of its time
    return watch.poll()


def test_no_setting_that_decides_a_run_is_reloadable() -> None:
    fields = Settings.fields()
    found = {name for name, field in fields.items() if reloadable(field)}
    assert {"log_level", "max_feed_silence_secs"} <= found
    assert not any(decides(fields[name]) for name in found)


def test_a_new_value_is_taken_over_once_and_said() -> None:
    watch = EnvWatch()
    assert watch.poll() is None
    found = changed(watch, "LOG_LEVEL=DEBUG\nMAX_FEED_SILENCE_SECS=30\n")
    assert found is not None
    assert found.reloaded == {"log_level": "DEBUG", "max_feed_silence_secs": 30}
    assert found.sentences == ["LOG_LEVEL is DEBUG now.", "MAX_FEED_SILENCE_SECS is 30 now."]
    assert watch.poll() is None
    assert changed(watch, "LOG_LEVEL=DEBUG\nMAX_FEED_SILENCE_SECS=30\n# a comment\n") is None
    Path(".env").unlink()
    found = watch.poll()
    assert found is not None and found.reloaded == {"log_level": "INFO", "max_feed_silence_secs": 0}


def test_other_settings_wait_for_the_next_start() -> None:
    watch = EnvWatch()
    watch.poll()
    found = changed(watch, "POPULATION_SIZE=60\nDASHBOARD_PORT=8090\nJUPITER_API_KEY=secret\n")
    assert found is not None and found.reloaded == {}
    assert found.sentences == [
        "POPULATION_SIZE was changed, which begins a new run at the next start of `memesnipe up`.",
        "JUPITER_API_KEY was changed, which takes effect at the next start of `memesnipe up`.",
        "DASHBOARD_PORT was changed, which takes effect at the next start of `memesnipe up`.",
    ]


def test_an_invalid_file_changes_nothing_and_is_said() -> None:
    watch = EnvWatch()
    watch.poll()
    found = changed(watch, "LOG_LEVEL=LOUD\n")
    assert found is not None and found.reloaded == {}
    (sentence,) = found.sentences
    assert sentence.startswith(".env is not valid, and the settings stay as they are: .env:1: LOG_LEVEL is 'LOUD'")
    found = changed(watch, "LOG_LEVEL=ERROR\n")
    assert found is not None and found.reloaded == {"log_level": "ERROR"}


def test_actors_see_the_reloadable_values_of_the_resolved_file(tmp_path: Path) -> None:
    settings, path = load_settings(), tmp_path / "settings.json"
    watch = ResolvedWatch(path)
    assert watch.changes(settings) == {}
    write_resolved(settings.changed(log_level="ERROR", dashboard_port=9), path)
    assert watch.changes(settings) == {"log_level": "ERROR"}
    assert watch.changes(settings) == {}
