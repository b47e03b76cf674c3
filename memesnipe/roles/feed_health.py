"""The state that market_data reports about its live feeds."""

from collections.abc import Sequence
from typing import Final

from memesnipe.feeds.base import FeedStatus
from memesnipe.roles.activity import SlowState

QUIET_AFTER_S: Final = 10.0  # without an event from any live feed


def feed_state(statuses: Sequence[FeedStatus], max_silence_s: float) -> SlowState | None:
    """Return the state to report instead of `running`; None while events arrive, or without live feeds.

    A feed with several endpoints that deliver the same events is stalled once all of them are. Of several stalled feeds
    all are named: untrusted ones first, then those that fail, then silent ones; of each sort the longest silent first.

    Args:
        statuses: of every live feed.
        max_silence_s: seconds without an event after which a feed counts as stalled; 0 for never.
    """
    feeds: dict[str, list[FeedStatus]] = {}
    for status in statuses:
        feeds.setdefault(status.feed or status.name, []).append(status)
    stalled = [found for endpoints in feeds.values() if (found := _stalled(endpoints, max_silence_s)) is not None]
    if stalled:
        return SlowState("stalled", "; ".join(dict.fromkeys(text for _, _, text in sorted(stalled))))
    silent_s = min((status.silent_s for status in statuses), default=0.0)
    if silent_s > QUIET_AFTER_S:
        return SlowState("quiet", f"no event from the feed for {silent_s:.0f} s")
    return None


def _stalled(endpoints: Sequence[FeedStatus], max_silence_s: float) -> tuple[int, float, str] | None:
    """Return why a feed is stalled, with the rank of the reason and the negative silence in s; None if it is not."""
    first, silent_s = endpoints[0], min(status.silent_s for status in endpoints)
    untrusted = next((status for status in endpoints if status.is_untrusted), None)
    if untrusted is not None:
        return 0, -silent_s, f"feed {untrusted.name} is untrusted and nothing is bought: {untrusted.error}"
    if all(status.error for status in endpoints):
        failed = f" failed {first.failures} time{'s' * (first.failures > 1)}" if first.failures else ""
        return 1, -silent_s, f"feed {first.name}{failed}: {first.error}"
    if 0 < max_silence_s < silent_s:
        return 2, -silent_s, f"no event from feed {first.name} for {silent_s:.0f} s"
    return None
