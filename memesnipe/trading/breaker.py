"""The circuit breaker: four levels by the portfolio's drawdown, unrealised losses included."""

from dataclasses import dataclass
from enum import StrEnum


class RiskLevel(StrEnum):
    """The levels, from no restriction to a halt."""

    NORMAL = "normal"
    WARNING = "warning"  # new positions at half size
    CRITICAL = "critical"  # positions are only closed; open entries are cancelled
    EMERGENCY = "emergency"  # trading halts and open orders are cancelled, until a manual reset


_FLOORS = ((0.15, RiskLevel.EMERGENCY), (0.10, RiskLevel.CRITICAL), (0.05, RiskLevel.WARNING))
_SIZE = {RiskLevel.NORMAL: 1.0, RiskLevel.WARNING: 0.5, RiskLevel.CRITICAL: 0.0, RiskLevel.EMERGENCY: 0.0}


def size_multiplier(level: RiskLevel) -> float:
    """Return the factor for the size of a new position."""
    return _SIZE[level]


@dataclass(slots=True)
class Breaker:
    """Derives the level from the portfolio's equity. Emergency holds until a manual reset."""

    peak_lamports: int = 0
    drawdown: float = 0.0  # ratio of the peak
    level: RiskLevel = RiskLevel.NORMAL

    def observe(self, equity_lamports: int) -> bool:
        """Apply the portfolio's equity; return whether the level changed."""
        self.peak_lamports = max(self.peak_lamports, equity_lamports)
        lost = self.peak_lamports - equity_lamports
        self.drawdown = lost / self.peak_lamports if self.peak_lamports else 0.0
        if self.level is RiskLevel.EMERGENCY:
            return False
        level = next((level for floor, level in _FLOORS if self.drawdown >= floor), RiskLevel.NORMAL)
        changed = level is not self.level
        self.level = level
        return changed

    def reset(self) -> None:
        """Return to Normal; drawdown is measured from the next equity on."""
        self.peak_lamports, self.drawdown, self.level = 0, 0.0, RiskLevel.NORMAL
