"""Halt over HTTP, without loading the database's libraries, which takes longer than the halt."""

import time
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from memesnipe.config.home import RESOLVED
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.protocol.commands import CommandName, check_reason
from memesnipe.runtime.lock import holder
from memesnipe.servers import loopback

_TIMEOUT_S: Final = 2.0  # then the database is asked without it
_PATIENCE_S: Final = 15.0
_PAUSE_S: Final = 0.05


def halt(reason: str) -> dict[str, Any] | None:
    """Halt the run of this folder and wait for the outcome; None where the API does not take it up at once.

    A second halt changes nothing, so after None the caller can use the database even if this one was recorded.

    Raises:
        InputError: the reason cannot be recorded.
    """
    check_reason(reason)
    home = load_settings().memesnipe_home.resolve()
    if holder(home) is None or not (home / RESOLVED).is_file():
        return None
    settings = read_resolved(home / RESOLVED)
    token_file = settings.api_token_filename or home / "secrets" / "api_token"
    url = f"http://{loopback.HOST}:{settings.dashboard_port}/api"
    try:
        token = token_file.read_text().strip()
        asked = loopback.post(f"{url}/halt?{urlencode({'reason': reason})}", _TIMEOUT_S, token)
        if asked.status != 202:
            return None
        found = orjson.loads(asked.body)
        answer = {"run_id": found["run_id"], "command_id": found["command_id"], "command": CommandName.HALT}
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return {**answer, "outcome": _wait(f"{url}/commands?limit=50", answer["command_id"])}


def _wait(url: str, command_id: int) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            commands = orjson.loads(loopback.get(url, _TIMEOUT_S).body)
            outcome = next((c["outcome"] for c in commands if c["command_id"] == command_id), None)
        except (OSError, ValueError, LookupError, TypeError):
            break  # it is recorded; what comes of it is told later
        if outcome:
            return str(outcome)
        time.sleep(_PAUSE_S)
    return "waiting: it takes effect at the next event"
