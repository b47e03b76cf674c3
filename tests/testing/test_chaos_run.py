"""`memesnipe chaos` spares servers of others, and its comparison finds commands that take effect elsewhere."""

from pathlib import Path

import pytest

from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage
from memesnipe.testing.chaos.run import _differences
from memesnipe.verification.audit import Recorded
from memesnipe.verification.rederivation import ConsumedOffsets, Records
from tests.cli.in_process import memesnipe


def run_with(*commands: tuple[int, int, CommandName]) -> Recorded:
    """Return a run without records, with commands by id, event and name."""
    messages = {
        command_id: CommandMessage(seq=seq, command_id=command_id, name=name, spec_id="", reason="chaos")
        for command_id, seq, name in commands
    }
    return Recorded({}, "finished", 0, {}, [], {}, messages, ConsumedOffsets(0, 0, 0, 0), Records())


def test_ids_that_a_killed_postgres_has_skipped_are_no_difference() -> None:
    expected = run_with((1, 20, CommandName.HALT), (2, 60, CommandName.RISK_RESET))
    assert _differences(run_with((1, 20, CommandName.HALT), (34, 60, CommandName.RISK_RESET)), expected) == []


def test_a_command_at_another_event_or_missing_is_a_difference() -> None:
    expected = run_with((1, 20, CommandName.HALT), (2, 60, CommandName.RISK_RESET))
    later = run_with((1, 20, CommandName.HALT), (2, 61, CommandName.RISK_RESET))
    missing = run_with((1, 20, CommandName.HALT))
    for other in (later, missing):
        (difference,) = _differences(other, expected)
        assert difference.startswith("commands: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
        ("DATABASE_URL", "postgresql://someone:else@127.0.0.1:1/theirs"),
        ("RAY_ADDRESS", "127.0.0.1:1"),
    ],
)
def test_servers_of_others_are_not_killed(tmp_path: Path, name: str, value: str) -> None:
    refused = memesnipe(tmp_path, "chaos", "--kills", "1", "--json", **{name: value})
    assert (refused.returncode, refused.stdout) == (3, "")
    assert name in refused.stderr
