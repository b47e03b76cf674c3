"""The database of commands: what is said while the system of the folder starts."""

from pathlib import Path

import pytest

from memesnipe.config.home import write_condition
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.database import open_database
from memesnipe.runtime.lock import acquire
from memesnipe.servers.process import free_port

_CLOSED = "postgresql+psycopg://memesnipe@127.0.0.1:{}/memesnipe"


def _open(home: Path) -> None:
    settings = settings_from({"memesnipe_home": str(home)}, env_file=None)
    with open_database(settings, create=True):
        pass


@pytest.mark.parametrize("has_settings", [True, False], ids=["later start", "first start"])
def test_a_command_during_the_start_says_that_it_starts(tmp_path: Path, *, has_settings: bool) -> None:
    if has_settings:  # those of the start before, whose database has stopped
        resolved = settings_from({"database_url": _CLOSED.format(free_port(0))}, env_file=None)
        write_resolved(resolved, tmp_path / "settings.json")
    with acquire(tmp_path):
        write_condition(tmp_path, "waits for the servers")
        with pytest.raises(MemeSnipeError, match=r"is starting \(waits for the servers\); try again when"):
            _open(tmp_path)
        write_condition(tmp_path, "")
        with pytest.raises(MemeSnipeError, match="does not respond" if has_settings else "already running"):
            _open(tmp_path)
