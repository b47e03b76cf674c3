"""`memesnipe down` and `status`: what runs in this folder, and how to stop it. Loads nothing that is slow."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import orjson
import psutil

from memesnipe.config.home import RESOLVED, read_condition
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.lock import holder
from memesnipe.servers import loopback

_STOP_S = 90
_ANSWER_S = 10.0


def _home() -> Path:
    return load_settings().memesnipe_home.resolve()


def down() -> bool:
    """Stop `memesnipe up`, until its process has ended and its port is free; whether there was one.

    Raises:
        MemeSnipeError: it cannot be stopped, or has not in time; the text says what is still there.
    """
    home = _home()
    pid = holder(home)
    if pid is None:
        return False
    port = read_resolved(home / RESOLVED).dashboard_port if (home / RESOLVED).is_file() else 0
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:  # it has just ended by itself
        return True
    except PermissionError:
        raise MemeSnipeError(f"process {pid} belongs to another user: only that user or root can stop it") from None
    deadline = time.monotonic() + _STOP_S
    while remaining := _remaining(home, pid, port):
        if time.monotonic() > deadline:
            raise MemeSnipeError(f"not stopped within {_STOP_S} s: {remaining}; see {home / 'logs'}")
        time.sleep(0.1)
    return True


def _remaining(home: Path, pid: int, port: int) -> str:
    """What is still there of a process that was told to stop; "" when all of it is gone."""
    if _is_alive(pid):
        return f"process {pid} still runs"
    if port and holder(home) is None and loopback.is_listened_to(port):
        return f"process {pid} has ended, but port {port} of the dashboard is still in use"
    return ""


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that its parent has not asked after yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def status() -> dict[str, Any]:
    """Whether it runs, and what the API says of it."""
    home = _home()
    pid = holder(home)
    if pid is None:
        return {"running": False}
    if not (home / RESOLVED).is_file():
        return {"running": True, "pid": pid, "status": "starting", "detail": "", "parts": {}}
    url = f"http://127.0.0.1:{read_resolved(home / RESOLVED).dashboard_port}"
    state = {"running": True, "pid": pid, "dashboard": url}
    try:
        health = _get(f"{url}/api/health")
    except (OSError, ValueError):
        # The page is a part of Ray: what happens to that is told by a file.
        return {**state, "status": "starting or stopping", "detail": read_condition(home), "parts": {}}
    return {**state, **_report(url), **health}


def _report(url: str) -> dict[str, Any]:
    """The figures, or what is wrong with them: how the parts are is told without them too."""
    try:
        return _get(f"{url}/api/report")
    except TimeoutError:
        return {"error": f"the figures do not come: the database says nothing for {_ANSWER_S:g} s"}
    except (OSError, ValueError) as error:
        return {"error": f"the figures do not come: {getattr(error, 'reason', error)}"}


def ask_api(dashboard: str, what: str) -> dict[str, Any]:
    """An answer of the API: the JSON object at `/api/...`.

    Raises:
        OSError: nobody answers.
        ValueError: the answer is no JSON.
    """
    return _get(f"{dashboard}/api/{what}")


def _get(url: str) -> dict[str, Any]:
    """The JSON object at an address, whatever the status it comes with.

    Raises:
        OSError: nobody answers; TimeoutError where that took too long.
        ValueError: the answer is no JSON.
    """
    found: dict[str, Any] = orjson.loads(loopback.get(url, timeout_s=_ANSWER_S).body)
    return found
