"""Times of events as text."""

from datetime import UTC, datetime


def utc_text(ts: int) -> str:
    """Return a time in ns since 1970 as text in UTC, in whole seconds."""
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
