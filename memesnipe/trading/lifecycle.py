"""The lifecycle of a strategy: simulating -> paper and back, each step through gates and with its reason."""

from dataclasses import dataclass
from enum import StrEnum

from memesnipe.engine.results import StrategyResult


class Mode(StrEnum):
    """What a strategy may do. Live trading is not part of this version."""

    SIMULATING = "simulating"
    PAPER = "paper"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Gates:
    """What a strategy must show in the live simulation to trade on paper, and to go on doing so."""

    min_sharpe: float
    min_trades: int
    min_observed_s: float
    max_drawdown: float


def next_mode(mode: Mode, result: StrategyResult, gates: Gates) -> tuple[Mode, str]:
    """The mode that a strategy's record earns it, and the reason; the same mode with "" where nothing changes."""
    if mode is Mode.SIMULATING:
        lacking = _lacking(result, gates)
        if lacking:
            return mode, ""
        return Mode.PAPER, f"sharpe {result.sharpe:.2f}, {result.trades} trades, {result.total_return:+.2%}"
    if mode is Mode.PAPER:
        if result.max_drawdown > gates.max_drawdown:
            return Mode.SIMULATING, f"drawdown {result.max_drawdown:.2%} is above {gates.max_drawdown:.2%}"
        if result.sharpe < 0.0:
            return Mode.SIMULATING, f"sharpe fell to {result.sharpe:.2f}"
    return mode, ""


def _lacking(result: StrategyResult, gates: Gates) -> str:
    if result.observed_s < gates.min_observed_s:
        return "observation time"
    if result.trades < gates.min_trades:
        return "trades"
    if result.sharpe < gates.min_sharpe:
        return "sharpe"
    return "drawdown" if result.max_drawdown > gates.max_drawdown else ""
