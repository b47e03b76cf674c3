"""Capital: the equity of each account, divided among the strategies that trade in it."""

from collections.abc import Mapping

from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import PositionUpdate
from memesnipe.trading.allocation import Caps, Share, allocate
from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.loss_limit import EquityDay
from memesnipe.trading.portfolio_state import Managed, ManualOverride, PortfolioState
from memesnipe.trading.probation import holders
from memesnipe.trading.standing import Standings
from memesnipe.trading.strategy_records import StrategyRecords


def divide(
    state: PortfolioState,
    records: StrategyRecords,
    found: Standings,
    marks: Mapping[Account, PositionUpdate],
    caps: Caps,
) -> dict[str, float]:
    """Return the capital of each strategy on paper and live, in USD; add the marks to the days of the accounts.

    Args:
        state: of the portfolio.
        records: of its strategies, in the same order.
        found: their standings, in the same order.
        marks: of each account.
        caps: upper bounds.
    """
    allocations: dict[str, float] = {}
    places = set(holders(state.strategies, records, found, caps.probation_strategies))
    has_result = records.columns["has_result"]
    for account, mark in marks.items():
        day = state.days.setdefault(account, EquityDay())
        day.observe(mark.ts, mark.equity_lamports)
        investable = day.investable_ratio(mark.equity_lamports, caps.loss_limit)
        shares = {
            spec_id: Share(row, managed.size, spec_id in places, _least_usd(managed))
            for row, (spec_id, managed) in enumerate(state.strategies.items())
            if managed.mode is Mode(account) and has_result[row]
        }
        usd = allocate(list(shares.values()), found.shrunk, mark.equity_usd, caps, investable)
        allocations |= zip(shares, usd, strict=True)
    for spec_id in allocations:
        live = state.strategies[spec_id].live
        if live is not None:
            allocations[spec_id] = min(allocations[spec_id], live.usd)
    return allocations


def _least_usd(managed: Managed) -> float:
    """Return the capital of a live strategy that a person has promoted, whatever its evidence; 0 for any other."""
    is_pinned = managed.manual_override is ManualOverride.UP
    return managed.live.usd if managed.live is not None and is_pinned else 0.0
