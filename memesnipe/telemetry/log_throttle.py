"""Throttling of log lines about frequent events, so that they do not flood the log."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class LogThrottle:
    """Count events by category, and decide when to log one: the first at once, then at most one per ``every_s``."""

    every_s: float = 60.0
    _unlogged: Counter[str] = field(default_factory=Counter)
    _logged_at: dict[str, float] = field(default_factory=dict)

    def count(self, category: str, now_s: float) -> int:
        """Count an event; return the number since the last log line of its category, or 0 if none is due yet."""
        self._unlogged[category] += 1
        if now_s - self._logged_at.get(category, -self.every_s) < self.every_s:
            return 0
        self._logged_at[category] = now_s
        return self._unlogged.pop(category)
