"""An installation whose API is a test's server, for commands that look at a running system."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.runtime.lock import acquire
from tests.http_receiver import HttpReceiver


@contextmanager
def running_api(folder: Path, monkeypatch: pytest.MonkeyPatch, server: HttpReceiver) -> Iterator[None]:
    """Make a folder the home of a running system with the server as its API, and close the server at the end."""
    monkeypatch.setenv("MEMESNIPE_HOME", str(folder))
    try:
        with acquire(folder):
            write_resolved(settings_from({"dashboard_port": server.port}, env_file=None), folder / "settings.json")
            yield
    finally:
        server.close()
