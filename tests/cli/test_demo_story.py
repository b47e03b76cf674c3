"""`memesnipe demo` tells what the records of a run say, each fact once, and says what did not occur."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from memesnipe.cli.demo_facts import Facts
from memesnipe.cli.demo_story import CHAPTERS, Story, fault_line, rug_line, summary_lines, verify_line

RECORDED = orjson.loads((Path(__file__).parent / "demo_run.json").read_bytes())
FACTS = Facts(*(RECORDED[name] for name in ("report", "risk", "generations", "promotions", "trips")))


def test_a_recorded_run_is_told_in_its_order_and_once() -> None:
    story = Story()
    began = story.new_lines(Facts(report=FACTS.report, risk=FACTS.risk, generations=FACTS.generations[:2]))
    assert [line.partition(":")[0] for line in began] == ["Generation 0", "Generation 1"]
    trials = FACTS.generations[0]["evaluations"] + FACTS.generations[1]["evaluations"]
    assert f"after {trials:,} trials" in began[1]
    later = story.new_lines(FACTS)
    assert [line.partition(":")[0] for line in later[:3]] == ["Generation 2", "Generation 3", "Generation 4"]
    promoted = [line for line in later if "is promoted to paper" in line]
    assert len(promoted) == len({line.split()[0] for line in promoted}) == 3
    assert promoted[0].endswith(f"is promoted to paper: {FACTS.promotions[0]['reason']}.")
    assert len([line for line in later if line.startswith("Round trip of")]) == 3
    left_out = [line for line in later if line.startswith("(Later ")]
    assert [line.split(" are left out")[0] for line in left_out] == [
        "(Later generations",
        "(Later promotions",
        "(Later round trips",
    ]
    assert story.new_lines(FACTS) == []


def test_nothing_is_called_left_out_where_everything_is_told() -> None:
    facts = Facts(generations=FACTS.generations[:5], promotions=FACTS.promotions[:3], trips=FACTS.trips[:3])
    lines = Story().new_lines(facts)
    assert len(lines) == 11 and not any("left out" in line for line in lines)


def test_a_generation_without_a_proposal_says_why() -> None:
    row = FACTS.generations[0] | {"proposed": 0, "reason": "no genome is above the bar"}
    (line,) = Story().new_lines(Facts(generations=[row]))
    assert line.endswith("; none joins the market: no genome is above the bar.")


def test_a_generation_has_its_luck_bar_where_it_is_recorded() -> None:
    row = FACTS.generations[0] | {"best_sharpe": 412.3, "luck_sharpe": 254.1}
    (line,) = Story().new_lines(Facts(generations=[row]))
    assert "; the best has an annualised Sharpe ratio of 412, where luck alone reaches 254; 1 is better" in line


def test_the_nearest_rug_is_told_with_its_exit() -> None:
    rugs = RECORDED["rugs"]
    assert rugs["fates"], "the recorded run met rugs"
    fate, line = rugs["fates"][0], rug_line(rugs, FACTS)
    assert line.startswith(f"The market had {rugs['count']} rugs so far.")
    assert f"{fate['trip']['spec_id']} was out by {fate['trip']['exit_reason'].replace('_', ' ')}" in line
    assert f"({fate['trip']['profit_ratio']:+.1%})" in line and "the breaker is normal" in line


@pytest.mark.parametrize(
    ("rugs", "text"),
    [
        ({"count": 0}, "No token was rugged in this time, so there was nothing to survive."),
        ({"count": 1, "fates": [], "refused": 2, "refusal": "the developer left"},
         "The market had 1 rug so far. We held none of these tokens; the risk gate refused 2 purchases of unsafe ones, "
         "the last one because the developer left."),
        ({"count": 2, "fates": [], "refused": 0}, "no purchase of an unsafe one had to be refused."),
    ],
)  # fmt: skip
def test_without_a_rug_that_we_met_the_demo_says_so(rugs: dict[str, Any], text: str) -> None:
    assert rug_line(rugs, FACTS).endswith(text)


def test_a_fault_is_told_with_both_processes_and_their_events() -> None:
    fault = {"killed": True, "pid": 7, "activity": "working", "event": 1_200, "new_pid": 9, "event_after": 1_300}
    line = fault_line(fault | {"seconds": 3.25})
    assert "(process 7) was killed by SIGKILL while working, at event 1,200" in line
    assert "Process 9 took over, and had passed event 1,300 3.2 s later." in line
    assert "was not back in time" in fault_line(fault | {"seconds": None})
    assert "could not be killed" in fault_line({"killed": False})


def test_the_verdict_is_that_of_verify() -> None:
    assert "exactly as recorded. Nothing was lost or repeated." in verify_line(RECORDED["verify"], "")
    different = RECORDED["verify"] | {"clean": False, "difference_count": 2, "differences": ["orders 1: missing"]}
    assert verify_line(different, "") == "verify found 2 differences: orders 1: missing"
    assert verify_line(None, "memesnipe: error: gone") == "The run could not be verified: memesnipe: error: gone"


def test_what_did_not_occur_is_said() -> None:
    everything = dict.fromkeys(CHAPTERS, True)
    assert len(summary_lines(FACTS, everything)) == 1
    *_, last = summary_lines(FACTS, everything | {"promoted": False, "rug": False})
    assert last.startswith("Not shown this time: a strategy promoted to paper with its evidence; a rug survived.")
