"""The loss limit: how much capital may be invested, so that a day costs no more than a bound.

Of the last 24 hours of an account, the loss from the highest equity may be a small part of the equity at their
beginning, and a part of their profit. What is left of that allowance, times a multiple, may be invested: constant
proportion portfolio insurance (Black & Perold 1992) with a floor that rises with the profit (Grossman & Zhou 1993).
Between two decisions the equity falls below the floor only if all that is invested loses more than 1 / multiple.
"""

from dataclasses import dataclass, field
from typing import Final

from memesnipe.market.times import NS_PER_HOUR

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class LossLimit:
    """The bound of a day's loss."""

    loss: float = 0.005  # ratio of the equity at the beginning of the 24 hours
    of_profit: float = 0.25  # ratio of the profit of the 24 hours, from their beginning to the highest equity
    multiple: float = 10.0  # invested capital, relative to what may still be lost


@dataclass(slots=True)
class Hour:
    """One hour of an account's equity, in lamports."""

    number: int  # since 1970
    first: int
    highest: int


@dataclass(slots=True)
class EquityDay:
    """The last 24 hours of an account's equity, the oldest hour first."""

    hours: list[Hour] = field(default_factory=list)

    def observe(self, ts: int, lamports: int) -> None:
        """Add the equity at a mark; marks come in order."""
        number = ts // NS_PER_HOUR
        if not self.hours or self.hours[-1].number != number:
            self.hours = [hour for hour in self.hours if hour.number > number - HOURS]
            self.hours.append(Hour(number, lamports, lamports))
        self.hours[-1].highest = max(self.hours[-1].highest, lamports)

    def investable_ratio(self, lamports: int, limit: LossLimit) -> float:
        """Return how much may be invested at the present equity, as a ratio of it; 0 without any equity."""
        if lamports <= 0:
            return 0.0
        first, highest = self.hours[0].first, max(hour.highest for hour in self.hours)
        allowance = limit.loss * first + limit.of_profit * (highest - first)
        return limit.multiple * max(allowance - (highest - lamports), 0.0) / lamports
