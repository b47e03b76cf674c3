"""`memesnipe chaos` spares servers of others, and its comparison finds commands that take effect elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS
from memesnipe.testing.chaos.run import _differences
from memesnipe.trading.replay import Control
from memesnipe.verification.audit import Recorded
from memesnipe.verification.rederivation import ConsumedOffsets, Records
from tests.cli.in_process import memesnipe


def run_with(*commands: tuple[int, int, CommandName], controls: Sequence[Control] = ()) -> Recorded:
    """Return a run without records, with commands by id, event and name."""
    messages = [
        CommandMessage(seq=seq, command_id=command_id, name=name, spec_id="", reason="chaos")
        for command_id, seq, name in commands
    ]
    return Recorded({}, 0, {}, list(controls), {}, messages, ConsumedOffsets(0, 0, 0, 0), Records())


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


def test_a_command_on_the_other_side_of_an_allocation_is_a_difference() -> None:
    allocation, halt = Control(ALLOCATIONS, 3, 20), Control(COMMANDS, 1, 20)
    expected = run_with(controls=[allocation, halt])
    assert _differences(run_with(controls=[allocation, halt]), expected) == []
    (difference,) = _differences(run_with(controls=[halt, allocation]), expected)
    assert difference == "control 1: commands/1 after event 20, expected allocations_channel/3 after event 20"
    (difference,) = _differences(run_with(controls=[allocation]), expected)
    assert difference == "control 2: none, expected commands/1 after event 20"


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
