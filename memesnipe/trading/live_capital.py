"""Live capital: one dollar at first, doubled only after profitable trades."""

from dataclasses import dataclass
from typing import Final

START_USD: Final = 1.0
TRADES_A_STEP: Final = 10  # round trips between two adjustments


@dataclass(slots=True)
class LiveCapital:
    """The capital of a live strategy, and its trades and profit since the last adjustment."""

    usd: float = START_USD
    trades: int = 0
    profit_lamports: int = 0

    def on_trade(self, profit_lamports: int) -> None:
        """Count a finished round trip; every ten, double the capital after a profit, else halve it (at least 1 USD)."""
        self.trades += 1
        self.profit_lamports += profit_lamports
        if self.trades < TRADES_A_STEP:
            return
        self.usd = self.usd * 2.0 if self.profit_lamports > 0 else max(self.usd / 2.0, START_USD)
        self.trades, self.profit_lamports = 0, 0
