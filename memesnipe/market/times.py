"""Times of events: their unit, and as text."""

from datetime import UTC, datetime
from typing import Final

NS_PER_HOUR: Final = 3_600_000_000_000


def utc_text(ts: int) -> str:
    """Return a time in ns since 1970 as text in UTC, in whole seconds."""
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
