"""The places on probation: the order of strategies, who holds a place, and who may displace whom."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from memesnipe.trading.lifecycle import DOWN, Mode
from memesnipe.trading.portfolio_state import Managed
from memesnipe.trading.standing import Standings
from memesnipe.trading.strategy_records import StrategyRecords

Strategies = Mapping[str, Managed]


def by_merit(found: Standings) -> NDArray[np.int64]:
    """Return the rows of all strategies: proven ones first, then by the expected return relative to its deviation."""
    score = found.columns["expected"] / np.maximum(found.columns["deviation"], 1e-9)
    order: NDArray[np.int64] = np.lexsort((-score, ~found.columns["is_proven"]))  # stable
    return order


def candidates(
    strategies: Strategies, records: StrategyRecords, found: Standings, min_expected_return: float
) -> list[str]:
    """Return the strategies that may be promoted, the best first, without thousands of which nothing is expected."""
    is_trading = np.array([managed.mode in DOWN for managed in strategies.values()], np.bool_)
    may_rise = found.columns["is_proven"] | is_trading | (found.columns["expected"] > min_expected_return)
    order = by_merit(found)
    return [records.spec_ids[row] for row in order[may_rise[order]].tolist()]


def holders(strategies: Strategies, records: StrategyRecords, found: Standings, places: int) -> list[str]:
    """Return the strategies with a place, the best first: there may be more on probation, whose proof has ended."""
    is_on_probation = np.array([managed.is_on_probation for managed in strategies.values()], np.bool_)
    order = by_merit(found)
    return [records.spec_ids[row] for row in order[is_on_probation[order]][:places].tolist()]


def contest(
    strategies: Strategies, records: StrategyRecords, found: Standings, min_observed_s: float
) -> tuple[str, list[str]]:
    """Return the weakest strategy on probation, and the simulated ones that are clearly better, the best first.

    Clearly better is an expected return above that of the weakest by more than its own standard deviation.

    Args:
        strategies: all of the arena.
        records: of the same strategies in the same order.
        found: their standings.
        min_observed_s: event time on paper before a strategy may be displaced.
    """
    means, deviations = found.columns["expected"], found.columns["deviation"]
    has_result, observed_s = records.columns["has_result"], records.figures["observed_s"]
    expected = {
        spec_id: float(means[row])
        for row, (spec_id, managed) in enumerate(strategies.items())
        if managed.is_on_probation
        and managed.manual_override is None
        and has_result[row]
        and observed_s[row] - managed.since_observed_s >= min_observed_s
    }
    if not expected:
        return "", []
    weakest = min(expected, key=expected.__getitem__)
    order = by_merit(found)
    is_better = means - deviations > expected[weakest]
    better = [records.spec_ids[row] for row in order[is_better[order]].tolist()]
    return weakest, [spec_id for spec_id in better if strategies[spec_id].mode is Mode.SIMULATING]
