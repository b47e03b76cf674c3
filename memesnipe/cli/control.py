"""Commands that speak to what runs already: `down`, `status`, `sql`."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from actors.context import RESOLVED
from memesnipe.cli.lock import holder
from memesnipe.errors import InputError, MemeSnipeError, first_line
from memesnipe.settings import Settings, load_settings, read_resolved
from memesnipe.storage.database import connect

_STOP_S = 90


def _home() -> Path:
    return load_settings().memesnipe_home.resolve()


def down() -> bool:
    """Stop `memesnipe up`; whether there was one.

    Raises:
        MemeSnipeError: it did not stop in time.
    """
    home = _home()
    pid = holder(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while holder(home) == pid:
        if time.monotonic() > deadline:
            raise MemeSnipeError(f"process {pid} did not stop within {_STOP_S} s; see {home / 'logs'}")
        time.sleep(0.1)
    return True


def status() -> dict[str, Any]:
    """Whether it runs, and what the API says of it."""
    home = _home()
    pid = holder(home)
    if pid is None:
        return {"running": False}
    if not (home / RESOLVED).is_file():
        return {"running": True, "pid": pid, "status": "starting", "parts": {}}
    url = f"http://127.0.0.1:{read_resolved(home / RESOLVED).dashboard_port}"
    state = {"running": True, "pid": pid, "dashboard": url}
    try:
        health = httpx.get(f"{url}/api/health", timeout=10).json()
    except (httpx.HTTPError, ValueError):
        return {**state, "status": "starting or stopping", "parts": {}}
    return {**state, **_report(url), **health}


def _report(url: str) -> dict[str, Any]:
    """The figures, or what is wrong with them: how the parts are is told without them too."""
    try:
        answer = httpx.get(f"{url}/api/report", timeout=10)
        report: dict[str, Any] = answer.json()
    except httpx.TimeoutException:
        return {"error": "the figures do not come: the database says nothing for 10 s"}
    except (httpx.HTTPError, ValueError) as error:
        return {"error": f"the figures do not come: {first_line(error)}"}
    return report


def ask(query: str) -> list[dict[str, Any]]:
    """The rows of a query.

    Raises:
        InputError: the query is wrong.
        MemeSnipeError: there is no database to ask.
    """
    home = _home()
    settings: Settings = read_resolved(home / RESOLVED) if holder(home) else load_settings()
    if settings.database_url is None:
        raise MemeSnipeError("the embedded PostgreSQL runs only while `memesnipe up` does; start it first")
    engine = connect(settings.database_url.get_secret_value())
    try:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            return [dict(row) for row in connection.execute(text(query)).mappings()]
    except DBAPIError as error:
        raise InputError(f"the query failed: {first_line(error)}") from error
    finally:
        engine.dispose()
