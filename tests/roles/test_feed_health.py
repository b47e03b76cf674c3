"""A quiet feed is not stalled, except where a setting limits its silence."""

from dataclasses import replace

import pytest

from memesnipe.feeds.base import FeedStatus
from memesnipe.roles.activity import ActivityTracker, SlowState
from memesnipe.roles.feed_health import QUIET_AFTER_S, feed_state

BUSY, SILENT = FeedStatus("pyth", 0.5), FeedStatus("pump", QUIET_AFTER_S + 90)
UNTRUSTED = FeedStatus("pumpfun", 0.1, error="protocol changed: PumpSwap: 9 of 40 events", is_untrusted=True)
NO_PRICE = FeedStatus("pumpfun", 1.0, error="the price of SOL is unknown")
FAILED = FeedStatus("pump", 3.0, error="ConnectionError: refused", failures=4)
OLDER, QUIET_POOL = replace(FAILED, silent_s=70.0), replace(SILENT, name="pumpswap")
JUPITER = FeedStatus("jupiter", 3.0, "HTTP 429", failures=1)


def of_pump(status: FeedStatus) -> FeedStatus:
    """Return the status as that of one of several endpoints."""
    return replace(status, feed="pumpfun")


@pytest.mark.parametrize(
    ("statuses", "max_silence_s", "expected"),
    [
        ([], 1.0, None),
        ([BUSY], 0.0, None),
        ([BUSY, SILENT], 0.0, None),
        ([SILENT], 0.0, ("quiet", "no event from the feed for 100 s")),
        ([SILENT], 100.0, ("quiet", "no event from the feed for 100 s")),
        ([SILENT], 99.0, ("stalled", "no event from feed pump for 100 s")),
        ([BUSY, SILENT], 99.0, ("stalled", "no event from feed pump for 100 s")),
        ([BUSY, FAILED], 0.0, ("stalled", "feed pump failed 4 times: ConnectionError: refused")),
        ([FeedStatus("pump", 0.0, "refused")], 0.0, ("stalled", "feed pump: refused")),
        (
            [FAILED, UNTRUSTED],
            0.0,
            (
                "stalled",
                "feed pumpfun is untrusted and nothing is bought: protocol changed: PumpSwap: 9 of 40 events; "
                "feed pump failed 4 times: ConnectionError: refused",
            ),
        ),
        ([of_pump(BUSY), of_pump(FAILED)], 0.0, None),
        ([of_pump(BUSY), of_pump(SILENT)], 99.0, None),
        ([of_pump(FAILED), FAILED], 0.0, ("stalled", "feed pump failed 4 times: ConnectionError: refused")),
        ([of_pump(FAILED)] * 2, 0.0, ("stalled", "feed pump failed 4 times: ConnectionError: refused")),
        (
            [
                NO_PRICE,
                replace(FAILED, silent_s=70.0),
                replace(SILENT, name="pumpswap"),
                FeedStatus("jupiter", 3.0, "HTTP 429", failures=1),
            ],
            99.0,
            (
                "stalled",
                "feed pump failed 4 times: ConnectionError: refused; feed jupiter failed 1 time: HTTP 429; "
                "feed pumpfun: the price of SOL is unknown; no event from feed pumpswap for 100 s",
            ),
        ),
        ([of_pump(SILENT)] * 2, 99.0, ("stalled", "no event from feed pump for 100 s")),
    ],
)
def test_the_state_follows_from_errors_and_silence(statuses, max_silence_s, expected) -> None:
    assert feed_state(statuses, max_silence_s) == expected


def test_a_wait_is_reported_before_a_quiet_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("memesnipe.roles.activity.time.monotonic", lambda: now)
    activity = ActivityTracker()
    quiet = SlowState("quiet", "no event from the feed for 100 s")
    activity.set_feed_state(quiet)
    assert activity.slow_state() == quiet
    activity.set_waiting_for("event 7")
    now += 11.0
    activity.begin("waiting")
    assert activity.slow_state() == ("stalled", "has waited 11 s for event 7")
    activity.set_waiting_for("")
    activity.set_feed_state(None)
    assert activity.slow_state() is None
