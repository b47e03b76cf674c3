"""All settings, in groups by topic; the only reader of the environment and of `.env`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from memesnipe.config.api import ApiSettings
from memesnipe.config.conflicts import check_together
from memesnipe.config.env_file import check_env_file, line_of_setting, near_misses
from memesnipe.config.evolution import EvolutionSettings
from memesnipe.config.feeds import FeedSettings
from memesnipe.config.fills import FillSettings
from memesnipe.config.grouped import GroupedSettings
from memesnipe.config.installation import InstallationSettings
from memesnipe.config.lifecycle import LifecycleSettings
from memesnipe.config.live import LiveSettings
from memesnipe.config.risk import RiskSettings
from memesnipe.config.servers import ServerSettings
from memesnipe.config.simulation import SimulationSettings
from memesnipe.config.telemetry import TelemetrySettings
from memesnipe.config.trading import TradingSettings
from memesnipe.config.types import describe_error
from memesnipe.errors import SettingsError
from memesnipe.secret_file import write_secret

ENV_FILE: Final = Path(".env")
_PRINTED: set[str] = set()  # notices that this process has printed


class Settings(GroupedSettings):
    """Every setting of MemeSnipe; `settings_from` makes them from values by flat names."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, env_file_encoding="utf-8-sig", extra="forbid", frozen=True)

    trading: TradingSettings
    risk: RiskSettings
    evolution: EvolutionSettings
    simulation: SimulationSettings
    lifecycle: LifecycleSettings
    fills: FillSettings
    feeds: FeedSettings
    live: LiveSettings
    servers: ServerSettings
    installation: InstallationSettings
    api: ApiSettings
    telemetry: TelemetrySettings


def load_settings() -> Settings:
    """Read the environment and `.env`; print notices about unknown names to standard error, once per process.

    Raises:
        SettingsError: a value is invalid or contradicts another, or a name in `.env` is misspelt; the text names it.
    """
    names = [name.upper() for name in Settings.fields()]
    _print_notices([*check_env_file(ENV_FILE, names), *near_misses(os.environ, names)])
    settings = settings_from({})
    check_together(settings)
    return settings


def settings_from(values: Mapping[str, Any], *, env_file: Path | None = ENV_FILE) -> Settings:
    """Return settings with the given values, and the others from the environment, a file or the defaults.

    Args:
        values: by the names of the settings.
        env_file: the file, in the form of `.env`; None for no file.

    Raises:
        SettingsError: a value is invalid, or there is no setting of such a name.
    """
    try:
        return Settings(_env_file=env_file, **Settings.grouped(values))  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        details = [(str(detail["loc"][1]), dict(detail)) for detail in error.errors()]
        lines = (
            f"{_position(name, values, env_file)}{describe_error(name, Settings.fields().get(name), detail)}"
            for name, detail in details
        )
        raise SettingsError("; ".join(lines)) from None


def _position(name: str, values: Mapping[str, Any], env_file: Path | None) -> str:
    """Return `FILE:LINE: ` of a value in the settings file; "" for a value from another source."""
    name = name.upper()
    if env_file is None or name in {other.upper() for other in (*values, *os.environ)}:
        return ""
    line = line_of_setting(env_file, name)
    return f"{env_file}:{line}: " if line else ""


def _print_notices(notices: list[str]) -> None:
    for notice in notices:
        if notice not in _PRINTED:
            _PRINTED.add(notice)
            sys.stderr.write(f"memesnipe: note: {notice}\n")


def write_resolved(settings: Settings, path: Path) -> None:
    """Write resolved settings, secrets included, to a file that only its owner can read, for the actors.

    The file is one JSON object with the settings' flat names.
    """
    write_secret(path, orjson.dumps(settings.flat, default=_to_json).decode())


def _to_json(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def read_resolved(path: Path) -> Settings:
    """Return the settings that `up` has resolved; on a node without the file, those of its environment.

    Names that another version of MemeSnipe has written and this one lacks are ignored, with a notice.

    Raises:
        SettingsError: the file cannot be read as resolved settings.
    """
    if not path.is_file():
        return load_settings()
    try:
        values = orjson.loads(path.read_bytes())
        if not isinstance(values, dict):
            raise SettingsError("is not a JSON object")
        unknown = sorted(values.keys() - Settings.fields().keys())
        settings = settings_from({n: value for n, value in values.items() if n not in unknown}, env_file=None)
    except (OSError, ValueError, SettingsError) as error:
        raise SettingsError(f"{path}: {error}; stop `memesnipe up` and start it again") from None
    if unknown:
        _print_notices([f"{path} is of another version of MemeSnipe; ignored: {', '.join(unknown)}"])
    return settings
