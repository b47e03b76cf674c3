"""The rule in the docstring of a strategy names each of its parameters, and nothing else."""

import pytest

from memesnipe.errors import StrategyError
from memesnipe.sdk.rule import filled, rule_of

PARAMS = ("lookback_s", "rise")
DOCSTRING = """Buy.

Hypothesis: the rest of the page.

Rule: votes to buy above {rise}
of the last {lookback_s}.
"""


def test_the_rule_is_one_line_with_the_values_in_it() -> None:
    rule = rule_of(DOCSTRING, PARAMS, "a.py")
    assert rule == "votes to buy above {rise} of the last {lookback_s}."
    assert filled(rule, {"rise": "5 %", "lookback_s": "a minute"}.__getitem__) == (
        "votes to buy above 5 % of the last a minute."
    )


@pytest.mark.parametrize("docstring", [None, "", "Buy.\n\nHypothesis: Rule: none."])
def test_a_strategy_needs_no_rule(docstring: str | None) -> None:
    assert rule_of(docstring, PARAMS, "a.py") == ""


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (
            "above {ries} of {lookback_s}.",
            r"a.py:1: the rule in the docstring names {ries}, which is no parameter \(did ",
        ),
        ("above {} of {lookback_s}.", "names {}, which is no parameter"),
        ("above {rise}.", "a.py:1: the rule in the docstring does not name {lookback_s}; name every parameter"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(rule: str, error: str) -> None:
    with pytest.raises(StrategyError, match=error):
        rule_of(f"Buy.\n\nRule: {rule}", PARAMS, "a.py")
