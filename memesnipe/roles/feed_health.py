"""The state that market_data reports about its live feeds."""

from collections.abc import Sequence
from typing import Final

from memesnipe.feeds.base import FeedStatus
from memesnipe.roles.activity import SlowState

QUIET_AFTER_S: Final = 10.0  # without an event from any live feed


def feed_state(statuses: Sequence[FeedStatus], max_silence_s: float) -> SlowState | None:
    """Return the state to report instead of `running`; None while events arrive, or without live feeds.

    Args:
        statuses: of every live feed.
        max_silence_s: seconds without an event after which a feed counts as stalled; 0 for never.
    """
    for status in statuses:
        if status.is_untrusted:
            return SlowState("stalled", f"feed {status.name} is untrusted and nothing is bought: {status.error}")
    for status in statuses:
        if status.error:
            failed = f" failed {status.failures} times" if status.failures else ""
            return SlowState("stalled", f"feed {status.name}{failed}: {status.error}")
        if 0 < max_silence_s < status.silent_s:
            return SlowState("stalled", f"no event from feed {status.name} for {status.silent_s:.0f} s")
    silent_s = min((status.silent_s for status in statuses), default=0.0)
    if silent_s > QUIET_AFTER_S:
        return SlowState("quiet", f"no event from the feed for {silent_s:.0f} s")
    return None
