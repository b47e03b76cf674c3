"""The comparison of two replays: commands are equal whatever their ids, and not if they take effect elsewhere."""

from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage
from memesnipe.testing.chaos.run import _differences
from memesnipe.verification.audit import Recorded
from memesnipe.verification.rederivation import ConsumedOffsets, Records


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
