"""The circuit breaker: four levels by the portfolio's drawdown, unrealised losses included."""

from dataclasses import dataclass
from enum import StrEnum


class RiskLevel(StrEnum):
    """What is allowed at each level."""

    NORMAL = "normal"
    WARNING = "warning"  # new positions at half size
    CRITICAL = "critical"  # positions are only closed; entries on their way are called back
    EMERGENCY = "emergency"  # everything halts, open orders are called back, until a manual reset


_FLOORS = ((0.15, RiskLevel.EMERGENCY), (0.10, RiskLevel.CRITICAL), (0.05, RiskLevel.WARNING))
_SIZE = {RiskLevel.NORMAL: 1.0, RiskLevel.WARNING: 0.5, RiskLevel.CRITICAL: 0.0, RiskLevel.EMERGENCY: 0.0}


def size_multiplier(level: RiskLevel) -> float:
    """What a new position's size is multiplied by."""
    return _SIZE[level]


@dataclass(slots=True)
class Breaker:
    """Follows equity and says the level. Emergency holds until it is reset by hand."""

    peak_lamports: int = 0
    drawdown: float = 0.0
    level: RiskLevel = RiskLevel.NORMAL

    def see(self, equity_lamports: int) -> bool:
        """Take the portfolio's equity over; whether the level changed."""
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
        """Leave whatever level by hand; drawdown is measured from the next equity on."""
        self.peak_lamports, self.drawdown, self.level = 0, 0.0, RiskLevel.NORMAL
