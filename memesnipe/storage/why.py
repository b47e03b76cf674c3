"""Why a strategy holds capital, or none: one or two sentences from its mode and its evidence."""

from typing import Any, Final

from memesnipe.number_text import signed, significant
from memesnipe.storage.wording import plural

_NO_RESULT: Final = "It has no result yet, so it has no capital."
DEVIATIONS: Final = 1.96  # of a normal distribution: 95 % lie within


def interval(evidence: dict[str, Any] | None) -> list[float] | None:
    """Return the range, with 95 % probability, of a strategy's expected return; None without evidence."""
    if not evidence:
        return None
    expected, deviation = evidence["expected_return"], evidence["deviation"]
    return [expected - DEVIATIONS * deviation, expected + DEVIATIONS * deviation]


def why(mode: str, allocation_usd: float, evidence: dict[str, Any] | None, *, is_by_hand: bool = False) -> str:
    """Return why a strategy has its capital.

    Args:
        mode: of the strategy.
        allocation_usd: its capital.
        evidence: as `memesnipe.roles.portfolio` records it; None before its first result.
        is_by_hand: whether it has its mode by a manual promotion.
    """
    if mode == "retired":
        return "It is retired: it has no capital and is not simulated."
    if not evidence:
        return "It was promoted by hand, and has no result yet." if is_by_hand else _NO_RESULT
    expected = f"a round trip is expected to return {signed(evidence['expected_return'], '.1%')}"
    if mode == "simulating":
        return f"It is only simulated, without capital: {expected} after {_seen(evidence)}. {_needs(evidence)}"
    if allocation_usd <= 0.0:
        return f"It is on {mode} without capital at present: {expected} after {_seen(evidence)}. {_needs(evidence)}"
    is_settled = is_by_hand or evidence["is_proven"]
    reason = "because its evidence is proven" if is_settled else "on probation"
    reason = "because it was promoted by hand" if is_by_hand else reason
    held = f"It holds {allocation_usd:,.2f} USD {reason}: {expected} after {_seen(evidence)}."
    return held if is_settled else f"{held} {_needs(evidence)}"


def _seen(evidence: dict[str, Any]) -> str:
    return plural(evidence["round_trips"], "fresh round trip")


def _needs(evidence: dict[str, Any]) -> str:
    if evidence["is_proven"]:
        return "Its evidence is proven."
    found, end = (significant(evidence[name], 3) for name in ("e_value", "threshold"))
    against = f"Its evidence is {found}, and {end} end the probation"
    needed = evidence["trades_needed"]
    if needed is None:
        return f"{against}; at this expectation it never gets there."
    return f"{against}: about {plural(round(needed), 'more round trip')} at this expectation."
