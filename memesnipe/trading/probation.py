"""The places on probation: the order of strategies, who holds a place, and who may displace whom."""

from collections.abc import Mapping

from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.portfolio_state import Managed

Strategies = Mapping[str, Managed]


def by_merit(strategies: Strategies) -> list[str]:
    """Return all strategies: proven ones first, then by the expected return relative to its deviation."""

    def key(spec_id: str) -> tuple[bool, float]:
        standing = strategies[spec_id].standing
        return not standing.is_proven, -standing.expected / max(standing.deviation, 1e-9)

    return sorted(strategies, key=key)


def holders(strategies: Strategies, places: int) -> list[str]:
    """Return the strategies with a place, the best first: there may be more on probation, whose proof has ended."""
    return [spec_id for spec_id in by_merit(strategies) if strategies[spec_id].is_on_probation][:places]


def contest(strategies: Strategies, min_observed_s: float) -> tuple[str, list[str]]:
    """Return the weakest strategy on probation, and the simulated ones that are clearly better, the best first.

    Clearly better is an expected return above that of the weakest by more than its own standard deviation.

    Args:
        strategies: all of the arena.
        min_observed_s: event time on paper before a strategy may be displaced.
    """
    expected = {
        spec_id: managed.standing.expected
        for spec_id, managed in strategies.items()
        if managed.is_on_probation
        and managed.manual_override is None
        and managed.result is not None
        and managed.result.observed_s - managed.since_observed_s >= min_observed_s
    }
    if not expected:
        return "", []
    weakest = min(expected, key=lambda spec_id: expected[spec_id])
    better = [
        spec_id
        for spec_id in by_merit(strategies)
        if strategies[spec_id].mode is Mode.SIMULATING
        and strategies[spec_id].standing.expected - strategies[spec_id].standing.deviation > expected[weakest]
    ]
    return weakest, better
