"""`memesnipe down` and `status` for the system in this folder; loads no slow module."""

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from memesnipe.cli.account_figures import read_report
from memesnipe.cli.options import BACKGROUND_OPTION
from memesnipe.config.home import STARTING, STOPPING, Home, read_condition
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.errors import MemeSnipeError, SettingsError
from memesnipe.runtime.lock import holder
from memesnipe.servers import loopback

if TYPE_CHECKING:
    from memesnipe.client import Client

_STOP_S = 90
_TIMEOUT_S = 10.0


def _home() -> Path:
    return load_settings().installation.memesnipe_home.resolve()


def down() -> bool:
    """Stop `memesnipe up`, and wait until its process has ended and its port is free; return whether it was running.

    Raises:
        MemeSnipeError: it cannot be stopped, or has not stopped in time; the text names what remains.
    """
    home = _home()
    pid = holder(home)
    if pid is None:
        return False
    port = _port(home)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:  # it has ended meanwhile
        return True
    except PermissionError:
        raise MemeSnipeError(f"process {pid} belongs to another user: only that user or root can stop it") from None
    deadline = time.monotonic() + _STOP_S
    while remaining := _remaining(home, pid, port):
        if time.monotonic() > deadline:
            raise MemeSnipeError(f"not stopped within {_STOP_S} s: {remaining}; see {Home(home).logs}")
        time.sleep(0.1)
    return True


def _port(home: Path) -> int:
    """Return the port of the running dashboard; 0 if it is not known, which must not keep the system from stopping."""
    try:
        return read_resolved(Home(home).settings).api.dashboard_port if Home(home).settings.is_file() else 0
    except SettingsError:
        return 0


def _remaining(home: Path, pid: int, port: int) -> str:
    """Return what remains of a process that was sent SIGTERM; "" when its process has ended and its port is free."""
    if _is_alive(pid):
        return f"process {pid} still runs"
    if port and holder(home) is None and loopback.is_listened_to(port):
        return f"process {pid} has ended, but port {port} of the dashboard is still in use"
    return ""


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_detached(pid: int) -> bool:
    """Return whether a process was started by `memesnipe up --detach`."""
    try:
        return BACKGROUND_OPTION in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def status() -> dict[str, Any]:
    """Return whether the system runs, and its state from the API."""
    home = _home()
    pid = holder(home)
    if pid is None:
        return {"running": False}
    if not Home(home).settings.is_file():
        return {"running": True, "pid": pid, **status_without_page(home)}
    url = f"http://127.0.0.1:{read_resolved(Home(home).settings).api.dashboard_port}"
    state = {"running": True, "pid": pid, "detached": _is_detached(pid), "dashboard": url}

    from memesnipe.client import ApiError, Client  # noqa: PLC0415 - httpx is slow to load

    with Client(url, timeout_s=_TIMEOUT_S) as client:
        try:
            health = client.health().model_dump()
        except ApiError:
            return {**state, **status_without_page(home)}
        return {**state, **_report(client), **health}


def status_without_page(home: Path) -> dict[str, Any]:
    """Return the status of a system whose API does not answer: it runs inside Ray, whose condition is in a file."""
    condition = read_condition(home)
    if condition.startswith(STARTING):
        return {"status": "starting", "detail": condition, "parts": {}}
    if condition == STOPPING:
        return {"status": "stopping", "detail": "waits for the end of its parts", "parts": {}}
    if condition:
        return {"status": "restarting", "detail": condition, "parts": {}}
    return {"status": "unknown", "detail": "the page does not answer; see the output of `memesnipe up`", "parts": {}}


def _report(client: "Client") -> dict[str, Any]:
    """Return the report with the figures of each account, or {"error": reason}, as the parts are shown without it."""
    from memesnipe.client import ApiError, UnreachableError  # noqa: PLC0415 - as above

    try:
        report, accounts = read_report(client)
        return {"mode": list(accounts)[-1], **report, "accounts": accounts}
    except UnreachableError:
        return {"error": f"no report: the database has not responded for {_TIMEOUT_S:g} s"}
    except ApiError as error:
        return {"error": f"no report: {error}"}
