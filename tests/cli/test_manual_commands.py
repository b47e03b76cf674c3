"""A halt whose answer over HTTP did not arrive in time is one action in the audit log, not two."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.cli.manual_commands import send_command
from memesnipe.protocol.commands import CommandName
from memesnipe.storage.actions import actions, by_token
from memesnipe.storage.command_submission import submit
from memesnipe.storage.rows import Page


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)


def over_http(database: sa.Engine) -> int:
    """Record a halt as the API does."""
    who, deadline = by_token("127.0.0.1"), time.monotonic() + 60
    return submit(database, CommandName.HALT, reason="enough", deadline=deadline, who=who).command_id


def recorded(database: sa.Engine, run_id: int) -> int:
    with database.connect() as connection:
        return actions(connection, run_id, Page(10)).total


def test_the_halt_that_was_recorded_over_http_is_taken(database: sa.Engine, new_run: int) -> None:
    began = time.monotonic()
    number = over_http(database)
    assert send_command("halt", "", "enough", began)["command_id"] == number
    assert recorded(database, new_run) == 1


@pytest.mark.parametrize("other", ["an earlier one", "another reason", "no try before"])
def test_another_halt_is_another_action(database: sa.Engine, new_run: int, other: str) -> None:
    number = over_http(database)
    reason = "more" if other == "another reason" else "enough"
    send = send_command("halt", "", reason, None if other == "no try before" else time.monotonic())
    assert send["command_id"] != number
    assert recorded(database, new_run) == 2
