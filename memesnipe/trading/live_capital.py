"""Live capital: begins with a dollar and doubles only after success."""

from dataclasses import dataclass
from typing import Final

START_USD: Final = 1.0
TRADES_A_STEP: Final = 10


@dataclass(slots=True)
class LiveCapital:
    """What a live strategy may trade with, and what it has made of it since the last step."""

    usd: float = START_USD
    trades: int = 0
    profit_lamports: int = 0

    def on_trade(self, profit_lamports: int) -> None:
        """Take a finished round trip over; after ten of them the capital doubles where they earned, else it halves."""
        self.trades += 1
        self.profit_lamports += profit_lamports
        if self.trades < TRADES_A_STEP:
            return
        self.usd = self.usd * 2.0 if self.profit_lamports > 0 else max(self.usd / 2.0, START_USD)
        self.trades, self.profit_lamports = 0, 0
