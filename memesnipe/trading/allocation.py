"""Allocation: how much capital each paper strategy gets."""

import math
from collections.abc import Mapping

MAX_SHARE = 0.10  # of the capital, for one strategy
INVESTED_SHARE = 0.80  # of the capital, for all of them


def allocate(sharpes: Mapping[str, float], equity_usd: float) -> dict[str, float]:
    """USD for each strategy, in proportion to its Sharpe ratio, none above the cap; whole cents."""
    weights = {spec_id: max(sharpe, 0.0) for spec_id, sharpe in sharpes.items()}
    total = sum(weights.values())
    if total <= 0 or equity_usd <= 0:
        return dict.fromkeys(sharpes, 0.0)
    return {
        spec_id: math.floor(equity_usd * min(INVESTED_SHARE * weight / total, MAX_SHARE) * 100) / 100
        for spec_id, weight in weights.items()
    }
