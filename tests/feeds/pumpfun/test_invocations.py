"""Data counts for the program whose invocation is the innermost open one."""

from memesnipe.feeds.pumpfun.invocations import DataLine, attribute
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM
from memesnipe.testing.pumpfun_frames import invocation

OTHER = "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj"


def lines_of(logs: list[str]) -> list[DataLine]:
    return attribute(logs).lines


def test_the_innermost_open_program_wrote_the_data() -> None:
    inner = invocation(PUMP_AMM, ["Program data: aaaa"], depth=2)
    logs = invocation(PUMP, [*inner, "Program data: bbbb"])
    assert attribute(logs) == ([DataLine(PUMP_AMM, "aaaa"), DataLine(PUMP, "bbbb")], 0, False, False)


def test_a_foreign_program_is_not_taken_wherever_it_stands() -> None:
    foreign = ["Program data: ffff"]
    logs = invocation(PUMP, invocation(OTHER, foreign, depth=2)) + invocation(OTHER, foreign) + foreign
    logs += invocation(OTHER, [*invocation(PUMP, ["Program data: aaaa"], depth=2), *foreign])
    assert lines_of(logs) == [DataLine(PUMP, "aaaa")]


def test_a_program_cannot_imitate_an_invocation_by_a_log() -> None:
    imitation = [
        f"Program log: Program {PUMP} invoke [2]",
        "Program data: ffff",
        f"Program log: Program {PUMP} success",
    ]
    assert attribute(invocation(OTHER, imitation)) == ([], 0, False, False)


def test_a_copy_is_left_out_and_counted() -> None:
    logs = invocation(PUMP, ["Program data: aaaa", *invocation(PUMP, ["Program data: aaaa"], depth=2)])
    again = invocation(PUMP, ["Program data: bbbb"]) + invocation(PUMP, ["Program data: aaaa"])
    found = attribute(logs + again)
    assert [line.text for line in found.lines] == ["aaaa", "bbbb", "aaaa"]
    assert found.copies == 1


def test_nothing_after_a_truncation_is_taken() -> None:
    logs = invocation(PUMP, ["Program data: aaaa", "Log truncated", "Program data: bbbb"])
    assert attribute(logs) == ([DataLine(PUMP, "aaaa")], 0, True, False)


def test_invocations_that_do_not_nest_are_reported() -> None:
    assert attribute([f"Program {PUMP} invoke [2]", "Program data: aaaa"]).is_broken
    assert attribute([f"Program {PUMP} invoke [1]", f"Program {OTHER} success", "Program data: aaaa"]) == (
        [],
        0,
        False,
        True,
    )
    assert attribute([f"Program {PUMP} success"]).is_broken
    assert attribute([f"Program {PUMP} invoke [1]"]).is_broken


def test_a_failed_invocation_is_closed_too() -> None:
    logs = invocation(PUMP, [f"Program {OTHER} invoke [2]", f"Program {OTHER} failed: custom", "Program data: aaaa"])
    assert lines_of(logs) == [DataLine(PUMP, "aaaa")]
