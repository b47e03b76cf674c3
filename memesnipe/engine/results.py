"""Results: how a strategy has done, as everyone who judges it sees it."""

from dataclasses import dataclass

from memesnipe.engine.trader import Trader
from memesnipe.market.board import Board
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """The record of one strategy since it joined. Money is at today's price of SOL."""

    spec_id: str
    observed_s: float
    total_pnl_usd: float
    total_return: float  # ratio of its capital
    sharpe: float  # annualised
    max_drawdown: float  # ratio of the peak
    orders: int
    failed: int
    trades: int  # round trips
    wins: int
    fees_usd: float


def result_of(trader: Trader, board: Board) -> StrategyResult:
    """The result of one trader as the board stands."""
    account = trader.account
    usd_per_lamport = board.sol_usd / LAMPORTS_PER_SOL
    profit = trader.equity_lamports(board) - account.capital_lamports
    return StrategyResult(
        spec_id=trader.spec_id,
        observed_s=(board.last_ts - account.joined_ts) / NS_PER_S if account.joined_ts else 0.0,
        total_pnl_usd=profit * usd_per_lamport,
        total_return=profit / account.capital_lamports if account.capital_lamports else 0.0,
        sharpe=account.returns.sharpe,
        max_drawdown=account.returns.max_drawdown,
        orders=account.orders,
        failed=account.failed,
        trades=account.round_trips,
        wins=account.wins,
        fees_usd=account.fees_lamports * usd_per_lamport,
    )
