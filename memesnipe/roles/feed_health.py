"""The state that market_data reports about its live feeds."""

from collections.abc import Sequence
from typing import Final

from memesnipe.feeds.base import FeedStatus
from memesnipe.roles.activity import SlowState

QUIET_AFTER_S: Final = 10.0  # without an event from any live feed


def feed_state(statuses: Sequence[FeedStatus], max_silence_s: float) -> SlowState | None:
    """Return the state to report instead of `running`; None while events arrive, or without live feeds.

    A feed with several endpoints that deliver the same events is stalled once all of them are.

    Args:
        statuses: of every live feed.
        max_silence_s: seconds without an event after which a feed counts as stalled; 0 for never.
    """
    feeds: dict[str, list[FeedStatus]] = {}
    for status in statuses:
        if status.is_untrusted:
            return SlowState("stalled", f"feed {status.name} is untrusted and nothing is bought: {status.error}")
        feeds.setdefault(status.feed or status.name, []).append(status)
    for endpoints in feeds.values():
        first = endpoints[0]
        if all(status.error for status in endpoints):
            failed = f" failed {first.failures} time{'s' * (first.failures > 1)}" if first.failures else ""
            return SlowState("stalled", f"feed {first.name}{failed}: {first.error}")
        feed_silent_s = min(status.silent_s for status in endpoints)
        if 0 < max_silence_s < feed_silent_s:
            return SlowState("stalled", f"no event from feed {first.name} for {feed_silent_s:.0f} s")
    silent_s = min((status.silent_s for status in statuses), default=0.0)
    if silent_s > QUIET_AFTER_S:
        return SlowState("quiet", f"no event from the feed for {silent_s:.0f} s")
    return None
