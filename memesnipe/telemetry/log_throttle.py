"""Tells of what happens often, but of each sort seldom: a flood of one thing must not bury the log."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class LogThrottle:
    """Counts by sort, and says when a sort is to be told of: the first time at once, then once in a while."""

    every_s: float = 60.0
    _untold: Counter[str] = field(default_factory=Counter)
    _told_at: dict[str, float] = field(default_factory=dict)

    def count(self, sort: str, now_s: float) -> int:
        """Count one more; how many there were since this sort was told of, or 0 where it is not time to tell yet."""
        self._untold[sort] += 1
        if now_s - self._told_at.get(sort, -self.every_s) < self.every_s:
            return 0
        self._told_at[sort] = now_s
        return self._untold.pop(sort)
