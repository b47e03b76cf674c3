"""Halt a run by file and over HTTP, without loading the database libraries: that takes longer than the halt itself."""

import time
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import orjson

from memesnipe import halt_file
from memesnipe.config.home import Home
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.commands import WAITING, CommandName, check_reason, is_effective
from memesnipe.runtime.lock import holder
from memesnipe.servers import loopback

_TIMEOUT_S: Final = 2.0
# Then the caller records the halt in the database itself. The API records one for 3 s at most: never after that.
_ACCEPT_S: Final = 3.5
_OUTCOME_WAIT_S: Final = 15.0
_PAUSE_S: Final = 0.05


class KillFile(NamedTuple):
    """What became of the kill file of a folder."""

    has_run: bool  # whether there is a run that will halt
    problem: str  # why the file is missing; "" where it is not
    was_there: bool  # whether everything was halted by it before


def write_kill_file(reason: str) -> KillFile:
    """Write the kill file of this folder.

    Raises:
        InputError: the reason cannot be recorded; nothing is written.
    """
    check_reason(reason)
    settings = load_settings()
    home = settings.installation.memesnipe_home.resolve()
    path, problem = Home(home).signer_halt, ""
    was_there = halt_file.halt_level(path) is halt_file.HaltLevel.ALL
    try:
        halt_file.halt(path)
    except OSError as error:
        problem = f"the signer does not stop: {path} cannot be written: {error.strerror}"
    # With a database elsewhere the run may be on another machine.
    has_run = holder(home) is not None or settings.servers.database_url is not None
    return KillFile(has_run, problem, was_there)


def remove_kill_file() -> bool:
    """Remove the kill file of this folder; return whether there was one.

    Raises:
        MemeSnipeError: it cannot be removed.
    """
    path = Home(load_settings().installation.memesnipe_home.resolve()).signer_halt
    try:
        return halt_file.resume(path)
    except OSError as error:
        raise MemeSnipeError(f"{path} cannot be removed: {error.strerror}") from None


def halt(reason: str) -> dict[str, Any] | None:
    """Halt the run of this folder and wait for the outcome; return None when the API does not accept it at once.

    A second halt changes nothing, so after None the caller can use the database even if this halt was recorded.

    Raises:
        InputError: the reason cannot be recorded.
    """
    check_reason(reason)
    home = load_settings().installation.memesnipe_home.resolve()
    if holder(home) is None or not Home(home).settings.is_file():
        return None
    settings = read_resolved(Home(home).settings)
    token_file = settings.installation.api_token_filename or Home(home).token
    url = f"http://{loopback.HOST}:{settings.api.dashboard_port}/api"
    try:
        token = token_file.read_text().strip()
        reply = loopback.post(f"{url}/halt?{urlencode({'reason': reason})}", _ACCEPT_S, token)
        if reply.status != 202:
            return None
        found = orjson.loads(reply.body)
        answer = {"run_id": found["run_id"], "command_id": found["command_id"], "command": CommandName.HALT}
    except (OSError, ValueError, LookupError, TypeError):
        return None
    outcome = _wait(f"{url}/commands?limit=50", answer["command_id"])
    return {**answer, "outcome": outcome, "effective": is_effective(outcome)}


def _wait(url: str, command_id: int) -> str:
    deadline = time.monotonic() + _OUTCOME_WAIT_S
    while time.monotonic() < deadline:
        try:
            commands = orjson.loads(loopback.get(url, _TIMEOUT_S).body)
            outcome = next((c["outcome"] for c in commands if c["command_id"] == command_id), None)
        except (OSError, ValueError, LookupError, TypeError):
            break  # the command is recorded; its outcome is not known yet
        if outcome:
            return str(outcome)
        time.sleep(_PAUSE_S)
    return WAITING
